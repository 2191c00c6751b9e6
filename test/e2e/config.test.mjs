// SPDX-License-Identifier: MIT
//
// What praxisd says to a configuration: to a wrong one a sentence that names file and key, and exit
// code 2, with --check-config as without; to a right one nothing.

import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { ROOT } from './lib/blocks.mjs';
import {
	BUILD,
	globalConfig,
	PLUGINS,
	Praxisd,
	runPraxisd,
	vhostConfig,
	writeConfig,
	writeFiles,
} from './lib/praxisd.mjs';

const GLOBAL = 'praxis.json';
const VHOST = 'conf.d/00-default.json';
const OTHER = 'conf.d/50-other.json';

const service = (name, options) => ({ vhost: 'default', 'ws-protocols': [{ [name]: options }] });
const quiet = (more) => globalConfig({ 'log-level': 'warning', ...more });

let dir;

async function config(files = {}) {
	dir = await writeConfig({ [GLOBAL]: quiet(), [VHOST]: vhostConfig(), ...files });
	return dir;
}

function assertRefused({ code, stderr }, ...named) {
	assert.equal(code, 2, stderr);
	const lines = stderr.split('\n').filter((line) => line.trim());
	const fitting = lines.filter((line) =>
		named.every((part) => {
			return part instanceof RegExp ? part.test(line) : line.includes(part);
		}),
	);
	assert.equal(fitting.length, 1, `one line with ${named.join(' and ')}:\n${stderr}`);
	assert.equal(lines.length, 1, `and no other:\n${stderr}`);
	assert.doesNotMatch(stderr, /SECRET|Sanitizer|runtime error/);
}

// A file's name as it may be given: with its directory or without.
const name = (file) => path.basename(file);

describe('a wrong configuration', () => {
	afterEach(() => rm(dir, { recursive: true, force: true }));

	function refuses(what, files, ...named) {
		it(`is refused with file and key: ${what}`, async () => {
			await config(files);
			assertRefused(await runPraxisd(['--config', dir]), ...named);
			assertRefused(await runPraxisd(['--check-config', '--config', dir]), ...named);
		});
	}

	// [what, file, its text, the line of the mistake]
	for (const [what, file, text, line] of [
		['a global file that is no JSON', GLOBAL, '{\n"global": {\n"log-level": }\n}\n', 3],
		['a global file that ends too early', GLOBAL, '{ "global": {', 1],
		['a global file with something after it', GLOBAL, '{ "global": {} }\nSECRET', 2],
		['an empty global file', GLOBAL, '', 1],
		['a global file that is no object', GLOBAL, '[]', 1],
		[
			'a number beyond all numbers',
			GLOBAL,
			'{ "global": {\n"drain-ms": 99999999999999999999 } }',
			2,
		],
		[
			'a vhost file that is no JSON',
			VHOST,
			'{\n"vhosts": [\n{ "name": "x"\n "port": 1 } ] }',
			4,
		],
		['a service file that is no JSON', OTHER, '# fine\n// so far\n\n{ nonsense }\n', 4],
	]) {
		refuses(what, { [file]: text }, name(file), new RegExp(`\\b${line}\\b`));
	}

	refuses(
		'a key unknown at the top',
		{ [GLOBAL]: { ...quiet(), nosuch: 1 } },
		name(GLOBAL),
		'nosuch',
	);

	// [what, key, its value]
	for (const [what, key, value] of [
		['unknown', 'nosuch-key', 1],
		['misspelt in its case', 'Queue-Bytes', 1],
		['a log level that is none', 'log-level', 'loud'],
		['a log level that is no word', 'log-level', 5],
		['plugin directories that are a number', 'plugin-dir', 7],
		['a plugin directory that is a number', 'plugin-dir', [7]],
		['a size that is a word', 'queue-bytes', 'many'],
		['a size that is negative', 'queue-bytes', -1],
		['a size that is a fraction', 'queue-bytes', 65536.5],
		['a size that is null', 'queue-bytes', null],
		['a time that is a truth', 'heartbeat-ms', true],
		['a number of rooms that is an object', 'max-rooms-per-session', {}],
	]) {
		refuses(`of all, ${what}`, { [GLOBAL]: quiet({ [key]: value }) }, name(GLOBAL), key);
	}

	// [what, key, its value, what is named if it is not the key]
	for (const [what, key, value, named = key] of [
		['unknown', 'nosuch-key', 1],
		['no name', 'name', undefined],
		['a port that is a word', 'port', 'many'],
		['a port that is none', 'port', 65536],
		['a port that is negative', 'port', -1],
		['an interface that is a number', 'interface', 127],
		['open to all the world', 'interface', '0.0.0.0', 'open'],
		['open to all the world of IPv6', 'interface', '::', 'open'],
		['a variable that is not set', 'open-practice', '${PX_E2E_UNSET}', 'PX_E2E_UNSET'],
		['a mount without a place', 'mounts', [{ origin: 'file:///tmp' }], 'mountpoint'],
		['a mount of nothing', 'mounts', [{ mountpoint: '/s', origin: 'file:///none' }], '/none'],
		['services that are no list', 'ws-protocols', {}],
	]) {
		refuses(
			`of a vhost, ${what}`,
			{ [VHOST]: vhostConfig({}, { [key]: value }) },
			name(VHOST),
			named,
		);
	}
	refuses('vhosts that are no list', { [VHOST]: { vhosts: {} } }, name(VHOST), 'vhosts');
	refuses('a vhost that is no object', { [VHOST]: { vhosts: ['x'] } }, name(VHOST), 'vhosts');

	// [what, service, key, its value]
	for (const [what, of, key, value] of [
		['unknown', 'telemedicine', 'nosuch-key', 1],
		['of another service', 'echo', 'room-members', 8],
		['a status that is none', 'echo', 'status', 'maybe'],
		['a number that is a list', 'telemedicine', 'room-members', []],
		['a list that is a string', 'telemedicine', 'ice-servers', 'SECRET'],
		['a secret that is a list', 'telemedicine', 'turn-secret', ['SECRET']],
	]) {
		const file = service(of, { status: 'ok', [key]: value });
		refuses(`of a service, ${what}`, { [OTHER]: file }, name(OTHER), key);
	}

	const echo = service('echo', { status: 'ok' });
	// [what, file of a service, what is named]
	for (const [what, file, named] of [
		['with an unknown key', { ...echo, 'nosuch-key': 1 }, 'nosuch-key'],
		['of an unknown vhost', { ...echo, vhost: 'nosuch' }, 'nosuch'],
		['of one that is no object', service('echo', true), 'echo'],
		['of one twice', { ...echo, 'ws-protocols': [{ echo: {} }, { echo: {} }] }, 'echo'],
		['that no plugin brings', service('nosuch', { status: 'ok' }), 'nosuch'],
		['that is a path', service('../plugins/praxis_svc_echo', { status: 'ok' }), '../plugins'],
	]) {
		refuses(`a service ${what}`, { [OTHER]: file }, name(OTHER), named);
	}

	it('is refused: none', async () => {
		await config();
		await mkdir(path.join(dir, 'empty'));
		for (const none of ['/nonexistent/praxis', path.join(dir, 'empty')]) {
			for (const check of [[], ['--check-config']]) {
				assertRefused(await runPraxisd([...check, '--config', none]), none);
			}
		}
	});

	it('is refused: a plugin directory that is missing', async () => {
		await config({ [GLOBAL]: quiet({ 'plugin-dir': ['/nonexistent/plugins'] }) });
		for (const check of [[], ['--check-config']]) {
			const { code, stderr } = await runPraxisd([...check, '--config', dir]);
			assert.equal(code, 2);
			assert.match(stderr, /praxis\.json.*plugin-dir.*\/nonexistent\/plugins/);
		}
	});

	// Plugins that cannot be loaded, in a directory of their own; `make` writes the file.
	const plugins = {
		'a text file': async () => 'SECRET, not a shared object\n'.repeat(100),
		'an empty file': async () => '',
		'a truncated file': async (whole) => whole.subarray(0, whole.length / 2),
		'a file cut in its header': async (whole) => whole.subarray(0, 40),
		'a file without its last byte': async (whole) => whole.subarray(0, whole.length - 1),
		'a file of another machine': async (whole) => {
			const copy = Buffer.from(whole);
			copy.writeUInt16LE(0xffff, 18);
			return copy;
		},
		'another service': async (whole) => whole,
	};
	for (const [what, make] of Object.entries(plugins)) {
		it(`is refused: a plugin that is ${what}`, async () => {
			const whole = await readFile(path.join(PLUGINS, 'praxis_svc_echo.so'));
			await config();
			const own = path.join(dir, 'plugins');
			await writeFiles(dir, {
				'plugins/praxis_svc_broken.so': await make(whole),
				[GLOBAL]: quiet({ 'plugin-dir': [PLUGINS, own] }),
				[OTHER]: service('broken', { status: 'ok' }),
			});
			assertRefused(await runPraxisd(['--config', dir]), name(OTHER), 'praxis_svc_broken.so');
			assertRefused(
				await runPraxisd(['--check-config', '--config', dir]),
				name(OTHER),
				'praxis_svc_broken.so',
			);
		});
	}

	it('looks through the plugin directories in their order, those of the variable, too', async () => {
		await config();
		const own = path.join(dir, 'plugins');
		const { global } = quiet();
		delete global['plugin-dir'];
		await writeFiles(dir, { 'plugins/praxis_svc_echo.so': '', [GLOBAL]: { global } });
		const check = (directories, given = {}) =>
			writeFiles(dir, { [GLOBAL]: { global: { ...global, ...given } } }).then(() =>
				runPraxisd(['--check-config', '--config', dir], {
					PRAXIS_PLUGIN_DIR: directories,
				}),
			);
		const inOrder = `${PLUGINS}:${own}`;
		const empty = path.join(own, 'praxis_svc_echo.so');
		for (const fine of [
			await check(inOrder),
			await check(`/nonexistent::${inOrder}`),
			await check('/nonexistent', { 'plugin-dir': inOrder }),
			await check('/nonexistent', { 'plugin-dir': [PLUGINS, own] }),
		]) {
			assert.equal(fine.code, 0, fine.stderr);
		}
		assertRefused(await check(`${own}:${PLUGINS}`), empty);
		assertRefused(await check('/nonexistent', { 'plugin-dir': [own, PLUGINS] }), empty);
		const none = await check('/nonexistent:/none');
		assert.equal(none.code, 2);
		assert.match(none.stderr, /no praxis_svc_echo\.so in \/nonexistent, \/none\n/);
	});

	it('is refused: a plugin of another ABI', async () => {
		const plugin = path.join(BUILD, 'test', 'plugins', 'praxis_svc_badabi.so');
		await stat(plugin);
		await config({
			[GLOBAL]: quiet({ 'plugin-dir': [PLUGINS, path.dirname(plugin)] }),
			[OTHER]: service('badabi', { status: 'ok' }),
		});
		assertRefused(await runPraxisd(['--config', dir]), name(OTHER), 'badabi', /abi/i);
		assertRefused(
			await runPraxisd(['--check-config', '--config', dir]),
			name(OTHER),
			'badabi',
			/abi/i,
		);
	});

	// Services whose descriptor cannot be used: [plugin, what its line has besides file and plugin].
	for (const [plugin, ...named] of [
		['unsorted', '"unsorted_earlier"', /not sorted/],
		['stranger', '"other_say"'],
		['reserved', '"server"'],
		['rival', '"notification_"', 'service notifications'],
	]) {
		it(`is refused: a plugin whose descriptor is ${plugin}`, async () => {
			await config({
				[GLOBAL]: quiet({ 'plugin-dir': [PLUGINS, path.join(BUILD, 'test', 'plugins')] }),
				'conf.d/20-notifications.json': service('notifications', { status: 'ok' }),
				[OTHER]: service(plugin, { status: 'ok' }),
			});
			for (const check of [[], ['--check-config']]) {
				const how = await runPraxisd([...check, '--config', dir]);
				assertRefused(how, name(OTHER), `praxis_svc_${plugin}.so`, ...named);
			}
		});
	}

	// [what, the file of the audit log]
	for (const [what, auditLog] of [
		['in a directory that is missing', '/nonexistent/praxis/audit.jsonl'],
		['that is a directory', '/tmp'],
		['in a directory that is a file', `${process.execPath}/audit.jsonl`],
	]) {
		refuses(
			`an audit log ${what}`,
			{ [GLOBAL]: quiet({ audit: { file: auditLog } }) },
			name(GLOBAL),
			'"file"',
			auditLog.replace('/audit.jsonl', ''),
		);
	}

	it('is told all at once: of services, tokens and the audit log', async () => {
		await config({
			[GLOBAL]: quiet({ 'plugin-dir': [PLUGINS, path.join(BUILD, 'test', 'plugins')] }),
			[VHOST]: vhostConfig(
				{},
				{ tokens: { 'jwks-file': '../keys.json' }, 'open-practice': undefined },
			),
			'keys.json': '{"keys": 7}',
			[OTHER]: {
				vhost: 'default',
				'ws-protocols': [{ unsorted: { status: 'ok' } }, { stranger: { status: 'ok' } }],
			},
		});
		const { code, stderr } = await runPraxisd(['--check-config', '--config', dir]);
		assert.equal(code, 2);
		for (const named of ['praxis_svc_unsorted.so', 'praxis_svc_stranger.so', 'keys.json']) {
			assert.ok(stderr.includes(named), `${named} in\n${stderr}`);
		}
	});

	it('is refused: a port in use', async () => {
		const holder = net.createServer().listen(0, '127.0.0.1');
		await new Promise((resolve) => holder.once('listening', resolve));
		const { port } = holder.address();
		await config({ [VHOST]: vhostConfig({}, { port }) });
		assertRefused(await runPraxisd(['--config', dir]), name(VHOST), String(port));
		holder.close();
	});
});

describe('a right configuration', () => {
	let praxis;

	afterEach(async () => {
		await praxis?.stop();
		praxis = undefined;
		await rm(dir, { recursive: true, force: true });
	});

	async function assertFine(files, env) {
		await config(files);
		const { code, stderr } = await runPraxisd(['--check-config', '--config', dir], env);
		assert.equal(code, 0, stderr);
	}

	it('is fine', async () => {
		await assertFine();
	});

	it('may have comments', async () => {
		await assertFine({
			[OTHER]:
				'# a comment\n// another\n{ "vhost": "default", // here\n "ws-protocols": [ # and there\n' +
				'{ "echo": { "status": "ok" } } ] }\n',
		});
	});

	it('may have values of the environment', async () => {
		const vhost = vhostConfig({}, { 'open-practice': '${PX_E2E_PRACTICE}' });
		await assertFine({ [VHOST]: vhost }, { PX_E2E_PRACTICE: '77' });
		praxis = await new Praxisd().start({
			files: { [VHOST]: vhost },
			env: { PX_E2E_PRACTICE: '77' },
		});
		const ann = await praxis.connect({ practiceId: null });
		await ann.accepted({ type: 'whiteboard_update', practiceId: 77 });
		await praxis.settle();
	});

	it('is checked without being started', async () => {
		const holder = net.createServer().listen(0, '127.0.0.1');
		await new Promise((resolve) => holder.once('listening', resolve));
		await assertFine({ [VHOST]: vhostConfig({}, { port: holder.address().port }) });
		holder.close();
	});

	it('may have services with prefixes of their own, and plugins from before there were any', async () => {
		praxis = await new Praxisd().start({
			global: { 'plugin-dir': [PLUGINS, path.join(BUILD, 'test', 'plugins')] },
			services: { notifications: {}, older: {} },
		});
		const ann = await praxis.connect();
		assert.ok(['notifications', 'older'].every((each) => ann.hello.services.includes(each)));
		for (const as of ['notification_sent', 'notifications_read']) {
			ann.send({ type: as });
			assert.equal((await ann.next('notification_taken')).as, as);
		}
		await ann.accepted({ type: 'older_say' });
		await ann.refused({ type: 'notification_lost' }, 'unknown_type');
		await ann.refused({ type: 'notific_sent' }, 'unknown_type');
		await praxis.settle();
	});

	it('may have a file for a service: to add it, to switch it off, to set it up', async () => {
		const files = {
			'conf.d/10-echo.json': service('echo', { status: 'ok' }),
			'conf.d/20-whiteboard.json': service('whiteboard', { status: 'disabled' }),
			'conf.d/30-telemedicine.json': service('telemedicine', {
				status: 'ok',
				'room-members': 2,
			}),
		};
		praxis = await new Praxisd().start({ services: { echo: null }, files });
		const clients = await Promise.all([1, 2, 3].map(() => praxis.connect()));
		assert.deepEqual([...clients[0].hello.services].sort(), ['echo', 'telemedicine']);
		await clients[0].accepted({ type: 'echo_say', text: 'SECRET' });
		await clients[0].refused({ type: 'whiteboard_update', practiceId: 1 }, 'service_disabled');
		await clients[0].join('r');
		await clients[1].join('r');
		await clients[2].refused(
			{
				type: 'telemedicine_user_joined',
				roomId: 'r',
				appointmentId: 1,
				userId: 1,
				userName: 'SECRET',
			},
			'room_full',
		);
		await praxis.settle();
	});

	it("is read in the order of the files' names, and of .json files alone", async () => {
		praxis = await new Praxisd().start({
			files: {
				'conf.d/9-last.json': service('echo', { status: 'ok' }),
				'conf.d/10-first.json': service('echo', { status: 'disabled' }),
				'conf.d/99-not-me.json.bak': service('echo', { status: 'disabled' }),
				'conf.d/99-nor-me.txt': 'nonsense',
			},
		});
		const ann = await praxis.connect();
		await ann.accepted({ type: 'echo_say', text: 'SECRET' });
		await praxis.settle();
	});

	it('may leave out the interface: open mode is for this machine alone', async () => {
		praxis = await new Praxisd().start({ vhost: { interface: undefined } });
		const addresses = [...praxis.log.matchAll(/listening on (\S+):\d+/g)].map(
			([, address]) => address,
		);
		assert.ok(
			addresses.every((address) => ['127.0.0.1', '[::1]'].includes(address)),
			addresses.join(),
		);
	});

	it('may leave the clients no practice', async () => {
		await assertFine({ [VHOST]: vhostConfig({}, { 'open-practice': undefined }) });
	});
});

describe('options', () => {
	it('--version', async () => {
		const { code, stdout } = await runPraxisd(['--version']);
		assert.equal(code, 0);
		assert.match(stdout, /\d+\.\d+/);
	});

	it('--help', async () => {
		const { code, stdout } = await runPraxisd(['--help']);
		assert.equal(code, 0);
		for (const option of ['--config', '--check-config', '--version', '--help']) {
			assert.ok(stdout.includes(option), option);
		}
	});

	it('that do not exist', async () => {
		const { code, stderr } = await runPraxisd(['--nosuch']);
		assert.equal(code, 2);
		assert.match(stderr, /nosuch/);
	});

	it('without what they need', async () => {
		const { code, stderr } = await runPraxisd(['--config']);
		assert.equal(code, 2);
		assert.match(stderr, /config/);
	});
});

describe('the configuration that is installed', () => {
	const NOWHERE = '/nonexistent/file';

	// A value that its key refuses, and what is said of it.
	const REFUSED = {
		PRAXIS_PORT: ['x', '"port"'],
		PRAXIS_INTERFACE: ['nowhere', '"interface"'],
		PRAXIS_SECRET_FILE: [NOWHERE, '"secret-file"'],
		PRAXIS_JWKS_FILE: [NOWHERE, '"jwks-file"'],
		PRAXIS_AUTH_URL: ['ftp://x', '"auth-url"'],
		PRAXIS_AUTH_URL_FILE: [NOWHERE, '"auth-url-file"'],
		PRAXIS_WEBHOOK_URL: ['https://app.example.org', '"webhook-url" without'],
		PRAXIS_WEBHOOK_URL_FILE: [NOWHERE, '"webhook-url-file"'],
		PRAXIS_WEBHOOK_SECRET_FILE: [NOWHERE, '"webhook-secret-file"'],
		PRAXIS_ORIGINS: ['x', '"origins"'],
		PRAXIS_TRUSTED_PROXIES: ['x', '"trusted-proxies"'],
		PRAXIS_PROXY_PROTOCOL: ['x', '"proxy-protocol"'],
		PRAXIS_METRICS_ALLOW: ['x', '"metrics-allow"'],
		PRAXIS_TLS_CERT_FILE: [NOWHERE, '"host-ssl-cert": cannot read'],
		PRAXIS_TLS_KEY_FILE: [NOWHERE, '"host-ssl-key": cannot read'],
		PRAXIS_OPEN_MODE: ['x', '"open-mode"'],
		PRAXIS_OPEN_PRACTICE: ['x'.repeat(129), '"open-practice"'],
		PRAXIS_DEMO_DIR: [NOWHERE, '"origin"'],
		PRAXIS_WAITING_ROOM: ['x', 'waiting-room'],
		PRAXIS_BOARD_VALUES: ['x', 'board-values'],
		PRAXIS_TURN_URLS: ['turn:turn.example.org', 'turn-urls'],
		PRAXIS_TURN_SECRET_FILE: [NOWHERE, '"turn-secret-file"'],
		PRAXIS_BUS: ['http://x', '"bus"'],
		PRAXIS_BUS_PASSWORD_FILE: [NOWHERE, '"bus-password-file"'],
		PRAXIS_DRAIN_DEADLINE_MS: ['x', '"drain-deadline-ms"'],
		PRAXIS_AUDIT_FILE: [NOWHERE, '"file"'],
		PRAXIS_LOG_LEVEL: ['x', '"log-level"'],
		PRAXIS_LOG_FORMAT: ['x', '"log-format"'],
	};
	// Those that take anything, or mean something only together with another one.
	const SECRET = path.join(ROOT, 'LICENSE');
	const TOGETHER = {
		PRAXIS_TOKEN_ISSUER: ['x'.repeat(1025), '"issuer"', { PRAXIS_SECRET_FILE: SECRET }],
		PRAXIS_TOKEN_AUDIENCE: ['x'.repeat(1025), '"audience"', { PRAXIS_SECRET_FILE: SECRET }],
		PRAXIS_TOKEN_QUERY: ['x', '"query"', { PRAXIS_SECRET_FILE: SECRET }],
		PRAXIS_AUDIT_KEY_FILE: [NOWHERE, '"key-file"', { PRAXIS_AUDIT_FILE: '/tmp/audit' }],
		PRAXIS_AUDIT_SYNC: ['x', '"sync"', { PRAXIS_AUDIT_FILE: '/tmp/audit' }],
		PRAXIS_STATE_FILE: ['x'.repeat(4001), '"state-file"'],
		PRAXIS_BUS_CA: ['x'.repeat(4001), '"bus-ca"'],
	};
	const all = { ...REFUSED, ...TOGETHER };

	const check = (env) =>
		runPraxisd(['--check-config', '--config', ROOT], {
			...Object.fromEntries(Object.keys(all).map((name) => [name, undefined])),
			PRAXIS_PLUGIN_DIR: PLUGINS,
			...env,
		});

	it('has the variables of docs/configuration.md', async () => {
		const page = await readFile(path.join(ROOT, 'docs/configuration.md'), 'utf8');
		const [, table] =
			/## Environment of the default configuration([^]*?)\n`PRAXIS_PLUGIN_DIR/.exec(page);
		const documented = new Set(
			table
				.split('\n')
				.filter((line) => line.startsWith('| `'))
				.flatMap((line) => [...line.split('|')[1].matchAll(/`(PRAXIS_\w+)`/g)])
				.map(([, name]) => name),
		);
		const files = [
			'praxis.json',
			...(await readdir(path.join(ROOT, 'conf.d'))).map((name) => `conf.d/${name}`),
		];
		const used = new Set();
		for (const file of files) {
			const text = await readFile(path.join(ROOT, file), 'utf8');
			for (const [, name] of text.matchAll(/\$\{(PRAXIS_\w+)/g)) {
				used.add(name);
			}
		}
		assert.deepEqual([...used].sort(), [...documented].sort());
		assert.deepEqual([...used].sort(), Object.keys(all).sort());
	});

	it('is fine without any', async () => {
		const { code, stderr } = await check({});
		assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
	});

	for (const [name, [value, said, more]] of Object.entries(all)) {
		it(`has ${name} where it belongs`, async () => {
			const { code, stderr } = await check({ [name]: value, ...more });
			assert.equal(code, 2, stderr);
			const errors = stderr.split('\n').filter((line) => line.includes('error'));
			assert.ok(
				errors.some((line) => line.includes(said)),
				stderr,
			);
		});
	}

	it('opens nothing to others without a key for tokens, and says which variables it wants', async () => {
		const { code, stderr } = await check({ PRAXIS_INTERFACE: '*' });
		assert.equal(code, 2);
		assert.match(
			stderr,
			/vhost "default" listens on 0\.0\.0\.0.*not set in the environment: PRAXIS_SECRET_FILE, PRAXIS_JWKS_FILE, PRAXIS_AUTH_URL, PRAXIS_AUTH_URL_FILE$/m,
		);
	});

	it('has warnings in the form of the log, once it can be known', async () => {
		const start = (env) =>
			runPraxisd(['--config', ROOT], {
				PRAXIS_PORT: '0',
				PRAXIS_PLUGIN_DIR: PLUGINS,
				PRAXIS_ORIGINS: '*',
				PRAXIS_LOG_FORMAT: 'json',
				...env,
			});
		const { stderr } = await start({});
		const lines = stderr.split('\n').slice(0, -1);
		assert.deepEqual(
			lines.map((line) => JSON.parse(line)).filter(({ level }) => level === 'warning').length,
			1,
			stderr,
		);
		const text = await start({ PRAXIS_LOG_FORMAT: 'text' });
		assert.match(text.stderr, /^praxisd: warning: conf\.d\/00-default\.json:\d+: "origins"/m);
		const refused = await start({ PRAXIS_LOG_LEVEL: 'x' });
		assert.equal(refused.code, 2);
		assert.match(refused.stderr, /^praxisd: warning: .*\npraxisd: error: .*"log-level"/);
	});

	it('takes more keys for its vhost from another file', async () => {
		const files = { 'praxis.json': await readFile(path.join(ROOT, 'praxis.json'), 'utf8') };
		for (const name of await readdir(path.join(ROOT, 'conf.d'))) {
			files[`conf.d/${name}`] = await readFile(path.join(ROOT, 'conf.d', name), 'utf8');
		}
		files['conf.d/60-more.json'] = {
			vhost: 'default',
			interface: '127.0.0.1',
			path: '/socket',
		};
		const praxis = new Praxisd();
		await praxis.start({ files, env: { PRAXIS_PORT: '0', PRAXIS_PLUGIN_DIR: PLUGINS } });
		const client = await praxis.open('/socket?userId=1&role=staff');
		assert.equal((await client.next()).type, 'connection_established');
		await writeFiles(praxis.dir, {
			'conf.d/60-more.json': { vhost: 'default', interface: '127.0.0.1', path: '/other' },
		});
		praxis.signal('SIGHUP');
		await praxis.logged(/configuration reloaded/);
		const other = await praxis.open('/other?userId=1&role=staff');
		assert.equal((await other.next()).type, 'connection_established');
		await praxis.settle();
		await praxis.stop();
		await rm(praxis.dir, { recursive: true, force: true });
	});
});
