// SPDX-License-Identifier: MIT
//
// The steps of docs/migration.md, taken as they stand there with an application in the shape of the
// system that is replaced (test/apps/practice), which then runs against a real praxisd with tokens.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { webSocketManager } from 'praxis-client';
import type { TelemedicineChatMessage } from 'praxis-client';
import { itEnds, secret, usePraxisd } from 'praxisd-of-tests';
import { WebSocket } from 'ws';
import { pack } from '../lib/consumer.js';
import { Page } from '../lib/page.js';
import { snippetsOf } from '../lib/snippets.js';
import { tokenFor, withTokens } from '../lib/tokens.js';

/** What the application exports, to its own types. */
interface Practice {
	watchPatients(practiceId: number, refresh: () => void): () => void;
	openBoard(
		practiceId: number,
		show: (practiceId: number, data: unknown) => void,
	): {
		move(patient: number, column: string): boolean;
		isOnline(): boolean;
		close(): void;
	};
	openVisit(
		appointmentId: number,
		userId: number,
		userName: string,
	): {
		lines: { mine: boolean; from: string; text: string }[];
		status(): string;
		say(text: string): boolean;
		close(): void;
	};
	joinCall(
		roomId: string,
		userId: number,
		got: (type: string) => void,
	): { close(code: number): void };
}

const client = process.cwd();
const place = path.join(client, 'build', 'migration');
const app = path.join(place, 'my-app');
const snippets = snippetsOf('../docs/migration.md');
const shell = snippets.filter(({ language }) => language === 'sh').map(({ code }) => code);

function run(command: string): string {
	const env = { ...process.env, npm_config_offline: 'true', npm_config_audit: 'false' };
	return execFileSync('sh', ['-ec', command], { cwd: app, encoding: 'utf8', env });
}

/** What the compiler says of the application. */
function compiled(): string {
	try {
		run(`"${process.execPath}" "${client}/node_modules/typescript/bin/tsc" -p .`);
		return '';
	} catch (error) {
		return (error as { stdout: string }).stdout;
	}
}

/** The files that no step may touch. */
function untouched(): Record<string, string> {
	const folder = path.join(app, 'src', 'components');
	const read = (name: string) => readFileSync(path.join(folder, name), 'utf8');
	return Object.fromEntries(readdirSync(folder).map((name) => [name, read(name)]));
}

async function start(): Promise<Practice> {
	const outfile = path.join(place, 'app.mjs');
	await build({
		absWorkingDir: app,
		entryPoints: ['src/main.ts'],
		bundle: true,
		outfile,
		format: 'esm',
		logLevel: 'error',
	});
	return (await import(pathToFileURL(outfile).href)) as Practice;
}

describe('an application of the old shape', () => {
	const pages: Page[] = [];
	afterEach(() => {
		webSocketManager.disconnect();
		pages.splice(0).forEach((page) => page.close());
	});
	const praxis = usePraxisd(withTokens);
	let practice: Practice;
	let files: Record<string, string>;

	before(() => {
		rmSync(place, { recursive: true, force: true });
		mkdirSync(place, { recursive: true });
		cpSync(path.join(client, 'test', 'apps', 'practice'), app, { recursive: true });
		const beside = path.join(place, 'praxis', 'client');
		mkdirSync(beside, { recursive: true });
		cpSync(pack(), path.join(beside, 'praxis-client-0.1.0.tgz'));
		files = untouched();
	});
	const colleague = async (userId: number, name = secret('name')) => {
		const page = new Page(praxis, {}, { getToken: () => tokenFor(userId, 600, { name }) });
		pages.push(page);
		return page.connected();
	};

	it('compiles before', () => {
		assert.equal(compiled(), '');
	});

	it('takes the steps, and no other file changes', () => {
		const [replace, ids] = shell;
		const index = snippets.find(({ code }) => code.startsWith('// src/lib/websocket/index.ts'));
		assert.ok(replace && ids && index);
		run(replace);
		writeFileSync(path.join(app, 'src', 'lib', 'websocket', 'index.ts'), index.code);
		assert.match(compiled(), /string \| number/, 'ids are not numbers yet');
		run(ids);
		assert.equal(compiled(), '');
		assert.deepEqual(untouched(), files);
	});

	it('runs: all its ways to the old files lead to one connection', async () => {
		const token = tokenFor(12, 600, { name: 'Ann' });
		Object.assign(globalThis, {
			WebSocket,
			fetch: () => Promise.resolve(new Response(token)),
		});
		process.env['NEXT_PUBLIC_PRAXIS_URL'] = `ws://127.0.0.1:${praxis.port}/ws`;
		practice = await start();
		const tokens = snippets.find(({ code }) => code.includes('/api/praxis-token'));
		const configure = path.join(place, 'configure.mjs');
		writeFileSync(configure, tokens?.code.replace('@/lib/websocket', 'praxis-client') ?? '');
		await import(pathToFileURL(configure).href);

		const bob = await colleague(8);
		const shown: unknown[] = [];
		let refreshed = 0;
		const board = practice.openBoard(1, (practiceId, data) => shown.push([practiceId, data]));
		assert.equal(board.move(42, 'x-ray'), true, 'sending connects');
		const update = await bob.next('whiteboard_update');
		assert.deepEqual(update['data'], { patient: 42, column: 'x-ray' });
		assert.equal(board.isOnline(), true);
		const end = practice.watchPatients(1, () => refreshed++);
		const data = { text: secret() };
		await bob.whiteboard.send(1, data);
		await bob.whiteboard.send(1, data);
		// Asked for a receipt, it has what came before.
		await webSocketManager.send({ type: 'whiteboard_update', practiceId: 1 });
		assert.deepEqual(shown, [
			[1, data],
			[1, data],
		]);
		assert.equal(refreshed, 2);
		end();
		board.close();
		assert.equal((await praxis.stats())['sessions'], 2, "bob's, and one of the application");
		practice.openBoard(1, () => {}).close();
	});

	it('talks in a room, with ids that stay numbers', async () => {
		const bob = await colleague(8, 'Bob');
		const second = await colleague(12, 'Ann');
		bob.telemedicine.joinRoom('appointment_12', 12, 8, 'Bob');
		await bob.next('telemedicine_room_joined');
		const visit = practice.openVisit(12, 12, 'Ann');
		const joined = await bob.next('telemedicine_user_joined');
		assert.equal(joined['userId'], 12);
		second.telemedicine.joinRoom('appointment_12', 12, 12, 'Ann');
		await second.next('telemedicine_room_joined');
		const text = secret('chat');
		assert.equal(visit.say(text), true);
		const chat = await bob.next<TelemedicineChatMessage>('telemedicine_chat_message');
		assert.deepEqual([chat.fromUserId, chat.from, chat.message], [12, 'Ann', text]);
		bob.telemedicine.sendChatMessage('appointment_12', 12, text, 'Bob', 8);
		second.telemedicine.sendChatMessage('appointment_12', 12, text, 'Ann', 12);
		await bob.next<TelemedicineChatMessage>(
			'telemedicine_chat_message',
			({ clientId }) => clientId === second.manager.clientId,
		);
		await webSocketManager.send({ type: 'whiteboard_update', practiceId: 1 });
		assert.deepEqual(visit.lines, [
			{ mine: false, from: 'Bob', text },
			{ mine: true, from: 'Ann', text },
		]);
		assert.equal(visit.status(), 'connected');
		visit.close();
		assert.equal((await bob.next('telemedicine_user_left'))['userId'], 12);
	});

	it('is told where its sockets by hand are, and they are refused', async () => {
		const found = run(shell[2] ?? '');
		assert.match(found, /^src\/components\/video-call\.ts:\d+:.*new WebSocket/m);
		assert.doesNotMatch(found, /src\/lib|whiteboard|visit\.ts|patient-list/);
		process.env['NEXT_PUBLIC_WS_HOST'] = `127.0.0.1:${praxis.port}`;
		const got: string[] = [];
		let socket: { close(code: number): void } | undefined;
		await new Promise<void>((resolve) => {
			socket = practice.joinCall('appointment_12', 12, (type) => {
				got.push(type);
				if (got.length === 2) {
					resolve();
				}
			});
		});
		socket?.close(1000);
		assert.deepEqual(got, ['connection_established', 'error']);
	});

	itEnds(praxis);
});
