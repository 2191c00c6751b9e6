// SPDX-License-Identifier: MIT
//
// Debian's Chromium with a camera and a microphone that are none, and the pages it opens: the
// demonstration, the dashboard, and an empty one that has the client package as `praxis`. What goes wrong in a
// page (an exception, a refused resource) fails the test that asks `faults`.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const { build } = createRequire(path.join(root, 'client', 'package.json'))('esbuild');

const EXECUTABLE = process.env.CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = [
	'--use-fake-device-for-media-stream',
	'--use-fake-ui-for-media-stream',
	// Its candidates would be names that only a resolver of the local network knows.
	'--disable-features=WebRtcHideLocalIpsWithMdns',
];

// Builds the dashboard alone, where the servers that are started from now on look for it.
export async function buildDashboard() {
	const out = await mkdtemp(path.join(tmpdir(), 'praxis-dashboard-'));
	execFileSync(process.execPath, [path.join(root, 'dashboard', 'build.mjs'), out]);
	process.env.PRAXIS_DASHBOARD_DIR = out;
	return { directory: out, remove: () => rm(out, { recursive: true, force: true }) };
}

// Builds the pages: a directory with demo/ and plain/.
export async function buildPages() {
	const out = await mkdtemp(path.join(tmpdir(), 'praxis-pages-'));
	execFileSync(process.execPath, [path.join(root, 'demo', 'build.mjs'), path.join(out, 'demo')]);
	await build({
		alias: {
			'praxis-client': path.join(root, 'client', 'src', 'index.ts'),
			'praxis-client/check': path.join(root, 'client', 'src', 'check.ts'),
			'praxis-client/devtools': path.join(root, 'client', 'src', 'devtools.ts'),
		},
		bundle: true,
		format: 'esm',
		logLevel: 'warning',
		outfile: path.join(out, 'plain', 'page.js'),
		stdin: {
			contents: `
				import * as praxis from 'praxis-client';
				import * as check from 'praxis-client/check';
				import * as devtools from 'praxis-client/devtools';
				globalThis.praxis = { ...praxis, ...check, ...devtools };`,
			resolveDir: root,
		},
	});
	await writeFile(
		path.join(out, 'plain', 'index.html'),
		'<!doctype html><title>plain</title><link rel="icon" href="data:,"><script type="module" src="page.js"></script>',
	);
	return { directory: out, remove: () => rm(out, { recursive: true, force: true }) };
}

export class Browser {
	faults = [];
	#contexts = [];
	#devtools;

	// Options as Playwright has them, and `flags`: more of Chromium's, and `asks`: a page gets camera and
	// microphone as permit() says, instead of always.
	static async launch({ flags = [], asks = false, ...options } = {}) {
		const browser = new Browser();
		const given = [...FLAGS, ...flags].filter((flag) => !asks || !flag.includes('fake-ui'));
		browser.chromium = await chromium.launch({
			executablePath: EXECUTABLE,
			args: process.getuid() === 0 ? [...given, '--no-sandbox'] : given,
			...options,
		});
		return browser;
	}

	// `permissions`: of the page's context, such as { camera: 'denied' }.
	async permit(page, origin, permissions) {
		// What is set lasts as long as the session.
		this.#devtools ??= await this.chromium.newBrowserCDPSession();
		const of = await page.context().newCDPSession(page);
		const { targetInfo } = await of.send('Target.getTargetInfo');
		for (const [name, setting] of Object.entries(permissions)) {
			await this.#devtools.send('Browser.setPermission', {
				browserContextId: targetInfo.browserContextId,
				origin,
				permission: { name },
				setting,
			});
		}
	}

	// A page with a storage of its own, as in another browser; options as Playwright has them.
	async page(options = {}) {
		const context = await this.chromium.newContext(options);
		this.#contexts.push(context);
		context.setDefaultTimeout(30_000);
		await context.addInitScript(watchPeers);
		const page = await context.newPage();
		page.on('pageerror', (error) => this.faults.push(error.message));
		page.on('console', (message) => {
			// A socket that fails is what some tests are about; where the server is back when the client asks it
			// why, it answers 405.
			if (
				message.type() === 'error' &&
				!/WebSocket|net::ERR|status of 405/.test(message.text())
			) {
				this.faults.push(message.text());
			}
		});
		return page;
	}

	async closePages() {
		await Promise.all(this.#contexts.splice(0).map((context) => context.close()));
		return this.faults.splice(0);
	}

	close() {
		return this.chromium.close();
	}
}

// Runs in the page, before anything else: keeps its peer connections for pictures().
function watchPeers() {
	const Native = window.RTCPeerConnection;
	const peers = new Set();
	window.peers = peers;
	window.RTCPeerConnection = class extends Native {
		constructor(...args) {
			super(...args);
			peers.add(this);
		}

		close() {
			peers.delete(this);
			super.close();
		}
	};
}

// How many frames of video were decoded of each other member, in no order.
export function pictures(page) {
	return page.evaluate(async () => {
		const decoded = [];
		for (const peer of window.peers) {
			for (const report of (await peer.getStats()).values()) {
				if (report.type === 'inbound-rtp' && report.kind === 'video') {
					decoded.push(report.framesDecoded);
				}
			}
		}
		return decoded;
	});
}
