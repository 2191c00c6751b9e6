// SPDX-License-Identifier: MIT
//
// The image: what it is made of, and a life of a container as docs/operations.md has it. Commands of the documentation
// are run as they stand there, by a shell in which `docker` is docker.mjs.
//
// Environment: PRAXIS_IMAGE_STORE; `scripts/test image` makes the base in it, and runs this as root in a network of
// its own.

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import {
	cpSync,
	existsSync,
	mkdtempSync,
	readFileSync,
	readdirSync,
	rmSync,
	writeFileSync,
} from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import yaml from '../e2e/node_modules/js-yaml/dist/js-yaml.mjs';
import { ROOT, blocksOf } from '../e2e/lib/blocks.mjs';
import { Certificates } from '../e2e/lib/certificates.mjs';
import { get } from '../e2e/lib/http.mjs';
import { RawClient } from '../e2e/lib/raw.mjs';
import { openV1, resume } from '../e2e/lib/resuming.mjs';
import { until } from '../e2e/lib/wait.mjs';
import { buildah, inspect, load } from './docker.mjs';
import { TurnClient } from './turn.mjs';

const PORT = 9002;
const UID = 9002;
const MOST_BYTES = 30e6;
const ENV = { ...process.env, PATH: `${path.join(ROOT, 'test/image/bin')}:${process.env.PATH}` };

const dir = mkdtempSync(path.join(tmpdir(), 'praxis-image-'));
after(() => rmSync(dir, { recursive: true, force: true }));
const inDir = (file) => path.join(dir, file);

// Runs it to its end, while clients here go on: { code, said }.
async function shell(command, { cwd = dir } = {}) {
	try {
		const options = { cwd, env: ENV, maxBuffer: 1 << 26 };
		const { stdout, stderr } = await promisify(execFile)('bash', ['-ec', command], options);
		return { code: 0, said: stdout + stderr };
	} catch (error) {
		return { code: error.code, said: `${error.stdout}${error.stderr}` };
	}
}

async function fine(command, options) {
	const { code, said } = await shell(command, options);
	assert.equal(code, 0, `${command}: ${said}`);
	return said;
}

const logOf = (name) => fine(`docker logs ${name}`);

async function serves(name) {
	let log;
	await until(
		() => `${name} serves: ${log}`,
		async () => {
			log = await logOf(name);
			return /listening on 0\.0\.0\.0:9002/.test(log);
		},
	);
}

const isOpen = async (port) => (await get(port, '/health').catch(() => null)) !== null;

// The parts of docs/operations.md, "Containers", between empty lines.
const blocks = await blocksOf('docs/operations.md');
const shown = blocks.find(({ text }) => text.startsWith('docker build')).text.split('\n\n');
const [buildCommand, startCommands, useCommands] = shown;
const lineWith = (word) =>
	useCommands.split('\n').find((line) => line.includes(word)) ?? assert.fail(word);

describe('the image', () => {
	let container;
	let root;
	let list;

	before(async () => {
		await fine(buildCommand, { cwd: ROOT });
		container = buildah('from', '--pull-never', 'praxis');
		root = buildah('mount', container);
		list = JSON.parse(readFileSync(path.join(root, 'usr/share/praxis/sbom.cdx.json'), 'utf8'));
	});
	after(() => buildah('rm', container));

	const find = (...args) =>
		execFileSync('find', [root, '-xdev', ...args], { encoding: 'utf8' })
			.split('\n')
			.filter(Boolean);

	it('is at most 30 MB larger than its base', (t) => {
		const bytes = (name) => {
			const [{ size }] = JSON.parse(buildah('images', '--json', name));
			const [, value, unit] = /^([\d.]+) (KB|MB|GB)$/.exec(size);
			return Number(value) * { KB: 1e3, MB: 1e6, GB: 1e9 }[unit];
		};
		const base = inspect('praxis').Labels['org.opencontainers.image.base.name'];
		const more = bytes('praxis') - bytes(base);
		t.diagnostic(`${(more / 1e6).toFixed(1)} MB above ${base}`);
		assert.ok(more > 0 && more <= MOST_BYTES, `${more}`);
	});

	it('has labels, a user that is a number, volumes, a health check', () => {
		const { Labels, User, Volumes, Healthcheck, Entrypoint, StopSignal } = inspect('praxis');
		const revision = execFileSync('git', ['-C', ROOT, 'rev-parse', 'HEAD'], {
			encoding: 'utf8',
		});
		const [, version] = /version: '([^']+)'/.exec(
			readFileSync(path.join(ROOT, 'meson.build'), 'utf8'),
		);
		const label = (name) => Labels[`org.opencontainers.image.${name}`];
		assert.equal(label('revision'), revision.trim());
		assert.equal(label('version'), version);
		assert.equal(label('licenses'), 'MIT');
		for (const name of ['title', 'description', 'source', 'base.name']) {
			assert.ok(label(name), name);
		}
		assert.equal(User, `${UID}:${UID}`);
		assert.deepEqual(Object.keys(Volumes).sort(), ['/var/lib/praxis', '/var/log/praxis']);
		assert.deepEqual(Healthcheck.Test, ['CMD', 'praxisd', '--health']);
		assert.deepEqual(Entrypoint, ['praxisd']);
		assert.equal(StopSignal, 'SIGTERM');
	});

	it('lists what it is made of', () => {
		const form = '-f=${db:Status-Status} ${Package} ${Version}\n';
		const installed = execFileSync(
			'dpkg-query',
			[`--admindir=${root}/var/lib/dpkg`, '-W', form],
			{ encoding: 'utf8' },
		)
			.split('\n')
			.filter((line) => line.startsWith('installed '))
			.map((line) => line.slice('installed '.length));
		const debian = list.components.filter(({ purl }) => purl?.startsWith('pkg:deb/'));
		assert.deepEqual(
			debian.map(({ name, version }) => `${name} ${version}`).sort(),
			installed.sort(),
		);
		const licensed = debian.filter(({ licenses }) => licenses?.length > 0);
		assert.ok(licensed.length > debian.length * 0.7, `${licensed.length} of ${debian.length}`);
		assert.ok(list.components.some(({ name }) => name === 'uplot'));
	});

	it('gives nobody rights, and has nothing of its build', () => {
		assert.deepEqual(find('-type', 'f', '-perm', '/6000'), []);
		assert.deepEqual(find('-type', 'f', '-perm', '-0002'), []);
		assert.deepEqual(
			find('-user', `${UID}`)
				.map((file) => file.slice(root.length))
				.sort(),
			['/var/lib/praxis', '/var/log/praxis'],
		);
		for (const file of ['src', 'build', 'usr/bin/gcc', 'usr/bin/npm', 'usr/include/praxis']) {
			assert.ok(!existsSync(path.join(root, file)), file);
		}
		assert.deepEqual(readdirSync(path.join(root, 'var/lib/apt/lists')), []);
		assert.deepEqual(readdirSync(path.join(root, 'tmp')), []);
	});

	it('says without configuration what is missing, and opens no port', async () => {
		const { code, said } = await shell('docker run --rm praxis');
		assert.equal(code, 2, said);
		assert.match(
			said,
			/not set in the environment: PRAXIS_SECRET_FILE, PRAXIS_JWKS_FILE, PRAXIS_AUTH_URL/,
		);
		assert.doesNotMatch(said, /listening/);
		assert.ok(!(await isOpen(PORT)));
	});

	it('names a secret that it may not read, and whose it has to be', async () => {
		writeFileSync(inDir('mine'), 'x'.repeat(32), { mode: 0o600 });
		const { code, said } = await shell(
			'docker run --rm -e PRAXIS_SECRET_FILE=/run/secrets/mine -v "$PWD/mine:/run/secrets/mine:ro" praxis',
		);
		assert.equal(code, 2, said);
		assert.match(said, /"secret-file": cannot read .*\/run\/secrets\/mine.*9002/);
	});
});

// Clients of a container, as RawClient's helpers want one.
const praxis = { open: (where, options) => RawClient.open(PORT, where, {}, options) };

async function member(name, user) {
	const token = await fine(
		`docker exec ${name} praxisctl token --user ${user} --role staff --practice 1 --ttl 1h`,
	);
	return openV1(praxis, '', { headers: { Authorization: `Bearer ${token.trim()}` } });
}

describe('a container, with a read-only root and no capabilities', () => {
	let ann;
	let bob;

	after(() => shell('docker rm -f praxis'));

	it('starts', async () => {
		await fine(startCommands);
		await serves('praxis');
		const status = readFileSync(`/proc/${load('praxis').pid}/status`, 'utf8');
		for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
			assert.match(status, new RegExp(`^${set}:\\s*0+$`, 'm'));
		}
		assert.match(status, /^NoNewPrivs:\s*1$/m);
		assert.match(status, new RegExp(`^Uid:\\s*${UID}\\s`, 'm'));
		assert.doesNotMatch(await logOf('praxis'), /read-only|can ?not be/i);
	});

	it('lets clients talk', async () => {
		ann = await member('praxis', 7);
		bob = await member('praxis', 8);
		ann.send({ type: 'whiteboard_subscribe', practiceId: 1 });
		await ann.next('whiteboard_subscribed');
		bob.send({ type: 'whiteboard_update', practiceId: 1, data: { n: 1 } });
		assert.deepEqual((await ann.next('whiteboard_update')).data, { n: 1 });
	});

	it('answers the commands of the page', async () => {
		assert.match(await fine(lineWith('praxisctl clients')), /^CLIENT\s+USER/m);
		assert.match(await fine(lineWith('--health')), /\/health: 200/);
		await fine(lineWith('kill'));
		await until('a reload', async () =>
			/configuration reloaded/.test(await fine(lineWith('logs'))),
		);
	});

	it('is stopped within the time of docker stop, and all are resumed by the next', async () => {
		const restarted = fine(lineWith('stop'));
		for (const client of [ann, bob]) {
			await client.next('server_draining');
			assert.equal((await client.closing()).code, 1012);
		}
		await restarted;
		await until('the next', () => isOpen(PORT));
		assert.match(
			await logOf('praxis'),
			/state: loaded what was saved \d+ s ago: .* 2 sessions/,
		);
		const again = await resume(praxis, ann);
		const bobAgain = await resume(praxis, bob);
		bobAgain.send({ type: 'whiteboard_update', practiceId: 1, data: { n: 2 } });
		assert.deepEqual((await again.next('whiteboard_update')).data, { n: 2 });
		await again.close();
		await bobAgain.close();
	});
});

describe('a service dropped into conf.d', () => {
	after(() => shell('docker rm -f outside'));

	// As the page has it, of the example's folder.
	async function buildService() {
		const stage = blocks.find(({ text }) => text.includes('--target build')).text;
		await fine(stage, { cwd: ROOT });
		cpSync(path.join(ROOT, 'examples/notifications'), inDir('service'), { recursive: true });
		const { text } = blocks.find((block) => block.text.startsWith('FROM praxis-build'));
		writeFileSync(inDir('service/Dockerfile'), text);
		await fine('docker build -t praxis-service .', { cwd: inDir('service') });
	}

	it('goes live with a reload, and nobody is dropped', async () => {
		await buildService();
		cpSync(path.join(ROOT, 'conf.d'), inDir('conf.d'), { recursive: true });
		await fine(
			`docker run -d --name outside --read-only --cap-drop ALL -e PRAXIS_LOG_FORMAT=json \\
				-e PRAXIS_SECRET_FILE=/run/secrets/token -v "$PWD/secrets/token:/run/secrets/token:ro" \\
				-v "$PWD/conf.d:/etc/praxis/conf.d:ro" praxis-service`,
		);
		await serves('outside');
		const ann = await member('outside', 7);
		cpSync(
			path.join(ROOT, 'examples/notifications/conf.d/50-notifications.json'),
			inDir('conf.d/50-notifications.json'),
		);
		writeFileSync(inDir('conf.d/60-more.json'), '{ "vhost": "default", "path": "/ws" }');
		await fine('docker kill --signal HUP outside');
		await until('a reload', async () => /configuration reloaded/.test(await logOf('outside')));
		const bob = await member('outside', 8);
		assert.ok(bob.hello.services.includes('notifications'));
		ann.send({ type: 'notification_sent', notificationId: 1, practiceId: 1, text: 'hello' });
		assert.equal((await bob.next('notification_sent')).text, 'hello');
		await ann.close();
		await bob.close();
	});

	it('and the log is JSON, a line an object', async () => {
		const lines = (await logOf('outside')).trim().split('\n');
		for (const line of lines) {
			const { time, level, message } = JSON.parse(line);
			assert.ok(time && level && message, line);
		}
	});
});

describe('a container with TLS', () => {
	let certificates;

	before(async () => {
		certificates = await Certificates.make();
		await certificates.issue('tls', { names: 'IP:127.0.0.1' });
	});
	after(async () => {
		await shell('docker rm -f tls');
		await certificates.remove();
	});

	it('is healthy by its own word', async () => {
		cpSync(certificates.path('tls.pem'), inDir('tls.pem'));
		cpSync(certificates.path('tls.key'), inDir('tls.key'));
		await fine('chown 9002 tls.key && chmod 600 tls.key');
		await fine(
			`docker run -d --name tls --read-only --cap-drop ALL \
				-e PRAXIS_SECRET_FILE=/run/secrets/token -v "$PWD/secrets/token:/run/secrets/token:ro" \
				-e PRAXIS_TLS_CERT_FILE=/run/tls/cert -v "$PWD/tls.pem:/run/tls/cert:ro" \
				-e PRAXIS_TLS_KEY_FILE=/run/tls/key -v "$PWD/tls.key:/run/tls/key:ro" praxis`,
		);
		await serves('tls');
		assert.match(await fine('docker exec tls praxisd --health'), /^https:.*\/health: 200/);
		await fine('docker stop tls');
		const { code, said } = await shell('docker run --rm praxis --health');
		assert.equal(code, 1, said);
	});
});

describe('other pages', () => {
	after(() => shell('docker rm -f tour'));

	it('INSTALL.md builds as docs/operations.md does', async () => {
		const builds = (await blocksOf('INSTALL.md')).filter(({ text }) =>
			text.startsWith('docker'),
		);
		assert.deepEqual(
			builds.map(({ text }) => text),
			[buildCommand],
		);
	});

	it('docs/tour.md has a container that serves', async () => {
		const { text } = (await blocksOf('docs/tour.md')).find((block) =>
			block.text.startsWith('docker build'),
		);
		const [, rest] = /^docker build -t praxis \.\n([^]*)$/.exec(text); // made already
		await fine(rest.replace('docker run --rm', 'docker run -d --name tour'));
		await serves('tour');
		assert.equal((await get(PORT, '/health')).status, 200);
		await fine('docker stop tour');
	});
});

describe('auth-url by https', () => {
	let certificates;
	let server;
	let url;

	before(async () => {
		certificates = await Certificates.make();
		await certificates.issue('app', { names: 'IP:127.0.0.1' });
		server = https.createServer(
			{
				cert: readFileSync(certificates.path('app.pem')),
				key: readFileSync(certificates.path('app.key')),
			},
			(request, response) =>
				response.end(JSON.stringify({ sub: 7, name: 'A', role: 'staff', practices: [1] })),
		);
		await new Promise((resolve) => {
			server.listen(0, '127.0.0.1', resolve);
		});
		url = `https://127.0.0.1:${server.address().port}/who`;
	});
	after(async () => {
		await shell('docker rm -f asks');
		server.close();
		await certificates.remove();
	});

	const ask = (image) =>
		fine(
			`docker run -d --name asks --read-only --cap-drop ALL -e PRAXIS_AUTH_URL=${url} ${image}`,
		);

	it('of an application that nobody vouches for is logged, counted and shown', async () => {
		await ask('praxis');
		await serves('asks');
		const client = await praxis.open('/ws', {});
		assert.equal((await client.closing()).code, 1013);
		assert.match(
			await logOf('asks'),
			/auth-url of vhost default: the back end's certificate is not trusted/,
		);
		const { body } = await get(PORT, '/metrics');
		assert.match(body, /^praxis_auth_url_requests_total\{result="failed"\} 1$/m);
		assert.match(body, /^praxis_auth_url_failing 1$/m);
		assert.equal(JSON.parse((await get(PORT, '/stats')).body).auth_url.failing, 1);
		await fine('docker stop asks && docker rm asks');
	});

	it('lets a client in where the image trusts its authority, as the page has it', async () => {
		const dockerfile = blocks.find(({ text }) => text.startsWith('FROM praxis\n')).text;
		execFileSync('mkdir', ['-p', inDir('own')]);
		writeFileSync(inDir('own/Dockerfile'), dockerfile);
		cpSync(certificates.path('app.pem'), inDir('own/ca.crt'));
		await fine('docker build -t praxis-own own');
		await ask('praxis-own');
		await serves('asks');
		const client = await openV1(praxis, '');
		assert.equal(client.hello.type, 'connection_established');
		assert.equal(client.hello.user.userId, 7);
		await client.close();
	});
});

describe('coturn, as compose.yaml starts it', () => {
	const HOST = '198.51.100.1'; // see `alone`
	const TURN_PORT = 3478;
	const compose = yaml.load(readFileSync(path.join(ROOT, 'compose.yaml'), 'utf8'));
	const { user, entrypoint, command, volumes, tmpfs } = compose.services.coturn;
	const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
	let credentials;

	before(async () => {
		await fine(
			'cp -r "$0/packaging" . && "$0/scripts/compose-secrets" praxis.example.org'.replaceAll(
				'$0',
				ROOT,
			),
		);
		const { code, said } = await shell(
			[
				`docker run -d --name coturn --read-only --cap-drop ALL --user ${user}`,
				...tmpfs.map((target) => `--tmpfs ${target}`),
				...volumes.map((volume) => `-v "$PWD/${volume}"`),
				'-v "$PWD/secrets/turn:/run/secrets/turn:ro"',
				`--entrypoint ${entrypoint[0]} praxis-coturn ${entrypoint[1]}`,
				quoted(command[0].replaceAll('$$', '$')),
			].join(' '),
		);
		assert.equal(code, 0, said);
		await fine(
			`docker run -d --name calls --read-only --cap-drop ALL \
				-e PRAXIS_SECRET_FILE=/run/secrets/token -v "$PWD/secrets/token:/run/secrets/token:ro" \
				-e PRAXIS_TURN_URLS=turn:${HOST}:${TURN_PORT} -e PRAXIS_TURN_SECRET_FILE=/run/secrets/turn \
				-v "$PWD/secrets/turn:/run/secrets/turn:ro" praxis`,
		);
		await serves('calls');
		const client = await member('calls', 7);
		client.send({ type: 'telemedicine_ice_servers' });
		[credentials] = (await client.next('telemedicine_ice_servers')).iceServers;
		await client.close();
	});
	after(() => shell('docker rm -f coturn; docker rm -f calls'));

	// What `use` makes of a client.
	async function withClient(more, use) {
		const client = new TurnClient(HOST, TURN_PORT, { ...credentials, ...more });
		try {
			return await use(client);
		} catch (error) {
			throw new Error(await logOf('coturn'), { cause: error });
		} finally {
			client.close();
		}
	}

	it('takes the credentials that Praxis gives, and relays to nobody inside', () =>
		withClient({}, async (client) => {
			assert.equal(await client.allocate(), 0);
			assert.equal(await client.permit('10.0.0.1'), 403);
			assert.equal(await client.permit('203.0.113.9'), 0);
		}));

	it('takes no others', () =>
		withClient({ credential: 'guessed' }, async (client) => {
			assert.equal(await client.allocate(), 401);
		}));
});
