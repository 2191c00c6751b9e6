// SPDX-License-Identifier: MIT
//
// Which pages may connect: those of the same origin, of this machine where the server is for this
// machine alone, and of the list; and what who is refused is told, and the operator.

import assert from 'node:assert/strict';
import net from 'node:net';
import { before, describe, it } from 'node:test';
import { Wire } from './lib/http.mjs';
import { itEnds, usePraxisd } from './lib/praxisd.mjs';
import { upgradeRequest } from './lib/raw.mjs';

const TRUSTED = '127.0.0.2';

async function upgrade(port, headers, localAddress = '127.0.0.1') {
	const socket = net.connect({ port, host: '127.0.0.1', localAddress });
	const wire = new Wire(socket);
	wire.write(upgradeRequest('/ws?practiceId=1&userId=1', headers));
	const response = await wire.response();
	wire.close();
	return response;
}

const statusOf = async (...request) => (await upgrade(...request)).status;

describe('as shipped, on loopback addresses', () => {
	const praxis = usePraxisd();
	let own;
	before(() => {
		own = `127.0.0.1:${praxis.port}`;
	});

	for (const origin of [
		'http://localhost:3000',
		'http://127.0.0.1:3000',
		'https://localhost:3000',
		'http://[::1]:5173',
		'http://app.localhost',
	]) {
		it(`a page of ${origin} may connect`, async () => {
			assert.equal(await statusOf(praxis.port, { Host: own, Origin: origin }), 101);
			assert.equal(
				await statusOf(praxis.port, { Host: `localhost:${praxis.port}`, Origin: origin }),
				101,
			);
		});
		it(`a page of ${origin} may not, through a proxy`, async () => {
			for (const sign of ['X-Forwarded-For', 'Via', 'Forwarded', 'X-Forwarded-Proto']) {
				const headers = { Host: own, Origin: origin, [sign]: '1.1 x' };
				assert.equal(await statusOf(praxis.port, headers), 403, sign);
			}
		});
	}

	for (const origin of [
		'http://evil.example',
		'http://127.0.0.1.evil.com',
		'http://localhost.evil.com:3000',
		'http://0.0.0.0:3000',
		'http://192.168.0.7:3000',
		'null',
		'',
		'file://',
	]) {
		it(`a page of ${JSON.stringify(origin)} may not, and is told why`, async () => {
			const response = await upgrade(praxis.port, { Host: own, Origin: origin });
			assert.equal(response.status, 403);
			assert.match(JSON.parse(response.body).error.message, /origins.*PRAXIS_ORIGINS/);
		});
	}

	it('the log has one line of it, with the key', async () => {
		const lines = praxis.log.match(/notice: .*PRAXIS_ORIGINS/g);
		assert.equal(lines?.length, 1);
		assert.match(lines[0], /"origins"/);
	});

	for (const host of [
		'localhost',
		'localhost:1',
		'127.9.8.7',
		'[::1]:9002',
		'praxis.localhost',
	]) {
		it(`the server may be called ${host}`, async () => {
			assert.equal(await statusOf(praxis.port, { Host: host }), 101);
		});
	}

	for (const host of [
		'127.0.0.1.evil.com',
		'evil.com',
		'localhost.evil.com:9002',
		'192.168.0.7',
		'0.0.0.0',
	]) {
		it(`a name such as ${host} is none of its own (DNS rebinding)`, async () => {
			for (const headers of [{ Host: host }, { Host: host, Origin: `http://${host}` }]) {
				const response = await upgrade(praxis.port, headers);
				assert.equal(response.status, 403);
				assert.match(JSON.parse(response.body).error.message, /Host/);
			}
			const wire = await Wire.open(praxis.port);
			wire.write(`GET /metrics HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
			assert.equal((await wire.response()).status, 401);
			wire.close();
		});
	}

	itEnds(praxis);
});

describe('the same origin', () => {
	const praxis = usePraxisd({
		vhost: { 'open-mode': 'insecure', 'trusted-proxies': TRUSTED },
	});

	for (const [origin, headers, from, status] of [
		['http://app.example', { Host: 'app.example' }, undefined, 101],
		['http://app.example', { Host: 'app.example:80' }, undefined, 101],
		['http://app.example:80', { Host: 'app.example' }, undefined, 101],
		['http://app.example:9002', { Host: 'app.example:9002' }, undefined, 101],
		['https://app.example', { Host: 'app.example' }, undefined, 403],
		['https://app.example', { Host: 'app.example:443' }, undefined, 403],
		['http://app.example', { Host: 'app.example:9002' }, undefined, 403],
		// TLS ends at a proxy, if it is one that may say so.
		[
			'https://app.example',
			{ Host: 'app.example', 'X-Forwarded-Proto': 'https' },
			undefined,
			403,
		],
		[
			'https://app.example',
			{ Host: 'app.example', 'X-Forwarded-Proto': 'https' },
			TRUSTED,
			101,
		],
		[
			'https://app.example',
			{ Host: 'app.example:443', 'X-Forwarded-Proto': 'HTTPS' },
			TRUSTED,
			101,
		],
		[
			'https://app.example',
			{ Host: 'app.example', 'X-Forwarded-Proto': 'https, http' },
			TRUSTED,
			101,
		],
		['http://app.example', { Host: 'app.example', 'X-Forwarded-Proto': 'https' }, TRUSTED, 403],
		[
			'https://app.example',
			{ Host: 'app.example', Forwarded: 'for=192.0.2.1;proto=https' },
			TRUSTED,
			101,
		],
		[
			'https://app.example',
			{ Host: 'app.example', Forwarded: 'for=192.0.2.1;proto=http' },
			TRUSTED,
			403,
		],
		[
			'https://app.example',
			{ Host: 'app.example', Forwarded: 'for=192.0.2.1;proto=https' },
			undefined,
			403,
		],
		[
			'https://app.example:8443',
			{ Host: '10.0.0.1', Forwarded: 'for=192.0.2.1;proto=https;host="app.example:8443"' },
			TRUSTED,
			101,
		],
		[
			'https://app.example',
			{ Host: '10.0.0.1', 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'app.example' },
			TRUSTED,
			101,
		],
	]) {
		it(`${origin}, asked with ${JSON.stringify(headers)} from ${from ?? 'a client'}: ${status}`, async () => {
			assert.equal(await statusOf(praxis.port, { Origin: origin, ...headers }, from), status);
		});
	}

	itEnds(praxis);
});

describe('a list', () => {
	const praxis = usePraxisd({
		vhost: {
			origins: 'https://app.example.org, http://other.example:81 https://*.net.example',
		},
	});

	for (const [origin, status] of [
		['https://app.example.org', 101],
		['https://app.example.org:443', 101],
		['http://other.example:81', 101],
		['https://a.net.example', 101],
		['http://app.example.org', 403],
		['http://other.example', 403],
		['http://localhost:3000', 403],
	]) {
		it(`${origin}: ${status}`, async () => {
			assert.equal(await statusOf(praxis.port, { Origin: origin }), status);
		});
	}

	itEnds(praxis);
});
