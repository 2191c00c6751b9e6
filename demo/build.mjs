// SPDX-License-Identifier: MIT
//
// Bundles the demonstration into the directory given, or into dist/, with the client package's own
// tools (`npm ci` in client/ first): node demo/build.mjs [directory]

import { cpSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const client = path.join(here, '..', 'client');
const { build } = createRequire(path.join(client, 'package.json'))('esbuild');
const out = path.resolve(process.argv[2] ?? path.join(here, 'dist'));

mkdirSync(out, { recursive: true });
await build({
	absWorkingDir: here,
	alias: { 'praxis-client': path.join(client, 'src', 'index.ts') },
	bundle: true,
	entryPoints: ['src/main.ts'],
	format: 'esm',
	logLevel: 'warning',
	minify: true,
	outfile: path.join(out, 'main.js'),
	sourcemap: true,
	target: 'es2022',
});
for (const name of ['index.html', 'style.css', 'icon.svg']) {
	cpSync(path.join(here, name), path.join(out, name));
}
