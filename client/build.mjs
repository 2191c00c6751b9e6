// SPDX-License-Identifier: MIT
//
// Builds dist/: ES modules, CommonJS, declarations, source maps, and one minified module for pages
// without a bundler. The hooks import the package beside them, so that both share one connection.

import { build } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { internal } from './internal-names.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const dist = path.join(here, 'dist');
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');

const besides = {
	name: 'besides',
	setup(esbuild) {
		esbuild.onResolve({ filter: /^\.\/index\.js$/ }, ({ path: name }) => {
			return { path: name, external: true };
		});
	},
};

const common = {
	absWorkingDir: here,
	bundle: true,
	external: ['react'],
	logLevel: 'warning',
	mangleProps: new RegExp(`^(${internal.join('|')})$`),
	plugins: [besides],
	sourcemap: true,
	target: 'es2022',
};

function declarations() {
	execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
		cwd: here,
		stdio: 'inherit',
	});
	mkdirSync(path.join(dist, 'cjs'), { recursive: true });
	for (const file of readdirSync(path.join(dist, 'esm'))) {
		if (file.endsWith('.d.ts')) {
			cpSync(path.join(dist, 'esm', file), path.join(dist, 'cjs', file));
		}
	}
}

// The types of the module for pages without a bundler are those of the ES module.
function browserDeclarations() {
	mkdirSync(path.join(dist, 'browser'), { recursive: true });
	writeFileSync(
		path.join(dist, 'browser', 'praxis-client.d.ts'),
		"export * from '../esm/index.js';\n",
	);
}

rmSync(dist, { recursive: true, force: true });
declarations();
browserDeclarations();
for (const [format, type] of [
	['esm', 'module'],
	['cjs', 'commonjs'],
]) {
	writeFileSync(path.join(dist, format, 'package.json'), `{ "type": "${type}" }\n`);
	await build({
		...common,
		entryPoints: ['src/index.ts', 'src/react.ts', 'src/check.ts', 'src/devtools.ts'],
		format,
		outdir: path.join('dist', format),
	});
}
await build({
	...common,
	entryPoints: ['src/index.ts'],
	format: 'esm',
	minify: true,
	sourcemap: 'external', // beside it, and not named in it: every byte is loaded by every page
	outfile: 'dist/browser/praxis-client.js',
});
