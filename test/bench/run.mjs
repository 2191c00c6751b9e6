#!/usr/bin/env node
// SPDX-License-Identifier: MIT
//
// The benchmark: Praxis against the floor (floor.c), in the same scenarios under the same load.
//
//   test/bench/run.mjs --praxisd build/server/praxisd
//
// What it prints are ratios: the machine is noisy, and its speed is nobody's merit. In each round
// both servers run each scenario one right after the other, in turn the one or the other first,
// each in a fresh process on CPU 0, with the load on CPU 1; the ratio is the median of the rounds'
// ratios. Taking the best run of each was rejected: it compares two moments of the machine.
//
// Scenarios with `variants` are for Praxis alone: the same load with and without tokens, and the
// ratio is to the first variant, in the same round.
//
// Figures never make it fail; a delivery that is missing, doubled, out of order or in the wrong
// room does (exit code 1), and so does a server that ends badly. --quick is the short version that
// checks deliveries and whose figures mean nothing.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { freePort } from '../e2e/lib/ports.mjs';
import { writeTokens } from './tokens.mjs';

const HOST = '127.0.0.1';
const START_MS = 10_000;
const STOP_MS = 10_000;
const IDLE_BYTES_TARGET = 2560;
const TURN_MS_TARGET = 5;

// `target`: what the ratio should not exceed. `quick`: the arguments that make a run a short one.
const SCENARIOS = [
	{
		id: 'fanout1',
		title: 'room of 100, one at a time',
		target: 1.25,
		args: ['fanout'],
		quick: ['--messages', '200'],
	},
	{
		id: 'fanout16',
		title: 'room of 100, 16 in flight',
		target: 1.6,
		args: ['fanout', '--in-flight', '16'],
		quick: ['--messages', '2000'],
	},
	{
		id: 'rooms',
		title: '100 rooms of 10, 16 in flight each',
		target: 1.6,
		args: ['rooms'],
		quick: ['--messages', '20000'],
	},
	{
		id: 'pairs',
		title: '500 rooms of two, ping-pong',
		target: 2.5,
		args: ['pairs'],
		quick: ['--messages', '5000'],
	},
	{
		id: 'idle',
		title: 'a pair among 10,000 idle',
		target: 1.3,
		args: ['idle'],
		quick: ['--messages', '500', '--idle', '500'],
	},
	{
		id: 'practice',
		title: 'practice of 5,000, 16 in flight',
		args: ['practice', '--in-flight', '16'],
		quick: ['--messages', '200', '--members', '500'],
	},
	{
		id: 'handshakes',
		title: 'a client comes, is greeted and goes',
		args: ['handshakes'],
		quick: ['--messages', '300'],
		variants: [
			{ title: 'without a token' },
			{ title: 'HS256', alg: 'HS256' },
			{ title: 'ES256', alg: 'ES256' },
		],
		columns: {
			'clients a second': (result) => result.per_second,
			'CPU µs each': (result) => result.cpu_us_per_handshake,
		},
	},
	{
		id: 'visitors',
		title: 'room of 100, while 200 clients a second connect',
		args: ['fanout'],
		quick: ['--messages', '100', '--members', '20'],
		variants: [
			{ title: 'nobody connects' },
			{ title: 'without a token', args: ['--visitors', '200'] },
			{ title: 'HS256', alg: 'HS256', args: ['--visitors', '200'] },
			{ title: 'ES256', alg: 'ES256', args: ['--visitors', '200'] },
		],
		columns: {
			'delivery p50 µs': (result) => result.latency_p50_us,
			'delivery p99 µs': (result) => result.latency_p99_us,
		},
	},
];

const USAGE = `usage: run.mjs [--praxisd FILE] [options]
  --praxisd FILE    the server; without it the floor alone is measured
  --build DIR       the build directory (default: that of --praxisd, else build)
  --rounds N        default 5
  --seconds S       of each measured window, default 2
  --scenario ID     ${SCENARIOS.map(({ id }) => id).join(', ')}; may be repeated, default all
  --json FILE       writes what every single run said
  --quick           one short round: do all messages arrive?`;

class BenchError extends Error {}

// Everything that praxisd is configured with, in one place.
async function writePraxisConfig(dir, port, options, alg) {
	const global = {
		'plugin-dir': pluginDirs(options.build),
		'log-level': 'warning',
		// What is measured is what the server can, not what a client may.
		'max-connections-per-address': 0,
		'connections-per-second-per-address': 0,
		'messages-per-second': 0,
		'bytes-per-second': 0,
		'max-connections-per-user': 0,
	};
	const vhost = {
		name: 'default',
		port,
		interface: HOST,
		'ws-protocols': [
			{ telemedicine: { status: 'ok', 'room-members': '1000' } },
			{ whiteboard: { status: 'ok' } },
		],
		...(alg && { tokens: writeTokens(dir, alg) }),
	};
	await mkdir(path.join(dir, 'conf.d'), { recursive: true });
	await writeFile(path.join(dir, 'praxis.json'), JSON.stringify({ global }));
	await writeFile(path.join(dir, 'conf.d', 'bench.json'), JSON.stringify({ vhosts: [vhost] }));
}

// A plugin is in the plugins' directory or in one of its own below.
function pluginDirs(build) {
	const top = path.join(build, 'plugins');
	if (!existsSync(top)) {
		throw new BenchError(`${top} does not exist: is --build right?`);
	}
	const below = readdirSync(top, { withFileTypes: true })
		.filter(
			(entry) => entry.isDirectory() && ['telemedicine', 'whiteboard'].includes(entry.name),
		)
		.map((entry) => path.join(top, entry.name));
	return [top, ...below].filter((dir) => readdirSync(dir).some((name) => name.endsWith('.so')));
}

const children = new Set();

// Starts a program on one CPU where the machine has two; it is killed with us whatever happens.
function start(cpu, file, args, stdio) {
	const pin = availableParallelism() > 1 ? ['taskset', '-c', String(cpu)] : [];
	const [command, ...rest] = [...pin, file, ...args];
	const child = spawn(command, rest, { stdio });
	children.add(child);
	child.ended = new Promise((resolve) => {
		child.once('error', (error) => resolve({ error }));
		child.once('close', (code, signal) => resolve({ code, signal }));
	}).then((how) => {
		children.delete(child);
		child.how = how;
		return how;
	});
	return child;
}

function describe({ error, code, signal }) {
	return error ? `could not be started: ${error.message}` : `ended with ${signal ?? code}`;
}

function pause(ms) {
	return new Promise((resolve) => {
		setTimeout(resolve, ms);
	});
}

function answers(port) {
	return new Promise((resolve) => {
		const socket = connect(port, HOST);
		socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
		socket.once('connect', () => socket.destroy());
	});
}

// A server that accepts connections.
async function startServer(name, options, alg) {
	const port = await freePort();
	let child;
	if (name === 'praxis') {
		await writePraxisConfig(options.config, port, options, alg);
		child = start(0, options.praxisd, ['--config', options.config], ['ignore', 2, 2]);
	} else {
		child = start(0, options.floor, [String(port)], ['ignore', 'ignore', 2]);
	}
	for (const end = Date.now() + START_MS; !(await answers(port));) {
		if (child.how) {
			throw new BenchError(`${name} ${describe(child.how)}`);
		}
		if (Date.now() > end) {
			throw new BenchError(`${name} does not listen on port ${port}`);
		}
		await pause(20);
	}
	return { port, pid: child.pid, stop: () => stopChild(name, child) };
}

// Ends a server with SIGTERM. The floor dies of it; Praxis must end with 0, which is also how a
// sanitizer's complaint is noticed.
async function stopChild(name, child) {
	child.kill('SIGTERM');
	let killed = false;
	const timer = setTimeout(() => {
		killed = true;
		child.kill('SIGKILL');
	}, STOP_MS);
	await child.ended;
	clearTimeout(timer);
	if (killed) {
		console.error(`${name} did not end within ${STOP_MS / 1000} s and was killed`);
	} else if (name === 'praxis' ? child.how.code !== 0 : child.how.signal !== 'SIGTERM') {
		throw new BenchError(`${name} ${describe(child.how)}`);
	}
}

// One scenario against one fresh server: what bench-load said of it.
async function runOnce(scenario, name, options, { alg, args = [] } = {}) {
	const server = await startServer(name, options, alg);
	try {
		const load = start(
			1,
			options.load,
			[
				'--server',
				name,
				'--port',
				String(server.port),
				'--pid',
				String(server.pid),
				'--scenario',
				...scenario.args,
				...args,
				...(alg ? ['--tokens', path.join(options.config, 'tokens.txt')] : []),
				...(options.quick
					? ['--warmup', '0', ...scenario.quick]
					: ['--seconds', String(options.seconds)]),
			],
			['pipe', 'pipe', 2],
		);
		let output = '';
		let turns;
		load.stdin.on('error', () => {});
		load.stdout.setEncoding('utf8').on('data', async (text) => {
			output += text;
			if (output.endsWith('\n')) {
				turns = name === 'praxis' ? (await stats(server.port)).turns : undefined;
				load.stdin.end();
			}
		});
		const how = await load.ended;
		if (how.code !== 0) {
			throw new BenchError(`${name}, ${scenario.title}: bench-load ${describe(how)}`);
		}
		return { ...JSON.parse(output), turns };
	} finally {
		await server.stop();
	}
}

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

// Each variant of a scenario once, in turn from another one on.
async function runVariants(run, scenario, options) {
	const { variants } = scenario;
	run.variants = [];
	for (let at = 0; options.praxisd && at < variants.length; at++) {
		const index = (run.round + at) % variants.length;
		run.variants[index] = await runOnce(scenario, 'praxis', options, variants[index]);
	}
}

// All rounds: a list of { scenario id, round, server name → result }.
async function runAll(scenarios, options) {
	const names = options.praxisd ? ['floor', 'praxis'] : ['floor'];
	const runs = [];
	for (let round = 0; round < options.rounds; round++) {
		for (const scenario of scenarios) {
			const run = { id: scenario.id, round };
			if (scenario.variants) {
				await runVariants(run, scenario, options);
			} else {
				for (const name of round % 2 ? [...names].reverse() : names) {
					run[name] = await runOnce(scenario, name, options);
				}
			}
			runs.push(run);
			say(`round ${round + 1} of ${options.rounds}: ${scenario.id}`);
		}
	}
	say('');
	return runs;
}

function median(values) {
	const sorted = [...values].sort((a, b) => a - b);
	const middle = Math.floor(sorted.length / 2);
	return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// One row of the table: the medians of `figure` for each server, and of the rounds' ratios.
function row(title, runs, figure, { digits = 2, unit = '', ratio = true, target = '–' } = {}) {
	const of = (name) =>
		runs[0][name]
			? `${median(runs.map((run) => figure(run[name]))).toFixed(digits)}${unit}`
			: '–';
	const ratios =
		runs[0].praxis && ratio ? runs.map((run) => figure(run.praxis) / figure(run.floor)) : null;
	return [
		title,
		of('floor'),
		of('praxis'),
		ratios ? median(ratios).toFixed(2) : '–',
		target,
		String(checked(runs)),
	];
}

// The longest turn of the server's loop. Whoever takes the processor away from it makes it longer.
function turnRow(runs) {
	const longest = runs[0].praxis
		? median(runs.map(({ praxis }) => praxis.turns.max_us)) / 1000
		: null;
	return [
		'  its longest turn',
		'–',
		longest === null ? '–' : `${longest.toFixed(1)} ms`,
		'–',
		`≤ ${TURN_MS_TARGET} ms`,
		'',
	];
}

function checked(runs) {
	const results = runs.flatMap((run) => run.variants ?? [run.floor, run.praxis]);
	return results.reduce((sum, result) => sum + (result?.deliveries ?? 0), 0);
}

// A table of its own: a line for each variant, with its ratio to the first one.
function variantTable({ title, variants, columns }, runs) {
	const names = Object.keys(columns);
	const lines = variants.map((variant, at) => [
		`  ${variant.title}`,
		...names.flatMap((name) => {
			const figure = columns[name];
			const own = median(runs.map((run) => figure(run.variants[at])));
			const ratio = median(
				runs.map((run) => figure(run.variants[at]) / figure(run.variants[0])),
			);
			return [own.toFixed(1), at === 0 ? '–' : ratio.toFixed(2)];
		}),
		String(checked(runs.map((run) => ({ variants: [run.variants[at]] })))),
	]);
	return [[title, ...names.flatMap((name) => [name, 'ratio']), 'checked'], ...lines];
}

function rows(scenario, runs) {
	const { title, target } = scenario;
	if (scenario.id !== 'idle') {
		return [
			row(title, runs, (result) => result.cpu_ns_per_delivery / 1000, {
				target: target ? `≤ ${target}` : '–',
			}),
			turnRow(runs),
		];
	}
	const grown = (key) => (result) => result.among[key] / result.alone[key];
	return [
		row(`${title}, CPU`, runs, (result) => result.among.cpu_ns_per_delivery / 1000),
		row('  its round trip', runs, (result) => result.among.round_trip_p50_us, { unit: ' µs' }),
		row('  its round trip, among / alone', runs, grown('round_trip_p50_us'), {
			ratio: false,
			target: `≤ ${target}`,
		}),
		row('  99th percentile, among / alone', runs, grown('round_trip_p99_us'), { ratio: false }),
		row(
			'  memory of an idle connection',
			runs,
			(result) => Math.max(result.rss_bytes_per_connection, result.pss_bytes_per_connection),
			{ digits: 0, unit: ' B', ratio: false, target: `≤ ${IDLE_BYTES_TARGET} B` },
		),
	];
}

function print(table) {
	const widths = (table[0] ?? []).map((_, column) =>
		Math.max(...table.map((cells) => cells[column].length)),
	);
	for (const cells of table) {
		console.log(
			cells
				.map((cell, column) =>
					column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]),
				)
				.join('  '),
		);
	}
}

function readOptions() {
	const all = SCENARIOS.map(({ id }) => id);
	const { values } = parseArgs({
		options: {
			praxisd: { type: 'string' },
			build: { type: 'string' },
			rounds: { type: 'string' },
			seconds: { type: 'string' },
			scenario: { type: 'string', multiple: true, default: all },
			json: { type: 'string' },
			quick: { type: 'boolean', default: false },
			help: { type: 'boolean', default: false },
		},
	});
	const build = path.resolve(
		values.build ?? (values.praxisd ? path.join(path.dirname(values.praxisd), '..') : 'build'),
	);
	const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
	const seconds = Number(values.seconds ?? 2);
	if (!(rounds >= 1 && rounds <= 100 && seconds > 0 && seconds <= 60)) {
		throw new BenchError('--rounds is from 1 to 100, --seconds up to 60');
	}
	const unknown = values.scenario.find((id) => !all.includes(id));
	if (unknown) {
		throw new BenchError(`there is no scenario ${unknown}`);
	}
	return {
		...values,
		build,
		rounds,
		seconds,
		praxisd: values.praxisd && path.resolve(values.praxisd),
		load: path.join(build, 'test', 'bench', 'bench-load'),
		floor: path.join(build, 'test', 'bench', 'bench-floor'),
	};
}

async function main() {
	const options = readOptions();
	if (options.help) {
		console.log(USAGE);
		return;
	}
	const scenarios = SCENARIOS.filter(({ id }) => options.scenario.includes(id));
	options.config = mkdtempSync(path.join(tmpdir(), 'praxis-bench-'));
	process.on('exit', () => rmSync(options.config, { recursive: true, force: true }));
	const runs = await runAll(scenarios, options);
	if (options.json) {
		await writeFile(options.json, `${JSON.stringify(runs, null, '\t')}\n`);
	}
	if (options.quick) {
		console.log(`${checked(runs)} deliveries checked in ${runs.length} scenarios`);
		return;
	}
	const of = ({ id }) => runs.filter((run) => run.id === id);
	const compared = scenarios.filter(({ variants }) => !variants);
	print(
		compared.length === 0
			? []
			: [
					[
						'scenario',
						'floor µs/delivery',
						'Praxis µs/delivery',
						'ratio',
						'target',
						'deliveries checked',
					],
					...compared.flatMap((scenario) => rows(scenario, of(scenario))),
				],
	);
	for (const scenario of scenarios.filter(({ variants }) => variants && options.praxisd)) {
		console.log();
		print(variantTable(scenario, of(scenario)));
	}
}

process.on('exit', () => {
	for (const child of children) {
		child.kill('SIGKILL');
	}
});
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
