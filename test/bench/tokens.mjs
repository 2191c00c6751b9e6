// SPDX-License-Identifier: MIT
//
// Tokens for the benchmark's clients, made beforehand, and what praxisd needs to check them with.

import { createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

const COUNT = 2048; // each client brings another one: nothing is to be had by remembering

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

// The practices of the client with that token. With `wide`, those behind the first hundred have 200
// of their own each, so that 500 of them make 100,000 channels.
function practicesOf(at, wide) {
	return wide && at > 100 ? Array.from({ length: 200 }, (_, index) => at * 200 + index) : [1];
}

// Writes `tokens.txt` and the keys into the directory; returns the vhost's "tokens".
export function writeTokens(dir, alg, wide = false) {
	const secret = randomBytes(32).toString('hex');
	const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
	const signers = {
		HS256: (input) => createHmac('sha256', secret).update(input).digest(),
		ES256: (input) => sign('sha256', input, { key: privateKey, dsaEncoding: 'ieee-p1363' }),
	};
	const exp = Math.floor(Date.now() / 1000) + 3600;
	const lines = Array.from({ length: COUNT }, (_, at) => {
		const claims = {
			sub: at + 1,
			name: `u${at + 1}`,
			role: 'staff',
			practices: practicesOf(at, wide),
			exp,
		};
		const input = `${encode({ alg, typ: 'JWT' })}.${encode(claims)}`;
		return `${input}.${signers[alg](Buffer.from(input)).toString('base64url')}`;
	});
	const file = (name) => path.join(dir, name);
	writeFileSync(file('tokens.txt'), `${lines.join('\n')}\n`);
	writeFileSync(file('secret'), secret);
	writeFileSync(
		file('keys.json'),
		JSON.stringify({ keys: [publicKey.export({ format: 'jwk' })] }),
	);
	return alg === 'HS256' ? { 'secret-file': file('secret') } : { 'jwks-file': file('keys.json') };
}
