// SPDX-License-Identifier: MIT
//
// praxisctl, the operators' tool: every command against a real server, for people and for scripts,
// and what it says and returns where something is wrong.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Certificates } from './lib/certificates.mjs';
import { ctl, ctlJson, holder, operator, PRAXISCTL, rows, run, start } from './lib/ctl.mjs';
import { enter, nowS, PHRASE, token, tokenVhost } from './lib/issuer.mjs';
import { itEnds, secret, usePraxisd } from './lib/praxisd.mjs';
import { nothingArrived } from './lib/session.mjs';
import { until, within } from './lib/wait.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const exec = promisify(execFile);

const ASKING = [
	['stats'],
	['services'],
	['clients'],
	['rooms'],
	['enable', 'echo'],
	['disable', 'echo'],
	['disconnect', 'c0'],
	['publish', '--practice', '1', '--type', 'whiteboard_update', '--data', '{}'],
	['tail', '--practice', '1'],
];

describe('praxisctl shows', () => {
	const praxis = usePraxisd({ vhost: tokenVhost() });

	it('figures of the server, those that are not 0', async () => {
		const ann = await enter(praxis);
		const table = await ctl(operator(praxis), 'stats');
		assert.match(table, /^Praxis \d+\.\d+\.\d+, up (\d+ (s|min|h|d) ?)+\n/);
		assert.match(table, /^sessions +1$/m);
		assert.doesNotMatch(table, / 0$/m);
		assert.doesNotMatch(table, /up_to_us/);
		const { scope, totals } = await ctlJson(operator(praxis), 'stats');
		assert.equal(scope, 'server');
		assert.equal(totals.sessions, 1);
		assert.equal(totals.slow_readers, 0);
		assert.ok(totals.turns.up_to_us);
		assert.ok(ann);
	});

	it('figures of practices to those who have these', async () => {
		await enter(praxis, { practices: [2] });
		const env = holder(praxis, await token({ role: 'service', practices: [2, '30'] }));
		assert.deepEqual(rows((await ctl(env, 'stats')).replace(/^.*\n/, '')), [
			{ PRACTICE: '2', CLIENTS: '1', ROOMS: '0', PUBLISHED: '0' },
			{ PRACTICE: '30', CLIENTS: '0', ROOMS: '0', PUBLISHED: '0' },
		]);
		assert.equal((await ctlJson(env, 'stats')).scope, 'practices');
	});

	it('services', async () => {
		const table = rows(await ctl(operator(praxis), 'services'));
		assert.deepEqual(table.map(({ NAME }) => NAME).sort(), [
			'echo',
			'telemedicine',
			'whiteboard',
		]);
		assert.ok(table.every(({ ENABLED, LOADED }) => ENABLED === 'yes' && LOADED === 'yes'));
		assert.ok(table.every(({ MESSAGES, SUMMARY }) => Number(MESSAGES) > 0 && SUMMARY));
		const { services } = await ctlJson(operator(praxis), 'services');
		assert.ok(services.every(({ messages, options }) => messages.length && options));
	});

	it('clients, chosen by practice, service and user', async () => {
		const long = '12345678901234567890123';
		const ann = await enter(praxis, { sub: 7, practices: [1] });
		const bob = await enter(
			praxis,
			{ sub: 'bob', practices: [2] },
			{
				headers: { 'Sec-WebSocket-Protocol': 'whiteboard' },
			},
		);
		const table = rows(await ctl(operator(praxis), 'clients'));
		assert.deepEqual(
			table.map(({ CLIENT }) => CLIENT),
			[ann.clientId, bob.clientId],
		);
		const { SINCE, NAME, OUT, ...row } = table[0];
		assert.deepEqual(row, {
			CLIENT: ann.clientId,
			USER: '7',
			ROLE: 'staff',
			PRACTICES: '1',
			ROOMS: '0',
			IN: '0',
			QUEUED: '0',
			CONNECTED: 'yes',
			ADDRESS: '127.0.0.1',
		});
		assert.equal(NAME, ann.claims.name);
		assert.ok(Math.abs(Date.parse(`${SINCE}Z`) - Date.now()) < 60000, SINCE);
		assert.equal(OUT, '1');
		const ids = async (...args) => {
			const { clients } = await ctlJson(operator(praxis), 'clients', ...args);
			return clients.map(({ clientId }) => clientId);
		};
		assert.deepEqual(await ids(), [ann.clientId, bob.clientId]);
		assert.deepEqual(await ids('--practice', '2'), [bob.clientId]);
		assert.deepEqual(await ids('--service', 'telemedicine'), [ann.clientId]);
		assert.deepEqual(await ids('--user', '7'), [ann.clientId]);
		assert.deepEqual(await ids('--user', 'nobody'), []);
		const digits = await enter(praxis, { practices: [long] });
		assert.match(
			await ctl(operator(praxis), 'clients', '-U', digits.claims.sub),
			new RegExp(long),
		);
	});

	it('nothing of what is not there, and says so to people alone', async () => {
		const { code, stdout, stderr } = await run(['rooms'], operator(praxis));
		assert.deepEqual([code, stdout, stderr], [0, '', 'No rooms.\n']);
		assert.deepEqual(await ctlJson(operator(praxis), 'rooms'), { rooms: [] });
	});

	it('rooms, and who is in them', async () => {
		const ann = await enter(praxis);
		const bob = await enter(praxis);
		const far = await enter(praxis, { practices: [2] });
		await ann.join('r');
		await bob.join('r');
		await far.join('s');
		const [row] = rows(await ctl(operator(praxis), 'rooms', '--practice', '1'));
		delete row.SINCE;
		assert.deepEqual(row, {
			SERVICE: 'telemedicine',
			ROOM: 'r',
			PRACTICE: '1',
			MEMBERS: '2',
			WAITING: '0',
			CLIENTS: `${ann.clientId},${bob.clientId}`,
		});
		const { rooms } = await ctlJson(operator(praxis), 'rooms', '--service', 'telemedicine');
		assert.deepEqual(
			rooms.map(({ roomId }) => roomId),
			['r', 's'],
		);
	});

	it('all pages of a list as one', async () => {
		const clients = [];
		for (let i = 0; i < 510; i++) {
			clients.push(await enter(praxis));
		}
		const ids = clients.map(({ clientId }) => clientId);
		const listed = (await ctlJson(operator(praxis), 'clients')).clients;
		assert.deepEqual(
			listed.map(({ clientId }) => clientId),
			ids,
		);
		const table = rows(await ctl(operator(praxis), 'clients'));
		assert.deepEqual(
			table.map(({ CLIENT }) => CLIENT),
			ids,
		);
	});

	it('names that would play with a terminal as what they are', async () => {
		const names = ['\u009b31mred', 'Ann\u202enaD', '日本 Łukasz', 'back\\slash'];
		for (const name of names) {
			await enter(praxis, { name: `SECRET ${name}` });
		}
		const table = await ctl(operator(praxis), 'clients');
		// eslint-disable-next-line no-control-regex -- such characters are what is looked for
		assert.doesNotMatch(table, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/u);
		for (const shown of ['\\u009b31mred', 'Ann\\u202enaD', '日本 Łukasz', 'back\\\\slash']) {
			assert.ok(table.includes(`SECRET ${shown}`), `${shown} in ${table}`);
		}
		const { clients } = await ctlJson(operator(praxis), 'clients');
		assert.deepEqual(
			clients.map(({ userName }) => userName),
			names.map((name) => `SECRET ${name}`),
		);
	});

	itEnds(praxis);
});

describe('praxisctl steers', () => {
	const praxis = usePraxisd({ vhost: tokenVhost() });

	it('a service off and on', async () => {
		const ann = await enter(praxis);
		assert.equal(await ctl(operator(praxis), 'disable', 'echo'), 'echo is disabled\n');
		await ann.refused({ type: 'echo_say', text: secret() }, 'service_disabled');
		const services = rows(await ctl(operator(praxis), 'services'));
		assert.equal(services.find(({ NAME }) => NAME === 'echo').ENABLED, 'no');
		const answer = await ctlJson(operator(praxis), 'enable', 'echo');
		assert.deepEqual(answer, { name: 'echo', enabled: true });
		await ann.accepted({ type: 'echo_say', text: secret() });
	});

	it('messages to a practice', async () => {
		const ann = await enter(praxis);
		const far = await enter(praxis, { practices: [2] });
		const args = ['publish', '-p', '1', '-t', 'whiteboard_update'];
		assert.match(
			await ctl(operator(praxis), ...args, '--data', '{"card":12345678901234567890}'),
			/^sent to 1 client, seq \d+\n$/,
		);
		const update = await ann.next('whiteboard_update');
		assert.match(update.raw, /"data":\{"card":12345678901234567890\}/, 'with all its digits');
		const { code, stdout } = await run(
			[...args, '-d', '-', '-j', '--key', 'k'],
			operator(praxis),
			'{"from":\n"input"}\n',
		);
		assert.equal(code, 0);
		assert.equal(JSON.parse(stdout).delivered, 1);
		const { data, key } = await ann.next('whiteboard_update');
		assert.deepEqual([data, key], [{ from: 'input' }, 'k']);
		await nothingArrived([far], [ann]);
	});

	it('once, with an idempotency key', async () => {
		const ann = await enter(praxis);
		const args = ['publish', '-p', '1', '-t', 'whiteboard_update', '-i', 'once', '-d'];
		const first = await ctlJson(operator(praxis), ...args, '1');
		assert.deepEqual(await ctlJson(operator(praxis), ...args, '1'), first);
		const { code, stderr } = await run([...args, '2'], operator(praxis));
		assert.equal(code, 1);
		assert.match(stderr, /different body/);
		await ann.next('whiteboard_update');
		assert.deepEqual(await ann.fence(), []);
	});

	it('messages to a room', async () => {
		const ann = await enter(praxis);
		await ann.join('r');
		const args = ['publish', '-p', '1', '-t', 'telemedicine_chat_message', '-m', 'Quote " ü'];
		assert.equal(await ctl(operator(praxis), ...args, '-R', 'r'), 'sent to 1 client\n');
		assert.equal((await ann.next('telemedicine_chat_message')).message, 'Quote " ü');
		const { code, stderr } = await run([...args, '-R', 'gone'], operator(praxis));
		assert.equal(code, 1);
		assert.match(stderr, /\(404 not_found, roomId\)/);
	});

	it('a client out', async () => {
		const ann = await enter(praxis);
		const bob = await enter(praxis);
		assert.equal(
			await ctl(operator(praxis), 'disconnect', ann.clientId, '--reason', 'It is late.'),
			`${ann.clientId} disconnected\n`,
		);
		assert.equal((await ann.next('disconnecting')).reason, 'It is late.');
		assert.equal((await ann.closing()).code, 1000);
		assert.deepEqual(await bob.fence(), []);
		const { code, stdout, stderr } = await run(['disconnect', ann.clientId], operator(praxis));
		assert.deepEqual([code, stdout], [1, '']);
		assert.match(stderr, /There is no client with this clientId\. \(404 not_found, clientId\)/);
	});

	it('all clients of a user, or of a practice, out', async () => {
		const [a, b, c, d] = [
			await enter(praxis, { sub: 7 }),
			await enter(praxis, { sub: 7, practices: [2] }),
			await enter(praxis, { sub: 8 }),
			await enter(praxis, { sub: 9, practices: [2] }),
		];
		const env = operator(praxis);
		assert.deepEqual(await ctlJson(env, 'disconnect', '-U', '7', '-p', '2'), {
			disconnected: [b.clientId],
		});
		assert.deepEqual(await ctlJson(env, 'disconnect', '-U', '7'), {
			disconnected: [a.clientId],
		});
		assert.deepEqual(await ctlJson(env, 'disconnect', '-p', '1', '--all'), {
			disconnected: [c.clientId],
		});
		for (const client of [a, b, c]) {
			assert.equal((await client.closing()).code, 1000);
		}
		assert.deepEqual(
			(await d.fence()).map(({ type }) => type),
			[],
		);
		const nobody = await run(['disconnect', '-U', '7'], env);
		assert.deepEqual([nobody.code, nobody.stdout], [1, '']);
		for (const unclear of [
			[],
			['-p', '2'],
			['c1', '-U', '9'],
			['-U', '9', '--all'],
			['--all'],
		]) {
			const { code, stderr } = await run(['disconnect', ...unclear], env);
			assert.equal(code, 2, unclear.join(' '));
			assert.match(stderr, /missing arguments/);
		}
		assert.equal((await d.fence()).length, 0);
	});

	it('an answer to each ping', async () => {
		const env = { PRAXIS_URL: `http://127.0.0.1:${praxis.port}/` };
		const text = await ctl(env, 'ping', '--count', '3', '--interval', '0.01');
		assert.match(text, /^(\d: \d+\.\d{3} ms\n){3}3 of 3 answered; min\/avg\/max [\d./]+ ms\n$/);
		const { sent, answered, minMs, avgMs, maxMs } = await ctlJson(
			env,
			'ping',
			'-c',
			'2',
			'-i',
			'0',
		);
		assert.deepEqual([sent, answered], [2, 2]);
		assert.ok(minMs > 0 && minMs <= avgMs && avgMs <= maxMs && maxMs < 10000);
	});

	itEnds(praxis);
});

describe('praxisctl tail', () => {
	const praxis = usePraxisd({ vhost: tokenVhost() });

	// Starts it, and waits until the server has taken it up.
	async function look(env, ...args) {
		const tail = start(['tail', '-p', '1', ...args], env);
		tail.output = '';
		tail.errors = '';
		tail.stdout.setEncoding('utf8').on('data', (text) => {
			tail.output += text;
		});
		tail.stderr.setEncoding('utf8').on('data', (text) => {
			tail.errors += text;
		});
		tail.over = new Promise((resolve) => {
			tail.once('close', (code, signal) => resolve({ code, signal }));
		});
		await until(
			() => `praxisctl tail to say that it is connected: ${tail.errors}`,
			() => tail.errors.includes('\n'),
		);
		return tail;
	}

	it('says at once that it is connected, while nothing happens, and once', async () => {
		const tail = await look(operator(praxis));
		const says = 'praxisctl tail: connected, waiting for messages (Ctrl-C ends)\n';
		assert.equal(tail.errors, says);
		assert.equal(tail.output, '');
		praxis.signal('SIGHUP');
		await praxis.logged(/configuration reloaded/);
		const ann = await enter(praxis);
		await until(
			() => tail.output + tail.errors,
			async () => {
				await ann.accepted({ type: 'whiteboard_update', practiceId: 1, data: secret() });
				return /whiteboard_update/.test(tail.output);
			},
		);
		assert.equal(tail.errors, says);
		tail.kill('SIGTERM');
		await tail.over;
	});

	it('sees headers, and nothing of what they hold', async () => {
		const tail = await look(operator(praxis));
		const lines = await look(operator(praxis), '--json', '--count', '3');
		const ann = await enter(praxis);
		await enter(praxis);
		const far = await enter(praxis, { practices: [2] });
		await far.accepted({ type: 'whiteboard_update', practiceId: 2, data: secret() });
		await ann.accepted({ type: 'whiteboard_update', practiceId: 1, data: secret() });
		await ann.refused({ type: 'telemedicine_end', roomId: secret() }, 'not_in_room');
		assert.deepEqual(await lines.over, { code: 0, signal: null });
		const documents = lines.output
			.trimEnd()
			.split('\n')
			.map((line) => JSON.parse(line));
		assert.deepEqual(
			documents.map(({ direction, type }) => [direction, type]),
			[
				['in', 'whiteboard_update'],
				['out', 'whiteboard_update'],
				['out', 'ack'],
			],
		);
		await until(
			() => tail.output,
			() => /not_in_room/.test(tail.output),
		);
		tail.kill('SIGTERM');
		await tail.over;
		const [titles, ...table] = rows(`X  ${tail.output.replaceAll('\n', '\nX  ')}`);
		assert.ok(titles);
		assert.match(
			tail.output,
			/^TIME +DIR +SERVICE +TYPE +CLIENT +BYTES\n\d\d:\d\d:\d\d\.\d{3} {2}in {3}whiteboard/,
		);
		assert.deepEqual(
			[titles, ...table]
				.filter(({ DIR }) => DIR)
				.map(({ DIR, TYPE, CLIENT }) => [DIR, TYPE, CLIENT]),
			[
				['in', 'whiteboard_update', ann.clientId],
				['out', 'whiteboard_update', '1 client'],
				['out', 'ack', ann.clientId],
				['in', 'telemedicine_end', ann.clientId],
				['out', 'error', ann.clientId],
			],
		);
		assert.doesNotMatch(tail.output + lines.output, /SECRET/);
		assert.doesNotMatch(tail.output, / $/m);
	});

	it('goes on over a reload, and ends with the server', async () => {
		const tail = await look(operator(praxis), '--json');
		const own = holder(
			praxis,
			await token({ role: 'admin', practices: ['*'], exp: nowS() + 8 }),
		);
		const short = await look(own);
		assert.deepEqual(await within(short.over, 'the end of its token'), {
			code: 4,
			signal: null,
		});
		assert.match(short.errors, /the token has expired/);
		praxis.signal('SIGHUP');
		await praxis.logged(/configuration reloaded/);
		const ann = await enter(praxis);
		await until(
			() => tail.output + tail.errors,
			async () => {
				await ann.accepted({ type: 'whiteboard_update', practiceId: 1, data: secret() });
				return /whiteboard_update/.test(tail.output);
			},
		);
		await ann.close();
		await praxis.stop();
		assert.deepEqual(await within(tail.over, 'the end'), { code: 3, signal: null });
		assert.match(tail.errors, /the server is shutting down/);
	});
});

describe('who may what', () => {
	const praxis = usePraxisd({ vhost: tokenVhost() });

	it('a token of another practice sees and touches nothing', async () => {
		const ann = await enter(praxis, { sub: 7 });
		await ann.join('r');
		const env = holder(praxis, await token({ role: 'admin', practices: [2] }));
		assert.deepEqual(await ctlJson(env, 'clients'), { clients: [] });
		assert.deepEqual(await ctlJson(env, 'rooms'), { rooms: [] });
		const attempts = [
			[['clients', '-p', '1'], 4],
			[['publish', '-p', '1', '-t', 'whiteboard_update', '-d', '1'], 4],
			[['tail', '-p', '1'], 4],
			[['disable', 'echo'], 4],
			[['disconnect', ann.clientId], 1],
			[['disconnect', '-U', '7'], 1],
		];
		for (const [args, expected] of attempts) {
			const { code, stdout, stderr } = await run(args, env);
			assert.deepEqual([code, stdout], [expected, ''], args.join(' '));
			assert.match(stderr, /^praxisctl \w+: .+\n$/);
		}
		assert.deepEqual(await ann.fence(), []);
	});

	it('a token of the staff, a wrong one, an old one and none are refused, and it is said why', async () => {
		const bad = [
			[holder(praxis, await token({ role: 'staff' })), /requires the role service or admin/],
			[
				holder(praxis, await token({ role: 'admin' }, { key: Buffer.alloc(32) })),
				/does not accept/,
			],
			[holder(praxis, await token({ role: 'admin', exp: nowS() - 10 })), /has expired/],
			[{ PRAXIS_URL: `http://127.0.0.1:${praxis.port}` }, /No token: give one/],
		];
		for (const [env, why] of bad) {
			const { code, stdout, stderr } = await run(['stats'], env);
			assert.deepEqual([code, stdout], [4, '']);
			assert.match(stderr, why);
		}
	});

	itEnds(praxis);
});

describe('where the token comes from', () => {
	const praxis = usePraxisd({
		vhost: tokenVhost({ issuer: 'us', audience: 'praxis' }),
		// Wrong ones must not make the address wait.
		global: { 'auth-failures': 0 },
	});
	const claims = { iss: 'us', aud: 'praxis', role: 'admin', practices: ['*'] };
	let files;
	let url;

	before(async () => {
		files = {
			token: path.join(praxis.dir, 'token'),
			secret: path.join(praxis.dir, 'phrase'),
			empty: path.join(praxis.dir, 'empty'),
		};
		await writeFile(files.token, `${await token(claims)}\n`);
		await writeFile(files.secret, `${PHRASE}\n`);
		await writeFile(files.empty, '\n');
		url = ['--url', `http://127.0.0.1:${praxis.port}`];
	});

	it('a file, the variables, standard input, or the secret', async () => {
		const minted = ['--issuer', 'us', '--audience', 'praxis'];
		const ways = [
			[['--token-file', files.token], {}],
			[[], { PRAXIS_TOKEN_FILE: files.token }],
			[[], { PRAXIS_TOKEN: await token(claims) }],
			[['--secret-file', files.secret, ...minted], { PRAXIS_TOKEN: 'not.this.one' }],
			[minted, { PRAXIS_TOKEN_SECRET: PHRASE }],
			[minted, { PRAXIS_TOKEN_SECRET_FILE: files.secret }],
			[minted, { PRAXIS_SECRET_FILE: files.secret, PRAXIS_TOKEN: '' }],
		];
		for (const [args, env] of ways) {
			await ctl(env, 'stats', ...url, ...args);
		}
		const piped = await run(['stats', ...url, '--token-file', '-'], {}, await token(claims));
		assert.equal(piped.code, 0, piped.stderr);
		const { code } = await run(['stats', ...url, '--secret-file', files.secret]);
		assert.equal(code, 4, 'without the issuer it is none of this server');
	});

	it('is a matter of the command line where it cannot be read', async () => {
		for (const option of ['--token-file', '--secret-file']) {
			for (const file of [files.empty, path.join(praxis.dir, 'gone')]) {
				const { code, stderr } = await run(['stats', ...url, option, file]);
				assert.equal(code, 2);
				assert.ok(stderr.includes(file), stderr);
			}
		}
		const { code } = await run(['stats', ...url], { PRAXIS_TOKEN: 'a\r\nX-Other: b' });
		assert.equal(code, 2, 'a line end in a token is no token');
	});

	it('is the same for praxisctl token', async () => {
		const args = ['token', '--user', '1', '--role', 'admin'];
		assert.match(
			await ctl({ PRAXIS_SECRET_FILE: files.secret }, ...args),
			/^[\w-]+\.[\w-]+\.[\w-]+\n$/,
		);
		assert.equal((await run(args)).code, 2);
	});

	itEnds(praxis);
});

describe('where something is wrong', () => {
	const open = usePraxisd({});

	it('a server in open mode has no API, and says what to do', async () => {
		const { code, stderr } = await run(['clients'], operator(open));
		assert.equal(code, 1);
		assert.match(stderr, /open mode.*secret/);
		assert.match(await ctl(operator(open), 'ping', '-c', '1'), /1 of 1 answered/);
	});

	it('no server', async () => {
		const server = net.createServer().listen(0, '127.0.0.1');
		await new Promise((resolve) => server.once('listening', resolve));
		const { port } = server.address();
		await new Promise((resolve) => server.close(resolve));
		const env = { PRAXIS_URL: `http://127.0.0.1:${port}`, PRAXIS_TOKEN_SECRET: PHRASE };
		for (const args of ASKING) {
			const { code, stdout, stderr } = await run(args, env);
			assert.deepEqual([code, stdout], [3, ''], args.join(' '));
			assert.match(
				stderr,
				new RegExp(`cannot reach http://127\\.0\\.0\\.1:${port}: .*refused`),
			);
		}
		const ping = await run(['ping', '-c', '2', '-i', '0'], env);
		assert.equal(ping.code, 1);
		assert.match(ping.stdout, /0 of 2 answered\n$/);
	});

	describe('with one that takes connections', () => {
		let server;
		let answer;
		let env;
		before(async () => {
			server = net
				.createServer((socket) => {
					socket.on('error', () => {});
					socket.once('data', () => answer && socket.end(answer));
				})
				.listen(0, '127.0.0.1');
			await new Promise((resolve) => server.once('listening', resolve));
			env = { PRAXIS_URL: `http://127.0.0.1:${server.address().port}`, PRAXIS_TOKEN: 'x' };
		});
		after(() => server.close());

		it('and never answers: the time has a limit', async () => {
			answer = undefined;
			for (const args of ASKING) {
				const began = Date.now();
				const { code, stderr } = await run([...args, '--timeout', '0.3'], env);
				assert.equal(code, 3, args.join(' '));
				assert.match(stderr, /no answer in time/);
				assert.ok(Date.now() - began >= 300);
			}
			const ping = await run(['ping', '-c', '1', '--timeout', '0.2', '--json'], env);
			assert.deepEqual([ping.code, ping.stdout], [1, '{"sent":1,"answered":0}\n']);
		});

		it('and is no praxisd', async () => {
			const head = (status, type, body) =>
				`HTTP/1.1 ${status}\r\nContent-Type: ${type}\r\n` +
				`Content-Length: ${body.length}\r\n\r\n${body}`;
			for (const status of [
				'200 OK',
				'404 Not Found',
				'302 Found\r\nLocation: http://127.0.0.1:9/',
			]) {
				answer = head(status, 'text/html', '<p>Hello.');
				const { code, stdout, stderr } = await run(['clients'], env);
				assert.deepEqual([code, stdout], [1, '']);
				assert.match(stderr, /not like praxisd/);
			}
			answer = head('200 OK', 'application/json', '{"clients":7}');
			assert.equal((await run(['clients'], env)).code, 1);
			answer = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"clients":[';
			assert.equal((await run(['clients'], env)).code, 3, 'half an answer is none');
		});
	});

	it('the command line', async () => {
		const wrong = [
			[],
			['nonsense'],
			['audit'],
			['stats', '--nonsense'],
			['stats', 'more'],
			['stats', '--token', 'x'],
			['stats', '--url', 'ftp://127.0.0.1/'],
			['stats', '--url', '127.0.0.1:9002'],
			['stats', '--timeout', 'soon'],
			['enable'],
			['ping', '--count', '0'],
			['ping', '--interval', '-1'],
			['publish', '-p', '1'],
			['publish', '-t', 'whiteboard_update'],
			['tail'],
			['tail', '-p', '1', '--count', '0'],
			['publish', '-p', '1', '-t', 'whiteboard_update', '--data', '{'],
			['publish', '-p', '1', '-t', 'whiteboard_update', '-i', 'ü'],
			['help', 'nonsense'],
		];
		for (const args of wrong) {
			const { code, stdout, stderr } = await run(args, operator(open));
			assert.deepEqual([code, stdout], [2, ''], args.join(' '));
			assert.notEqual(stderr, '', args.join(' '));
		}
	});

	it('with --json the error is JSON, too', async () => {
		const { code, stdout, stderr } = await run(['clients', '--json'], operator(open));
		assert.deepEqual([code, stdout], [1, '']);
		assert.equal(JSON.parse(stderr).error.code, 'unavailable');
	});

	itEnds(open);
});

describe('with TLS', () => {
	let certificates;
	const praxis = usePraxisd(async () => {
		certificates = await Certificates.make();
		await certificates.issue('server', { subject: '/CN=localhost' });
		await certificates.issue('other', { subject: '/CN=localhost' });
		return {
			vhost: tokenVhost(
				{},
				{
					'host-ssl-cert': certificates.path('server.pem'),
					'host-ssl-key': certificates.path('server.key'),
				},
			),
		};
	});
	after(() => certificates.remove());

	// Figures are read here, since the harness speaks no TLS.
	praxis.settle = async () => {};

	it('the certificate has to be one to believe', async () => {
		const env = { ...operator(praxis), PRAXIS_URL: `https://localhost:${praxis.port}` };
		await ctl(env, 'stats', '--cacert', certificates.path('server.pem'));
		await ctl(env, 'stats', '--insecure');
		for (const args of [[], ['--cacert', certificates.path('other.pem')]]) {
			const { code, stdout, stderr } = await run(['stats', ...args], env);
			assert.deepEqual([code, stdout], [3, '']);
			assert.match(stderr, /certificate.*--cacert/);
		}
		const gone = await run(['stats', '--cacert', certificates.path('gone.pem')], env);
		assert.equal(gone.code, 2);
		const plain = await run(['stats'], operator(praxis));
		assert.equal(plain.code, 3, 'http to a port of https');
	});

	it('an answer that goes on does so, until its last line', async () => {
		const url = `https://localhost:${praxis.port}`;
		const text = await token({ role: 'admin', practices: ['*'], exp: nowS() + 8 });
		const tail = start(['tail', '-p', '1', '--cacert', certificates.path('server.pem')], {
			PRAXIS_URL: url,
			PRAXIS_TOKEN: text,
		});
		let errors = '';
		tail.stderr.setEncoding('utf8').on('data', (piece) => {
			errors += piece;
		});
		const code = await within(
			new Promise((resolve) => tail.once('close', resolve)),
			() => `the end of the token: ${errors}`,
		);
		assert.equal(code, 4);
		assert.match(errors, /the token has expired/);
	});

	itEnds(praxis);
});

describe('what it says of itself', () => {
	it('help of every command, which knows its options', async () => {
		const overview = await ctl({}, 'help');
		assert.equal(await ctl({}, '--help'), overview);
		const names = [...overview.matchAll(/^ {2}([a-z]+(?: verify| check)?) +(?=[a-z])/gm)].map(
			([, name]) => name,
		);
		assert.ok(names.length >= 15, names.join());
		for (const name of names) {
			const help = await ctl({}, 'help', ...name.split(' '));
			assert.ok(help.startsWith(`Usage: praxisctl ${name}`), help);
			assert.match(help, /^ +-h, --help +print this$/m);
			assert.match(help, /Exit codes: 0/);
			assert.equal(await ctl({}, ...name.split(' '), '--help'), help);
		}
	});

	it('the page of the manual names every command and every option', async () => {
		const page = (await readFile(path.join(root, 'tools', 'praxisctl.1'), 'utf8')).replaceAll(
			'Fl -',
			'Fl --',
		);
		const overview = await ctl({}, 'help');
		for (const [, name] of overview.matchAll(/^ {2}([a-z]+(?: verify| check)?) +(?=[a-z])/gm)) {
			assert.match(
				page,
				new RegExp(`^\\.(Cm|It Cm) .*${name}|enable \\| disable`, 'm'),
				name,
			);
			if (name !== 'token' && name !== 'audit verify') {
				const help = await ctl({}, 'help', ...name.split(' '));
				for (const [option] of help.matchAll(/--[a-z-]+/g)) {
					assert.ok(
						page.includes(`Fl ${option}`) || option === '--help',
						`${name} ${option}`,
					);
				}
			}
		}
	});

	it('the page of the manual is read by man without a complaint', async (t) => {
		let result;
		try {
			result = await exec(
				'man',
				['--warnings', '-l', path.join(root, 'tools', 'praxisctl.1')],
				{
					env: { ...process.env, MANPAGER: 'cat', LC_ALL: 'C.UTF-8', MANWIDTH: '80' },
				},
			);
		} catch (error) {
			t.skip(`no man here: ${error.code}`);
			return;
		}
		assert.equal(result.stderr, '');
		assert.match(result.stdout, /praxisctl.*operate a running praxisd/);
	});
});

describe('the completion of bash', () => {
	const praxis = usePraxisd({ vhost: tokenVhost() });
	const script = path.join(root, 'tools', 'praxisctl.bash');

	// What bash offers for this line, whose last word is the one that is being completed; a word with
	// a space needs an array.
	async function offered(line, env = {}) {
		const words = typeof line === 'string' ? line.split(' ') : line;
		const { stdout, stderr } = await exec(
			'bash',
			[
				'--norc',
				'-uc',
				`
			source "$1"; shift
			COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
			_praxisctl "$1" "\${!#}" "\${COMP_WORDS[COMP_CWORD - 1]}"
			printf '%s\\n' "\${COMPREPLY[@]}"
		`,
				'bash',
				script,
				PRAXISCTL,
				...words.slice(1),
			],
			{ env: { PATH: process.env.PATH, ...env } },
		);
		assert.equal(stderr, '');
		return stdout.split('\n').filter(Boolean);
	}

	it('knows the commands', async () => {
		assert.deepEqual(await offered('praxisctl di'), ['disable', 'disconnect']);
		assert.deepEqual(await offered('praxisctl help aud'), ['audit']);
		assert.deepEqual(await offered('praxisctl audit '), ['verify']);
		assert.deepEqual(await offered('praxisctl plu'), ['plugin']);
		assert.deepEqual(await offered('praxisctl plugin '), ['check']);
		assert.deepEqual(await offered('praxisctl plugin check --c'), ['--config']);
		assert.deepEqual(await offered('praxisctl --v'), ['--version']);
		assert.ok((await offered('praxisctl ')).length >= 12);
	});

	it('knows the options of each', async () => {
		assert.deepEqual(await offered('praxisctl clients --p'), ['--practice']);
		assert.deepEqual(await offered('praxisctl publish --i'), [
			'--idempotency-key',
			'--issuer',
			'--insecure',
		]);
		assert.deepEqual(await offered('praxisctl audit verify --no'), ['--no-gaps']);
		assert.deepEqual(await offered('praxisctl token --role a'), ['admin']);
	});

	it('knows the services of a server that answers, and files', async () => {
		assert.deepEqual(await offered('praxisctl enable t', operator(praxis)), ['telemedicine']);
		assert.deepEqual(await offered('praxisctl clients --service e', operator(praxis)), [
			'echo',
		]);
		assert.deepEqual(
			await offered('praxisctl enable t', { PRAXIS_URL: 'http://127.0.0.1:9' }),
			[],
		);
		assert.deepEqual(await offered(['praxisctl', 'stats', '--cacert', `${root}meson.b`]), [
			`${root}meson.build`,
		]);
	});

	it('is what bash calls', async () => {
		const { stdout } = await exec('bash', [
			'--norc',
			'-c',
			'source "$1"; complete -p praxisctl',
			'bash',
			script,
		]);
		assert.equal(stdout, 'complete -F _praxisctl praxisctl\n');
	});

	itEnds(praxis);
});
