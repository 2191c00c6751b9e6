// SPDX-License-Identifier: MIT
//
// A practice that uses the demonstration: a real server, a network before it that can be cut, and pages of its users.

import { createRequire } from 'node:module';
import assert from 'node:assert/strict';
import { Faulty } from '../../e2e/lib/faulty.mjs';
import { claimsOf, sign, tokenVhost } from '../../e2e/lib/issuer.mjs';
import { Praxisd } from '../../e2e/lib/praxisd.mjs';
import { Browser, buildPages } from './browser.mjs';

const axe = createRequire(import.meta.url)('axe-core').source;

export const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
export const DESK = { viewport: { width: 1440, height: 900 } };

export class Practice {
	/** Of the pages that are opened; a test that wants a board of its own takes another one. */
	id = 1;
	praxis = new Praxisd();

	static async open({ services, global = {} } = {}) {
		const practice = new Practice();
		practice.pages = await buildPages();
		await practice.praxis.start({
			global: { 'grace-ms': 30_000, 'state-file': 'state', ...global },
			...(services && { services }),
			vhost: tokenVhost(
				{},
				{ mounts: [{ mountpoint: '/demo', origin: `${practice.pages.directory}/demo` }] },
			),
		});
		practice.network = await Faulty.before(practice.praxis.port);
		practice.browser = await Browser.launch();
		return practice;
	}

	async close() {
		await this.browser?.close();
		await this.network?.close();
		await this.praxis.kill();
		await this.pages?.remove();
	}

	token({ name = 'Ann', ...claims } = {}) {
		return sign(claimsOf({ sub: name, name, practices: [this.id], ...claims }));
	}

	/** `search` and `hash` of the address: "?dir=rtl", "/call?". */
	async link(claims = {}, { search = '', hash = '' } = {}) {
		const token = await this.token(claims);
		return `http://127.0.0.1:${this.network.port}/demo/${search}#${hash}token=${token}`;
	}

	/** A page that is connected and has its cards, where they do not move; options as Playwright has them. */
	async enter(claims = {}, { search, hash, ...options } = {}) {
		const page = await this.browser.page({ ...DESK, reducedMotion: 'reduce', ...options });
		await page.goto(await this.link(claims, { search, hash }));
		await page.waitForSelector('#status[data-state=connected]');
		if (claims.role !== 'patient') {
			await page.waitForSelector('.card', { state: 'attached' });
		}
		return page;
	}

	/** The network is away, and each of these pages knows it. */
	async cut(...all) {
		this.network.down = true;
		this.network.cutAll();
		await Promise.all(
			all.map((page) => page.waitForSelector('#status[data-state=reconnecting]')),
		);
	}

	/** It is back, which the pages' browser notices, so that none waits for its next attempt. */
	async mend(...all) {
		this.network.down = false;
		await Promise.all(
			all.map((page) => page.evaluate(() => window.dispatchEvent(new Event('online')))),
		);
		await Promise.all(all.map((page) => page.waitForSelector('#status[data-state=connected]')));
	}
}

/** Nothing that axe finds fault with, best practices and the rules that are off by default included. */
export async function assertAccessible(page, what) {
	await page.evaluate(axe);
	const found = await page.evaluate(async () => {
		const { violations } = await window.axe.run(document, {
			rules: {
				'scrollable-region-focusable': { enabled: true },
				'target-size': { enabled: true },
			},
		});
		return violations.map(({ id, nodes }) => ({
			id,
			nodes: nodes.map((node) => node.failureSummary + node.html),
		}));
	});
	assert.deepEqual(found, [], what);
}

/** Everything that was done on the page has its receipt. */
export function allSaved(page) {
	return page.waitForFunction(() => document.querySelector('.card.unsaved') === null);
}

/** The page is no wider than the screen. */
export async function assertFits(page, what) {
	const { content, screen } = await page.evaluate(() => ({
		content: document.documentElement.scrollWidth,
		screen: document.documentElement.clientWidth,
	}));
	assert.ok(content <= screen, `${what}: ${content} pixels wide on ${screen}`);
}
