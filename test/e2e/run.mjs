// SPDX-License-Identifier: MIT
//
// Runs the end-to-end tests: all of them, or the files given. Needs `npm ci` and a built praxisd.
//
//	node run.mjs [--overlay] [--nodes 3] [--option-of-node…] [file…]
//
// With --overlay those for which it makes sense are run with an audit log, webhooks, trusted proxies
// and auth-url under every configuration (lib/overlay.mjs). With --nodes those for which it makes
// sense (lib/onnodes.mjs) are run with so many servers on one Redis behind HAProxy in place of one.
//
// Environment: PRAXIS_BUILD, the build directory (../../build from here); PRAXIS_E2E_LOG=1 shows
// the servers' logs; PRAXIS_E2E_DEADLINE_MS, how long to wait for anything (10000); PRAXIS_E2E_JOBS, how many
// files run at a time. Each has servers, ports and directories of its own, and much of its time is waiting;
// so they are as many as there are processors, where Node by itself leaves one of them idle.

import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { NOT_ON_NODES, ON_NODES } from './lib/onnodes.mjs';

const ALL = [
	'connect.test.mjs',
	'envelope.test.mjs',
	'whiteboard.test.mjs',
	'whiteboard_state.test.mjs',
	'board_attacks.test.mjs',
	'telemedicine.test.mjs',
	'waiting.test.mjs',
	'slow.test.mjs',
	'faults.test.mjs',
	'starved.test.mjs',
	'output.test.mjs',
	'turns.test.mjs',
	'bench.test.mjs',
	'config.test.mjs',
	'lifecycle.test.mjs',
	'manager.test.mjs',
	'ending.test.mjs',
	'run.test.mjs',
	'fresh.test.mjs',
	'plugins.test.mjs',
	'writing.test.mjs',
	'health.test.mjs',
	'reload.test.mjs',
	'renewal.test.mjs',
	'restart.test.mjs',
	'restored.test.mjs',
	'bus.test.mjs',
	'http.test.mjs',
	'conformance.test.mjs',
	'api.test.mjs',
	'asyncapi.test.mjs',
	'openapi.test.mjs',
	'admin.test.mjs',
	'example.test.mjs',
	'praxisctl.test.mjs',
	'tail.test.mjs',
	'metrics.test.mjs',
	'figures.test.mjs',
	'tls.test.mjs',
	'proxy.test.mjs',
	'addresses.test.mjs',
	'origins.test.mjs',
	'recipes.test.mjs',
	'container.test.mjs',
	'identity.test.mjs',
	'tickets.test.mjs',
	'matrix.test.mjs',
	'pairs.test.mjs',
	'attacks.test.mjs',
	'limits.test.mjs',
	'guesses.test.mjs',
	'resume.test.mjs',
	'rights.test.mjs',
	'authurl.test.mjs',
	'secrets.test.mjs',
	'webhooks.test.mjs',
	'handover.test.mjs',
	'field.test.mjs',
	'tour.test.mjs',
	'examples.test.mjs',
	'documented.test.mjs',
];

// What is left out tests one of these itself, counts its own connections, or has files of its own.
const OVERLAID = [
	'connect.test.mjs',
	'envelope.test.mjs',
	'whiteboard.test.mjs',
	'telemedicine.test.mjs',
	'waiting.test.mjs',
	'restart.test.mjs',
	'restored.test.mjs',
	'matrix.test.mjs',
	'resume.test.mjs',
];

const here = path.dirname(fileURLToPath(import.meta.url));
const given = process.argv.slice(2);
const nodes = given.includes('--nodes') ? given.splice(given.indexOf('--nodes'), 2)[1] : null;
const overlaid = given.includes('--overlay');
const options = given.filter((word) => word.startsWith('-') && word !== '--overlay');
const files = given.filter((word) => !word.startsWith('-'));

if (!existsSync(path.join(here, 'node_modules', 'ws'))) {
	console.error('no node_modules/ws: run `npm ci` in test/e2e');
	process.exit(2);
}
const forgotten = readdirSync(here).filter(
	(name) => /\.test\.mjs$/.test(name) && !ALL.includes(name),
);
if (forgotten.length > 0) {
	console.error(`these are in no list, so that nobody would run them: ${forgotten.join(' ')}`);
	process.exit(2);
}
const unknown = [...ON_NODES, ...Object.keys(NOT_ON_NODES)].filter((name) => !ALL.includes(name));
if (unknown.length > 0) {
	console.error(`lib/onnodes.mjs has files that are none: ${unknown.join(' ')}`);
	process.exit(2);
}
const { BUILD } = await import('./lib/praxisd.mjs');
if (!existsSync(path.join(BUILD, 'server', 'praxisd'))) {
	console.error(`${BUILD}/server/praxisd does not exist: build it, or set PRAXIS_BUILD`);
	process.exit(2);
}

const all = overlaid ? OVERLAID : nodes ? ON_NODES : ALL;
const jobs =
	process.env.PRAXIS_E2E_JOBS ?? Math.max(1, os.availableParallelism?.() ?? os.cpus().length);
const mode = {
	...(overlaid && { PRAXIS_E2E_OVERLAY: 'all' }),
	...(nodes && { PRAXIS_E2E_NODES: nodes }),
};
spawn(
	process.execPath,
	['--test', `--test-concurrency=${jobs}`, ...options, ...(files.length ? files : all)],
	{
		cwd: here,
		stdio: 'inherit',
		env: { ...process.env, PRAXIS_BUILD: BUILD, ...mode },
	},
).on('exit', (code) => process.exit(code ?? 1));
