// SPDX-License-Identifier: MIT
//
// A day in the field: one server from the morning to the evening, with tokens, audit log, webhooks and
// state file, behind a real nginx with TLS; screens that come back by themselves, a page of the old
// system, a Java application where there is a JDK; and what happens to machines, one after another.
// In the evening everything that was confirmed is at everybody who stayed, once and in order.
//
// Each part goes on where the one before left off, so after one that fails the rest is not tried.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Certificates } from './lib/certificates.mjs';
import { Clock } from './lib/clock.mjs';
import { run as ctl } from './lib/ctl.mjs';
import { Disk } from './lib/disk.mjs';
import { get, Wire } from './lib/http.mjs';
import { bearer, claimsOf, nowS, sign, tokenVhost } from './lib/issuer.mjs';
import { OldClient } from './lib/oldclient.mjs';
import { BUILD, Praxisd, secret, writeFiles } from './lib/praxisd.mjs';
import { freePort } from './lib/ports.mjs';
import { startNginx } from './lib/proxies.mjs';
import { RawClient } from './lib/raw.mjs';
import { Receiver, webhook } from './lib/receiver.mjs';
import { Screen } from './lib/screen.mjs';
import { until } from './lib/wait.mjs';

const HOUR_S = 3600;
const PRAXISD = path.join(BUILD, 'server', 'praxisd');
const NO_CLOCK = Clock.lacks(PRAXISD);
const ROOM = 'consulting-room';
const PROXIED = `
	proxy_set_header Host $http_host;
	proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
	proxy_set_header X-Forwarded-Proto $scheme;`;

// Why there is no JDK here, or null.
function lacksJdk() {
	try {
		const modules = execFileSync('java', ['--list-modules'], { encoding: 'utf8' });
		return /^jdk\.compiler@/m.test(modules) ? null : 'this Java has no compiler';
	} catch {
		return 'there is no java';
	}
}

// The Java application: what it tells, line by line.
class Jdk {
	#lines = [];

	constructor(args, env) {
		const source = fileURLToPath(new URL('lib/JdkClient.java', import.meta.url));
		this.child = spawn('java', ['-Xshare:auto', '-XX:TieredStopAtLevel=1', source, ...args], {
			env: { ...process.env, ...env },
			stdio: ['pipe', 'pipe', 'pipe'],
		});
		this.errors = '';
		this.child.stderr.setEncoding('utf8').on('data', (text) => {
			this.errors += text;
		});
		createInterface({ input: this.child.stdout }).on('line', (line) => this.#lines.push(line));
	}

	line(pattern) {
		return until(
			() => `a line with ${pattern} of Java: ${this.#lines}${this.errors}`,
			() => {
				const at = this.#lines.findIndex((line) => pattern.test(line));
				return at < 0 ? null : this.#lines.splice(at, 1)[0];
			},
		);
	}

	say(line) {
		this.child.stdin.write(`${line}\n`);
	}
}

describe('a day in the field', () => {
	const praxis = new Praxisd();
	const receiver = new Receiver();
	const confirmed = new Map(); // seq → data
	const everybody = [];
	let certificates;
	let clock;
	let disk;
	let nginx;
	let auditLog;
	let ca;
	let ann;
	let bob;
	let cleo;
	let patient;
	let other;
	let old;
	let team;
	let failed = null;

	const part = (name, body, options = {}) =>
		it(name, options, async () => {
			assert.equal(failed, null, `the day ended with "${failed}"`);
			failed = name;
			await body();
			failed = null;
		});

	const url = () => `wss://127.0.0.1:${nginx.port}/ws`; // of localhost Node 18 tries one address alone

	async function open(claims = {}) {
		const screen = await Screen.open({
			url,
			options: { ca },
			exp: nowS() + 3 * HOUR_S,
			...claims,
		});
		everybody.push(screen);
		return screen;
	}

	async function say(who, count = 1) {
		const all = who.flatMap((screen) => Array.from({ length: count }, () => screen.update()));
		for (const { seq, data } of await Promise.all(all)) {
			confirmed.set(seq, data);
		}
	}

	// The team's boards are the same, and old client and other practice have what they should.
	async function agree() {
		await Promise.all(team.map((screen) => screen.fence()));
		assert.deepEqual(
			team.flatMap(({ faults }) => faults),
			[],
		);
		const ends = team.map(({ board }) => board.at(-1).seq);
		assert.deepEqual(
			ends,
			team.map(() => Math.max(...confirmed.keys())),
		);
	}

	async function hup(files, outcome = /configuration reloaded/) {
		for (const [name, content] of Object.entries(files)) {
			if (content === null) {
				await rm(path.join(praxis.dir, name));
			} else {
				await writeFiles(praxis.dir, { [name]: content });
			}
		}
		const since = praxis.log.length;
		praxis.signal('SIGHUP');
		await praxis.logged(outcome, since);
	}

	async function resumes() {
		return (await praxis.stats()).resume;
	}

	const lines = async () =>
		(await readFile(auditLog, 'utf8'))
			.trim()
			.split('\n')
			.map((line) => JSON.parse(line));

	before(async () => {
		certificates = await Certificates.make();
		await certificates.issue('nginx', { names: 'IP:127.0.0.1' });
		ca = await readFile(certificates.path('nginx.pem'));
		disk = await Disk.make();
		auditLog = path.join(disk.dir, 'audit.jsonl');
		clock = NO_CLOCK ? null : new Clock(certificates.path('clock'), PRAXISD);
		const hook = await receiver.listen();
		const port = await freePort();
		nginx = await startNginx(port, PROXIED, {
			reloads: true,
			tls: { cert: certificates.path('nginx.pem'), key: certificates.path('nginx.key') },
		});
		await praxis.start({
			env: clock?.env,
			global: {
				'grace-ms': 30_000,
				'heartbeat-ms': 1000,
				'state-file': 'state',
				audit: { file: auditLog, sync: 'line' },
			},
			vhost: tokenVhost(
				{ cookie: 'session' },
				{ ...webhook(hook), port, 'trusted-proxies': ['127.0.0.1'] },
			),
		});
	});

	after(async () => {
		await Promise.allSettled(everybody.map((screen) => screen.close()));
		await old?.close();
		await praxis.kill();
		await nginx?.stop();
		await receiver.close();
		await disk?.remove();
		await certificates?.remove();
	});

	part('morning: all come, the board is kept, and somebody is called', async () => {
		ann = await open();
		bob = await open();
		cleo = await open();
		team = [ann, bob, cleo];
		other = await open({ practices: [2] });
		patient = await open({ role: 'patient', rooms: [ROOM] });
		const token = await sign(claimsOf({ sub: 12, exp: nowS() + 3 * HOUR_S }));
		old = new OldClient(url(), {
			ca,
			headers: { Cookie: `session=${token}`, Origin: `https://127.0.0.1:${nginx.port}` },
		});
		await until(
			() => `a word on join-room to the old page: ${JSON.stringify(old.heard)}`,
			() => {
				return old
					.of('error')
					.some(({ code }) => ['bad_message', 'unknown_type'].includes(code));
			},
		);
		await say(team, 20);
		await say([ann]);
		await agree();
		await until('the old page to have it', () => old.of('whiteboard_update').length >= 61);
		old.send({ type: 'whiteboard_update', practiceId: 1, data: 'of the old page', id: 1 });
		const seq = await until('a receipt', () => old.of('ack')[0]?.seq);
		confirmed.set(seq, 'of the old page');
		await agree();

		await ann.join(ROOM);
		await patient.join(ROOM);
		await ann.next('telemedicine_user_joined');
		await ann.signal('offer', ROOM, { sdp: secret('sdp') });
		await patient.next('telemedicine_offer');
		await patient.signal('answer', ROOM, { sdp: secret('sdp') });
		await ann.next('telemedicine_answer');
		for (const [one, two] of [
			[ann, patient],
			[patient, ann],
		]) {
			await one.signal('ice_candidate', ROOM, { candidate: secret('candidate') });
			await two.next('telemedicine_ice_candidate');
			const said = await one.chat(ROOM);
			await two.fence();
			assert.equal(two.chats.at(-1), said);
		}
	});

	const jdk = lacksJdk();
	part(
		'a Java application comes by, with HTTP/2 in mind',
		async () => {
			const base = `http://127.0.0.1:${praxis.port}`;
			const words = secret('java');
			const java = new Jdk(
				[base, `https://127.0.0.1:${nginx.port}`, certificates.path('nginx.pem')],
				{
					PRAXIS_TOKEN: await sign(claimsOf({ role: 'service', exp: nowS() + HOUR_S })),
					PRAXIS_WORDS: words,
				},
			);
			try {
				for (let way = 0; way < 2; way++) {
					assert.equal(await java.line(/^health/), 'health 200 HTTP_1_1');
					const [, status, body] = /^published (\d+) (.*)$/.exec(
						await java.line(/^published/),
					);
					assert.equal(status, '200', body);
					confirmed.set(JSON.parse(body).seq, words);
				}
				await java.line(/^open/);
				await java.line(/^got .*connection_established/);
				await say([bob]);
				await java.line(/^got .*"whiteboard_update"/);
				java.say(
					`say {"type":"whiteboard_update","practiceId":1,"data":"${words}","id":7}`,
				);
				confirmed.set(JSON.parse((await java.line(/^got .*"ack"/)).slice(4)).seq, words);
				await agree();
				java.say('close');
				await java.line(/^closed 1000/);
			} finally {
				java.child.stdin.end();
				java.child.kill('SIGKILL');
			}
		},
		{ skip: jdk ?? false },
	);

	part('nginx is reloaded: every connection is cut, and nothing is lost', async () => {
		const { sessions_opened: opened } = await praxis.stats();
		const pages = old.opened;
		const counts = everybody.map((screen) => screen.resumes);
		nginx.signal('SIGHUP');
		await Promise.all([
			say(team, 10),
			...everybody.map((screen, at) => screen.resumed(counts[at] + 1)),
		]);
		await say(team, 5);
		await agree();
		await until('the old page to be back', () => old.opened > pages);
		assert.equal((await praxis.stats()).sessions_opened, opened, 'everybody is who they were');
		const said = await patient.chat(ROOM);
		await ann.fence();
		assert.equal(ann.chats.at(-1), said);
	});

	part('a token ends, another is renewed in time', async () => {
		const lazy = await open({ exp: nowS() + 8 });
		const keen = await open({ exp: nowS() + 8 });
		await keen.next('auth_expiring');
		await keen.renew({ exp: nowS() + 3 * HOUR_S });
		await until('the end of the one', () => lazy.codes.length > 0);
		assert.deepEqual(lazy.codes, [4401]);
		await keen.fence();
		assert.deepEqual(keen.codes, []);
		await keen.close();
	});

	part('SIGHUP with other settings, and again with broken ones, sends nobody away', async () => {
		const sessions = (await praxis.stats()).sessions;
		await Promise.all([
			say(team, 10),
			hup({
				'conf.d/50-more.json': {
					global: { 'queue-age-ms': 20_000, 'resume-messages': 1000 },
				},
			}),
		]);
		await hup({ 'conf.d/60-bad.json': '{' }, /nothing was changed/);
		await rm(path.join(praxis.dir, 'conf.d/60-bad.json'));
		await agree();
		assert.equal((await praxis.stats()).sessions, sessions);
	});

	part('a service is switched off and on', async () => {
		const off = {
			vhost: 'default',
			'ws-protocols': [{ telemedicine: { status: 'disabled' } }],
		};
		await hup({ 'conf.d/90-off.json': off });
		const refused = await ann.ask({
			type: 'telemedicine_user_joined',
			roomId: ROOM,
			appointmentId: 1,
			userId: 1,
			userName: 'x',
		});
		assert.equal(refused.code, 'service_disabled');
		await say(team, 2);
		await agree();
		await hup({ 'conf.d/90-off.json': null });
		await ann.join(ROOM);
		await patient.join(ROOM);
		const said = await ann.chat(ROOM);
		await patient.fence();
		assert.equal(patient.chats.at(-1), said);
	});

	part(
		'the clock steps, an hour forward and back, and further back',
		async () => {
			const began = Date.now();
			receiver.clocks = [0, HOUR_S * 1000, -HOUR_S * 1000];
			const short = await open({ exp: nowS() + HOUR_S / 2 });
			await bob.join('clock');
			const { sessions_opened: opened } = await praxis.stats();
			for (const step of [HOUR_S, 0, -HOUR_S, 0]) {
				cleo.away();
				await until('one that is away', async () => (await resumes()).detached === 1);
				clock.set(step);
				const pings = everybody.map((screen) => screen.pings);
				await say([ann, bob]);
				await cleo.back();
				if (step === HOUR_S) {
					await until('the end of what has half an hour', () => short.codes.length > 0);
					assert.deepEqual(short.codes, [4401]);
				}
				const here = everybody.filter((screen) => screen.isOpen);
				assert.equal(here.length, 5, 'nobody else went');
				await until('heartbeats to go on', () => {
					return here.every((screen) => screen.pings > pings[everybody.indexOf(screen)]);
				});
				await agree();
				const refusal = await get(praxis.port, '/api/v1/clients', bearer('no.token.atall'));
				assert.ok([401, 429].includes(refusal.status), refusal.body);
				const { at } = await until('its line in the audit log', async () => {
					const last = (await lines()).at(-1);
					return last.event === 'refused' && last;
				});
				assert.ok(
					Math.abs(Date.parse(at) - Date.now() - step * 1000) < 30_000,
					`${at} is the clock's`,
				);
			}
			await bob.leave('clock');
			const left = await receiver.event('member_left', ({ roomId }) => roomId === 'clock');
			const ended = await receiver.event('room_ended', ({ roomId }) => roomId === 'clock');
			const session = await receiver.event(
				'session_closed',
				({ clientId }) => clientId === short.clientId,
			);
			for (const { type, durationMs } of [left, ended, session]) {
				assert.ok(
					durationMs >= 0 && durationMs <= Date.now() - began,
					`${type}: ${durationMs} ms`,
				);
			}
			assert.equal((await praxis.stats()).sessions_opened, opened);
		},
		{ skip: NO_CLOCK ?? false },
	);

	part(
		'descriptors end: it says so, those who are here go on, and others come when there are some',
		async () => {
			const have = readdirSync(`/proc/${praxis.pid}/fd`).length;
			const before = /\s(\d+)\s/.exec(
				execFileSync(
					'prlimit',
					['--pid', String(praxis.pid), '--nofile', '--noheadings', '--output', 'SOFT'],
					{ encoding: 'utf8' },
				).replace(/^|$/g, ' '),
			)[1];
			const limit = (count) =>
				execFileSync('prlimit', ['--pid', String(praxis.pid), `--nofile=${count}:`]);
			const since = praxis.log.length;
			limit(have + 6);
			const wires = await Promise.all(
				Array.from({ length: 20 }, () => Wire.open(praxis.port)),
			);
			await praxis.logged(/error: .*cannot accept connections/, since);
			await say(team, 5);
			await agree();
			limit(before);
			// Whoever took the last ones was told; those who had to wait are let in without asking again.
			const answers = [];
			for (const wire of wires) {
				wire.write('GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
				const { status, body } = await wire.response();
				answers.push(status === 503 ? JSON.parse(body).error.code : status);
				wire.close();
			}
			assert.ok(
				answers.every((answer) => [200, 'unavailable'].includes(answer)),
				String(answers),
			);
			await until('readiness', async () => (await get(praxis.port, '/ready')).status === 200);
			const newcomer = await open();
			await newcomer.close();
		},
	);

	part(
		'the disk ends: nobody is let in unwritten, those who are here go on, and it recovers',
		async () => {
			disk.fill(praxis.pid, auditLog);
			const headers = bearer(await sign(claimsOf({ exp: nowS() + HOUR_S })));
			// A connection or two may still fit into the audit log's last page.
			const { code } = await until('a refusal', async () => {
				const guest = await RawClient.open(praxis.port, '/ws', {}, { headers });
				const isIn = await guest.next().catch(() => null);
				return isIn ? void (await guest.close()) : guest.closing();
			});
			assert.equal(code, 1013);
			assert.equal((await get(praxis.port, '/ready')).status, 503);
			await say(team, 5);
			await agree();
			const joining = await cleo.ask({
				type: 'telemedicine_user_joined',
				roomId: 'unwritten',
				appointmentId: 1,
				userId: 1,
				userName: 'x',
			});
			assert.equal(joining.code, 'unavailable');
			disk.free(praxis.pid);
			const newcomer = await open();
			await newcomer.close();
			await until('readiness', async () => (await get(praxis.port, '/ready')).status === 200);
			const gap = (await lines()).find(({ event }) => event === 'trail_gap');
			assert.equal(gap.reason, 'unwritten');
		},
	);

	part('nobody takes webhooks for a while: then each comes once, in order', async () => {
		await receiver.close();
		const visits = [];
		for (let visit = 0; visit < 5; visit++) {
			const guest = await open({ practices: [3] });
			await guest.join('r');
			await guest.close();
			visits.push(guest.clientId);
		}
		await until(
			'an attempt that failed',
			async () => (await praxis.stats()).webhooks.failed > 0,
		);
		await receiver.listen();
		await receiver.event('session_closed', ({ clientId }) => clientId === visits.at(-1));
		assert.deepEqual(
			receiver.types(3),
			visits.flatMap(() => [
				'session_opened',
				'room_started',
				'member_joined',
				'member_left',
				'room_ended',
				'session_closed',
			]),
		);
		assert.equal(receiver.doubles, 0);
	});

	part('the server is started anew: everybody is resumed', async () => {
		const counts = everybody.map((screen) => screen.resumes);
		const staying = everybody.filter((screen) => screen.isOpen);
		assert.equal(staying.length, 5);
		const pages = old.opened;
		const saying = say(team, 5);
		praxis.signal('SIGTERM');
		await praxis.ended();
		await praxis.launch();
		await Promise.all([
			saying,
			...staying.map((screen) => screen.resumed(counts[everybody.indexOf(screen)] + 1)),
		]);
		await agree();
		const said = await patient.chat(ROOM);
		await ann.fence();
		assert.equal(ann.chats.at(-1), said);
		await until('the old page to be back', () => old.opened > pages);
	});

	part('evening: all is there, once and in order, and nothing is left behind', async () => {
		await say([ann]);
		await agree();
		for (const { board } of team) {
			for (const { seq, data } of board) {
				assert.ok(
					data === null || data === confirmed.get(seq),
					`update ${seq} is what was confirmed`,
				);
			}
		}
		const whole = ann.board.map(({ seq }) => seq);
		assert.deepEqual(
			[...confirmed.keys()].sort((a, b) => a - b),
			whole,
		);
		const last = Math.max(...confirmed.keys());
		await until(
			'the old page to have the last',
			() => old.of('whiteboard_update').at(-1).seq === last,
		);
		const heard = old.of('whiteboard_update').map(({ seq }) => seq);
		assert.ok(
			heard.every((seq, at) => at === 0 || seq > heard[at - 1]),
			`in order, none twice: ${heard}`,
		);
		assert.ok(!old.gaveUp);
		assert.deepEqual(other.board, [], 'nothing of another practice');
		assert.deepEqual(patient.board, [], 'nothing for a patient');
		assert.deepEqual(
			everybody.flatMap(({ faults }) => faults),
			[],
		);

		await Promise.all(everybody.map((screen) => screen.close()));
		await old.close();
		await praxis.settle();
		await until('all webhooks', async () => {
			return (
				receiver.of(1, 'session_closed').length === receiver.of(1, 'session_opened').length
			);
		});
		for (const { clientId, claims } of everybody) {
			const [practice] = claims.practices;
			const ends = ['session_opened', 'session_closed'];
			const types = receiver
				.of(practice)
				.filter((event) => event.clientId === clientId && ends.includes(event.type))
				.map(({ type }) => type);
			assert.deepEqual(types, ends, `what was told of ${claims.sub}`);
		}
		for (const type of ['room', 'member']) {
			const [begins, ends] =
				type === 'room' ? ['room_started', 'room_ended'] : ['member_joined', 'member_left'];
			assert.equal(receiver.of(1, begins).length, receiver.of(1, ends).length, type);
		}
		assert.deepEqual(receiver.violations, []);
		praxis.signal('SIGTERM');
		await praxis.ended();
		const { code, stdout, stderr } = await ctl(['audit', 'verify', auditLog]);
		assert.equal(code, 0, stdout + stderr);
		assert.doesNotMatch(await readFile(auditLog, 'utf8'), /SECRET/);
	});
});
