// SPDX-License-Identifier: MIT
//
// What a service manager is told (sd_notify(3)): that all ports listen, that a reload began and is over,
// that the end has begun and how long it may take, and signs of life while the loop runs.

import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { Manager } from './lib/manager.mjs';
import {
	globalConfig,
	Praxisd,
	runPraxisd,
	vhostConfig,
	writeConfig,
	writeFiles,
} from './lib/praxisd.mjs';
import { until } from './lib/wait.mjs';

describe('a service manager', () => {
	let manager;
	let praxis;
	async function begin({ watchdog, abstract } = {}) {
		manager = await new Manager().open({ abstract });
		const env = { NOTIFY_SOCKET: manager.address };
		if (watchdog) {
			env.WATCHDOG_USEC = String(watchdog * 1000);
		}
		praxis = await new Praxisd().start({ env });
	}
	afterEach(async () => {
		await praxis?.kill();
		await manager?.close();
		praxis = manager = undefined;
	});

	for (const abstract of [false, true]) {
		it(`is told when it can be used, by a ${abstract ? 'name' : 'path'}`, async () => {
			await begin({ abstract });
			const told = await manager.hears('READY=1');
			assert.match(told[1], /^STATUS=serving: 0 connections, 0 sessions$/);
			assert.deepEqual(manager.told, [told]);
			await praxis.stop();
			assert.ok(manager.told.every((lines) => !lines.includes('WATCHDOG=1')));
		});
	}

	it('is told that a reload begins, and that it is over, also of a wrong one', async () => {
		await begin();
		await manager.hears('READY=1');
		for (const [isWrong, outcome] of [
			[false, /configuration reloaded/],
			[true, /the configuration has errors/],
		]) {
			const since = manager.told.length;
			const at = praxis.log.length;
			if (isWrong) {
				await writeFiles(praxis.dir, { 'conf.d/99-wrong.json': '{ "vhost": ' });
			}
			praxis.signal('SIGHUP');
			const begun = await manager.hears('RELOADING=1', since);
			assert.match(begun[1], /^MONOTONIC_USEC=[1-9]\d*$/);
			await manager.hears('READY=1', since + 1);
			await praxis.logged(outcome, at);
			assert.equal(manager.told.length, since + 2);
		}
		await praxis.stop();
	});

	it('is told that the end has begun, and how long it may take', async () => {
		await begin();
		await manager.hears('READY=1');
		await praxis.stop();
		const told = await manager.hears('STOPPING=1');
		const [, us] = /^EXTEND_TIMEOUT_USEC=(\d+)$/.exec(told[2]);
		assert.ok(us >= 5_000_000 && us <= 8_000_000, us);
	});

	it('sees signs of life, with what the server is at', async () => {
		await begin({ watchdog: 200 });
		const client = await praxis.connect();
		const since = manager.told.length;
		const told = await manager.hears('STATUS=serving: 1 connections, 1 sessions', since);
		assert.equal(told[0], 'WATCHDOG=1');
		await until('two more', () => manager.told.length > since + 2);
		await client.close();
		await praxis.stop();
	});

	it('that is gone keeps nobody from starting, and is a line in the log', async () => {
		praxis = await new Praxisd().start({ env: { NOTIFY_SOCKET: '/nowhere/notify' } });
		await praxis.logged(/NOTIFY_SOCKET: cannot notify the service manager: No such/);
		await praxis.stop();
	});

	it('is told nothing of a check', async () => {
		manager = await new Manager().open();
		const dir = await writeConfig({
			'praxis.json': globalConfig(),
			'conf.d/00-default.json': vhostConfig(),
		});
		const { code } = await runPraxisd(['--config', dir, '--check-config'], {
			NOTIFY_SOCKET: manager.address,
		});
		assert.equal(code, 0);
		assert.deepEqual(manager.told, []);
	});
});
