// SPDX-License-Identifier: MIT
//
// Sessions that outlive their connections: resumed by token, reattached by identity, ended when the
// client says goodbye or nobody comes.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { Faulty } from './lib/faulty.mjs';
import { bearer, claimsOf, enter, nowS, sign, tokenVhost } from './lib/issuer.mjs';
import { itEnds, secret, usePraxisd } from './lib/praxisd.mjs';
import { OP, closePayload, frame } from './lib/raw.mjs';
import { Resilient, V1, resumeQuery, openV1, resume, startOver } from './lib/resuming.mjs';
import { nothingArrived } from './lib/session.mjs';
import { until } from './lib/wait.mjs';

const GRACE_MS = 5000; // time to come back in, on a machine that is busy
const LONG_MS = 60000;

const update = (n) => ({ type: 'whiteboard_update', practiceId: 1, data: { n, text: secret() } });

const detached = async (praxis) => (await praxis.stats()).resume.detached;

async function untilDetached(praxis, count = 1) {
	await until(`${count} sessions detached`, async () => (await detached(praxis)) === count);
}

// Ends the connection without a word, and waits until the server has noticed.
async function cut(praxis, client) {
	const before = await detached(praxis);
	await client.kill();
	await untilDetached(praxis, before + 1);
}

// Two in a room: Ann of praxis.v1, Bob without.
async function call(praxis) {
	const ann = await openV1(praxis, 'practiceId=1&userId=ann&userName=Ann');
	const bob = await praxis.connectRaw({ userId: 'bob' });
	ann.identity = { userId: 'ann', userName: 'Ann' };
	await ann.join('r1');
	await bob.join('r1');
	await ann.next('telemedicine_user_joined');
	return { ann, bob };
}

const chat = (message) => ({
	type: 'telemedicine_chat_message',
	roomId: 'r1',
	appointmentId: 'a',
	message,
	from: 'x',
	fromUserId: 'x',
});

describe('resuming', () => {
	const praxis = usePraxisd({ global: { 'grace-ms': GRACE_MS } });

	it('is offered to clients of praxis.v1 alone', async () => {
		const ann = await openV1(praxis);
		assert.equal(ann.hello.resume.graceMs, GRACE_MS);
		assert.ok(ann.hello.resume.token.length >= 40);
		assert.equal(ann.hello.resumed, undefined);
		const bob = await praxis.connect();
		assert.equal(bob.hello.resume, undefined);
		await bob.refused({ type: 'received', n: 0 }, 'unknown_type');
	});

	it('gives all that was missed, in order, and the others see nothing', async () => {
		const { ann, bob } = await call(praxis);
		for (let n = 1; n <= 5; n++) {
			bob.send(chat(`before ${n}`));
		}
		const had = (
			await ann.inbox.takeThrough('the fifth', ({ message }) => message === 'before 5')
		).length;
		assert.equal(had, 5);
		await cut(praxis, ann);
		for (let n = 1; n <= 5; n++) {
			bob.send(chat(`meanwhile ${n}`));
		}
		await nothingArrived([bob]);
		const again = await resume(praxis, ann, ann.arrived - 2);
		for (const text of [
			'before 4',
			'before 5',
			...[1, 2, 3, 4, 5].map((n) => `meanwhile ${n}`),
		]) {
			assert.equal((await again.next()).message, text);
		}
		await nothingArrived([again, bob]);
		again.send(chat('and on'));
		const heard = await bob.next('telemedicine_chat_message');
		assert.equal(heard.clientId, ann.clientId);
		await again.close();
		assert.equal((await bob.next('telemedicine_user_left')).reason, 'disconnected');
	});

	it('counts what the client sent, whatever came of it', async () => {
		const ann = await openV1(praxis, 'practiceId=1&userId=7');
		ann.send(update(1));
		ann.send('nonsense');
		ann.send({ type: 'received', n: 0 });
		ann.send({ type: 'unheard_of' });
		await ann.next('error');
		await ann.next('error');
		await ann.fence();
		await cut(praxis, ann);
		const again = await resume(praxis, ann);
		assert.equal(again.hello.received, 5);
		again.send(update(2));
		await again.fence();
		await cut(praxis, again);
		assert.equal((await resume(praxis, again)).hello.received, 7);
	});

	it('takes over a connection that seems alive', async () => {
		const { ann, bob } = await call(praxis);
		const again = await resume(praxis, ann);
		assert.equal((await ann.closing()).code, 4409);
		await again.accepted(chat('here'));
		await bob.next('telemedicine_chat_message');
		await nothingArrived([bob]);
		await until('two clients, and the one that asks', async () => {
			const { sessions, connections } = await praxis.stats();
			return sessions === 2 && connections === 3;
		});
		assert.ok((await praxis.stats()).resume.takeovers >= 1);
	});

	it('works once with a token', async () => {
		const ann = await openV1(praxis);
		await cut(praxis, ann);
		const again = await resume(praxis, ann);
		await startOver(praxis, resumeQuery(ann.resumeToken, 0));
		await cut(praxis, again);
		await startOver(praxis, resumeQuery(ann.resumeToken, 0));
		await resume(praxis, again);
	});

	it('needs the whole token and a number that can be', async () => {
		const ann = await openV1(praxis);
		const { resumeToken } = ann;
		await cut(praxis, ann);
		for (const query of [
			'resume=x&received=0',
			`resume=${'x'.repeat(300)}&received=0`,
			resumeQuery(resumeToken.slice(0, -1), 0),
			resumeQuery(`${resumeToken}0`, 0),
			resumeQuery(resumeToken.slice(0, -1) + (resumeToken.endsWith('0') ? '1' : '0'), 0),
			`resume=${resumeToken}`,
			resumeQuery(resumeToken, ''),
			resumeQuery(resumeToken, -1),
			resumeQuery(resumeToken, '0x0'),
			resumeQuery(resumeToken, 1),
			resumeQuery(resumeToken, '99999999999999999999'),
		]) {
			await startOver(praxis, query);
		}
		await resume(praxis, ann);
	});

	it('is not for clients without praxis.v1', async () => {
		const ann = await openV1(praxis);
		await cut(praxis, ann);
		const other = await praxis.open(`/ws?${resumeQuery(ann.resumeToken, 0)}`);
		const hello = await other.next('connection_established');
		assert.notEqual(hello.clientId, ann.clientId);
		assert.equal(hello.resumed, undefined);
		await resume(praxis, ann);
	});

	it('does not make one user another', async () => {
		const ann = await openV1(praxis, 'practiceId=1&userId=ann');
		await cut(praxis, ann);
		await startOver(praxis, `${resumeQuery(ann.resumeToken, 0)}&userId=bob`);
		const again = await openV1(praxis, `${resumeQuery(ann.resumeToken, 0)}&userId=ann`);
		assert.equal(again.hello.type, 'resumed');
	});

	it('is over with the grace, and the others are told once', async () => {
		const { ann, bob } = await call(praxis);
		await cut(praxis, ann);
		const left = await bob.next('telemedicine_user_left');
		assert.equal(left.clientId, ann.clientId);
		assert.equal(left.reason, 'disconnected');
		await nothingArrived([bob]);
		assert.equal(await detached(praxis), 0);
		await startOver(praxis, resumeQuery(ann.resumeToken, ann.arrived));
	});

	for (const [what, end, lives] of [
		['a close frame with 1000', (client) => client.close(1000), false],
		['a close frame with 1001', (client) => client.close(1001), false],
		['a close frame with 4000', (client) => client.close(4000), true],
		[
			'a close frame without a code',
			(client) => {
				client.write(frame(OP.close));
				return client.closing();
			},
			true,
		],
		['a FIN', (client) => client.kill({ reset: false }), true],
		['a reset', (client) => client.kill(), true],
		[
			'half a message',
			(client) => {
				client.write(frame(OP.text, '{"type":"ping"}').subarray(0, 9));
				return client.kill({ reset: false });
			},
			true,
		],
		[
			'a binary message',
			(client) => {
				client.write(frame(OP.binary, 'x'));
				return client.closing();
			},
			false,
		],
		[
			'invalid UTF-8',
			(client) => {
				client.write(frame(OP.text, Buffer.from([0xff, 0xff])));
				return client.closing();
			},
			false,
		],
	]) {
		it(`${lives ? 'goes on' : 'is over'} after ${what}`, async () => {
			const { ann, bob } = await call(praxis);
			const { breaks } = (await praxis.stats()).resume;
			await end(ann);
			if (lives) {
				await until('the break is noticed', async () => {
					return (await praxis.stats()).resume.breaks === breaks + 1;
				});
				await nothingArrived([bob]);
				const again = await resume(praxis, ann);
				again.send(chat('here'));
				await bob.next('telemedicine_chat_message');
			} else {
				const left = await bob.next('telemedicine_user_left', undefined, GRACE_MS - 1000);
				assert.equal(left.clientId, ann.clientId);
				assert.equal((await praxis.stats()).resume.breaks, breaks);
				await startOver(praxis, resumeQuery(ann.resumeToken, ann.arrived));
			}
			await nothingArrived([bob]);
		});
	}

	itEnds(praxis);
});

describe('a network that fails in the middle of frames', () => {
	const praxis = usePraxisd({ global: { 'grace-ms': LONG_MS } });

	it('loses nothing and doubles nothing, in neither direction', async () => {
		const network = await Faulty.before(praxis.port);
		const ann = await Resilient.open(praxis, 'practiceId=1&userId=ann', network);
		const bob = await openV1(praxis, 'practiceId=1&userId=bob');
		const total = 400;
		let random = 1;
		const dice = (sides) => (random = (random * 48271) % 0x7fffffff) % sides;
		for (let n = 1; n <= total; n++) {
			bob.send(update(n));
			ann.send(update(n));
			if (n % 20 === 0) {
				const { resumes } = ann;
				const down = dice(2) === 0;
				network.cutAfter(dice(600), down ? 'down' : 'up');
				for (let more = 0; more < 8; more++) {
					ann.send({ type: 'ping', t: `${n}-${more}` });
				}
				await until('it is back', () => ann.resumes > resumes);
			}
		}
		const heard = () => ann.got.filter(({ type }) => type === 'whiteboard_update');
		await until('Ann has all', () => heard().length >= total);
		await bob.inbox
			.takeThrough('the last', ({ data }) => data?.n === total)
			.then((all) => {
				const numbers = all.filter(({ type }) => type === 'whiteboard_update');
				assert.deepEqual(
					numbers.map(({ data }) => data.n),
					numbers.map((_, at) => at + 1),
				);
				assert.equal(numbers.length, total);
			});
		assert.deepEqual(
			heard().map(({ data }) => data.n),
			heard().map((_, at) => at + 1),
		);
		await until('every ping is answered', () => {
			return ann.got.filter(({ type }) => type === 'pong').length === (total / 20) * 8;
		});
		await nothingArrived([bob]);
		assert.equal(ann.resumes, total / 20);
		await ann.end();
		await network.close();
	});

	itEnds(praxis);
});

describe('what is kept', () => {
	const praxis = usePraxisd({
		global: { 'grace-ms': LONG_MS, 'resume-messages': 16, 'detached-sessions': 2 },
	});

	it('is released by `received`', async () => {
		const ann = await openV1(praxis, 'practiceId=1');
		const bob = await praxis.connect();
		for (let n = 1; n <= 10; n++) {
			await bob.accepted(update(n));
		}
		await ann.fence();
		const kept = async () => (await praxis.stats()).resume.kept_messages;
		assert.equal(await kept(), 11);
		ann.send({ type: 'received', n: 4 });
		await until('four are released', async () => (await kept()) === 7);
		await ann.refused({ type: 'received', n: 1000 }, 'bad_message');
		assert.equal((await ann.refused({ type: 'received' }, 'bad_message')).field, 'n');
		ann.send({ type: 'received', n: ann.arrived });
		await until('all are released', async () => (await kept()) === 0);
	});

	it('has a bound, behind which one begins anew', async () => {
		const ann = await openV1(praxis, 'practiceId=1');
		const bob = await praxis.connectRaw();
		for (let n = 1; n <= 40; n++) {
			bob.send(update(n));
		}
		await ann.next('whiteboard_update', ({ data }) => data.n === 40);
		assert.equal((await praxis.stats()).resume.kept_messages, 16);
		await cut(praxis, ann);
		await startOver(praxis, resumeQuery(ann.resumeToken, 23));
		assert.equal((await praxis.stats()).resume.behind, 1);
	});

	it('is as much as one who kept up needs', async () => {
		const ann = await openV1(praxis, 'practiceId=1');
		const bob = await praxis.connectRaw();
		for (let n = 1; n <= 40; n++) {
			bob.send(update(n));
		}
		await ann.next('whiteboard_update', ({ data }) => data.n === 40);
		await cut(praxis, ann);
		const again = await resume(praxis, ann, 24);
		const rest = await again.inbox.takeThrough('the last', ({ data }) => data.n === 40);
		assert.equal(rest.length, 16);
		await again.close();
	});

	it('is no more than that of so many sessions', async () => {
		const bob = await praxis.connectRaw({ userId: 'bob' });
		const gone = [];
		await bob.join('r1');
		for (const userId of ['first', 'second', 'third']) {
			const client = await openV1(praxis, `practiceId=1&userId=${userId}`);
			client.identity = { userId, userName: userId };
			await client.join('r1');
			await bob.next('telemedicine_user_joined');
			gone.push(client);
		}
		await cut(praxis, gone[0]);
		await cut(praxis, gone[1]);
		await nothingArrived([bob]);
		await gone[2].kill();
		const left = await bob.next('telemedicine_user_left');
		assert.equal(left.clientId, gone[0].clientId);
		await (await resume(praxis, gone[1])).close();
		await (await resume(praxis, gone[2])).close();
	});

	itEnds(praxis);
});

describe('a peer that falls silent', () => {
	const praxis = usePraxisd({ global: { 'grace-ms': LONG_MS, 'heartbeat-ms': 1000 } });

	it('is waited for', async () => {
		const network = await Faulty.before(praxis.port);
		const ann = await openV1(praxis, 'practiceId=1', { port: network.port });
		const bob = await praxis.connectRaw();
		network.stall();
		bob.send(update(1));
		await untilDetached(praxis);
		bob.send(update(2));
		const again = await resume(praxis, ann, 0);
		assert.equal((await again.next('whiteboard_update')).data.n, 1);
		assert.equal((await again.next('whiteboard_update')).data.n, 2);
		await again.close();
		await network.close();
	});

	itEnds(praxis);
});

describe('resuming as somebody with a token', () => {
	const praxis = usePraxisd({
		global: {
			'grace-ms': LONG_MS,
			'max-connections-per-user': 2,
			audit: { file: 'audit.jsonl' },
		},
		vhost: tokenVhost(),
	});

	// A client of praxis.v1 with that token in its header; `query` as in openV1().
	async function enterV1(claims, query = '') {
		const client = await openV1(praxis, query, { headers: bearer(await sign(claims)) });
		client.claims = claims;
		return client;
	}

	it('needs no other credentials', async () => {
		const ann = await enterV1(claimsOf());
		const bob = await enter(praxis);
		bob.isGentle = true;
		await cut(praxis, ann);
		await bob.accepted(update(1));
		const again = await resume(praxis, ann);
		assert.equal((await again.next('whiteboard_update')).data.n, 1);
		await again.accepted(update(2));
		assert.equal((await bob.next('whiteboard_update')).userId, ann.claims.sub);
		await again.close();
	});

	it('works for one who sent `auth`', async () => {
		const claims = claimsOf();
		const ann = await openV1(praxis);
		const { resumeToken } = ann;
		ann.send({ type: 'auth', token: await sign(claims) });
		await ann.next('auth_ok');
		await cut(praxis, ann);
		assert.equal(ann.resumeToken, resumeToken);
		const again = await resume(praxis, ann);
		await again.accepted(update(1));
		await again.close();
	});

	it('is not for one who never did', async () => {
		const unauthenticated = await openV1(praxis);
		await unauthenticated.kill();
		const again = await startOver(praxis, resumeQuery(unauthenticated.resumeToken, 0));
		assert.equal(again.hello.user, undefined);
		await again.refused(update(1), 'unauthenticated');
	});

	it('takes up a newer token of the same user', async () => {
		const claims = claimsOf();
		const ann = await enterV1(claims);
		await cut(praxis, ann);
		const again = await enterV1(
			{ ...claims, practices: [1, 2] },
			resumeQuery(ann.resumeToken, 0),
		);
		assert.equal(again.hello.type, 'resumed');
		await again.accepted({ ...update(1), practiceId: 2 });
		await again.close();
	});

	it('is not for another user, and leaves the session as it was', async () => {
		const ann = await enterV1(claimsOf());
		await cut(praxis, ann);
		const other = await enterV1(claimsOf(), resumeQuery(ann.resumeToken, 0));
		assert.equal(other.hello.type, 'connection_established');
		assert.equal(other.hello.resumed, false);
		assert.notEqual(other.clientId, ann.clientId);
		await (await resume(praxis, ann)).close();
	});

	it('tells a bad token as ever', async () => {
		const ann = await enterV1(claimsOf());
		await cut(praxis, ann);
		const headers = bearer(await sign(claimsOf(), { key: Buffer.from('x'.repeat(32)) }));
		const bad = await openV1(praxis, resumeQuery(ann.resumeToken, 0), { headers });
		assert.equal(bad.hello.type, 'error');
		assert.equal((await bad.closing()).code, 4401);
		await (await resume(praxis, ann)).close();
	});

	it('ends with the token', async () => {
		const ann = await enterV1(claimsOf({ exp: nowS() + 5 }));
		await cut(praxis, ann);
		await untilDetached(praxis, 0);
		await startOver(praxis, resumeQuery(ann.resumeToken, ann.arrived));
	});

	it('does not count twice', async () => {
		const claims = claimsOf();
		const ann = await enterV1(claims);
		const second = await enterV1(claims);
		assert.equal(second.hello.type, 'connection_established');
		// At the limit, but in the place of one that counts.
		const again = await enterV1(claims, resumeQuery(ann.resumeToken, 0));
		assert.equal(again.hello.type, 'resumed', JSON.stringify(again.hello));
		const third = await resume(praxis, again, 0);
		await assert.rejects(enterV1(claims), /429|upgraded/);
		await second.close();
		const fourth = await until('room for another', () => enterV1(claims).catch(() => null));
		assert.equal(fourth.hello.type, 'connection_established');
		await assert.rejects(enterV1(claims), /429|upgraded/);
		await third.close();
		await fourth.close();
	});

	it('is in the audit log', async () => {
		const ann = await enterV1(claimsOf());
		await cut(praxis, ann);
		await (await resume(praxis, ann)).close();
		await until('it has left', async () => (await praxis.stats()).sessions === 0);
		const auditLog = (await readFile(`${praxis.dir}/audit.jsonl`, 'utf8'))
			.trim()
			.split('\n')
			.map((line) => JSON.parse(line))
			.filter(({ clientId }) => clientId === ann.clientId);
		assert.deepEqual(
			auditLog.map(({ event, user }) => `${event} ${user}`),
			['connected', 'detached', 'resumed', 'disconnected'].map(
				(event) => `${event} ${ann.claims.sub}`,
			),
		);
		const whole = await readFile(`${praxis.dir}/audit.jsonl`, 'utf8');
		assert.ok(!whole.includes(ann.resumeToken.slice(17)), 'no token in the audit log');
		assert.ok(!praxis.log.includes(ann.resumeToken.slice(17)), 'nor in the log');
	});

	itEnds(praxis);
});

describe('reattaching by identity', () => {
	const praxis = usePraxisd({ global: { 'grace-ms': GRACE_MS }, vhost: tokenVhost() });

	async function calling() {
		const ann = await enter(praxis);
		const bob = await enter(praxis);
		await ann.join('r1');
		await bob.join('r1');
		await ann.next('telemedicine_user_joined');
		return { ann, bob };
	}

	const again = (old) => enter(praxis, old.claims);

	it('puts a client back before the others are told', async () => {
		const { ann, bob } = await calling();
		await cut(praxis, ann);
		for (let n = 1; n <= 3; n++) {
			await bob.accepted(update(n));
		}
		const back = await again(ann);
		assert.equal(back.clientId, ann.clientId);
		assert.equal(back.hello.resumed, undefined);
		assert.equal((await back.next('whiteboard_update')).data.n, 3);
		await nothingArrived([back, bob]);
		bob.send({
			type: 'telemedicine_offer',
			roomId: 'r1',
			appointmentId: 'a',
			offer: { sdp: secret() },
			from: bob.claims.sub,
			to: ann.clientId,
		});
		await back.next('telemedicine_offer');
		assert.equal((await praxis.stats()).resume.healed, 1);
		await back.close();
		assert.equal((await bob.next('telemedicine_user_left')).clientId, ann.clientId);
	});

	it('tells nothing to one who missed nothing', async () => {
		const { ann, bob } = await calling();
		await bob.accepted(update(1));
		await ann.next('whiteboard_update');
		await ann.accepted(update(2));
		await cut(praxis, ann);
		await nothingArrived([await again(ann)]);
	});

	it('works for one who sends `auth`', async () => {
		const { ann, bob } = await calling();
		await cut(praxis, ann);
		await bob.accepted(update(1));
		const back = await praxis.open('/ws');
		const hello = await back.next('connection_established');
		assert.notEqual(hello.clientId, ann.clientId);
		back.send({ type: 'auth', token: await sign(ann.claims) });
		assert.equal((await back.next('connection_established')).clientId, ann.clientId);
		await back.next('auth_ok');
		assert.equal((await back.next('whiteboard_update')).data.n, 1);
		bob.send(chat('welcome back'));
		await back.next('telemedicine_chat_message');
		await nothingArrived([bob, back]);
		assert.equal((await praxis.stats()).unauthenticated, 0);
	});

	it('is not for others, nor for a second tab', async () => {
		const { ann } = await calling();
		const tab = await again(ann);
		assert.notEqual(tab.clientId, ann.clientId);
		await cut(praxis, ann);
		assert.notEqual((await enter(praxis)).clientId, ann.clientId);
		const headers = { ...V1, ...bearer(await sign(ann.claims)) };
		const versioned = await praxis.open('/ws', { headers });
		assert.notEqual((await versioned.next()).clientId, ann.clientId);
		assert.equal((await again(ann)).clientId, ann.clientId);
	});

	it('is over with the grace', async () => {
		const { ann, bob } = await calling();
		await cut(praxis, ann);
		assert.equal((await bob.next('telemedicine_user_left')).clientId, ann.clientId);
		await nothingArrived([bob]);
		assert.notEqual((await again(ann)).clientId, ann.clientId);
	});

	it('is not for one who said goodbye', async () => {
		const { ann, bob } = await calling();
		ann.write(frame(OP.close, closePayload(1001)));
		await bob.next('telemedicine_user_left', undefined, GRACE_MS - 1000);
		assert.notEqual((await again(ann)).clientId, ann.clientId);
	});

	itEnds(praxis);
});

describe('a server that ends with clients away', () => {
	const praxis = usePraxisd({ global: { 'grace-ms': LONG_MS } });

	it('ends all the same', async () => {
		const ann = await openV1(praxis, 'practiceId=1');
		await openV1(praxis, 'practiceId=1');
		await cut(praxis, ann);
		await praxis.stop();
	});
});
