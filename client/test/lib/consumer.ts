// SPDX-License-Identifier: MIT
//
// An application that has installed the package as npm packs it, in a folder of its own.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

const client = process.cwd();

let packed: string | undefined;

/** The tarball's path; packed once. */
export function pack(): string {
	if (packed !== undefined) {
		return packed;
	}
	const consumers = path.join(client, 'build', 'consumers');
	mkdirSync(consumers, { recursive: true });
	// Of its own: files of tests run at the same time, and each packs.
	const folder = mkdtempSync(path.join(consumers, 'packed-'));
	const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
	const told = execFileSync('npm', args, {
		cwd: client,
		encoding: 'utf8',
		stdio: ['ignore', 'pipe', 'ignore'],
	});
	const [{ filename }] = JSON.parse(told) as [{ filename: string }];
	packed = path.join(folder, filename);
	return packed;
}

export class Consumer {
	readonly folder: string;
	readonly tarball: string;
	/** The installed package. */
	readonly installed: string;

	/** `type`: "module" or "commonjs", what its .ts and .js files are. */
	constructor(name: string, type: 'module' | 'commonjs' = 'module') {
		this.folder = path.join(client, 'build', 'consumers', name);
		rmSync(this.folder, { recursive: true, force: true });
		this.installed = path.join(this.folder, 'node_modules', 'praxis-client');
		mkdirSync(this.installed, { recursive: true });
		this.tarball = pack();
		const args = ['-xzf', this.tarball, '-C', this.installed, '--strip-components=1'];
		execFileSync('tar', args);
		this.write({ 'package.json': JSON.stringify({ name, private: true, type }) });
	}

	write(files: Record<string, string>): void {
		for (const [name, text] of Object.entries(files)) {
			const file = path.join(this.folder, name);
			mkdirSync(path.dirname(file), { recursive: true });
			writeFileSync(file, text);
		}
	}

	read(name: string): string {
		return readFileSync(path.join(this.folder, name), 'utf8');
	}

	/** Runs a file with node, and returns what it writes. */
	run(name: string): string {
		const file = path.join(this.folder, name);
		return execFileSync(process.execPath, [file], { cwd: this.folder, encoding: 'utf8' });
	}

	/** What the compiler has to say, the package's own declarations checked, too. */
	complaints(names: string[], options: ts.CompilerOptions): string[] {
		const program = ts.createProgram(
			names.map((name) => path.join(this.folder, name)),
			{
				target: ts.ScriptTarget.ES2022,
				lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
				jsx: ts.JsxEmit.ReactJSX,
				strict: true,
				noEmit: true,
				skipDefaultLibCheck: true,
				types: [],
				...options,
			},
		);
		return ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
			const line = file ? file.getLineAndCharacterOfPosition(start).line + 1 : 0;
			const where = file ? `${path.relative(this.folder, file.fileName)}:${line}: ` : '';
			return where + ts.flattenDiagnosticMessageText(messageText, '\n');
		});
	}
}
