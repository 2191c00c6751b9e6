// SPDX-License-Identifier: MIT
//
// Three servers instead of one, under tests that know nothing of it: with PRAXIS_E2E_NODES=3 each
// server of a suite is so many praxisd on one real Redis, behind a real HAProxy that gives each
// connection to the next of them. Figures are the sums of theirs, and a log line may be in any log.
//
// HAProxy passes on bytes: what a test sends of HTTP that is wrong is for praxisd to answer.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { get } from './http.mjs';
import { startHaproxy } from './proxies.mjs';
import { Redis } from './redis.mjs';
import { until } from './wait.mjs';

export const NODES = Number(process.env.PRAXIS_E2E_NODES ?? 0);

// A connection to the Redis of the suite that runs.
class Line {
	#socket = null;
	#waiting = [];

	async open(port) {
		this.#socket = net.connect({ port, host: '127.0.0.1' }).unref();
		this.#socket.on('data', (data) => {
			const answers = this.#waiting.splice(0, data.toString().split('+PONG').length - 1);
			answers.forEach((answer) => answer());
		});
		await once(this.#socket, 'connect');
	}

	close() {
		this.#socket?.destroy();
		this.#socket = null;
		this.#waiting.splice(0).forEach((answer) => answer());
	}

	ping() {
		return new Promise((resolve) => {
			if (!this.#socket) {
				resolve();
				return;
			}
			this.#waiting.push(resolve);
			this.#socket.write('PING\r\n');
		});
	}
}

const line = new Line();

// Resolves when Redis has written what it had for the servers: who answers a ping that is sent now,
// and another after it, has read that. What was confirmed at one server is on its way to the others,
// and a ping alone may overtake it.
export const released = () => line.ping();

// The sum of two answers of /stats, number by number.
function sum(one, other) {
	if (typeof one === 'number' && typeof other === 'number') {
		return one + other;
	}
	if (one === null || typeof one !== 'object' || Array.isArray(one)) {
		return one ?? other;
	}
	const names = new Set([...Object.keys(one), ...Object.keys(other ?? {})]);
	return Object.fromEntries([...names].map((name) => [name, sum(one[name], other?.[name])]));
}

// A class of servers that are several each. `Praxisd` (praxisd.mjs) is the class of one: that file
// imports this one, so it cannot be the other way round.
export const severalOf = (Praxisd) =>
	class extends Praxisd {
		#servers = Array.from({ length: NODES }, () => new Praxisd());
		#redis = new Redis();
		#proxy = null;

		async start(options = {}) {
			this.figures = options.figures;
			await this.#redis.start();
			await line.open(this.#redis.port);
			this.#servers.forEach((one) => this.#shareLog(one));
			const global = { bus: this.#redis.url, ...options.global };
			await Promise.all(this.#servers.map((one) => one.start({ ...options, global })));
			await Promise.all(this.#servers.map((one) => this.#isReady(one)));
			this.#proxy = await startHaproxy(
				this.#servers.map(({ port }) => port),
				{ mode: 'tcp' },
			);
			this.port = this.#proxy.port;
			this.dir = this.#servers[0].dir;
			return this;
		}

		async stats() {
			const all = await Promise.all(
				this.#servers.map(async ({ port }) => {
					const response = await get(port, '/stats', this.figures);
					assert.equal(response?.status, 200, 'GET /stats');
					return JSON.parse(response.body);
				}),
			);
			return all.reduce(sum);
		}

		signal(name) {
			this.#servers.forEach((one) => one.signal(name));
		}

		async ended() {
			await Promise.all(this.#servers.map((one) => one.ended()));
			this.exit = this.#servers[0].exit;
		}

		async kill() {
			await this.#proxy?.stop();
			this.#proxy = null;
			await Promise.all(this.#servers.map((one) => one.kill()));
			line.close();
			await this.#redis.end();
		}

		// One log of all, in the order in which it comes.
		#shareLog(server) {
			server.takeLog = (text) => {
				Praxisd.prototype.takeLog.call(server, text);
				this.takeLog(text);
			};
		}

		// As a load balancer asks before it sends somebody.
		#isReady(server) {
			let answer;
			return until(
				() => `GET /ready is 200, not ${answer?.status} ${answer?.body}`,
				async () => {
					answer = await get(server.port, '/ready');
					return answer?.status === 200;
				},
			);
		}
	};
