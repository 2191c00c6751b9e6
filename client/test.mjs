// SPDX-License-Identifier: MIT
//
// Bundles the tests given (unit, package, e2e: folders of test/; or files) and runs them.
//
//	node test.mjs [--option-of-node…] FOLDER|FILE…
//
// Environment: PRAXIS_BUILD, the build directory of praxisd for e2e (../build from here).

import { build } from 'esbuild';
import { spawn } from 'node:child_process';
import { readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.join(here, 'build', 'test');
const given = process.argv.slice(2);
const options = given.filter((word) => word.startsWith('-'));

function testsOf(word) {
	const folder = path.join(here, 'test', word);
	if (!word.includes('.') && statSync(folder).isDirectory()) {
		return readdirSync(folder)
			.filter((file) => /\.test\.tsx?$/.test(file))
			.sort()
			.map((file) => path.join('test', word, file));
	}
	return [path.relative(here, path.resolve(word))];
}

const entryPoints = given.filter((word) => !word.startsWith('-')).flatMap(testsOf);
rmSync(out, { recursive: true, force: true });
await build({
	absWorkingDir: here,
	entryPoints,
	outbase: 'test',
	outdir: out,
	outExtension: { '.js': '.mjs' },
	bundle: true,
	platform: 'node',
	format: 'esm',
	target: 'node18',
	packages: 'external',
	// What starts a praxisd, of the server's own tests, and what that needs of its own packages.
	alias: {
		'praxisd-of-tests': path.join(here, '..', 'test', 'e2e', 'lib', 'praxisd.mjs'),
		jose: path.join(here, '..', 'test', 'e2e', 'node_modules', 'jose'),
	},
	sourcemap: true,
	logLevel: 'warning',
});
const files = entryPoints.map((file) =>
	path.join(out, path.relative('test', file).replace(/\.tsx?$/, '.mjs')),
);
spawn(process.execPath, ['--enable-source-maps', '--test', ...options, ...files], {
	cwd: here,
	stdio: 'inherit',
	env: { PRAXIS_BUILD: path.join(here, '..', 'build'), ...process.env },
}).on('exit', (code) => process.exit(code ?? 1));
