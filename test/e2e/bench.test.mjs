// SPDX-License-Identifier: MIT
//
// What the benchmark makes of its figures: medians, ratios within a round, tables. No servers.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
	checked,
	deliveryTable,
	flatTable,
	idleTable,
	latencyTable,
	markdown,
	median,
	plain,
	ratioOf,
	tablesOf,
	variantTable,
} from '../bench/report.mjs';
import { SCENARIOS } from '../bench/scenarios.mjs';

const cpu = (result) => result.cpu_ns_per_delivery / 1000;
const result = (us, more = {}) => ({ cpu_ns_per_delivery: us * 1000, deliveries: 10, ...more });
const scenario = { id: 'rooms', title: 'rooms', figure: cpu, aim: 1.6, kind: 'delivery' };
const rounds = [
	{ id: 'rooms', round: 0, results: { praxis: result(3), floor: result(2), nchan: result(20) } },
	{ id: 'rooms', round: 1, results: { praxis: result(8), floor: result(4) } },
	{ id: 'rooms', round: 2, results: { praxis: result(9), floor: result(9), nchan: result(45) } },
];

describe("the benchmark's report", () => {
	it('takes medians', () => {
		assert.equal(median([3, 1, 2]), 2);
		assert.equal(median([4, 1, 3, 2]), 2.5);
	});

	it('compares within a round, and only where both ran', () => {
		assert.equal(ratioOf(rounds, 'praxis', 'floor', cpu), 1.5);
		assert.equal(ratioOf(rounds, 'nchan', 'floor', cpu), 7.5);
		assert.equal(ratioOf(rounds, 'node', 'floor', cpu), undefined);
	});

	it('has a column for each server, and a second one for as many bytes', () => {
		const runs = structuredClone(rounds);
		runs[0].results['floor='] = result(1);
		runs[0].results['nchan='] = result(7);
		const [head, row] = deliveryTable([scenario], () => runs);
		assert.equal(head.length, row.length);
		const of = (name) => row[head.indexOf(name)];
		assert.equal(of('floor µs'), '4.00');
		assert.equal(of('Praxis'), '1.50');
		assert.equal(of('aim'), '≤ 1.60');
		assert.equal(of('Praxis ='), '3.00');
		assert.equal(of('nchan ='), '7.00');
		assert.equal(of('Node, ws ='), '–');
	});

	it('has latencies of those that ran', () => {
		const times = { latency_p50_us: 500, latency_p99_us: 1500, latency_p999_us: 20_000 };
		const runs = [{ results: { praxis: result(1, times), floor: result(1, times) } }];
		const [head, row] = latencyTable([scenario], () => runs);
		assert.equal(row[head.indexOf('Praxis')], '0.50 / 1.50 / 20');
		assert.equal(row[head.indexOf('nchan')], '–');
	});

	it('takes the larger of two measures of memory', () => {
		const pair = { round_trip_p50_us: 10 };
		const praxis = {
			rss_bytes_per_connection: 2000,
			pss_bytes_per_connection: 2100,
			alone: pair,
			among: { round_trip_p50_us: 12 },
		};
		const [, bytes, trip, ratio] = idleTable([{ results: { praxis } }], 2300);
		assert.deepEqual([bytes[2], trip[2], ratio[2]], ['2100', '12', '1.20']);
	});

	it('relates a variant to the first of its server', () => {
		const table = variantTable(
			{
				title: 'TLS',
				variants: [{ title: 'a' }, { title: 'b' }, { title: 'c', server: 'nchan' }],
				columns: { us: cpu },
			},
			[{ variants: [result(2), result(3), result(7)] }, { variants: [result(2), result(5)] }],
		);
		assert.deepEqual(table, [
			['TLS', 'us', 'ratio'],
			['a', '2.00', '–'],
			['b', '4.00', '2.00'],
			['c', '7.00', '–'],
		]);
	});

	it('says what a delivery costs before and after', () => {
		const run = { alone: result(2), among: result(3) };
		const table = flatTable({ title: 'flat', variants: [{ title: 'a' }] }, [
			{ variants: [run] },
		]);
		assert.deepEqual(table[1], ['a', '2.00', '3.00', '1.50']);
	});

	it('counts what was checked, and makes tables for people and for documents', () => {
		assert.equal(checked(rounds), 80);
		const tables = tablesOf([scenario], rounds);
		assert.equal(tables.length, 2);
		assert.match(markdown(tables[0]), /^\| workload \|.*\n\|---\|.*\n\| rooms \| 4.00 \|/);
		const widths = plain(tables[0])
			.split('\n')
			.map((line) => line.length);
		assert.equal(new Set(widths).size, 1);
	});

	it('knows a short run and a title for each scenario', () => {
		assert.equal(new Set(SCENARIOS.map(({ id }) => id)).size, SCENARIOS.length);
		for (const { title, quick } of SCENARIOS) {
			assert.ok(title && quick.includes('--messages'), title);
		}
	});
});
