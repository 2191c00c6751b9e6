// SPDX-License-Identifier: MIT
//
// The end of the server, in whatever it is at: told once, which drains, and twice, which ends at once.
// Each time it ends with 0, no sanitizer speaks, and the last line of the audit log says "stopped".

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { Certificates } from './lib/certificates.mjs';
import { request, Wire } from './lib/http.mjs';
import { enter, token, tokenVhost } from './lib/issuer.mjs';
import { TailStream, tailRequest } from './lib/tail.mjs';
import { BUILD, Praxisd, secret } from './lib/praxisd.mjs';
import { frame, OP, upgradeRequest } from './lib/raw.mjs';
import { webhook } from './lib/receiver.mjs';
import { openV1 } from './lib/resuming.mjs';
import { until } from './lib/wait.mjs';

const SHIM = path.join(BUILD, 'test', 'plugins', 'hanging_names.so');
const update = (data = secret()) => ({ type: 'whiteboard_update', practiceId: 1, data });

const open = []; // what a test has to let go of, in the end

// A back end that takes requests and answers none.
async function silentBackEnd() {
	const server = http.createServer();
	const asked = [];
	server.on('request', (message) => asked.push(message));
	await new Promise((resolve) => {
		server.listen(0, '127.0.0.1', resolve);
	});
	open.push(() => {
		server.closeAllConnections();
		server.close();
	});
	return { url: `http://127.0.0.1:${server.address().port}/`, asked };
}

// A name that hangs: what of the environment makes it, and that it is being looked up.
async function hangingName() {
	const fifo = path.join(tmpdir(), `praxis-names-${process.pid}.fifo`);
	execFileSync('mkfifo', [fifo]);
	let held = null;
	const letGo = () => {
		if (held !== null) {
			closeSync(held);
			held = null;
		}
	};
	open.push(letGo, () => rm(fifo, { force: true }));
	return {
		url: 'http://backend.hangs/',
		env: {
			LD_PRELOAD: SHIM,
			PRAXIS_NAMES_FIFO: fifo,
			ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:verify_asan_link_order=0`,
		},
		isLookedUp: () =>
			until('the name to be looked up', () => {
				try {
					held ??= openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
				} catch (error) {
					assert.equal(error.code, 'ENXIO');
				}
				return held !== null;
			}),
		letGo,
	};
}

async function upgrade(praxis, where = '/ws', headers = {}) {
	const wire = await Wire.open(praxis.port);
	wire.write(upgradeRequest(where, headers));
	open.push(() => wire.close());
	return wire;
}

const authUrl = (url, more = {}) => ({ 'open-practice': undefined, 'auth-url': url, ...more });

// What the server is at: what it is started with, and what brings it there.
const STATES = {
	'with nobody there': async () => ({}),
	'while auth-url is asked': async () => {
		const backEnd = await silentBackEnd();
		return {
			options: { vhost: authUrl(backEnd.url) },
			async enter(praxis) {
				await Promise.all([upgrade(praxis), upgrade(praxis), upgrade(praxis)]);
				await until('the questions', () => backEnd.asked.length === 3);
			},
		};
	},
	'while auth-url is asked by somebody who has gone meanwhile': async () => {
		const backEnd = await silentBackEnd();
		return {
			options: { vhost: authUrl(backEnd.url) },
			async enter(praxis) {
				const wires = await Promise.all([upgrade(praxis), upgrade(praxis)]);
				await until('the questions', () => backEnd.asked.length === 2);
				wires[0].close();
			},
		};
	},
	"while auth-url's name is looked up": async () => {
		const name = await hangingName();
		return {
			options: { vhost: authUrl(name.url), env: name.env },
			async enter(praxis) {
				await Promise.all([upgrade(praxis), upgrade(praxis), upgrade(praxis)]);
				await name.isLookedUp();
			},
		};
	},
	"while auth-url's name is looked up, and in vain just then": async () => {
		const name = await hangingName();
		return {
			options: { vhost: authUrl(name.url), env: name.env },
			async enter(praxis) {
				await Promise.all([upgrade(praxis), upgrade(praxis), upgrade(praxis)]);
				await name.isLookedUp();
			},
			once: name.letGo,
		};
	},
	"when auth-url's name was looked up for too long": async () => {
		const name = await hangingName();
		return {
			options: { vhost: authUrl(name.url, { 'auth-timeout-ms': 1000 }), env: name.env },
			async enter(praxis) {
				const wire = await upgrade(praxis);
				await name.isLookedUp();
				assert.equal((await wire.response()).status, 101);
				await until('it to be given up', async () => {
					return (await praxis.stats()).connections === 1;
				});
			},
		};
	},
	'while a webhook is under way': async () => {
		const backEnd = await silentBackEnd();
		return {
			options: { vhost: tokenVhost({}, webhook(backEnd.url)) },
			async enter(praxis) {
				await enter(praxis);
				await enter(praxis, { practices: [2] });
				await until('them', () => backEnd.asked.length === 2);
			},
		};
	},
	'while the name of the webhook is looked up': async () => {
		const name = await hangingName();
		return {
			options: { vhost: tokenVhost({}, webhook(name.url)), env: name.env },
			async enter(praxis) {
				await enter(praxis);
				await name.isLookedUp();
			},
		};
	},
	'while a tail stream runs': async () => ({
		options: { vhost: tokenVhost() },
		async enter(praxis) {
			const tail = await TailStream.open(praxis, { practices: [1] }, { practiceId: 1 });
			const ann = await enter(praxis);
			await ann.accepted(update());
			await tail.next();
		},
	}),
	'while a tail stream runs that is not read': async () => ({
		options: { vhost: tokenVhost(), global: { 'send-buffer-bytes': 4096 } },
		async enter(praxis) {
			const wire = await Wire.open(praxis.port);
			wire.write(await tailRequest({ practices: [1] }, { practiceId: 1 }));
			wire.socket.pause();
			open.push(() => wire.close());
			const ann = await enter(praxis);
			for (let i = 0; i < 300; i++) {
				await ann.accepted(update());
			}
		},
	}),
	'during TLS handshakes': async () => {
		const certificates = await Certificates.make();
		await certificates.issue('server');
		open.push(() => certificates.remove());
		return {
			options: {
				vhost: {
					'host-ssl-cert': certificates.path('server.pem'),
					'host-ssl-key': certificates.path('server.key'),
				},
			},
			async enter(praxis) {
				// Nothing, the first bytes of a ClientHello, and what is none.
				for (const bytes of [
					'',
					'\x16\x03\x01\x02\x00\x01',
					'\x16\x03\x01\x00\x04\x01\x00\x00\x00',
				]) {
					const wire = await Wire.open(praxis.port);
					wire.write(Buffer.from(bytes, 'latin1'));
					open.push(() => wire.close());
				}
			},
		};
	},
	'while PROXY headers are to come': async () => ({
		options: { vhost: { 'proxy-protocol': true, 'trusted-proxies': ['127.0.0.1'] } },
		async enter(praxis) {
			for (const text of [
				'',
				'PROXY TCP4 1',
				'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET /hea',
			]) {
				const wire = await Wire.open(praxis.port);
				wire.write(text);
				open.push(() => wire.close());
			}
		},
	}),
	'in the middle of requests, of an upgrade and of a message': async () => ({
		options: { vhost: tokenVhost() },
		async enter(praxis) {
			for (const text of [
				'GET /ws HTTP/1.1\r\nHost: x',
				request('POST', '/api/v1/publish', {
					Authorization: `Bearer ${await token({ role: 'service' })}`,
					'Content-Type': 'application/json',
					'Content-Length': 100,
				}) + '{',
				request('GET', '/health'),
			]) {
				const wire = await Wire.open(praxis.port);
				wire.write(text);
				open.push(() => wire.close());
			}
			const ann = await enter(praxis);
			ann.write(frame(OP.text, '{"type":', { announce: 100 }));
		},
	}),
	'while sessions wait to be resumed': async () => ({
		options: { global: { 'grace-ms': 60_000 } },
		async enter(praxis) {
			const ann = await openV1(praxis);
			const bob = await openV1(praxis);
			await ann.kill();
			await until('a session without a connection', async () => {
				return (await praxis.stats()).resume.detached === 1;
			});
			await bob.accepted(update());
		},
	}),
	'while it reloads': async () => ({
		async enter(praxis) {
			await praxis.connect();
			praxis.signal('SIGHUP');
		},
	}),
	'while a vhost retires that asks its auth-url': async () => {
		const backEnd = await silentBackEnd();
		return {
			options: { vhost: authUrl(backEnd.url) },
			async enter(praxis) {
				await upgrade(praxis);
				await until('the question', () => backEnd.asked.length === 1);
				const file = path.join(praxis.dir, 'conf.d/00-default.json');
				const config = JSON.parse(await readFile(file, 'utf8'));
				config.vhosts[0].tenant = 'another';
				await writeFile(file, JSON.stringify(config));
				praxis.signal('SIGHUP');
				await praxis.logged(/configuration reloaded/);
			},
		};
	},
	'while one does not read': async () => ({
		options: { global: { 'queue-bytes': 1 << 20, 'send-buffer-bytes': 4096 } },
		async enter(praxis) {
			const [ann, slow] = [await praxis.connect(), await praxis.connectRaw()];
			slow.socket.pause();
			open.push(() => slow.kill());
			const fill = secret().padEnd(30_000, 'x');
			await until('messages wait for the slow one', async () => {
				await ann.accepted(update(fill));
				return (await praxis.stats()).queue_bytes > 0;
			});
		},
	}),
};

const TOLD = {
	once: async () => {},
	twice: async (praxis) => {
		await Promise.race([praxis.logged(/draining/), praxis.exited]);
		praxis.signal('SIGTERM');
	},
	'again and again': async (praxis) => {
		while (!praxis.exit) {
			praxis.signal('SIGTERM');
			praxis.signal('SIGHUP');
			await new Promise((resolve) => {
				setImmediate(resolve);
			});
		}
	},
};

describe('the server ends', () => {
	let praxis;

	afterEach(async () => {
		await praxis?.kill();
		for (const letGo of open.splice(0)) {
			await letGo();
		}
	});

	for (const [what, make] of Object.entries(STATES)) {
		for (const [how, insist] of Object.entries(TOLD)) {
			it(`${what}, told ${how}`, async () => {
				const state = await make();
				const auditLog = path.join(tmpdir(), `praxis-audit-${process.pid}.jsonl`);
				open.push(() => rm(auditLog, { force: true }));
				open.push(() => rm(`${auditLog}.head`, { force: true }));
				praxis = await new Praxisd().start({
					...state.options,
					global: {
						'drain-deadline-ms': 1000,
						'auth-failures': 0,
						audit: { file: auditLog, sync: 'line' },
						'state-file': 'state',
						...state.options?.global,
					},
				});
				await state.enter?.(praxis);
				praxis.signal('SIGTERM');
				state.once?.();
				await insist(praxis);
				await praxis.ended();
				const lines = (await readFile(auditLog, 'utf8')).trim().split('\n');
				assert.equal(JSON.parse(lines.at(-1)).event, 'stopped');
			});
		}
	}
});
