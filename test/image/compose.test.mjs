// SPDX-License-Identifier: MIT
//
// compose.yaml as docs/operations.md has it, by a real Docker Engine and a real Compose: clients through HAProxy, calls'
// relays, what Prometheus sees, a restart and a new machine's worth of containers on the old volumes.
//
// Images come as files; those of HAProxy, coturn and Prometheus are stand-ins (see standins/), and Grafana does not run.
//
// Environment: PRAXIS_IMAGE_FILES, a folder of what `docker load` takes; DOCKER_HOST. `scripts/test compose` makes both.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { ROOT, blocksOf } from '../e2e/lib/blocks.mjs';
import { Wire } from '../e2e/lib/http.mjs';
import { RawClient } from '../e2e/lib/raw.mjs';
import { openV1, resume } from '../e2e/lib/resuming.mjs';
import { until, within } from '../e2e/lib/wait.mjs';
import { TurnClient } from './turn.mjs';

const HOST = '198.51.100.1'; // see `alone`
const SERVICES = 'praxis haproxy coturn prometheus';
const START_MS = 60_000;
const SCRAPED_MS = 60_000; // Prometheus asks each quarter of a minute

const dir = mkdtempSync(path.join(tmpdir(), 'praxis-compose-'));
after(() => rmSync(dir, { recursive: true, force: true }));

// Runs it to its end, while clients here go on.
async function fine(command) {
	try {
		const { stdout } = await promisify(execFile)('bash', ['-ec', command], {
			cwd: dir,
			maxBuffer: 1 << 26,
		});
		return stdout;
	} catch (error) {
		throw new Error(`${command}: ${error.stdout}${error.stderr}`, { cause: error });
	}
}

// The page's two commands, where Compose may be a program of its own, images are made already, and one is not to be had.
const block = (await blocksOf('docs/operations.md')).find(({ text }) =>
	text.startsWith('sudo scripts/compose-secrets'),
);
const [secretsCommand, startCommand] = block.text.split('\n');
const isPlugin = await fine('docker compose version').then(
	() => true,
	() => false,
);
const compose = (words) =>
	fine(
		`PRAXIS_DOMAIN=praxis.example.org ${isPlugin ? 'docker compose' : 'docker-compose'} ${words}`,
	);
const [, domain, upWords] = /^PRAXIS_DOMAIN=(\S+) docker compose (up -d) --build$/.exec(
	startCommand,
);
const up = () => compose(`${upWords} --no-build ${SERVICES}`);

async function inspect(service) {
	const id = (await compose(`ps -q ${service}`)).trim();
	return JSON.parse(await fine(`docker inspect ${id}`))[0];
}

const healthy = () =>
	until(
		'praxis is healthy',
		async () => (await inspect('praxis')).State.Health.Status === 'healthy',
		START_MS,
	);

const ca = () => readFileSync(path.join(dir, 'secrets/tls.crt'));

const statusOf = (file) =>
	new Promise((resolve, reject) => {
		const options = { host: HOST, path: file, servername: domain, headers: { Host: domain } };
		https
			.get({ ...options, ca: ca(), agent: false }, (response) => {
				response.resume();
				response.once('end', () => resolve(response.statusCode));
			})
			.once('error', reject);
	});

const served = () =>
	until(
		'HAProxy has found Praxis',
		async () => (await statusOf('/ready').catch(() => 0)) === 200,
		START_MS,
	);

// As RawClient's helpers want a server: what HAProxy publishes.
const praxis = {
	async open(where, { headers, ...options } = {}) {
		const socket = tls.connect({ host: HOST, port: 443, servername: domain, ca: ca() });
		await within(once(socket, 'secureConnect'), 'a connection over TLS');
		const all = { Host: domain, Origin: `https://${domain}`, ...headers };
		return RawClient.open(443, where, {}, { ...options, headers: all, wire: new Wire(socket) });
	},
};

async function member(user) {
	const words = `praxisctl token --user ${user} --role staff --practice 1 --ttl 1h`;
	const token = await compose(`exec -T praxis ${words}`);
	return openV1(praxis, '', { headers: { Authorization: `Bearer ${token.trim()}` } });
}

// What Prometheus says, which publishes nothing.
async function ofPrometheus(what) {
	const { NetworkSettings } = await inspect('prometheus');
	const [{ IPAddress }] = Object.values(NetworkSettings.Networks);
	return (await (await fetch(`http://${IPAddress}:9090/api/v1/${what}`)).json()).data;
}

// The samples that answer a query.
const query = async (expression) =>
	(await ofPrometheus(`query?query=${encodeURIComponent(expression)}`)).result.map(
		({ metric, value }) => ({ metric, value: value[1] }),
	);

describe('compose.yaml', () => {
	let ann;
	let bob;

	before(async () => {
		for (const file of readdirSync(process.env.PRAXIS_IMAGE_FILES)) {
			await fine(`docker load -i ${path.join(process.env.PRAXIS_IMAGE_FILES, file)}`);
		}
		for (const file of ['compose.yaml', 'packaging', 'scripts', 'docs']) {
			cpSync(path.join(ROOT, file), path.join(dir, file), { recursive: true });
		}
		await fine(secretsCommand.replace('sudo ', ''));
		await up();
	});
	after(() => compose('down -v'));

	it('starts what it names, with nothing that a container may write or become', async () => {
		await healthy();
		for (const service of ['praxis', 'haproxy', 'coturn']) {
			const { State, HostConfig } = await inspect(service);
			assert.ok(State.Running, service);
			assert.ok(HostConfig.ReadonlyRootfs, service);
			assert.deepEqual(HostConfig.CapDrop, ['ALL']);
		}
	});

	it('serves pages by TLS, and sends who comes without it there', async () => {
		await served();
		assert.equal(await statusOf('/metrics'), 404);
		const response = await within(
			new Promise((resolve, reject) => {
				http.get({ host: HOST, path: '/', headers: { Host: domain } }, resolve).once(
					'error',
					reject,
				);
			}),
			'an answer without TLS',
		);
		response.resume();
		assert.equal(response.statusCode, 308);
		assert.equal(response.headers.location, `https://${domain}/`);
	});

	it('lets clients talk', async () => {
		ann = await member(7);
		bob = await member(8);
		ann.send({ type: 'whiteboard_subscribe', practiceId: 1 });
		await ann.next('whiteboard_subscribed');
		bob.send({ type: 'whiteboard_update', practiceId: 1, data: { n: 1 } });
		assert.deepEqual((await ann.next('whiteboard_update')).data, { n: 1 });
	});

	it('has a relay that takes the credentials of Praxis', async () => {
		ann.send({ type: 'telemedicine_ice_servers' });
		const [{ urls, ...credentials }] = (await ann.next('telemedicine_ice_servers')).iceServers;
		assert.match(String(urls), new RegExp(`turn:${domain}:3478`));
		const client = new TurnClient(HOST, 3478, credentials);
		assert.equal(await client.allocate(), 0);
		assert.equal(await client.permit('172.31.90.3'), 403);
		client.close();
	});

	it('is watched by Prometheus, with the rules', async () => {
		await until(
			'Prometheus reaches Praxis',
			async () => (await query('up{job="praxis"}'))[0]?.value === '1',
			SCRAPED_MS,
		);
		await until(
			'it has seen both clients',
			async () => (await query('praxis_sessions'))[0]?.value === '2',
			SCRAPED_MS,
		);
		const groups = (await ofPrometheus('rules')).groups.flatMap(({ rules }) => rules);
		assert.ok(groups.length > 0 && groups.every(({ health }) => health === 'ok'));
	});

	it('resumes all when Praxis is started again', async () => {
		const restarted = compose('restart praxis');
		for (const client of [ann, bob]) {
			await client.next('server_draining');
			assert.equal((await client.closing()).code, 1012);
		}
		await restarted;
		await served();
		ann = await resume(praxis, ann);
		bob = await resume(praxis, bob);
		bob.send({ type: 'whiteboard_update', practiceId: 1, data: { n: 2 } });
		assert.deepEqual((await ann.next('whiteboard_update')).data, { n: 2 });
	});

	it('goes on with what the volumes hold when all of it is made anew', async () => {
		const gone = compose('down');
		await ann.closing();
		await bob.closing();
		await gone;
		await up();
		await served();
		ann = await resume(praxis, ann);
		await ann.close();
		const log = '--key-file /run/secrets/audit /var/log/praxis/audit.jsonl';
		await compose(`exec -T praxis praxisctl audit verify ${log}`);
	});
});
