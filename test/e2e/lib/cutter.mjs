// SPDX-License-Identifier: MIT
//
// A network that fails: a TCP proxy before a server that cuts its connections when it is told to,
// or after so many bytes more, so that a frame ends in its middle.

import net from 'node:net';

export class Cutter {
	#pairs = new Set();

	static async to(port) {
		const cutter = new Cutter();
		cutter.server = net.createServer((client) => cutter.#join(client, port));
		await new Promise((resolve) => cutter.server.listen(0, '127.0.0.1', resolve));
		cutter.port = cutter.server.address().port;
		return cutter;
	}

	// Both ends get a reset, at once.
	cut() {
		for (const pair of this.#pairs) {
			pair.cut();
		}
	}

	// Of what comes next, so many bytes still pass in that direction ('down': to the client).
	cutAfter(bytes, direction) {
		for (const pair of this.#pairs) {
			pair.left[direction] = bytes;
		}
	}

	// Nothing passes any more, and nobody is told.
	stall() {
		for (const pair of this.#pairs) {
			pair.stalled = true;
		}
	}

	close() {
		this.cut();
		this.server.close();
	}

	#join(client, port) {
		const server = net.connect({ port, host: '127.0.0.1', noDelay: true });
		const pair = { left: { down: Infinity, up: Infinity }, stalled: false };
		pair.cut = () => {
			this.#pairs.delete(pair);
			client.resetAndDestroy();
			server.resetAndDestroy();
		};
		this.#pairs.add(pair);
		client.setNoDelay(true);
		this.#pass(pair, 'up', client, server);
		this.#pass(pair, 'down', server, client);
	}

	#pass(pair, direction, from, to) {
		from.on('data', (data) => {
			if (pair.stalled) {
				return;
			}
			const passing = data.subarray(0, pair.left[direction]);
			pair.left[direction] -= passing.length;
			to.write(passing, () => {
				if (passing.length < data.length) {
					pair.cut();
				}
			});
		});
		from.on('end', () => {
			if (!pair.stalled) {
				to.end();
			}
		});
		from.on('error', () => {});
	}
}
