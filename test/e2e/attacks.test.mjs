// SPDX-License-Identifier: MIT
//
// Tokens, key files, headers and queries that somebody made up to get in, or to hurt. Whatever is
// tried, a client beside it goes on, and what is good is still let in.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import { exportSPKI } from 'jose';
import { Wire, exchange, request } from './lib/http.mjs';
import {
	PHRASE,
	bearer,
	claimsOf,
	enter,
	enterUnauthenticated,
	handmade,
	keyPair,
	nowS,
	sign,
	token,
	tokenVhost,
} from './lib/issuer.mjs';
import { itEnds, usePraxisd } from './lib/praxisd.mjs';
import { OP, frame, refusedUpgrade, upgradeRequest } from './lib/raw.mjs';
import { until } from './lib/wait.mjs';

const KEYS = {
	RS256: await keyPair('RS256', 'rsa'),
	ES256: await keyPair('ES256', 'ec'),
	EdDSA: await keyPair('EdDSA', 'ed'),
};
const jwks = (...keys) => JSON.stringify({ keys: keys.map(({ jwk }) => jwk) });
const ALL_KEYS = jwks(...Object.values(KEYS));
const ISSUER = 'https://id.example.org';

const signedBy = (pair, more = {}, header = {}) =>
	token(
		{ iss: ISSUER, aud: 'praxis', ...more },
		{
			key: pair.privateKey,
			header: { alg: pair.alg, kid: pair.kid, ...header },
		},
	);

const good = (more) => token({ iss: ISSUER, aud: 'praxis', ...more });

// All three ways in: the header, the `auth` message, the API.
async function assertRefused(praxis, jwt, code = 'unauthenticated') {
	const client = await praxis.open('/ws', { headers: bearer(jwt) });
	const error = await client.next();
	assert.equal(error.type, 'error', `let in: ${JSON.stringify(error)}`);
	assert.equal(error.code, code);
	assert.equal((await client.closing()).code, 4401);

	const page = await enterUnauthenticated(praxis);
	await page.refused({ type: 'auth', token: jwt }, code);
	assert.equal((await page.closing()).code, 4401);
}

async function isLetIn(praxis, jwt) {
	const client = await praxis.open('/ws', { headers: bearer(jwt) });
	const first = await client.next();
	await client.close();
	return first.type === 'connection_established';
}

describe('tokens', () => {
	const praxis = usePraxisd({
		global: { 'auth-failures': 0 },
		...configWithKeys(ALL_KEYS, { issuer: ISSUER, audience: 'praxis' }),
	});

	const attack = (name, make, code) => {
		it(name, async () => assertRefused(praxis, await make(), code));
	};

	it('signed with each algorithm are accepted when right', async () => {
		assert.ok(await isLetIn(praxis, await good()), 'HS256');
		for (const [alg, pair] of Object.entries(KEYS)) {
			assert.ok(await isLetIn(praxis, await signedBy(pair)), alg);
			assert.ok(await isLetIn(praxis, await signedBy(pair, {}, { kid: undefined })), alg);
		}
	});

	it('may have the audience among others', async () => {
		assert.ok(await isLetIn(praxis, await good({ aud: ['another', 'praxis'] })));
	});

	for (const alg of ['none', 'None', 'NONE', 'nOnE', '']) {
		attack(`alg ${JSON.stringify(alg)}`, () => handmade({ alg, typ: 'JWT' }, fine()));
	}
	attack('no alg', () => handmade({ typ: 'JWT' }, fine(), 'x'));
	attack('alg none with the signature of another', async () => {
		const [, , signature] = (await good()).split('.');
		return handmade({ alg: 'none' }, fine()) + signature;
	});
	attack('HS256 without a signature', () => handmade({ alg: 'HS256' }, fine()));
	attack('HS256 with the empty secret', () => hmac({ alg: 'HS256' }, fine(), ''));
	attack('HS256 with the RSA public key', async () =>
		hmac({ alg: 'HS256', kid: 'rsa' }, fine(), await exportSPKI(KEYS.RS256.publicKey)),
	);
	attack('HS256 with the RSA public key, no kid', async () =>
		hmac({ alg: 'HS256' }, fine(), await exportSPKI(KEYS.RS256.publicKey)),
	);
	attack('HS256 with the RSA public key as JWK', () =>
		hmac({ alg: 'HS256', kid: 'rsa' }, fine(), JSON.stringify(KEYS.RS256.jwk)),
	);
	attack('HS256 with the RSA modulus', () =>
		hmac({ alg: 'HS256', kid: 'rsa' }, fine(), Buffer.from(KEYS.RS256.jwk.n, 'base64url')),
	);
	attack('HS384', () => hmac({ alg: 'HS384' }, fine(), PHRASE, 'sha384'));
	attack('HS512', () => hmac({ alg: 'HS512' }, fine(), PHRASE, 'sha512'));
	attack('RS512 with the right key', async () => {
		const pair = await keyPair('RS512', 'rsa');
		return signedBy(pair);
	});
	attack('a wrong curve (ES384)', async () => signedBy(await keyPair('ES384', 'ec')));
	attack('a wrong curve under the name of ES256', async () => {
		const text = await signedBy(await keyPair('ES384', 'ec'));
		const [, payload, signature] = text.split('.');
		return `${part({ alg: 'ES256', kid: 'ec' })}.${payload}.${signature}`;
	});
	attack('another key of the same kid', async () => signedBy(await keyPair('ES256', 'ec')));
	attack('another Ed25519 key', async () => signedBy(await keyPair('EdDSA', 'ed')));
	attack('the kid of a key of another type', () => signedBy(KEYS.ES256, {}, { kid: 'rsa' }));
	attack('an unknown kid', () => signedBy(KEYS.ES256, {}, { kid: 'unknown' }));
	attack('a kid that is no string', () => hmac({ alg: 'HS256', kid: 7 }, fine(), PHRASE));
	attack('a kid that is a path', () =>
		hmac({ alg: 'HS256', kid: '../../../../dev/null' }, fine(), ''),
	);
	attack('its own key (jwk)', async () => {
		const pair = await keyPair('ES256');
		return signedBy(pair, {}, { jwk: pair.jwk });
	});
	attack('a key elsewhere (jku, x5u)', () =>
		signedBy(KEYS.ES256, {}, { kid: 'new', jku: 'http://127.0.0.1:1/', x5u: 'http://[::1]/' }),
	);
	attack('an unknown crit', () =>
		hmac({ alg: 'HS256', crit: ['x-important'], 'x-important': 1 }, fine(), PHRASE),
	);
	attack('an empty crit', () => hmac({ alg: 'HS256', crit: [] }, fine(), PHRASE));
	attack('crit b64', () => hmac({ alg: 'HS256', crit: ['b64'], b64: false }, fine(), PHRASE));

	attack('no exp', () => good({ exp: undefined }));
	attack('an exp that is a string', () => hmac({ alg: 'HS256' }, fine({ exp: '9999999999' })));
	attack('an exp that is null', () => hmac({ alg: 'HS256' }, fine({ exp: null })));
	attack('a negative exp', () => hmac({ alg: 'HS256' }, fine({ exp: -1 })));
	attack('an exp that overflows', () =>
		hmac({ alg: 'HS256' }, JSON.stringify(fine()).replace(/"exp":\d+/, '"exp":1e400')),
	);
	attack('nbf in the future', () => good({ nbf: nowS() + 60 }));
	attack('nbf that is no number', () => hmac({ alg: 'HS256' }, fine({ nbf: 'now' })));
	attack('expired by a second', () => good({ exp: nowS() - 1 }), 'token_expired');
	attack('expired now', () => good({ exp: nowS() }), 'token_expired');
	attack('a wrong iss', () => good({ iss: 'https://evil.example.org' }));
	attack('no iss', () => good({ iss: undefined }));
	attack('iss as an array', () => hmac({ alg: 'HS256' }, fine({ iss: [ISSUER] })));
	attack('a wrong aud', () => good({ aud: 'another' }));
	attack('no aud', () => good({ aud: undefined }));
	attack('an aud that begins rightly', () => good({ aud: 'praxis2' }));
	attack('an aud array without it', () => good({ aud: ['another', ['praxis']] }));

	attack('a claim that comes twice', () =>
		hmac({ alg: 'HS256' }, JSON.stringify(fine()).replace('{', '{"sub":"admin",')),
	);
	attack('a claim that comes twice in another spelling', () =>
		hmac({ alg: 'HS256' }, JSON.stringify(fine()).replace('{', '{"s\\u0075b":"admin",')),
	);
	attack('an alg that comes twice', () => hmac('{"alg":"none","alg":"HS256"}', fine()));
	attack('practices as an object', () => hmac({ alg: 'HS256' }, fine({ practices: { 1: 1 } })));
	attack('practices as a string', () => good({ practices: '1' }));
	attack('practices that are no ids', () => good({ practices: [1, { id: 2 }] }));
	attack('practices with a null', () => good({ practices: [1, null] }));
	attack('role as an array', () => good({ role: ['admin'] }));
	attack('rooms as null', () => hmac({ alg: 'HS256' }, fine({ rooms: null })));
	attack('a name with a line end', () => good({ name: 'a\r\nb' }));
	attack('a sub with a NUL', () => good({ sub: 'a\u0000b' }));
	attack('a payload that is an array', () => hmac({ alg: 'HS256' }, '[]'));
	attack('a payload that is no JSON', () => hmac({ alg: 'HS256' }, '{"sub":'));
	attack('a payload that goes on', () => hmac({ alg: 'HS256' }, `${JSON.stringify(fine())}{}`));
	attack('a payload that is too deep', () =>
		hmac(
			{ alg: 'HS256' },
			JSON.stringify(fine()).replace('{', `{"x":${'['.repeat(1000)}${']'.repeat(1000)},`),
		),
	);

	attack('two parts', async () => (await good()).split('.').slice(0, 2).join('.'));
	attack('four parts', async () => `${await good()}.x`);
	attack('five parts', async () => `${await good()}.x.y`);
	attack('only dots', () => '..');
	attack('padding', async () => `${await good()}=`);
	attack('the other base64', async () => `${(await good()).slice(0, -2)}+/`);
	attack('a space in it', async () => (await good()).replace('.', '. '));

	it('of 10,000 practices are refused or taken whole, and hurt nobody', async () => {
		const practices = Array.from({ length: 10_000 }, (_, i) => i + 1);
		const beside = await enter(praxis, { iss: ISSUER, aud: 'praxis' });
		const client = await enterUnauthenticated(praxis);
		client.send({ type: 'auth', token: await good({ practices }) });
		const { code } = await client.next('error');
		assert.equal(code, 'unauthenticated');
		assert.equal((await client.closing()).code, 4401);
		await beside.fence();
	});

	it('cut off anywhere are refused', async () => {
		const jwt = await signedBy(KEYS.ES256);
		for (let length = 1; length < jwt.length; length += 7) {
			assert.ok(!(await isLetIn(praxis, jwt.slice(0, length))), `${length} bytes`);
		}
	});

	it('with a flipped bit anywhere are refused', async () => {
		for (const jwt of [
			await good(),
			await signedBy(KEYS.RS256),
			await signedBy(KEYS.ES256),
			await signedBy(KEYS.EdDSA),
		]) {
			const parts = jwt.split('.');
			for (const [at, text] of parts.entries()) {
				const bytes = Buffer.from(text, 'base64url');
				const step = Math.max(1, Math.floor((bytes.length * 8) / 12));
				for (let bit = 0; bit < bytes.length * 8; bit += step) {
					const flipped = Buffer.from(bytes);
					flipped[bit >> 3] ^= 1 << (bit & 7);
					const all = parts.with?.(at, flipped.toString('base64url')) ?? [
						...parts.slice(0, at),
						flipped.toString('base64url'),
						...parts.slice(at + 1),
					];
					assert.ok(!(await isLetIn(praxis, all.join('.'))), `part ${at}, bit ${bit}`);
				}
			}
			assert.ok(await isLetIn(praxis, jwt), 'and whole it is good');
		}
	});

	it('of 1 MB are too big for a message', async () => {
		const page = await enterUnauthenticated(praxis);
		page.send({ type: 'auth', token: 'A'.repeat(1 << 20) });
		assert.equal((await page.closing()).code, 1009);
	});

	it('of 60 KB in a message are refused', async () => {
		const page = await enterUnauthenticated(praxis);
		await page.refused({ type: 'auth', token: 'A'.repeat(60_000) }, 'unauthenticated');
		assert.equal((await page.closing()).code, 4401);
		const other = await enterUnauthenticated(praxis);
		const jwt = await good({ pad: 'x'.repeat(44_000) });
		other.send({ type: 'auth', token: jwt, id: 1 });
		const answer = await other.next(
			undefined,
			({ type }) => type === 'error' || type === 'ack',
		);
		assert.ok(answer.type === 'ack' || answer.code === 'unauthenticated');
	});

	it('of 1 MB in a header get no session', async () => {
		const beside = await enter(praxis, { iss: ISSUER, aud: 'praxis' });
		const wire = await Wire.open(praxis.port);
		wire.write(upgradeRequest('/ws', bearer('A'.repeat(1 << 20))));
		const response = await wire.response();
		assert.ok(response === null || response.status >= 400, `${response?.status}`);
		wire.close();
		await beside.fence();
	});

	it('of 6 KB in a header are fine', async () => {
		assert.ok(await isLetIn(praxis, await good({ pad: 'x'.repeat(4000) })));
	});

	itEnds(praxis);
});

// What the tokens of these tests say, to be signed by hand.
function fine(more = {}) {
	return claimsOf({ iss: ISSUER, aud: 'praxis', ...more });
}

function part(value) {
	const text = typeof value === 'string' ? value : JSON.stringify(value);
	return Buffer.from(text).toString('base64url');
}

function hmac(header, payload, key = PHRASE, hash = 'sha256') {
	const signed = `${part(header)}.${part(payload)}`;
	return `${signed}.${createHmac(hash, key).update(signed).digest('base64url')}`;
}

// Options of a server whose keys are in the file "keys/jwks" of its configuration.
function configWithKeys(text, more = {}) {
	return {
		vhost: tokenVhost({ 'jwks-file': '../keys/jwks', ...more }),
		files: { 'keys/jwks': text },
	};
}

describe('the key file', () => {
	const [first, second, third] = ['one', 'two', 'three'];
	const keys = {};
	const praxis = usePraxisd(async () => {
		for (const kid of [first, second, third]) {
			keys[kid] = await keyPair('ES256', kid);
		}
		return {
			global: { 'auth-failures': 0 },
			...configWithKeys(jwks(keys[first]), { secret: undefined }),
		};
	});

	const letIn = async (kid) => isLetIn(praxis, await signedBy(keys[kid]));

	// As a deployment does it, or as an editor.
	const replace = async (text, whole = true) => {
		const file = path.join(praxis.dir, 'keys', 'jwks');
		await writeFile(whole ? `${file}.new` : file, text);
		if (whole) {
			await rename(`${file}.new`, file);
		}
	};

	it('has its keys in force', async () => {
		assert.ok(await letIn(first));
		assert.ok(!(await letIn(second)));
	});

	it('may be replaced: during a rotation two keys are good', async () => {
		const held = await praxis.open('/ws', { headers: bearer(await signedBy(keys[first])) });
		await held.next('connection_established');
		await replace(jwks(keys[first], keys[second]));
		await until('the new key', () => letIn(second), 15_000);
		assert.ok(await letIn(first), 'and the old one');

		await replace(jwks(keys[second]), false);
		await until('the end of the old key', async () => !(await letIn(first)), 15_000);
		assert.ok(await letIn(second));
		await held.fence(); // nobody was dropped
	});

	for (const [name, text] of [
		['no JSON', '{"keys":[{'],
		['no key set', '{"secrets":[]}'],
		['binary rubbish', Buffer.from([0xff, 0xfe, 0, 1, 2, 3])],
		['empty', ''],
		['keys that are none', '{"keys":[{"kty":"??"},7,null]}'],
	]) {
		it(`that is replaced by rubbish (${name}) keeps the old keys, and says so`, async () => {
			const since = praxis.log.length;
			await replace(text);
			await praxis.logged(/error.*keys\/jwks|keys\/jwks.*error/i, since).catch(async () => {
				await praxis.logged(/keys: .*jwks: /, since);
			});
			assert.ok(await letIn(second), 'the old key is good');
		});
	}

	it('is taken up again when it makes sense', async () => {
		await replace(jwks(keys[third]));
		await until('the new key', () => letIn(third), 15_000);
		assert.ok(!(await letIn(second)));
	});

	itEnds(praxis);
});

describe('requests', () => {
	const praxis = usePraxisd({
		global: { 'auth-failures': 0 },
		vhost: tokenVhost({ cookie: 'praxis', query: true }),
	});

	async function assertBad(response, status) {
		assert.equal(response?.status, status, response?.body);
		assert.equal(typeof JSON.parse(response.body).error.code, 'string');
	}

	it('with two Authorization headers are refused', async () => {
		const jwt = await token();
		for (const second of [jwt, 'another', '']) {
			const wire = await Wire.open(praxis.port);
			const text = upgradeRequest('/ws', bearer(jwt)).replace(
				'\r\n\r\n',
				`\r\nAuthorization: Bearer ${second}\r\n\r\n`,
			);
			wire.write(text);
			await assertBad(await wire.response(), 400);
			wire.close();
		}
	});

	it('with a cookie header of 8 KB work', async () => {
		const cookie = `pad=${'x'.repeat(7000)}; praxis=${await token()}; more=1`;
		const full = `${cookie}; p=${'y'.repeat(8192 - cookie.length - 4)}`;
		assert.equal(full.length, 8192);
		const client = await praxis.open('/ws', { headers: { Cookie: full } });
		const hello = await client.next('connection_established');
		assert.ok(hello.user);
		await client.fence();
	});

	it('with a cookie header of 64 KB get no session, and hurt nobody', async () => {
		const beside = await enter(praxis);
		const wire = await Wire.open(praxis.port);
		const cookie = `praxis=${await token()}; pad=${'x'.repeat(65536)}`;
		wire.write(upgradeRequest('/ws', { Cookie: cookie }));
		const response = await wire.response();
		assert.ok(response === null || response.status >= 400, `${response?.status}`);
		wire.close();
		await beside.fence();
	});

	it('with line ends in the query make nobody somebody else', async () => {
		const claims = claimsOf();
		const jwt = await sign(claims);
		const header = `Authorization:%20Bearer%20${await token({ sub: 'mallory' })}`;
		for (const query of [
			`access_token=${jwt}&userName=a%0d%0ab`,
			`access_token=${jwt}%0d%0a${header}%0d%0aX:`,
		]) {
			const client = await praxis.open(`/ws?${query}`);
			const hello = await client.next('connection_established');
			assert.equal(hello.user.userId, claims.sub);
		}
		for (const query of [`userName=1%0d%0a${header}%0d%0aX:`, `userName=1%0d${header}%0dX:`]) {
			const client = await praxis.open(`/ws?${query}`);
			assert.equal((await client.next('connection_established')).user, undefined, query);
		}
		const unauthenticated = await praxis.open(`/ws?access_token=%0d%0a${jwt}`);
		assert.equal((await unauthenticated.next()).type, 'error');
		await unauthenticated.closing();
		for (const bad of [`access_token=${jwt.replace('.', '%0a.')}`, 'x=%00', 'x=%0a']) {
			// Refused, dropped, or let in unauthenticated: the versions of lws differ.
			const client = await praxis.open(`/ws?${bad}`).catch(() => undefined);
			const first = await client?.next();
			assert.ok(!first || first.type === 'error' || first.user === undefined, bad);
		}
	});

	it('of another site get no nearer with an Origin or Host in the query', async () => {
		const headers = { Origin: 'https://evil.example', Host: 'evil.example.org' };
		for (const query of [
			'userName=1%0d%0aOrigin:%20http://evil.example.org%0d%0aX:',
			'userName=1%0d%0aHost:%20evil.example%0d%0aX:',
			'userName=1%0d%0aX:%20',
		]) {
			const response = await refusedUpgrade(praxis.port, `/ws?${query}`, headers);
			assert.equal(response?.status, 403);
		}
	});

	it('with a Host that is not ours are as good or bad as without', async () => {
		const jwt = await token();
		for (const Host of ['evil.example.org', '127.0.0.1:1', '[::1]', 'x'.repeat(200)]) {
			const client = await praxis.open('/ws', { headers: { ...bearer(jwt), Host } });
			assert.ok((await client.next('connection_established')).user, Host);
			const bad = await praxis.open('/ws', { headers: { ...bearer('x'), Host } });
			assert.equal((await bad.next()).code, 'unauthenticated');
			await bad.closing();
		}
		for (const Host of ['a b', 'a, b', '', '[::1', 'a:b']) {
			await assertBad(
				await refusedUpgrade(praxis.port, '/ws', { ...bearer(jwt), Host }),
				400,
			);
		}
	});

	it('of Origin null or of another site are refused, of the same host not', async () => {
		const jwt = await token();
		const own = `127.0.0.1:${praxis.port}`;
		for (const Origin of [
			'null',
			'http://evil.example.org',
			`http://${own}.example.org`,
			'http://127.0.0.1.evil.example:1',
			`http://${own}@evil.example.org`,
			'file://',
			own,
		]) {
			const headers = { ...bearer(jwt), Host: own, Origin };
			await assertBad(await refusedUpgrade(praxis.port, '/ws', headers), 403);
		}
		const headers = { ...bearer(jwt), Host: own, Origin: `http://${own}` };
		const client = await praxis.open('/ws', { headers });
		await client.next('connection_established');
	});

	itEnds(praxis);
});

describe('requests in open mode', () => {
	const praxis = usePraxisd();

	it('with values that are too long are refused, however long they are', async () => {
		for (const name of ['practiceId', 'userId', 'userName', 'role']) {
			for (const length of [257, 300, 1000, 3000]) {
				const path = `/ws?${name}=${'9'.repeat(length)}`;
				const response = await refusedUpgrade(praxis.port, path);
				assert.equal(response?.status, 400, `${name} of ${length}`);
			}
		}
	});

	// lws ends the query at a decoded CR, and the connection at a decoded LF: what stands behind
	// them reaches neither a header nor an identity.
	it('with line ends in the query inject nothing', async () => {
		for (const [query, user] of [
			['userName=a%0d%0ab', { userName: 'a' }],
			['userName=a%0Ab', {}],
			['userId=%0d1', {}],
			['practiceId=1%0d%0aSet-Cookie:%20x', {}],
			['role=staff%0d%0a', {}],
		]) {
			const client = await praxis.open(`/ws?${query}`).catch(() => undefined);
			if (client) {
				// else it was refused or dropped
				const { user: greeted } = await client.next('connection_established');
				assert.equal(greeted.userName, user.userName, query);
				assert.equal(greeted.role, 'staff');
				assert.deepEqual(greeted.practices, [1]);
			}
		}
	});

	itEnds(praxis);
});

describe('a list of origins', () => {
	const praxis = usePraxisd({
		global: { 'auth-failures': 0 },
		vhost: tokenVhost(
			{},
			{
				origins: [
					'https://app.example.org',
					'https://*.clinic.example',
					'http://localhost:3000',
				],
			},
		),
	});

	for (const origin of [
		'https://app.example.org',
		'https://APP.example.org',
		'https://a.clinic.example',
		'https://a.b.clinic.example',
		'http://localhost:3000',
	]) {
		it(`permits ${origin}`, async () => {
			const client = await praxis.open('/ws', { headers: { Origin: origin } });
			await client.next('connection_established');
		});
	}

	for (const origin of [
		'null',
		'http://app.example.org',
		'https://app.example.org:8443',
		'https://app.example.org.evil.example',
		'https://evil-app.example.org',
		'https://clinic.example',
		'https://.clinic.example',
		'https://evilclinic.example',
		'http://a.clinic.example',
		'https://a.clinic.example:444',
		'https://evil.example/.clinic.example',
		'https://evil.example#.clinic.example',
		'https://evil.example?.clinic.example',
		'https://evil.example\\.clinic.example',
		'https://user@a.clinic.example',
		'http://localhost:30000',
		'http://127.0.0.1',
	]) {
		it(`refuses ${origin}`, async () => {
			const response = await refusedUpgrade(praxis.port, '/ws', {
				Host: '127.0.0.1',
				Origin: origin,
			});
			assert.equal(response?.status, 403);
			assert.equal(JSON.parse(response.body).error.code, 'forbidden');
		});
	}

	it('does not concern clients that send no origin', async () => {
		await enter(praxis);
	});

	it('tells a page that was refused why, and nothing else', async () => {
		for (const [method, origin, status, code] of [
			['POST', 'https://evil.example', 403, 'origin'],
			['GET', 'https://evil.example', 403, 'origin'],
			['POST', 'https://app.example.org', 405, 'bad_request'],
			['GET', 'https://app.example.org', 426, 'bad_request'],
		]) {
			const headers = { Host: '127.0.0.1', Origin: origin, 'Content-Length': '0' };
			const response = await exchange(praxis.port, request(method, '/ws', headers));
			assert.equal(response.status, status, `${method} of ${origin}`);
			assert.equal(JSON.parse(response.body).error.code, code);
			assert.equal(response.headers['access-control-allow-origin'], '*');
		}
		const upgrade = await refusedUpgrade(praxis.port, '/ws', {
			Host: '127.0.0.1',
			Origin: 'https://evil.example',
		});
		assert.equal(upgrade.headers['access-control-allow-origin'], undefined);
	});

	itEnds(praxis);
});

describe('connections that never authenticate', () => {
	const MOST = 50;
	const praxis = usePraxisd({
		global: { 'max-unauthenticated': MOST, 'max-connections-per-address': 0 },
		vhost: tokenVhost({ 'auth-ms': 600_000 }),
	});

	it('are bounded, and others come and go as ever', async () => {
		const ann = await enter(praxis);
		const sockets = [];
		let refused = 0;
		for (let i = 0; i < 1000; i += 100) {
			const wires = await Promise.all(
				Array.from({ length: 100 }, () => Wire.open(praxis.port)),
			);
			const answers = await Promise.all(
				wires.map((wire) => {
					wire.write(upgradeRequest('/ws'));
					return wire.response();
				}),
			);
			for (const [at, answer] of answers.entries()) {
				if (answer.status === 101) {
					sockets.push(wires[at]);
				} else {
					assert.equal(answer.status, 503);
					assert.ok(Number(answer.headers['retry-after']) > 0);
					refused++;
					wires[at].close();
				}
			}
			await ann.fence();
		}
		assert.equal(sockets.length, MOST);
		assert.equal(refused, 1000 - MOST);
		const bob = await enter(praxis);
		await bob.accepted({ type: 'whiteboard_update', practiceId: 1, data: {} });
		await ann.next('whiteboard_update');

		// One goes or becomes somebody: there is room for another.
		sockets.pop().close();
		const page = await until('room for another', () =>
			enterUnauthenticated(praxis).catch(() => null),
		);
		await page.accepted({ type: 'auth', token: await token() });
		await enterUnauthenticated(praxis);
		sockets.forEach((wire) => wire.close());
	});

	it('and send rubbish are closed, too', async () => {
		const client = await praxis.open('/ws');
		await client.next('connection_established');
		client.write(frame(OP.binary, 'x'));
		assert.equal((await client.closing()).code, 1003);
	});

	itEnds(praxis);
});
