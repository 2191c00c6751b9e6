// SPDX-License-Identifier: MIT
//
// The network between a page and the server, which can be cut: at once, after so many bytes in one
// direction (in the middle of a frame, that is), for new connections too, or fall silent.

import net from 'node:net';

interface Pair {
	client: net.Socket;
	server: net.Socket;
}

export class Proxy {
	/** Of the server. */
	target = 0;
	connections = 0;
	/** New connections fail. */
	down = false;
	#server = net.createServer((client) => this.#accept(client));
	#pairs = new Set<Pair>();
	#cuts: { from: 'client' | 'server'; bytes: number; done: () => void }[] = [];
	#silent = new Set<net.Socket>();

	async start(target: number): Promise<this> {
		this.target = target;
		await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
		this.#server.unref();
		return this;
	}

	get url(): string {
		return `ws://127.0.0.1:${(this.#server.address() as net.AddressInfo).port}/ws`;
	}

	/** Cuts all connections, with a TCP reset. */
	cut(): void {
		for (const { client, server } of this.#pairs) {
			client.resetAndDestroy();
			server.resetAndDestroy();
		}
		this.#pairs.clear();
	}

	/** Cuts the connection when that many more bytes have come from that side. */
	cutAfter(from: 'client' | 'server', bytes: number): Promise<void> {
		return new Promise((done) => this.#cuts.push({ from, bytes, done }));
	}

	/** The connections that are there carry nothing any more, and nobody is told. */
	fallSilent(): void {
		for (const { client, server } of this.#pairs) {
			[client, server].forEach((socket) => {
				socket.removeAllListeners('data');
				socket.pause();
				this.#silent.add(socket);
			});
		}
		this.#pairs.clear();
	}

	/** Once the connections that are there have ended by themselves. */
	async close(): Promise<void> {
		await Promise.all(
			[...this.#pairs].map(
				({ server }) =>
					new Promise<void>((done) => {
						if (server.closed) {
							done();
						}
						server.on('close', () => done());
					}),
			),
		);
		this.cut();
		this.#silent.forEach((socket) => socket.destroy());
		this.#server.close();
	}

	#accept(client: net.Socket): void {
		this.connections++;
		if (this.down) {
			client.resetAndDestroy();
			return;
		}
		const server = net.connect(this.target, '127.0.0.1');
		const pair = { client, server };
		this.#pairs.add(pair);
		const pipe = (from: 'client' | 'server', to: net.Socket) => {
			const socket = pair[from];
			socket.on('data', (data: Buffer) => {
				const [cut] = this.#cuts;
				if (cut?.from === from && data.length >= cut.bytes) {
					this.#cuts.shift();
					to.write(data.subarray(0, cut.bytes), () => {
						this.cut();
						cut.done();
					});
					return;
				}
				if (cut?.from === from) {
					cut.bytes -= data.length;
				}
				to.write(data);
			});
			socket.on('end', () => to.end());
			socket.on('error', () => to.destroy());
			socket.on('close', () => {
				if (!this.#silent.has(socket)) {
					to.destroy();
				}
				this.#pairs.delete(pair);
			});
		};
		pipe('client', server);
		pipe('server', client);
	}
}
