// SPDX-License-Identifier: MIT
//
// The tarball: what those who check packages say of it, what is in it, and that an application
// finds it, with its types, however it resolves modules.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import ts from 'typescript';
import { Consumer } from '../lib/consumer.js';

const client = process.cwd();

const USE = `
	import { connectWebSocket, webSocketManager, WebSocketStatus, whiteboardService } from 'praxis-client';
	import type { WebSocketMessage } from 'praxis-client';
	import { webSocketManager as inBrowsers } from 'praxis-client/browser';
	import { checkCall } from 'praxis-client/check';
	import { mountDevtools } from 'praxis-client/devtools';
	import { useConnectionStatus, useWebSocketStatus, useWhiteboard } from 'praxis-client/react';

	const status: WebSocketStatus = whiteboardService.getStatus();
	export const message: WebSocketMessage = { type: 'custom_message', status };
	export const sent: boolean = inBrowsers.sendMessage(message);
	export const shown: WebSocketStatus = useWebSocketStatus(webSocketManager);
	export const { lastUpdate } = useWhiteboard(1);
	export const { reason, retryAt, sentence } = useConnectionStatus();
	export const verdict: Promise<string> = checkCall().result.then((result) => result.verdict);
	export const unmount: () => void = mountDevtools(webSocketManager, document.body);
	connectWebSocket();
	// The types are there: all of this is wrong.
	// @ts-expect-error
	whiteboardService.conect();
	// @ts-expect-error
	export const a: number = whiteboardService.getStatus();
	// @ts-expect-error
	export const b: number = inBrowsers.getStatus();
	// @ts-expect-error
	export const c: number = useWebSocketStatus();
`;

describe('the tarball', () => {
	const consumer = new Consumer('published');
	const manifest = JSON.parse(readFileSync(path.join(client, 'package.json'), 'utf8')) as {
		version: string;
		repository: { url: string; directory: string };
	};

	it('is as publint has it', async () => {
		const tarball = new Uint8Array(readFileSync(consumer.tarball)).buffer;
		const { messages, pkg } = await publint({ pack: { tarball }, strict: true });
		assert.deepEqual(
			messages.map((message) => formatMessage(message, pkg)),
			[],
		);
	});

	it('is as "are the types wrong" has it', () => {
		const attw = path.join(
			client,
			'node_modules',
			'@arethetypeswrong',
			'cli',
			'dist',
			'index.js',
		);
		const args = [attw, '--format', 'json', consumer.tarball];
		const told = execFileSync(process.execPath, args, { encoding: 'utf8' });
		const { analysis } = JSON.parse(told) as {
			analysis: { problems: unknown[]; entrypoints: Record<string, unknown> };
		};
		assert.deepEqual(analysis.problems, []);
		assert.deepEqual(Object.keys(analysis.entrypoints), [
			'.',
			'./react',
			'./check',
			'./devtools',
			'./browser',
			'./package.json',
		]);
	});

	it('has the licence, the same as the whole', () => {
		const licence = consumer.read('node_modules/praxis-client/LICENSE');
		assert.equal(licence, readFileSync(path.join(client, '..', 'LICENSE'), 'utf8'));
		const names = readdirSync(consumer.installed).sort();
		const wanted = [
			...['LICENSE', 'README.md', 'browser', 'check', 'devtools'],
			...['dist', 'package.json', 'react', 'src'],
		];
		assert.deepEqual(names, wanted);
	});

	it('has no link that leads out of it', () => {
		const readme = consumer.read('node_modules/praxis-client/README.md');
		const links = [...readme.matchAll(/\]\(([^)#\s]+)/g)].map(([, target]) => target ?? '');
		const isDead = (target: string) =>
			!/^[a-z]+:/.test(target) &&
			(target.startsWith('../') || !existsSync(path.join(consumer.installed, target)));
		assert.deepEqual(links.filter(isDead), []);
	});

	it('says where it comes from, and no place that is not', () => {
		const { url, directory } = manifest.repository;
		assert.equal(directory, 'client');
		// RFC 2606: a name that is nobody's, until there is a public place.
		assert.equal(new URL(url.replace(/^git\+/, '')).hostname.split('.').at(-1), 'invalid');
	});

	it('shares by its version', () => {
		const source = readFileSync(path.join(client, 'src', 'once.ts'), 'utf8');
		assert.ok(source.includes(`'praxis-client ${manifest.version}'`));
	});
});

describe('an application compiles with', () => {
	const { Node10, Node16, Bundler } = ts.ModuleResolutionKind;
	const { CommonJS, ESNext, Node16: Node16Module } = ts.ModuleKind;
	const consumers = {
		module: new Consumer('compiled-esm', 'module'),
		commonjs: new Consumer('compiled-cjs', 'commonjs'),
	};
	for (const [name, type, moduleResolution, module] of [
		['node, to CommonJS', 'commonjs', Node10, CommonJS],
		['node, to ES modules', 'module', Node10, ESNext],
		['node16, from an ES module', 'module', Node16, Node16Module],
		['node16, from CommonJS', 'commonjs', Node16, Node16Module],
		['bundler', 'module', Bundler, ESNext],
	] as const) {
		it(`moduleResolution ${name}`, () => {
			const consumer = consumers[type];
			consumer.write({ 'use.ts': USE });
			assert.deepEqual(consumer.complaints(['use.ts'], { moduleResolution, module }), []);
		});
	}

	it('ids that are numbers', () => {
		const code = `
			import { telemedicineService, whiteboardService } from 'praxis-client';
			whiteboardService.onWhiteboardUpdate(({ practiceId }) => {
				const id: number = practiceId;
				return id;
			});
			telemedicineService.onChatMessage((message) => {
				const id: number | undefined = message.fromUserId;
				const roomId: string = message.roomId;
				return [id, roomId];
			});
			telemedicineService.joinRoom('appointment_12', 12, 7, 'Ann');
			// @ts-expect-error
			telemedicineService.joinRoom(12, 12, 7, 'Ann');
			// @ts-expect-error
			whiteboardService.sendWhiteboardUpdate('1');
			declare module 'praxis-client' {
				interface PraxisTypes {
					id: number;
					roomId: string;
				}
			}`;
		for (const [moduleResolution, module] of [
			[Node10, ESNext],
			[Bundler, ESNext],
		] as const) {
			consumers.module.write({ 'numbers.ts': code });
			const complaints = consumers.module.complaints(['numbers.ts'], {
				moduleResolution,
				module,
			});
			assert.deepEqual(complaints, []);
		}
	});
});

describe('ES module and CommonJS', () => {
	const consumer = new Consumer('both', 'module');
	const compare = `
		for (const name of ['webSocketManager', 'whiteboardService', 'telemedicineService']) {
			for (const other of [cjs, browser, required]) {
				if (esm[name] !== other[name]) throw new Error(name + ' is there twice');
			}
		}
		for (const one of [esm, cjs, browser]) {
			for (const other of [esm, cjs, browser]) {
				const error = new other.PraxisError('code');
				if (!(error instanceof one.PraxisError)) throw new Error('two errors');
			}
			if (new Error('PraxisError') instanceof one.PraxisError) throw new Error('any');
		}
		console.log('one');`;

	it('have one connection, whichever comes first', () => {
		consumer.write({
			'esm.mjs': `
				import { createRequire } from 'node:module';
				import * as esm from 'praxis-client';
				import * as browser from 'praxis-client/browser';
				const require = createRequire(import.meta.url);
				const cjs = require('praxis-client');
				const required = require('praxis-client/browser');
				${compare}`,
			'cjs.cjs': `
				const cjs = require('praxis-client');
				const required = require('praxis-client/browser');
				(async () => {
					const esm = await import('praxis-client');
					const browser = await import('praxis-client/browser');
					${compare}
				})();`,
		});
		assert.equal(consumer.run('esm.mjs'), 'one\n');
		assert.equal(consumer.run('cjs.cjs'), 'one\n');
	});
});
