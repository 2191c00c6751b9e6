// SPDX-License-Identifier: MIT
//
// The code of the documentation compiles. (What would change the types of all of it is marked
// `typescript`, and is in published.test.ts.)

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { complaints, snippetsOf } from '../lib/snippets.js';
import type { Snippet } from '../lib/snippets.js';

/** What the pages' snippets take from the application around them. */
const SURROUNDINGS = `
	declare global {
		const practiceId: number;
		const roomId: string;
		const appointmentId: number;
		const userId: number;
		const userName: string;
		const stream: MediaStream;
		const banner: HTMLElement;
		const card: HTMLElement;
		const process: { env: Record<string, string | undefined> };
		function fetchToken(): Promise<string>;
		function show(data: unknown): void;
		function apply(data: unknown): void;
		function loadAll(practiceId: number | string): void;
		function refresh(practiceId: number | string): void;
		function videoOf(clientId: string): HTMLVideoElement;
		function addLine(from: string, text: string): void;
		function attach(clientId: string, stream: MediaStream): void;
		function detach(clientId: string): void;
		function currentUser(): Promise<{ id: number; name: string; practices: number[] }>;
	}
	export {};
`;
const JOSE = `
	declare module 'jose' {
		export class SignJWT {
			constructor(claims: object);
			setProtectedHeader(header: object): this;
			setSubject(subject: string): this;
			setExpirationTime(time: string): this;
			sign(key: Uint8Array): Promise<string>;
		}
	}
`;
const SCRIPT = /<script type="module">([^]*?)<\/script>/;

function files(snippets: Snippet[]): Record<string, string> {
	const entries = snippets.map(({ language, code, line }) => {
		const script = language === 'html' ? SCRIPT.exec(code)?.[1] : code;
		return [`line-${line}.${language === 'tsx' ? 'tsx' : 'ts'}`, script ?? ''] as const;
	});
	return Object.fromEntries(entries);
}

describe('the code in', () => {
	for (const [page, count] of [
		['../docs/client.md', 18],
		['../docs/migration.md', 5],
		['README.md', 1],
	] as const) {
		it(`${page} compiles`, () => {
			const snippets = snippetsOf(page).filter(({ language }) =>
				['ts', 'tsx', 'html'].includes(language),
			);
			assert.equal(snippets.length, count);
			const surroundings = { 'surroundings.d.ts': SURROUNDINGS, 'jose.d.ts': JOSE };
			assert.deepEqual(complaints({ ...surroundings, ...files(snippets) }), []);
		});
	}
});
