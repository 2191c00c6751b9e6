// SPDX-License-Identifier: MIT
//
// The envelope: what is JSON, what is a message, the fields of every type, receipts, sizes, and
// the frames below. Whatever a client gets wrong is told to it alone, by error or close code; the
// witness of each test, in the same practice, notices nothing.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Wire } from './lib/http.mjs';
import { malformed } from './lib/messages.mjs';
import { itEnds, secret, usePraxisd } from './lib/praxisd.mjs';
import { closePayload, fragments, frame, OP, RawClient } from './lib/raw.mjs';
import { nothingArrived } from './lib/session.mjs';

const MAX = 65536;

// An echo message of exactly this many bytes.
function echoOf(bytes, start = secret()) {
	const empty = JSON.stringify({ type: 'echo_say', text: '' }).length;
	const text = start.padEnd(bytes - empty, 'x');
	return { text, message: JSON.stringify({ type: 'echo_say', text }) };
}

const nested = (levels) => '['.repeat(levels) + ']'.repeat(levels);

describe('what is JSON', () => {
	const praxis = usePraxisd();

	const SECRET = '"SECRET"';
	for (const text of [
		'',
		' ',
		'\n',
		'SECRET',
		'{',
		'}',
		`{"type":"ping","a":${SECRET}`,
		`{"type":"ping","a":"SECRET`,
		`{"type":"ping"}}`,
		`{"type":"ping"}{"type":"ping"}`,
		`{"type":"ping"} SECRET`,
		`{"type":"ping"},`,
		`{"type":"ping","a":${SECRET},}`,
		`{,"type":"ping"}`,
		`{"type":"ping","a":[${SECRET},]}`,
		`{"type":"ping","a":[,${SECRET}]}`,
		`{"type":"ping" "a":${SECRET}}`,
		`{"type":"ping","a"}`,
		`{"type":"ping","a":}`,
		`{"type":"ping","a":[${SECRET}}`,
		`{'type':'ping'}`,
		`{"type":"ping","a":'SECRET'}`,
		`{type:"ping"}`,
		`{"type":"ping",a:1}`,
		`{"type":"ping","a":NaN}`,
		`{"type":"ping","a":nan}`,
		`{"type":"ping","a":Infinity}`,
		`{"type":"ping","a":-Infinity}`,
		`{"type":"ping","a":undefined}`,
		`{"type":"ping","a":True}`,
		`{"type":"ping","a":nul}`,
		`{"type":"ping","a":NULL}`,
		`{"type":"ping","a":1.}`,
		`{"type":"ping","a":.5}`,
		`{"type":"ping","a":01}`,
		`{"type":"ping","a":-01}`,
		`{"type":"ping","a":+1}`,
		`{"type":"ping","a":-}`,
		`{"type":"ping","a":1e}`,
		`{"type":"ping","a":1e+}`,
		`{"type":"ping","a":0x10}`,
		`{"type":"ping","a":1_000}`,
		`{"type":"ping","a":1 2}`,
		`{"type":"ping","a":"SECRET\n"}`,
		`{"type":"ping","a":"\t"}`,
		`{"type":"ping","a":"\u0000"}`,
		`{"type":"ping","a":"\u001f"}`,
		`{"type":"ping","\n":1}`,
		`{"type":"ping","a":"\\x41"}`,
		`{"type":"ping","a":"\\u12"}`,
		`{"type":"ping","a":"\\u12G4"}`,
		`{"type":"ping","a":"\\'"}`,
		`{"type":"ping","a":"\\`,
		`{"type":"ping"/*SECRET*/}`,
		`{"type":"ping"}//SECRET`,
		`#SECRET\n{"type":"ping"}`,
		`\ufeff{"type":"ping"}`,
		`\u00a0{"type":"ping"}`,
		`\v{"type":"ping"}`,
		`{"type":"ping"}\u0000`,
		`{"type":"ping"}\u0000SECRET`,
		`{"type":"ping","a":${nested(10_000)}}`,
		nested(10_000),
		'['.repeat(60_000),
		'{"a":'.repeat(10_000),
		`{"type":"ping","a":${nested(33)}}`,
	]) {
		it(`not this: ${JSON.stringify(text).slice(0, 60)}`, async () => {
			const [witness, mallory] = [await praxis.connect(), await praxis.connect()];
			mallory.send(text);
			const error = await mallory.next('error');
			assert.equal(error.code, 'bad_json');
			assert.doesNotMatch(error.raw, /SECRET/);
			await nothingArrived([mallory, witness]);
		});
	}

	for (const text of [
		` \r\n\t{ "type" : "ping" , "a" : [ 1 , -0 , 1.5e-7 , 1E+9 , "\\u00e9\\/" , { } ] } \n`,
		`{"t\\u0079pe":"p\\u0069ng"}`,
		`{"type":"ping","a":1e999}`,
		`{"type":"ping","":1}`,
		`{"type":"ping","a":"\\ud83d\\ude00\u007f\u2028😀"}`,
		`{"type":"ping","a":${'9'.repeat(400)}}`,
		`{"type":"ping","a":${nested(31)}}`,
	]) {
		it(`but this: ${JSON.stringify(text).slice(0, 60)}`, async () => {
			const ann = await praxis.connect();
			ann.send(text);
			await ann.next('pong');
			await nothingArrived([ann]);
		});
	}

	it('all of it is logged by its code', () => {
		assert.match(praxis.log, /bad_json/);
	});

	itEnds(praxis);
});

describe('what is a message', () => {
	const praxis = usePraxisd();

	for (const [text, field] of [
		['[]'],
		['"SECRET"'],
		['7'],
		['null'],
		['true'],
		['[{"type":"ping"}]'],
		['{}', 'type'],
		['{"data":"SECRET"}', 'type'],
		['{"Type":"ping"}', 'type'],
		['{"type":""}', 'type'],
		['{"type":7}', 'type'],
		['{"type":null}', 'type'],
		['{"type":true}', 'type'],
		['{"type":["ping"]}', 'type'],
		['{"type":{"type":"ping"}}', 'type'],
		['{"type":"SECRET"}', 'type'],
		['{"type":"Ping"}', 'type'],
		['{"type":"ping "}', 'type'],
		['{"type":" ping"}', 'type'],
		['{"type":"echo-say"}', 'type'],
		['{"type":"echo.say"}', 'type'],
		['{"type":"_ping"}', 'type'],
		['{"type":"7ping"}', 'type'],
		['{"type":"ping\\u0000"}', 'type'],
		['{"type":"ping\\u0000secret"}', 'type'],
		['{"type":"pïng"}', 'type'],
		['{"type":"ping\\n"}', 'type'],
		[`{"type":"${'a'.repeat(65)}"}`, 'type'],
		[`{"type":"${'a'.repeat(60_000)}"}`, 'type'],
	]) {
		it(`not this: ${text.slice(0, 60)}`, async () => {
			const [witness, mallory] = [await praxis.connect(), await praxis.connect()];
			mallory.send(text);
			const error = await mallory.next('error');
			assert.equal(error.code, 'bad_message');
			assert.equal(error.field, field);
			assert.doesNotMatch(error.raw, /SECRET/);
			await nothingArrived([mallory, witness]);
		});
	}

	it('more than ten such in ten seconds end the connection with 1008', async () => {
		const [witness, mallory] = [await praxis.connect(), await praxis.connect()];
		for (let at = 0; at < 10; at++) {
			mallory.send(at % 2 ? '{"type":7,"a":"SECRET"}' : 'SECRET');
			assert.equal((await mallory.next('error')).code, at % 2 ? 'bad_message' : 'bad_json');
		}
		await nothingArrived([mallory]);
		mallory.send('SECRET');
		assert.equal((await mallory.closing()).code, 1008);
		await nothingArrived([witness]);
		assert.ok((await praxis.stats()).closes['1008'] >= 1);
	});

	it('a flood of such ends the connection once', async () => {
		const [witness, mallory] = [await praxis.connect(), await praxis.connectRaw()];
		mallory.write(Buffer.concat(Array.from({ length: 500 }, () => frame(OP.text, 'SECRET'))));
		assert.equal((await mallory.closing()).code, 1008);
		await nothingArrived([witness]);
	});

	itEnds(praxis);
});

describe('what is a type', () => {
	const praxis = usePraxisd();

	for (const type of [
		'nosuch',
		'nosuch_thing',
		'whiteboard',
		'whiteboard_',
		'whiteboard_nosuch',
		'whiteboard_updates',
		'whiteboard_updat',
		'whiteboardx_update',
		'telemedicine_nosuch',
		'echo_say_it',
		'echo_said',
		'pong',
		'ack',
		'error',
		'connection_established',
		'telemedicine_room_joined',
		'whiteboard_subscribed',
		'constructor',
		'join',
		'offer',
		'svc_whiteboard',
		'praxis_v1',
		'a'.repeat(64),
	]) {
		it(`not ${type.slice(0, 40)}`, async () => {
			const [witness, mallory] = [await praxis.connect(), await praxis.connect()];
			const error = await mallory.refused(
				{ type, practiceId: 1, data: secret() },
				'unknown_type',
			);
			assert.equal(error.ref, type);
			mallory.send({ type, practiceId: 1 });
			assert.equal((await mallory.next('error')).id, undefined);
			await nothingArrived([mallory, witness]);
		});
	}

	it('is logged by its code', async () => {
		assert.match(praxis.log, /unknown_type/);
		assert.ok((await praxis.stats()).errors.unknown_type >= 1);
	});

	itEnds(praxis);
});

describe('a service that is switched off', () => {
	const praxis = usePraxisd({ services: { whiteboard: { status: 'disabled' } } });

	it('is not announced, and refuses by name', async () => {
		const ann = await praxis.connect();
		assert.deepEqual([...ann.hello.services].sort(), ['echo', 'telemedicine']);
		const error = await ann.refused(
			{ type: 'whiteboard_update', practiceId: 1 },
			'service_disabled',
		);
		assert.equal(error.ref, 'whiteboard_update');
		await ann.accepted({ type: 'echo_say', text: 'SECRET' });
		const { services } = await praxis.stats();
		assert.equal(services.whiteboard.enabled, false);
		assert.equal(services.echo.enabled, true);
	});

	itEnds(praxis);
});

describe('the fields', () => {
	const praxis = usePraxisd();

	// Sent by a member of the room who may do everything, so that only the fields are wrong.
	const byType = new Map();
	for (const test of malformed()) {
		byType.set(test.type, [...(byType.get(test.type) ?? []), test]);
	}

	for (const [type, tests] of byType) {
		it(`of ${type}: ${tests.length} ways to get them wrong`, async () => {
			const witness = await praxis.connect({ practiceId: 7 });
			const mallory = await praxis.connect({ practiceId: 7 });
			await witness.join(7);
			await mallory.join(7);
			await witness.next('telemedicine_user_joined');
			for (const { what, field, text } of tests) {
				const error = await mallory.refused(text, 'bad_message');
				assert.equal(error.ref, type, text);
				assert.match(
					error.field ?? '',
					new RegExp(`^${field}`),
					`${what}: ${text.slice(0, 200)}`,
				);
			}
			mallory.send(tests[0].text);
			const silent = await mallory.next('error');
			assert.equal(silent.id, undefined);
			assert.equal(silent.code, 'bad_message');
			await nothingArrived([mallory, witness], [mallory]);
		});
	}

	it('wrong in any number do not end the connection', async () => {
		const ann = await praxis.connect();
		for (let at = 0; at < 50; at++) {
			ann.send({ type: 'echo_say', text: 7 });
		}
		const got = await ann.fence();
		assert.deepEqual(
			got.map((error) => error.code),
			Array(50).fill('bad_message'),
		);
	});

	it('of an id of 128 bytes are taken', async () => {
		const ann = await praxis.connect();
		for (const roomId of ['x'.repeat(128), 'é'.repeat(64), 0, -1, 9007199254740991]) {
			await ann.join(roomId, { appointmentId: 1 });
		}
		await ann.refused(
			{ type: 'telemedicine_end', roomId: 'é'.repeat(64) + 'x' },
			'bad_message',
		);
	});

	it('wrong are logged by code', async () => {
		assert.match(praxis.log, /bad_message/);
		assert.ok((await praxis.stats()).errors.bad_message >= 1);
	});

	itEnds(praxis);
});

describe('receipts', () => {
	const praxis = usePraxisd();

	const spelled = [
		'"a"',
		`"${'x'.repeat(64)}"`,
		'0',
		'-7',
		'7',
		'9007199254740993',
		'"\\u00e9\\""',
	];

	for (const id of spelled) {
		it(`of ${id} come with it`, async () => {
			const ann = await praxis.connect();
			for (const text of [
				`{"type":"ping","id":${id}}`,
				`{"type":"echo_say","text":"SECRET","id":${id}}`,
				`{"type":"whiteboard_subscribe","practiceId":1,"id":${id}}`,
			]) {
				ann.send(text);
				const ack = await ann.next('ack');
				assert.deepEqual(ack.id, JSON.parse(id));
			}
			ann.send(`{"type":"nosuch","id":${id}}`);
			assert.deepEqual((await ann.next('error')).id, JSON.parse(id));
		});
	}

	it("repeat an integer's digits", async () => {
		const ann = await praxis.connect();
		ann.send('{"type":"ping","id":9007199254740993}');
		assert.match((await ann.next('ack')).raw, /"id":\s*9007199254740993\b/);
	});

	for (const id of [`"${'x'.repeat(65)}"`, '1.5', '1e3', 'true', 'null', '[]', '{}']) {
		it(`of ${id.slice(0, 20)} are refused`, async () => {
			const [witness, ann] = [await praxis.connect(), await praxis.connect()];
			ann.send(`{"type":"whiteboard_update","practiceId":1,"data":"SECRET","id":${id}}`);
			const error = await ann.next('error');
			assert.equal(error.code, 'bad_message');
			assert.equal(error.field, 'id');
			await nothingArrived([ann, witness], [ann]);
		});
	}

	it('are not sent unasked', async () => {
		const [witness, ann] = [await praxis.connect(), await praxis.connect()];
		ann.send({ type: 'whiteboard_update', practiceId: 1 });
		await nothingArrived([ann]);
		await witness.next('whiteboard_update');
	});

	it('come for joins and pings, with their answers', async () => {
		const ann = await praxis.connect();
		await ann.accepted({
			type: 'telemedicine_user_joined',
			roomId: 1,
			appointmentId: 1,
			userId: 1,
			userName: 'SECRET',
		});
		await ann.next('telemedicine_room_joined');
		await ann.accepted({ type: 'ping', t: 5 });
		await ann.next('pong');
	});

	it("a pong has the ping's t as it was", async () => {
		const ann = await praxis.connect();
		ann.send('{"type":"ping","t":1.50e3}');
		assert.equal((await ann.next('pong')).t, 1500);
		ann.send('{"type":"ping"}');
		await ann.next('pong');
	});

	it('echo says what it was told', async () => {
		const ann = await praxis.connect();
		for (const text of ['', secret(), 'é\u0000\n"\\/😀\u2028', 'x'.repeat(1000)]) {
			ann.send({ type: 'echo_say', text });
			assert.equal((await ann.next('echo_said')).text, text);
		}
	});

	itEnds(praxis);
});

describe('a long message', () => {
	const praxis = usePraxisd();

	it('of exactly the limit arrives', async () => {
		const ann = await praxis.connect();
		const { text, message } = echoOf(MAX);
		ann.send(message);
		assert.equal((await ann.next('echo_said')).text, text);
	});

	it('of exactly the limit is forwarded', async () => {
		const [ann, bob] = [await praxis.connect(), await praxis.connect()];
		const empty = JSON.stringify({ type: 'whiteboard_update', practiceId: 1, data: '' }).length;
		const data = secret().padEnd(MAX - empty, 'x');
		ann.send({ type: 'whiteboard_update', practiceId: 1, data });
		assert.equal((await bob.next('whiteboard_update')).data, data);
	});

	it('of exactly the limit arrives in fragments', async () => {
		const ann = await praxis.connectRaw();
		const { text, message } = echoOf(MAX);
		for (const size of [1000, 4096, 40_000]) {
			ann.write(Buffer.concat(fragments(message, size)));
			assert.equal((await ann.next('echo_said')).text, text);
		}
	});

	const tooLong = {
		'in one frame': () => [frame(OP.text, echoOf(MAX + 1).message)],
		'in two': () => fragments(echoOf(MAX + 1).message, 40_000),
		'in many': () => fragments(echoOf(MAX + 1).message, 100),
		'in bytes, though not in characters': () => [
			frame(OP.text, echoOf(40_000).message.replaceAll('x', 'é')),
		],
		'by its last byte': () => fragments(echoOf(MAX + 1).message, MAX),
		'by far': () => [frame(OP.text, echoOf(1_000_000).message)],
		announced: () => [frame(OP.text, 'SECRET', { announce: MAX + 1 })],
		'of 1 TB, announced': () => [frame(OP.text, 'SECRET', { announce: 1n << 40n })],
		'of 1 TB, announced in a fragment': () => [
			frame(OP.text, '{"type":', { fin: false }),
			frame(OP.continuation, 'SECRET', { announce: 1n << 40n }),
		],
		'of 2 GB, announced': () => [frame(OP.text, 'SECRET', { announce: 1n << 31n })],
		'of 4 GB, announced': () => [frame(OP.text, 'SECRET', { announce: 1n << 32n })],
		'of 4 GB and a bit, announced': () => [
			frame(OP.text, 'SECRET', { announce: (1n << 32n) + 6n }),
		],
	};
	for (const [how, frames] of Object.entries(tooLong)) {
		it(`of more ends the connection with 1009: ${how}`, async () => {
			const [witness, mallory] = [await praxis.connect(), await praxis.connectRaw()];
			frames().forEach((bytes) => mallory.write(bytes));
			assert.equal((await mallory.closing()).code, 1009);
			await nothingArrived([witness]);
		});
	}

	it('is counted', async () => {
		assert.ok((await praxis.stats()).closes['1009'] >= 1);
	});

	itEnds(praxis);
});

describe('frames', () => {
	const praxis = usePraxisd();
	const message = (text) => JSON.stringify({ type: 'echo_say', text });

	it('of one byte each make a message', async () => {
		const ann = await praxis.connectRaw();
		const text = `${secret()} é 😀 \u2028`;
		for (const bytes of fragments(message(text), 1)) {
			ann.write(bytes);
		}
		assert.equal((await ann.next('echo_said')).text, text);
	});

	it('may be empty', async () => {
		const ann = await praxis.connectRaw();
		const text = secret();
		ann.write(frame(OP.text, '', { fin: false }));
		for (const bytes of fragments(message(text), 9)) {
			bytes[0] &= 0x70;
			ann.write(bytes);
			ann.write(frame(OP.continuation, '', { fin: false }));
		}
		ann.write(frame(OP.continuation));
		assert.equal((await ann.next('echo_said')).text, text);
	});

	it('that arrive byte by byte are read', async () => {
		const ann = await praxis.connectRaw();
		const text = secret();
		for (const byte of frame(OP.text, message(text))) {
			await new Promise((resolve) => ann.socket.write(Buffer.from([byte]), resolve));
		}
		assert.equal((await ann.next('echo_said')).text, text);
	});

	it('that arrive many at once are all read, in order', async () => {
		const ann = await praxis.connectRaw();
		const texts = Array.from({ length: 500 }, () => secret());
		ann.write(Buffer.concat(texts.map((text) => frame(OP.text, message(text)))));
		for (const text of texts) {
			assert.equal((await ann.next()).text, text);
		}
	});

	it('that arrive with the upgrade itself are read', async () => {
		const wire = await Wire.open(praxis.port);
		const write = wire.write.bind(wire);
		const text = secret();
		wire.write = (upgrade) =>
			write(Buffer.concat([Buffer.from(upgrade), frame(OP.text, message(text))]));
		const ann = await RawClient.open(praxis.port, '/ws', {}, { wire });
		assert.equal((await ann.next()).type, 'connection_established');
		assert.equal((await ann.next('echo_said')).text, text);
		await ann.close();
	});

	it('may have a ping between them', async () => {
		const ann = await praxis.connectRaw();
		const text = secret();
		const [first, second] = fragments(message(text), 20);
		second[0] &= 0x7f;
		ann.write(first);
		ann.write(frame(OP.ping, 'are you there'));
		assert.equal((await ann.nextFrame(OP.pong)).payload.toString(), 'are you there');
		ann.write(second);
		fragments(message(text), 20)
			.slice(2)
			.forEach((bytes) => ann.write(bytes));
		assert.equal((await ann.next('echo_said')).text, text);
	});

	it('of a ping with 125 bytes are answered', async () => {
		const ann = await praxis.connectRaw();
		ann.write(frame(OP.ping, 'x'.repeat(125)));
		assert.equal((await ann.nextFrame(OP.pong)).payload.length, 125);
	});

	it('of an unasked pong are let pass', async () => {
		const ann = await praxis.connectRaw();
		ann.write(frame(OP.pong, 'SECRET'));
		ann.write(frame(OP.pong));
		await nothingArrived([ann]);
	});

	// Each ends the offender's connection, with one of these codes (1006: without a close frame).
	const text = () => Buffer.from(message(secret()));
	const utf8 = (...bytes) =>
		Buffer.concat([
			Buffer.from('{"type":"echo_say","text":"SECRET'),
			Buffer.from(bytes),
			Buffer.from('"}'),
		]);
	const violations = {
		binary: [[1003], () => [frame(OP.binary, text())]],
		'binary and empty': [[1003], () => [frame(OP.binary)]],
		'binary, in fragments': [
			[1003],
			() => [frame(OP.binary, '{', { fin: false }), frame(OP.continuation, '}')],
		],
		'a byte that is never UTF-8': [[1007], () => [frame(OP.text, utf8(0xff))]],
		'a continuation byte alone': [[1007], () => [frame(OP.text, utf8(0x80))]],
		'an overlong slash': [[1007], () => [frame(OP.text, utf8(0xc0, 0xaf))]],
		'an overlong null': [[1007], () => [frame(OP.text, utf8(0xe0, 0x80, 0x80))]],
		'a surrogate': [[1007], () => [frame(OP.text, utf8(0xed, 0xa0, 0x80))]],
		'more than Unicode has': [[1007], () => [frame(OP.text, utf8(0xf4, 0x90, 0x80, 0x80))]],
		'a sequence cut by a quote': [[1007], () => [frame(OP.text, utf8(0xe2, 0x82))]],
		'a sequence cut by the end': [
			[1007],
			() => [frame(OP.text, Buffer.from([0x22, 0xe2, 0x82]))],
		],
		'a sequence cut by the end of the fragments': [
			[1007],
			() => [
				frame(OP.text, Buffer.from([0x22, 0xe2]), { fin: false }),
				frame(OP.continuation, Buffer.from([0x82])),
			],
		],
		'bad UTF-8 in a later fragment': [
			[1007],
			() => [
				frame(OP.text, '{"type":"echo_say","text":"', { fin: false }),
				frame(OP.continuation, Buffer.from([0xff])),
			],
		],
		'a continuation of nothing': [[1002, 1006], () => [frame(OP.continuation, text())]],
		'a message within a message': [
			[1002, 1006],
			() => [frame(OP.text, '{"type":', { fin: false }), frame(OP.text, text())],
		],
		'reserved opcode 3': [[1002, 1006], () => [frame(3, text())]],
		'reserved opcode 7': [[1002, 1006], () => [frame(7, text())]],
		'reserved opcode 11': [[1002, 1006], () => [frame(11)]],
		'reserved bit 1': [[1002, 1006], () => [frame(OP.text, text(), { rsv: 4 })]],
		'reserved bit 2': [[1002, 1006], () => [frame(OP.text, text(), { rsv: 2 })]],
		'reserved bit 3': [[1002, 1006], () => [frame(OP.text, text(), { rsv: 1 })]],
		'a ping in fragments': [[1002, 1006], () => [frame(OP.ping, 'SECRET', { fin: false })]],
		'a ping of 126 bytes': [[1002, 1006], () => [frame(OP.ping, 'x'.repeat(126))]],
		'a close frame of one byte': [[1002, 1005, 1006], () => [frame(OP.close, 'x')]],
		'a negative length': [
			[1002, 1006, 1009],
			() => [frame(OP.text, 'SECRET', { announce: 1n << 63n })],
		],
		'the largest length': [
			[1002, 1006, 1009],
			() => [frame(OP.text, 'SECRET', { announce: (1n << 64n) - 1n })],
		],
	};
	for (const [what, [codes, frames]] of Object.entries(violations)) {
		it(`end the connection: ${what}`, async () => {
			const [witness, mallory] = [await praxis.connect(), await praxis.connectRaw()];
			mallory.write(Buffer.concat(frames()));
			const { code } = await mallory.closing();
			assert.ok(codes.includes(code), `${code} is one of ${codes}`);
			await nothingArrived([witness]);
		});
	}

	it('that end the connection are logged by client and code', async () => {
		for (const [code, bytes] of [
			[1003, frame(OP.binary, 'SECRET')],
			[1008, Buffer.concat(Array.from({ length: 11 }, () => frame(OP.text, 'SECRET')))],
			[1009, frame(OP.text, 'SECRET', { announce: MAX + 1 })],
		]) {
			const mallory = await praxis.connectRaw();
			mallory.write(bytes);
			assert.equal((await mallory.closing()).code, code);
			await praxis.logged(new RegExp(`${mallory.clientId}.*\\b${code}\\b`));
		}
	});

	// libwebsockets reads a frame without a mask as if it had one of zero and does not tell: this
	// is not refused as RFC 6455 5.1 has it. It must not hurt, though.
	it('without a mask hurt nobody', async () => {
		const [witness, mallory] = [await praxis.connect(), await praxis.connectRaw()];
		mallory.write(frame(OP.text, message('SECRET'), { mask: false }));
		const end = mallory.closed.then(({ code }) => assert.ok([1002, 1006].includes(code)));
		await Promise.race([mallory.next('echo_said').catch(() => end), end]);
		await nothingArrived([witness]);
	});

	it('with a close code that nobody may send end the connection', async () => {
		for (const payload of [
			closePayload(1005),
			closePayload(999),
			closePayload(1006),
			closePayload(5000),
			closePayload(1000, Buffer.from([0xff])),
		]) {
			const mallory = await praxis.connectRaw();
			mallory.write(frame(OP.close, payload));
			await mallory.closing();
		}
	});

	it('after the close frame are not read', async () => {
		const [witness, mallory] = [await praxis.connect(), await praxis.connectRaw()];
		mallory.write(
			Buffer.concat([
				frame(OP.close, closePayload(1000)),
				frame(
					OP.text,
					JSON.stringify({ type: 'whiteboard_update', practiceId: 1, data: 'SECRET' }),
				),
			]),
		);
		await mallory.closing();
		await nothingArrived([witness]);
	});

	it('a close is answered with its code', async () => {
		const ann = await praxis.connectRaw();
		assert.equal((await ann.close(1000)).code, 1000);
		const bob = await praxis.connect();
		assert.equal((await bob.close(4321)).code, 4321);
	});

	it('an unfinished message is forgotten with its sender', async () => {
		for (let round = 0; round < 20; round++) {
			const mallory = await praxis.connectRaw();
			mallory.write(frame(OP.text, 'SECRET'.repeat(5000), { fin: false }));
			mallory.write(frame(OP.ping, 'read so far'));
			await mallory.nextFrame(OP.pong);
			await mallory.kill();
		}
	});

	itEnds(praxis);
});
