// SPDX-License-Identifier: MIT
//
// Bundles the dashboard into the directory given, or into dist/, with the client package's own
// tools (`npm ci` in client/ first): node dashboard/build.mjs [directory]

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
	entryPoints: { main: 'src/main.ts', style: 'style.css' },
	format: 'esm',
	logLevel: 'warning',
	minify: true,
	nodePaths: [path.join(client, 'node_modules')],
	outdir: out,
	target: 'es2022',
});
for (const name of ['index.html', 'icon.svg']) {
	cpSync(path.join(here, name), path.join(out, name));
}
