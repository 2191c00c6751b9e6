// SPDX-License-Identifier: MIT
//
// The tables of docs/migration.md name what is there.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import * as praxis from 'praxis-client';

const page = readFileSync(path.join(process.cwd(), '..', 'docs', 'migration.md'), 'utf8');
const exported = praxis as unknown as Record<string, unknown>;

function has(owner: string, member: string): boolean {
	return typeof (exported[owner] as Record<string, unknown>)[member] === 'function';
}

/** The cells of the rows under a heading, first column or second. */
function cells(heading: string, column: 1 | 2): string[] {
	const section = page.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
	return section
		.split('\n')
		.filter((line) => line.startsWith('|'))
		.slice(2)
		.map((line) => line.split(/(?<!\\)\|/)[column] ?? '');
}

describe('docs/migration.md', () => {
	it('names functions that are there, and all of the old page', () => {
		const named = cells('Function by function', 1)
			.flatMap((cell) => [...cell.matchAll(/`(?:(\w+)\.)?(\w+)(?:\(|`)/g)])
			.map(([, owner, name]) => [owner, name ?? ''] as const)
			.filter(([owner]) => owner !== 'manager'); // a file's name
		const missing = named.filter(([owner, name]) =>
			owner === undefined ? !(name in exported) : !has(owner, name),
		);
		assert.deepEqual(missing, []);
		const reference = readFileSync('test/reference/unified-websocket-system.md', 'utf8');
		const calls = reference.matchAll(
			/\b(whiteboardService|telemedicineService|webSocketManager)\.(\w+)\(/g,
		);
		for (const [, owner, name] of calls) {
			assert.ok(
				named.some((row) => row[0] === owner && row[1] === name),
				`${owner}.${name} is in the table`,
			);
		}
	});

	it('names what stands for messages sent by hand', () => {
		const named = cells('3. Sockets written by hand', 2)
			.flatMap((cell) => [...cell.matchAll(/`(\w+)\(/g)])
			.map(([, name]) => name ?? '');
		assert.ok(named.includes('joinRoom') && named.length > 12);
		assert.deepEqual(
			named.filter((name) => !has('telemedicineService', name)),
			[],
		);
	});
});
