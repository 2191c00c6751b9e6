// SPDX-License-Identifier: MIT
//
// What is written down, and what is not: marked texts are sent through every path at the most
// talkative log level, then log, audit log and statistics are searched for them. And the audit log
// tells who did what, where and when.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { exchange, get, request } from './lib/http.mjs';
import {
	PHRASE,
	bearer,
	claimsOf,
	enter,
	enterUnauthenticated,
	handmade,
	sign,
	token,
	tokenVhost,
} from './lib/issuer.mjs';
import { BUILD, itEnds, secret, usePraxisd } from './lib/praxisd.mjs';
import { OP, fragments, frame, refusedUpgrade } from './lib/raw.mjs';
import { until } from './lib/wait.mjs';

const PRAXISCTL = path.join(BUILD, 'tools', 'praxisctl');
const run = promisify(execFile);

const call = { roomId: 'room', appointmentId: 'appointment' };
const signal = () => ({ ...call, from: secret('from') });

async function auditLogOf(praxis) {
	const text = await readFile(path.join(praxis.dir, 'audit', 'audit.jsonl'), 'utf8');
	const lines = text.split('\n').slice(0, -1);
	return { text, lines: lines.map((line) => JSON.parse(line)) };
}

// Everything that the server wrote or tells of itself.
async function everythingSaid(praxis) {
	const said = { log: praxis.log, auditLog: (await auditLogOf(praxis)).text };
	for (const where of ['/stats', '/metrics', '/health', '/ready']) {
		said[where] = (await get(praxis.port, where)).body;
	}
	return said;
}

function assertUnsaid(said, texts) {
	for (const [where, text] of Object.entries(said)) {
		assert.ok(!/SECRET/i.test(text), `the mark is in ${where}`);
		for (const [name, piece] of Object.entries(texts)) {
			assert.ok(!text.includes(piece), `${name} is in ${where}`);
		}
	}
}

const withAuditLog = (more = {}) => ({
	audit: { file: 'audit/audit.jsonl', sync: 'line' },
	'auth-failures': 0,
	...more,
});

const files = { 'audit/.keep': '' };

describe('what is not written down', () => {
	const praxis = usePraxisd({
		global: withAuditLog(),
		vhost: tokenVhost({ cookie: 'praxis', query: true }),
		files,
	});
	const texts = { 'the key of the tokens': PHRASE };

	// Remembers the parts of a token that say something.
	const remember = (name, jwt) => {
		const [, payload, signature] = jwt.split('.');
		if (payload) {
			texts[`the payload of ${name}`] = payload.slice(0, 40);
		}
		if (signature) {
			texts[`the signature of ${name}`] = signature;
		}
		return jwt;
	};

	it('is who came with which token', async () => {
		const header = remember('a header', await token());
		await (await praxis.open('/ws', { headers: bearer(header) })).next();
		const cookie = remember('a cookie', await token());
		await (
			await praxis.open('/ws', {
				headers: { Cookie: `a=${secret('cookie')}; praxis=${cookie}` },
			})
		).next('connection_established');
		const query = remember('a query', await token());
		const where = `/ws?userId=${secret('query')}&access_token=${query}&userName=${secret('name')}`;
		await (await praxis.open(where)).next('connection_established');
		const message = remember('a message', await token());
		const page = await enterUnauthenticated(praxis);
		await page.accepted({ type: 'auth', token: message });
		await page.accepted({ type: 'auth', token: message });

		const body = JSON.stringify({ claims: claimsOf() });
		const response = await exchange(
			praxis.port,
			request(
				'POST',
				'/api/v1/tickets',
				{
					...bearer(remember('the back end', await token({ role: 'service' }))),
					'Content-Length': Buffer.byteLength(body),
				},
				{ body },
			),
		);
		const { ticket } = JSON.parse(response.body);
		texts['a ticket'] = ticket;
		const headers = { 'Sec-WebSocket-Protocol': `praxis.v1, ticket.${ticket}` };
		await (await praxis.open('/ws', { headers })).next('connection_established');
		assert.equal((await (await praxis.open('/ws', { headers })).next()).type, 'error');
	});

	it('is what was refused', async () => {
		const good = await token();
		for (const jwt of [
			`${good}x`,
			good.slice(0, -10),
			await sign(claimsOf(), { key: Buffer.from(secret('another key of enough bytes')) }),
			await token({ exp: 1 }),
			await token({ role: secret('role') }),
			await token({ practices: { [secret('practice')]: 1 } }),
			handmade({ alg: 'none', kid: secret('kid') }, claimsOf()),
			handmade({ alg: secret('alg') }, claimsOf(), secret('signature')),
			secret('no token'),
		]) {
			remember('a bad token', jwt);
			const client = await praxis.open('/ws', { headers: bearer(jwt) });
			assert.equal((await client.next()).type, 'error');
			const page = await enterUnauthenticated(praxis);
			page.send({ type: 'auth', token: jwt });
			await page.next('error');
			await exchange(
				praxis.port,
				request(
					'POST',
					'/api/v1/tickets',
					{ ...bearer(jwt), 'Content-Length': 2 },
					{
						body: '{}',
					},
				),
			);
		}
		for (const [where, headers] of [
			[`/${secret('path')}?x=${secret('query')}`, {}],
			['/ws', { Origin: `https://${secret('origin')}.example` }],
			['/ws', { 'Sec-WebSocket-Protocol': secret('protocol') }],
			['/ws', { Authorization: `Basic ${secret('basic')}` }],
			['/ws', { 'Sec-WebSocket-Version': secret('version') }],
		]) {
			await refusedUpgrade(praxis.port, where, headers);
		}
		await get(praxis.port, `/${secret('file')}?${secret('query')}`, {
			Cookie: secret('cookie'),
			'X-Forwarded-For': secret('address'),
		});
	});

	it('is what was sent', async () => {
		const ann = await enter(praxis, { practices: [1, 2] });
		const bob = await enter(praxis);
		const patient = await enter(praxis, { role: 'patient', rooms: ['room'] });
		for (const client of [ann, bob, patient]) {
			await client.join('room', { userName: secret('name'), note: secret('note') });
		}
		const messages = [
			{ type: 'whiteboard_update', practiceId: 1, data: secret('data'), key: secret('key') },
			{ type: 'whiteboard_subscribe', practiceId: 1, x: secret('x') },
			{ type: 'telemedicine_offer', ...signal(), offer: { sdp: secret('sdp') } },
			{ type: 'telemedicine_answer', ...signal(), answer: { sdp: secret('sdp') } },
			{ type: 'telemedicine_ice_candidate', ...signal(), candidate: { c: secret('ice') } },
			{
				type: 'telemedicine_chat_message',
				...signal(),
				message: secret('chat'),
				fromUserId: secret('id'),
			},
			{ type: 'echo_say', text: secret('text') },
			{ type: 'ping', t: secret('t') },
		];
		for (const message of messages) {
			assert.equal((await ann.ask(message)).type, 'ack', message.type);
		}
		// Whatever is refused, and why
		for (const message of [
			...messages.map((message) => ({ ...message, practiceId: secret('practice') })),
			{ type: 'telemedicine_offer', ...signal(), to: secret('to'), offer: {} },
			{ type: 'telemedicine_offer', ...signal(), roomId: secret('room'), offer: {} },
			{ type: 'telemedicine_chat_message', ...signal(), message: [secret('chat')] },
			{ type: 'telemedicine_remove', roomId: 'room', clientId: secret('client') },
			{ type: 'secret_type_of_mine', x: secret('x') },
			{ type: 'whiteboard_secret', x: secret('x') },
		]) {
			const receipt = await ann.ask(message);
			assert.ok(receipt.type === 'error' || message.type === 'ping', message.type);
		}
		for (const message of messages.filter(({ type }) => type.startsWith('whiteboard'))) {
			await patient.refused(message, 'forbidden');
		}
		for (const text of [
			secret('json'),
			`{"type":"${secret('type')}"`,
			`["${secret('array')}"]`,
		]) {
			ann.send(text);
			await ann.next('error');
		}
		await bob.fence();
	});

	it('is what broke a rule of the protocol', async () => {
		for (const bytes of [
			frame(OP.binary, secret('binary')),
			Buffer.concat(
				fragments(JSON.stringify({ type: 'x', x: secret('x').repeat(9000) }), 8000),
			),
			frame(OP.text, Buffer.concat([Buffer.from(secret('utf8')), Buffer.from([0xff])])),
			frame(OP.text, secret('reserved'), { rsv: 7 }),
			frame(OP.close, Buffer.concat([Buffer.from([3, 232]), Buffer.from(secret('why'))])),
		]) {
			const client = await enter(praxis);
			client.write(bytes);
			await client.closing();
		}
	});

	it('in the log, the audit log, the statistics', async () => {
		assert.ok(Object.keys(texts).length > 10);
		assertUnsaid(await everythingSaid(praxis), texts);
	});

	itEnds(praxis);
});

describe('what is not written down in open mode', () => {
	const praxis = usePraxisd({ global: withAuditLog(), files });

	it('is the query', async () => {
		const client = await praxis.connect({ userName: secret('name') });
		await client.join('room', { userName: secret('name') });
		await refusedUpgrade(praxis.port, `/ws?role=${secret('role')}`);
		await refusedUpgrade(praxis.port, `/ws?userName=%01${secret('name')}`);
		assertUnsaid(await everythingSaid(praxis), {});
	});

	itEnds(praxis);
});

describe('what is not written down of the application', () => {
	let back;
	let answer;
	before(async () => {
		back = http.createServer((asked, response) => answer(response));
		await new Promise((resolve) => {
			back.listen(0, '127.0.0.1', resolve);
		});
	});
	after(() => {
		back.closeAllConnections();
		back.close();
	});
	const query = secret('query');
	const praxis = usePraxisd(() => ({
		global: withAuditLog(),
		vhost: {
			'open-practice': undefined,
			'auth-url': `http://127.0.0.1:${back.address().port}/who?key=${query}`,
		},
		files,
	}));

	it('is the question and the answer', async () => {
		const headers = () => ({
			Cookie: `session=${secret('cookie')}`,
			Authorization: `Bearer ${secret('token')}`,
		});
		for (const [how, good] of [
			[(response) => response.end(JSON.stringify(claimsOf({ exp: undefined }))), true],
			[(response) => response.writeHead(401).end(secret('reason'))],
			[(response) => response.writeHead(500, secret('phrase')).end(secret('trace'))],
			[(response) => response.end(secret('no JSON'))],
			[(response) => response.socket.end(secret('no HTTP'))],
			[(response) => response.end(JSON.stringify(claimsOf({ role: secret('role') })))],
			[(response) => response.writeHead(302, { Location: `/${secret('to')}` }).end()],
		]) {
			answer = how;
			const client = await praxis.open('/ws', { headers: headers() });
			if (good) {
				await client.next('connection_established');
			} else {
				await client.nextFrame(OP.close);
			}
		}
		assertUnsaid(await everythingSaid(praxis), {});
	});

	itEnds(praxis);
});

describe('the audit log', () => {
	const praxis = usePraxisd({
		global: withAuditLog(),
		vhost: tokenVhost({}, { tenant: 'Clinic' }),
		files,
	});

	// The lines that are about this, in order, as soon as there are so many.
	const about = (count, fits) =>
		until(`${count} lines`, async () => {
			const found = (await auditLogOf(praxis)).lines.filter(fits);
			return found.length >= count && found;
		});

	function assertLine(line, expected) {
		assert.ok(Math.abs(Date.parse(line.at) - Date.now()) < 60_000, line.at);
		for (const [key, value] of Object.entries(expected)) {
			assert.deepEqual(line[key], value, `${key} of ${JSON.stringify(line)}`);
		}
	}

	it('has who connected, joined, left and went', async () => {
		const ann = await enter(praxis, { sub: 70 });
		const who = {
			user: 70,
			role: 'staff',
			address: '127.0.0.1',
			tenant: 'Clinic',
			clientId: ann.clientId,
		};
		await ann.join('audited-1');
		await ann.accepted({
			type: 'telemedicine_user_left',
			...call,
			roomId: 'audited-1',
			userId: 1,
		});
		await ann.join('audited-2');
		await ann.close();
		const lines = await about(1, ({ event, clientId }) => {
			return event === 'disconnected' && clientId === ann.clientId;
		});
		assertLine(lines[0], who);
		const all = await about(1, ({ clientId }) => clientId === ann.clientId);
		const one = (event, room) =>
			all.filter((line) => line.event === event && (!room || line.room === room));
		assertLine(all[0], { ...who, event: 'connected' });
		for (const [room, reason] of [
			['audited-1', 'left'],
			['audited-2', 'disconnected'],
		]) {
			const [joined, ...more] = one('joined', room);
			assert.deepEqual(more, []);
			assertLine(joined, { ...who, room });
			assert.equal(String(joined.practice), '1');
			const [left] = one('left', room);
			assertLine(left, { ...who, room, reason });
			assert.equal(String(left.practice), '1');
		}
		assert.equal(one('connected').length, 1);
		assert.equal(one('disconnected').length, 1);
	});

	it('has who authenticated later', async () => {
		const page = await enterUnauthenticated(praxis);
		await page.accepted({ type: 'auth', token: await token({ sub: 'late', tenant: 'T' }) });
		const [line] = await about(1, (one) => one.event === 'authenticated');
		assertLine(line, { user: 'late', role: 'staff', tenant: 'T', clientId: page.clientId });
	});

	it('has who removed whom', async () => {
		const doctor = await enter(praxis, { sub: 'doctor' });
		const patient = await enter(praxis, {
			sub: 'patient',
			role: 'patient',
			rooms: ['audited'],
		});
		await doctor.join('audited');
		await patient.join('audited');
		await doctor.accepted({
			type: 'telemedicine_remove',
			roomId: 'audited',
			clientId: patient.clientId,
		});
		const [line] = await about(1, (one) => one.event === 'removed');
		assertLine(line, {
			user: 'doctor',
			role: 'staff',
			address: '127.0.0.1',
			tenant: 'Clinic',
			room: 'audited',
			target: patient.clientId,
		});
		assert.equal(String(line.practice), '1');
	});

	it('has what was refused, and why', async () => {
		const before = (await auditLogOf(praxis)).lines.length;
		await refusedUpgrade(praxis.port, '/ws', { Origin: 'null' });
		const bad = await praxis.open('/ws', { headers: bearer('no.to.ken') });
		await bad.closing();
		const patient = await enter(praxis, { sub: 'p', role: 'patient', rooms: [] });
		await patient.refused({ type: 'whiteboard_subscribe', practiceId: 1 }, 'forbidden');
		await patient.refused(
			{ type: 'telemedicine_user_joined', ...call, userId: 1, userName: 'x' },
			'forbidden',
		);
		const ann = await enter(praxis, { sub: 'a' });
		await ann.refused({ type: 'whiteboard_subscribe', practiceId: 2 }, 'forbidden');
		await exchange(
			praxis.port,
			request('POST', '/api/v1/tickets', {
				...bearer(await token({ sub: 'caller' })),
				'Content-Length': 0,
			}),
		);
		const lines = (await auditLogOf(praxis)).lines
			.slice(before)
			.filter(({ event }) => event === 'refused');
		for (const line of lines) {
			assertLine(line, { address: '127.0.0.1', vhost: 'default' });
			assert.ok(line.reason, JSON.stringify(line));
		}
		const by = (user) => lines.filter((line) => line.user === user).length;
		assert.equal(by('p'), 2);
		assert.equal(by('a'), 1);
		assert.ok(lines.length >= 6, `${lines.length} lines`);
	});

	it('does not say that somebody connected who was not let in', async () => {
		const before = (await auditLogOf(praxis)).lines.length;
		const bad = await praxis.open('/ws', { headers: bearer('no.to.ken') });
		await bad.closing();
		const lines = (await auditLogOf(praxis)).lines.slice(before);
		assert.deepEqual(
			lines.filter(({ event }) => event === 'connected'),
			[],
		);
	});

	it('is written before the act is confirmed', async () => {
		const ann = await enter(praxis);
		await ann.join('confirmed');
		const { lines } = await auditLogOf(praxis);
		assert.ok(lines.some((line) => line.event === 'joined' && line.room === 'confirmed'));
	});

	it('counts its lines without a gap', async () => {
		const { lines } = await auditLogOf(praxis);
		assert.deepEqual(
			lines.map(({ seq }) => seq),
			lines.map((_, at) => at + 1),
		);
	});

	const ctl = { skip: !existsSync(PRAXISCTL) && `${PRAXISCTL} is not built` };

	it('is whole, says praxisctl, and not when a line is changed or gone', ctl, async () => {
		const { text } = await auditLogOf(praxis);
		const copy = path.join(praxis.dir, 'copy.jsonl');
		await writeFile(copy, text);
		await run(PRAXISCTL, ['audit', 'verify', copy]);

		const lines = text.split('\n').slice(0, -1);
		const middle = lines.length >> 1;
		const changed = lines.with?.(middle, lines[middle].replace('127.0.0.1', '127.0.0.2'));
		for (const wrong of [
			changed ?? lines.filter((_, at) => at !== middle),
			lines.filter((_, at) => at !== middle),
			[...lines.slice(0, middle), lines[middle], ...lines.slice(middle)],
		]) {
			await writeFile(copy, `${wrong.join('\n')}\n`);
			await assert.rejects(run(PRAXISCTL, ['audit', 'verify', copy]));
		}
	});

	it('is whole while it is written, and with its head', ctl, async () => {
		await run(PRAXISCTL, ['audit', 'verify', path.join(praxis.dir, 'audit', 'audit.jsonl')]);
	});

	itEnds(praxis);
});
