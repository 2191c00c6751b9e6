// SPDX-License-Identifier: MIT
//
// examples/notifications, as somebody builds it who has only what an installation has: headers, library
// and pkg-config file. It comes into a running server by a file in conf.d, and nobody is dropped.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { post } from './lib/api.mjs';
import { enter, tokenVhost } from './lib/issuer.mjs';
import { BUILD, itEnds, PLUGINS, secret, usePraxisd } from './lib/praxisd.mjs';
import { nothingArrived } from './lib/session.mjs';
import { until } from './lib/wait.mjs';

const EXAMPLE = fileURLToPath(new URL('../../examples/notifications/', import.meta.url));

// An installation in a folder of its own, and the service built against it: the folder of the plugin.
async function buildExample(dir) {
	execFileSync('meson', ['install', '-C', BUILD, '--no-rebuild', '--quiet', '--destdir', dir]);
	const [found] = execFileSync('find', [dir, '-name', 'praxis.pc'], { encoding: 'utf8' }).split(
		'\n',
	);
	const text = await readFile(found, 'utf8');
	await writeFile(
		found,
		text.replace(/^prefix=(.*)$/m, (_, prefix) => `prefix=${dir}${prefix}`),
	);
	const env = { ...process.env, PKG_CONFIG_PATH: path.dirname(found) };
	const flags = execFileSync('pkg-config', ['--cflags', '--libs', 'praxis'], {
		encoding: 'utf8',
		env,
	});
	const plugins = path.join(dir, 'services');
	await mkdir(plugins);
	execFileSync('cc', [
		...['-std=c11', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', '-fvisibility=hidden'],
		...['-o', path.join(plugins, 'praxis_svc_notifications.so')],
		path.join(EXAMPLE, 'notifications.c'),
		...flags.trim().split(/\s+/),
	]);
	return plugins;
}

const service = { role: 'service', practices: [1] };
const text = () => ({ text: secret() });

describe('a service from outside', () => {
	let dir;
	before(async () => (dir = await mkdtemp(path.join(tmpdir(), 'praxis-example-'))));
	after(() => rm(dir, { recursive: true }));
	const praxis = usePraxisd(async () => ({
		global: { 'plugin-dir': [PLUGINS, await buildExample(dir)] },
		vhost: tokenVhost(),
	}));
	let ann;

	it('goes live by a file in conf.d, and nobody is dropped', async () => {
		ann = await enter(praxis, { sub: 7 });
		await ann.refused({ type: 'notification_sent', notificationId: 1 }, 'unknown_type');
		await copyFile(
			path.join(EXAMPLE, 'conf.d/50-notifications.json'),
			path.join(praxis.dir, 'conf.d/50-notifications.json'),
		);
		praxis.signal('SIGHUP');
		await until('the service', async () => {
			return (await praxis.stats()).services.notifications?.enabled;
		});
		const bob = await enter(praxis);
		assert.ok(bob.hello.services.includes('notifications'));
		const said = text();
		ann.send({ type: 'notification_sent', id: 1, notificationId: 1, practiceId: 1, ...said });
		assert.equal((await ann.next('ack')).seq, 1);
		const got = await bob.next('notification_sent');
		assert.equal(got.text, said.text);
		assert.equal(got.seq, 1);
		assert.equal(got.userId, 7);
	});

	it('tells what was missed, and what the back end says', async () => {
		const ann = await enter(praxis, { sub: 7 });
		const far = await enter(praxis, { practices: [2] });
		ann.send({ type: 'notification_subscribe' });
		const { epoch, seq, recovered } = await ann.next('notification_subscribed');
		assert.equal(recovered, false);
		const said = text();
		const message = { type: 'notification_sent', practiceId: 1, notificationId: 2, ...said };
		const answer = await post(praxis, service, 'publish', message);
		assert.equal(answer.seq, seq + 1);
		assert.equal((await ann.next('notification_sent')).text, said.text);

		const late = await enter(praxis, { sub: 8 });
		late.send({ type: 'notification_subscribe', since: { epoch, seq } });
		assert.equal((await late.next('notification_subscribed')).recovered, true);
		assert.equal((await late.next('notification_sent')).text, said.text);
		await nothingArrived([far]);
	});

	it('tells the other sessions of the same user what was read', async () => {
		const [one, two] = [await enter(praxis, { sub: 7 }), await enter(praxis, { sub: 7 })];
		const bob = await enter(praxis, { sub: 8 });
		one.send({ type: 'notification_read', id: 2, notificationId: 2 });
		await one.next('ack');
		assert.equal((await two.next('notification_read')).notificationId, 2);
		await nothingArrived([bob], [one]);
	});

	it('does not concern patients', async () => {
		const patient = await enter(praxis, { role: 'patient' });
		await patient.refused({ type: 'notification_read', notificationId: 1 }, 'forbidden');
		const staff = await enter(praxis);
		staff.send({ type: 'notification_sent', notificationId: 3 });
		await nothingArrived([patient], [staff]);
	});

	itEnds(praxis);
});
