// SPDX-License-Identifier: MIT
//
// Who may hear what, when rights and services change: what waits is held against a smaller identity,
// a service that is off is silent, nobody says of itself who it is, a test leaves nothing behind, and
// a restart lets nobody in whom a reload would have sent away.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { get, post } from './lib/api.mjs';
import { NO_IDENTITY, bearer, claimsOf, enter, sign, tokenVhost } from './lib/issuer.mjs';
import { Praxisd, itEnds, secret, usePraxisd, vhostConfig, writeFiles } from './lib/praxisd.mjs';
import { refusedUpgrade, upgradeRequest } from './lib/raw.mjs';
import { V1, resumeQuery, openV1, resume, startOver } from './lib/resuming.mjs';
import { until, within } from './lib/wait.mjs';

const GRACE_MS = 5000; // time to come back in, on a machine that is busy
const LONG_MS = 60000;
const serverAdmin = { role: 'admin', practices: ['*'] };

const update = (practiceId, n) => ({
	type: 'whiteboard_update',
	practiceId,
	data: { n, text: secret() },
});

async function cut(praxis, client) {
	const before = (await praxis.stats()).resume.detached;
	await client.kill();
	await until(
		'a session detached',
		async () => (await praxis.stats()).resume.detached === before + 1,
	);
}

// A client of praxis.v1 with these claims.
async function enterV1(praxis, claims, query = '') {
	const client = await openV1(praxis, query, { headers: bearer(await sign(claims)) });
	client.identity = { userId: claims.sub, userName: claims.name };
	return client;
}

async function resumeAs(praxis, old, claims) {
	return resume(praxis, old, old.arrived, { headers: bearer(await sign(claims)) });
}

// Resumes, and breaks off before it has answered anything.
function resumeInVain(port, token) {
	return within(
		new Promise((resolve, reject) => {
			const socket = connect(port, '127.0.0.1', () => {
				socket.write(
					upgradeRequest(`/ws?${resumeQuery(token, 0)}`, {
						'Sec-WebSocket-Protocol': 'praxis.v1',
					}),
				);
			});
			let text = '';
			socket.on('error', reject);
			socket.on('data', (data) => {
				text += data.toString('latin1');
				if (text.includes('"resumed"')) {
					socket.resetAndDestroy();
					resolve();
				}
			});
		}),
		'resumed',
	);
}

const dataOf = (messages) =>
	messages.filter(({ type }) => type === 'whiteboard_update').map(({ data }) => data.n);

describe('what waits, and a smaller identity', () => {
	const praxis = usePraxisd({ global: { 'grace-ms': GRACE_MS }, vhost: tokenVhost() });
	const two = () => claimsOf({ practices: [1, 2] });

	for (const [what, less, heard] of [
		['without a practice', { practices: [2] }, [2]],
		['as a patient', { role: 'patient' }, []],
		['as before', {}, [1, 2]],
	]) {
		it(`one who comes back ${what} gets ${heard.length} of two`, async () => {
			const claims = two();
			const ann = await enterV1(praxis, claims);
			const bob = await enter(praxis, { practices: [1, 2] });
			await cut(praxis, ann);
			await bob.accepted(update(1, 1));
			await bob.accepted(update(2, 2));
			const again = await resumeAs(praxis, ann, { ...claims, ...less });
			assert.deepEqual(dataOf(await again.fence()), heard);
		});
	}

	it('one who renews in place is not given again what it lost', async () => {
		const claims = two();
		const ann = await enterV1(praxis, claims);
		const bob = await enter(praxis, { practices: [1, 2] });
		const had = ann.arrived;
		await bob.accepted(update(1, 1));
		await bob.accepted(update(2, 2));
		assert.deepEqual(dataOf(await ann.fence()), [1, 2]);
		ann.send({ type: 'auth', token: await sign({ ...claims, practices: [2] }) });
		await ann.next('auth_ok');
		await cut(praxis, ann);
		const again = await resume(praxis, ann, had);
		assert.deepEqual(dataOf(await again.fence()), [2]);
	});
});

describe('who somebody is', () => {
	const praxis = usePraxisd({ vhost: tokenVhost() });

	it('a patient does not come as staff', async () => {
		const bob = await enter(praxis);
		await bob.join('r1');
		const eve = await enter(praxis, { role: 'patient', rooms: ['r1'] });
		await eve.join('r1', { role: 'staff', media: { audio: true }, note: 'mine' });
		const joined = await bob.next('telemedicine_user_joined');
		assert.equal(joined.role, 'patient');
		assert.deepEqual(joined.media, { audio: false, video: false, screen: false });
		assert.equal(joined.note, 'mine');
		assert.equal(joined.raw.split('"role"').length, 2);
	});

	it('names of fields hold no U+0000', async () => {
		const bob = await enter(praxis);
		bob.sendText('{"type":"whiteboard_update","practiceId":1,"since\\u0000":{}}');
		assert.equal((await bob.next('error')).code, 'bad_message');
		bob.sendText(
			'{"type":"whiteboard_subscribe","practiceId":1,"since":{"epoch\\u0000":"x","epoch":"a","seq":0}}',
		);
		const refused = await bob.next('error');
		assert.equal(refused.code, 'bad_message');
		assert.equal(refused.field, 'since');
	});

	itEnds(praxis);
});

describe('a service that is switched off', () => {
	const praxis = usePraxisd({ vhost: tokenVhost(), services: { admin: {} } });
	const switchTo = (enabled) => post(praxis, serverAdmin, 'services/telemedicine', { enabled });

	it('says nothing, and who missed something of it begins anew', async () => {
		const ann = await enter(praxis);
		const bob = await enter(praxis);
		const cat = await enter(praxis);
		await ann.join('r1');
		await bob.join('r1');
		await ann.next('telemedicine_user_joined');
		await switchTo(false);
		await bob.kill();
		await until('bob to be gone', async () => (await praxis.stats()).sessions === 2);
		assert.deepEqual(await ann.fence(), []);
		await switchTo(true);
		assert.equal((await ann.closing()).code, 1013);
		assert.deepEqual(await cat.fence(), []);
	});

	it('also where it is the one for administrators, by a reload', async () => {
		const admin = await enter(praxis, serverAdmin);
		admin.send({ type: 'admin_subscribe', intervalMs: 500 });
		await admin.next('admin_snapshot');
		admin.send({ type: 'admin_events' });
		await admin.next('admin_events');
		await writeFiles(praxis.dir, {
			'conf.d/00-default.json': vhostConfig({ admin: { status: 'disabled' } }, tokenVhost()),
		});
		const since = praxis.log.length;
		praxis.signal('SIGHUP');
		await praxis.logged(/configuration reloaded/, since);
		await admin.fence();
		const ann = await enter(praxis);
		await ann.fence();
		assert.deepEqual(await admin.fence(), []);
	});

	itEnds(praxis);
});

describe("an operator's test", () => {
	const praxis = usePraxisd({
		global: { audit: { file: 'audit.jsonl' } },
		vhost: tokenVhost(),
		services: { admin: {} },
	});

	it('leaves nothing behind, and the audit log has its practice', async () => {
		const admin = await enter(praxis, serverAdmin);
		admin.send({ type: 'admin_test', service: 'whiteboard', practiceId: 7 });
		assert.equal((await admin.next('admin_tested')).ok, true);
		await admin.fence();
		const bob = await enter(praxis, { practices: [7] });
		await bob.accepted(update(7, 1));
		assert.deepEqual(await admin.fence(), []);
		const { clients } = await get(praxis, serverAdmin, 'clients?practiceId=7');
		assert.deepEqual(
			clients.map(({ clientId }) => clientId),
			[bob.clientId],
		);
		const lines = (await readFile(path.join(praxis.dir, 'audit.jsonl'), 'utf8')).split('\n');
		const told = lines.filter((line) => line.includes('"reason":"test"')).map(JSON.parse);
		assert.equal(told.length, 1);
		assert.equal(String(told[0].practice), '7');
	});

	it('of a practice that is none of its own is refused', async () => {
		const admin = await enter(praxis, { role: 'admin', practices: [1] });
		const refused = await admin.refused(
			{ type: 'admin_test', service: 'whiteboard', practiceId: 7 },
			'forbidden',
		);
		assert.equal(refused.field, 'practiceId');
	});

	itEnds(praxis);
});

describe('sessions without a connection', () => {
	const praxis = usePraxisd({
		global: { 'grace-ms': LONG_MS, 'max-connections-per-user': 2 },
		vhost: tokenVhost(),
	});

	async function refused(claims, protocol) {
		const headers = { ...bearer(await sign(claims)), ...protocol };
		const response = await refusedUpgrade(praxis.port, '/ws', headers);
		assert.equal(response.status, 429);
	}

	it('count for their user, and come back for all that', async () => {
		const claims = claimsOf();
		const first = await enterV1(praxis, claims);
		const second = await enterV1(praxis, claims);
		await cut(praxis, first);
		await refused(claims, V1);
		await cut(praxis, second);
		await refused(claims, V1);
		await refused(claims, {});
		const again = await resume(praxis, first);
		const renewed = await resumeAs(praxis, second, claims);
		await refused(claims, V1);
		await again.close();
		const third = await enterV1(praxis, claims);
		await refused(claims, V1);
		await third.close();
		await renewed.close();
	});

	it('without praxis.v1 they are reattached, and count', async () => {
		const claims = claimsOf();
		const open = async () => {
			const client = await praxis.connectRaw(NO_IDENTITY, {
				headers: bearer(await sign(claims)),
			});
			client.isGentle = true;
			return client;
		};
		const first = await open();
		const second = await open();
		await cut(praxis, first);
		await refused(claims, V1);
		const again = await open();
		assert.equal(again.clientId, first.clientId);
		await refused(claims, {});
		await second.close();
		const third = await open();
		await third.close();
		await again.close();
	});

	itEnds(praxis);
});

describe('identities without an expiry', () => {
	let claims;
	const application = createServer((request, response) => {
		response.setHeader('Content-Type', 'application/json');
		response.end(JSON.stringify(claims));
	});
	after(() => application.close());
	const praxis = usePraxisd(async () => {
		await new Promise((resolve) => application.listen(0, '127.0.0.1', resolve));
		const url = `http://127.0.0.1:${application.address().port}/`;
		return { vhost: tokenVhost({}, { 'auth-url': url, 'identity-ttl-s': 2 }) };
	});

	const expires = async (client) => {
		const { expiresAt } = await client.next('auth_expiring');
		assert.ok(expiresAt <= Date.now() + 2000, String(expiresAt));
		assert.equal((await client.next('error')).code, 'token_expired');
		assert.equal((await client.closing()).code, 4401);
	};

	it('of a ticket get one', async () => {
		const { ticket } = await post(praxis, serverAdmin, 'tickets', {
			claims: claimsOf({ exp: undefined }),
		});
		const client = await praxis.connectRaw(NO_IDENTITY, {
			headers: { 'Sec-WebSocket-Protocol': `praxis.v1, ticket.${ticket}` },
		});
		await expires(client);
	});

	it('of auth-url get one', async () => {
		claims = claimsOf({ exp: undefined });
		await expires(await praxis.connectRaw(NO_IDENTITY));
	});

	itEnds(praxis);
});

describe('over a restart', () => {
	const STATE = { global: { 'state-file': 'state', 'grace-ms': LONG_MS } };

	for (const [what, before, now] of [
		['proof is wanted', { 'open-practice': '1' }, tokenVhost()],
		['the tenant is another', { tenant: 'a' }, { tenant: 'b' }],
		[
			'the practice of open mode is another',
			{ 'open-practice': '1' },
			{ 'open-practice': '2' },
		],
	]) {
		it(`nobody goes on where ${what}`, async () => {
			const praxis = new Praxisd();
			after(() => praxis.kill());
			await praxis.start({ ...STATE, services: { admin: {} }, vhost: before });
			const query = 'practiceId=*&role=admin&userId=7';
			const admin = await openV1(praxis, query);
			await admin.kill();
			await until('it to be detached', async () => {
				return (await praxis.stats()).resume.detached === 1;
			});
			praxis.signal('SIGTERM');
			await praxis.ended();
			await writeFiles(praxis.dir, {
				'conf.d/00-default.json': vhostConfig({ admin: {} }, now),
			});
			await praxis.launch();
			await praxis.logged(/dropped 0 channels, 1 sessions/);
			const again = await startOver(praxis, `${query}&${resumeQuery(admin.resumeToken, 0)}`);
			if (now.tokens) {
				again.send({ type: 'admin_clients' });
				assert.equal((await again.next('error')).code, 'unauthenticated');
			}
			await again.close();
			await praxis.stop();
		});
	}

	it('one whose `resumed` was lost goes on, and is one client', async () => {
		const praxis = new Praxisd();
		after(() => praxis.kill());
		await praxis.start({ ...STATE, vhost: tokenVhost() });
		const claims = claimsOf();
		const ann = await enterV1(praxis, claims);
		await ann.kill();
		await until('it to be detached', async () => (await praxis.stats()).resume.detached === 1);
		await resumeInVain(praxis.port, ann.resumeToken);
		await until('it to be detached', async () => (await praxis.stats()).resume.detached === 1);
		praxis.signal('SIGTERM');
		await praxis.ended();
		await praxis.launch();
		const again = await openV1(praxis, resumeQuery(ann.resumeToken, 0));
		assert.equal(again.hello.type, 'resumed');
		const { totals } = await get(praxis, { role: 'service', practices: [1] }, 'stats');
		assert.equal(totals.clients, 1);
		await again.close();
		await praxis.stop();
	});
});
