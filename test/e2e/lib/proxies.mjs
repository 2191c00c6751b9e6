// SPDX-License-Identifier: MIT
//
// Real nginx and HAProxy in front of a server, each with a directory and a free port of its own.

import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from './ports.mjs';
import { until, within } from './wait.mjs';

const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;

function isListening(port) {
	return new Promise((resolve) => {
		const socket = net.connect({ port, host: '127.0.0.1' });
		socket.once('connect', () => {
			socket.destroy();
			resolve(true);
		});
		socket.once('error', () => resolve(false));
	});
}

// `text`: (port, dir) → its configuration. Resolves to { port, signal, stop } when it listens.
async function start(command, args, text) {
	const dir = await mkdtemp(path.join(tmpdir(), 'praxis-proxy-'));
	const port = await freePort();
	const file = path.join(dir, 'proxy.conf');
	await writeFile(file, text(port, dir));
	const child = spawn(command, args(file, dir), { env: { ...process.env, PATH } });
	let log = '';
	for (const stream of [child.stdout, child.stderr]) {
		stream.setEncoding('utf8').on('data', (piece) => {
			log += piece;
		});
	}
	const ended = new Promise((resolve) => {
		child.once('error', resolve);
		child.once('close', resolve);
	});
	const broken = ended.then(() => {
		throw new Error(`${command} ended: ${log}`);
	});
	broken.catch(() => {}); // where nobody waits any more
	await Promise.race([until(`${command} listens`, () => isListening(port)), broken]);
	return {
		port,
		signal: (name) => child.kill(name),
		stop: async () => {
			child.kill('SIGTERM');
			await within(ended, `the end of ${command}`);
			await rm(dir, { recursive: true, force: true });
		},
	};
}

// Its master reads the configuration anew on SIGHUP, and what the old worker still has it cuts off.
const master = `
			${process.getuid() === 0 ? 'user root;' : ''}
			worker_processes 1;
			worker_shutdown_timeout 100ms;`;

// `location`: what stands in the one location beside proxy_pass; `tls`: { cert, key }, files of PEM;
// `reloads`: with a master, to which SIGHUP may be sent.
export function startNginx(target, location, { tls, reloads = false } = {}) {
	return start(
		'nginx',
		(file, dir) => ['-c', file, '-p', dir, '-e', 'stderr'],
		(port, dir) => `
			daemon off;
			${reloads ? master : 'master_process off;'}
			pid ${dir}/pid;
			error_log stderr;
			events {}
			http {
				access_log off;
				client_body_temp_path ${dir}/body;
				proxy_temp_path ${dir}/proxy;
				fastcgi_temp_path ${dir}/fastcgi;
				uwsgi_temp_path ${dir}/uwsgi;
				scgi_temp_path ${dir}/scgi;
				server {
					listen 127.0.0.1:${port}${tls ? ' ssl' : ''};
					${tls ? `ssl_certificate ${tls.cert}; ssl_certificate_key ${tls.key};` : ''}
					location / {
						proxy_pass http://127.0.0.1:${target};
						proxy_http_version 1.1;
						proxy_set_header Upgrade $http_upgrade;
						proxy_set_header Connection $http_connection;
						${location}
					}
				}
			}
		`,
	);
}

// `target`: a port, or several that get a connection each in turn; `mode`: "tcp" where bytes are
// passed on as they are; `bind` and `server`: what stands behind the address in these lines; `more`:
// lines of the listener.
export function startHaproxy(target, { mode = 'http', bind = '', server = '', more = '' } = {}) {
	const servers = [target]
		.flat()
		.map((port, at) => `\tserver praxis${at} 127.0.0.1:${port} ${server}`);
	return start(
		'haproxy',
		(file) => ['-db', '-f', file],
		(port) => `
defaults
	mode ${mode}
	timeout connect 5s
	timeout client 30s
	timeout server 30s
listen praxis
	bind 127.0.0.1:${port} ${bind}
	balance roundrobin
	${more}
${servers.join('\n')}
`,
	);
}
