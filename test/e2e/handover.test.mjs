// SPDX-License-Identifier: MIT
//
// Webhooks where their server changes: a reload, the end of a server and the next one, and what the
// configuration may say.

import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { get } from './lib/api.mjs';
import { bearer, claimsOf, enter, nowS, sign, token, tokenVhost } from './lib/issuer.mjs';
import {
	Praxisd,
	globalConfig,
	itEnds,
	runPraxisd,
	vhostConfig,
	writeConfig,
} from './lib/praxisd.mjs';
import { Receiver, SIGNING, webhook } from './lib/receiver.mjs';
import { openV1, resume } from './lib/resuming.mjs';
import { until } from './lib/wait.mjs';
import { ONE_VISIT, about, leaving, newPractice, stir, use, webhooks } from './lib/webhooks.mjs';

async function hup(praxis) {
	const since = praxis.log.length;
	praxis.signal('SIGHUP');
	await praxis.logged(/configuration reloaded/, since);
	return praxis.log.slice(since);
}

async function reconfigure(praxis, vhost) {
	await writeFile(
		path.join(praxis.dir, 'conf.d/00-default.json'),
		JSON.stringify(vhostConfig({}, tokenVhost({}, vhost))),
	);
	return hup(praxis);
}

describe('a reload', () => {
	const both = use();
	const { praxis, receiver } = both;
	const other = new Receiver();
	after(() => other.close());

	it('sends what waits to another URL, signed with another secret', async () => {
		const practiceId = newPractice();
		receiver.answer = () => 500;
		const ann = await enter(praxis, { practices: [practiceId] });
		await ann.join('r');
		await receiver.asked(1);
		other.secrets = ['another secret of thirty-two bytes or more'];
		const said = await reconfigure(
			praxis,
			webhook(await other.listen('/new'), {
				'webhook-secret': other.secrets[0],
				'webhook-batch': 2,
			}),
		);
		assert.match(said, /webhook-url changed/);
		assert.match(said, /key of the webhook changed/);
		assert.match(said, /webhook-batch is 2, was 100/);
		assert.ok(!said.includes(other.secrets[0]));
		await other.event('member_joined', (event) => event.practiceId === practiceId);
		await ann.close();
		await other.event('session_closed', (event) => event.practiceId === practiceId);
		assert.deepEqual(other.types(practiceId), ONE_VISIT);
		assert.deepEqual(receiver.taken, []);
	});

	it('to another tenant tells it nothing of the one before', async () => {
		const practiceId = newPractice();
		const ann = await enter(praxis, { practices: [practiceId] });
		await ann.join('r');
		await other.event('member_joined', (event) => event.practiceId === practiceId);
		const next = new Receiver();
		await reconfigure(praxis, { ...webhook(await next.listen()), tenant: 'next' });
		await ann.closing();
		await other.event('session_closed', (event) => event.practiceId === practiceId);
		const bob = await enter(praxis, { practices: [practiceId] });
		await next.event('session_opened', ({ clientId }) => clientId === bob.clientId);
		await bob.close();
		await next.event('session_closed', ({ clientId }) => clientId === bob.clientId);
		assert.deepEqual([...new Set(next.taken.map(({ tenant }) => tenant))], ['next']);
		await reconfigure(
			praxis,
			webhook(`http://127.0.0.1:${other.port}/new`, {
				'webhook-secret': other.secrets[0],
			}),
		);
		await next.close();
	});

	it('hides the secret, and what is in the query', async () => {
		await reconfigure(
			praxis,
			webhook(`http://127.0.0.1:${other.port}/new?key=hush`, {
				'webhook-secret': other.secrets[0],
			}),
		);
		const { config } = await get(praxis, { practices: ['*'] }, 'config');
		assert.equal(config.vhost['webhook-secret'], '(hidden)');
		assert.equal(config.vhost['webhook-url'], `http://127.0.0.1:${other.port}/new?(hidden)`);
		assert.equal(config.vhost['webhook-batch'], 100);
	});

	it('takes the secret from a file that changed', async () => {
		const file = path.join(praxis.dir, 'webhook-secret');
		other.secrets = ['the secret that is in the file, long enough'];
		await writeFile(file, `${other.secrets[0]}\n`);
		await reconfigure(praxis, {
			'webhook-url': `http://127.0.0.1:${other.port}/new`,
			'webhook-secret-file': file,
		});
		const ann = await enter(praxis, { practices: [newPractice()] });
		await other.event('session_opened', ({ clientId }) => clientId === ann.clientId);
		other.secrets = ['the next one that is in the file, long enough'];
		await writeFile(file, `${other.secrets[0]}\n`);
		await hup(praxis);
		const bob = await enter(praxis, { practices: [newPractice()] });
		await other.event('session_opened', ({ clientId }) => clientId === bob.clientId);
		assert.deepEqual(other.violations, []);
	});

	it('that takes a vhost away tells the end of its sessions where they began', async () => {
		const practiceId = newPractice();
		const [first] = vhostConfig(
			{},
			tokenVhost(
				{},
				webhook(`http://127.0.0.1:${other.port}/new`, {
					'webhook-secret': other.secrets[0],
				}),
			),
		).vhosts;
		const file = path.join(praxis.dir, 'conf.d/50-extra.json');
		await writeFile(file, JSON.stringify({ vhosts: [{ ...first, name: 'extra' }] }));
		const said = await hup(praxis);
		const [, port] = /vhost extra: listening on 127\.0\.0\.1:(\d+)/.exec(said);
		const headers = bearer(await token({ practices: [practiceId] }));
		const client = await openV1(praxis, '', { port: Number(port), headers });
		client.identity = { userId: 'ann', userName: 'Ann' };
		await client.join('r');
		await other.event('member_joined', (event) => event.practiceId === practiceId);
		await rm(file);
		await hup(praxis);
		await other.event('session_closed', (event) => event.practiceId === practiceId);
		assert.deepEqual(other.types(practiceId), ONE_VISIT);
		assert.equal(other.of(practiceId)[0].tenant, 'extra');
	});

	it('without a URL tells nobody any more, and counts what was left', async () => {
		other.answer = () => 500;
		const before = other.taken.length;
		const ann = await enter(praxis, { practices: [newPractice()] });
		await until('a failure', async () => (await webhooks(praxis)).refused > 0);
		await until('it waits', async () => (await webhooks(praxis)).in_flight === 0);
		const { given_up: given } = await webhooks(praxis);
		await reconfigure(praxis, {});
		other.answer = () => 204;
		const now = await webhooks(praxis);
		assert.ok(now.given_up > given);
		assert.equal(now.events, 0);
		await ann.join('r');
		// … and is told again what happens from then on.
		await reconfigure(
			praxis,
			webhook(`http://127.0.0.1:${other.port}/new`, {
				'webhook-secret': other.secrets[0],
			}),
		);
		await ann.close();
		await other.event('session_closed', ({ clientId }) => clientId === ann.clientId);
		assert.deepEqual(
			other.taken
				.slice(before)
				.filter(({ clientId }) => clientId === ann.clientId)
				.map(({ type, durationMs }) => [type, durationMs === undefined]),
			[
				['member_left', true],
				['session_closed', false],
			],
		);
	});

	itEnds(praxis);
});

describe('the end of a server', () => {
	// One server after another, with the same directory.
	function servers(global) {
		const receiver = new Receiver();
		const praxis = new Praxisd();
		after(() => Promise.all([praxis.kill(), receiver.close()]));
		return {
			receiver,
			praxis,
			async begin(hook) {
				const url = await receiver.listen();
				await praxis.start({ global, vhost: tokenVhost({}, webhook(url, hook)) });
			},
			async end() {
				praxis.signal('SIGTERM');
				await praxis.ended();
			},
		};
	}

	it('is told, where nothing is left for another', async () => {
		const { receiver, praxis, begin, end } = servers({ 'grace-ms': 60_000 });
		await begin();
		const practiceId = newPractice();
		const claims = claimsOf({ practices: [practiceId] });
		const ann = await openV1(praxis, '', { headers: bearer(await sign(claims)) });
		ann.identity = { userId: 'ann', userName: 'Ann' };
		await ann.join('r');
		await end();
		assert.deepEqual(receiver.types(practiceId), ONE_VISIT);
	});

	it('does not wait for a receiver that is not there, and says what is lost', async () => {
		const { receiver, praxis, begin, end } = servers();
		await begin();
		receiver.answer = () => 500;
		const ann = await enter(praxis, { practices: [newPractice()] });
		await ann.join('r');
		await receiver.close();
		await end(); // at its deadline at the latest
		assert.match(praxis.log, /error: webhook of vhost default: events lost: 6 /);
	});

	it('leaves to the next server what was not taken, and who is in a room', async () => {
		const { receiver, praxis, begin, end } = servers({
			'grace-ms': 60_000,
			'state-file': 'state',
		});
		await begin();
		const practiceId = newPractice();
		const claims = claimsOf({ practices: [practiceId], sub: '12345678901234567890' });
		receiver.answer = () => 500;
		const ann = await openV1(praxis, '', { headers: bearer(await sign(claims)) });
		ann.identity = { userId: 'ann', userName: 'Ann' };
		await ann.join('r');
		const bob = await enter(praxis, { practices: [practiceId] });
		await bob.join('r');
		await bob.close();
		await until('a failure', async () => (await webhooks(praxis)).refused > 0);
		await end();
		assert.doesNotMatch(praxis.log, /events lost/);
		assert.deepEqual(receiver.taken, []);
		receiver.answer = () => 204;
		const state = await readFile(path.join(praxis.dir, 'state'), 'utf8');
		assert.match(state, /"webhook":"default"/);

		await praxis.launch();
		await receiver.event('member_left', ({ clientId }) => clientId === bob.clientId);
		const again = await resume(praxis, ann, ann.arrived, {});
		again.send(leaving(ann, 'r'));
		const told = await receiver.event('room_ended', (event) => event.practiceId === practiceId);
		assert.deepEqual(
			told.participants.map(({ clientId, userId }) => [clientId, userId]),
			[
				[ann.clientId, '12345678901234567890'],
				[bob.clientId, bob.claims.sub],
			],
		);
		assert.ok(told.durationMs >= told.participants[1].durationMs);
		about(told.startedAt, receiver.of(practiceId, 'room_started')[0].at);
		assert.deepEqual(receiver.types(practiceId), [
			'session_opened',
			'room_started',
			'member_joined',
			'session_opened',
			'member_joined',
			'member_left',
			'session_closed',
			'member_left',
			'room_ended',
		]);
		await end();
		assert.equal(receiver.doubles, 0);
		assert.deepEqual(receiver.violations, []);
	});

	it('leaves at least the sessions where there is no place for all', async () => {
		const { receiver, praxis, begin, end } = servers({
			'grace-ms': 60_000,
			'state-file': 'state',
			'state-max-bytes': 65_536,
		});
		await begin();
		const practiceId = newPractice();
		receiver.answer = () => 500;
		const headers = bearer(await token({ practices: [practiceId] }));
		const ann = await openV1(praxis, '', { headers });
		await stir(praxis, practiceId, 100);
		await end();
		assert.match(praxis.log, /error: the waiting webhook events do not fit/);
		receiver.answer = () => 204;
		await praxis.launch();
		await receiver.event('session_opened', ({ clientId }) => clientId === ann.clientId);
		const again = await resume(praxis, ann);
		await again.close();
		await receiver.event('session_closed', ({ clientId }) => clientId === ann.clientId);
		await end();
	});

	it('and who does not come over has left', async () => {
		const { receiver, praxis, begin, end } = servers({
			'grace-ms': 60_000,
			'state-file': 'state',
		});
		await begin();
		const practiceId = newPractice();
		const claims = claimsOf({ practices: [practiceId], exp: nowS() + 6 });
		const ann = await openV1(praxis, '', { headers: bearer(await sign(claims)) });
		ann.identity = { userId: 'ann', userName: 'Ann' };
		await ann.join('r');
		await receiver.event('member_joined', (event) => event.practiceId === practiceId);
		await end();
		// Her token is over by the time of the next server.
		await until('its expiry', () => nowS() > claims.exp + 1);
		await praxis.launch();
		const ended = await receiver.event(
			'room_ended',
			(event) => event.practiceId === practiceId,
		);
		assert.equal(ended.participants.length, 1);
		assert.equal(receiver.of(practiceId, 'member_left').length, 1);
		await end();
	});
});

describe('the configuration', () => {
	async function check(vhost) {
		const dir = await writeConfig({
			'praxis.json': globalConfig(),
			'conf.d/00-default.json': vhostConfig({}, tokenVhost({}, vhost)),
		});
		return runPraxisd(['--config', dir, '--check-config']);
	}

	it('that is fine is silent', async () => {
		for (const url of [
			'https://app.example.org/hook',
			'http://localhost/',
			'http://127.9.0.1:81/x',
			'http://[::1]/',
		]) {
			const { code, stderr } = await check(webhook(url));
			assert.equal(code, 0);
			assert.equal(stderr, '');
		}
	});

	it('is warned of where it is dangerous', async () => {
		const plain = await check(webhook('http://app.example.org/hook?hush'));
		assert.equal(plain.code, 0);
		assert.match(plain.stderr, /warning: .*"webhook-url": http:\/\/ to another machine/);
		assert.doesNotMatch(plain.stderr, /hush/);
		const weak = await check(
			webhook('https://app.example.org/', { 'webhook-secret': 'short' }),
		);
		assert.equal(weak.code, 0);
		assert.match(weak.stderr, /warning: .*"webhook-secret": a weak secret/);
		assert.doesNotMatch(weak.stderr, /short/);
	});

	it('is refused where it makes no sense', async () => {
		for (const [vhost, sentence] of [
			[{ 'webhook-url': 'https://a/' }, /"webhook-url" without "webhook-secret"/],
			[{ 'webhook-secret': SIGNING }, /"webhook-secret" without "webhook-url"/],
			[{ 'webhook-batch': 5 }, /"webhook-batch" without "webhook-url"/],
			[webhook('ftp://a/'), /"webhook-url": expected https:\/\/ or http:\/\//],
			[webhook('https://*.a/'), /"webhook-url": expected https:\/\/ or http:\/\//],
			[webhook('https://a/', { 'webhook-max': 0 }), /"webhook-max": expected/],
			[webhook('https://a/', { 'webhook-give-up-s': 0 }), /"webhook-give-up-s": expected/],
		]) {
			const { code, stderr } = await check(vhost);
			assert.equal(code, 2, stderr);
			assert.match(stderr, sentence);
		}
	});
});
