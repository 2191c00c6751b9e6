// SPDX-License-Identifier: MIT
//
// Files of services and what may happen to them: one that is written over while it is loaded, and
// ones whose constructor ends or stops the process. The server says which file it was, and serves on.

import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import {
	BUILD,
	globalConfig,
	itEnds,
	PLUGINS,
	runPraxisd,
	usePraxisd,
	vhostConfig,
	writeConfig,
	writeFiles,
} from './lib/praxisd.mjs';

const TEST_PLUGINS = path.join(BUILD, 'test', 'plugins');
const own = await mkdtemp(path.join(tmpdir(), 'praxis-plugins-'));
after(() => rm(own, { recursive: true, force: true }));

const file = (name) => `praxis_svc_${name}.so`;
const global = { 'plugin-dir': [PLUGINS, TEST_PLUGINS] };
const service = (name, status = 'ok') => ({
	vhost: 'default',
	'ws-protocols': [{ [name]: { status } }],
});

// [plugin, what is said of it]
const BAD = [
	['aborts', /can not be loaded: it ends the process: Aborted/],
	['leaves', /can not be loaded: it ends the process, with exit code 0/],
	['hangs', /can not be loaded: it does not come back within 5000 ms/],
];

describe('a file that was loaded', () => {
	const praxis = usePraxisd(async () => {
		await copyFile(path.join(PLUGINS, file('echo')), path.join(own, file('echo')));
		return { global: { 'plugin-dir': [own, PLUGINS] } };
	});
	const echo = path.join(own, file('echo'));

	// As cp does: into the file that is there.
	async function writeOver(content) {
		const { ino } = await stat(echo);
		await writeFile(echo, content);
		assert.equal((await stat(echo)).ino, ino, 'the same file');
	}

	async function serves() {
		const ann = await praxis.connect();
		await ann.accepted({ type: 'echo_say', text: 'SECRET' });
	}

	it('may be written over, cut off and removed: it is served from a copy', async () => {
		assert.ok(praxis.log.includes(`loading ${echo}`), 'the file is named');
		const whole = await readFile(echo);
		const ann = await praxis.connect();
		await ann.accepted({ type: 'echo_say', text: 'SECRET' });
		for (const content of [Buffer.alloc(whole.length, 0xff), '', whole]) {
			await writeOver(content);
			await ann.accepted({ type: 'echo_say', text: 'SECRET' });
			await serves();
		}
		await rm(echo);
		await serves();
		const maps = await readFile(`/proc/${praxis.pid}/maps`, 'utf8');
		assert.match(maps, /praxis_svc_echo\.so/, 'a debugger finds its name');
		assert.ok(!maps.includes(echo), 'the file itself is not mapped');
	});

	it('is not looked at again by a reload', async () => {
		await writeFile(echo, 'nonsense');
		const since = praxis.log.length;
		praxis.signal('SIGHUP');
		await praxis.logged(/configuration reloaded/, since);
		await serves();
	});

	itEnds(praxis);
});

describe('a file whose constructor', () => {
	const praxis = usePraxisd({ global });

	for (const [name, said] of BAD) {
		it(`${name}: a reload that brings it changes nothing, and names the file before`, async () => {
			const ann = await praxis.connect();
			const since = praxis.log.length;
			await writeFiles(praxis.dir, { 'conf.d/50-bad.json': service(name) });
			praxis.signal('SIGHUP');
			await praxis.logged(/nothing was changed/, since);
			const log = praxis.log.slice(since);
			const loading = log.indexOf(`loading ${path.join(TEST_PLUGINS, file(name))}`);
			assert.ok(loading >= 0 && loading < log.search(said), log);
			await ann.accepted({ type: 'echo_say', text: 'SECRET' });
			await rm(path.join(praxis.dir, 'conf.d/50-bad.json'));
		});

		it(`${name}: neither a start nor --check-config dies of it`, async () => {
			const dir = await writeConfig({
				'praxis.json': globalConfig({ ...global, 'log-level': 'warning' }),
				'conf.d/00-default.json': vhostConfig(),
				'conf.d/50-bad.json': service(name),
			});
			for (const check of [[], ['--check-config']]) {
				const { code, signal, stderr } = await runPraxisd([...check, '--config', dir]);
				assert.deepEqual({ code, signal }, { code: 2, signal: null }, stderr);
				const lines = stderr.split('\n').filter((line) => line.trim());
				assert.equal(lines.length, 1, stderr);
				assert.match(lines[0], said);
				assert.match(lines[0], /50-bad\.json/);
				assert.ok(lines[0].includes(file(name)), stderr);
			}
			await rm(dir, { recursive: true });
		});
	}

	itEnds(praxis);
});
