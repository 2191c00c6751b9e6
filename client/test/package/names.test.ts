// SPDX-License-Identifier: MIT
//
// No member of what is exported has a name that the build shortens.

import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';

const types = path.resolve('dist', 'esm');

/** Members of the classes, interfaces and values that the entry exports. */
function membersOf(entry: string): Set<string> {
	const file = path.join(types, entry);
	const program = ts.createProgram([file], {
		lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'],
		moduleResolution: ts.ModuleResolutionKind.Bundler,
		module: ts.ModuleKind.ESNext,
		types: [],
	});
	const checker = program.getTypeChecker();
	const source = program.getSourceFile(file);
	const module = source && checker.getSymbolAtLocation(source);
	assert.ok(module);
	const names = new Set<string>();
	for (const exported of checker.getExportsOfModule(module)) {
		const aliased = (exported.flags & ts.SymbolFlags.Alias) !== 0;
		const symbol = aliased ? checker.getAliasedSymbol(exported) : exported;
		const all = [checker.getDeclaredTypeOfSymbol(symbol), checker.getTypeOfSymbol(symbol)];
		// Those of texts and the like are the language's.
		const isOurs = ({ declarations = [] }: ts.Symbol) =>
			declarations.some((each) => each.getSourceFile().fileName.startsWith(types));
		all.flatMap((type) => type.getProperties())
			.filter(isOurs)
			.forEach(({ name }) => names.add(name));
	}
	return names;
}

describe('the names that the build shortens', () => {
	for (const entry of ['index.d.ts', 'react.d.ts', 'check.d.ts', 'devtools.d.ts']) {
		it(`are none of ${entry}`, async () => {
			const { href } = pathToFileURL(path.resolve('internal-names.mjs'));
			const { internal } = (await import(href)) as { internal: string[] };
			const members = membersOf(entry);
			assert.ok(members.size > 2 || entry === 'devtools.d.ts');
			assert.deepEqual(
				internal.filter((name) => members.has(name)),
				[],
			);
		});
	}
});
