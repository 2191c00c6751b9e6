// SPDX-License-Identifier: MIT
//
// The Debian packages on a machine of their own: installed, started by systemd under the unit's
// protection, used, reloaded, upgraded with connected clients, removed and purged.
//
// Environment: PRAXIS_PACKAGES, the folder with the .deb files; PRAXIS_ROOT, a Debian root that has
// what they depend on. `scripts/package --test` makes both, and runs this as root in a network of
// its own.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
	copyFileSync,
	existsSync,
	readdirSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { RawClient } from '../e2e/lib/raw.mjs';
import { openV1, resume } from '../e2e/lib/resuming.mjs';
import { until } from '../e2e/lib/wait.mjs';

const ROOT = process.env.PRAXIS_ROOT;
const PACKAGES = process.env.PRAXIS_PACKAGES;
const BOOT = fileURLToPath(new URL('boot', import.meta.url));
const PORT = 9002;
const SLOW_MS = 120_000;

const inRoot = (file) => path.join(ROOT, file);

// What runs as `pid`; null where it is over, as the first child of a machine that starts may be.
function commandOf(pid) {
	try {
		return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
	} catch {
		return null;
	}
}

describe('the Debian packages', () => {
	let machine;
	let log = '';
	let pid;

	// A command on the machine: { status, stdout, stderr }.
	function run(...command) {
		const enter = ['-t', pid, '-m', '-u', '-i', '-p', '-C', '--'];
		return spawnSync('nsenter', [...enter, ...command], {
			encoding: 'utf8',
			timeout: SLOW_MS,
			env: {
				PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
				DEBIAN_FRONTEND: 'noninteractive',
				PRAXIS_SECRET_FILE: '/etc/praxis/secret',
			},
		});
	}

	function fine(...command) {
		const { status, stdout, stderr } = run(...command);
		assert.equal(status, 0, `${command.join(' ')}: ${stdout}${stderr}`);
		return stdout;
	}

	// The first process of the machine, as this one sees it: the child of unshare(1).
	async function findInit() {
		await until(
			'systemd',
			() => {
				assert.equal(machine.exitCode, null, log);
				const { stdout } = spawnSync('pgrep', ['-P', `${machine.pid}`], {
					encoding: 'utf8',
				});
				pid = stdout.trim();
				return commandOf(pid) === 'systemd';
			},
			SLOW_MS,
		);
		const isUp = () => /running|degraded/.test(run('systemctl', 'is-system-running').stdout);
		await until('a booted machine', isUp, SLOW_MS);
	}

	const show = (property) =>
		fine('systemctl', 'show', '--value', '-p', property, 'praxisd').trim();

	// A client of the packaged server, as RawClient's helpers want one.
	const praxis = { open: (where, options) => RawClient.open(PORT, where, {}, options) };

	const member = (user) => {
		const about = ['--user', user, '--role', 'staff', '--practice', '1'];
		const token = fine('praxisctl', 'token', ...about).trim();
		return openV1(praxis, '', { headers: { Authorization: `Bearer ${token}` } });
	};

	before(async () => {
		assert.ok(existsSync(inRoot('lib/systemd/systemd')), `${ROOT} has no systemd`);
		for (const file of readdirSync(PACKAGES).filter((name) => name.endsWith('.deb'))) {
			copyFileSync(path.join(PACKAGES, file), inRoot(`root/${file}`));
		}
		machine = spawn(BOOT, [ROOT], { stdio: ['ignore', 'pipe', 'pipe'] });
		for (const stream of [machine.stdout, machine.stderr]) {
			stream.setEncoding('utf8').on('data', (text) => (log += text));
		}
		await findInit();
	});
	after(() => {
		machine?.kill('SIGKILL');
		rmSync(inRoot('etc/default/praxis'), { force: true });
	});

	const files = (pattern) =>
		readdirSync(inRoot('root'))
			.filter((name) => pattern.test(name) && !name.includes('dbgsym'))
			.map((name) => `/root/${name}`);

	it('are installed, and the server runs', () => {
		fine('dpkg', '-i', ...files(/^(?!libpraxis-dev).*\.deb$/));
		assert.equal(fine('systemctl', 'is-active', 'praxisd').trim(), 'active');
		assert.equal(show('StatusText'), 'serving: 0 connections, 0 sessions');
		fine('praxisctl', 'ping', '--count', '1');
		assert.match(fine('ls', '-l', '/etc/praxis/secret'), /^-rw-r----- 1 root praxis 64 /);
	});

	it('protect it', () => {
		const text = fine('systemd-analyze', 'security', '--no-pager', 'praxisd');
		const [, exposure] = /exposure level for praxisd.service: ([\d.]+)/.exec(text);
		assert.ok(Number(exposure) <= 2, exposure);
		fine('systemd-analyze', 'verify', '--man=no', 'praxisd.service');
	});

	it('write a log with priorities', () => {
		const lines = fine('journalctl', '-u', 'praxisd', '-p', 'notice', '-o', 'json');
		const said = lines
			.trim()
			.split('\n')
			.map((line) => JSON.parse(line));
		const listening = said.find(({ MESSAGE }) => /listening on 127/.test(MESSAGE));
		assert.equal(listening.PRIORITY, '5');
	});

	it('reload it, and refuse a configuration that is wrong', async () => {
		const client = await member('7');
		writeFileSync(
			inRoot('etc/praxis/conf.d/60-more.json'),
			'{ "global": { "queue-bytes": 500000 } }',
		);
		fine('systemctl', 'reload', 'praxisd');
		assert.match(fine('journalctl', '-u', 'praxisd'), /reload: queue-bytes/);
		writeFileSync(inRoot('etc/praxis/conf.d/60-more.json'), '{ "global": ');
		assert.notEqual(run('systemctl', 'reload', 'praxisd').status, 0);
		rmSync(inRoot('etc/praxis/conf.d/60-more.json'));
		assert.equal(fine('systemctl', 'is-active', 'praxisd').trim(), 'active');
		client.send({ type: 'ping' });
		await client.next('pong');
		await client.close();
	});

	it('are upgraded, and who was connected goes on', async () => {
		const [ann, bob] = [await member('7'), await member('8')];
		ann.send({ type: 'whiteboard_subscribe', practiceId: 1 });
		await ann.next('whiteboard_subscribed');
		const before = show('MainPID');
		const upgrade = spawn('nsenter', [
			'-t',
			pid,
			'-m',
			'-u',
			'-i',
			'-p',
			'-C',
			'--',
			'env',
			'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
			'dpkg',
			'-i',
			...files(/^(lib)?praxis0?_/),
		]);
		const upgraded = new Promise((resolve) => upgrade.once('close', resolve));
		await ann.next('server_draining');
		await ann.closing();
		await bob.closing();
		assert.equal(await upgraded, 0);
		assert.notEqual(show('MainPID'), before);
		const again = await resume(praxis, ann);
		const bobAgain = await resume(praxis, bob);
		bobAgain.send({ type: 'whiteboard_update', practiceId: 1, data: { n: 1 } });
		assert.deepEqual((await again.next('whiteboard_update')).data, { n: 1 });
		await again.close();
		await bobAgain.close();
	});

	it('start it again where it has died', async () => {
		const before = show('MainPID');
		fine('systemctl', 'kill', '-s', 'KILL', 'praxisd');
		await until(
			'another server',
			() => show('MainPID') !== before && show('SubState') === 'running',
		);
	});

	it('leave nothing behind but evidence', () => {
		writeFileSync(inRoot('var/log/praxis/audit.jsonl'), '');
		fine('dpkg', '--purge', 'praxis', 'praxis-dashboard', 'libpraxis0');
		for (const file of [
			'etc/praxis',
			'etc/default/praxis',
			'var/lib/praxis',
			'usr/bin/praxisd',
		]) {
			assert.ok(!existsSync(inRoot(file)), file);
		}
		assert.ok(existsSync(inRoot('var/log/praxis/audit.jsonl')));
		rmSync(inRoot('var/log/praxis'), { recursive: true });
	});
});
