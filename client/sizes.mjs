// SPDX-License-Identifier: MIT
//
// What a page loads of this package, and of others that do a part of the same: bundled by esbuild for a
// browser, minified, gzipped at the best level. dist/ has to be there (npm run build).
//
//	node sizes.mjs            the parts of this package, and their limits
//	node sizes.mjs --peers    the others, too: fetched with npm into a folder of their own for as long as
//	                          it takes; the table of docs/client.md, "Other packages"

import { build } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';

const here = path.dirname(fileURLToPath(import.meta.url));
const shared = 'webSocketManager';

/**
 * Of each part: what a page imports, and how many bytes that may be: what it is, to the next tenth of
 * a KB (1024 bytes) that leaves 32 bytes, since not every version of zlib packs alike.
 */
export const PARTS = [
	['the connection', `export { ${shared} } from 'praxis-client'`, 6_656],
	[
		'… with the whiteboard',
		`export { ${shared}, whiteboardService } from 'praxis-client'`,
		7_680,
	],
	['… with calls', `export { ${shared}, telemedicineService } from 'praxis-client'`, 13_414],
	['everything in praxis-client', `export * from 'praxis-client'`, 16_384],
	['praxis-client/react, besides', `export * from './dist/esm/react.js'`, 2_252],
	['praxis-client/check, besides', `export * from './dist/esm/check.js'`, 3_379],
	['praxis-client/devtools, besides', `export * from './dist/esm/devtools.js'`, 2_048],
];

/** Of each other package: what a page imports for its connection. */
const PEERS = [
	['centrifuge', '5.8.0', `export { Centrifuge } from 'centrifuge'`],
	['socket.io-client', '4.8.4', `export { io } from 'socket.io-client'`],
	['phoenix', '1.8.16', `export { Socket, Presence } from 'phoenix'`],
	['pusher-js', '8.6.0', `export { default } from 'pusher-js'`],
	[
		'ably',
		'2.28.0',
		`export { BaseRealtime, FetchRequest, RealtimePresence, WebSocketTransport } from 'ably/modular'`,
	],
	['livekit-client', '2.23.0', `export { Room } from 'livekit-client'`],
];

/** `besides`: without what "praxis-client" itself has. */
export async function sizeOf(contents, folder = here) {
	const result = await build({
		stdin: { contents, resolveDir: folder },
		bundle: true,
		external: ['react', './index.js'],
		format: 'esm',
		logLevel: 'error',
		minify: true,
		platform: 'browser',
		target: 'es2022',
		write: false,
	});
	return gzipSync(result.outputFiles[0].text.trim(), { level: 9 }).length;
}

async function peers() {
	const folder = mkdtempSync(path.join(tmpdir(), 'praxis-sizes-'));
	try {
		writeFileSync(path.join(folder, 'package.json'), '{ "private": true }');
		const names = PEERS.map(([name, version]) => `${name}@${version}`);
		execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...names], {
			cwd: folder,
			stdio: ['ignore', 'ignore', 'inherit'],
		});
		for (const [name, version, source] of PEERS) {
			tell(`${name} ${version}`, await sizeOf(source, folder));
		}
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

function tell(name, bytes, limit) {
	const most = limit === undefined ? '' : `, at most ${limit}`;
	process.stdout.write(`${name}: ${(bytes / 1024).toFixed(1)} KB (${bytes} bytes${most})\n`);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
	for (const [name, source, limit] of PARTS) {
		tell(name, await sizeOf(source), limit);
	}
	if (process.argv.includes('--peers')) {
		await peers();
	}
}
