// SPDX-License-Identifier: MIT
//
// Sessions over a restart: a server ends and another takes up its state, and to those who are in a
// call nothing has happened. What was sent up to the last moment arrives, once and in order.

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { bearer, claimsOf, enter, sign, tokenVhost } from './lib/issuer.mjs';
import { Praxisd, secret } from './lib/praxisd.mjs';
import { resumeQuery, openV1, resume, startOver } from './lib/resuming.mjs';
import { nothingArrived } from './lib/session.mjs';
import { within } from './lib/wait.mjs';

const chat = (message) => ({
	type: 'telemedicine_chat_message',
	roomId: 'r1',
	appointmentId: 'a',
	message,
	from: 'x',
	fromUserId: 'x',
});

const update = (data) => ({ type: 'whiteboard_update', practiceId: 1, data });

// One server after another with the same directory.
function servers({ global, ...options } = {}) {
	const praxis = new Praxisd();
	after(() => praxis.kill());
	return {
		praxis,
		begin: () =>
			praxis.start({
				global: { 'state-file': 'state', 'grace-ms': 20000, ...global },
				...options,
			}),
		async end(signal = 'SIGTERM') {
			praxis.signal(signal);
			if (signal === 'SIGTERM') {
				await praxis.ended();
			} else {
				await within(praxis.exited, 'the end of praxisd');
			}
		},
	};
}

async function openAs(praxis, name, more = '') {
	const client = await openV1(praxis, `practiceId=1&userId=${name}&userName=${name}${more}`);
	client.identity = { userId: name, userName: name };
	return client;
}

// All that arrived, whoever took it or not, up to the connection's end.
async function rest(client) {
	const all = [];
	while (client.inbox.size > 0) {
		all.push(await client.next());
	}
	return all;
}

// They say goodbye, and nobody waits for them.
const leave = (...clients) => Promise.all(clients.map((client) => client.close()));

const ofType = (messages, type) => messages.filter((message) => message.type === type);

describe('a call over a restart', () => {
	const { praxis, begin, end } = servers({ files: {} });

	it('goes on, and who cannot come back is seen to leave', async () => {
		await begin();
		const ann = await openAs(praxis, 'ann');
		const bob = await openAs(praxis, 'bob');
		const dan = await praxis.connectRaw({ userId: 'dan' }); // without praxis.v1, nor a token
		await ann.join('r1');
		await bob.join('r1');
		await dan.join('r1');
		ann.send({
			type: 'telemedicine_media_state',
			roomId: 'r1',
			audio: true,
			video: false,
			screen: true,
		});
		await ann.accepted(chat('before'));
		await bob.fence();
		await ann.fence();
		await end();
		for (const client of [ann, bob, dan]) {
			assert.equal((await client.closing()).code, 1012);
			assert.equal(ofType(await rest(client), 'server_draining').length, 1);
		}

		await praxis.launch();
		const bobAgain = await resume(praxis, bob);
		// He heard it before his own connection ended, or was given it now.
		const left = ofType(await bobAgain.fence(), 'telemedicine_user_left');
		assert.ok(
			left.every(({ userId, reason }) => userId === 'dan' && reason === 'disconnected'),
		);
		await bobAgain.accepted(chat('Ann is not back yet'));
		const annAgain = await resume(praxis, ann);
		assert.equal(annAgain.hello.received, 4);
		const got = await annAgain.fence();
		assert.deepEqual(
			ofType(got, 'telemedicine_chat_message').map(({ message }) => message),
			['Ann is not back yet'],
		);
		assert.deepEqual(
			ofType(got, 'telemedicine_user_left').filter(({ userId }) => userId !== 'dan'),
			[],
		);

		const eve = await openAs(praxis, 'eve');
		const room = await eve.join('r1');
		assert.deepEqual(
			room.members.map(({ clientId, userName, media }) => ({ clientId, userName, media })),
			[
				{
					clientId: ann.clientId,
					userName: 'ann',
					media: { audio: true, video: false, screen: true },
				},
				{
					clientId: bob.clientId,
					userName: 'bob',
					media: { audio: false, video: false, screen: false },
				},
			],
		);
		assert.deepEqual(
			room.chat.map(({ message }) => message),
			['before', 'Ann is not back yet'],
		);
		await annAgain.close();
		assert.equal((await eve.next('telemedicine_user_left')).clientId, ann.clientId);
		await leave(bobAgain, eve);
		await praxis.settle();
		await praxis.stop();
	});
});

describe('messages up to the last moment', () => {
	const COUNT = 6;
	const ROUNDS = 3;
	// They talk as fast as they can, also to those whose connections have ended already.
	const { praxis, begin, end } = servers({
		global: { 'resume-messages': 1000000, 'resume-bytes': 1 << 29 },
	});

	// What one client sent and what arrived at it, over all of its connections.
	class Talker {
		sent = []; // the data of all its updates
		got = [];

		constructor(name) {
			this.name = name;
		}

		async open() {
			this.client = await openAs(praxis, this.name);
			this.base = 0; // messages of which the server has told that it had them
			this.outbox = [];
		}

		#send(message) {
			this.outbox.push(message);
			this.client.send(message);
		}

		say() {
			const data = `${this.name} ${this.sent.length}`;
			this.sent.push(data);
			this.#send(update(data));
		}

		// Talks until the connection ends.
		async talk() {
			let over = false;
			const ended = this.client.closed.then(() => {
				over = true;
			});
			while (!over) {
				this.say();
				await new Promise((resolve) => setImmediate(resolve));
			}
			await ended;
		}

		async return() {
			this.got.push(...ofType(await rest(this.client), 'whiteboard_update'));
			this.client = await resume(praxis, this.client);
			const { received } = this.client.hello;
			this.outbox.splice(0, received - this.base);
			this.base = received;
			this.outbox.forEach((message) => this.client.send(message));
		}

		async hear(fits) {
			const wanted = ({ type, data }) => type === 'whiteboard_update' && fits(data);
			const all = await this.client.inbox.takeThrough('an update', wanted);
			this.got.push(...ofType(all, 'whiteboard_update'));
		}

		async fence() {
			const t = { type: 'ping', t: `${this.name}-${this.sent.length}` };
			this.#send(t);
			const all = await this.client.inbox.takeThrough('pong', (one) => one.t === t.t);
			this.got.push(...ofType(all, 'whiteboard_update'));
		}
	}

	it('arrive once and in order, three servers long', async () => {
		await begin();
		const talkers = Array.from({ length: COUNT }, (_, at) => new Talker(`talker${at}`));
		for (const talker of talkers) {
			await talker.open();
		}
		for (let round = 1; round <= ROUNDS; round++) {
			const talking = talkers.map((talker) => talker.talk());
			await talkers[0].hear((data) => Number(data.split(' ')[1]) > round * 20);
			await end();
			await Promise.all(talking);
			await praxis.launch();
			await Promise.all(talkers.map((talker) => talker.return()));
		}
		for (const talker of talkers) {
			await talker.fence(); // all that anybody sends again has arrived at the server
		}
		for (const talker of talkers) {
			await talker.fence();
		}
		for (const { name, got } of talkers) {
			got.sort((one, two) => one.seq - two.seq);
			assert.equal(new Set(got.map(({ seq }) => seq)).size, got.length, 'none comes twice');
			for (const other of talkers.filter((one) => one.name !== name)) {
				assert.deepEqual(
					got
						.filter(({ data }) => data.startsWith(`${other.name} `))
						.map(({ data }) => data),
					other.sent,
					`what ${other.name} sent, at ${name}`,
				);
			}
		}
		await leave(...talkers.map(({ client }) => client));
		await praxis.settle();
		await praxis.stop();
	});
});

describe('an authenticated client without praxis.v1', () => {
	const audit = 'audit.jsonl';
	const { praxis, begin, end } = servers({
		global: { audit: { file: audit } },
		vhost: tokenVhost(),
	});

	it('is put back into its room, and the audit log knows of no leaving', async () => {
		await begin();
		const ann = await enter(praxis);
		const bob = await enter(praxis);
		await ann.join('r1');
		await bob.join('r1');
		await ann.next('telemedicine_user_joined');
		await end();
		await praxis.launch();
		const again = await enter(praxis, ann.claims);
		assert.equal(again.clientId, ann.clientId);
		const bobAgain = await enter(praxis, bob.claims);
		assert.equal(bobAgain.clientId, bob.clientId);
		await bobAgain.accepted(chat(secret()));
		await again.next('telemedicine_chat_message');
		await nothingArrived([again, bobAgain]);
		const told = async () =>
			(await readFile(path.join(praxis.dir, audit), 'utf8'))
				.split('\n')
				.filter(Boolean)
				.map((line) => JSON.parse(line).event);
		const events = await told();
		assert.equal(events.filter((event) => event === 'started').length, 2);
		assert.deepEqual(
			events.filter((event) => event === 'left' || event === 'disconnected'),
			[],
		);
		await leave(again, bobAgain);
		await praxis.settle();
		await praxis.stop();
	});
});

describe('an administrator', () => {
	const { praxis, begin, end } = servers({ vhost: tokenVhost(), services: { admin: {} } });

	it('goes on watching', async () => {
		await begin();
		const token = await sign(claimsOf({ role: 'admin', practices: ['*'] }));
		const admin = await openV1(praxis, '', { headers: bearer(token) });
		await admin.accepted({ type: 'admin_subscribe', intervalMs: 500 });
		await admin.accepted({ type: 'admin_events' });
		await end();
		await praxis.launch();
		const again = await resume(praxis, admin, admin.arrived, { headers: bearer(token) });
		await again.next('admin_events');
		await again.next('admin_stats');
		const staff = await enter(praxis);
		await again.next('admin_event', ({ entry }) => {
			return entry.event === 'connected' && entry.clientId === staff.clientId;
		});
		await leave(again, staff);
		await praxis.settle();
		await praxis.stop();
	});
});

describe('a server that is told to end at once', () => {
	const { praxis, begin } = servers();

	it('leaves the sessions of those, too, who have not heard of it yet', async () => {
		await begin();
		const ann = await openAs(praxis, 'ann');
		const bob = await openAs(praxis, 'bob');
		await bob.accepted(update('one'));
		ann.socket.pause(); // takes no close frame, nor answers it
		praxis.signal('SIGTERM');
		await praxis.logged(/draining/);
		praxis.signal('SIGTERM');
		await praxis.ended();
		await praxis.launch();
		const again = await resume(praxis, ann, 0);
		assert.equal((await again.next('whiteboard_update')).data, 'one');
		await leave(again, await resume(praxis, bob));
		await praxis.settle();
		await praxis.stop();
	});
});

describe('where there is nothing to come back to', () => {
	const { praxis, begin, end } = servers();
	const file = () => path.join(praxis.dir, 'state');

	it('after SIGKILL a client begins anew, and is told so', async () => {
		await begin();
		const ann = await openAs(praxis, 'ann');
		await ann.join('r1');
		await end('SIGKILL');
		await praxis.launch();
		const again = await startOver(
			praxis,
			`${resumeQuery(ann.resumeToken, ann.arrived)}&practiceId=1`,
		);
		assert.notEqual(again.clientId, ann.clientId);
		await again.refused(chat('is anybody here?'), 'not_in_room');
	});

	it('with a state that was cut off, too', async () => {
		const ann = await openAs(praxis, 'ann');
		await ann.join('r1');
		await end();
		const text = await readFile(file());
		await writeFile(file(), text.subarray(0, text.length - 100));
		await praxis.launch();
		await startOver(praxis, `${resumeQuery(ann.resumeToken, ann.arrived)}&practiceId=1`);
	});

	it('and a token is good in one server only, once', async () => {
		const ann = await openAs(praxis, 'ann');
		await end();
		await praxis.launch();
		const again = await resume(praxis, ann);
		await end();
		await praxis.launch();
		await startOver(praxis, `${resumeQuery(ann.resumeToken, ann.arrived)}&practiceId=1`);
		await leave(await resume(praxis, again));
		await end();
		await praxis.launch();
		await praxis.stop();
	});
});

describe('a vhost that is gone', () => {
	const { praxis, begin, end } = servers();

	it('takes its sessions with it', async () => {
		await begin();
		const ann = await openAs(praxis, 'ann');
		await ann.join('r1');
		await end();
		const config = path.join(praxis.dir, 'conf.d', '00-default.json');
		const text = await readFile(config, 'utf8');
		await writeFile(config, text.replace('"name":"default"', '"name":"another"'));
		await praxis.launch();
		assert.match(praxis.log, /dropped 0 channels, 1 sessions/);
		assert.equal((await praxis.stats()).rooms, 0);
		await startOver(praxis, `${resumeQuery(ann.resumeToken, ann.arrived)}&practiceId=1`);
		await praxis.settle();
		await praxis.stop();
	});
});
