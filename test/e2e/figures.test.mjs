// SPDX-License-Identifier: MIT
//
// Figures are what their names say: each is driven by a known amount, and compared.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'node:test';
import * as api from './lib/api.mjs';
import { get } from './lib/http.mjs';
import { bearer, enter, token, tokenVhost } from './lib/issuer.mjs';
import { TailStream } from './lib/tail.mjs';
import { itEnds, secret, usePraxisd } from './lib/praxisd.mjs';
import { until } from './lib/wait.mjs';

const everything = { role: 'admin', practices: ['*'] };

async function metric(praxis, name) {
	const { body } = await get(praxis.port, '/metrics');
	const line = body.split('\n').find((each) => each.startsWith(`${name} `));
	return Number(line?.slice(name.length + 1) ?? assert.fail(name));
}

describe('figures', () => {
	const praxis = usePraxisd({
		global: { 'queue-bytes': 65_536, 'slow-close-ms': 100, 'send-buffer-bytes': 4096 },
		vhost: tokenVhost(),
		services: { admin: {}, telemedicine: { 'waiting-room': 'on', 'waiting-max': 1 } },
	});

	it('a reader that takes nothing is closed with 4408, and counted so', async () => {
		const name = 'praxis_closes_total{code="4408"}';
		const [closes, cuts] = [
			await metric(praxis, name),
			await metric(praxis, 'praxis_closes_cut_total'),
		];
		const slow = await enter(praxis);
		const ann = await enter(praxis);
		slow.socket.pause();
		for (let i = 0; i < 2000 && (await metric(praxis, name)) === closes; i++) {
			await ann.accepted({
				type: 'whiteboard_update',
				practiceId: 1,
				data: secret() + 'x'.repeat(60_000),
			});
		}
		assert.equal(await metric(praxis, name), closes + 1);
		await until(
			'the cut',
			async () => (await metric(praxis, 'praxis_closes_cut_total')) === cuts + 1,
		);
		assert.equal(await metric(praxis, 'praxis_limit_refusals_total{limit="queue-bytes"}'), 1);
		assert.equal(await metric(praxis, 'praxis_limit_refusals_total{limit="queue-age-ms"}'), 0);
	});

	it('requests that are being answered are counted, streams among them', async () => {
		assert.equal((await praxis.stats()).relays, 1, 'that which asks');
		const tail = await TailStream.open(praxis, { practices: [1] }, { practiceId: 1 });
		const { relays, tail_streams: streams } = await praxis.stats();
		assert.deepEqual([relays, streams], [2, 1]);
		assert.equal(await metric(praxis, 'praxis_relays'), 2);
		assert.equal(await metric(praxis, 'praxis_tail_streams'), 1);
		tail.close();
		await until('its end', async () => (await praxis.stats()).tail_streams === 0);
	});

	it('pings are no messages', async () => {
		const ann = await enter(praxis);
		const before = await praxis.stats();
		for (let i = 0; i < 5; i++) {
			await ann.fence();
		}
		const after = await praxis.stats();
		assert.equal(after.messages_in, before.messages_in);
		assert.equal(after.messages_out, before.messages_out);
		assert.equal(after.keepalives_in - before.keepalives_in, 5);
		const { clients } = await api.get(praxis, everything, 'clients');
		assert.equal(clients.find(({ clientId }) => clientId === ann.clientId).messagesIn, 0);
	});

	it('a practice of which only a history is left has nobody in it', async () => {
		const ann = await enter(praxis, { practices: [77] });
		await ann.accepted({ type: 'whiteboard_update', practiceId: 77, data: secret() });
		assert.equal((await praxis.stats()).practices, 1);
		await ann.close();
		await until('nobody', async () => (await praxis.stats()).practices === 0);
	});

	it('subscribers of a whiteboard are in no room, and who waits is listed', async () => {
		const ann = await enter(praxis);
		const rex = await enter(praxis, { role: 'patient', rooms: ['r'] });
		const joining = {
			type: 'telemedicine_user_joined',
			roomId: 'r',
			appointmentId: 1,
			userId: 9,
			userName: secret(),
		};
		await rex.accepted(joining);
		const before = await praxis.stats();
		assert.deepEqual([before.rooms, before.room_members, before.waiting], [0, 0, 1]);
		const { rooms } = await api.get(praxis, everything, 'rooms');
		assert.deepEqual(
			rooms.map(({ roomId, members, waiting }) => [roomId, members, waiting]),
			[['r', 0, 1]],
		);
		const two = await enter(praxis, { role: 'patient', rooms: ['r'] });
		await two.refused(joining, 'room_full');
		assert.equal(await metric(praxis, 'praxis_limit_refusals_total{limit="waiting-max"}'), 1);
		await ann.join('r');
		const after = await praxis.stats();
		assert.deepEqual([after.rooms, after.room_members, after.waiting], [1, 1, 1]);
		await ann.accepted({
			type: 'telemedicine_user_left',
			roomId: 'r',
			appointmentId: 1,
			userId: 1,
		});
		await api.post(praxis, everything, 'rooms/end', {
			service: 'telemedicine',
			practiceId: 1,
			roomId: 'r',
		});
		assert.equal((await rex.next('telemedicine_denied')).code, 'ended');
	});

	it('clients of the service admin are administrators', async () => {
		await enter(praxis);
		const root = await enter(praxis, { ...everything, sub: 'root' });
		const { clients } = await api.get(praxis, everything, 'clients?service=admin');
		assert.deepEqual(
			clients.map(({ clientId }) => clientId),
			[root.clientId],
		);
		const { services } = await api.get(praxis, everything, 'services');
		assert.equal(services.find(({ name }) => name === 'admin').clients, 1);
	});

	it('clients of a service are those who may do something with it', async () => {
		const ann = await enter(praxis);
		await enter(praxis, { role: 'patient', rooms: ['r'] });
		const { clients } = await api.get(praxis, everything, 'clients?service=whiteboard');
		assert.deepEqual(
			clients.map(({ clientId }) => clientId),
			[ann.clientId],
		);
		const { services } = await api.get(praxis, everything, 'services');
		const count = (wanted) => services.find(({ name }) => name === wanted).clients;
		assert.deepEqual([count('whiteboard'), count('telemedicine'), count('admin')], [1, 2, 0]);
	});

	it('a limit is labelled with a key that exists', async () => {
		const { body } = await get(praxis.port, '/metrics');
		const docs = await Promise.all(
			['docs/configuration.md', 'plugins/telemedicine/README.md'].map((file) => {
				return readFile(fileURLToPath(new URL(`../../${file}`, import.meta.url)), 'utf8');
			}),
		);
		const keys = [...body.matchAll(/praxis_limit_refusals_total\{limit="([^"]+)"\}/g)].map(
			([, key]) => key,
		);
		assert.ok(keys.length > 10);
		assert.deepEqual(
			keys.filter((key) => !docs.some((text) => text.includes(`| \`${key}\` |`))),
			[],
		);
		assert.equal(new Set(keys).size, keys.length);
	});

	itEnds(praxis);
});

describe('readiness, where the audit log takes nothing', () => {
	const praxis = usePraxisd({
		global: { audit: { file: 'audit.jsonl' } },
		vhost: tokenVhost(),
		services: { admin: {} },
	});

	it('is none, with the reason, until it is written again', async () => {
		const limit = (bytes) =>
			execFileSync('prlimit', [`--pid=${praxis.pid}`, `--fsize=${bytes}:`]);
		assert.equal((await get(praxis.port, '/ready')).status, 200);
		limit(1);
		await praxis
			.open('/ws', { headers: bearer(await token({})) })
			.then((client) => client.closing());
		const answer = await get(praxis.port, '/ready');
		assert.equal(answer.status, 503);
		assert.equal(JSON.parse(answer.body).error.reason, 'audit');
		assert.equal(await metric(praxis, 'praxis_not_ready{reason="audit"}'), 1);
		assert.equal(await metric(praxis, 'praxis_handshakes_total{result="accepted"}'), 0);
		assert.equal(await metric(praxis, 'praxis_handshakes_total{result="unavailable"}'), 1);
		limit('unlimited');
		await until('ready again', async () => (await get(praxis.port, '/ready')).status === 200);
		assert.equal(await metric(praxis, 'praxis_ready'), 1);
	});

	itEnds(praxis);
});
