// SPDX-License-Identifier: MIT
//
// Ports for those that have to be told theirs. The kernel gives what is bound to port 0, and every
// connection that goes out, one of a range of its own; a port from there that is let go of may be
// somebody else's a moment later. So these are from below it, at random, since other files of tests
// look for theirs at the same time.

import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import net from 'node:net';

const LOWEST = 10_000;
const TRIES = 100;

function firstOfKernel() {
	try {
		return Number(
			readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/)[0],
		);
	} catch {
		return 32_768;
	}
}

function isFree(port, host) {
	return new Promise((resolve) => {
		const server = net.createServer();
		server.once('error', () => resolve(false));
		server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
	});
}

// One that nobody has, and that nobody gets who does not ask for it.
export async function freePort(host = '127.0.0.1') {
	const end = firstOfKernel();
	for (let i = 0; i < TRIES && end > LOWEST + TRIES; i++) {
		const port = randomInt(LOWEST, end);
		if (await isFree(port, host)) {
			return port;
		}
	}
	throw new Error(`no free port between ${LOWEST} and ${end}`);
}
