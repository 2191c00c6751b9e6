// SPDX-License-Identifier: MIT
//
// examples/notifications, as somebody builds it who has only what an installation has: headers, library
// and pkg-config file. Its README's commands test it, install it, and bring it into a running server; nobody is dropped.

import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { post } from './lib/api.mjs';
import { blocksOf } from './lib/blocks.mjs';
import { installInto } from './lib/installed.mjs';
import { enter, tokenVhost } from './lib/issuer.mjs';
import { BUILD, itEnds, PLUGINS, secret, usePraxisd } from './lib/praxisd.mjs';
import { nothingArrived } from './lib/session.mjs';
import { run } from './lib/terminal.mjs';
import { until } from './lib/wait.mjs';

const EXAMPLE = fileURLToPath(new URL('../../examples/notifications/', import.meta.url));

const service = { role: 'service', practices: [1] };
const text = () => ({ text: secret() });

describe('a service from outside', () => {
	let dir;
	before(async () => (dir = await mkdtemp(path.join(tmpdir(), 'praxis-example-'))));
	after(() => rm(dir, { recursive: true }));
	let installed;
	const praxis = usePraxisd(async () => {
		installed = await installInto(dir);
		await mkdir(installed.plugins, { recursive: true });
		return { global: { 'plugin-dir': [PLUGINS, installed.plugins] }, vhost: tokenVhost() };
	});
	let ann;

	it('goes live by a file in conf.d, and nobody is dropped', async () => {
		ann = await enter(praxis, { sub: 7 });
		await ann.refused({ type: 'notification_sent', notificationId: 1 }, 'unknown_type');
		await cp(EXAMPLE, path.join(dir, 'example'), { recursive: true });
		const { text: commands } = (await blocksOf('examples/notifications/README.md'))[0];
		const printed = await run(
			commands
				.replace('meson setup build', `$& ${installed.meson.join(' ')}`)
				.replaceAll('/etc/praxis', praxis.dir),
			{
				cwd: path.join(dir, 'example'),
				env: {
					...installed.env,
					PATH: `${path.join(BUILD, 'server')}:${path.join(BUILD, 'tools')}:${process.env.PATH}`,
				},
				prelude: `set -e; systemctl() { [ "$*" = 'reload praxisd' ] && kill -HUP ${praxis.pid}; }`,
			},
		);
		assert.match(printed, /^1\/1 notifications +OK/m);
		assert.match(printed, /^The file is valid\.$/m);
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
