// SPDX-License-Identifier: MIT
//
// The servers that the benchmark compares, each started on a loopback port of its own, on CPU 0,
// with a configuration in a directory of the benchmark's. A peer that is not installed is left out,
// in words; scripts/bench-peers installs them.

import { execFileSync, spawn } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../e2e/lib/ports.mjs';
import { writeTokens } from './tokens.mjs';

export const HOST = '127.0.0.1';
const START_MS = 10_000;
const STOP_MS = 10_000;
const NCHAN = '/usr/lib/nginx/modules/ngx_nchan_module.so';
const DESCRIPTORS = 65_536;

export class BenchError extends Error {}

const children = new Set();

process.on('exit', () => {
	for (const child of children) {
		child.kill('SIGKILL');
	}
});

// Starts a program on one CPU where the machine has two; it is killed with us whatever happens.
export function start(cpu, file, args, stdio) {
	const pin = availableParallelism() > 1 ? ['taskset', '-c', String(cpu)] : [];
	const [command, ...rest] = [...pin, file, ...args];
	const child = spawn(command, rest, { stdio });
	children.add(child);
	child.ended = new Promise((resolve) => {
		child.once('error', (error) => resolve({ error }));
		child.once('close', (code, signal) => resolve({ code, signal }));
	}).then((how) => {
		children.delete(child);
		child.how = how;
		return how;
	});
	return child;
}

export function describe({ error, code, signal }) {
	return error ? `could not be started: ${error.message}` : `ended with ${signal ?? code}`;
}

function find(program) {
	const dirs = [...process.env.PATH.split(':'), '/usr/sbin', '/usr/local/sbin'];
	return dirs
		.map((dir) => path.join(dir, program))
		.find((file) => {
			try {
				accessSync(file, constants.X_OK);
				return true;
			} catch {
				return false;
			}
		});
}

// A plugin is in the plugins' directory or in one of its own below.
function pluginDirs(build) {
	const top = path.join(build, 'plugins');
	if (!existsSync(top)) {
		throw new BenchError(`${top} does not exist: is --build right?`);
	}
	const below = readdirSync(top, { withFileTypes: true })
		.filter(
			(entry) => entry.isDirectory() && ['telemedicine', 'whiteboard'].includes(entry.name),
		)
		.map((entry) => path.join(top, entry.name));
	return [top, ...below].filter((dir) => readdirSync(dir).some((name) => name.endsWith('.so')));
}

async function praxis(options, port, { alg, wide, tls } = {}) {
	const global = {
		'plugin-dir': pluginDirs(options.build),
		'log-level': 'warning',
		// What is measured is what the server can, not what a client may.
		'max-connections-per-address': 0,
		'connections-per-second-per-address': 0,
		'messages-per-second': 0,
		'bytes-per-second': 0,
		'max-connections-per-user': 0,
		'max-channels': 1_000_000,
	};
	const vhost = {
		name: 'default',
		port,
		interface: HOST,
		'ws-protocols': [
			{ telemedicine: { status: 'ok', 'room-members': '1000' } },
			{ whiteboard: { status: 'ok' } },
		],
		...(alg && { tokens: writeTokens(options.config, alg, wide) }),
		...(tls && {
			'host-ssl-cert': options.certificates.path('server.pem'),
			'host-ssl-key': options.certificates.path('server.key'),
		}),
	};
	const conf = path.join(options.config, 'conf.d');
	await mkdir(conf, { recursive: true });
	await writeFile(path.join(options.config, 'praxis.json'), JSON.stringify({ global }));
	await writeFile(path.join(conf, 'bench.json'), JSON.stringify({ vhosts: [vhost] }));
	return [options.praxisd, ['--config', options.config]];
}

function node(options, port, { alg, tls } = {}) {
	const tokens = alg ? writeTokens(options.config, alg) : {};
	const args = [fileURLToPath(new URL('node-server.mjs', import.meta.url)), String(port)];
	if (alg) {
		args.push(
			...(tokens['secret-file']
				? ['--secret', tokens['secret-file']]
				: ['--jwks', tokens['jwks-file']]),
		);
	}
	if (tls) {
		args.push('--cert', options.certificates.path('server.pem'));
		args.push('--key', options.certificates.path('server.key'));
	}
	return [process.execPath, args];
}

async function nchan(options, port, { tls } = {}) {
	const file = path.join(options.config, 'nginx.conf');
	const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
		.map((name) => `${name}_temp_path ${options.config}/${name};`)
		.join('\n\t');
	const secure = tls
		? `ssl_certificate ${options.certificates.path('server.pem')};
		ssl_certificate_key ${options.certificates.path('server.key')};
		ssl_session_cache off;`
		: '';
	await writeFile(
		file,
		`load_module ${NCHAN};
daemon off;
master_process off;
worker_rlimit_nofile ${options.descriptors};
pid ${options.config}/nginx.pid;
error_log stderr error;
events { worker_connections ${options.descriptors - 500}; }
http {
	access_log off;
	${temporary}
	nchan_shared_memory_size 256m;
	server {
		listen ${HOST}:${port} backlog=4096${tls ? ' ssl' : ''};
		${secure}
		location ~ ^/room/(\\w+)$ {
			nchan_pubsub websocket;
			nchan_channel_id $1;
			nchan_store_messages off;
			nchan_subscriber_first_message newest;
		}
	}
}
`,
	);
	return [find('nginx'), ['-c', file]];
}

async function mosquitto(options, port) {
	const file = path.join(options.config, 'mosquitto.conf');
	await writeFile(
		file,
		`allow_anonymous true
persistence false
log_dest none
max_queued_messages 0
max_inflight_messages 0
set_tcp_nodelay true
listener ${await freePort()} ${HOST}
listener ${port} ${HOST}
socket_domain ipv4
protocol websockets
`,
	);
	return [find('mosquitto'), ['-c', file]];
}

// `missing`: why it cannot run here; undefined: it can. `ends`: whether it has ended as it should
// when told to.
export const SERVERS = {
	praxis: { title: 'Praxis', command: praxis, ends: ({ code }) => code === 0 },
	floor: {
		title: 'floor',
		command: (options, port) => [options.floor, [String(port)]],
		ends: ({ signal }) => signal === 'SIGTERM',
	},
	nchan: {
		title: 'nchan',
		command: nchan,
		missing: () =>
			find('nginx') && existsSync(NCHAN) ? undefined : 'nginx with nchan is not installed',
		signal: 'SIGKILL', // a single process of nginx with nchan frees twice when it ends
		ends: () => true,
	},
	mosquitto: {
		title: 'Mosquitto',
		command: mosquitto,
		missing: () => (find('mosquitto') ? undefined : 'mosquitto is not installed'),
		ends: ({ code }) => code === 0,
	},
	node: {
		title: 'Node, ws',
		command: node,
		missing: () =>
			existsSync(new URL('../e2e/node_modules/ws', import.meta.url))
				? undefined
				: "test/e2e's packages are not installed (npm ci)",
		ends: ({ signal }) => signal === 'SIGTERM',
	},
};

// How many descriptors a program of ours may have, at most what the benchmark needs.
export function descriptors() {
	const hard = execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim();
	return hard === 'unlimited' ? DESCRIPTORS : Math.min(Number(hard), DESCRIPTORS);
}

function pause(ms) {
	return new Promise((resolve) => {
		setTimeout(resolve, ms);
	});
}

function answers(port) {
	return new Promise((resolve) => {
		const socket = connect(port, HOST);
		socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
		socket.once('connect', () => socket.destroy());
	});
}

// A server that accepts connections; `setup`: alg, wide, tls.
export async function startServer(name, options, setup) {
	const port = await freePort();
	const [file, args] = await SERVERS[name].command(options, port, setup);
	const child = start(0, file, args, ['ignore', 'ignore', 2]);
	for (const end = Date.now() + START_MS; !(await answers(port));) {
		if (child.how) {
			throw new BenchError(`${name} ${describe(child.how)}`);
		}
		if (Date.now() > end) {
			throw new BenchError(`${name} does not listen on port ${port}`);
		}
		await pause(20);
	}
	return { port, pid: child.pid, stop: () => stopChild(name, child) };
}

// Ends a server with SIGTERM. Praxis must end with 0, which is also how a sanitizer's complaint is
// noticed.
async function stopChild(name, child) {
	child.kill(SERVERS[name].signal ?? 'SIGTERM');
	let killed = false;
	const timer = setTimeout(() => {
		killed = true;
		child.kill('SIGKILL');
	}, STOP_MS);
	await child.ended;
	clearTimeout(timer);
	if (killed) {
		console.error(`${name} did not end within ${STOP_MS / 1000} s and was killed`);
	} else if (!SERVERS[name].ends(child.how)) {
		throw new BenchError(`${name} ${describe(child.how)}`);
	}
}
