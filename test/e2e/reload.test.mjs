// SPDX-License-Identifier: MIT
//
// SIGHUP puts a new configuration in force, whole or not at all. In every test two clients of a
// vhost that the change does not concern talk to each other all the while: nothing of what they say
// may be lost, doubled or out of order, and neither may hear of the reload.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, readdir, rm } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Certificates } from './lib/certificates.mjs';
import { WsClient } from './lib/client.mjs';
import { Wire, request } from './lib/http.mjs';
import { freePort } from './lib/ports.mjs';
import { BUILD, itEnds, Praxisd, secret, usePraxisd, writeFiles } from './lib/praxisd.mjs';
import { RawClient } from './lib/raw.mjs';
import { openV1, resume } from './lib/resuming.mjs';
import { SMALL_BUFFERS, stubbornClient } from './lib/stubborn.mjs';
import { Issuer } from './lib/tokens.mjs';
import { until } from './lib/wait.mjs';

const run = promisify(execFile);
const PRAXISCTL = path.join(BUILD, 'tools', 'praxisctl');

let users = 0;

const services = (...names) => names.map((name) => ({ [name]: { status: 'ok' } }));

// A vhost beside the default one.
const vhost = (name, port, more = {}) => ({
	name,
	port,
	interface: '127.0.0.1',
	'open-practice': '1',
	'ws-protocols': services('whiteboard', 'telemedicine'),
	...more,
});

const extra = (...vhosts) => ({ 'conf.d/50-extra.json': { vhosts } });

// Connects to any port, with or without the server's being `default`'s.
async function join(
	port,
	{ host = '127.0.0.1', protocols = ['praxis.v1'], practice = 1, ...options } = {},
) {
	const userId = `reload-user-${++users}`;
	const query = `practiceId=${practice}&role=staff&userId=${userId}&userName=${userId}`;
	const scheme = options.tls ? 'wss' : 'ws';
	const client = await WsClient.open(
		`${scheme}://${host}:${port}/ws?${query}`,
		protocols,
		{ userId },
		{
			rejectUnauthorized: false,
			...options,
		},
	);
	client.hello = await client.next('connection_established');
	return client;
}

function reaches(port, host = '127.0.0.1') {
	return new Promise((resolve) => {
		const socket = net.connect({ port, host });
		socket.once('connect', () => resolve(true) ?? socket.destroy());
		socket.once('error', () => resolve(false));
	});
}

// Sends SIGHUP and waits until the outcome is logged: what was logged on the way.
async function hup(praxis, outcome = /configuration reloaded/) {
	const since = praxis.log.length;
	praxis.signal('SIGHUP');
	await praxis.logged(/configuration reloaded|nothing was changed/, since);
	const lines = praxis.log.slice(since);
	assert.match(lines, outcome);
	return lines;
}

async function reload(praxis, files, outcome) {
	await Promise.all(
		Object.keys(files)
			.filter((file) => files[file] === null)
			.map((file) => rm(path.join(praxis.dir, file), { force: true })),
	);
	await writeFiles(
		praxis.dir,
		Object.fromEntries(Object.entries(files).filter(([, content]) => content !== null)),
	);
	return hup(praxis, outcome);
}

async function assertSentAway(client) {
	const told = await client.next('server_draining');
	assert.ok(Number.isInteger(told.reconnectAfterMs) && told.reconnectAfterMs >= 0);
	assert.equal((await client.closing()).code, 1012);
}

// Two who talk on the vhost `default`, until stop() counts what arrived.
class Talk {
	static async start(praxis) {
		const talk = new Talk();
		talk.ann = await praxis.connect({ practiceId: 99 });
		talk.bob = await praxis.connect({ practiceId: 99 });
		talk.sent = 0;
		talk.say();
		talk.timer = setInterval(() => talk.say(), 2);
		return talk;
	}

	say() {
		for (let i = 0; i < 3; i++) {
			this.ann.send({
				type: 'whiteboard_update',
				practiceId: 99,
				data: { at: this.sent++, secret: secret() },
			});
		}
	}

	async stop() {
		clearInterval(this.timer);
		await this.ann.fence();
		const got = await this.bob.fence();
		assert.deepEqual(
			got.map(({ type, data }) => [type, data?.at]),
			Array.from({ length: this.sent }, (_, at) => ['whiteboard_update', at]),
			'nothing lost, doubled, out of order, and nothing besides',
		);
		await this.ann.close();
		await this.bob.close();
	}
}

// A server, and in each of its tests two who talk; the test leaves the configuration as it was.
function useTalkingPraxisd(options) {
	const praxis = usePraxisd(options);
	praxis.test = (what, test) =>
		it(what, async () => {
			const files = await confD(praxis);
			const talk = await Talk.start(praxis);
			try {
				await test();
				await restore(praxis, files);
				await talk.stop();
			} finally {
				clearInterval(talk.timer);
				await restore(praxis, files);
			}
		});
	return praxis;
}

// What is in conf.d: name → text.
async function confD(praxis) {
	const names = await readdir(path.join(praxis.dir, 'conf.d'));
	const texts = names.map(async (name) => [
		`conf.d/${name}`,
		await readFile(path.join(praxis.dir, 'conf.d', name), 'utf8'),
	]);
	return Object.fromEntries(await Promise.all(texts));
}

async function restore(praxis, files) {
	const now = await confD(praxis);
	if (JSON.stringify(now) !== JSON.stringify(files)) {
		const others = Object.keys(now).map((name) => [name, null]);
		await reload(praxis, { ...Object.fromEntries(others), ...files });
	}
}

const joining = ({ identity: { userId, userName } }, roomId) => ({
	type: 'telemedicine_user_joined',
	roomId,
	appointmentId: roomId,
	userId,
	userName,
});

const chatting = (client, roomId) => ({
	...joining(client, roomId),
	type: 'telemedicine_chat_message',
	message: secret(),
	from: client.identity.userId,
	fromUserId: client.identity.userId,
});

const gone = (praxis) =>
	until('retired vhosts are gone', async () => (await praxis.stats()).vhosts_retired === 0);

describe('vhosts', () => {
	const praxis = useTalkingPraxisd({ services: { echo: null } });

	praxis.test(
		'one that is added is served at once, one that is removed sends its clients away',
		async () => {
			const port = await freePort();
			const lines = await reload(praxis, extra(vhost('added', port)));
			assert.match(lines, /reload: vhost added: added/);
			const clients = await Promise.all(Array.from({ length: 20 }, () => join(port)));
			clients[0].send({ type: 'whiteboard_update', practiceId: 1, data: secret() });
			await clients[19].next('whiteboard_update');
			const idle = await Wire.open(port);
			idle.write(request('GET', '/health'));
			assert.equal((await idle.response()).status, 200);

			assert.match(await reload(praxis, extra()), /reload: vhost added: removed/);
			assert.equal(await reaches(port), false);
			idle.write(request('GET', '/health'));
			const last = await idle.response();
			assert.equal(last.status, 503);
			assert.equal(JSON.parse(last.body).error.code, 'unavailable');
			idle.close();
			await Promise.all(clients.map(assertSentAway));
			await gone(praxis);
		},
	);

	praxis.test('the moments of the clients that are sent away are spread', async () => {
		const port = await freePort();
		await reload(praxis, {
			...extra(vhost('spread', port)),
			'conf.d/60-slow.json': { global: { 'drain-ms': 3000 } },
		});
		const clients = await Promise.all(Array.from({ length: 40 }, () => join(port)));
		const ends = [];
		const all = clients.map(async (client) => {
			await assertSentAway(client);
			ends.push(Date.now());
		});
		await reload(praxis, extra());
		await Promise.all(all);
		const spread = Math.max(...ends) - Math.min(...ends);
		assert.ok(spread > 400, `${spread} ms`);
		await reload(praxis, { 'conf.d/60-slow.json': null });
	});

	for (const [what, change] of [
		['the tenant', { tenant: 'another' }],
		['the practice of open mode', { 'open-practice': '7' }],
		['that it only redirects', { 'redirect-to-https': 443, 'open-practice': undefined }],
	]) {
		praxis.test(
			`${what} changes: its clients are sent away, and its socket is kept`,
			async () => {
				const port = await freePort();
				await reload(praxis, extra(vhost('changed', port)));
				const client = await join(port);
				let knocking = true;
				const knocks = (async () => {
					for (let count = 0; ; count++) {
						assert.equal(await reaches(port), true, `knock ${count}`);
						if (!knocking) {
							return count;
						}
					}
				})();
				const lines = await reload(praxis, extra(vhost('changed', port, change)));
				assert.match(lines, /vhost changed: begins anew/);
				assert.doesNotMatch(lines, /listening on/);
				await assertSentAway(client);
				knocking = false;
				assert.ok((await knocks) > 0);
				if (!change['redirect-to-https']) {
					await (await join(port)).close();
				}
				await reload(praxis, extra());
				await gone(praxis);
			},
		);
	}

	for (const [what, change] of [
		[
			'its path of files and headers',
			{ headers: [{ 'x-new': 'yes' }], mounts: [{ mountpoint: '/x', origin: '.' }] },
		],
		['its origins', { origins: 'https://app.example.org' }],
		['its proxies', { 'trusted-proxies': '127.0.0.9' }],
		['an address more', { interface: ['127.0.0.1', '127.0.0.3'] }],
		['every address', { interface: '*', 'open-mode': 'insecure' }],
	]) {
		praxis.test(`${what}: nobody is sent away`, async () => {
			const port = await freePort('0.0.0.0');
			await reload(praxis, extra(vhost('inplace', port)));
			const [ann, bob] = [await join(port), await join(port)];
			for (const more of [change, {}]) {
				await reload(praxis, extra(vhost('inplace', port, more)));
				ann.send({ type: 'whiteboard_update', practiceId: 1, data: secret() });
				await bob.next('whiteboard_update');
				await (await join(port)).close();
			}
			assert.deepEqual(await bob.fence(), []);
			await ann.close();
			await bob.close();
			await reload(praxis, extra());
		});
	}

	praxis.test('from every address to one: those that came by another are sent away', async () => {
		const port = await freePort('0.0.0.0');
		const all = { interface: '*', 'open-mode': 'insecure' };
		await reload(praxis, extra(vhost('narrow', port, all)));
		const [stays, goes] = [await join(port), await join(port, { host: '127.0.0.2' })];
		await reload(praxis, extra(vhost('narrow', port)));
		await assertSentAway(goes);
		assert.equal(await reaches(port, '127.0.0.2'), false);
		assert.deepEqual(await stays.fence(), []);
		await (await join(port)).close();
		await stays.close();
		await reload(praxis, extra());
	});

	praxis.test(
		'another port: those of the old one are sent away, the new one serves',
		async () => {
			const [first, second] = [await freePort(), await freePort()];
			await reload(praxis, extra(vhost('moves', first)));
			const client = await join(first);
			const lines = await reload(praxis, extra(vhost('moves', second)));
			assert.match(lines, new RegExp(`vhost moves: port is ${second}, was ${first}`));
			await (await join(second)).close();
			await assertSentAway(client);
			assert.equal(await reaches(first), false);
			await reload(praxis, extra());
		},
	);

	praxis.test(
		'a session that is sent away for its address goes on at the new one, and has missed nothing',
		async () => {
			const [first, second] = [await freePort(), await freePort()];
			await reload(praxis, {
				...extra(vhost('moves', first)),
				'conf.d/60-grace.json': { global: { 'grace-ms': 30_000 } },
			});
			const who = 'practiceId=1&role=staff&userId=mover&userName=mover';
			const ann = await openV1(praxis, who, { port: first });
			await ann.fence();
			await reload(praxis, extra(vhost('moves', second)));
			await assertSentAway(ann);
			const bob = await join(second);
			const update = { type: 'whiteboard_update', practiceId: 1, data: secret() };
			await bob.accepted(update);
			const again = await resume(praxis, ann, ann.arrived, { port: second });
			assert.equal((await again.next('whiteboard_update')).data, update.data);
			await again.accepted({ ...update, data: secret() });
			await bob.next('whiteboard_update');
			await again.close();
			await bob.close();
		},
	);

	praxis.test('one that is removed while clients are at its door: they are told so', async () => {
		let asked;
		const question = new Promise((resolve) => {
			asked = resolve;
		});
		const backend = http.createServer((request, response) => asked(response));
		await new Promise((resolve) => backend.listen(0, '127.0.0.1', resolve));
		const url = `http://127.0.0.1:${backend.address().port}/`;
		const [asking, proxied] = [await freePort(), await freePort()];
		await reload(
			praxis,
			extra(
				vhost('asking', asking, { 'open-practice': undefined, 'auth-url': url }),
				vhost('proxied', proxied, {
					'trusted-proxies': '127.0.0.1',
					'proxy-protocol': true,
				}),
			),
		);
		const client = await RawClient.open(asking, '/ws', {}, {});
		const answer = await question;
		const wire = await Wire.open(proxied);
		wire.write('PROXY TCP4 192.0.2.1 198.51.100.1 56324 ');
		await reload(praxis, extra());
		answer.end(JSON.stringify({ sub: '7', role: 'staff', practices: [1] }));
		assert.equal((await client.closing()).code, 1012);
		wire.write(`443\r\n${request('GET', '/health')}`);
		assert.equal((await wire.response()).status, 503);
		wire.close();
		backend.close();
		await gone(praxis);
	});

	praxis.test('two vhosts change ports: each socket goes to the other', async () => {
		const [one, two] = [await freePort(), await freePort()];
		await reload(praxis, extra(vhost('a', one), vhost('b', two)));
		const client = await join(one);
		const lines = await reload(praxis, extra(vhost('a', two), vhost('b', one)));
		assert.match(lines, new RegExp(`vhost b: listening on .*:${one}, where vhost a was`));
		assert.doesNotMatch(lines, /no longer listening/);
		await assertSentAway(client);
		// Other tenants: who comes by the same port hears nothing of those of the other vhost.
		const [ann, bob] = [await join(one), await join(two)];
		await ann.accepted({ type: 'whiteboard_update', practiceId: 1, data: secret() });
		assert.deepEqual(await bob.fence(), []);
		await ann.close();
		await bob.close();
		await reload(praxis, extra());
	});

	praxis.test(
		'a room that sessions of two vhosts are in goes on without those that are sent away',
		async () => {
			const port = await freePort();
			await reload(praxis, extra(vhost('same', port, { tenant: 'default' })));
			const [here, there] = [await praxis.connect(), await join(port)];
			const { userId } = there.identity;
			await here.join('shared');
			await there.join('shared', { userName: userId });
			await here.next('telemedicine_user_joined');
			await reload(praxis, extra());
			await assertSentAway(there);
			await here.next('telemedicine_user_left');
			await here.accepted(chatting(here, 'shared'));
		},
	);

	itEnds(praxis);
});

describe('services, options and limits', () => {
	const praxis = useTalkingPraxisd({ services: { echo: null } });
	const service = (name, options) => ({
		vhost: 'default',
		'ws-protocols': [{ [name]: options }],
	});

	praxis.test('a new service is a subprotocol of its own at once', async () => {
		await assert.rejects(praxis.connect({}, { protocols: ['echo'] }));
		const lines = await reload(praxis, {
			'conf.d/60-echo.json': service('echo', { status: 'ok' }),
		});
		assert.match(lines, /vhost default: service echo: added/);
		const client = await praxis.connect({}, { protocols: ['echo'] });
		assert.equal(client.protocol, 'echo');
		const text = secret();
		await client.accepted({ type: 'echo_say', text });
		assert.equal((await client.next('echo_said')).text, text);
	});

	praxis.test('an option takes effect while it runs, and is told by name', async () => {
		const client = await praxis.connect();
		const lines = await reload(praxis, {
			'conf.d/60-rooms.json': service('telemedicine', { status: 'ok', 'room-members': '2' }),
		});
		assert.match(
			lines,
			/vhost default: service telemedicine: option room-members is there now/,
		);
		const [other, third] = [await praxis.connect(), await praxis.connect()];
		await client.join('small');
		await other.join('small');
		await third.refused(joining(third, 'small'), 'room_full');
		await reload(praxis, { 'conf.d/60-rooms.json': null });
		await third.refused(joining(third, 'small'), 'room_full'); // it keeps what it began with
		await client.join('large');
		await other.join('large');
		await reload(praxis, {
			'conf.d/60-rooms.json': service('telemedicine', { status: 'ok', 'room-members': '2' }),
		});
		await third.join('large');
		await reload(praxis, { 'conf.d/60-rooms.json': null });
	});

	praxis.test(
		'a service removed from all files is frozen, and its rooms are there when it comes back',
		async () => {
			const [ann, bob] = [await praxis.connect(), await praxis.connect()];
			await ann.join('kept');
			await bob.join('kept');
			await ann.next('telemedicine_user_joined');
			const file = 'conf.d/00-default.json';
			const text = await readFile(path.join(praxis.dir, file), 'utf8');
			const config = JSON.parse(text);
			config.vhosts[0]['ws-protocols'] = config.vhosts[0]['ws-protocols'].filter(
				(each) => !each.telemedicine,
			);
			assert.match(await reload(praxis, { [file]: config }), /service telemedicine: removed/);
			const chat = chatting(ann, 'kept');
			await ann.refused(chat, 'service_disabled');
			await reload(praxis, { [file]: text });
			await ann.accepted(chat);
			await bob.next('telemedicine_chat_message');
		},
	);

	praxis.test('limits hold for what comes from now on', async () => {
		const client = await praxis.connect();
		const long = {
			type: 'whiteboard_update',
			practiceId: 1,
			data: secret() + 'x'.repeat(3000),
		};
		await client.accepted(long);
		await reload(praxis, {
			'conf.d/60-limits.json': { global: { 'max-message-bytes': 2000 } },
		});
		const late = await praxis.connect();
		assert.equal(late.hello.maxMessageBytes, 2000);
		client.send(long);
		assert.equal((await client.closing()).code, 1009);
		await (await praxis.connect()).close();
		const lines = await reload(praxis, {
			'conf.d/60-limits.json': { global: { 'max-message-bytes': 200000 } },
		});
		assert.match(lines, /reload: max-message-bytes is 200000, was 2000/);
		late.send({ ...long, data: secret() + 'x'.repeat(100_000) });
		await late.fence();
		await reload(praxis, {
			'conf.d/60-limits.json': { global: { 'max-rooms-per-session': 1 } },
		});
		const roomy = await praxis.connect();
		await roomy.join('one');
		await roomy.refused(joining(roomy, 'two'), 'too_many_rooms');
		await reload(praxis, { 'conf.d/60-limits.json': null });
	});

	praxis.test('the log level', async () => {
		await reload(praxis, { 'conf.d/60-log.json': { global: { 'log-level': 'notice' } } });
		const since = praxis.log.length;
		await (await praxis.connect()).close();
		await reload(praxis, { 'conf.d/60-log.json': null });
		assert.doesNotMatch(praxis.log.slice(since).split('reload:')[0], / (info|debug) /);
	});

	praxis.test('nothing has changed, and that is said', async () => {
		assert.match(await hup(praxis), /reloaded: nothing in it has changed/);
	});

	itEnds(praxis);
});

describe('who a client is', () => {
	const issuer = {};
	const praxis = useTalkingPraxisd({});
	before(async () => {
		issuer.old = await Issuer.create();
		issuer.new = await Issuer.create();
	});
	const claims = { sub: '7', name: 'n', role: 'staff', practices: [1] };
	const enter = async (port, token) => {
		const client = await WsClient.open(
			`ws://127.0.0.1:${port}/ws`,
			[],
			{},
			{
				headers: token ? { Authorization: `Bearer ${token}` } : {},
			},
		);
		return [client, await client.next()];
	};
	const proving = (port, key) =>
		vhost('proof', port, {
			'open-practice': undefined,
			tokens: { secret: issuer[key].secret },
		});

	praxis.test('open mode ends: its sessions are sent away, and others need a token', async () => {
		const port = await freePort();
		await reload(praxis, extra(vhost('proof', port)));
		const open = await join(port);
		const lines = await reload(praxis, extra(proving(port, 'old')));
		assert.match(lines, /vhost proof: tokens are there now/);
		assert.ok(!lines.includes(issuer.old.secret));
		await assertSentAway(open);
		const [client, hello] = await enter(port, await issuer.old.token(claims, { alg: 'HS256' }));
		assert.equal(hello.type, 'connection_established');

		const changed = await reload(praxis, extra(proving(port, 'new')));
		assert.match(changed, /vhost proof: tokens: key of HS256 has changed/);
		assert.ok(!changed.includes(issuer.new.secret));
		const [, refused] = await enter(port, await issuer.old.token(claims, { alg: 'HS256' }));
		assert.equal(refused.type, 'error');
		const [later, welcome] = await enter(
			port,
			await issuer.new.token(claims, { alg: 'HS256' }),
		);
		assert.equal(welcome.type, 'connection_established');
		await client.accepted({ type: 'whiteboard_update', practiceId: 1, data: secret() });
		await later.next('whiteboard_update');
		await reload(praxis, extra());
		await Promise.all([client, later].map(assertSentAway));
	});

	itEnds(praxis);
});

describe('TLS', () => {
	let certificates;
	const praxis = useTalkingPraxisd({});
	before(async () => {
		certificates = await Certificates.make();
		await certificates.issue('ca');
		for (const name of ['a', 'b']) {
			await certificates.issue(name);
		}
		await certificates.issue('client', { ca: 'ca' });
	});
	after(() => certificates.remove?.() ?? rm(certificates.dir, { recursive: true, force: true }));
	const files = (name) => ({
		'host-ssl-cert': certificates.path(`${name}.pem`),
		'host-ssl-key': certificates.path(`${name}.key`),
	});
	const common = (client) => client.transport.getPeerCertificate().subject.CN;

	praxis.test('other files: new connections see them, the others stay', async () => {
		const port = await freePort();
		await reload(praxis, extra(vhost('tls', port, files('a'))));
		const before = await join(port, { tls: true });
		assert.equal(common(before), 'a.test');
		assert.match(
			await reload(praxis, extra(vhost('tls', port, files('b')))),
			/vhost tls: host-ssl-cert has changed/,
		);
		const later = await join(port, { tls: true });
		assert.equal(common(later), 'b.test');
		later.send({ type: 'whiteboard_update', practiceId: 1, data: secret() });
		await before.next('whiteboard_update');
		await before.close();
		await later.close();
		await reload(praxis, extra());
		await gone(praxis);
	});

	praxis.test('a client certificate is demanded: those without one are sent away', async () => {
		const port = await freePort();
		const asking = { ...files('a'), 'host-ssl-ca': certificates.path('ca.pem') };
		await reload(praxis, extra(vhost('tls', port, asking)));
		const own = {
			cert: await readFile(certificates.path('client.pem')),
			key: await readFile(certificates.path('client.key')),
		};
		const [known, stranger] = [
			await join(port, { tls: true, ...own }),
			await join(port, { tls: true }),
		];
		await reload(
			praxis,
			extra(vhost('tls', port, { ...asking, 'client-cert-required': true })),
		);
		await assertSentAway(stranger);
		assert.deepEqual(await known.fence(), []);
		await known.close();
		await reload(praxis, extra());
	});

	praxis.test('on and off many times, with clients each time', async () => {
		const port = await freePort();
		for (let i = 0; i < 10; i++) {
			await reload(praxis, extra(vhost('tls', port, i % 2 ? files('a') : {})));
			const client = await join(port, { tls: i % 2 === 1 });
			client.send({ type: 'ping', t: i });
			await client.next('pong');
			await reload(praxis, extra(vhost('tls', port, i % 2 ? {} : files('b'))));
			await assertSentAway(client);
		}
		await reload(praxis, extra());
		await gone(praxis);
	});

	itEnds(praxis);
});

describe('the audit trail', () => {
	let dir;
	const praxis = useTalkingPraxisd(async () => {
		dir = path.join(tmpdir(), `praxis-trail-${process.pid}`);
		await rm(dir, { recursive: true, force: true });
		await writeFiles(dir, {});
		return {};
	});
	after(() => rm(dir, { recursive: true, force: true }));
	const audit = (file, more = {}) => ({
		'conf.d/60-audit.json': { global: { audit: { file: path.join(dir, file), ...more } } },
	});
	const entries = async (file) =>
		(await readFile(path.join(dir, file), 'utf8'))
			.trim()
			.split('\n')
			.map((line) => JSON.parse(line).event);

	praxis.test('begins, goes on in another file, and ends, each with its entry', async () => {
		await reload(praxis, audit('one.jsonl'));
		await (await praxis.connect()).close();
		await reload(praxis, audit('one.jsonl', { sync: 'line' }));
		await reload(praxis, audit('two.jsonl', { sync: 'line' }));
		await reload(praxis, { 'conf.d/60-audit.json': null });
		const one = await entries('one.jsonl');
		assert.deepEqual(one.slice(0, 2), ['trail_opened', 'reconfigured']);
		assert.ok(one.includes('connected'));
		assert.equal(one.filter((event) => event === 'reconfigured').length, 2);
		assert.equal(one.at(-1), 'stopped');
		const two = await entries('two.jsonl');
		assert.deepEqual(
			[two[0], two[1], two.at(-2), two.at(-1)],
			['trail_opened', 'reconfigured', 'reconfigured', 'stopped'],
		);
		for (const file of ['one.jsonl', 'two.jsonl']) {
			await run(PRAXISCTL, ['audit', 'verify', path.join(dir, file)]);
		}
	});

	praxis.test(
		'another key for the same file changes nothing, another file that can not be had neither',
		async () => {
			await reload(praxis, audit('keyed.jsonl', { key: 'k'.repeat(32) }));
			const lines = await reload(
				praxis,
				audit('keyed.jsonl', { key: 'l'.repeat(32) }),
				/nothing was changed/,
			);
			assert.match(lines, /a trail keeps its key/);
			assert.ok(!lines.includes('llllllll'));
			await reload(praxis, audit('no/such/directory.jsonl'), /nothing was changed/);
			await (await praxis.connect()).close();
			assert.ok((await entries('keyed.jsonl')).includes('connected'));
			await reload(praxis, { 'conf.d/60-audit.json': null });
		},
	);

	itEnds(praxis);
});

describe('a configuration that is wrong', () => {
	let certificates;
	let taken;
	const praxis = useTalkingPraxisd({ services: { echo: null } });
	before(async () => {
		certificates = await Certificates.make();
		await certificates.issue('a');
		await certificates.issue('b');
		taken = net.createServer();
		await new Promise((resolve) => taken.listen(0, '127.0.0.1', resolve));
	});
	after(async () => {
		taken.close();
		await rm(certificates.dir, { recursive: true, force: true });
	});

	for (const [what, wrong, complaint] of [
		['syntax', () => '{ "vhosts": [ }', /60-wrong\.json/],
		['an unknown key', () => ({ global: { nosuch: 1 } }), /unknown key "nosuch"/],
		[
			'a limit of the wrong type',
			() => ({ global: { 'max-connections': 'many' } }),
			/max-connections/,
		],
		[
			'a port in use',
			() => ({ vhosts: [vhost('wrong', taken.address().port)] }),
			/can not listen on 127\.0\.0\.1:\d+: Address already in use/,
		],
		[
			'a missing plugin',
			() => ({ vhost: 'default', 'ws-protocols': services('nosuch') }),
			/there is no praxis_svc_nosuch\.so/,
		],
		[
			'a wrong option',
			() => ({ vhost: 'default', 'ws-protocols': [{ whiteboard: { history: 'long' } }] }),
			/history/,
		],
		[
			'a key of another certificate',
			() => ({
				vhosts: [
					vhost('wrong', 0, {
						'host-ssl-cert': certificates.path('a.pem'),
						'host-ssl-key': certificates.path('b.key'),
					}),
				],
			}),
			/does not belong to the certificate/,
		],
		[
			'keys that are none',
			() => ({
				vhosts: [
					vhost('wrong', 0, {
						'open-practice': undefined,
						tokens: { 'jwks-file': certificates.path('a.pem') },
					}),
				],
			}),
			/a\.pem/,
		],
	]) {
		praxis.test(`${what}: nothing is changed, not even by what is right in it`, async () => {
			const [port, other] = [await freePort(), await freePort()];
			await reload(praxis, extra(vhost('sound', port)));
			const client = await join(port);
			await gone(praxis);
			const before = await praxis.stats();
			const lines = await reload(
				praxis,
				{
					...extra(vhost('sound', other, { tenant: 'new' })),
					'conf.d/20-echo.json': { vhost: 'default', 'ws-protocols': services('echo') },
					'conf.d/21-limit.json': {
						global: { 'max-message-bytes': 1024, 'log-level': 'error' },
					},
					'conf.d/60-wrong.json': wrong(),
				},
				/nothing was changed/,
			);
			assert.match(lines, complaint);
			const now = await praxis.stats();
			assert.deepEqual(
				[now.services, now.reloads, now.reloads_refused, now.vhosts, now.vhosts_retired],
				[before.services, before.reloads, before.reloads_refused + 1, before.vhosts, 0],
			);
			assert.equal(await reaches(other), false);
			await client.accepted({
				type: 'whiteboard_update',
				practiceId: 1,
				data: secret() + 'x'.repeat(2000),
			});
			await client.refused({ type: 'echo_say', text: secret() }, 'unknown_type');
			assert.deepEqual(await client.fence(), []);
			await client.close();
			for (const file of ['20-echo', '21-limit', '60-wrong']) {
				await rm(path.join(praxis.dir, `conf.d/${file}.json`));
			}
			await reload(praxis, extra());
		});
	}

	itEnds(praxis);
});

describe('many reloads', () => {
	let certificates;
	const praxis = useTalkingPraxisd({ services: { echo: null } });
	before(async () => {
		certificates = await Certificates.make();
		await certificates.issue('a');
	});
	after(() => rm(certificates.dir, { recursive: true, force: true }));

	async function footprint() {
		const status = await readFile(`/proc/${praxis.pid}/status`, 'utf8');
		return {
			kib: Number(/VmRSS:\s+(\d+)/.exec(status)[1]),
			descriptors: (await readdir(`/proc/${praxis.pid}/fd`)).length,
		};
	}

	praxis.test(
		'a hundred in a row under load, with everything coming and going, and nothing is left of them',
		async () => {
			const [fixed, moving] = [await freePort(), await freePort()];
			const secure = {
				'host-ssl-cert': certificates.path('a.pem'),
				'host-ssl-key': certificates.path('a.key'),
			};
			const kinds = [
				{
					...extra(vhost('fixed', fixed), vhost('moving', moving)),
					'conf.d/60-more.json': { global: { 'max-rooms-per-session': 3 } },
				},
				{
					...extra(vhost('fixed', fixed, { ...secure, tenant: 'other' })),
					'conf.d/60-more.json': { vhost: 'default', 'ws-protocols': services('echo') },
				},
				{
					...extra(
						vhost('fixed', fixed, { tenant: 'other' }),
						vhost('moving', moving, secure),
					),
					'conf.d/60-more.json': null,
				},
			];
			const rounds = async (count) => {
				for (let i = 0; i < count; i++) {
					await reload(praxis, kinds[i % kinds.length]);
					const client = await join(fixed, { tls: i % 3 === 1 });
					await client.accepted({
						type: 'whiteboard_update',
						practiceId: 1,
						data: secret(),
					});
					if (i % 2) {
						await client.close();
					}
				}
				await reload(praxis, kinds[0]);
				await gone(praxis);
				await until(
					'all but two are gone',
					async () => (await praxis.stats()).sessions === 2,
				);
				return footprint();
			};
			// The heap finds its size in the first of them.
			const early = await rounds(150);
			const late = await rounds(100);
			// A question to the server may be open still, here or there, with the descriptors that it takes.
			await until(
				() => `${late.descriptors - early.descriptors} descriptors more`,
				async () => {
					late.descriptors = (await footprint()).descriptors;
					return late.descriptors <= early.descriptors;
				},
			);
			const maps = await readFile(`/proc/${praxis.pid}/maps`, 'utf8');
			const grown = maps.includes('asan') ? 0 : late.kib - early.kib; // ASan keeps what is freed
			assert.ok(grown < 2000, `${early.kib} KiB, then ${late.kib} KiB`);
			await reload(praxis, { ...extra(), 'conf.d/60-more.json': null });
		},
	);

	praxis.test('a storm of signals is a few reloads, and the last word holds', async () => {
		const { reloads } = await praxis.stats();
		const port = await freePort();
		const began = Date.now();
		for (let i = 0; i < 100; i++) {
			praxis.signal('SIGHUP');
			await pause(3);
		}
		await writeFiles(praxis.dir, extra(vhost('last', port)));
		praxis.signal('SIGHUP');
		await until('the last vhost', () => reaches(port));
		const count = (await praxis.stats()).reloads - reloads;
		const most = (Date.now() - began) / 50 + 2;
		assert.ok(count >= 1 && count <= most, `${count} reloads, at most ${most}`);
		await reload(praxis, extra());
	});

	itEnds(praxis);
});

describe('while it drains', () => {
	it('a SIGHUP is ignored', async () => {
		const praxis = new Praxisd();
		await praxis.start({ global: { ...SMALL_BUFFERS, 'drain-deadline-ms': 20_000 } });
		try {
			const client = await praxis.connect();
			const slow = await stubbornClient(praxis);
			praxis.signal('SIGTERM');
			await client.next('server_draining');
			praxis.signal('SIGHUP');
			await praxis.logged(/told to reload while draining: ignored/);
			assert.equal((await client.closing()).code, 1012);
			await slow.kill();
			await praxis.ended();
		} finally {
			await praxis.kill();
		}
	});
});
