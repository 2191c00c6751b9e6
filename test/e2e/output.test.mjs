// SPDX-License-Identifier: MIT
//
// The descriptors that the server is started with: those of them that are closed, a log that nobody
// reads or that cannot be written, and how many there may be.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, constants, openSync, readlinkSync, readSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { get, Wire } from './lib/http.mjs';
import { freePort } from './lib/ports.mjs';
import {
	BUILD,
	globalConfig,
	itEnds,
	Praxisd,
	usePraxisd,
	vhostConfig,
	writeConfig,
} from './lib/praxisd.mjs';
import { upgradeRequest } from './lib/raw.mjs';
import { until, within } from './lib/wait.mjs';

const PRAXISD = path.join(BUILD, 'server', 'praxisd');
const PRAXISCTL = path.join(BUILD, 'tools', 'praxisctl');

// A server of which the log is not to be had; stdio and redirections of the shell as given.
class Mute {
	static async start(stdio, redirections = '', global = {}) {
		const mute = new Mute();
		mute.port = await freePort();
		mute.dir = await writeConfig({
			'praxis.json': globalConfig({ 'auth-failures': 0, ...global }),
			'conf.d/00-default.json': vhostConfig({}, { port: mute.port }),
		});
		const line = `exec "$0" --config "$1" ${redirections}`;
		mute.child = spawn('sh', ['-c', line, PRAXISD, mute.dir], { stdio });
		mute.ended = new Promise((resolve) => {
			mute.child.once('exit', (code, signal) => resolve({ code, signal }));
		});
		await until('it to be ready', async () => {
			const response = await get(mute.port, '/ready').catch(() => null);
			assert.equal(mute.child.exitCode, null, 'it runs');
			return response?.status === 200;
		});
		return mute;
	}

	async stats() {
		return JSON.parse((await get(this.port, '/stats')).body);
	}

	async ends() {
		this.child.kill('SIGTERM');
		assert.deepEqual(await within(this.ended, 'its end'), { code: 0, signal: null });
	}

	async kill() {
		this.child.kill('SIGKILL');
		await rm(this.dir, { recursive: true, force: true });
	}
}

describe('started without', () => {
	let mute;
	afterEach(() => mute?.kill());

	for (const closed of [[0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]]) {
		it(`descriptors ${closed.join(', ')} it works, and ends`, async () => {
			mute = await Mute.start(
				['ignore', 'ignore', 'ignore'],
				closed.map((fd) => (fd === 0 ? '0<&-' : `${fd}>&-`)).join(' '),
			);
			for (const fd of [0, 1, 2]) {
				assert.equal(readlinkSync(`/proc/${mute.child.pid}/fd/${fd}`), '/dev/null');
			}
			const wire = await Wire.open(mute.port);
			wire.write(upgradeRequest('/ws?practiceId=1'));
			assert.equal((await wire.response()).status, 101);
			mute.child.kill('SIGHUP');
			await until('the reload', async () => (await mute.stats()).reloads === 1);
			await mute.ends();
			wire.close();
		});

		it(`descriptors ${closed.join(', ')} praxisctl works, too`, async () => {
			mute = await Mute.start(['ignore', 'ignore', 'ignore']);
			const line = closed.map((fd) => (fd === 0 ? '0<&-' : `${fd}>&-`)).join(' ');
			const child = spawn(
				'sh',
				[
					'-c',
					`exec "$0" ping --count 1 --url "$1" ${line}`,
					PRAXISCTL,
					`http://127.0.0.1:${mute.port}`,
				],
				{ stdio: 'ignore' },
			);
			const code = await new Promise((resolve) => {
				child.once('exit', resolve);
			});
			assert.equal(code, 0);
			await mute.ends();
		});
	}
});

// Lines of the log, as many as a pipe takes and more: whoever does not read them stops nobody.
async function fillLog(praxis) {
	let figures;
	for (let at = 0; at < 400; at++) {
		figures = await praxis.stats();
		if (figures.log_dropped > 20) {
			return figures;
		}
		const wires = await Promise.all(Array.from({ length: 50 }, () => Wire.open(praxis.port)));
		for (const wire of wires) {
			wire.write(upgradeRequest('/ws?practiceId=1', { Origin: 'http://elsewhere.test' }));
		}
		await Promise.all(wires.map((wire) => wire.response()));
		wires.forEach((wire) => wire.close());
		praxis.child.kill('SIGHUP');
	}
	assert.fail(`lines are dropped: ${figures.log_dropped}`);
	return null;
}

describe('whoever reads the log', () => {
	let mute;
	const open = [];
	afterEach(async () => {
		await mute?.kill();
		for (const letGo of open.splice(0)) {
			await letGo();
		}
	});

	// A FIFO that is open on this side; what is in it.
	function fifo() {
		const name = path.join(tmpdir(), `praxis-log-${process.pid}.fifo`);
		execFileSync('mkfifo', [name]);
		const fd = openSync(name, constants.O_RDWR | constants.O_NONBLOCK);
		const written = openSync(name, constants.O_WRONLY);
		open.push(
			() => closeSync(fd),
			() => closeSync(written),
			() => rm(name),
		);
		const read = () => {
			const bytes = Buffer.alloc(1 << 17);
			try {
				return bytes.toString('latin1', 0, readSync(fd, bytes));
			} catch (error) {
				assert.equal(error.code, 'EAGAIN');
				return '';
			}
		};
		return { written, read };
	}

	const GLOBAL = { 'log-level': 'debug' };

	async function findsOut(read) {
		await fillLog(mute);
		const before = await mute.stats();
		const metrics = (await get(mute.port, '/metrics')).body;
		assert.ok(
			Number(/^praxis_log_lines_dropped_total (\d+)/m.exec(metrics)[1]) >= before.log_dropped,
		);
		let text = '';
		await until('it to be told of what it has missed', async () => {
			text += await read();
			await get(mute.port, '/health');
			mute.child.kill('SIGHUP');
			return /warning: [1-9]\d* lines of the log were lost because they could not be written\n/.test(
				text,
			);
		});
		for (const line of text.split('\n').slice(0, -1)) {
			assert.match(line, /^\d{4}-\d\d-\d\dT[\d:.]+Z \w+: /, 'every line is whole');
		}
	}

	it('and stops is waited for by nobody: a pipe', async () => {
		const { written, read } = fifo();
		mute = await Mute.start(['ignore', 'ignore', written], '', GLOBAL);
		await findsOut(read);
		await fillLog(mute);
		await mute.ends();
	});

	it('and stops is waited for by nobody: a socket', async () => {
		mute = await Mute.start(['ignore', 'ignore', 'pipe'], '', GLOBAL);
		mute.child.stderr.setEncoding('latin1');
		let text = '';
		await findsOut(async () => {
			text = '';
			for (let piece; (piece = mute.child.stderr.read()) !== null;) {
				text += piece;
			}
			return text;
		});
		await mute.ends();
	});

	it('and goes is waited for by nobody', async () => {
		mute = await Mute.start(['ignore', 'ignore', 'pipe'], '', GLOBAL);
		mute.child.stderr.destroy();
		await fillLog(mute);
		await mute.ends();
	});

	it('and cannot be written to: what is lost is counted', async () => {
		mute = await Mute.start(['ignore', 'ignore', 'ignore'], '2</dev/null', GLOBAL);
		assert.ok((await fillLog(mute)).log_dropped > 0);
		await mute.ends();
	});

	it('and a full disk: what is lost is counted', async () => {
		mute = await Mute.start(['ignore', 'ignore', 'ignore'], '2>/dev/full', GLOBAL);
		assert.ok((await fillLog(mute)).log_dropped > 0);
		await mute.ends();
	});
});

// That many WebSockets at once, each answered.
async function serves(praxis, count) {
	const wires = [];
	while (wires.length < count) {
		const some = await Promise.all(Array.from({ length: 50 }, () => Wire.open(praxis.port)));
		some.forEach((wire) => wire.write(upgradeRequest('/ws?practiceId=1')));
		wires.push(...some);
		for (const wire of some) {
			assert.equal((await wire.response())?.status, 101, `connection ${wires.length}`);
		}
	}
	assert.ok((await praxis.stats()).sessions >= count);
	wires.forEach((wire) => wire.close());
}

const most = async (praxis) => Number((await praxis.logged(/at most (\d+) connections/))[1]);

describe('where the limit on descriptors may be raised', () => {
	const praxis = usePraxisd({
		limits: ['--nofile=200:2000'],
		global: { 'max-connections-per-address': 0 },
	});

	it('it is, and as many as the log says are served', async () => {
		assert.equal(await most(praxis), 1936);
		await serves(praxis, 1000);
	});

	itEnds(praxis);
});

const NO_LIMIT = {
	LD_PRELOAD: path.join(BUILD, 'test', 'plugins', 'no_descriptor_limit.so'),
	ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:verify_asan_link_order=0`,
};

describe('where there is no limit on descriptors', () => {
	const praxis = usePraxisd({
		env: NO_LIMIT,
		global: { 'max-connections-per-address': 0 },
	});

	it('the server sets one that libwebsockets can take, says so, and serves', async () => {
		assert.equal(await most(praxis), 2 ** 16 - 64);
		await serves(praxis, 2700);
	});

	itEnds(praxis);
});

describe('where there is no limit on descriptors, and many connections are asked for', () => {
	let praxis;
	afterEach(() => praxis?.kill());

	for (const [wanted, granted] of [
		[100_000, 100_000],
		[2_000_000, 2 ** 20 - 64],
	]) {
		it(`${wanted}: the log has how many there can be`, async () => {
			praxis = await new Praxisd().start({
				env: NO_LIMIT,
				global: { 'max-connections': wanted },
			});
			assert.equal(await most(praxis), granted);
			assert.equal(/warning: max-connections is/.test(praxis.log), granted < wanted);
			await praxis.stop();
		});
	}
});
