#!/usr/bin/env node
// SPDX-License-Identifier: MIT
//
// The benchmark: Praxis against the floor (floor.c) and against others, in the same scenarios under
// the same load.
//
//   test/bench/run.mjs --praxisd build/server/praxisd --rounds 5 --markdown table.md --json table.json
//
// What it prints are ratios: the machine is noisy, and its speed is nobody's merit. In each round
// all servers run each scenario one right after the other, in turn another one first, each in a fresh
// process on CPU 0, with the load on CPU 1; the ratio is the median of the rounds' ratios. Taking the
// best run of each was rejected: it compares two moments of the machine. The peers, which are not
// near each other, run in every other round only, as does what takes long.
//
// The floor, nchan and Mosquitto carry bare texts of 99 bytes, and a second time as many bytes as
// Praxis' messages have on the wire.
//
// Figures never make it fail; a delivery that is missing, doubled, out of order or in the wrong
// room does (exit code 1), and so does a server that ends badly. --quick is the short version that
// checks deliveries and whose figures mean nothing.

import { mkdtempSync, rmSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Certificates } from '../e2e/lib/certificates.mjs';
import { checked, markdown, plain, sameBytes, tablesOf } from './report.mjs';
import { SCENARIOS } from './scenarios.mjs';
import {
	BenchError,
	HOST,
	SERVERS,
	describe,
	descriptors,
	start,
	startServer,
} from './servers.mjs';

const IDS = SCENARIOS.map(({ id }) => id);
const PEERS = Object.keys(SERVERS).filter((name) => SERVERS[name].missing);

const USAGE = `usage: run.mjs [--praxisd FILE] [options]
  --praxisd FILE    the server; without it the floor and peers alone are measured
  --build DIR       the build directory (default: that of --praxisd, else build)
  --rounds N        default 5
  --seconds S       of each measured window, default 0.6
  --scenario ID     ${IDS.join(', ')}; may be repeated, default all
  --peer NAME       ${PEERS.join(', ')}, or none; may be repeated; default those that are installed,
                    with --quick none
  --json FILE       writes what every single run said
  --markdown FILE   writes the tables
  --quick           one short round: do all messages arrive?`;

// One scenario against one fresh server: what bench-load said of it.
async function runOnce(scenario, name, options, { alg, tls, wide, args = [], bytes } = {}) {
	const began = Date.now();
	const server = await startServer(name, options, { alg, tls, wide });
	const length = options.quick
		? ['--warmup', '0', ...scenario.quick]
		: ['--warmup', '0.3', ...(scenario.counted ?? ['--seconds', String(options.seconds)])];
	try {
		const load = start(
			1,
			options.load,
			[
				...['--server', name, '--port', String(server.port), '--pid', String(server.pid)],
				...[
					'--scenario',
					...(scenario.args ?? []),
					...args,
					...(scenario.smaller?.[name] ?? []),
				],
				...(alg ? ['--tokens', path.join(options.config, 'tokens.txt')] : []),
				...(tls ? ['--tls', tls] : []),
				...(bytes ? ['--bytes', String(bytes)] : []),
				...length,
			],
			['pipe', 'pipe', 2],
		);
		let output = '';
		let turns;
		load.stdin.on('error', () => {});
		load.stdout.setEncoding('utf8').on('data', async (text) => {
			output += text;
			if (output.endsWith('\n')) {
				turns = name === 'praxis' && !tls ? (await stats(server.port)).turns : undefined;
				load.stdin.end();
			}
		});
		const how = await load.ended;
		if (how.code !== 0) {
			throw new BenchError(`${name}, ${scenario.title}: bench-load ${describe(how)}`);
		}
		return { ...JSON.parse(output), turns, took_ms: Date.now() - began };
	} finally {
		await server.stop();
	}
}

// The same for a peer, whose failure is said and costs only its own figure.
async function tryPeer(scenario, name, options, setup) {
	try {
		return await runOnce(scenario, name, options, setup);
	} catch (error) {
		if (!(error instanceof BenchError)) {
			throw error;
		}
		console.error(`bench: left out: ${error.message}`);
		return undefined;
	}
}

const runnerOf = (name) => (SERVERS[name].missing ? tryPeer : runOnce);

async function stats(port) {
	const response = await fetch(`http://${HOST}:${port}/stats`);
	return response.json();
}

// How far it got, for those who watch.
function say(text) {
	if (process.stderr.isTTY) {
		process.stderr.write(`\r${text}\x1b[K`);
	}
}

function rotate(list, by) {
	const at = by % list.length;
	return [...list.slice(at), ...list.slice(0, at)];
}

const hasPeers = (round) => round % 2 === 0;

// Each variant of a scenario once, in turn from another one on.
async function runVariants(scenario, round, options) {
	const variants = [];
	for (const index of rotate([...scenario.variants.keys()], round)) {
		const { server = 'praxis', ...setup } = scenario.variants[index];
		const mayRun = server === 'praxis' ? options.praxisd : options.peers.includes(server);
		if (mayRun && (server === 'praxis' || hasPeers(round))) {
			variants[index] = await runnerOf(server)(scenario, server, options, setup);
		}
	}
	return { id: scenario.id, round, variants };
}

// Praxis comes before those that are to carry as many bytes, once.
async function runServers(scenario, round, options, bytesOf) {
	const peers = hasPeers(round)
		? scenario.peers.filter((name) => options.peers.includes(name))
		: [];
	const names = [...(options.praxisd ? ['praxis'] : []), 'floor', ...peers];
	const results = {};
	const order = round === 0 ? names : rotate(names, round);
	for (const name of order) {
		const run = runnerOf(name);
		results[name] = await run(scenario, name, options);
		const bytes = results.praxis?.wire_bytes ?? bytesOf.get(scenario.id);
		bytesOf.set(scenario.id, bytes);
		if (bytes && !options.quick && sameBytes(name) !== name) {
			results[`${name}=`] = await run(scenario, name, options, { bytes: bytes - 4 });
		}
	}
	return { id: scenario.id, round, results };
}

async function write(scenarios, runs, options) {
	if (options.json) {
		await writeFile(options.json, `${JSON.stringify(runs, null, '\t')}\n`);
	}
	if (options.markdown) {
		await writeFile(
			options.markdown,
			`${tablesOf(scenarios, runs).map(markdown).join('\n\n')}\n`,
		);
	}
}

// All rounds.
async function runAll(scenarios, options) {
	const bytesOf = new Map();
	const runs = [];
	for (let round = 0; round < options.rounds; round++) {
		for (const scenario of scenarios.filter(({ seldom }) => !seldom || hasPeers(round))) {
			say(`round ${round + 1} of ${options.rounds}: ${scenario.id}`);
			runs.push(
				scenario.variants
					? await runVariants(scenario, round, options)
					: await runServers(scenario, round, options, bytesOf),
			);
		}
		await write(scenarios, runs, options); /* what there is, should somebody interrupt */
	}
	say('');
	return runs;
}

function readOptions() {
	const { values } = parseArgs({
		options: {
			praxisd: { type: 'string' },
			build: { type: 'string' },
			rounds: { type: 'string' },
			seconds: { type: 'string' },
			scenario: { type: 'string', multiple: true, default: IDS },
			peer: { type: 'string', multiple: true },
			json: { type: 'string' },
			markdown: { type: 'string' },
			quick: { type: 'boolean', default: false },
			help: { type: 'boolean', default: false },
		},
	});
	const build = path.resolve(
		values.build ?? (values.praxisd ? path.join(path.dirname(values.praxisd), '..') : 'build'),
	);
	const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
	const seconds = Number(values.seconds ?? 0.6);
	if (!(rounds >= 1 && rounds <= 100 && seconds > 0 && seconds <= 60)) {
		throw new BenchError('--rounds is from 1 to 100, --seconds up to 60');
	}
	const peers = values.peer ?? (values.quick ? [] : PEERS);
	const unknown =
		values.scenario.find((id) => !IDS.includes(id)) ??
		peers.find((name) => ![...PEERS, 'none'].includes(name));
	if (unknown) {
		throw new BenchError(`there is no scenario or peer ${unknown}`);
	}
	return {
		...values,
		peer: peers,
		build,
		rounds,
		seconds,
		descriptors: descriptors(),
		praxisd: values.praxisd && path.resolve(values.praxisd),
		load: path.join(build, 'test', 'bench', 'bench-load'),
		floor: path.join(build, 'test', 'bench', 'bench-floor'),
	};
}

// Those that can run here; says of the others why not.
function findPeers(names) {
	return names.filter((name) => {
		const missing = SERVERS[name]?.missing();
		if (missing) {
			console.error(
				`bench: without ${SERVERS[name].title}: ${missing} (scripts/bench-peers)`,
			);
		}
		return SERVERS[name] && !missing;
	});
}

async function main() {
	const options = readOptions();
	if (options.help) {
		console.log(USAGE);
		return;
	}
	const scenarios = SCENARIOS.filter(({ id }) => options.scenario.includes(id));
	options.peers = findPeers(options.peer);
	options.config = mkdtempSync(path.join(tmpdir(), 'praxis-bench-'));
	process.on('exit', () => rmSync(options.config, { recursive: true, force: true }));
	await chmod(options.config, 0o755); /* mosquitto gives up being root */
	options.certificates = await Certificates.make();
	process.on('exit', () => rmSync(options.certificates.dir, { recursive: true, force: true }));
	await options.certificates.issue('server', { subject: '/CN=localhost' });
	const runs = await runAll(scenarios, options);
	if (options.quick) {
		console.log(`${checked(runs)} deliveries checked in ${runs.length} scenarios`);
		return;
	}
	console.log(tablesOf(scenarios, runs).map(plain).join('\n\n'));
	console.log(`\n${checked(runs)} deliveries checked`);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
	process.on(signal, () => process.exit(1));
}
try {
	await main();
} catch (error) {
	const known = error instanceof BenchError || error.code?.startsWith('ERR_PARSE_ARGS');
	console.error(known ? `bench: ${error.message}` : error);
	process.exit(1);
}
