// SPDX-License-Identifier: MIT
//
// An issuer of tokens: the npm package `jose`, another implementation than the server's. Claims
// are of a member of staff of practice 1 unless a test says otherwise, and names carry the mark
// that no log may hold (see secret()).

import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import { secret } from './praxisd.mjs';

// Without the mark that no log may hold: warnings may speak of a "secret".
export const PHRASE = 'a phrase of more than thirty-two bytes, for the tests alone';

// The query of open mode, left out: who a client is, its token says.
export const NO_IDENTITY = { practiceId: null, userId: null, userName: null, role: null };

let users = 0;

export const nowS = () => Math.floor(Date.now() / 1000);

// A claim given as undefined is left out.
export function claimsOf(more = {}) {
	return {
		sub: `user-${++users}`,
		name: secret('name'),
		role: 'staff',
		practices: [1],
		exp: nowS() + 3600,
		...more,
	};
}

// A token of these claims as they are; by default signed with PHRASE.
export function sign(claims, { header = {}, key = Buffer.from(PHRASE) } = {}) {
	return new SignJWT(claims).setProtectedHeader({ alg: 'HS256', ...header }).sign(key);
}

export function token(more, options) {
	return sign(claimsOf(more), options);
}

const base64url = (value) => Buffer.from(value).toString('base64url');

// A token by hand, for what jose refuses to make; `signature` is bytes.
export function handmade(header, payload, signature = '') {
	const text = (part) => (typeof part === 'string' ? part : JSON.stringify(part));
	return [text(header), text(payload), signature].map(base64url).join('.');
}

// A new key pair: { kid, alg, privateKey, publicKey, jwk }, the last one's public part for a JWKS.
export async function keyPair(alg, kid, options = {}) {
	const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true, ...options });
	const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' };
	return { kid, alg, privateKey, publicKey, jwk };
}

export const bearer = (text) => ({ Authorization: `Bearer ${text}` });

// A client with these claims in its Authorization header. `options` as in RawClient.open().
export async function enter(praxis, more = {}, { headers = {}, ...options } = {}) {
	const claims = claimsOf(more);
	const client = await praxis.connectRaw(NO_IDENTITY, {
		headers: { ...bearer(await sign(claims)), ...headers },
		...options,
	});
	client.claims = claims;
	client.identity = { userId: claims.sub, userName: claims.name };
	return client;
}

// A client that is not authenticated yet: like a browser's, it has to send `auth`.
export function enterUnauthenticated(praxis) {
	return praxis.connect(NO_IDENTITY);
}

// The options of a vhost that takes these tokens.
export function tokenVhost(tokens = {}, more = {}) {
	return {
		'open-practice': undefined,
		tokens: { secret: PHRASE, 'leeway-s': 0, ...tokens },
		...more,
	};
}
