// SPDX-License-Identifier: MIT
//
// scripts/fresh as far as it goes without making machines, which takes root, a mirror and hours: its
// arguments, the look from one screen to the other (test/fresh/first-message), and what it says of builds.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort } from './lib/ports.mjs';
import { BUILD } from './lib/praxisd.mjs';
import { within } from './lib/wait.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const RUN_MS = 120_000; // it may have to build what is older than its sources

const children = new Set();

// A command of the tree: { status, output }.
async function run(file, args = [], env = {}) {
	const child = spawn(path.join(ROOT, file), args, { env: { ...process.env, ...env } });
	let output = '';
	children.add(child);
	for (const stream of [child.stdout, child.stderr]) {
		stream.setEncoding('utf8').on('data', (text) => (output += text));
	}
	const closed = new Promise((resolve) => child.once('close', resolve));
	const status = await within(closed, () => `the end of ${file}: ${output}`, RUN_MS);
	children.delete(child);
	return { status, output };
}

describe('scripts/fresh', () => {
	let dir;
	before(async () => {
		dir = await mkdtemp(path.join(tmpdir(), 'praxis-fresh-'));
	});
	after(() => {
		children.forEach((child) => child.kill('SIGTERM')); // of tests that have failed
		return rm(dir, { recursive: true, force: true });
	});

	it('says how it is used, and refuses what it does not know before it makes anything', async () => {
		const { status, output } = await run('scripts/fresh', ['--help']);
		assert.equal(status, 0, output);
		assert.match(output, /^usage: scripts\/fresh/);
		for (const args of [
			['--release', 'sid'],
			['--as', 'nobody'],
			['--only', 'lint'],
			['--release'],
			['--frobnicate'],
			['--release', 'trixie', 'no-step'],
		]) {
			const refused = await run('scripts/fresh', args);
			assert.equal(refused.status, 2, `${args.join(' ')}: ${refused.output}`);
			assert.equal(refused.output, output);
		}
	});

	for (const options of [[], ['--open']]) {
		const words = ['scripts/run', ...options].join(' ');
		it(`sees a message of ${words} on a second screen`, async () => {
			const port = await freePort();
			const { status, output } = await run('test/fresh/first-message', options, {
				PRAXIS_BUILD: BUILD,
				PRAXIS_PORT: String(port),
				PRAXIS_STATE_FILE: '',
				PRAXIS_SECRET_FILE: path.join(dir, 'secret'),
			});
			assert.equal(status, 0, output);
			assert.match(output, /^ *\d+ s {2}it serves: praxisd \S+, libwebsockets /m);
			assert.match(output, /^ *\d+ s {2}a message on the second screen$/m);
			assert.match(output, /^ *\d+ s {2}ended$/m);
			assert.doesNotMatch(output, /eyJ/, 'a token');
		});
	}

	it('fails where nothing is served', async () => {
		const { status, output } = await run('test/fresh/first-message', [], {
			PRAXIS_BUILD: BUILD,
			PRAXIS_CONF: path.join(dir, 'nowhere'),
		});
		assert.equal(status, 1, output);
		assert.match(output, /it did not serve/);
	});

	it('says by what a build was made, and fails if there was a warning', async () => {
		await mkdir(path.join(dir, 'log'));
		await symlink(BUILD, path.join(dir, 'some'));
		const log = path.join(dir, 'log', 'build-some.log');
		await writeFile(log, '[1/2] Compiling C object\n');
		const fine = await run('test/fresh/builds.py', [dir]);
		assert.equal(fine.status, 0, fine.output);
		assert.match(
			fine.output,
			/^some: (gcc|clang) \S+, .*libwebsockets \d\S+, -Werror: no warnings$/m,
		);
		await writeFile(log, 'lto-wrapper: warning: using serial compilation\n');
		const warned = await run('test/fresh/builds.py', [dir]);
		assert.equal(warned.status, 1);
		assert.match(warned.output, /-Werror: warnings:\n {4}lto-wrapper: warning/);
		await writeFile(log, "a.c:1:2: error: unused variable 'a' [-Werror,-Wunused-variable]\n");
		assert.equal((await run('test/fresh/builds.py', [dir])).status, 1, 'a build that failed');
		const none = await run('test/fresh/builds.py', [path.join(dir, 'log')]);
		assert.equal(none.status, 1);
		assert.match(none.output, /nothing was built/);
	});
});
