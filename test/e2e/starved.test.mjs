// SPDX-License-Identifier: MIT
//
// A machine that has run out: of descriptors, of memory. Whoever is there goes on working, whoever
// cannot be let in is told so, and when there is room again everything is as before.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { get, request, Wire } from './lib/http.mjs';
import { itEnds, Praxisd, usePraxisd } from './lib/praxisd.mjs';
import { frame, OP, upgradeRequest } from './lib/raw.mjs';
import { until } from './lib/wait.mjs';

const update = (x) => ({ type: 'whiteboard_update', practiceId: 1, data: { x } });

async function hears(listener, speaker, x) {
	await speaker.accepted(update(x));
	const { data } = await listener.next('whiteboard_update');
	assert.deepEqual(data, { x });
}

describe('with 64 descriptors', () => {
	const praxis = usePraxisd({ limits: ['--nofile=64'] });

	it('it refuses whom it cannot serve, and serves all others', async () => {
		const listener = await praxis.connect();
		const speaker = await praxis.connect();
		const wires = [];
		let refusal = null;
		while (!refusal && wires.length < 100) {
			const wire = await Wire.open(praxis.port);
			wires.push(wire);
			wire.write(upgradeRequest('/ws?practiceId=1'));
			const response = await wire.response();
			refusal = response.status === 101 ? null : response;
		}
		assert.equal(refusal?.status, 503);
		assert.ok(Number(refusal.headers['retry-after']) > 0);
		await hears(listener, speaker, 1);

		wires.forEach((wire) => wire.close());
		await until('room for a new client', async () => {
			return (await get(praxis.port, '/ready'))?.status === 200;
		});
		const newcomer = await praxis.connect();
		await hears(newcomer, speaker, 2);
		await listener.next('whiteboard_update');
	});

	itEnds(praxis);
});

describe('where descriptors run out', () => {
	const praxis = usePraxisd();
	const descriptors = () => readdirSync(`/proc/${praxis.pid}/fd`).map(Number);
	const limit = (most) => execFileSync('prlimit', [`--pid=${praxis.pid}`, `--nofile=${most}:`]);
	const first = () =>
		Number(
			execFileSync(
				'prlimit',
				[`--pid=${praxis.pid}`, '--nofile', '--noheadings', '--raw', '--output=SOFT'],
				{ encoding: 'utf8' },
			),
		);

	it('/ready says so on a connection that is there, and everything else there', async () => {
		const most = first();
		const wires = await Promise.all([1, 2].map(() => Wire.open(praxis.port)));
		const ask = async (wire, path) => {
			wire.write(request('GET', path));
			return wire.response();
		};
		for (const wire of wires) {
			assert.equal((await ask(wire, '/ready')).status, 200);
		}
		limit(10); // fewer than there are
		for (const [wire, path] of [
			[wires[0], '/ready'],
			[wires[1], '/health'],
		]) {
			const { status, body, headers } = await ask(wire, path);
			assert.equal(status, 503);
			assert.ok(Number(headers['retry-after']) > 0);
			const { error } = JSON.parse(body);
			assert.deepEqual([error.code, error.reason], ['unavailable', 'descriptors']);
			assert.match(error.message, /no file descriptors left/);
		}
		limit(most);
		wires.forEach((wire) => wire.close());
		await until('readiness', async () => (await get(praxis.port, '/ready')).status === 200);
	});

	// Behind the last one there is one that is kept to answer with.
	it('who comes then is told, each time', async () => {
		const most = first();
		const since = praxis.log.length;
		const isFull = () => /cannot accept connections/.test(praxis.log.slice(since));
		const wires = [];
		limit(Math.max(...descriptors()) + 4);
		while (!isFull()) {
			const before = descriptors().length;
			wires.push(await Wire.open(praxis.port));
			await until('it to be taken, or not', () => isFull() || descriptors().length > before);
		}
		for (let i = 0; i < 3; i++) {
			const wire = await Wire.open(praxis.port);
			const { status, body, headers } = await wire.response();
			assert.equal(status, 503);
			assert.ok(Number(headers['retry-after']) > 0);
			assert.equal(JSON.parse(body).error.code, 'unavailable');
			wire.close();
		}
		limit(most);
		wires.forEach((wire) => wire.close());
		await until('readiness', async () => (await get(praxis.port, '/ready')).status === 200);
	});

	itEnds(praxis);
});

// A sanitizer reserves more address space than any limit would leave.
async function addressSpace() {
	const praxis = new Praxisd();
	await praxis.start();
	const status = readFileSync(`/proc/${praxis.pid}/status`, 'utf8');
	const bytes = Number(/VmSize:\s+(\d+)/.exec(status)[1]) * 1024;
	await praxis.stop();
	return bytes > 2 ** 40 ? null : bytes;
}

describe('with 16 MiB more than it needs', async () => {
	const size = await addressSpace();
	const skip = size === null && 'a build with sanitizers';
	const praxis = skip
		? null
		: usePraxisd({ limits: [`--as=${size + (16 << 20)}`], global: { 'queue-bytes': 1 << 20 } });

	it('it parts with those who need too much', { skip, timeout: 120_000 }, async () => {
		const listener = await praxis.connect();
		const speaker = await praxis.connect();
		// Each holds the better part of a message, and never sends its end.
		const half = frame(OP.text, 'x'.repeat(60_000), { announce: 65_000 });
		const hoarders = [];
		let lost = 0;
		while (lost === 0 && hoarders.length < 900) {
			const hoarder = await praxis.open('/ws?practiceId=2').catch(() => null);
			if (!hoarder) {
				break;
			}
			hoarders.push(hoarder);
			hoarder.closed.then(() => lost++);
			hoarder.write(half);
			if (hoarders.length % 50 === 0) {
				await hears(listener, speaker, hoarders.length);
			}
		}
		assert.ok(hoarders.length < 900, 'memory has run out');
		await hears(listener, speaker, 'still');
		await Promise.allSettled(hoarders.map((hoarder) => hoarder.kill()));
		await until('them to be gone', async () => (await praxis.stats()).sessions === 2);
		const newcomer = await praxis.connect();
		await hears(newcomer, speaker, 'again');
		await listener.next('whiteboard_update');
	});

	if (praxis) {
		itEnds(praxis);
	}
});
