// SPDX-License-Identifier: MIT
//
// auth-url: the application's back end decides who a client is. It is an HTTP server in this
// process that each test makes answer as it wants, with whatever a back end can do wrong.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Certificates } from './lib/certificates.mjs';
import { get } from './lib/http.mjs';
import { claimsOf, token } from './lib/issuer.mjs';
import { BUILD, itEnds, Praxisd, runPraxisd, secret, usePraxisd } from './lib/praxisd.mjs';
import { OP } from './lib/raw.mjs';
import { nothingArrived } from './lib/session.mjs';
import { until } from './lib/wait.mjs';

// libcurl believes that the system's certificates are where there are none.
const PRELOAD = {
	LD_PRELOAD: path.join(BUILD, 'test', 'plugins', 'no_certificates.so'),
	ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:verify_asan_link_order=0`,
	PRAXIS_CERTIFICATES: '/nonexistent/ca.crt',
};

class BackEnd {
	requests = [];
	answer = (request, response) => response.end('{}');
	#waiting = [];

	async listen() {
		this.server = http.createServer((request, response) => {
			response.on('error', () => {});
			this.requests.push(request);
			this.#waiting.splice(0).forEach((wake) => wake());
			this.answer(request, response);
		});
		await new Promise((resolve) => {
			this.server.listen(0, '127.0.0.1', resolve);
		});
		return `http://127.0.0.1:${this.server.address().port}/who?x=1`;
	}

	// Claims, or a status.
	answers(what) {
		this.answer = (request, response) => {
			if (typeof what === 'number') {
				response.writeHead(what).end();
			} else {
				response.end(typeof what === 'string' ? what : JSON.stringify(what));
			}
		};
	}

	asked(count) {
		return until(`${count} questions`, () => this.requests.length >= count);
	}

	close() {
		this.server.closeAllConnections();
		this.server.close();
	}
}

const update = (data = secret()) => ({ type: 'whiteboard_update', practiceId: 1, data });

// The code of the server's close frame, as soon as it is here.
async function closeCode(client) {
	const { payload } = await client.nextFrame(OP.close);
	return payload.readUInt16BE(0);
}

function use(vhost = {}, global = {}) {
	const backEnd = new BackEnd();
	let url;
	before(async () => {
		url = await backEnd.listen();
	});
	const praxis = usePraxisd(async () => ({
		global: { 'auth-failures': 0, ...global },
		vhost: { 'open-practice': undefined, 'auth-url': url, ...vhost },
	}));
	after(() => backEnd.close());
	return { backEnd, praxis };
}

async function letIn(praxis, backEnd, more = {}, headers = {}) {
	const claims = claimsOf({ exp: undefined, ...more });
	backEnd.answers(claims);
	const client = await praxis.open('/ws', { headers });
	client.hello = await client.next('connection_established');
	client.claims = claims;
	return client;
}

describe('the application decides', () => {
	const { backEnd, praxis } = use({ origins: ['https://app.example.org'] });

	it('and lets a client in with 200 and claims', async () => {
		const client = await letIn(praxis, backEnd, { sub: 7 });
		assert.deepEqual(client.hello.user, {
			userId: 7,
			userName: client.claims.name,
			role: 'staff',
			practices: [1],
		});
		const other = await letIn(praxis, backEnd);
		await client.accepted(update());
		await other.next('whiteboard_update');
	});

	it('from what the client brought: cookie, authorization, origin, address', async () => {
		const headers = {
			Cookie: `session=${secret('cookie')}; b=c`,
			Authorization: `Bearer ${secret('token')}`,
			Origin: 'https://app.example.org',
			'X-Forwarded-For': '192.0.2.1',
			'X-Secret': 'not yours',
		};
		const before = backEnd.requests.length;
		await letIn(praxis, backEnd, {}, headers);
		const asked = backEnd.requests.slice(before);
		assert.equal(asked.length, 1);
		assert.equal(asked[0].method, 'GET');
		assert.equal(asked[0].url, '/who?x=1');
		assert.equal(asked[0].headers.cookie, headers.Cookie);
		assert.equal(asked[0].headers.authorization, headers.Authorization);
		assert.equal(asked[0].headers.origin, headers.Origin);
		assert.equal(asked[0].headers['x-forwarded-for'], '127.0.0.1');
		assert.equal(asked[0].headers['x-secret'], undefined);
	});

	it('and an Origin that is not on the list does not get as far', async () => {
		const before = backEnd.requests.length;
		await assert.rejects(praxis.open('/ws', { headers: { Origin: 'https://evil.example' } }));
		assert.equal(backEnd.requests.length, before);
	});

	for (const status of [401, 403]) {
		it(`and ${status} is a bad token`, async () => {
			backEnd.answers(status);
			const client = await praxis.open('/ws');
			const error = await client.next();
			assert.equal(error.type, 'error');
			assert.equal(error.code, 'unauthenticated');
			assert.equal((await client.closing()).code, 4401);
		});
	}

	for (const [name, answer] of [
		['500', 500],
		['404', 404],
		['204', 204],
		['201', (request, response) => response.writeHead(201).end(JSON.stringify(claimsOf()))],
		[
			'a redirect',
			(request, response) =>
				response.writeHead(302, { Location: '/elsewhere' }).end(JSON.stringify(claimsOf())),
		],
		['broken JSON', '{"sub":"x","role":"staff"'],
		['no JSON', '<html>'],
		['nothing', ''],
		['an array', '[]'],
		['claims that are none', '{"sub":{},"role":"staff"}'],
		['claims without a user', '{"role":"staff"}'],
		['a claim that comes twice', '{"sub":"a","sub":"b","role":"staff"}'],
		['practices as an object', '{"sub":"a","role":"staff","practices":{}}'],
		['no HTTP', (request) => request.socket.end('SSH-2.0-x\r\n')],
		['an end instead of an answer', (request) => request.socket.destroy()],
		[
			'half an answer',
			(request, response) => {
				response.writeHead(200, { 'Content-Length': 1000 });
				response.write('{"sub":', () => request.socket.destroy());
			},
		],
	]) {
		it(`and ${name} is none: 1013`, async () => {
			if (typeof answer === 'function') {
				backEnd.answer = answer;
			} else {
				backEnd.answers(answer);
			}
			const client = await praxis.open('/ws');
			assert.equal(await closeCode(client), 1013);
			assert.equal(client.inbox.size, 0, 'nobody is let in');
		});
	}

	it('and the time that it asks for is told', async () => {
		backEnd.answer = (request, response) =>
			response.writeHead(503, { 'Retry-After': '7' }).end();
		const client = await praxis.open('/ws');
		const error = await client.next('error');
		assert.deepEqual([error.code, error.retryAfterMs], ['unavailable', 7000]);
		assert.equal((await client.closing()).code, 1013);
	});

	it('and a connection that is closed with 1013 ends at once', async () => {
		backEnd.answers(500);
		const client = await praxis.open('/ws');
		assert.equal(await closeCode(client), 1013);
		assert.equal((await client.closing(2000)).code, 1013);
	});

	it('and what the client sends meanwhile is not lost', async () => {
		const ann = await letIn(praxis, backEnd);
		const asked = backEnd.requests.length + 1;
		const answers = [];
		backEnd.answer = (request, response) => answers.push(response);
		const client = await praxis.open('/ws');
		for (let i = 0; i < 20; i++) {
			client.send(update(i));
		}
		await backEnd.asked(asked);
		await ann.fence(); // the loop is not blocked
		await nothingArrived([ann]);
		answers[0].end(JSON.stringify(claimsOf({ exp: undefined })));
		await client.next('connection_established');
		for (let i = 0; i < 20; i++) {
			assert.equal((await ann.next('whiteboard_update')).data, i);
		}
	});

	it('and a client that goes before the answer leaves nothing behind', async () => {
		const asked = backEnd.requests.length + 1;
		let response;
		backEnd.answer = (_, it) => {
			response = it;
		};
		const client = await praxis.open('/ws');
		await backEnd.asked(asked);
		await client.kill();
		await until('its end', async () => (await praxis.stats()).connections <= 1);
		response.end(JSON.stringify(claimsOf()));
	});

	it('and claims that expire end the session', async () => {
		const exp = Math.floor(Date.now() / 1000) + 4 - 30; // with 30 s for clocks that differ
		const client = await letIn(praxis, backEnd, { exp });
		await client.next('auth_expiring');
		assert.equal((await client.next('error')).code, 'token_expired');
		assert.equal((await client.closing()).code, 4401);
	});

	itEnds(praxis);
});

describe('an application that takes its time', () => {
	const { backEnd, praxis } = use({ 'auth-timeout-ms': 1500, 'auth-max': 3 });
	const MOST_MIB = 64;

	for (const [name, answer] of [
		['hangs', () => {}],
		[
			'hangs within its answer',
			(request, response) => {
				response.writeHead(200);
				response.write('{"sub":');
			},
		],
		[
			'sends a byte now and then',
			(request, response) => {
				const timer = setInterval(() => response.write(' '), 50);
				response.on('close', () => clearInterval(timer));
			},
		],
		[
			'sends a gigabyte',
			(request, response) => {
				const block = Buffer.alloc(1 << 20, ' ');
				let sent = 0;
				const more = () => {
					while (sent < 1024 && !response.destroyed) {
						assert.ok(sent++ < MOST_MIB, 'it is cut off long before');
						if (!response.write(block)) {
							return;
						}
					}
				};
				response.on('drain', more);
				more();
			},
		],
		[
			'announces a gigabyte',
			(request, response) => {
				response.writeHead(200, { 'Content-Length': 1 << 30 });
				response.write('{');
			},
		],
	]) {
		it(`and ${name} is given up: 1013, and nobody else waits`, async () => {
			const ann = await letIn(praxis, backEnd);
			const asked = backEnd.requests.length + 1;
			backEnd.answer = answer;
			const client = await praxis.open('/ws');
			let isOpen = true;
			const code = closeCode(client).finally(() => {
				isOpen = false;
			});
			await backEnd.asked(asked);
			for (let i = 0; i < 3 && isOpen; i++) {
				await ann.fence();
			}
			assert.ok(isOpen || /gigabyte/.test(name), 'pings are answered while it is waited for');
			assert.equal(await code, 1013);
		});
	}

	it('is asked by so many at a time and no more', async () => {
		const ann = await letIn(praxis, backEnd);
		const asked = backEnd.requests.length;
		const answers = [];
		backEnd.answer = (request, response) => answers.push(response);
		const waiting = [];
		for (let i = 0; i < 3; i++) {
			waiting.push(await praxis.open('/ws'));
		}
		await backEnd.asked(asked + 3);
		const fourth = await praxis.open('/ws');
		assert.equal(await closeCode(fourth), 1013);
		assert.equal(backEnd.requests.length, asked + 3);
		await ann.fence();
		answers.forEach((response) => response.end(JSON.stringify(claimsOf({ exp: undefined }))));
		for (const client of waiting) {
			await client.next('connection_established');
		}
		await letIn(praxis, backEnd);
	});

	itEnds(praxis);
});

describe('an application that fails', () => {
	const { backEnd, praxis } = use({ 'auth-max': 1 });
	const figures = async () => (await praxis.stats()).auth_url;
	const lines = (pattern) => praxis.log.split('\n').filter((line) => pattern.test(line));

	async function metrics() {
		const { body } = await get(praxis.port, '/metrics');
		return (name) =>
			Number(
				body
					.split('\n')
					.find((line) => line.startsWith(`${name} `))
					?.split(' ')[1],
			);
	}

	async function turnedAway() {
		const client = await praxis.open('/ws');
		assert.equal(await closeCode(client), 1013);
	}

	it('is told of once, and once when it answers again', async () => {
		assert.deepEqual(await figures(), {
			accepted: 0,
			refused: 0,
			unusable: 0,
			failed: 0,
			busy: 0,
			failing: 0,
		});
		backEnd.answers(500);
		await turnedAway();
		await praxis.logged(
			/warning: auth-url of vhost default: the answer is 500; clients are closed with 1013/,
		);
		await turnedAway();
		backEnd.answers('[]');
		await turnedAway();
		backEnd.answer = (request) => request.socket.destroy();
		await turnedAway();
		assert.deepEqual(await figures(), {
			accepted: 0,
			refused: 0,
			unusable: 3,
			failed: 1,
			busy: 0,
			failing: 1,
		});
		assert.equal((await metrics())('praxis_auth_url_failing'), 1);
		await letIn(praxis, backEnd);
		await praxis.logged(
			/notice: auth-url of vhost default: the application answers again; 4 clients were closed/,
		);
		const now = await metrics();
		assert.equal(now('praxis_auth_url_failing'), 0);
		assert.equal(now('praxis_auth_url_requests_total{result="unusable"}'), 3);
		assert.equal(now('praxis_auth_url_requests_total{result="accepted"}'), 1);
	});

	it('again and again is no flood of lines, and the figures have it', async () => {
		for (let i = 0; i < 5; i++) {
			backEnd.answers(500);
			await turnedAway();
			assert.equal((await figures()).failing, 1);
			backEnd.answers(401);
			const client = await praxis.open('/ws');
			assert.equal((await client.closing()).code, 4401);
			assert.equal((await figures()).failing, 0);
		}
		assert.equal(lines(/auth-url of vhost/).length, 2, praxis.log);
		assert.equal((await figures()).refused, 5);
	});

	it('for want of places is counted apart', async () => {
		const answers = [];
		const asked = backEnd.requests.length;
		backEnd.answer = (request, response) => answers.push(response);
		const waiting = await praxis.open('/ws');
		await backEnd.asked(asked + 1);
		await turnedAway();
		const { busy, failing } = await figures();
		assert.deepEqual({ busy, failing }, { busy: 1, failing: 1 });
		answers[0].end(JSON.stringify(claimsOf({ exp: undefined })));
		await waiting.next('connection_established');
		assert.equal((await figures()).failing, 0);
	});

	it('is logged without where it is, and without what anybody said', () => {
		assert.doesNotMatch(praxis.log, /\/who|x=1/);
	});

	itEnds(praxis);
});

describe('an application that nobody vouches for', () => {
	const praxis = new Praxisd();
	let certificates;
	let server;

	before(async () => {
		certificates = await Certificates.make();
		await certificates.issue('app', { names: 'DNS:localhost' });
		server = https.createServer({
			cert: await readFile(certificates.path('app.pem')),
			key: await readFile(certificates.path('app.key')),
		});
		await new Promise((resolve) => {
			server.listen(0, '127.0.0.1', resolve);
		});
		const url = `https://localhost:${server.address().port}/who`;
		await praxis.start({
			vhost: { 'open-practice': undefined, 'auth-url': url },
			env: PRELOAD,
		});
	});
	after(async () => {
		await praxis.kill();
		server.close();
		await certificates.remove();
	});

	it('is told of, and that the system has no certificates was told at the start', async () => {
		assert.match(
			praxis.log,
			/"auth-url": \/nonexistent\/ca\.crt has no certificates: no https server will be trusted/,
		);
		const client = await praxis.open('/ws');
		assert.equal(await closeCode(client), 1013);
		await praxis.logged(
			/auth-url of vhost default: the back end's certificate is not trusted;/,
		);
	});

	it('is told of by --check-config, and is no error', async () => {
		const { code, stderr } = await runPraxisd(
			['--check-config', '--config', praxis.dir],
			PRELOAD,
		);
		assert.equal(code, 0, stderr);
		assert.match(stderr, /warning: .*"auth-url": .* has no certificates/);
	});

	itEnds(praxis);
});

describe('auth-cache-s', () => {
	const { backEnd, praxis } = use({ 'auth-cache-s': 60 });

	it('asks once for the same cookie, and anew for another', async () => {
		const headers = { Cookie: 'session=1' };
		const first = await letIn(praxis, backEnd, { sub: 'first' }, headers);
		const second = await letIn(praxis, backEnd, { sub: 'second' }, headers);
		assert.equal(first.hello.user.userId, 'first');
		assert.equal(second.hello.user.userId, 'first');
		assert.equal(backEnd.requests.length, 1);
		const third = await letIn(praxis, backEnd, { sub: 'third' }, { Cookie: 'session=2' });
		assert.equal(third.hello.user.userId, 'third');
		const fourth = await letIn(
			praxis,
			backEnd,
			{ sub: 'fourth' },
			{
				...headers,
				Authorization: 'Bearer x',
			},
		);
		assert.equal(fourth.hello.user.userId, 'fourth');
	});

	it('does not keep what was no answer', async () => {
		const headers = { Cookie: 'session=ill' };
		backEnd.answers(500);
		assert.equal(await closeCode(await praxis.open('/ws', { headers })), 1013);
		await letIn(praxis, backEnd, {}, headers);
	});

	itEnds(praxis);
});

describe('an application that says no', () => {
	const { praxis, backEnd } = use({}, { 'auth-failures': 3 });

	it('locks nobody out who has another cookie', async () => {
		backEnd.answers(401);
		for (let i = 0; i < 20; i++) {
			const client = await praxis.open('/ws');
			await client.next('error');
			assert.equal((await client.closing()).code, 4401);
		}
		assert.equal((await praxis.stats()).locked_addresses, 0);
		await letIn(praxis, backEnd);
	});

	itEnds(praxis);
});

describe('without a cache', () => {
	const { backEnd, praxis } = use();

	it('every client is asked for', async () => {
		for (let i = 1; i <= 3; i++) {
			await letIn(praxis, backEnd, {}, { Cookie: 'session=1' });
			assert.equal(backEnd.requests.length, i);
		}
	});

	it('a token is no way in: it is the application’s to judge', async () => {
		backEnd.answers(401);
		const headers = { Authorization: `Bearer ${await token()}` };
		const client = await praxis.open('/ws', { headers });
		assert.equal((await client.next()).code, 'unauthenticated');
		assert.equal((await client.closing()).code, 4401);
	});

	it('is closed with 1013 where nobody answers at all', async () => {
		backEnd.close();
		const client = await praxis.open('/ws');
		assert.equal(await closeCode(client), 1013);
	});

	itEnds(praxis);
});
