// SPDX-License-Identifier: MIT
//
// What is promised of dist/: its size, both module systems, and that importing it does nothing.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const client = process.cwd();

function node(...args: string[]): string {
	return execFileSync(process.execPath, args, { cwd: client, encoding: 'utf8' });
}

async function bundled(source: string): Promise<string> {
	const result = await build({
		stdin: { contents: source, resolveDir: client },
		bundle: true,
		write: false,
		minify: true,
		format: 'esm',
		logLevel: 'error',
	});
	return result.outputFiles[0]?.text.trim() ?? '';
}

describe('the package', () => {
	it('has no part that is larger than promised', async () => {
		const { href } = pathToFileURL(path.join(client, 'sizes.mjs'));
		const { PARTS, sizeOf } = (await import(href)) as {
			PARTS: [name: string, source: string, limitBytes: number][];
			sizeOf: (source: string) => Promise<number>;
		};
		assert.equal(PARTS.length, 7);
		for (const [name, source, limitBytes] of PARTS) {
			const bytes = await sizeOf(source);
			assert.ok(bytes > 500 && bytes <= limitBytes, `${name}: ${bytes} bytes`);
		}
	});

	it('leaves out of a bundle what is not imported', async () => {
		assert.equal(await bundled("import 'praxis-client';"), '');
		const manager = await bundled(
			"import { createWebSocketManager as c } from 'praxis-client'; console.log(c());",
		);
		assert.match(manager, /connection_established/);
		assert.doesNotMatch(manager, /RTCPeerConnection/);
	});

	it('is imported on a server without touching anything', () => {
		const script = `
			const before = Object.keys(globalThis).length;
			for (const name of ['window', 'document', 'location', 'WebSocket', 'RTCPeerConnection']) {
				Object.defineProperty(globalThis, name, {
					configurable: true, get() { throw new Error('touched ' + name); },
				});
			}`;
		const use = `if (m.getStatus() !== 'disconnected') throw new Error('status');`;
		node(
			'--input-type=module',
			'-e',
			`${script} const { webSocketManager: m } = await import('praxis-client');
			await import('praxis-client/react'); await import('praxis-client/check'); await import('praxis-client/devtools'); ${use}`,
		);
		node(
			'--input-type=commonjs',
			'-e',
			`${script} const { webSocketManager: m } = require('praxis-client');
			require('praxis-client/react'); require('praxis-client/check'); require('praxis-client/devtools'); ${use}`,
		);
	});

	it('has the same names in both module systems', () => {
		for (const name of ['praxis-client', 'praxis-client/react', 'praxis-client/check']) {
			const list =
				'console.log(JSON.stringify(Object.keys(p).filter((k) => k !== "default").sort()))';
			const esm = node('--input-type=module', '-e', `import * as p from '${name}'; ${list}`);
			const cjs = node(
				'--input-type=commonjs',
				'-e',
				`const p = require('${name}'); ${list}`,
			);
			assert.equal(esm, cjs);
		}
	});

	it('shares one connection between its entries', () => {
		for (const entry of ['react.js', 'check.js']) {
			const source = readFileSync(path.join(client, 'dist', 'esm', entry), 'utf8');
			assert.match(source, /from "\.\/index\.js"/);
			assert.doesNotMatch(source, /connection_established/);
		}
	});
});
