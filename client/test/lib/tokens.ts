// SPDX-License-Identifier: MIT
//
// Tokens as an application makes them, with the secret that praxisd has.

import { createHmac } from 'node:crypto';

export const SECRET = 'SECRET-of-the-tests-0123456789abcdef0123456789';

export function tokenFor(
	userId: number | string,
	ttlSeconds: number,
	more: Record<string, unknown> = {},
): string {
	const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
	const exp = Math.floor(Date.now() / 1000) + ttlSeconds;
	const claims = { sub: String(userId), role: 'staff', practices: [1], exp, ...more };
	const input = `${encode({ alg: 'HS256' })}.${encode(claims)}`;
	return `${input}.${createHmac('sha256', SECRET).update(input).digest('base64url')}`;
}

/** The vhost and the files of a praxisd that checks them. */
export const withTokens = {
	vhost: {
		'open-practice': undefined,
		tokens: { 'secret-file': '../secret', 'leeway-s': 0 },
	},
	files: { secret: SECRET },
};
