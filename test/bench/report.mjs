// SPDX-License-Identifier: MIT
//
// From what the rounds measured to tables: medians, and medians of the rounds' ratios. Pure, so that
// test/e2e/bench.test.mjs can say what must come out.
//
// A run is { id, round, results } or { id, round, variants }. The keys of `results` are servers;
// with "=" behind it, a server that carried as many bytes as Praxis.

import { SERVERS } from './servers.mjs';

const PEERS = ['nchan', 'mosquitto', 'node'];
const NONE = '–';

export function median(values) {
	const sorted = [...values].sort((a, b) => a - b);
	const middle = Math.floor(sorted.length / 2);
	return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// The median of what those runs have of it; undefined: none has.
export function medianOf(runs, figure) {
	const values = runs.map(figure).filter((value) => value !== undefined);
	return values.length > 0 ? median(values) : undefined;
}

// The median of the ratios of the rounds that have both.
export function ratioOf(runs, name, base, figure) {
	return medianOf(runs, ({ results }) =>
		results[name] && results[base] ? figure(results[name]) / figure(results[base]) : undefined,
	);
}

export function format(value, digits = 2) {
	return value === undefined ? NONE : value.toFixed(digits);
}

// The name of a server's result with as many bytes as Praxis: Praxis and Node carry them anyhow.
export function sameBytes(name) {
	return name === 'praxis' || name === 'node' ? name : `${name}=`;
}

const ratios = (runs, figure, base, as = (name) => name) =>
	['praxis', ...PEERS].map((name) => format(ratioOf(runs, as(name), base, figure)));

// CPU of a delivery as a ratio to the floor: with the floor's own bytes, and with Praxis'.
export function deliveryTable(scenarios, runsOf) {
	const names = ['Praxis', ...PEERS.map((name) => SERVERS[name].title)];
	const head = [
		'workload',
		'floor µs',
		...names,
		'aim',
		'floor= µs',
		...names.map((n) => `${n} =`),
	];
	const rows = scenarios.map((scenario) => {
		const { title, aim, figure } = scenario;
		const runs = runsOf(scenario);
		const floor = (name) =>
			format(medianOf(runs, ({ results }) => results[name] && figure(results[name])));
		return [
			title,
			floor('floor'),
			...ratios(runs, figure, 'floor'),
			aim ? `≤ ${aim.toFixed(2)}` : NONE,
			floor('floor='),
			...ratios(runs, figure, 'floor=', sameBytes),
		];
	});
	return [head, ...rows];
}

// What a delivery takes, in ms: p50, p99 and p99.9, for each server.
export function latencyTable(scenarios, runsOf) {
	const names = ['floor', 'praxis', ...PEERS];
	const of = (runs, name) =>
		['latency_p50_us', 'latency_p99_us', 'latency_p999_us']
			.map((key) => {
				const us = medianOf(runs, ({ results }) => results[name]?.[key]);
				return us === undefined ? undefined : (us / 1000).toFixed(us < 10_000 ? 2 : 0);
			})
			.join(' / ');
	const rows = scenarios.map((scenario) => [
		scenario.title,
		...names
			.map((name) => of(runsOf(scenario), name))
			.map((cell) => cell.replace(/^ \/.*/, NONE)),
	]);
	return [['delivery in ms: p50 / p99 / p99.9', ...names.map((n) => SERVERS[n].title)], ...rows];
}

// What a server holds for an idle connection, and the round trip of a pair beside them.
export function idleTable(runs, aim) {
	const names = ['floor', 'praxis', ...PEERS];
	const row = (title, digits, figure) => [
		title,
		...names.map((name) =>
			format(
				medianOf(runs, ({ results }) => results[name] && figure(results[name])),
				digits,
			),
		),
	];
	return [
		['10,000 idle connections', ...names.map((name) => SERVERS[name].title)],
		row(`bytes of each (aim: ≤ ${aim})`, 0, (result) =>
			Math.max(result.rss_bytes_per_connection, result.pss_bytes_per_connection),
		),
		row('round trip of a pair, µs', 0, ({ among }) => among.round_trip_p50_us),
		row(
			'… relative to the pair alone',
			2,
			({ among, alone }) => among.round_trip_p50_us / alone.round_trip_p50_us,
		),
	];
}

// A line for each variant, with ratios to the first one that the same server ran.
export function variantTable({ title, variants, columns }, runs) {
	const names = Object.keys(columns);
	const firstOf = ({ server }) => variants.findIndex((variant) => variant.server === server);
	const lines = variants.map((variant, at) => [
		variant.title,
		...names.flatMap((name) => {
			const figure = columns[name];
			const base = firstOf(variant);
			const own = medianOf(runs, (run) => run.variants[at] && figure(run.variants[at]));
			const ratio = medianOf(runs, (run) =>
				run.variants[at] && run.variants[base]
					? figure(run.variants[at]) / figure(run.variants[base])
					: undefined,
			);
			return [format(own, 2), at === base ? NONE : format(ratio)];
		}),
	]);
	return [[title, ...names.flatMap((name) => [name, 'ratio'])], ...lines];
}

// The cost of a delivery before and after the others came.
export function flatTable({ title, variants }, runs) {
	const cpu = (part) => (run) => run && run[part].cpu_ns_per_delivery / 1000;
	const rows = variants.map((variant, at) => [
		variant.title,
		format(medianOf(runs, (run) => cpu('alone')(run.variants[at]))),
		format(medianOf(runs, (run) => cpu('among')(run.variants[at]))),
		format(
			medianOf(
				runs,
				({ variants: all }) => all[at] && cpu('among')(all[at]) / cpu('alone')(all[at]),
			),
		),
	]);
	return [[title, 'µs before', 'µs after', 'ratio'], ...rows];
}

export function checked(runs) {
	const results = runs.flatMap((run) => run.variants ?? Object.values(run.results));
	return results.reduce((sum, result) => sum + (result?.deliveries ?? 0), 0);
}

// For a terminal: columns of one width.
export function plain(table) {
	const widths = table[0].map((_, column) =>
		Math.max(...table.map((cells) => cells[column].length)),
	);
	return table
		.map((cells) =>
			cells
				.map((cell, at) => (at === 0 ? cell.padEnd(widths[at]) : cell.padStart(widths[at])))
				.join('  '),
		)
		.join('\n');
}

export function markdown(table) {
	const line = (cells) => `| ${cells.join(' | ')} |`;
	const [head, ...rows] = table;
	return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

// All tables of those scenarios, in their order.
export function tablesOf(scenarios, runs) {
	const runsOf = ({ id }) => runs.filter((run) => run.id === id);
	const deliveries = scenarios.filter(({ kind }) => kind === 'delivery');
	const rest = scenarios.filter(({ kind }) => kind !== 'delivery');
	return [
		...(deliveries.length > 0
			? [deliveryTable(deliveries, runsOf), latencyTable(deliveries, runsOf)]
			: []),
		...rest.map((scenario) => {
			if (scenario.kind === 'idle') {
				return idleTable(runsOf(scenario), scenario.aim);
			}
			return scenario.kind === 'flat'
				? flatTable(scenario, runsOf(scenario))
				: variantTable(scenario, runsOf(scenario));
		}),
	];
}
