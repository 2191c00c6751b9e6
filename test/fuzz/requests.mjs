// SPDX-License-Identifier: MIT
//
// Fuzzing of HTTP on the wire: streams of requests, good and bad, pipelined, cut into pieces at any
// byte, with bodies where none belong, against a real praxisd, without TLS and with it. What is
// well-formed is known beforehand, so every answer is held against it: which status, in which
// order, and that nothing comes behind the last. What is published must arrive, each once. A
// watchdog asks /health all the time, and in the end the server must end on SIGTERM, with a clean
// log. Needs `npm ci` in test/e2e and a built praxisd.
//
//	node test/fuzz/requests.mjs [--requests 100000] [--seed N]
//
// Environment: PRAXIS_BUILD, the build directory. Ends with 1, the seed, and the stream that was
// answered wrongly.

import net from 'node:net';
import tls from 'node:tls';
import { parseArgs } from 'node:util';
import { Certificates } from '../e2e/lib/certificates.mjs';
import { get } from '../e2e/lib/http.mjs';
import { bearer, enter, token, tokenVhost } from '../e2e/lib/issuer.mjs';
import { Praxisd } from '../e2e/lib/praxisd.mjs';
import { upgradeRequest } from '../e2e/lib/raw.mjs';
import { until, within } from '../e2e/lib/wait.mjs';

const { values } = parseArgs({
	options: {
		requests: { type: 'string', default: '100000' },
		seed: { type: 'string', default: String(1 + Math.floor(Math.random() * 1e9)) },
	},
});
const AT_ONCE = 16;
// Whoever breaks off in the middle of a head is answered after ten seconds, and nobody waits for that:
// connections on which all is said and no answer comes give up their place, up to so many.
const LINGER_AFTER_MS = 300;
const LINGERING_MAX = 500;
const WATCH_MS = 500;

// Small and good enough (xorshift32).
let state = Number(values.seed) || 1;
function random(below) {
	state ^= state << 13;
	state ^= state >>> 17;
	state ^= state << 5;
	return (state >>> 0) % below;
}
const pick = (list) => list[random(list.length)];

const authorization = `Authorization: ${
	bearer(await token({ role: 'service', sub: 'fuzz', practices: [1] })).Authorization
}\r\n`;
const HOST = 'Host: 127.0.0.1\r\n';
let published = 0;

// { text, status: [those that are right], ends: nothing follows its answer, data: published, isOfLws: an
// upgrade, with which lws gets the connection itself }
const get1 = (path, more = '') => `GET ${path} HTTP/1.1\r\n${HOST}${more}\r\n`;
const post = (body, more = '', length = Buffer.byteLength(body)) =>
	`POST /api/v1/publish HTTP/1.1\r\n${HOST}${authorization}Content-Type: application/json\r\n` +
	`${more}Content-Length: ${length}\r\n\r\n${body}`;

function publication() {
	const data = ++published;
	const body = JSON.stringify({ type: 'whiteboard_update', practiceId: 1, data });
	return { text: post(body.padEnd(body.length + random(3))), status: [200], data };
}

const good = [
	() => ({ text: get1('/health'), status: [200] }),
	() => ({ text: get1('/ready'), status: [200] }),
	() => ({ text: get1('/health', 'Content-Length: 0\r\n'), status: [200] }),
	() => ({ text: get1('/health', `X-Other: ${'y'.repeat(random(3000))}\r\n`), status: [200] }),
	() => ({ text: `HEAD /health HTTP/1.1\r\n${HOST}\r\n`, status: [200], isHead: true }),
	() => ({ text: get1('/api/v1/openapi.json'), status: [200] }),
	() => ({ text: get1('/api/v1/rooms', authorization), status: [200] }),
	publication,
	publication,
	() => ({ text: `\r\n${get1('/health')}`, status: [200] }),
	() => ({ text: get1('http://a.example/health'), status: [200] }),
	() => ({
		text: get1(
			'/health',
			'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n' +
				'HTTP2-Settings: AAMAAABkAAQAAP__\r\n',
		),
		status: [200],
	}),
	() => ({ text: get1('/health', 'Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n'), status: [200] }),
];

const closing = [
	() => ({ text: get1('/health', 'Connection: close\r\n'), status: [200] }),
	() => ({ text: get1('/nosuch'), status: [404] }),
	() => ({ text: `GET /health HTTP/1.0\r\n\r\n`, status: [200] }),
	() => ({ text: `DELETE /health HTTP/1.1\r\n${HOST}\r\n`, status: [405] }),
	() => ({ text: `OPTIONS /api/v1/publish HTTP/1.1\r\n${HOST}\r\n`, status: [405] }),
	() => ({ text: post('{', ''), status: [400] }),
	() => ({ text: get1('/api/v1/rooms'), status: [401] }),
	() => ({ text: post('x', '', 70000), status: [413] }),
	...['GET', 'HEAD', 'DELETE', 'OPTIONS'].flatMap((method) => [
		() => ({
			text: `${method} /health HTTP/1.1\r\n${HOST}Content-Length: 1\r\n\r\nx`,
			status: [400],
			isHead: method === 'HEAD',
		}),
		() => ({
			text: `${method} /health HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`,
			status: [400],
			isHead: method === 'HEAD',
		}),
	]),
	() => ({
		text: `POST /api/v1/publish HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
		status: [411],
	}),
	...['+1', '-0', '-1', '0x1', '1, 1', '', '9'.repeat(30)].map((length) => () => ({
		text: post('x', '', length),
		status: [400, 411, 413],
	})),
	() => ({ text: post('x', 'Content-Length: 2\r\n'), status: [400] }),
	() => ({ text: `GET /health HTTP/1.1\r\n${HOST}${HOST}\r\n`, status: [400] }),
	() => ({ text: 'GET /health HTTP/1.1\r\n\r\n', status: [400] }),
	() => ({ text: `GET /ws HTTP/1.1\r\n${HOST}\r\n`, status: [426] }),
	() => ({ text: upgradeRequest('/nosuch'), status: [404], isOfLws: true }),
	() => ({ text: upgradeRequest('/ws', { 'Content-Length': '1' }) + 'x', status: [400] }),
	() => ({ text: `BREW /health HTTP/1.1\r\n${HOST}\r\n`, status: [405] }),
	() => ({ text: 'CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n', status: [405] }),
	() => ({ text: get1('/health?a=%00'), status: [400] }),
	() => ({ text: get1('//health'), status: [404] }),
	() => ({ text: get1('/%68ealth'), status: [404] }),
	() => ({ text: `GET /health HTTP/1.1\n${HOST}\r\n`, status: [400] }),
	() => ({ text: get1('/health', 'A : 1\r\n'), status: [400] }),
	() => ({ text: get1('/health', 'A: 1\r\n folded\r\n'), status: [400] }),
	() => ({ text: get1('/health', 'Expect: tea\r\n'), status: [417] }),
	() => ({ text: 'GET /health HTTP/2.0\r\n\r\n', status: [505] }),
	() => ({ text: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', status: [400] }),
	() => ({ text: upgradeRequest('/nosuch', { Upgrade: 'h2c, websocket' }), status: [404] }),
];

// Nothing is known of what becomes of it, but that it harms nobody.
function broken() {
	const { text } = pick([...good, ...closing])();
	const bytes = Buffer.from(text, 'latin1');
	for (let i = 1 + random(4); i > 0; i--) {
		bytes[random(bytes.length)] = random(4)
			? pick([...' \r\n\t:;,%/?\0']).charCodeAt(0)
			: random(256);
	}
	return { text: bytes.subarray(0, 1 + random(bytes.length)).toString('latin1'), unknown: true };
}

// Requests, and what is to be answered: up to the first answer that ends the connection.
function stream() {
	const requests = [];
	for (let i = random(6); i > 0; i--) {
		requests.push(pick(good)());
	}
	requests.push(random(4) ? { ...pick(closing)(), ends: true } : broken());
	for (let i = random(3); i > 0; i--) {
		requests.push({ ...pick([...good, ...closing])(), isBehind: true });
	}
	return requests;
}

function pieces(bytes) {
	const kind = random(4);
	if (kind === 0) {
		return [bytes];
	}
	const cuts =
		kind === 1 && bytes.length < 600
			? [...bytes.keys()]
			: Array.from({ length: 1 + random(8) }, () => random(bytes.length)).sort(
					(a, b) => a - b,
				);
	return [...cuts, bytes.length].map((to, at) => bytes.subarray(at === 0 ? 0 : cuts[at - 1], to));
}

function open(port, secure) {
	return secure
		? tls.connect({ port, host: '127.0.0.1', allowHalfOpen: true, rejectUnauthorized: false })
		: net.connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
}

// All bytes that the server sends, until it ends. Each piece goes out in a packet of its own.
async function converse(port, secure, parts, said) {
	const socket = open(port, secure);
	const chunks = [];
	let isOver = false;
	const over = new Promise((resolve) => {
		socket.on('data', (data) => chunks.push(data));
		for (const event of ['end', 'close', 'error']) {
			socket.on(event, () => {
				isOver = true;
				resolve();
			});
		}
	});
	try {
		for (const part of parts) {
			if (isOver) {
				break;
			}
			await Promise.race([over, new Promise((resolve) => socket.write(part, resolve))]);
			await new Promise(setImmediate);
		}
		socket.end();
		said();
		await within(over, 'the end of a connection', 20000);
	} finally {
		socket.destroy();
	}
	return Buffer.concat(chunks).toString('latin1');
}

// { status, closes } of each answer, up to one of which it is not known to what it is; throws where
// it is none.
function answers(text, requests) {
	const found = [];
	while (text.length > 0 && !requests[found.length]?.unknown) {
		const end = text.indexOf('\r\n\r\n');
		const head = text.slice(0, end);
		const status = /^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1];
		if (end < 0 || !status) {
			throw new Error(`an answer that is none: ${JSON.stringify(text.slice(0, 200))}`);
		}
		if (status === '101') {
			return [...found, { status: 101, closes: true }];
		}
		const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? NaN);
		const body = requests[found.length]?.isHead ? 0 : length;
		if (!(text.length >= end + 4 + body)) {
			throw new Error(`an answer cut off: ${JSON.stringify(text.slice(0, 200))}`);
		}
		const said = text.slice(end + 4, end + 4 + Math.min(body, 200));
		found.push({ status: Number(status), closes: /\r\nconnection: close/i.test(head), said });
		text = text.slice(end + 4 + body);
	}
	return found;
}

function check(requests, text, secure) {
	const found = answers(text, requests);
	const last = requests.findIndex(({ ends, unknown }) => ends || unknown);
	found.forEach(({ status, closes, said }, at) => {
		const request = requests[at];
		if (closes !== (at === last)) {
			throw new Error(
				`answer ${at} of ${found.length}, ${status} ${said}: Connection: close is ${closes}`,
			);
		}
		if (!request || at > last) {
			if (requests[last].ends) {
				throw new Error(`${found.length} answers to ${last + 1} requests`);
			}
		} else if (!request.unknown && !request.status.includes(status)) {
			throw new Error(`${status} to ${JSON.stringify(request.text.slice(0, 200))}`);
		}
	});
	// lws closes a socket of which it has not read all, and the reset may overtake its answers. With
	// TLS it has no client's socket.
	const isReset = !secure && requests[last].isOfLws && requests.length > last + 1;
	const due = requests[last].ends && !isReset ? last + 1 : last;
	if (found.length < due) {
		throw new Error(`${found.length} answers of ${due}`);
	}
	return requests
		.slice(0, found.length)
		.filter(({ data }, at) => data && found[at].status === 200);
}

// ---- the run ----

const certificates = await Certificates.make();
await certificates.issue('a');
const praxis = new Praxisd();
let done = 0;
let failure = null;
const heard = new Map();

// One conversation, and what it came to; `said` is called when only the answer is missing.
async function talk(port, secure, witness, said) {
	const requests = stream();
	done += requests.length;
	const bytes = Buffer.from(requests.map(({ text }) => text).join(''), 'latin1');
	try {
		const text = await converse(port, secure, pieces(bytes), said);
		for (const { data } of check(requests, text, secure)) {
			witness.add(data);
		}
	} catch (error) {
		failure ??= new Error(
			`${secure ? 'TLS' : 'plain'}: ${error.message}\n` +
				requests.map((each) => JSON.stringify(each)).join('\n'),
		);
	}
}

const lingering = new Set();

async function worker(port, secure, witness) {
	while (done < Number(values.requests) && !failure) {
		let said;
		const isSaid = new Promise((resolve) => (said = resolve));
		const over = talk(port, secure, witness, said);
		await Promise.race([over, isSaid]);
		let timer;
		const long = new Promise((resolve) => (timer = setTimeout(resolve, LINGER_AFTER_MS, true)));
		const isLong = await Promise.race([over, long]);
		clearTimeout(timer);
		if (isLong && lingering.size < LINGERING_MAX) {
			lingering.add(over);
			over.finally(() => lingering.delete(over));
		} else {
			await over;
		}
	}
}

async function watch(signal) {
	while (!signal.aborted) {
		const response = await within(get(praxis.port, '/health'), 'an answer of /health', 20000);
		if (response?.status !== 200) {
			throw new Error(`/health says ${response?.status}`);
		}
		await new Promise((resolve) => setTimeout(resolve, WATCH_MS));
	}
}

async function run() {
	const vhost = tokenVhost({}, { tenant: 'fuzz' });
	await praxis.start({
		vhost,
		global: { 'max-connections-per-address': 0, 'log-level': 'notice' },
		files: {
			'conf.d/10-tls.json': {
				vhosts: [
					{
						name: 'secure',
						port: 0,
						interface: '127.0.0.1',
						'host-ssl-cert': certificates.path('a.pem'),
						'host-ssl-key': certificates.path('a.key'),
						'ws-protocols': [{ whiteboard: { status: 'ok' } }],
						...vhost,
					},
				],
			},
		},
	});
	const [, secure] = await praxis.logged(/vhost secure: listening on 127\.0\.0\.1:(\d+)/);
	const ann = await enter(praxis, { practices: [1] });
	await ann.accepted({ type: 'whiteboard_subscribe', practiceId: 1 });
	const sure = new Set();
	const stop = new AbortController();
	const watching = watch(stop.signal).catch((error) => (failure ??= error));
	await Promise.all(
		Array.from({ length: AT_ONCE }, (_, at) => {
			const isSecure = at % 4 === 3;
			return worker(isSecure ? Number(secure) : praxis.port, isSecure, sure);
		}),
	);
	await Promise.all(lingering);
	stop.abort();
	await watching;
	if (failure) {
		throw failure;
	}
	const missing = () => [...sure].filter((data) => !heard.has(data));
	await until(
		() => `all that was published: ${missing().slice(0, 20)} of ${sure.size}`,
		async () => {
			for (const message of (await ann.fence()).filter(
				({ type }) => type === 'whiteboard_update',
			)) {
				heard.set(message.data, (heard.get(message.data) ?? 0) + 1);
			}
			return missing().length === 0;
		},
	);
	const twice = [...heard].filter(([, count]) => count > 1);
	if (twice.length > 0) {
		throw new Error(`published more than once: ${twice.slice(0, 10)}`);
	}
	await ann.close();
	await praxis.stop();
	console.log(`${done} requests, ${heard.size} publications, seed ${values.seed}: fine`);
}

try {
	await run();
} catch (error) {
	console.error(`seed ${values.seed}: ${error.stack}`);
	process.exitCode = 1;
} finally {
	await praxis.kill();
	await certificates.remove();
}
