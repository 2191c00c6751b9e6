// SPDX-License-Identifier: MIT
//
// Code blocks of a page, compiled against the built package's declarations as an application would
// compile them. What a block takes from its surroundings (`practiceId`, `stream` …) is declared in a
// file of its own.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

export interface Snippet {
	/** The heading above it, and which of its blocks it is. */
	title: string;
	language: string;
	code: string;
	/** Of the page. */
	line: number;
}

const client = process.cwd();
const types = path.join(client, 'dist', 'esm');

export function snippetsOf(page: string): Snippet[] {
	const lines = readFileSync(path.join(client, page), 'utf8').split('\n');
	const found: Snippet[] = [];
	let heading = '';
	let current: Snippet | null = null;
	lines.forEach((text, at) => {
		if (current) {
			if (text.trimEnd() === '```') {
				found.push(current);
				current = null;
			} else {
				current.code += `${text}\n`;
			}
		} else if (text.startsWith('```')) {
			const number = found.filter(({ title }) => title.startsWith(`${heading} /`)).length + 1;
			const language = text.slice(3).trim();
			current = { title: `${heading} / ${number}`, language, code: '', line: at + 1 };
		} else if (/^#+ /.test(text)) {
			heading = text.replace(/^#+ /, '');
		}
	});
	return found;
}

const OPTIONS: ts.CompilerOptions = {
	target: ts.ScriptTarget.ES2022,
	lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
	module: ts.ModuleKind.ESNext,
	moduleResolution: ts.ModuleResolutionKind.Bundler,
	moduleDetection: ts.ModuleDetectionKind.Force,
	jsx: ts.JsxEmit.ReactJSX,
	strict: true,
	noEmit: true,
	skipLibCheck: true,
	types: [],
	paths: {
		'@/lib/websocket': [path.join(types, 'index.d.ts')],
		'@/lib/websocket/': [path.join(types, 'index.d.ts')],
		'praxis-client': [path.join(types, 'index.d.ts')],
		'praxis-client/react': [path.join(types, 'react.d.ts')],
	},
};

/** What the compiler has to say of the files (name → code); empty: nothing. */
export function complaints(files: Record<string, string>, options: ts.CompilerOptions = {}) {
	const all = { ...OPTIONS, ...options };
	const folder = path.join(client, 'build', 'snippets');
	const virtual = new Map(
		Object.entries(files).map(([name, code]) => [path.join(folder, name), code]),
	);
	const host = ts.createCompilerHost(all);
	const program = ts.createProgram([...virtual.keys()], all, {
		...host,
		fileExists: (name) => virtual.has(name) || host.fileExists(name),
		readFile: (name) => virtual.get(name) ?? host.readFile(name),
		getSourceFile: (name, ...more) => {
			const code = virtual.get(name);
			return code === undefined
				? host.getSourceFile(name, ...more)
				: ts.createSourceFile(name, code, ts.ScriptTarget.ES2022, true);
		},
	});
	return ts.getPreEmitDiagnostics(program).map((diagnostic) => {
		const { file, start = 0, messageText } = diagnostic;
		const where = file
			? `${path.basename(file.fileName)}:${file.getLineAndCharacterOfPosition(start).line + 1}: `
			: '';
		return where + ts.flattenDiagnosticMessageText(messageText, '\n');
	});
}
