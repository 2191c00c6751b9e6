// SPDX-License-Identifier: MIT
//
// What an idle connection costs the server in memory, without and with TLS: the growth of its resident set (Pss of
// /proc/PID/smaps_rollup) over so many clients, after a tenth of them, so that what is allocated once does not count.
//
//	node test/bench/memory.mjs --praxisd build/server/praxisd [--clients 4000]

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
	options: {
		praxisd: { type: 'string' },
		clients: { type: 'string', default: '4000' },
	},
});
const clients = Number(values.clients);
process.env.PRAXIS_BUILD = path.resolve(path.dirname(values.praxisd), '..');
const { startSecure } = await import('./secure.mjs');

const { praxis, securePort, end } = await startSecure({
	'connections-per-second-per-address': 0,
	'max-connections-per-address': 0,
	'heartbeat-ms': 600_000,
});
const sockets = [];

function memory() {
	const text = readFileSync(`/proc/${praxis.pid}/smaps_rollup`, 'utf8');
	return Number(/^Pss: +(\d+)/m.exec(text)[1]) * 1024;
}

function open(secure) {
	return new Promise((resolve, reject) => {
		const options = { host: '127.0.0.1', rejectUnauthorized: false };
		const socket = secure
			? tls.connect({ ...options, port: securePort }, ask)
			: net.connect({ ...options, port: praxis.port }, ask);
		let text = '';
		function ask() {
			const key = randomBytes(16).toString('base64');
			const query = `practiceId=1&userId=u${sockets.length}&userName=n&role=staff`;
			socket.write(
				`GET /ws?${query} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n` +
					'Connection: Upgrade\r\nSec-WebSocket-Protocol: praxis.v1\r\n' +
					`Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
			);
		}
		socket.on('error', reject);
		socket.on('data', (data) => {
			text += data;
			if (text.includes('connection_established')) {
				resolve(socket);
			}
		});
	});
}

async function openAll(secure, count) {
	for (let left = count; left > 0; left -= 50) {
		const some = Array.from({ length: Math.min(left, 50) }, () => open(secure));
		sockets.push(...(await Promise.all(some)));
	}
}

for (const secure of [false, true]) {
	await openAll(secure, Math.ceil(clients / 10));
	const before = memory();
	await openAll(secure, clients);
	const bytes = Math.round((memory() - before) / clients);
	console.log(`${secure ? 'TLS' : 'plain'}: ${bytes} bytes for each of ${clients} connections`);
}
sockets.forEach((socket) => socket.destroy());
await end();
process.exit(0);
