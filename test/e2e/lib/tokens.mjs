// SPDX-License-Identifier: MIT
//
// Tokens from another implementation: the `jose` package, and node:crypto where jose is too
// well-behaved to make what a server must refuse. Version 5 of jose, because 6 no longer runs on
// Debian 12's Node 18.
//
//	const issuer = await Issuer.create();
//	await writeFile(file, JSON.stringify(await issuer.jwks())); // issuer.secret: the secret
//	const claims = { sub: '7', role: 'staff', practices: [1] };
//	const token = await issuer.token(claims, { alg: 'ES256' });
//	for (const { name, fault, token } of await badTokens(issuer, claims)) { … }

import { createHmac, createSign, generateKeyPairSync, randomBytes } from 'node:crypto';
import * as jose from 'jose';

const KEY_PAIRS = { RS256: {}, ES256: {}, EdDSA: { crv: 'Ed25519' } };

const text = (value) => (typeof value === 'string' ? value : JSON.stringify(value));
const encode = (value) => Buffer.from(text(value)).toString('base64url');

export const seconds = () => Math.floor(Date.now() / 1000);

// One that may sign: a secret for HS256, and a key pair for each other algorithm.
export class Issuer {
	#pairs = new Map(); // kid → { alg, privateKey, publicKey }

	static async create({ secret = randomBytes(32).toString('hex') } = {}) {
		const issuer = new Issuer();
		issuer.secret = secret;
		for (const alg of Object.keys(KEY_PAIRS)) {
			await issuer.add(alg, alg.toLowerCase());
		}
		return issuer;
	}

	// A key more, as in a rotation: jwks() has it from now on.
	async add(alg, kid) {
		const options = { ...KEY_PAIRS[alg], extractable: true };
		const pair = await jose.generateKeyPair(alg, options);
		this.#pairs.set(kid, { alg, ...pair });
	}

	remove(kid) {
		this.#pairs.delete(kid);
	}

	pair(kid) {
		return this.#pairs.get(kid);
	}

	// The public keys, as the server's JWKS file has them. `also`: more keys, as they are.
	async jwks({ also = [] } = {}) {
		const keys = [];
		for (const [kid, { alg, publicKey }] of this.#pairs) {
			keys.push({ ...(await jose.exportJWK(publicKey)), kid, alg, use: 'sig' });
		}
		return { keys: [...keys, ...also] };
	}

	// Good for `ttl` seconds, unless the claims say otherwise; `exp: undefined` leaves it out.
	token(claims, { alg = 'HS256', kid, ttl = 60, header = {} } = {}) {
		const hmac = alg === 'HS256';
		const name = kid ?? (hmac ? undefined : alg.toLowerCase());
		const key = hmac ? Buffer.from(this.secret) : this.#pairs.get(name).privateKey;
		return new jose.SignJWT({ iat: seconds(), exp: seconds() + ttl, ...claims })
			.setProtectedHeader({ alg, typ: 'JWT', kid: name, ...header })
			.sign(key);
	}

	// Signed with the secret, whatever the header and the payload are; either may be text.
	raw(header, payload, secret = this.secret) {
		const input = `${encode(header)}.${encode(payload)}`;
		return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
	}
}

// The token with one bit of one of its parts flipped, in the bytes that the part stands for.
export function flipped(token, part, bit) {
	const parts = token.split('.');
	const bytes = Buffer.from(parts[part], 'base64url');
	bytes[bit >> 3] ^= 1 << (bit & 7);
	parts[part] = bytes.toString('base64url');
	return parts.join('.');
}

// The same in the text itself.
export function flippedText(token, bit) {
	const bytes = Buffer.from(token, 'latin1');
	bytes[bit >> 3] ^= 1 << (bit & 7);
	return bytes.toString('latin1');
}

function count(length) {
	return Array.from({ length }, (_, i) => i + 1);
}

// Header and claims that are in order but for `change`.
function changed(issuer, claims, change) {
	return issuer.raw(
		{ alg: 'HS256', ...change.header },
		{ exp: seconds() + 60, ...claims, ...change.claims },
	);
}

function unsigned(claims) {
	return new jose.UnsecuredJWT(claims).setExpirationTime('1m').encode();
}

// HS256, with what everybody knows of an RSA key for its secret.
async function confused(issuer, claims, kid) {
	const { publicKey } = issuer.pair('rs256');
	const pem = await jose.exportSPKI(publicKey);
	return issuer.raw({ alg: 'HS256', kid }, { exp: seconds() + 60, ...claims }, pem);
}

// "ES256", signed on another curve, under the kid of a good key.
function otherCurve(claims) {
	const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
	const header = encode({ alg: 'ES256', kid: 'es256' });
	const input = `${header}.${encode({ exp: seconds() + 60, ...claims })}`;
	const signature = createSign('sha256')
		.update(input)
		.sign({ key: privateKey, dsaEncoding: 'ieee-p1363' });
	return `${input}.${signature.toString('base64url')}`;
}

// Signed with a key that the token brings along.
async function selfMade(claims) {
	const options = { extractable: true };
	const { privateKey, publicKey } = await jose.generateKeyPair('ES256', options);
	const jwk = await jose.exportJWK(publicKey);
	return new jose.SignJWT(claims)
		.setExpirationTime('1m')
		.setProtectedHeader({ alg: 'ES256', kid: 'es256', jwk })
		.sign(privateKey);
}

async function otherAlg(claims, alg, options) {
	const { privateKey } = await jose.generateKeyPair(alg, options);
	return new jose.SignJWT(claims)
		.setExpirationTime('1m')
		.setProtectedHeader({ alg, kid: 'es256' })
		.sign(privateKey);
}

function encrypted(issuer, claims) {
	return new jose.EncryptJWT(claims)
		.setExpirationTime('1m')
		.setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
		.encrypt(randomBytes(32));
}

function critical(issuer, claims) {
	const name = 'https://example.org/c';
	return new jose.SignJWT(claims)
		.setExpirationTime('1m')
		.setProtectedHeader({ alg: 'HS256', crit: [name], [name]: 1 })
		.sign(Buffer.from(issuer.secret), { crit: { [name]: true } });
}

// A good token mangled: one bit in each part, in the bytes and in the text.
async function mangled(issuer, claims, alg) {
	const token = await issuer.token(claims, { alg });
	const [header, payload] = token.split('.');
	const last = 8 * (token.length - 1);
	const inHeader = 8 * (header.length >> 1);
	const inClaims = 8 * (header.length + 1 + (payload.length >> 1));
	return [
		[`${alg}: a bit of the header`, flipped(token, 0, 12)],
		[`${alg}: a bit of the claims`, flipped(token, 1, 12)],
		[`${alg}: a bit of the signature`, flipped(token, 2, 12)],
		[`${alg}: a bit of the header's text`, flippedText(token, inHeader)],
		[`${alg}: a bit of the claims' text`, flippedText(token, inClaims)],
		[`${alg}: a bit of the signature's text`, flippedText(token, last)],
		[`${alg}: truncated by one character`, token.slice(0, -1)],
		[`${alg}: truncated in the claims`, token.slice(0, header.length + 20)],
		[`${alg}: without its signature`, token.slice(0, token.lastIndexOf('.') + 1)],
		[`${alg}: twice`, `${token}.${token}`],
		[`${alg}: with padding`, `${token}=`],
	].map(([name, bad]) => ({ name, token: bad }));
}

/**
 * Every kind of token that must let nobody in, as [{ name, token, fault }], made of good claims.
 * `fault` is the server's word for it in its audit log; undefined where that depends on the bit.
 * `issuer` and `audience` are what the server expects; leave them out if it expects nothing.
 * `leeway` is the server's, in seconds: 0 for "expired by a second" to be just that.
 */
export async function badTokens(issuer, good, { iss, aud, leeway = 0 } = {}) {
	const claims = { ...(iss && { iss }), ...(aud && { aud }), ...good };
	const json = JSON.stringify({ exp: seconds() + 60, ...claims });
	const of = (name, fault, token) => ({ name, fault, token });
	const change = (name, fault, what) => of(name, fault, changed(issuer, claims, what));
	const signed = (payload) => issuer.raw({ alg: 'HS256' }, payload);
	const time = seconds();
	return [
		of('alg none', 'algorithm', unsigned(claims)),
		of('alg nOnE', 'algorithm', issuer.raw({ alg: 'nOnE' }, json)),
		of('alg HS512', 'algorithm', issuer.raw({ alg: 'HS512' }, json)),
		of('no alg', 'malformed', issuer.raw({ typ: 'JWT' }, json)),
		of('HS256 with the RSA public key', 'algorithm', await confused(issuer, claims, 'rs256')),
		of('HS256 with the RSA public key, no kid', 'signature', await confused(issuer, claims)),
		of('PS256', 'algorithm', await otherAlg(claims, 'PS256')),
		of('ES384', 'algorithm', await otherAlg(claims, 'ES384')),
		of('another curve', 'signature', otherCurve(claims)),
		of('another key', 'signature', await otherAlg(claims, 'ES256')),
		of(
			'EdDSA under the kid of an EC key',
			'algorithm',
			await otherAlg(claims, 'EdDSA', { crv: 'Ed25519' }),
		),
		of('a key of its own', 'signature', await selfMade(claims)),
		of('encrypted', 'malformed', await encrypted(issuer, claims)),
		of('another secret', 'signature', issuer.raw({ alg: 'HS256' }, json, 'x')),
		of('unknown crit', 'malformed', await critical(issuer, claims)),
		change('crit exp', 'malformed', { header: { crit: ['exp'] } }),
		change('b64 false', 'malformed', { header: { b64: false } }),
		change('compressed', 'malformed', { header: { zip: 'DEF' } }),
		change('nested', 'malformed', { header: { cty: 'JWT' } }),
		change('another typ', 'malformed', { header: { typ: 'dpop+jwt' } }),
		change('unknown kid', 'unknown_key', { header: { kid: 'nobody' } }),
		change('kid that is a path', 'unknown_key', { header: { kid: '../../dev/null' } }),
		change('kid that is no text', 'malformed', { header: { kid: 7 } }),
		of('alg twice', 'malformed', issuer.raw('{"alg":"none","alg":"HS256"}', json)),
		change('no exp', 'no_expiry', { claims: { exp: undefined } }),
		change('exp as text', 'claims', { claims: { exp: String(time + 60) } }),
		change('expired by a second', 'expired', { claims: { exp: time - leeway - 1 } }),
		change('not yet valid', 'not_yet', { claims: { nbf: time + leeway + 30 } }),
		...(iss
			? [
					change('another issuer', 'issuer', { claims: { iss: `${iss}.example` } }),
					change('no issuer', 'issuer', { claims: { iss: undefined } }),
				]
			: []),
		...(aud
			? [
					change('another audience', 'audience', { claims: { aud: 'somebody' } }),
					change('other audiences', 'audience', { claims: { aud: ['a', 'b'] } }),
					change('no audience', 'audience', { claims: { aud: undefined } }),
				]
			: []),
		change('1 MB', 'too_long', { claims: { filler: 'x'.repeat(1 << 20) } }),
		change('10,000 practices', 'too_long', { claims: { practices: count(10000) } }),
		change('1,001 practices', 'claims', { claims: { practices: count(1001) } }),
		change('practices as object', 'claims', { claims: { practices: { 0: 1 } } }),
		change('practices as text', 'claims', { claims: { practices: '1' } }),
		change('a practice as object', 'claims', { claims: { practices: [{ id: 1 }] } }),
		change('rooms as object', 'claims', { claims: { rooms: {} } }),
		change('rooms null', 'claims', { claims: { rooms: null } }),
		change('unknown role', 'claims', { claims: { role: 'root' } }),
		change('roles', 'claims', { claims: { role: ['staff', 'admin'] } }),
		change('no role', 'claims', { claims: { role: undefined } }),
		change('no sub', 'claims', { claims: { sub: undefined } }),
		of('sub twice', 'malformed', signed(json.replace('{', '{"sub":"1",'))),
		of('role twice, escaped', 'malformed', signed(json.replace('{', '{"\\u0072ole":"admin",'))),
		of('claims that are an array', 'malformed', signed('[]')),
		of('claims that are no JSON', 'malformed', signed(`${json}x`)),
		of('nothing', 'malformed', ''),
		of('dots', 'malformed', '..'),
		...(
			await Promise.all(
				['HS256', ...Object.keys(KEY_PAIRS)].map((alg) => mangled(issuer, claims, alg)),
			)
		).flat(),
	];
}
