// SPDX-License-Identifier: MIT
//
// Files of services and what may happen to them: one that is written over while it is loaded, and
// ones whose constructor ends or stops the process. The server says which file it was, and serves on;
// `praxisctl plugin check` says it without a server.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { post } from './lib/api.mjs';
import { run as ctl } from './lib/ctl.mjs';
import { bearer, enter, token, tokenVhost } from './lib/issuer.mjs';
import {
	BUILD,
	globalConfig,
	itEnds,
	PLUGINS,
	runPraxisd,
	secret,
	usePraxisd,
	vhostConfig,
	writeConfig,
	writeFiles,
} from './lib/praxisd.mjs';
import { openV1, resume } from './lib/resuming.mjs';

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
	['aborts', /cannot be loaded: it ends the process: Aborted/],
	['leaves', /cannot be loaded: it ends the process, with exit code 0/],
	['hangs', /cannot be loaded: it does not return within 5000 ms/],
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
		const maps = praxis.maps();
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

describe('praxisctl plugin check', () => {
	const env = { PATH: `${path.join(BUILD, 'server')}:${process.env.PATH}` };
	const check = (...args) => ctl(['plugin', 'check', ...args], env);
	const odd = (name) => path.join(TEST_PLUGINS, file(name));

	async function isFine(...args) {
		const { code, stdout, stderr } = await check(...args);
		assert.deepEqual([code, stderr], [0, ''], stderr);
		assert.ok(stdout.endsWith('\nThe file is valid.\n'), stdout);
		const facts = [...stdout.matchAll(/^(\S+) +(.*)$/gm)].map(([, what, value]) => [
			what,
			value,
		]);
		return Object.fromEntries(facts);
	}

	// One line, which names the file.
	async function isWrong(said, where, ...args) {
		const { code, stdout, stderr } = await check(where, ...args);
		assert.equal(code, 2, stderr);
		assert.match(stderr, /^praxisd: error: .*\n$/);
		assert.ok(stderr.includes(where), stderr);
		assert.match(stderr, said);
		assert.ok(stdout.startsWith(`file         ${where}\n`), stdout);
		return { stdout, stderr };
	}

	it('says what a file is', async () => {
		const { needs, ABI, ...facts } = await isFine(odd('notifications'));
		assert.deepEqual(facts, {
			file: odd('notifications'),
			service: 'notifications',
			description: 'has a prefix besides its name',
			subprotocol: 'notifications',
			prefixes: 'notifications_ notification_',
			messages: 'notification_sent notifications_read',
			options: '-',
			The: 'file is valid.',
		});
		assert.match(needs, /\blibpraxis\.so\.0\b/);
		const [, number, bytes, own, least, most] =
			/^(\d+), descriptor of (\d+) bytes \(this praxisd: (\d+), (\d+) to (\d+) bytes\)$/.exec(
				ABI,
			);
		assert.deepEqual([number, bytes], [own, most]);
		assert.match((await isFine(odd('older'))).ABI, new RegExp(`descriptor of ${least} bytes`));
		const newer = new RegExp(`descriptor of ${Number(most) + 64} bytes`);
		assert.match((await isFine(odd('newer'))).ABI, newer);
		assert.equal((await isFine(path.join(PLUGINS, file('echo')))).options, 'max-replies');
	});

	const WRONG = [
		...BAD.filter(([name]) => name !== 'hangs'),
		['badabi', /another version of Praxis \(its service ABI is 999, this one's is 1\)/],
		['unsorted', /not sorted: "unsorted_earlier"/],
		['stranger', /the type "other_say" does not begin with "stranger_"/],
		['reserved', /its prefix "server" is the server's own/],
	];
	for (const [name, said] of WRONG) {
		it(`${name}: says the same as --check-config`, async () => {
			const { stderr } = await isWrong(said, odd(name));
			const dir = await writeConfig({
				'praxis.json': globalConfig(global),
				'conf.d/00-default.json': vhostConfig(),
				'conf.d/50-bad.json': service(name),
			});
			const { stderr: other } = await runPraxisd(['--check-config', '--config', dir]);
			await rm(dir, { recursive: true });
			assert.ok(other.includes(stderr.replace('praxisd: error: ', '').trimEnd()), other);
		});
	}

	it('says what it can of one that is wrong', async () => {
		assert.match(
			(await isWrong(/ABI/, odd('badabi'))).stdout,
			/\nABI +999, descriptor of \d+ bytes/,
		);
		const { stdout } = await isWrong(/not sorted/, odd('unsorted'));
		assert.match(
			stdout,
			/\nservice +unsorted\n.*\n.*\nprefixes +unsorted_\nmessages +unsorted_later /,
		);
	});

	it('knows what is no service at all', async () => {
		const whole = await readFile(path.join(PLUGINS, file('echo')));
		const otherMachine = Buffer.from(whole);
		otherMachine.writeUInt16LE(0xffff, 18);
		for (const [content, said] of [
			['a text', /not a shared object for this machine/],
			[whole.subarray(0, 40), /not a shared object for this machine/],
			[otherMachine, /not a shared object for this machine/],
			[whole.subarray(0, whole.length - 1), /is truncated/],
			[whole, /has no symbol svc_other/],
		]) {
			const other = path.join(own, file('other'));
			await writeFile(other, content);
			await isWrong(said, other);
		}
		const unnamed = path.join(own, 'echo.so');
		await writeFile(unnamed, whole);
		await isWrong(/praxis_svc_NAME\.so/, unnamed);
		await isWrong(/No such file or directory/, path.join(own, 'nosuch.so'));
		await isWrong(/not a regular file/, own);
	});

	it('names a library and a symbol that are missing', async () => {
		const lost = path.join(own, file('lost'));
		const build = (source, ...more) =>
			execFileSync('cc', ['-shared', '-fPIC', '-xc', '-', '-xnone', ...more], {
				input: source,
			});
		build('int gone(void) { return 1; }', '-o', path.join(own, 'libgone.so'));
		build(
			'int gone(void); int svc_lost(void) { return gone(); }',
			'-o',
			lost,
			`-L${own}`,
			'-lgone',
		);
		await isWrong(/libgone\.so: cannot open shared object file/, lost);
		build('int gone(void); int svc_lost(void) { return gone(); }', '-o', lost);
		await isWrong(/undefined symbol: gone/, lost);
	});

	it('knows whose a prefix is by the configuration of a server', async () => {
		const dir = await writeConfig({
			'praxis.json': globalConfig(global),
			'conf.d/00-default.json': vhostConfig(),
			'conf.d/50-notifications.json': service('notifications'),
		});
		await isFine(odd('rival'));
		await isWrong(
			/the prefix "notification_" belongs to the service notifications/,
			odd('rival'),
			'--config',
			dir,
		);
		await isFine(odd('notifications'), '--config', dir); // the same service, not a rival
		await rm(dir, { recursive: true });
	});

	it('runs the praxisd beside it, else that of PATH, and says so if there is none', async () => {
		const { code, stdout, stderr } = await ctl(['plugin', 'check', odd('older')], {
			PATH: own,
		});
		assert.deepEqual([code, stdout], [2, '']);
		assert.match(stderr, /praxisd cannot be run \(searched beside praxisctl and in PATH\)/);
		for (const args of [[], ['a', 'b'], ['--nonsense', 'a']]) {
			const wrong = await check(...args);
			assert.deepEqual([wrong.code, wrong.stdout], [2, ''], args.join(' '));
			assert.match(wrong.stderr, /--help/);
		}
	});
});

// test/plugins/earlier.c, written after docs/writing-a-service.md of then.
for (const [name, how] of [
	['earlier', 'written before, and built with the headers of today'],
	['earliest', 'built before, with the headers of then'],
]) {
	describe(`a service that was ${how}`, () => {
		const praxis = usePraxisd({
			global: { ...global, 'state-file': 'state', 'grace-ms': 20000 },
			vhost: tokenVhost(),
			services: { [name]: { 'max-replies': 2 } },
		});
		const say = () => ({ type: `${name}_say`, text: secret() });
		const write = () => ({
			type: `${name}_write`,
			practiceId: 1,
			rank: 'king',
			text: secret(),
		});
		const open = async (sub) =>
			openV1(praxis, '', {
				headers: bearer(await token({ sub, role: 'staff', practices: [1] })),
			});

		it('answers, relays, publishes, and has its options', async () => {
			const [ann, bob] = [await enter(praxis, { sub: 1 }), await enter(praxis, { sub: 2 })];
			ann.isGentle = bob.isGentle = true; // else they would be waited for
			const said = say();
			ann.send(said);
			const answer = await ann.next(`${name}_said`);
			assert.deepEqual([answer.text, answer.replies], [said.text, 1]);
			await ann.accepted(say());
			await ann.refused(say(), 'rate_limited');

			const written = write();
			ann.send({ ...written, id: 1 });
			assert.equal((await ann.next('ack')).seq, 1);
			const { rank, text, userId, seq } = await bob.next(`${name}_write`);
			assert.deepEqual([rank, text, userId, seq], ['staff', written.text, 1, 1]);

			const message = { ...write(), practiceId: 1 };
			const role = { role: 'service', practices: [1] };
			assert.equal((await post(praxis, role, 'publish', message)).seq, 2);
			assert.equal((await ann.next(`${name}_write`)).text, message.text);

			bob.send({ type: `${name}_enter`, practiceId: 1, roomId: 'r' });
			assert.equal((await bob.next(`${name}_entered`)).isNew, true);
			assert.equal((await praxis.stats()).rooms, 1);

			const since = praxis.log.length;
			bob.send({ type: `${name}_count` });
			assert.equal((await bob.next(`${name}_counted`)).writes, 1);
			await praxis.logged(/the alarm has fired/, since);
		});

		it('has its channels and sessions again after a restart', async () => {
			const ann = await open(1);
			ann.send(say());
			await ann.next(`${name}_said`);
			praxis.signal('SIGTERM');
			await praxis.ended();
			await praxis.launch();
			const back = await resume(praxis, ann);
			back.send(say());
			assert.equal((await back.next(`${name}_said`)).replies, 2);
			back.send({ type: `${name}_count` });
			assert.equal((await back.next(`${name}_counted`)).writes, 1);
			back.send({ ...write(), id: 2 });
			assert.equal((await back.next('ack')).seq, 3);
		});

		it('has its options checked', async () => {
			const since = praxis.log.length;
			await writeFiles(praxis.dir, {
				'conf.d/50-options.json': {
					vhost: 'default',
					'ws-protocols': [{ [name]: { greeting: 'bye' } }],
				},
			});
			praxis.signal('SIGHUP');
			await praxis.logged(/greeting: that is no greeting/, since);
			await praxis.logged(/nothing was changed/, since);
			await rm(path.join(praxis.dir, 'conf.d/50-options.json'));
		});

		itEnds(praxis);
	});
}
