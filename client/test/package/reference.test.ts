// SPDX-License-Identifier: MIT
//
// The code of the reference system's page compiles, unchanged and strictly.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { transformSync } from 'esbuild';
import { runInNewContext } from 'node:vm';
import { WebSocketStatus } from 'praxis-client';
import { referenceSnippets, SURROUNDINGS } from '../lib/reference.js';
import { complaints } from '../lib/snippets.js';

describe("the reference system's page", () => {
	const snippets = referenceSnippets();

	it('has the snippets that it is known to have', () => {
		assert.equal(snippets.length, 9);
	});

	it('compiles', () => {
		const files = Object.fromEntries(
			snippets.map(({ code, line }) => [`line-${line}.ts`, code]),
		);
		assert.deepEqual(complaints({ 'surroundings.d.ts': SURROUNDINGS, ...files }), []);
	});

	it('would not compile with a mistake in it', () => {
		const code =
			'import { whiteboardService } from "@/lib/websocket/";\nwhiteboardService.conect();';
		assert.match(complaints({ 'mistake.ts': code }).join(), /mistake\.ts:2: .*conect/);
	});

	it('has the statuses of the package', () => {
		const declaration = snippets.find(({ code }) => code.startsWith('enum WebSocketStatus'));
		assert.ok(declaration);
		const { code } = transformSync(`${declaration.code};WebSocketStatus`, { loader: 'ts' });
		const values = runInNewContext(code) as Record<string, string>;
		assert.deepEqual({ ...values }, { ...WebSocketStatus });
	});
});
