// SPDX-License-Identifier: MIT
//
// Plain HTTP on the same port: the three pages of the server, static files, and what is refused.

import assert from 'node:assert/strict';
import { rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { Wire, assertJsonError, exchange, get, request } from './lib/http.mjs';
import { itEnds, usePraxisd, writeConfig } from './lib/praxisd.mjs';
import { nothingArrived } from './lib/session.mjs';

describe("the server's pages", () => {
	const praxis = usePraxisd();

	for (const page of ['/health', '/ready']) {
		it(`${page} is fine`, async () => {
			assert.equal((await get(praxis.port, page)).status, 200);
		});
	}

	it('/stats has all totals', async () => {
		const ann = await praxis.connect();
		await ann.join('r');
		await ann.refused({ type: 'nosuch' }, 'unknown_type');
		const response = await get(praxis.port, '/stats');
		assert.match(response.headers['content-type'], /^application\/json/);
		const stats = JSON.parse(response.body);
		for (const name of [
			'uptime_ms',
			'sessions',
			'connections',
			'rooms',
			'channels',
			'practices',
			'members',
			'messages_in',
			'messages_out',
			'deliveries',
			'bytes_in',
			'bytes_out',
			'queue_bytes',
			'messages_live',
		]) {
			assert.ok(Number.isInteger(stats[name]) && stats[name] >= 0, `${name}: ${stats[name]}`);
		}
		assert.equal(typeof stats.version, 'string');
		assert.equal(stats.draining, false);
		assert.equal(stats.sessions, 1);
		assert.equal(stats.rooms, 1);
		assert.ok(
			stats.practices >= 1 &&
				stats.channels >= 1 &&
				stats.members >= 1 &&
				stats.connections >= 1,
		);
		assert.equal(stats.errors.unknown_type, 1);
		assert.deepEqual(stats.services, {
			echo: { enabled: true },
			telemedicine: { enabled: true },
			whiteboard: { enabled: true },
		});
		await ann.close(1000);
	});

	it('/stats counts what goes in and out', async () => {
		const [ann, bob] = [await praxis.connect(), await praxis.connect()];
		const before = await praxis.stats();
		for (let at = 0; at < 10; at++) {
			ann.send({ type: 'whiteboard_update', practiceId: 1, data: 'SECRET'.repeat(100) });
			await bob.next('whiteboard_update');
		}
		const after = await praxis.stats();
		assert.equal(after.messages_in - before.messages_in, 10);
		assert.equal(after.deliveries - before.deliveries, 10);
		assert.ok(after.messages_out - before.messages_out >= 10);
		assert.ok(after.bytes_in - before.bytes_in >= 6000);
		assert.ok(after.bytes_out - before.bytes_out >= 6000);
	});

	it('may be asked one after the other on one connection, and several at once', async () => {
		const wire = await Wire.open(praxis.port);
		for (let round = 0; round < 3; round++) {
			wire.write(request('GET', '/health'));
			assert.equal((await wire.response()).status, 200);
		}
		wire.write(
			request('GET', '/health') + request('GET', '/ready') + request('GET', '/nosuch'),
		);
		for (const status of [200, 200, 404]) {
			assert.equal((await wire.response()).status, status);
		}
		wire.close();
	});

	it('may be asked in pieces', async () => {
		const wire = await Wire.open(praxis.port);
		for (const byte of request('GET', '/health')) {
			await new Promise((resolve) => wire.socket.write(byte, resolve));
		}
		assert.equal((await wire.response()).status, 200);
		wire.close();
	});

	it('may be asked with HTTP/1.0', async () => {
		const response = await exchange(
			praxis.port,
			request('GET', '/health', {}, { version: 'HTTP/1.0' }),
		);
		assert.equal(response.status, 200);
	});

	it('know no parameters', async () => {
		for (const page of ['/health', '/ready', '/stats', '/metrics']) {
			assertJsonError(await get(praxis.port, `${page}?a=SECRET`), 400);
		}
	});

	for (const page of [
		'/',
		'/nosuch',
		'/healthx',
		'/stats/x',
		'/ws/x',
		'/api/v1/nosuch',
		'/favicon.ico',
	]) {
		it(`there is no ${page}`, async () => {
			assertJsonError(await get(praxis.port, page), 404);
		});
	}

	for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
		it(`${method} is not for them`, async () => {
			for (const page of ['/health', '/ready', '/stats']) {
				const response = await exchange(
					praxis.port,
					request(method, page, {
						'Content-Length': '0',
						Connection: 'close',
					}),
				);
				assertJsonError(response, 405);
			}
		});
	}

	itEnds(praxis);
});

describe('what is refused', () => {
	const praxis = usePraxisd();

	// None of these may be answered with success, and whatever the answer, the server lives on.
	const bad = {
		CONNECT: 'CONNECT example.org:80 HTTP/1.1\r\nHost: example.org:80\r\n\r\n',
		'CONNECT to itself':
			'CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: x\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n',
		'a chunked body': request(
			'POST',
			'/health',
			{ 'Transfer-Encoding': 'chunked' },
			{
				body: '6\r\nSECRET\r\n0\r\n\r\n',
			},
		),
		'a chunked body of a GET': request(
			'GET',
			'/nosuch',
			{ 'Transfer-Encoding': 'chunked' },
			{
				body: '6\r\nSECRET\r\n0\r\n\r\n',
			},
		),
		'a negative length': request('POST', '/health', { 'Content-Length': '-1' }),
		'a length that is none': request('POST', '/health', { 'Content-Length': 'SECRET' }),
		'a length of 1 TB': request(
			'POST',
			'/health',
			{ 'Content-Length': '1099511627776' },
			{ body: 'SECRET' },
		),
		'a header too long': request('GET', '/nosuch', { 'X-Header': 'SECRET'.repeat(20_000) }),
		'a path too long': request('GET', `/${'SECRET'.repeat(20_000)}`),
		'a method that is none': request('SECRET', '/health'),
		'no HTTP at all': 'SECRET\r\n\r\n',
		zeros: Buffer.alloc(1000),
		TLS: Buffer.from('16030100f5010000f10303' + '00'.repeat(200), 'hex'),
		'HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
		'a version to come': request('GET', '/nosuch', {}, { version: 'HTTP/9.9' }),
	};
	for (const [what, bytes] of Object.entries(bad)) {
		it(what, async () => {
			const witness = await praxis.connect();
			const wire = await Wire.open(praxis.port);
			wire.write(bytes);
			const answer = wire.response();
			// Some are rightly waited on for more: then it is enough that nobody else notices.
			const first = await Promise.race([
				answer.catch(() => null),
				witness.fence().then(() => undefined),
			]);
			assert.ok(!first || first.status >= 400, `${first?.status}`);
			wire.close();
			await answer.catch(() => {});
			await nothingArrived([witness]);
			assert.equal((await get(praxis.port, '/health')).status, 200);
		});
	}

	it('CONNECT, with an answer or an end', async () => {
		const response = await exchange(praxis.port, bad.CONNECT);
		assert.ok(response === null || response.status >= 400);
	});

	it('a chunked body, with 411 or an end', async () => {
		const response = await exchange(praxis.port, bad['a chunked body']);
		assert.ok(
			response === null || [400, 405, 411].includes(response.status),
			`${response?.status}`,
		);
	});

	it('a thousand connections that come and go leave nothing', async () => {
		const witness = await praxis.connect();
		for (let round = 0; round < 20; round++) {
			const wires = await Promise.all(
				Array.from({ length: 50 }, () => Wire.open(praxis.port)),
			);
			wires.forEach((wire, at) => {
				wire.write(
					['GET /', request('GET', '/health'), 'GET /ws HTTP/1.1\r\n', ''][at % 4],
				);
				wire.close();
			});
		}
		await nothingArrived([witness]);
		assert.equal((await praxis.stats()).sessions, 1);
	});

	itEnds(praxis);
});

describe('static files', () => {
	let files;
	const praxis = usePraxisd(async () => {
		files = await writeConfig({
			'site/index.html': '<!doctype html><p>index',
			'site/app.js': 'export {};',
			'site/style.css': 'p {}',
			'site/picture.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
			'site/data.json': '{}',
			'site/deeper/page.html': '<!doctype html><p>deeper',
			'site/a:b é/index.html': '<!doctype html><p>within',
			'site/.hidden/index.html': 'OUTSIDE',
			'site/large.js': 'x'.repeat(1_000_000),
			'site/.env': 'OUTSIDE',
			'site/.git/config': 'OUTSIDE',
			'site/deeper/.htpasswd': 'OUTSIDE',
			'site/.well-known/security.txt': 'for all',
			'site/.well-known/.env': 'OUTSIDE',
			'outside.txt': 'OUTSIDE',
			'site-other/file.txt': 'OUTSIDE',
		});
		const origin = `file://${path.join(files, 'site')}`;
		return { vhost: { mounts: [{ mountpoint: '/static', origin, default: 'index.html' }] } };
	});
	after(() => rm(files, { recursive: true, force: true }));

	for (const [page, type] of [
		['index.html', 'text/html'],
		['app.js', '(text|application)/javascript'],
		['style.css', 'text/css'],
		['picture.svg', 'image/svg\\+xml'],
		['data.json', 'application/json'],
		['deeper/page.html', 'text/html'],
	]) {
		it(`${page} has its type`, async () => {
			const response = await get(praxis.port, `/static/${page}`);
			assert.equal(response.status, 200);
			assert.match(response.headers['content-type'], new RegExp(`^${type}`));
		});
	}

	it('are what is on the disk', async () => {
		assert.equal(
			(await get(praxis.port, '/static/index.html')).body,
			'<!doctype html><p>index',
		);
		assert.equal((await get(praxis.port, '/static/large.js')).body.length, 1_000_000);
	});

	it('have a default', async () => {
		const response = await get(praxis.port, '/static/');
		assert.equal(response.status, 200);
		assert.match(response.body, /<p>index/);
	});

	// Relative: a proxy may have taken a prefix off, of which the server knows nothing.
	for (const [where, location, then] of [
		['/static', './static/', '/static/'],
		['/static?a=1&b=%26%20', './static/?a=1&b=%26%20', '/static/?a=1&b=%26%20'],
		['/static/a:b%20%C3%A9', './a:b%20%C3%A9/', '/static/a:b%20%C3%A9/'],
	]) {
		it(`${where}, a directory without its slash, leads to where its links are right`, async () => {
			const response = await get(praxis.port, where);
			assert.equal(response.status, 301);
			assert.equal(response.headers.location, location);
			const url = new URL(location, `http://127.0.0.1:${praxis.port}${where}`);
			assert.equal(url.pathname + url.search, then);
			assert.equal((await get(praxis.port, then)).status, 200);
			const prefixed = new URL(location, `https://example.org/prefix${where}`);
			assert.equal(prefixed.pathname + prefixed.search, `/prefix${then}`);
		});
	}

	it('directories without a page, and those that are hidden, are a 404', async () => {
		for (const where of ['deeper', 'deeper/', '.hidden', '.hidden/', 'index.html/']) {
			assertJsonError(await get(praxis.port, `/static/${where}`), 404);
		}
	});

	it('that do not exist are a 404', async () => {
		assert.equal((await get(praxis.port, '/static/nosuch.html')).status, 404);
		assert.equal((await get(praxis.port, '/static/deeper/nosuch')).status, 404);
	});

	it("do not hide the server's own pages", async () => {
		assert.equal((await get(praxis.port, '/health')).status, 200);
		await praxis.connect();
	});

	it('that begin with a dot are not there, but for what is well-known', async () => {
		await symlink('.env', path.join(files, 'site/link.txt'));
		for (const page of [
			'.env',
			'.git/config',
			'.git/',
			'deeper/.htpasswd',
			'.well-known/.env',
			'link.txt',
			'%2eenv',
		]) {
			assertJsonError(await get(praxis.port, `/static/${page}`), 404);
		}
		const response = await get(praxis.port, '/static/.well-known/security.txt');
		assert.equal(response.body, 'for all');
	});

	it('take any query: a page may read it', async () => {
		assert.equal((await get(praxis.port, '/static/app.js?v=1')).status, 200);
	});

	it('outside of the mount are out of reach', async () => {
		for (const page of [
			'/static/../outside.txt',
			'/static/%2e%2e/outside.txt',
			'/static/..%2foutside.txt',
			'/static/%2e%2e%2foutside.txt',
			'/static/deeper/../../outside.txt',
			'/static/./../outside.txt',
			'/static//../outside.txt',
			'/static/..%5coutside.txt',
			'/static/%252e%252e/outside.txt',
			'/static/..;/outside.txt',
			'/static../outside.txt',
			'/static-other/file.txt',
			'/static/../site-other/file.txt',
			'/../outside.txt',
			`/static/${files}/outside.txt`,
			`/static/%00/../../outside.txt`,
			'/static/....//outside.txt',
			'/static/..%00/outside.txt',
			'/static/../../../../../../etc/passwd',
			'//static/../outside.txt',
			'/static/index.html/../../outside.txt',
			'/static/\\../outside.txt',
		]) {
			const response = await get(praxis.port, page);
			assert.ok(response === null || response.status >= 300, `${page}: ${response?.status}`);
			assert.doesNotMatch(response?.body ?? '', /OUTSIDE|root:/, page);
		}
	});

	itEnds(praxis);
});
