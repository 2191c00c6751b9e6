// SPDX-License-Identifier: MIT
//
// The documentation's blocks that no other test plays. That each block has a row in lib/documented.json is a rule
// (test/rules/links.py); that each row of this file is played is asked at its end.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { after, before, describe, it } from 'node:test';
import { ROOT, blocksOf, matches, transcript } from './lib/blocks.mjs';
import { Certificates } from './lib/certificates.mjs';
import { holder, run as ctl, start as startCtl } from './lib/ctl.mjs';
import { faultOf } from './lib/described.mjs';
import { PHRASE, enter, token, tokenVhost } from './lib/issuer.mjs';
import { checkLine } from './lib/tail.mjs';
import { BUILD, Praxisd, itEnds, runPraxisd, usePraxisd, writeFiles } from './lib/praxisd.mjs';
import { Receiver, SIGNING, webhook } from './lib/receiver.mjs';
import { openV1, resume } from './lib/resuming.mjs';
import { Screen, run } from './lib/terminal.mjs';
import { until, within } from './lib/wait.mjs';

const PROGRAMS = `${path.join(BUILD, 'server')}:${path.join(BUILD, 'tools')}`;
const dir = await mkdtemp(path.join(tmpdir(), 'praxis-documented-'));
after(() => rm(dir, { recursive: true, force: true }));

const here = 'test/e2e/documented.test.mjs';
const DOCUMENTED = JSON.parse(
	readFileSync(path.join(ROOT, 'test/e2e/lib/documented.json'), 'utf8'),
);
const fits = (begins, text) =>
	typeof begins === 'string' ? text.startsWith(begins) : new RegExp(begins.pattern).test(text);

const played = new Set();

// The block of that page that begins like this; it counts as played.
async function block(page, begins) {
	const row = DOCUMENTED[page].find(([what]) => what === begins);
	assert.equal(row?.[1], here, `${page}: ${begins}`);
	played.add(row);
	return (await blocksOf(page)).find(({ text }) => fits(begins, text)).text;
}

const keysOf = (text) =>
	[...text.replace(/\n */g, '').matchAll(/[{,]"(\w+)":/g)].map(([, key]) => key);

describe('audit logs', () => {
	const file = () => path.join(praxis.dir, 'audit.jsonl');
	const key = randomBytes(32).toString('hex');
	const praxis = new Praxisd();
	before(async () => {
		await praxis.start({
			global: { audit: { file: 'audit.jsonl' } },
			vhost: tokenVhost(),
		});
		const ann = await enter(praxis, { sub: 4711, practices: [17] });
		ann.send({
			type: 'telemedicine_user_joined',
			roomId: 'r',
			appointmentId: 1,
			userId: 4711,
			userName: 'x',
		});
		await ann.next('telemedicine_room_joined');
		await ann.close();
		praxis.signal('SIGTERM');
		await praxis.ended();
	});
	after(() => praxis.kill());

	it('docs/audit.md: a line has these members in this order', async () => {
		const shown = await block('docs/audit.md', '{"seq":7');
		const lines = (await readFile(file(), 'utf8')).trimEnd().split('\n');
		const joined = lines.find((line) => JSON.parse(line).event === 'joined');
		assert.deepEqual(keysOf(joined), keysOf(shown));
	});

	it('docs/audit.md: the program verifies the chain, and finds what was changed', async () => {
		const program = path.join(dir, 'verify.py');
		await writeFile(program, await block('docs/audit.md', 'import hashlib'));
		const verify = (name) => execFileSync('python3', [program, name], { stdio: 'pipe' });
		verify(file());
		const text = await readFile(file(), 'utf8');
		const changed = path.join(dir, 'changed.jsonl');
		const lines = text.split('\n');
		for (const wrong of [
			text.replace('"user":4711', '"user":4712'),
			lines.filter((_, at) => at !== 2).join('\n'),
			[lines[1], lines[0], ...lines.slice(2)].join('\n'),
		]) {
			await writeFile(changed, wrong);
			assert.throws(() => verify(changed), /AssertionError/);
		}
	});

	it('docs/audit.md: the files of a rotated log with a key are one chain', async () => {
		const shown = await block('docs/audit.md', '{"seq":1,');
		const command = await block('docs/audit.md', 'praxisctl audit verify');
		const keyed = new Praxisd();
		try {
			await keyed.start({
				global: { audit: { file: 'audit.jsonl', 'key-file': 'key' } },
				files: { key },
				vhost: tokenVhost(),
			});
			const log = (end = '') => path.join(keyed.dir, `audit.jsonl${end}`);
			for (const end of ['.2', '.1']) {
				await (await enter(keyed)).close();
				await rename(log(), log(end));
				const since = keyed.log.length;
				keyed.signal('SIGHUP');
				await keyed.logged(/configuration reloaded/, since);
			}
			await (await enter(keyed)).close();
			keyed.signal('SIGTERM');
			await keyed.ended();
			const [first] = (await readFile(log('.2'), 'utf8')).split('\n');
			assert.deepEqual(keysOf(first), keysOf(shown));
			assert.equal(JSON.parse(first).algorithm, 'hmac-sha256');
			const words = command
				.replace('/run/secrets/audit', path.join(keyed.dir, 'key'))
				.replace(/audit\.jsonl\S*/g, (name) => path.join(keyed.dir, name))
				.split(' ');
			const { code, stdout, stderr } = await ctl(words.slice(1));
			assert.deepEqual([code, stderr], [0, ''], stdout);
		} finally {
			await keyed.kill();
		}
	});

	it('docs/audit.md: the rotation is that of the package', async () => {
		const shown = await block('docs/audit.md', '/var/log/praxis/audit.jsonl {');
		const packaged = await readFile(path.join(ROOT, 'debian/praxis.logrotate'), 'utf8');
		const lines = packaged.split('\n').map((line) => line.trim());
		for (const line of shown.split('\n').map((each) => each.trim())) {
			assert.ok(
				lines.some((each) => each.startsWith(line)),
				line,
			);
		}
	});
});

describe('docs/webhooks.md', () => {
	const receiver = new Receiver();
	let headers;
	const praxis = usePraxisd(async () => {
		const url = await receiver.listen('/your/path');
		receiver.server.prependListener('request', (request) => (headers = request.headers));
		return { vhost: tokenVhost({}, webhook(url)) };
	});
	after(() => receiver.close());

	it('a request is as the page has it, and its program verifies the signature', async () => {
		const head = await block('docs/webhooks.md', 'POST /your/path');
		const program = await block('docs/webhooks.md', 'const { t, v1 }');
		const bob = await enter(praxis);
		const opened = await receiver.event(
			'session_opened',
			({ clientId }) => clientId === bob.clientId,
		);
		const { text, url } = receiver.requests.at(-1);
		const [first, ...lines] = head.split('\n\n')[0].split('\n');
		assert.equal(first, `POST ${url} HTTP/1.1`);
		for (const line of lines) {
			const [name, value] = line.split(': ');
			const form = value.replace(/\d{10}/, '\\d{10}').replace(/[0-9a-f]{64}/, '[0-9a-f]{64}');
			assert.match(headers[name.toLowerCase()], new RegExp(`^${form}$`));
		}
		const keys = keysOf(head.split('\n\n')[1]);
		assert.deepEqual(Object.keys(JSON.parse(text)), keys.slice(0, 2));
		assert.deepEqual(Object.keys(opened).slice(0, 3), keys.slice(2, 5));
		assert.equal(opened.id.split('-').length, 2);

		const judge = new Function(
			...['header', 'body', 'secret', 'createHmac', 'timingSafeEqual', 'Buffer'],
			`${program}\nreturn good;`,
		);
		const good = (header, body, secret = SIGNING) =>
			judge(header, body, secret, createHmac, timingSafeEqual, Buffer);
		const signature = headers['praxis-signature'];
		assert.equal(good(signature, text), true);
		assert.equal(good(signature, `${text} `), false);
		assert.equal(good(signature, text, 'another secret of more than 32 bytes'), false);
		const old = Math.floor(Date.now() / 1000) - 301;
		const v1 = createHmac('sha256', SIGNING).update(`${old}.${text}`).digest('hex');
		assert.equal(good(`t=${old},v1=${v1}`, text), false);
	});

	itEnds(praxis);
});

describe('docs/operations.md', () => {
	const praxis = new Praxisd();
	after(() => praxis.kill());
	const lines = () => praxis.log.split('\n');

	// Figures differ.
	function isLogged(shown, replace = (line) => line) {
		const wanted = new Map();
		for (const line of shown.split('\n')) {
			const source = replace(line)
				.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
				.replace(/\b\d+\b/g, '\\d+')
				.replace(/^notice +/, 'notice: ');
			wanted.set(line, new RegExp(`${source}$`));
		}
		for (const [line, pattern] of wanted) {
			assert.ok(
				lines().some((each) => pattern.test(each)),
				`${line}\nin ${praxis.log}`,
			);
		}
	}

	it('logs a reload like this', async () => {
		await praxis.start({
			global: { 'state-file': 'state', 'grace-ms': 20_000 },
			services: { whiteboard: { history: 5 } },
		});
		await writeFiles(praxis.dir, {
			'conf.d/50-clinic.json': {
				vhosts: [{ name: 'clinic', port: 0, interface: '127.0.0.1' }],
				global: { 'max-connections': 5000 },
			},
			'conf.d/50-history.json': {
				vhost: 'default',
				'ws-protocols': [{ whiteboard: { history: 7 } }],
			},
		});
		praxis.signal('SIGHUP');
		await praxis.logged(/configuration reloaded/);
		isLogged(await block('docs/operations.md', 'notice  reload:'));
	});

	it('logs a restart like this', async () => {
		const shown = await block('docs/operations.md', 'state: saved 12 lines');
		const ann = await openV1(praxis, 'practiceId=1&userId=ann&userName=ann');
		praxis.signal('SIGTERM');
		await praxis.ended();
		isLogged(shown.split('\n')[0]);
		await praxis.launch();
		isLogged(shown.split('\n')[1]);
		await (await resume(praxis, ann)).close();
	});

	it('praxisctl tail shows this', async () => {
		await praxis.stop();
		await praxis.start({ vhost: tokenVhost() });
		const [{ command, output }] = transcript(
			await block('docs/operations.md', '$ praxisctl tail'),
		);
		const ids = new Map();
		const [ann, bob] = [await enter(praxis), await enter(praxis)];
		const child = startCtl(
			command.split(' ').slice(1),
			holder(praxis, await token({ role: 'admin', practices: ['*'] })),
		);
		let said = '';
		for (const stream of [child.stdout, child.stderr]) {
			stream.setEncoding('utf8').on('data', (text) => (said += text));
		}
		const rows = () => said.trimEnd().split('\n');
		await until(
			() => said,
			() => said.includes('\n'),
		);
		ann.send({ type: 'whiteboard_update', practiceId: 1, data: {}, id: 1 });
		await ann.next('ack');
		ann.send({ type: 'telemedicine_end', roomId: 'r' });
		await ann.next('error');
		await until(
			() => said,
			() => rows().length >= output.length,
		);
		child.kill('SIGINT');
		await within(new Promise((resolve) => child.once('close', resolve)), 'the end of tail');
		const anySize = (line) => line.replace(/ {2,}\d+(?=$| {2})/, '  …');
		output.map(anySize).forEach((line, at) => {
			assert.ok(matches(line, rows()[at].replace(/ +$/, ''), ids), `${line}\n${rows()[at]}`);
		});
		await Promise.all([ann.close(), bob.close()]);
		await praxis.stop();
	});

	it('the drop-in of the unit is one', async (t) => {
		const shown = await block('docs/operations.md', '[Service]');
		const unit = await readFile(
			path.join(ROOT, 'packaging/systemd/praxisd.service.in'),
			'utf8',
		);
		for (const line of shown.split('\n').slice(1)) {
			assert.ok(unit.includes(`\n${line.split('=')[0]}=`), line); // it takes back what the unit has
		}
		const file = path.join(dir, 'drop-in.service');
		await writeFile(file, `${shown}\nExecStart=/bin/true\n`);
		try {
			execFileSync('systemd-analyze', ['verify', file], { stdio: 'pipe' });
		} catch (error) {
			if (error.code !== 'ENOENT') {
				throw error;
			}
			t.diagnostic('there is no systemd-analyze');
		}
	});
});

// A shell in which systemctl does what the unit does, to the server of a test.
const systemctl = (praxis) =>
	`systemctl() { [ "$*" != 'reload praxisd' ] || kill -HUP ${praxis.pid}; }; sudo() { "$@"; }`;

const certificateOf = (port) =>
	new Promise((resolve, reject) => {
		const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
			resolve(socket.getPeerCertificate().subject.CN);
			socket.destroy();
		});
		socket.once('error', reject);
	});

describe('docs/operations.md: TLS renewal', () => {
	const praxis = new Praxisd();
	let certificates;
	after(async () => {
		await praxis.kill();
		await certificates?.remove();
	});

	it('the hook of certbot brings the new certificate into force', async () => {
		certificates = await Certificates.make();
		for (const name of ['old', 'new']) {
			await certificates.issue(name, { subject: `/CN=${name}.test` });
			const live = path.join(certificates.dir, name);
			await mkdir(live);
			await copyFile(certificates.path(`${name}.pem`), path.join(live, 'fullchain.pem'));
			await copyFile(certificates.path(`${name}.key`), path.join(live, 'privkey.pem'));
		}
		const inUse = path.join(certificates.dir, 'tls');
		await mkdir(inUse);
		const hook = path.join(certificates.dir, 'hook');
		const text = (await block('docs/operations.md', '#!/bin/sh'))
			.replaceAll('/etc/praxis/tls', inUse)
			.replace('-o root -g praxis ', '');
		await writeFile(hook, text);
		const deploy = (name) =>
			run(`. ${hook}`, {
				env: { ...process.env, RENEWED_LINEAGE: path.join(certificates.dir, name) },
				prelude: praxis.port ? systemctl(praxis) : 'systemctl() { :; }',
			});
		await deploy('old');
		await praxis.start({
			vhost: {
				'host-ssl-cert': path.join(inUse, 'fullchain.pem'),
				'host-ssl-key': path.join(inUse, 'privkey.pem'),
			},
		});
		assert.equal(await certificateOf(praxis.port), 'old.test');
		const since = praxis.log.length;
		await deploy('new');
		await praxis.logged(/configuration reloaded/, since);
		assert.equal(await certificateOf(praxis.port), 'new.test');
		await praxis.stop();
	});
});

describe('docs/operations.md: backup', () => {
	const praxis = new Praxisd();
	const root = path.join(dir, 'machine');
	const logs = path.join(root, 'var/log/praxis');
	after(() => praxis.kill());

	it('what was restored serves the same clients, and goes on with the audit log', async () => {
		const backup = await block('docs/operations.md', 'tar -czf');
		const restore = await block('docs/operations.md', 'systemctl stop praxisd');
		await mkdir(logs, { recursive: true });
		await writeFiles(root, { 'etc/default/praxis': 'PRAXIS_PORT=9002\n' });
		await praxis.start({
			global: { audit: { file: path.join(logs, 'audit.jsonl'), 'key-file': 'audit.key' } },
			vhost: tokenVhost({ secret: undefined, 'secret-file': '../secret' }),
			files: {
				'audit.key': randomBytes(32).toString('hex'),
				secret: PHRASE,
			},
		});
		const shell = (text) =>
			run(
				text
					.replaceAll('/etc/praxis', praxis.dir)
					.replaceAll('/etc/default', path.join(root, 'etc/default'))
					.replaceAll('/var/log/praxis', logs),
				{
					cwd: dir,
					env: { ...process.env, PATH: `${PROGRAMS}:${process.env.PATH}` },
					prelude: `set -e; ${systemctl(praxis)}`,
				},
			);
		const theirs = { sub: 'ann', practices: [1] };
		await (await enter(praxis, theirs)).close();
		await until('a line', async () => {
			return /"disconnected"/.test(await readFile(path.join(logs, 'audit.jsonl'), 'utf8'));
		});
		await shell(backup); // while it runs
		const lines = async () =>
			(await readFile(path.join(logs, 'audit.jsonl'), 'utf8')).trimEnd().split('\n');
		const saved = (await lines()).length;
		praxis.signal('SIGKILL');
		await within(praxis.exited, 'the end of praxisd');
		for (const lost of [praxis.dir, logs, path.join(root, 'etc')]) {
			await rm(lost, { recursive: true });
		}

		assert.match(await shell(restore), /The configuration is valid\./);
		await praxis.launch();
		await (await enter(praxis, theirs)).close();
		praxis.signal('SIGTERM');
		await praxis.ended();
		const events = (await lines()).map((line) => JSON.parse(line));
		assert.deepEqual(
			events.map(({ seq }) => seq),
			events.map((_, at) => at + 1),
		);
		assert.ok(events.length > saved);
		assert.ok(!events.some(({ event }) => event === 'trail_gap'));
		await shell(restore.split('\n').find((line) => /audit verify/.test(line)));
	});
});

describe('messages', () => {
	for (const begins of [
		'{"type":"connection_established"',
		'{"type":"error"',
		'{"type":"whiteboard_presence"',
	]) {
		it(`docs/protocol.md: ${begins}`, async () => {
			const text = await block('docs/protocol.md', begins);
			assert.equal(faultOf('server', JSON.parse(text)), undefined);
		});
	}

	it('docs/api.md: lines of a tail', async () => {
		const text = await block('docs/api.md', '{"at":');
		text.split('\n').forEach((line) => checkLine(JSON.parse(line)));
	});
});

describe('plugins/telemedicine/README.md', () => {
	const praxis = new Praxisd();
	after(() => praxis.kill());

	it('a patient waits and is admitted', async () => {
		const page = 'plugins/telemedicine/README.md';
		const config = JSON.parse(await block(page, '{ "vhost"'));
		const patients = transcript(await block(page, '$ TOKEN='));
		const vets = transcript(await block(page, '> {"type":"telemedicine_user_joined"'));
		await praxis.start({
			vhost: {
				'open-practice': undefined,
				tokens: { 'secret-file': '../secret', query: true },
			},
			files: { secret: randomBytes(32).toString('hex'), 'conf.d/50-waiting.json': config },
		});
		const env = { ...process.env };
		const screens = [];
		const ids = new Map();
		const shell = (command) =>
			run(
				command
					.replace('build/tools/praxisctl', path.join(BUILD, 'tools/praxisctl'))
					.replace('build/run/secret', path.join(praxis.dir, 'secret')),
				{ env },
			);
		const open = async () =>
			screens.push(
				await Screen.open(`ws://127.0.0.1:${praxis.port}/ws?access_token=${env.TOKEN}`),
			);
		const play = async (parts) => {
			for (const { command, typed, received } of parts) {
				if (command) {
					await (/-m websockets/.test(command) ? open() : shell(command));
				} else if (typed) {
					const known = [...ids].reduce(
						(text, [from, to]) => text.replaceAll(from, to),
						typed,
					);
					screens.at(-1).send(known);
				} else {
					await until(
						() =>
							`${received}\namong\n${screens.flatMap((each) => each.lines).join('\n')}`,
						() =>
							screens.some((each) =>
								each.take((line) => matches(received, line, ids)),
							),
					);
				}
			}
		};
		await play(patients);
		const vet = patients[0].command
			.replace("'Ms Rex'", "'Dr Vet'")
			.replace('--user 99', '--user 7');
		await shell(vet.replace('--role patient', '--role staff').replace(/--room \S+/, ''));
		await open();
		await play(vets);
		screens.forEach(({ socket }) => socket.close());
		await praxis.stop();
	});
});

describe('Prometheus', () => {
	it('docs/metrics.md, docs/alerts.md: reads this configuration', async () => {
		const scrape = await block('docs/metrics.md', 'scrape_configs:');
		const rules = await block('docs/alerts.md', 'rule_files:');
		const secret = path.join(dir, 'praxis.token');
		await writeFile(secret, 'x');
		const [local, remote] = scrape.split(/^# from another machine\n/m);
		const alerts = path.join(ROOT, 'packaging/prometheus/alerts.yml');
		for (const jobs of [local, `scrape_configs:\n${remote}`]) {
			const file = path.join(dir, 'prometheus.yml');
			const text = `${rules}\n${jobs}`
				.replace('/etc/prometheus/praxis-alerts.yml', alerts)
				.replace('/etc/prometheus/praxis.token', secret);
			assert.ok(text.includes(alerts));
			await writeFile(file, text);
			execFileSync('promtool', ['check', 'config', file], { stdio: 'pipe' });
		}
	});
});

describe('commands', () => {
	// That a program is there and knows the options: their full runs take minutes.
	function knows(command, program, source = program) {
		assert.ok(existsSync(path.join(ROOT, program)), program);
		const text = readFileSync(path.join(ROOT, source), 'utf8');
		const options = command.match(/(?<=\s)--[a-z-]+/g) ?? [];
		for (const option of options) {
			assert.match(
				text,
				new RegExp(`["'\\s]${option}\\b|["']?${option.slice(2)}["']?[:,]`),
				option,
			);
		}
	}

	it('docs/configuration.md: praxisd has these options', async () => {
		const { stdout } = await runPraxisd(['--help']);
		const text = await block('docs/configuration.md', 'praxisd  ');
		for (const [option] of text.matchAll(/--[a-z-]+/g)) {
			assert.match(stdout, new RegExp(`${option}\\b`));
		}
	});

	it('of the benchmark, the soak, the simulation and the mutants', async () => {
		knows(await block('docs/performance.md', 'test/bench/run.mjs'), 'test/bench/run.mjs');
		for (const name of ['memory', 'fanout']) {
			const file = `test/bench/${name}.mjs`;
			knows(await block('docs/performance.md', `node ${file}`), file);
		}
		knows(await block('docs/reliability.md', 'node test/soak/run.mjs'), 'test/soak/run.mjs');
		for (const page of ['docs/reliability.md', 'CONTRIBUTING.md']) {
			knows(await block(page, 'test/mutate/mutate.py'), 'test/mutate/mutate.py');
		}
		knows(await block('docs/reliability.md', 'while build/test/sim/lives'), 'test/sim/lives.c');
		const counts = await block('docs/performance.md', 'scripts/test counts');
		knows(counts, 'test/counts/counts.py');
		assert.match(
			await readFile(path.join(ROOT, 'scripts/test'), 'utf8'),
			/^steps=\(.*\bcounts\b/m,
		);
	});

	it('INSTALL.md: the build has these options, and makes these files', async () => {
		const text = await block('INSTALL.md', 'npm --prefix client ci');
		const options = await readFile(path.join(ROOT, 'meson_options.txt'), 'utf8');
		for (const [, option] of text.matchAll(/ -D(\w+)=/g)) {
			assert.match(options, new RegExp(`^option\\('${option}'`, 'm'));
		}
		for (const name of ['praxisd.service.in', 'sysusers.conf', 'tmpfiles.conf']) {
			assert.ok(existsSync(path.join(ROOT, 'packaging/systemd', name)));
		}
	});

	it('docs/migration.md: what is left of another system is found', async () => {
		const command = await block('docs/migration.md', 'grep -rnE');
		await mkdir(path.join(dir, 'src'), { recursive: true });
		await writeFile(
			path.join(dir, 'src/a.ts'),
			"const socket = new WebSocket('ws://x:9003');\nclean();\n",
		);
		const env = { ...process.env };
		assert.match(await run(command, { cwd: dir, env }), /^src\/a\.ts:1:.*\n$/);
	});
});

describe('and those of this file', () => {
	it('were played', () => {
		const rows = Object.entries(DOCUMENTED).flatMap(([page, all]) =>
			all.filter(([, who]) => who === here).map((row) => ({ page, row })),
		);
		const left = rows.filter(({ row }) => !played.has(row));
		assert.deepEqual(
			left.map(({ page, row }) => `${page}: ${row[0]}`),
			[],
		);
	});
});
