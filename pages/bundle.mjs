// SPDX-License-Identifier: MIT
//
// Bundles a page with the client package's own tools (`npm ci` in client/ first), into the directory
// that the command line gives, or into the page's dist/.

import { cpSync, mkdirSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const client = fileURLToPath(new URL('../client', import.meta.url));
const { build } = createRequire(path.join(client, 'package.json'))('esbuild');

// `options`: more of esbuild's.
export async function bundle(page, options = {}) {
	const here = path.dirname(fileURLToPath(page));
	const out = path.resolve(process.argv[2] ?? path.join(here, 'dist'));
	mkdirSync(out, { recursive: true });
	await build({
		absWorkingDir: here,
		alias: {
			'praxis-client': path.join(client, 'src', 'index.ts'),
			'praxis-client/check': path.join(client, 'src', 'check.ts'),
			'praxis-client/devtools': path.join(client, 'src', 'devtools.ts'),
		},
		bundle: true,
		entryPoints: { main: 'src/main.ts', style: 'style.css' },
		format: 'esm',
		logLevel: 'warning',
		minify: true,
		nodePaths: [path.join(client, 'node_modules')],
		outdir: out,
		target: 'es2022',
		...options,
	});
	for (const name of ['index.html', 'icon.svg']) {
		// A server may be serving it just now.
		const whole = path.join(out, `${name}.${process.pid}`);
		cpSync(path.join(here, name), whole);
		renameSync(whole, path.join(out, name));
	}
}
