// SPDX-License-Identifier: MIT
//
// A real praxisd on a free port, with a configuration directory of its own, and what every test
// asks of it: that its clients leave nothing behind, that it ends with 0 on SIGTERM, that no
// sanitizer spoke, and that nothing a client sent is in its log, at log level "debug".
//
// The last is checked by a mark: everything in the tests that stands for a patient's data contains
// SECRET (see secret()), and no log may.
//
// Environment: PRAXIS_BUILD, the build directory; PRAXIS_E2E_LOG=1 shows the server's log;
// PRAXIS_E2E_OVERLAY, what every configuration has besides (overlay.mjs); PRAXIS_E2E_NODES=3, a suite's
// server is three of them (nodes.mjs).

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WsClient } from './client.mjs';
import { takeFaults } from './conformance.mjs';
import { get } from './http.mjs';
import { NODES, severalOf } from './nodes.mjs';
import { overlay } from './overlay.mjs';
import { RawClient } from './raw.mjs';
import { until, within } from './wait.mjs';

export const BUILD = path.resolve(
	process.env.PRAXIS_BUILD ?? fileURLToPath(new URL('../../../build', import.meta.url)),
);
export const PLUGINS = path.join(BUILD, 'plugins');
const PRAXISD = path.join(BUILD, 'server', 'praxisd');
const SANITIZERS = /ERROR: AddressSanitizer|runtime error|LeakSanitizer|ThreadSanitizer/;

// As secret() makes it, or in small letters, with its number: keys of the configuration have the word, too.
const MARK = /SECRET|secret-[\w-]+-\d/;

let secrets = 0;
let users = 0;

// Something that must never be logged, different each time.
export function secret(what = 'payload') {
	return `SECRET-${what}-${++secrets}`;
}

// Everything is logged, and an end takes no longer than it must.
export function globalConfig(more = {}) {
	return {
		global: {
			'plugin-dir': [PLUGINS],
			'log-level': 'debug',
			// All clients of a suite are one address and talk as fast as they can; limits.test.mjs
			// has the limits.
			'connections-per-second-per-address': 0,
			'messages-per-second': 0,
			'bytes-per-second': 0,
			'acts-per-second': 0,
			'requests-per-second-per-address': 0,
			'api-requests-per-second': 0,
			'api-bytes-per-second': 0,
			'drain-ms': 200,
			'drain-deadline-ms': 3000,
			'slow-close-ms': 2000,
			// Whoever is gone is gone; resume.test.mjs has those who come back.
			'grace-ms': 0,
			...overlay?.global(),
			...more,
		},
	};
}

// `services`: name → options; a name given as null is left out.
export function vhostConfig(services = {}, more = {}) {
	const all = { whiteboard: {}, telemedicine: {}, echo: {}, ...services };
	return {
		vhosts: [
			{
				name: 'default',
				port: 0,
				interface: '127.0.0.1',
				'open-practice': '1',
				'ws-protocols': Object.entries(all)
					.filter(([, options]) => options !== null)
					.map(([name, options]) => ({ [name]: { status: 'ok', ...options } })),
				...overlay?.vhost(more),
				...more,
			},
		],
	};
}

// Writes files into a new temporary directory: path → text, or an object for JSON.
export async function writeConfig(files) {
	const dir = await mkdtemp(path.join(tmpdir(), 'praxis-e2e-'));
	await writeFiles(dir, files);
	return dir;
}

export async function writeFiles(dir, files) {
	await mkdir(path.join(dir, 'conf.d'), { recursive: true });
	for (const [name, content] of Object.entries(files)) {
		await mkdir(path.dirname(path.join(dir, name)), { recursive: true });
		await writeFile(
			path.join(dir, name),
			typeof content === 'string' || Buffer.isBuffer(content)
				? content
				: JSON.stringify(content),
		);
	}
}

// Runs praxisd to its end: { code, signal, stdout, stderr }. One that begins to listen is ended at
// once, since whoever asks expects it not to.
export async function runPraxisd(args, env = {}) {
	const child = spawn(PRAXISD, args, { env: { ...process.env, ...env } });
	const output = { stdout: '', stderr: '' };
	for (const stream of ['stdout', 'stderr']) {
		child[stream].setEncoding('utf8').on('data', (text) => {
			output[stream] += text;
			if (/listening on/.test(output.stderr)) {
				child.kill('SIGKILL');
			}
		});
	}
	try {
		return await within(
			new Promise((resolve, reject) => {
				child.once('error', reject);
				child.once('close', (code, signal) => resolve({ code, signal, ...output }));
			}),
			() => `the end of praxisd ${args.join(' ')}: ${output.stderr}`,
		);
	} finally {
		child.kill('SIGKILL');
	}
}

// The server of a suite: started before its tests and asked after each whether all is gone. Options
// as in Praxisd.start(), or a function that returns them. The suite's last line is itEnds(praxis).
export function usePraxisd(options) {
	const praxis = NODES ? new (severalOf(Praxisd))() : new Praxisd();
	before(async () => praxis.start(typeof options === 'function' ? await options() : options));
	afterEach(() => praxis.settle());
	after(() => praxis.kill());
	return praxis;
}

// The last test of a suite. (What fails in after() is counted by no runner.)
export function itEnds(praxis) {
	it('and the server ends, with a clean log', () => praxis.stop());
}

// As scripts/test has it, for a file that is run alone.
const SANITIZER_OPTIONS = { ASAN_OPTIONS: 'detect_leaks=1:strict_string_checks=1' };

export class Praxisd {
	log = '';
	#child = null;
	#clients = [];
	#wake = new Set();

	#launch = {};

	// `global`, `services`, `vhost`: see above; `files`: more of the configuration; `env`: more of
	// the environment; `limits`: options of prlimit(1), such as --nofile=64; `figures`: headers with
	// which /stats may be read, where that is not for everybody.
	async start({ global, services, vhost, files, env, limits, figures } = {}) {
		this.figures = figures;
		this.#launch = { env, limits };
		this.dir = await writeConfig({
			'praxis.json': globalConfig(global),
			'conf.d/00-default.json': vhostConfig(services, vhost),
			...files,
		});
		process.once('exit', () => this.#child?.kill('SIGKILL'));
		return this.launch();
	}

	// Another process with the configuration that is there; the one before has ended. The port
	// changes with it, and the log begins anew. Options as in start().
	async launch(options = this.#launch) {
		const { env, limits } = options;
		const command = [...(limits ? ['prlimit', ...limits] : []), PRAXISD, '--config', this.dir];
		this.log = '';
		this.exit = undefined;
		this.#child = spawn(command[0], command.slice(1), {
			env: { ...SANITIZER_OPTIONS, ...process.env, ...env },
			stdio: ['ignore', 'ignore', 'pipe'],
		});
		this.exited = new Promise((resolve, reject) => {
			this.#child.once('error', reject);
			this.#child.once('close', (code, signal) => resolve({ code, signal }));
		});
		this.exited.then(
			(how) => {
				this.exit = how;
				this.#wake.forEach((wake) => wake());
			},
			() => {},
		);
		this.#child.stderr.setEncoding('utf8').on('data', (text) => {
			this.takeLog(text);
			if (process.env.PRAXIS_E2E_LOG) {
				process.stderr.write(text);
			}
		});
		const [, port] = await Promise.race([
			this.logged(/listening on 127\.0\.0\.1:(\d+)/),
			this.exited.then((how) => assert.fail(`praxisd ended with ${how.code}:\n${this.log}`)),
		]);
		this.port = Number(port);
		return this;
	}

	takeLog(text) {
		this.log += text;
		this.#wake.forEach((wake) => wake());
	}

	// What it has mapped. Not by fs/promises, which takes the first page of it for all with Node 18.
	maps() {
		return readFileSync(`/proc/${this.pid}/maps`, 'utf8');
	}

	get pid() {
		return this.#child.pid;
	}

	// The first match of a line of the log (from `since` on), now or when it comes.
	async logged(pattern, since = 0) {
		let wake;
		const match = new Promise((resolve, reject) => {
			wake = () => {
				const complete = this.log.slice(since, this.log.lastIndexOf('\n') + 1);
				const found = pattern.exec(complete);
				if (found) {
					resolve(found);
				} else if (this.exit) {
					reject(
						new Error(`praxisd ended before it logged ${pattern}:\n${this.#tail()}`),
					);
				}
			};
			this.#wake.add(wake);
			wake();
		});
		try {
			return await within(
				match,
				() => `a log line with ${pattern}; the log's end:\n${this.#tail()}`,
			);
		} finally {
			this.#wake.delete(wake);
		}
	}

	// Connects with the `ws` package: identity { practiceId, userId, userName, role } as the query
	// has it, each left out where it is null. By default a member of staff of practice 1.
	async connect(identity = {}, { protocols = [] } = {}) {
		const { who, path: where } = this.#address(identity);
		const client = await WsClient.open(`ws://127.0.0.1:${this.port}${where}`, protocols, who, {
			headers: overlay?.headers(),
		});
		return this.#greet(client);
	}

	// The same with a client that knows no manners; `options` as in RawClient.open().
	async connectRaw(identity = {}, options = {}) {
		const { who, path: where } = this.#address(identity);
		const client = await RawClient.open(this.port, where, who, options);
		return this.#greet(client);
	}

	// Any upgrade, without awaiting a greeting; `options` as in RawClient.open().
	async open(where = '/ws', options = {}) {
		const client = await RawClient.open(this.port, where, {}, options);
		this.#clients.push(client);
		return client;
	}

	async stats() {
		const response = await get(this.port, '/stats', this.figures);
		assert.equal(response?.status, 200, `GET /stats; the log's end:\n${this.#tail()}`);
		return JSON.parse(response.body);
	}

	// Every client gone, nothing may be left of them. (One that isGentle says goodbye: it is not
	// to be waited for.)
	async settle() {
		const clients = this.#clients.splice(0);
		const ends = await Promise.allSettled(
			clients.map(async (client) => {
				return client.socket && !client.isGentle ? client.kill() : client.close();
			}),
		);
		if (this.exit) {
			return;
		}
		assert.deepEqual(
			ends.filter(({ reason }) => reason).map(({ reason }) => reason.message),
			[],
		);
		let left;
		await until(
			() => `nothing left behind: ${JSON.stringify(left)}`,
			async () => {
				let stats;
				try {
					stats = await this.stats();
				} catch (error) {
					left = error.message; // a limit may be in use until the server has noticed
					return false;
				}
				left = {
					sessions: stats.sessions,
					detached: stats.resume.detached,
					rooms: stats.rooms,
					waiting: stats.waiting,
					queued: stats.queue_bytes,
				};
				return Object.values(left).every((count) => count === 0);
			},
		);
		assert.deepEqual(
			clients.flatMap((client) => client.violations),
			[],
			'the server keeps its protocol',
		);
		assert.deepEqual(takeFaults(), [], 'messages are as they are described');
	}

	signal(name) {
		this.#child.kill(name);
	}

	async stop() {
		try {
			this.signal('SIGTERM');
			await this.ended();
		} finally {
			await this.kill();
		}
	}

	async kill() {
		this.#child?.kill('SIGKILL');
		if (this.dir) {
			await rm(this.dir, { recursive: true, force: true });
		}
	}

	// The end after a SIGTERM: in time, with 0, and with a clean log.
	async ended() {
		const how = await within(
			this.exited,
			() => `the end of praxisd; the log's end:\n${this.#tail()}`,
		);
		assert.deepEqual(
			how,
			{ code: 0, signal: null },
			`praxisd's end; the log's end:\n${this.#tail()}`,
		);
		const lines = this.log.split('\n');
		assert.deepEqual(
			lines.filter((line) => SANITIZERS.test(line)),
			[],
			`sanitizers:\n${this.#tail()}`,
		);
		assert.deepEqual(
			lines.filter((line) => MARK.test(line)),
			[],
			'nothing sent is logged',
		);
		await overlay?.check(this.dir);
	}

	#address(identity) {
		const number = ++users;
		const who = {
			practiceId: 1,
			userId: `user-${number}`,
			userName: secret(`name-${number}`),
			role: 'staff',
			...identity,
		};
		const query = Object.entries(who)
			.filter(([, value]) => value !== null)
			.map(([key, value]) => `${key}=${encodeURIComponent(value)}`)
			.join('&');
		return { who, path: query ? `/ws?${query}` : '/ws' };
	}

	async #greet(client) {
		this.#clients.push(client);
		client.hello = await client.next();
		assert.equal(client.hello.type, 'connection_established');
		client.clientId = client.hello.clientId;
		return client;
	}

	// Of a sanitizer's report the beginning, which says what it is about.
	#tail() {
		const lines = this.log.split('\n');
		const report = lines.findIndex((line) => SANITIZERS.test(line));
		return (report < 0 ? lines.slice(-25) : lines.slice(report, report + 40)).join('\n');
	}
}
