// SPDX-License-Identifier: MIT
//
// A real redis-server of a test's own, on a free port of the loopback address: started, killed,
// stopped, started again with what it kept; and a client that asks it.

import assert from 'node:assert/strict';
import { spawn, execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './ports.mjs';
import { until } from './wait.mjs';

const run = promisify(execFile);

export class Redis {
	#child = null;
	#more = [];

	// `more`: arguments besides, such as ['--requirepass', 'secret'].
	async start(...more) {
		this.dir = await mkdtemp(path.join(tmpdir(), 'praxis-redis-'));
		this.port = await freePort();
		this.#more = more;
		process.once('exit', () => this.#child?.kill('SIGKILL'));
		return this.launch();
	}

	get url() {
		return `redis://127.0.0.1:${this.port}`;
	}

	// With what is in its directory: all that it had confirmed.
	async launch() {
		const at = ['--bind', '127.0.0.1', '--port', String(this.port), '--dir', this.dir];
		const keeps = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'always'];
		this.#child = spawn('redis-server', [...at, ...keeps, ...this.#more], {
			stdio: ['ignore', 'ignore', 'inherit'],
		});
		this.exited = new Promise((resolve, reject) => {
			this.#child.once('error', reject);
			this.#child.once('close', resolve);
		});
		this.exited.catch(() => {});
		await until('redis-server answers', async () => {
			assert.equal(this.#child.exitCode, null, 'redis-server ended at once');
			return this.ask('PING').then(
				(answer) => answer === 'PONG' || /^NOAUTH/.test(answer),
				() => false,
			);
		});
		return this;
	}

	// What redis-cli prints.
	async ask(...words) {
		const at = ['-h', '127.0.0.1', '-p', String(this.port), '--raw'];
		const { stdout } = await run('redis-cli', [...at, ...words]);
		return stdout.trim();
	}

	signal(name) {
		this.#child.kill(name);
	}

	async kill() {
		this.#child?.kill('SIGKILL');
		await this.exited?.catch(() => {});
	}

	async end() {
		await this.kill();
		if (this.dir) {
			await rm(this.dir, { recursive: true, force: true });
		}
	}
}
