// SPDX-License-Identifier: MIT
//
// A bad network: a TCP proxy in front of a server that cuts connections after so many bytes, hands
// bytes on late or in small pieces, or stops handing them on.
//
//	const network = await Faulty.before(port);
//	network.next = { cutUpAfter: 700, pieces: 3, delayMs: 5 }; // for connections from now on
//	network.cutAfter(100, 'down'); // those that there are, after so many bytes more to the client
//	network.cutAll();
//	network.down = true; // and nobody gets through any more
//	network.port…        // where clients connect; network.target, the server's port, may change

import { createServer, connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export class Faulty {
	next = {};
	down = false;
	cuts = 0;
	#links = new Set();

	static async before(port) {
		const network = new Faulty();
		network.target = port;
		network.server = createServer((near) => {
			if (network.down) {
				near.resetAndDestroy();
			} else {
				network.#link(near);
			}
		});
		await new Promise((resolve) => network.server.listen(0, '127.0.0.1', resolve));
		network.port = network.server.address().port;
		return network;
	}

	// A reset in both directions.
	cutAll() {
		this.#links.forEach((link) => this.#cut(link));
	}

	// 0: as soon as there is something to hand on.
	cutAfter(bytes, direction) {
		this.#links.forEach(({ left }) => (left[direction] = bytes));
	}

	// Nothing is handed on until flow(): the ends do not notice.
	stall() {
		this.#links.forEach((link) => (link.stalled = true));
	}

	flow() {
		this.#links.forEach((link) => {
			link.stalled = false;
			link.wakes.splice(0).forEach((wake) => wake());
		});
	}

	async close() {
		this.#links.forEach(({ near, far }) => {
			near.destroy();
			far.destroy();
		});
		await new Promise((resolve) => this.server.close(resolve));
	}

	#link(near) {
		const { cutUpAfter = Infinity, cutDownAfter = Infinity, ...faults } = this.next;
		const far = connect(this.target, '127.0.0.1');
		const left = { up: cutUpAfter, down: cutDownAfter };
		const link = { near, far, left, faults, stalled: false, wakes: [] };
		this.#links.add(link);
		for (const socket of [near, far]) {
			socket.setNoDelay(true);
			socket.on('error', () => {});
			socket.on('close', () => this.#links.delete(link));
		}
		this.#carry(link, 'up', near, far);
		this.#carry(link, 'down', far, near);
	}

	async #carry(link, direction, from, to) {
		const { pieces = Infinity, delayMs = 0 } = link.faults;
		try {
			for await (const chunk of from) {
				for (let at = 0; at < chunk.length;) {
					while (link.stalled) {
						await new Promise((resolve) => link.wakes.push(resolve));
					}
					const size = Math.min(pieces, chunk.length - at, link.left[direction]);
					link.left[direction] -= size;
					to.write(chunk.subarray(at, at + size));
					if (link.left[direction] <= 0) {
						await pause(1); // a reset on the heels of the data would undo it
						this.#cut(link);
						return;
					}
					at += size;
					if (delayMs) {
						await pause(delayMs);
					}
				}
			}
			to.end();
		} catch {
			to.destroy();
		}
	}

	#cut(link) {
		this.cuts++;
		link.near.resetAndDestroy();
		link.far.resetAndDestroy();
	}
}
