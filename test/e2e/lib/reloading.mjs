// SPDX-License-Identifier: MIT
//
// Servers that are reloaded while two of their clients talk.

import assert from 'node:assert/strict';
import { readFile, readdir, rm } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { it } from 'node:test';
import { WsClient } from './client.mjs';
import { secret, usePraxisd, writeFiles } from './praxisd.mjs';
import { until } from './wait.mjs';

let users = 0;

export const services = (...names) => names.map((name) => ({ [name]: { status: 'ok' } }));

// A vhost beside the default one.
export const vhost = (name, port, more = {}) => ({
	name,
	port,
	interface: '127.0.0.1',
	'open-practice': '1',
	'ws-protocols': services('whiteboard', 'telemedicine'),
	...more,
});

export const extra = (...vhosts) => ({ 'conf.d/50-extra.json': { vhosts } });

// Connects to any port, with or without the server's being `default`'s.
export async function join(
	port,
	{ host = '127.0.0.1', protocols = ['praxis.v1'], practice = 1, ...options } = {},
) {
	const userId = `reload-user-${++users}`;
	const query = `practiceId=${practice}&role=staff&userId=${userId}&userName=${userId}`;
	const scheme = options.tls ? 'wss' : 'ws';
	const client = await WsClient.open(
		`${scheme}://${host}:${port}/ws?${query}`,
		protocols,
		{ userId },
		{
			rejectUnauthorized: false,
			...options,
		},
	);
	client.hello = await client.next('connection_established');
	return client;
}

export function reaches(port, host = '127.0.0.1') {
	return new Promise((resolve) => {
		const socket = net.connect({ port, host });
		socket.once('connect', () => resolve(true) ?? socket.destroy());
		socket.once('error', () => resolve(false));
	});
}

// Sends SIGHUP and waits until the outcome is logged: what was logged on the way.
export async function hup(praxis, outcome = /configuration reloaded/) {
	const since = praxis.log.length;
	praxis.signal('SIGHUP');
	await praxis.logged(/configuration reloaded|nothing was changed/, since);
	const lines = praxis.log.slice(since);
	assert.match(lines, outcome);
	return lines;
}

export async function reload(praxis, files, outcome) {
	await Promise.all(
		Object.keys(files)
			.filter((file) => files[file] === null)
			.map((file) => rm(path.join(praxis.dir, file), { force: true })),
	);
	await writeFiles(
		praxis.dir,
		Object.fromEntries(Object.entries(files).filter(([, content]) => content !== null)),
	);
	return hup(praxis, outcome);
}

export async function assertSentAway(client) {
	const told = await client.next('server_draining');
	assert.ok(Number.isInteger(told.reconnectAfterMs) && told.reconnectAfterMs >= 0);
	assert.equal((await client.closing()).code, 1012);
}

// Two who talk on the vhost `default`, until stop() counts what arrived.
export class Talk {
	static async start(praxis) {
		const talk = new Talk();
		talk.ann = await praxis.connect({ practiceId: 99 });
		talk.bob = await praxis.connect({ practiceId: 99 });
		talk.sent = 0;
		talk.say();
		talk.timer = setInterval(() => talk.say(), 2);
		return talk;
	}

	say() {
		for (let i = 0; i < 3; i++) {
			this.ann.send({
				type: 'whiteboard_update',
				practiceId: 99,
				data: { at: this.sent++, secret: secret() },
			});
		}
	}

	async stop() {
		clearInterval(this.timer);
		await this.ann.fence();
		const got = await this.bob.fence();
		assert.deepEqual(
			got.map(({ type, data }) => [type, data?.at]),
			Array.from({ length: this.sent }, (_, at) => ['whiteboard_update', at]),
			'nothing lost, doubled, out of order, and nothing besides',
		);
		await this.ann.close();
		await this.bob.close();
	}
}

// A server, and in each of its tests two who talk; the test leaves the configuration as it was.
export function useTalkingPraxisd(options) {
	const praxis = usePraxisd(options);
	praxis.test = (what, test) =>
		it(what, async () => {
			const files = await confD(praxis);
			const talk = await Talk.start(praxis);
			try {
				await test();
				await restore(praxis, files);
				await talk.stop();
			} finally {
				clearInterval(talk.timer);
				await restore(praxis, files);
			}
		});
	return praxis;
}

// What is in conf.d: name → text.
export async function confD(praxis) {
	const names = await readdir(path.join(praxis.dir, 'conf.d'));
	const texts = names.map(async (name) => [
		`conf.d/${name}`,
		await readFile(path.join(praxis.dir, 'conf.d', name), 'utf8'),
	]);
	return Object.fromEntries(await Promise.all(texts));
}

export async function restore(praxis, files) {
	const now = await confD(praxis);
	if (JSON.stringify(now) !== JSON.stringify(files)) {
		const others = Object.keys(now).map((name) => [name, null]);
		await reload(praxis, { ...Object.fromEntries(others), ...files });
	}
}
export const gone = (praxis) =>
	until('retired vhosts are gone', async () => (await praxis.stats()).vhosts_retired === 0);
