// SPDX-License-Identifier: MIT
//
// A server whose practices are in a real Redis: what was confirmed outlives the server and Redis,
// and what cannot be kept is refused in words.

import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Certificates } from './lib/certificates.mjs';
import { get, Wire } from './lib/http.mjs';
import { globalConfig, itEnds, Praxisd, runPraxisd, secret } from './lib/praxisd.mjs';
import { vhostConfig, writeConfig, writeFiles } from './lib/praxisd.mjs';
import { freePort } from './lib/ports.mjs';
import { frame, OP, RawClient } from './lib/raw.mjs';
import { Redis } from './lib/redis.mjs';
import { until, within } from './lib/wait.mjs';

const SCALING = new URL('../../docs/scaling.md', import.meta.url);

const update = (text) => ({ type: 'whiteboard_update', practiceId: 1, data: secret(text) });

// `node-timeout`: what was killed is dead after so long.
const onBus = (redis, more = {}) => ({
	bus: redis.url,
	'bus-node-timeout-ms': 2000,
	...more,
});

async function subscribe(client, since = {}) {
	client.send({ type: 'whiteboard_subscribe', practiceId: 1, ...since });
	return client.next('whiteboard_subscribed');
}

const isReady = (praxis) =>
	until('GET /ready is 200', async () => (await get(praxis.port, '/ready'))?.status === 200);

async function refusal(praxis, sentence) {
	let body;
	await until(
		() => `GET /ready says ${sentence}, not ${body}`,
		async () => {
			const answer = await get(praxis.port, '/ready');
			body = answer?.body;
			return answer?.status === 503 && sentence.test(body);
		},
	);
	assert.equal(JSON.parse(body).error.reason, 'bus');
}

async function metric(praxis, name) {
	const { body } = await get(praxis.port, '/metrics');
	return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(body)[1]);
}

// A server on a Redis of its own, for one suite.
function useBoth(options = {}) {
	const both = { redis: new Redis(), praxis: new Praxisd() };
	before(async () => {
		await both.redis.start();
		await both.praxis.start({ global: onBus(both.redis), ...options });
		await isReady(both.praxis);
	});
	after(async () => {
		await both.praxis.kill();
		await both.redis.end();
	});
	return both;
}

// Who was there has the number of the latest update, and comes back with it.
async function comesBack(praxis, { epoch, seq }, expected) {
	const client = await praxis.connect();
	const answer = await subscribe(client, { since: { epoch, seq } });
	assert.equal(answer.recovered, true);
	const missed = (await client.fence()).filter(({ type }) => type === 'whiteboard_update');
	assert.deepEqual(
		missed.map(({ data }) => data),
		expected.map(({ data }) => data),
	);
	return client;
}

describe('a server that dies', () => {
	const { redis, praxis } = useBoth();
	let start;
	const sent = [update('one'), update('two')];

	it('has its clients talk as if it was alone', async () => {
		const [ann, bob] = [await praxis.connect(), await praxis.connect()];
		start = await subscribe(ann);
		await subscribe(bob);
		await ann.accepted(sent[0]);
		assert.equal((await bob.next('whiteboard_update')).seq, start.seq + 1);
		await ann.join('r');
		await bob.join('r');
		await ann.next('telemedicine_user_joined');
		assert.equal(await metric(praxis, 'praxis_bus_homes'), 1);
		assert.equal(await metric(praxis, 'praxis_bus_nodes'), 1);
		assert.equal(await metric(praxis, 'praxis_bus_up'), 1);
		await praxis.settle();
	});

	it('and what was confirmed is there for the next, which goes on counting', async () => {
		const ann = await praxis.connect();
		await ann.accepted(sent[1]);
		praxis.signal('SIGKILL');
		await within(praxis.exited, 'the end of praxisd');
		await praxis.launch();
		await isReady(praxis);
		const bob = await comesBack(praxis, start, sent);
		await bob.accepted(update('three'));
		const cat = await praxis.connect();
		assert.equal((await subscribe(cat)).seq, start.seq + 3);
		await until('the one before is declared dead', async () => {
			return (await metric(praxis, 'praxis_bus_buried_total')) === 1;
		});
		await praxis.settle();
	});

	it('hands over at once if it may say goodbye', async () => {
		await praxis.signal('SIGTERM');
		await praxis.ended();
		assert.equal(await redis.ask('HLEN', 'px:{c}:nodes'), '2', 'epoch and since, and no node');
		await praxis.launch();
		await isReady(praxis);
		const ann = await praxis.connect();
		assert.equal((await subscribe(ann)).seq, start.seq + 3);
		await praxis.settle();
	});

	itEnds(praxis);
});

describe('a Redis that dies', () => {
	const { redis, praxis } = useBoth();

	// Sends without a pause, and waits for each receipt, until it is told to stop.
	function talk(client) {
		const confirmed = [];
		let isOver = false;
		const done = (async () => {
			while (!isOver) {
				const message = update('talk');
				await client.accepted(message);
				confirmed.push(message.data);
			}
		})();
		return {
			confirmed,
			async stop() {
				isOver = true;
				await within(done, 'the answer to the last update');
			},
		};
	}

	it('while clients talk: they wait or are refused, and what was confirmed arrives once', async () => {
		const [ann, bob, cat] = [
			await praxis.connect(),
			await praxis.connect(),
			await praxis.connect(),
		];
		await subscribe(bob);
		const talking = talk(ann);
		await until('some were confirmed', () => talking.confirmed.length > 50);
		await redis.kill();
		await refusal(praxis, /Redis cannot be reached|connection was lost/);
		const refused = cat.next('error');
		const error = await until('one more message is refused', () => {
			cat.send(update('more'));
			return Promise.race([refused, pause(100)]);
		});
		assert.equal(error.code, 'unavailable');
		assert.equal(typeof error.retryAfterMs, 'number');
		const before = talking.confirmed.length;
		await redis.launch();
		await isReady(praxis);
		await until('more were confirmed', () => talking.confirmed.length > before + 50);
		await talking.stop();
		const heard = (await bob.fence()).filter(({ type }) => type === 'whiteboard_update');
		assert.deepEqual(
			heard.map(({ data }) => data).filter((data) => /talk/.test(data)),
			talking.confirmed,
		);
		await praxis.settle();
	});

	it('and comes back empty: the server puts back what it has', async () => {
		const ann = await praxis.connect();
		const { epoch, seq } = await subscribe(ann);
		const sent = [update('before'), update('behind')];
		await ann.accepted(sent[0]);
		await redis.ask('FLUSHALL');
		await ann.accepted(sent[1]);
		assert.equal(await metric(praxis, 'praxis_bus_rebased_total'), 1);
		praxis.signal('SIGKILL');
		await within(praxis.exited, 'the end of praxisd');
		await praxis.launch();
		await isReady(praxis);
		await comesBack(praxis, { epoch, seq }, sent);
		await praxis.settle();
	});

	itEnds(praxis);
});

describe('a server that others have declared dead', () => {
	const { redis, praxis } = useBoth();

	it('closes its sessions, and goes on as another', async () => {
		const ann = await praxis.connect();
		const { epoch, seq } = await subscribe(ann);
		const sent = update('before');
		await ann.accepted(sent);
		const nodes = (await redis.ask('HKEYS', 'px:{c}:nodes')).split('\n');
		const [node] = nodes.filter((name) => /^[0-9a-f]{16}$/.test(name));
		await redis.ask('HDEL', 'px:{c}:nodes', node);
		assert.equal((await ann.closing()).code, 1012);
		await praxis.logged(/this node was declared dead/);
		await until('it has another number', async () => {
			const names = (await redis.ask('HKEYS', 'px:{c}:nodes')).split('\n');
			return names.some((name) => /^[0-9a-f]{16}$/.test(name) && name !== node);
		});
		await isReady(praxis);
		await comesBack(praxis, { epoch, seq }, [sent]);
		await praxis.settle();
	});

	itEnds(praxis);
});

describe('a Redis with TLS and an ACL', () => {
	const redis = new Redis();
	const praxis = new Praxisd();
	let certificates;

	before(async () => {
		certificates = await Certificates.make();
		await certificates.issue('ca');
		await certificates.issue('redis', { ca: 'ca', names: 'IP:127.0.0.1' });
		await certificates.issue('other');
		const file = (name) => certificates.path(name);
		await redis.start();
		await redis.ask('CONFIG', 'SET', 'tls-ca-cert-file', file('ca.pem'));
		await redis.ask('CONFIG', 'SET', 'tls-auth-clients', 'no');
		await redis.ask('CONFIG', 'SET', 'tls-key-file', file('redis.key'));
		await redis.ask('CONFIG', 'SET', 'tls-cert-file', file('redis.pem'));
		const page = await readFile(SCALING, 'utf8');
		const [line] = /(?<=^ {4})ACL SETUSER .*(\n {4}.*)*/m.exec(page);
		await redis.ask(...line.replaceAll('\\\n', ' ').trim().split(/\s+/));
	});
	after(async () => {
		await praxis.kill();
		await redis.end();
		await certificates.remove();
	});

	it('is used by a server that knows who signs, and what the password is', async () => {
		const port = await freePort();
		await redis.ask('CONFIG', 'SET', 'tls-port', String(port));
		const global = (ca, password) => ({
			bus: `rediss://praxis@127.0.0.1:${port}`,
			'bus-password': password,
			'bus-ca': certificates.path(ca),
		});
		await praxis.start({ global: global('other.pem', 'a-long-password-of-this-test-only') });
		await refusal(praxis, /TLS: /);
		await praxis.stop();
		await praxis.start({ global: global('ca.pem', 'another-long-password-of-this-test') });
		await refusal(praxis, /does not accept the user's password/);
		await praxis.stop();
		await praxis.start({ global: global('ca.pem', 'a-long-password-of-this-test-only') });
		await isReady(praxis);
		const [ann, bob] = [await praxis.connect(), await praxis.connect()];
		await subscribe(bob);
		await ann.accepted(update('secret'));
		await bob.next('whiteboard_update');
		await praxis.settle();
		await praxis.stop();
	});
});

describe('the configuration of a bus', () => {
	async function faultOf(global) {
		const dir = await writeConfig({
			'praxis.json': globalConfig(global),
			'conf.d/00-default.json': vhostConfig(),
		});
		const { code, stderr } = await runPraxisd(['--config', dir, '--check-config']);
		await rm(dir, { recursive: true });
		return { code, stderr };
	}

	const faults = {
		'a scheme that is none': [{ bus: 'http://127.0.0.1' }, /"bus": expected redis:\/\//],
		'a password in the URL': [{ bus: 'redis://a:SECRET-x@127.0.0.1' }, /bus-password-file/],
		'a host that is none': [{ bus: 'redis://a b' }, /"bus": expected redis:\/\//],
		'a database that is none': [{ bus: 'redis://127.0.0.1/x' }, /"bus": expected redis:\/\//],
		'a state file beside it': [
			{ bus: 'redis://127.0.0.1', 'state-file': 'state' },
			/"state-file" and "bus"/,
		],
		'a prefix with braces': [
			{ bus: 'redis://127.0.0.1', 'bus-prefix': '{a}' },
			/"bus-prefix": expected letters/,
		],
		'a module that is not there': [
			{ bus: 'redis://127.0.0.1', 'plugin-dir': '/nowhere' },
			/there is no praxis_bus_redis.so in plugin-dir/,
		],
	};
	for (const [name, [global, fault]] of Object.entries(faults)) {
		it(`refuses ${name}`, async () => {
			const { code, stderr } = await faultOf(global);
			assert.equal(code, 2);
			assert.match(stderr, fault);
			assert.ok(!stderr.includes('SECRET-x'));
		});
	}

	it('is as docs/scaling.md has it', async () => {
		const [line] = /(?<=^ {4})\{ "global".*/m.exec(await readFile(SCALING, 'utf8'));
		const { global } = JSON.parse(line);
		const dir = await writeConfig({
			'praxis.json': globalConfig({ ...global, 'bus-password-file': 'password' }),
			'conf.d/00-default.json': vhostConfig(),
			password: 'a-long-password-of-this-test-only\n',
		});
		const { code, stderr } = await runPraxisd(['--config', dir, '--check-config']);
		await rm(dir, { recursive: true });
		assert.deepEqual([code, stderr], [0, '']);
	});

	it('warns where what clients write can be read in transit', async () => {
		const { code, stderr } = await faultOf({ bus: 'redis://redis.example.org' });
		assert.equal(code, 0);
		assert.match(stderr, /warning: .*"bus": redis:\/\/ to another machine/);
	});

	it('is said to be experimental at start, and to need a restart at a reload', async () => {
		const praxis = new Praxisd();
		try {
			await praxis.start({ global: { bus: 'redis://127.0.0.1:1' } });
			await praxis.logged(/bus: EXPERIMENTAL/);
			await refusal(praxis, /Redis cannot be reached: connection refused/);
			await writeFiles(praxis.dir, {
				'praxis.json': globalConfig({ bus: 'redis://127.0.0.1:2' }),
			});
			praxis.signal('SIGHUP');
			await praxis.logged(/bus: its keys take effect when the server starts again/);
			await praxis.stop();
		} finally {
			await praxis.kill();
		}
	});
});

describe('several servers on one Redis', () => {
	const redis = new Redis();
	const servers = [new Praxisd(), new Praxisd(), new Praxisd()];
	const [one, two, three] = servers;

	before(async () => {
		await redis.start();
		await Promise.all(servers.map((praxis) => praxis.start({ global: onBus(redis) })));
		await Promise.all(servers.map(isReady));
	});
	after(async () => {
		await Promise.all(servers.map((praxis) => praxis.kill()));
		await redis.end();
	});

	it('know of each other', () =>
		until('each sees three', async () => {
			const counts = await Promise.all(
				servers.map((praxis) => metric(praxis, 'praxis_bus_nodes')),
			);
			return counts.every((count) => count === 3);
		}));

	it('serve one practice: what is said at one is heard at the others, in one order', async () => {
		const clients = await Promise.all(servers.map((praxis) => praxis.connect()));
		for (const client of clients) {
			await subscribe(client);
		}
		const sent = clients.flatMap((client, at) =>
			Array.from({ length: 20 }, () => [client, update(`from-${at}`)]),
		);
		await Promise.all(sent.map(([client, message]) => client.accepted(message)));
		const seqs = new Map();
		for (const client of clients) {
			for (let n = 0; n < 40; n++) {
				const { seq, data } = await client.next('whiteboard_update');
				assert.equal(seqs.get(seq) ?? data, data);
				seqs.set(seq, data);
			}
		}
		assert.equal(seqs.size, 60);
		await Promise.all(servers.map((praxis) => praxis.settle()));
	});

	it('greet before they answer what came with the upgrade', async () => {
		const wire = await Wire.open(two.port);
		const write = wire.write.bind(wire);
		const ping = frame(OP.text, '{"type":"ping","t":1}');
		wire.write = (upgrade) => write(Buffer.concat([Buffer.from(upgrade), ping]));
		const ann = await RawClient.open(two.port, '/ws', {}, { wire });
		assert.equal((await ann.next()).type, 'connection_established');
		assert.equal((await ann.next()).type, 'pong');
		await ann.kill();
	});

	it('and go on when the one that runs it is killed: who was there has left, once', async () => {
		const practiceId = 'fresh'; // its home is where its first client is
		const ann = await one.connect({ practiceId });
		await ann.join('r');
		const [bob, cat] = [await two.connect({ practiceId }), await three.connect({ practiceId })];
		await bob.join('r');
		await cat.join('r');
		await subscribe(bob, { practiceId });
		await subscribe(cat, { practiceId });
		one.signal('SIGKILL');
		await within(one.exited, 'the end of the first');
		for (const client of [bob, cat]) {
			const left = await client.next('telemedicine_user_left');
			assert.equal(left.clientId, ann.clientId);
		}
		const message = { ...update('after'), practiceId };
		await bob.accepted(message);
		assert.equal((await cat.next('whiteboard_update')).data, message.data);
		const more = (await cat.fence()).filter(({ type }) => type === 'telemedicine_user_left');
		assert.deepEqual(more, []);
		await Promise.all([two.settle(), three.settle()]); // a home has guests in its rooms
	});

	it('and end with clean logs, also the home of practices where others are', async () => {
		for (const practiceId of ['x', 'y', 'z']) {
			const [ann, bob] = [
				await two.connect({ practiceId }),
				await three.connect({ practiceId }),
			];
			await ann.join('r');
			await bob.join('r');
		}
		await two.stop();
		await three.stop();
	});
});
