// SPDX-License-Identifier: MIT
//
// Signals and time: SIGHUP changes services and drops nobody, SIGTERM lets everybody go, a peer
// that does not answer pings is dropped.

import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { Wire, get, request } from './lib/http.mjs';
import { itEnds, Praxisd, secret, usePraxisd, writeFiles } from './lib/praxisd.mjs';
import { OP, refusedUpgrade } from './lib/raw.mjs';
import { nothingArrived } from './lib/session.mjs';
import { SMALL_BUFFERS, stubbornClient } from './lib/stubborn.mjs';
import { until } from './lib/wait.mjs';

const service = (name, options) => ({ vhost: 'default', 'ws-protocols': [{ [name]: options }] });

describe('SIGHUP', () => {
	const praxis = usePraxisd({ services: { echo: null } });

	// Writes (or with null removes) a file of conf.d and has it read.
	async function reload(name, content) {
		const file = path.join('conf.d', name);
		if (content === null) {
			await rm(path.join(praxis.dir, file));
		} else {
			await writeFiles(praxis.dir, { [file]: content });
		}
		praxis.signal('SIGHUP');
	}

	async function becomes(name, enabled) {
		await until(`${name} is ${enabled ? 'on' : 'off'}`, async () => {
			return ((await praxis.stats()).services[name]?.enabled ?? false) === enabled;
		});
	}

	it('switches a service off and on, and nobody is dropped', async () => {
		const [ann, bob] = [await praxis.connect(), await praxis.connect()];
		await ann.join('r');
		await bob.join('r');
		await ann.next('telemedicine_user_joined');

		await reload('50-whiteboard.json', service('whiteboard', { status: 'disabled' }));
		await becomes('whiteboard', false);
		const update = { type: 'whiteboard_update', practiceId: 1, data: secret() };
		await ann.refused(update, 'service_disabled');
		await nothingArrived([bob], [ann]);
		ann.send({
			type: 'telemedicine_media_state',
			roomId: 'r',
			audio: true,
			video: true,
			screen: true,
		});
		await bob.next('telemedicine_media_state');
		const late = await praxis.connect();
		assert.deepEqual(late.hello.services, ['telemedicine']);

		await reload('50-whiteboard.json', service('whiteboard', { status: 'ok' }));
		await becomes('whiteboard', true);
		await ann.accepted(update);
		assert.equal((await bob.next('whiteboard_update')).data, update.data);
		await late.next('whiteboard_update');

		await reload('50-whiteboard.json', service('whiteboard', { status: 'disabled' }));
		await becomes('whiteboard', false);
		await reload('50-whiteboard.json', null);
		await becomes('whiteboard', true);
		await ann.accepted(update);
	});

	it('brings a new service to sessions that are there', async () => {
		const ann = await praxis.connect();
		const text = secret();
		await ann.refused({ type: 'echo_say', text }, 'unknown_type');
		await reload('50-echo.json', service('echo', { status: 'ok' }));
		await becomes('echo', true);
		await ann.accepted({ type: 'echo_say', text });
		assert.equal((await ann.next('echo_said')).text, text);
		const bob = await praxis.connect();
		assert.ok(bob.hello.services.includes('echo'));
		await reload('50-echo.json', null);
		await becomes('echo', false);
		assert.equal((await ann.ask({ type: 'echo_say', text })).type, 'error');
	});

	for (const [what, content] of [
		['that is no JSON', '{ "vhost": "default",\n "ws-protocols": [ }'],
		['with an unknown key', { ...service('whiteboard', { status: 'disabled' }), ports: 1 }],
		['with an unknown option', service('whiteboard', { status: 'ok', nosuch: 1 })],
		[
			'with an option of the wrong type',
			service('telemedicine', { status: 'ok', 'room-members': 'many' }),
		],
		['with a missing plugin', service('nosuch', { status: 'ok' })],
		[
			'of an unknown vhost',
			{ vhost: 'nosuch', 'ws-protocols': [{ whiteboard: { status: 'disabled' } }] },
		],
	]) {
		it(`with a file ${what} changes nothing and says why`, async () => {
			const [ann, bob] = [await praxis.connect(), await praxis.connect()];
			const before = await praxis.stats();
			const since = praxis.log.length;
			await writeFiles(praxis.dir, {
				'conf.d/40-fine.json': service('telemedicine', { status: 'disabled' }),
			});
			try {
				await reload('60-broken.json', content);
				await praxis.logged(/60-broken\.json/, since);
			} finally {
				await rm(path.join(praxis.dir, 'conf.d/40-fine.json'));
				await rm(path.join(praxis.dir, 'conf.d/60-broken.json'));
			}
			await ann.accepted({ type: 'whiteboard_update', practiceId: 1 });
			await bob.next('whiteboard_update');
			assert.deepEqual(
				(await praxis.stats()).services,
				before.services,
				'nor by the files that are fine',
			);
		});
	}

	it('again and again under load drops nobody and loses nothing', async () => {
		const [ann, bob] = [await praxis.connect(), await praxis.connect()];
		for (let at = 0; at < 200; at++) {
			if (at % 10 === 0) {
				praxis.signal('SIGHUP');
			}
			ann.send({ type: 'whiteboard_update', practiceId: 1, data: { at, secret: 'SECRET' } });
			assert.equal((await bob.next()).data.at, at);
		}
	});

	itEnds(praxis);
});

describe('SIGTERM', () => {
	let praxis;

	afterEach(() => praxis?.stop());

	it('lets every client know, closes with 1012, and ends with 0', async () => {
		praxis = await new Praxisd().start();
		const clients = await Promise.all(Array.from({ length: 20 }, () => praxis.connect()));
		await Promise.all(clients.map((client) => client.join('r' + client.clientId)));
		praxis.signal('SIGTERM');
		const waits = new Set();
		for (const client of clients) {
			const draining = await client.next('server_draining');
			assert.ok(
				Number.isInteger(draining.reconnectAfterMs) && draining.reconnectAfterMs >= 0,
			);
			waits.add(draining.reconnectAfterMs);
			assert.equal((await client.closing()).code, 1012);
			assert.equal(client.inbox.size, 0, 'and nothing after it');
		}
		assert.ok(waits.size > 5, 'they do not all come back at once');
		await praxis.ended();
	});

	it('with a room full of members is quiet for them: no leaves before the end', async () => {
		praxis = await new Praxisd().start();
		const clients = await Promise.all(Array.from({ length: 4 }, () => praxis.connect()));
		for (const client of clients) {
			await client.join('r');
		}
		for (const client of clients) {
			await client.fence();
		}
		praxis.signal('SIGTERM');
		for (const client of clients) {
			await client.next('server_draining');
			assert.equal((await client.closing()).code, 1012);
		}
		await praxis.ended();
	});

	it('lets nobody in while it drains, and is not ready', async () => {
		const seconds = 20;
		praxis = await new Praxisd().start({
			global: { ...SMALL_BUFFERS, 'drain-deadline-ms': seconds * 1000 },
		});
		const stubborn = await stubbornClient(praxis);
		const wire = await Wire.open(praxis.port);
		wire.write(request('GET', '/ready'));
		assert.equal((await wire.response()).status, 200);
		praxis.signal('SIGTERM');
		await praxis.logged(/draining/);

		wire.write(request('GET', '/ready'));
		// When the next server can be expected: not before the end of this one, at the latest at its deadline.
		const assertTold = (response) => {
			assert.equal(response?.status, 503);
			const retry = Number(response.headers['retry-after']);
			assert.ok(retry >= 1 && retry <= seconds, response.headers['retry-after']);
		};
		assertTold(await wire.response());
		wire.close();
		assertTold(await get(praxis.port, '/ready'));
		assertTold(await refusedUpgrade(praxis.port));
		await stubborn.kill();
		await praxis.ended();
	});

	it('does not wait for ever for one that stopped reading', async () => {
		praxis = await new Praxisd().start({
			global: { 'queue-bytes': 1 << 20, 'send-buffer-bytes': 16384 },
		});
		const [ann, slow] = [await praxis.connect(), await praxis.connectRaw()];
		slow.socket.pause();
		const fill = secret().padEnd(30_000, 'x');
		await until('messages wait for the slow one', async () => {
			await ann.accepted({ type: 'whiteboard_update', practiceId: 1, data: fill });
			return (await praxis.stats()).queue_bytes > 0;
		});
		praxis.signal('SIGTERM');
		assert.equal((await ann.closing()).code, 1012);
		await praxis.ended();
		await slow.kill();
	});

	it('ends one in the middle of an upgrade, of a message and of a request', async () => {
		praxis = await new Praxisd().start();
		const half = await Wire.open(praxis.port);
		half.write('GET /ws HTTP/1.1\r\nHost: SECRET');
		const post = await Wire.open(praxis.port);
		post.write(request('POST', '/health', { 'Content-Length': '100' }));
		const unfinished = await praxis.connectRaw();
		unfinished.write(Buffer.from([OP.text, 0x85, 0, 0, 0, 0, 0x53]));
		praxis.signal('SIGTERM');
		await praxis.ended();
		half.close();
		post.close();
	});

	it('twice is as good as once', async () => {
		praxis = await new Praxisd().start();
		const ann = await praxis.connect();
		praxis.signal('SIGTERM');
		praxis.signal('SIGTERM');
		await ann.closing();
		await praxis.ended();
	});

	for (const signal of ['SIGTERM', 'SIGINT']) {
		it(`(${signal}) without clients ends the server at once`, async () => {
			praxis = await new Praxisd().start();
			praxis.signal(signal);
			await praxis.ended();
		});
	}
});

describe('a heartbeat', () => {
	const praxis = usePraxisd({ global: { 'heartbeat-ms': 1000 } });

	it('keeps those who answer, and drops within a few who do not', async () => {
		const witness = await praxis.connect();
		assert.equal(witness.hello.heartbeatMs, 1000);
		await witness.join('r');
		const answering = await praxis.connectRaw();
		const silent = await praxis.connectRaw({}, { pong: false });
		const begun = Date.now();
		await silent.join('r');
		await witness.next('telemedicine_user_joined');

		const { payload } = await answering.nextFrame(OP.ping);
		assert.ok(
			payload.length > 0,
			"with a payload: an empty one's answer goes unnoticed in libwebsockets",
		);
		await silent.nextFrame(OP.ping);
		const left = await witness.next('telemedicine_user_left');
		assert.equal(left.clientId, silent.clientId);
		assert.equal(left.reason, 'disconnected');
		assert.ok(Date.now() - begun >= 1000, 'not at once');
		// By the server's own clock: what a busy machine holds up holds up these, too.
		assert.ok(answering.count(OP.ping) <= 5, `${answering.count(OP.ping)} heartbeats later`);
		await silent.closing();

		await answering.nextFrame(OP.ping);
		await answering.nextFrame(OP.ping);
		await nothingArrived([answering, witness]);
	});

	it('is also a message', async () => {
		const talking = await praxis.connectRaw({}, { pong: false });
		const witness = await praxis.connectRaw();
		for (let at = 0; at < 4; at++) {
			await witness.nextFrame(OP.ping);
			await talking.fence();
		}
	});

	itEnds(praxis);
});
