// SPDX-License-Identifier: MIT
//
// What can be known of image and compose.yaml where no container runs: that the files which are mounted are there
// and fit each other, and that Praxis, HAProxy and Prometheus work together with these very files. Nothing is
// changed in them but addresses. (The image itself: scripts/test image.)

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import yaml from 'js-yaml';
import { ROOT } from './lib/blocks.mjs';
import { WebSocket } from './lib/client.mjs';
import { get } from './lib/http.mjs';
import { bearer, claimsOf, sign } from './lib/issuer.mjs';
import { PLUGINS, itEnds, usePraxisd } from './lib/praxisd.mjs';
import { freePort } from './lib/ports.mjs';
import { until, within } from './lib/wait.mjs';

const run = promisify(execFile);
const inTree = (file) => path.join(ROOT, file);
const text = (file) => readFile(inTree(file), 'utf8');
const DOMAIN = 'praxis.example.org';

// As compose does it: ${NAME}, ${NAME:-default}, ${NAME:?what}, $$.
const substituted = (written, env) =>
	written.replace(/\$\$|\$\{(\w+)(?::[-?]([^}]*))?\}/g, (all, name, fallback) =>
		all === '$$' ? '$' : (env[name] ?? fallback),
	);

// In values, as they are read: what is substituted is never syntax.
function substitutedIn(value, env) {
	if (typeof value === 'string') {
		return substituted(value, env);
	}
	if (value === null || typeof value !== 'object') {
		return value;
	}
	if (Array.isArray(value)) {
		return value.map((element) => substitutedIn(element, env));
	}
	return Object.fromEntries(
		Object.entries(value).map(([key, inner]) => [key, substitutedIn(inner, env)]),
	);
}

const compose = substitutedIn(yaml.load(await text('compose.yaml')), { PRAXIS_DOMAIN: DOMAIN });
const { services } = compose;
const dockerfile = await text('Dockerfile');

// As it is called here, if it is here.
async function composeCommand() {
	for (const command of [['docker', 'compose'], ['docker-compose']]) {
		try {
			await run(command[0], [...command.slice(1), 'version']);
			return command;
		} catch {
			// the next one
		}
	}
	return null;
}

const [composeProgram, ...composeWords] = (await composeCommand()) ?? [];

describe('compose.yaml', () => {
	it('is one to Compose itself', { skip: !composeProgram }, async () => {
		const check = (env) =>
			run(composeProgram, [...composeWords, '-f', inTree('compose.yaml'), 'config', '-q'], {
				env: { ...process.env, ...env },
			});
		await check({ PRAXIS_DOMAIN: DOMAIN });
		await assert.rejects(check({}), /the name under which clients reach this machine/);
	});

	it('mounts what is there, and volumes that it names', () => {
		for (const [name, service] of Object.entries(services)) {
			for (const volume of service.volumes ?? []) {
				const [source] = volume.split(':');
				assert.ok(
					source.startsWith('./')
						? existsSync(inTree(source))
						: source in compose.volumes,
					`${name}: ${volume}`,
				);
			}
			for (const secret of service.secrets ?? []) {
				assert.ok(secret in compose.secrets, `${name}: ${secret}`);
			}
		}
	});

	it('gives Praxis variables that the configuration has', async () => {
		const page = await text('docs/configuration.md');
		for (const name of Object.keys(services.praxis.environment)) {
			assert.ok(page.includes(`| \`${name}\``), name);
		}
	});

	it('keeps each secret out of the image, of the history, and of the environment', async () => {
		for (const { file } of Object.values(compose.secrets)) {
			assert.match(file, /^\.\/secrets\//);
		}
		assert.match(await text('.dockerignore'), /^secrets$/m);
		assert.match(await text('.gitignore'), /^\/secrets\/$/m);
		for (const { environment } of Object.values(services)) {
			for (const [name, value] of Object.entries(environment ?? {})) {
				assert.ok(
					!/SECRET|PASSWORD|KEY/.test(name) || value.startsWith('/run/secrets/'),
					name,
				);
			}
		}
	});

	it('lets Praxis trust its proxy and its Prometheus, and nobody else', () => {
		const address = ({ networks }) => networks.inside.ipv4_address;
		const { environment } = services.praxis;
		assert.equal(environment.PRAXIS_TRUSTED_PROXIES, address(services.haproxy));
		assert.equal(environment.PRAXIS_METRICS_ALLOW, address(services.prometheus));
		assert.equal(
			services.haproxy.environment.PRAXIS_ADDRESS,
			`${address(services.praxis)}:9002`,
		);
		assert.equal(services.praxis.ports, undefined);
		assert.equal(services.prometheus.ports, undefined);
		assert.match(services.grafana.ports[0], /^127\.0\.0\.1:/);
	});

	it('leaves no container a capability that it does not need, nor a way to get one', () => {
		for (const [name, { cap_drop, security_opt }] of Object.entries(services)) {
			assert.deepEqual(cap_drop, ['ALL'], name);
			assert.deepEqual(security_opt, ['no-new-privileges:true'], name);
		}
		assert.ok(services.praxis.read_only);
	});

	it('gives Grafana the dashboard and the Prometheus that there are', async () => {
		const target = (end) =>
			services.grafana.volumes.find((volume) => volume.includes(end)).split(':')[1];
		const { providers } = yaml.load(await text('packaging/compose/dashboards.yml'));
		assert.equal(providers[0].options.path, path.dirname(target('grafana.json')));
		const { datasources } = yaml.load(await text('packaging/compose/datasources.yml'));
		assert.equal(new URL(datasources[0].url).hostname, 'prometheus');
		const { templating } = JSON.parse(await text('docs/grafana.json'));
		assert.ok(
			templating.list.some(
				({ type, query }) => type === 'datasource' && query === datasources[0].type,
			),
		);
	});
});

describe('the Dockerfile', () => {
	it('says the version that is built', async () => {
		const [, version] = /version: '([^']+)'/.exec(await text('meson.build'));
		const said = [...dockerfile.matchAll(/^ARG VERSION=(.*)$/gm)].map(([, value]) => value);
		assert.deepEqual(said, [version, version]);
	});

	it('drains within the time of docker stop', () => {
		const [, ms] = /PRAXIS_DRAIN_DEADLINE_MS=(\d+)/.exec(dockerfile);
		assert.ok(Number(ms) <= 8000);
	});
});

describe('scripts/sbom', () => {
	const isDebian = existsSync('/var/lib/dpkg/status');

	it('lists Debian packages and what is bundled', { skip: !isDebian }, async () => {
		const dir = await mkdtemp(path.join(tmpdir(), 'praxis-sbom-'));
		const list = async (root) => {
			const { stdout } = await run(inTree('scripts/sbom'), [root, '1.2.3'], {
				maxBuffer: 1 << 26,
			});
			return JSON.parse(stdout);
		};
		await cp('/var/lib/dpkg', path.join(dir, 'var/lib/dpkg'), {
			recursive: true,
			filter: (file) => !/\/(lock|info|alternatives|parts|updates|triggers)/.test(file),
		});
		await cp('/usr/lib/os-release', path.join(dir, 'etc/os-release'));
		await cp(
			'/usr/share/doc/libc6/copyright',
			path.join(dir, 'usr/share/doc/libc6/copyright'),
			{
				dereference: true,
			},
		);
		const { bomFormat, specVersion, metadata, components } = await list(dir);
		assert.deepEqual([bomFormat, specVersion], ['CycloneDX', '1.5']);
		assert.equal(metadata.component.version, '1.2.3');
		const find = (name, of = components) => of.find((component) => component.name === name);
		const { stdout } = await run('dpkg-query', ['-W', '-f=${Version}', 'libc6']);
		assert.equal(find('libc6').version, stdout);
		assert.match(find('libc6').purl, /^pkg:deb\/debian\/libc6@.*&distro=debian-1\d$/);
		assert.deepEqual(find('praxis').licenses, [{ license: { name: 'MIT' } }]);
		assert.equal(find('uplot'), undefined);
		const references = components.map((component) => component['bom-ref']).filter(Boolean);
		assert.equal(new Set(references).size, references.length);
		await cp(
			inTree('dashboard/build.mjs'),
			path.join(dir, 'usr/share/praxis/dashboard/main.js'),
		);
		const { devDependencies } = JSON.parse(await text('client/package.json'));
		assert.equal(find('uplot', (await list(dir)).components).version, devDependencies.uplot);
		await rm(dir, { recursive: true });
	});
});

// A program with a log, ended when its suite is.
function start(command, args, options) {
	const child = spawn(command, args, {
		stdio: ['ignore', 'pipe', 'pipe'],
		...options,
		env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin`, ...options?.env },
	});
	const program = { log: '' };
	for (const stream of [child.stdout, child.stderr]) {
		stream.setEncoding('utf8').on('data', (piece) => (program.log += piece));
	}
	const ended = new Promise((resolve) => {
		child.once('error', (error) => resolve((program.log += error.message)));
		child.once('close', resolve);
	});
	program.stop = async () => {
		child.kill('SIGTERM');
		await within(ended, `the end of ${command}`);
	};
	return program;
}

describe('what compose.yaml starts, with its files', () => {
	let dir;
	let haproxy;
	let ports;
	let key;
	let ca;

	const secret = (name) => path.join(dir, 'secrets', name);

	// Its environment, where this machine has what is in a container there.
	function praxisEnv() {
		const { environment } = services.praxis;
		const there = Object.entries(environment).map(([name, value]) => [
			name,
			value
				.replace('/run/secrets', path.join(dir, 'secrets'))
				.replace('/var/log/praxis', dir)
				.replace(/172\.31\.90\.\d+/, '127.0.0.1'),
		]);
		return {
			...Object.fromEntries(there),
			PRAXIS_PLUGIN_DIR: PLUGINS,
			PRAXIS_INTERFACE: '127.0.0.1',
			PRAXIS_PORT: '0',
			PRAXIS_LOG_LEVEL: 'debug',
		};
	}

	const praxis = usePraxisd(async () => {
		dir = await mkdtemp(path.join(tmpdir(), 'praxis-compose-'));
		await run(inTree('scripts/compose-secrets'), [DOMAIN], { cwd: dir });
		key = Buffer.from(await readFile(secret('token'), 'utf8'));
		const conf = await readdir(inTree('conf.d'));
		const files = { 'praxis.json': await text('praxis.json') };
		for (const name of conf) {
			files[`conf.d/${name}`] = await text(`conf.d/${name}`);
		}
		return { files, env: praxisEnv() };
	});

	before(async () => {
		ports = { http: await freePort(), https: await freePort() };
		ca = await readFile(secret('tls.crt'));
		haproxy = start('haproxy', ['-db', '-f', inTree('packaging/compose/haproxy.cfg')], {
			env: {
				HTTP_ADDRESS: `127.0.0.1:${ports.http}`,
				HTTPS_ADDRESS: `127.0.0.1:${ports.https}`,
				CERTIFICATE: secret('tls'),
				PRAXIS_ADDRESS: `127.0.0.1:${praxis.port}`,
			},
		});
		await until(
			() => `HAProxy: ${haproxy.log}`,
			async () => (await fetchTls('/ready').catch(() => null))?.status === 200,
		);
	});
	after(async () => {
		await haproxy?.stop();
		await rm(dir, { recursive: true, force: true });
	});

	// By the name that the certificate has.
	const fetchTls = (where, headers = {}) =>
		new Promise((resolve, reject) => {
			https
				.get(
					{
						host: '127.0.0.1',
						port: ports.https,
						path: where,
						servername: DOMAIN,
						headers: { Host: DOMAIN, ...headers },
						ca,
						agent: false,
					},
					(response) => {
						response.resume();
						response.once('end', () =>
							resolve({ status: response.statusCode, headers: response.headers }),
						);
					},
				)
				.once('error', reject);
		});

	async function connect(headers = {}) {
		const claims = claimsOf();
		const socket = new WebSocket(`wss://127.0.0.1:${ports.https}/ws`, ['praxis.v1'], {
			ca,
			servername: DOMAIN,
			localAddress: '127.0.0.9',
			headers: {
				...bearer(await sign(claims, { key })),
				Host: DOMAIN,
				Origin: `https://${DOMAIN}`,
				...headers,
			},
		});
		const next = (type) =>
			within(
				new Promise((resolve, reject) => {
					socket.on('message', (message) => {
						const parsed = JSON.parse(message);
						if (parsed.type === type) {
							resolve(parsed);
						}
					});
					socket.once('error', reject);
				}),
				() => `${type}; HAProxy: ${haproxy.log}`,
			);
		const hello = await next('connection_established');
		const closed = new Promise((resolve) => socket.once('close', resolve));
		return { socket, hello, next, close: () => (socket.close(1000), closed) };
	}

	it('secrets are for their containers alone, and stay', async () => {
		for (const name of Object.keys(compose.secrets)) {
			const { mode, uid, size } = await stat(secret(name));
			assert.equal(mode & 0o777, 0o600, name);
			assert.ok(size >= 32, name);
			if (process.getuid() === 0) {
				assert.equal(uid, name === 'grafana' ? 472 : 9002, name);
			}
		}
		await run(inTree('scripts/compose-secrets'), [DOMAIN], { cwd: dir });
		assert.deepEqual(Buffer.from(await readFile(secret('token'), 'utf8')), key);
		await assert.rejects(run(inTree('scripts/compose-secrets'), [], { cwd: dir }), { code: 2 });
	});

	it('a page of the domain connects by TLS, and its address is its own word only as far as it goes', async () => {
		const client = await connect({
			'X-Forwarded-For': '203.0.113.7',
			Forwarded: 'for=203.0.113.8',
		});
		const admin = bearer(await sign(claimsOf({ role: 'admin', practices: ['*'] }), { key }));
		const { body } = await get(praxis.port, '/api/v1/clients', admin);
		assert.deepEqual(
			JSON.parse(body).clients.map(({ address }) => address),
			['127.0.0.9'],
		);
		await client.close();
		await assert.rejects(connect({ Origin: 'https://evil.example' }), /403/);
	});

	it('clients get credentials for coturn, by both transports', async () => {
		const client = await connect();
		const answer = client.next('telemedicine_ice_servers');
		client.socket.send(JSON.stringify({ type: 'telemedicine_ice_servers' }));
		const { iceServers } = await answer;
		assert.deepEqual(iceServers[0].urls, [
			`turn:${DOMAIN}:3478?transport=udp`,
			`turn:${DOMAIN}:3478?transport=tcp`,
		]);
		assert.ok(iceServers[0].credential);
		await client.close();
	});

	it('plain HTTP is sent to TLS, and figures are not for everybody', async () => {
		const { status, headers } = await get(ports.http, '/ws?a=1', { Host: DOMAIN });
		assert.equal(status, 308);
		assert.equal(headers.location, `https://${DOMAIN}/ws?a=1`);
		assert.equal((await fetchTls('/metrics')).status, 404);
		assert.equal((await fetchTls('/stats')).status, 404);
		const health = await fetchTls('/health');
		assert.equal(health.status, 200);
		assert.match(health.headers['strict-transport-security'], /max-age=31536000/);
	});

	it('who connects is in the audit log', async () => {
		const log = await readFile(path.join(dir, 'audit.jsonl'), 'utf8');
		assert.match(log, /"127\.0\.0\.9"/);
	});

	it('Prometheus reads the metrics, and has the alerts', async () => {
		const port = await freePort();
		const folder = path.join(dir, 'prometheus');
		await cp(inTree('packaging/prometheus'), folder, { recursive: true });
		const config = (await text('packaging/prometheus/prometheus.yml'))
			.replace('praxis:9002', `127.0.0.1:${praxis.port}`)
			.replaceAll(/interval: 15s/g, 'interval: 1s');
		await writeFile(path.join(folder, 'prometheus.yml'), config);
		const prometheus = start('prometheus', [
			`--config.file=${folder}/prometheus.yml`,
			`--storage.tsdb.path=${folder}/data`,
			`--web.listen-address=127.0.0.1:${port}`,
		]);
		const ask = async (where) => {
			const response = await get(port, where).catch(() => null);
			return response?.status === 200 ? JSON.parse(response.body).data : null;
		};
		try {
			await until(
				() => `a scrape: ${prometheus.log}`,
				async () => {
					const query = encodeURIComponent(
						'up{job="praxis"} == 1 and on() praxis_ready == 1',
					);
					return (await ask(`/api/v1/query?query=${query}`))?.result.length === 1;
				},
			);
			const { groups } = await ask('/api/v1/rules');
			assert.ok(
				groups.flatMap(({ rules }) => rules).some(({ name }) => name === 'PraxisDown'),
			);
		} finally {
			await prometheus.stop();
		}
	});

	itEnds(praxis);
});
