// SPDX-License-Identifier: MIT
//
// scripts/run, as somebody who has just cloned the repository sees it: what it prints works, and
// nobody gets in without it.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
	cp,
	mkdir,
	mkdtemp,
	readFile,
	readdir,
	readlink,
	rm,
	stat,
	writeFile,
} from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { WsClient } from './lib/client.mjs';
import { get } from './lib/http.mjs';
import { freePort } from './lib/ports.mjs';
import { BUILD } from './lib/praxisd.mjs';
import { until, within } from './lib/wait.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const children = [];

// One run: started, and its output when it listens; ended by end().
async function run(args, env, root = ROOT) {
	const port = await freePort();
	const child = spawn(path.join(root, 'scripts/run'), args, {
		cwd: root,
		env: {
			...process.env,
			PRAXIS_BUILD: BUILD,
			PRAXIS_PORT: String(port),
			PRAXIS_STATE_FILE: '',
			...env,
		},
	});
	children.push(child);
	const result = { port, output: '', pid: child.pid };
	const closed = new Promise((resolve) => {
		child.once('close', (code, signal) => resolve(signal ?? code));
	});
	result.end = () => {
		child.kill('SIGTERM');
		return within(closed, () => `its end: ${result.output}`);
	};
	const listens = new Promise((resolve, reject) => {
		for (const stream of [child.stdout, child.stderr]) {
			stream.setEncoding('utf8').on('data', (text) => {
				result.output += text;
				if (/listening on/.test(result.output)) {
					resolve();
				}
			});
		}
		closed.then((how) => reject(new Error(`it ended (${how}): ${result.output}`)));
	});
	// It may have to build something first, where the sources are newer than the build.
	await within(listens, () => `listening: ${result.output}`, 120000);
	return result;
}

// The state file of a praxisd, told by the lock that it holds.
async function stateFile(pid) {
	const directory = `/proc/${pid}/fd`;
	const links = (await readdir(directory)).map((fd) =>
		readlink(path.join(directory, fd)).catch(() => ''),
	);
	const lock = (await Promise.all(links)).find((link) => link.endsWith('.lock'));
	return lock?.replace(/\.lock$/, '');
}

async function greeting(url) {
	const client = await WsClient.open(url);
	const hello = await client.next('connection_established');
	return { client, hello };
}

describe('scripts/run', () => {
	let dir;
	let secret;
	before(async () => {
		dir = await mkdtemp(path.join(tmpdir(), 'praxis-run-'));
		secret = path.join(dir, 'some', 'secret');
	});
	after(() => {
		children.forEach((child) => child.kill('SIGKILL')); // of tests that have failed
		return rm(dir, { recursive: true, force: true });
	});
	const withSecret = () => ({ PRAXIS_SECRET_FILE: secret });

	it('makes a secret that nobody else can read, and keeps it', async () => {
		const first = await run([], withSecret());
		const text = await readFile(secret, 'utf8');
		assert.ok(Buffer.from(text, 'base64').length >= 32);
		assert.equal((await stat(secret)).mode & 0o777, 0o600);
		assert.equal(await first.end(), 0);
		assert.ok(!first.output.includes(text.trim()), 'and does not print it');
		assert.doesNotMatch(first.output, /warning/, 'nor is there anything to warn of');
		const second = await run([], withSecret());
		assert.equal(await readFile(secret, 'utf8'), text);
		assert.equal(await second.end(), 0);
	});

	it('prints links that work', async () => {
		const server = await run([], withSecret());
		const [ws] = server.output.match(/ws:\/\/\S+/);
		const { client, hello } = await greeting(ws);
		assert.deepEqual(hello.user, {
			userId: '1',
			userName: 'Reception',
			role: 'staff',
			practices: [1],
		});
		await client.accepted({ type: 'whiteboard_update', practiceId: 1 });
		await client.close();
		const [http] = server.output.match(/http:\/\/\S+/);
		assert.equal((await fetch(http)).status, 200);
		assert.equal(await server.end(), 0);
	});

	it('prints a link for a patient, who waits to be let in', async (t) => {
		const server = await run([], withSecret());
		const [, token] = server.output.match(/Ms\. Hartmann +http:\S+#token=(\S+)/) ?? [];
		if (!token) {
			assert.match(server.output, /there is no demonstration|could not be built/);
			assert.equal(await server.end(), 0);
			t.skip('the demonstration could not be built here');
			return;
		}
		const { client, hello } = await greeting(
			`ws://localhost:${server.port}/ws?access_token=${token}`,
		);
		assert.equal(hello.user.role, 'patient');
		client.send({
			type: 'telemedicine_user_joined',
			roomId: 'demo',
			appointmentId: 'demo',
			userId: '3',
			userName: 'Ms. Hartmann',
		});
		assert.equal((await client.next('telemedicine_waiting')).position, 1);
		await client.close();
		assert.equal(await server.end(), 0);
	});

	it('prints how to make a token for somebody else', async () => {
		const server = await run([], withSecret());
		const [line] = server.output.match(/^ {4}\S*praxisctl token .*$/m);
		const { stdout } = await promisify(execFile)('/bin/sh', ['-c', line], { cwd: ROOT });
		const url = `ws://localhost:${server.port}/ws`;
		const { client, hello } = await greeting(`${url}?access_token=${stdout.trim()}`);
		assert.equal(hello.user.userId, '7');
		await client.close();
		assert.equal(await server.end(), 0);
	});

	it('prints how to see who is connected', async () => {
		const server = await run([], withSecret());
		const [line] = server.output.match(/^ {4}\S*praxisctl clients .*$/m);
		const [ws] = server.output.match(/ws:\/\/\S+/);
		const { client, hello } = await greeting(ws);
		const { stdout } = await promisify(execFile)('/bin/sh', ['-c', line], { cwd: ROOT });
		assert.match(stdout, new RegExp(`^${hello.clientId} +1 +Reception `, 'm'));
		await client.close();
		assert.equal(await server.end(), 0);
	});

	it('lets nobody in without a token', async () => {
		const server = await run([], withSecret());
		const url = `ws://localhost:${server.port}/ws?practiceId=1&userId=7`;
		const { client, hello } = await greeting(url);
		assert.equal(hello.user, undefined);
		await client.refused({ type: 'whiteboard_update', practiceId: 1 }, 'unauthenticated');
		await client.close();
		assert.equal(await server.end(), 0);
	});

	it('has a state file for each configuration and port', async () => {
		const confs = [path.join(dir, 'a', 'praxis'), path.join(dir, 'b', 'praxis')];
		for (const conf of confs) {
			await mkdir(conf, { recursive: true });
			await cp(path.join(ROOT, 'praxis.json'), path.join(conf, 'praxis.json'));
			await cp(path.join(ROOT, 'conf.d'), path.join(conf, 'conf.d'), { recursive: true });
		}
		const own = { PRAXIS_STATE_FILE: undefined };
		const servers = [];
		for (const env of [
			{},
			{ PRAXIS_CONF: confs[0] },
			{ PRAXIS_CONF: confs[0] },
			{ PRAXIS_CONF: confs[1] },
		]) {
			servers.push(await run([], { ...withSecret(), ...own, ...env }));
		}
		const files = await Promise.all(servers.map(({ pid }) => stateFile(pid)));
		assert.equal(new Set(files).size, servers.length, `${files}`);
		for (const server of servers) {
			assert.equal(await server.end(), 0, server.output);
		}
		for (const file of files) {
			assert.equal(path.dirname(file), path.join(BUILD, 'run'));
			await rm(file);
			await rm(`${file}.lock`);
		}
	});

	it('tells of a used port before it builds, with who has it and the variable', async () => {
		const holder = net.createServer().listen(0, '127.0.0.1');
		await once(holder, 'listening');
		const { port } = holder.address();
		const script = path.join(ROOT, 'scripts/run');
		const { code, stdout, stderr } = await promisify(execFile)(script, [], {
			env: { ...process.env, PRAXIS_BUILD: BUILD, PRAXIS_PORT: String(port) },
		}).catch((error) => error);
		holder.close();
		assert.equal(code, 1);
		assert.equal(stdout, '');
		const [first, , last] = stderr.split('\n');
		assert.match(first, new RegExp(`on port ${port}: \\S+, process ${process.pid}\\.$`));
		assert.equal(last.trim(), `PRAXIS_PORT=${port + 1} scripts/run`);
	});

	it('tries once to fetch what builds the pages, for a time that it tells, and goes on', async () => {
		const root = path.join(dir, 'checkout');
		await mkdir(path.join(root, 'client'), { recursive: true });
		for (const name of ['scripts', 'praxis.json', 'conf.d']) {
			await cp(path.join(ROOT, name), path.join(root, name), { recursive: true });
		}
		for (const name of ['package.json', 'package-lock.json']) {
			await cp(path.join(ROOT, 'client', name), path.join(root, 'client', name));
		}
		// A registry that takes connections and never answers.
		const sockets = [];
		const registry = net.createServer((socket) => sockets.push(socket.on('error', () => {})));
		await once(registry.listen(0, '127.0.0.1'), 'listening');
		const server = await run(
			[],
			{
				...withSecret(),
				npm_config_registry: `http://127.0.0.1:${registry.address().port}/`,
				npm_config_cache: path.join(dir, 'npm'),
				PRAXIS_NPM_SECONDS: '5',
			},
			root,
		);
		registry.close();
		sockets.forEach((socket) => socket.destroy());
		assert.equal(server.output.match(/npm ci/g).length, 1, server.output);
		assert.match(server.output, /\(npm ci, 5 s at most\) \.\.\. failed after/);
		assert.match(server.output, /there is no demonstration and no dashboard/);
		assert.doesNotMatch(server.output, /http:\S*\/demo/);
		assert.equal((await get(server.port, '/health')).status, 200);
		assert.equal(await server.end(), 0);
	});

	for (const [log, shown] of [
		['[3/9] Compiling C object a.o\n[4/9] Compiling', '4 of 9'],
		['ninja: Entering directory\n 12/68 praxis:unit / queue  OK  0.10s\n', '12 of 68'],
		['TAP version 13\n# Subtest: a\n    ok 1 - b\nok 1 - a\nnot ok 2 - c\n', '2 passed'],
		['See 3/4 of it.\n', ''],
	]) {
		it(`shows how far it is: "${shown}"`, async () => {
			await writeFile(path.join(dir, 'log'), log);
			const shell = `. ${ROOT}/scripts/lib.sh; log=${dir}/log; progress`;
			const { stdout } = await promisify(execFile)('bash', ['-c', shell]);
			assert.equal(stdout, shown && `, ${shown}`);
		});
	}

	it('shows that on a terminal, while it works', async () => {
		const go = path.join(dir, 'go');
		const shell = `set -e; . ${ROOT}/scripts/lib.sh
			work() { echo '[5/7] Linking'; until [ -e ${go} ]; do sleep 0.1; done; }
			step Work work`;
		const pty = 'import pty, sys; pty.spawn(sys.argv[1:])';
		const child = spawn('python3', ['-c', pty, 'bash', '-c', shell], { stdio: 'pipe' });
		let output = '';
		child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
		const closed = once(child, 'close');
		await until(
			() => output,
			() => /Work \.\.\. \d+ s, 5 of 7/.test(output),
		);
		await writeFile(go, '');
		await within(closed, () => `its end: ${output}`);
		assert.match(output, /==> Work \.\.\. \d+ s\r?\n$/);
	});

	for (const [name, args, env] of [
		['--open', ['--open'], withSecret],
		['PRAXIS_OPEN_MODE', [], () => ({ ...withSecret(), PRAXIS_OPEN_MODE: 'loopback' })],
	]) {
		it(`takes everybody's word with ${name}`, async () => {
			const server = await run(args, env());
			assert.match(server.output, /open mode/i);
			const [ws] = server.output.match(/ws:\/\/\S+/);
			const { client, hello } = await greeting(ws);
			assert.equal(hello.user.userName, 'Reception');
			await client.close();
			assert.equal((await get(server.port, '/health')).status, 200);
			assert.equal(await server.end(), 0);
		});
	}
});
