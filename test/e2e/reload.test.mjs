// SPDX-License-Identifier: MIT
//
// SIGHUP puts a new configuration in force, whole or not at all. In every test two clients of a
// vhost that the change does not concern talk to each other all the while: nothing of what they say
// may be lost, doubled or out of order, and neither may hear of the reload.

import assert from 'node:assert/strict';
import { readFile, readdir, rm } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Certificates } from './lib/certificates.mjs';
import { Wire, request } from './lib/http.mjs';
import { freePort } from './lib/ports.mjs';
import { itEnds, Praxisd, secret, writeFiles } from './lib/praxisd.mjs';
import { RawClient } from './lib/raw.mjs';
import {
	assertSentAway,
	extra,
	gone,
	hup,
	join,
	reaches,
	reload,
	services,
	useTalkingPraxisd,
	vhost,
} from './lib/reloading.mjs';
import { openV1, resume } from './lib/resuming.mjs';
import { SMALL_BUFFERS, stubbornClient } from './lib/stubborn.mjs';
import { until } from './lib/wait.mjs';

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
				assert.match(lines, /vhost changed: is replaced/);
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
		assert.match(lines, new RegExp(`vhost b: listening on .*:${one}, formerly of vhost a`));
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
		assert.match(lines, /vhost default: service telemedicine: option room-members was added/);
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

	praxis.test('nothing changed, and that is said', async () => {
		assert.match(await hup(praxis), /reloaded: no changes/);
	});

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
			/cannot listen on 127\.0\.0\.1:\d+: Address already in use/,
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
			const maps = praxis.maps();
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
			await praxis.logged(/ignoring a reload while draining/);
			assert.equal((await client.closing()).code, 1012);
			await slow.kill();
			await praxis.ended();
		} finally {
			await praxis.kill();
		}
	});
});
