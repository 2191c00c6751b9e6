// SPDX-License-Identifier: MIT
//
// Server CPU time (user and system, /proc/PID/stat) for each delivery in a practice of 100, without and with TLS: messages of
// 64 bytes, `--in-flight` at a time. The load is this process, so rates and latencies mean nothing here.
//
//	node test/bench/fanout.mjs --praxisd build/server/praxisd [--messages 1000] [--in-flight 1]

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
	options: {
		praxisd: { type: 'string' },
		messages: { type: 'string', default: '1000' },
		'in-flight': { type: 'string', default: '1' },
	},
});
const RECEIVERS = 100;
const TICK_US = 10_000; // of /proc/PID/stat
const MARK = '"whiteboard_update"';
const atOnce = Number(values['in-flight']);
process.env.PRAXIS_BUILD = path.resolve(path.dirname(values.praxisd), '..');
const { PLUGINS } = await import('../e2e/lib/praxisd.mjs');
const { startSecure } = await import('./secure.mjs');
const { frame, OP, upgradeRequest } = await import('../e2e/lib/raw.mjs');

const { praxis, securePort, end } = await startSecure({
	'plugin-dir': [PLUGINS],
	'max-connections-per-address': 0,
	'log-level': 'notice',
});

function cpu() {
	const fields = readFileSync(`/proc/${praxis.pid}/stat`, 'latin1').split(') ')[1].split(' ');
	return (Number(fields[11]) + Number(fields[12])) * TICK_US;
}

let deliveries = 0;
let wanted = 0;
let arrived = () => {};

// Counts the messages in what a socket receives, which comes in any pieces.
function count(socket) {
	let text = '';
	socket.on('data', (data) => {
		const parts = (text + data.toString('latin1')).split(MARK);
		deliveries += parts.length - 1;
		text = parts.at(-1).slice(1 - MARK.length);
		if (deliveries >= wanted) {
			arrived();
		}
	});
}

function open(secure, number) {
	return new Promise((resolve, reject) => {
		const options = { host: '127.0.0.1', rejectUnauthorized: false };
		const ask = () =>
			socket.write(
				upgradeRequest(`/ws?practiceId=1&userId=u${number}&userName=n&role=staff`),
			);
		const socket = secure
			? tls.connect({ ...options, port: securePort }, ask)
			: net.connect({ ...options, port: praxis.port }, ask);
		let text = '';
		socket.on('error', reject);
		socket.on('data', function greeted(data) {
			text += data;
			if (text.includes('connection_established')) {
				socket.off('data', greeted);
				count(socket);
				resolve(socket);
			}
		});
	});
}

async function send(sender, messages) {
	const text = JSON.stringify({
		type: 'whiteboard_update',
		practiceId: 1,
		data: randomBytes(32).toString('hex'),
	});
	for (let sent = 0; sent < messages; sent += atOnce) {
		wanted = deliveries + RECEIVERS * atOnce;
		const all = new Promise((resolve) => {
			arrived = resolve;
		});
		for (let i = 0; i < atOnce; i++) {
			sender.write(frame(OP.text, text));
		}
		await all;
	}
}

for (const secure of [false, true]) {
	const sockets = [];
	for (let i = 0; i <= RECEIVERS; i++) {
		sockets.push(await open(secure, i));
	}
	await send(sockets[0], 10 * atOnce);
	const before = { cpu: cpu(), deliveries };
	await send(sockets[0], Number(values.messages));
	const each = (cpu() - before.cpu) / (deliveries - before.deliveries);
	console.log(`${secure ? 'TLS' : 'plain'}: ${each.toFixed(2)} µs for each delivery`);
	sockets.forEach((socket) => socket.destroy());
}
await end();
process.exit(0);
