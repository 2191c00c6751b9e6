// SPDX-License-Identifier: MIT
//
// What the dashboard costs a server with many connections that talk: the server's CPU time without
// it, then with each of its views open, in turn.
//
//	node cost.mjs [--connections 10000] [--per-second 250] [--seconds 20]
//
// The load is a raw client: what is measured is the server's alone.

import { readFileSync, readdirSync } from 'node:fs';
import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Praxisd } from '../e2e/lib/praxisd.mjs';
import { OP, frame } from '../e2e/lib/raw.mjs';
import { until } from '../e2e/lib/wait.mjs';
import { Browser, buildDashboard } from './lib/browser.mjs';

const { values } = parseArgs({
	options: {
		connections: { type: 'string', default: '10000' },
		'per-second': { type: 'string', default: '250' },
		seconds: { type: 'string', default: '20' },
	},
});
const connections = Number(values.connections);
const perSecond = Number(values['per-second']);
const seconds = Number(values.seconds);
const PRACTICES = Math.ceil(connections / 20);
const HEAD = `HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;
const VIEWS = ['Overview', 'Services', 'Clients', 'Rooms', 'Audit'];

function connect(port, n) {
	return new Promise((resolve, reject) => {
		const socket = net.connect(port, '127.0.0.1', () => {
			socket.write(`GET /ws?practiceId=${n % PRACTICES}&userId=${n} ${HEAD}`);
		});
		socket.once('data', () => resolve(socket));
		socket.on('error', reject);
		socket.resume();
	});
}

function cpuMs(pid) {
	return readdirSync(`/proc/${pid}/task`).reduce((sum, task) => {
		const [ns] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ');
		return sum + Number(ns) / 1e6;
	}, 0);
}

const built = await buildDashboard();
const praxis = new Praxisd();
const browser = await Browser.launch();
const sockets = [];
let talking;
try {
	await praxis.start({
		global: {
			'max-connections-per-address': 0,
			'max-connections-per-user': 0,
			'heartbeat-ms': 300_000,
		},
		services: { admin: {} },
	});
	for (let n = 0; n < connections; n += 100) {
		const some = Array.from({ length: 100 }, (_, k) => connect(praxis.port, n + k));
		sockets.push(...(await Promise.all(some)));
	}
	let sent = 0;
	talking = setInterval(() => {
		for (let i = 0; i < perSecond / 20; i++) {
			const n = sent++ % sockets.length;
			const update = {
				type: 'whiteboard_update',
				practiceId: n % PRACTICES,
				data: { n: sent },
			};
			sockets[n].write(frame(OP.text, JSON.stringify(update)));
		}
	}, 50);

	// The share of a core, over that time.
	async function measure() {
		const before = cpuMs(praxis.pid);
		const { messages_in: first } = await praxis.stats();
		await pause(seconds * 1000);
		const { messages_in: last, sessions } = await praxis.stats();
		const share = (cpuMs(praxis.pid) - before) / seconds / 10;
		return { share, sessions, perSecond: Math.round((last - first) / seconds) };
	}

	const row = (what, { share, sessions, perSecond: taken }, than) => {
		const more = than === undefined ? '' : `, ${(share - than).toFixed(2)} more`;
		console.log(
			`${what}: ${share.toFixed(2)} % of a core${more} (${sessions} sessions, ${taken} messages a second)`,
		);
	};
	for (const name of VIEWS) {
		const alone = await measure();
		row('nobody looks', alone);
		const page = await browser.page({});
		await page.goto(`http://127.0.0.1:${praxis.port}/admin/websocket-admin#practice=*`);
		await page.waitForSelector('#main:not([hidden])');
		await page.getByRole('tab', { name }).click();
		await pause(3000); // what it shows first is another matter
		row(name, await measure(), alone.share);
		await browser.closePages();
	}
	await until('all was taken', async () => (await praxis.stats()).messages_in >= sent);
} finally {
	clearInterval(talking);
	sockets.forEach((socket) => socket.destroy());
	await browser.close();
	await praxis.kill();
	await built.remove();
}
