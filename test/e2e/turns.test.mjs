// SPDX-License-Identifier: MIT
//
// A practice so large that telling all of it takes longer than a turn of the server's loop may: its
// members are told in several turns, each gets everything in order, and nobody is served less.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Wire } from './lib/http.mjs';
import { itEnds, secret, usePraxisd } from './lib/praxisd.mjs';
import { OP, frame, upgradeRequest } from './lib/raw.mjs';
import { until } from './lib/wait.mjs';

const OPENING = 50;
const EACH = 3; // messages of each that speaks
const HEAD_BYTES = 200; // what is looked at of a message stands in front

// A member that costs as little as can be: of each message it keeps who sent it and its number.
class Member {
	got = []; // [sender, number]
	acks = 0;
	#bytes = Buffer.alloc(0);

	static async open(port, number) {
		const member = new Member();
		const wire = await Wire.open(port);
		wire.write(upgradeRequest(`/ws?practiceId=1&userId=${number}&userName=${secret('name')}`));
		assert.equal((await wire.response())?.status, 101);
		const { socket, rest } = wire.release();
		member.socket = socket;
		socket.on('data', (data) => member.#feed(data));
		socket.on('error', () => {});
		member.#feed(rest);
		await until('the greeting', () => member.greeted);
		return member;
	}

	sendAll(messages) {
		this.socket.write(
			Buffer.concat(messages.map((message) => frame(OP.text, JSON.stringify(message)))),
		);
	}

	#feed(data) {
		this.#bytes = this.#bytes.length ? Buffer.concat([this.#bytes, data]) : data;
		for (;;) {
			const bytes = this.#bytes;
			if (bytes.length < 4) {
				return;
			}
			assert.equal(bytes[0], 0x80 | OP.text);
			const long = bytes[1] === 126;
			const start = long ? 4 : 2;
			const end = start + (long ? bytes.readUInt16BE(2) : bytes[1]);
			if (bytes.length < end) {
				return;
			}
			this.#take(bytes.toString('latin1', start, Math.min(end, start + HEAD_BYTES)));
			this.#bytes = bytes.subarray(end);
		}
	}

	#take(head) {
		const found = /^\{"type":"whiteboard_update",.*?"at":\[(\d+),(\d+)\]/.exec(head);
		this.greeted ||= head.startsWith('{"type":"connection_established"');
		this.acks += head.startsWith('{"type":"ack"');
		if (found) {
			this.got.push([Number(found[1]), Number(found[2])]);
		}
	}
}

function update(sender, number, more = {}) {
	return {
		type: 'whiteboard_update',
		practiceId: 1,
		data: { at: [sender, number], fill: secret() },
		...more,
	};
}

async function gather(praxis, count) {
	const members = [];
	while (members.length < count) {
		members.push(
			...(await Promise.all(
				Array.from({ length: OPENING }, (_, at) =>
					Member.open(praxis.port, members.length + at),
				),
			)),
		);
	}
	return members;
}

const disperse = (members) => members.forEach(({ socket }) => socket.destroy());

describe('a practice of many members', () => {
	const praxis = usePraxisd({
		global: { 'max-connections-per-address': 0, 'log-level': 'notice' },
		services: { telemedicine: null, echo: null },
	});

	it('is told over several turns, each in order', async () => {
		const members = await gather(praxis, 1500);
		const { turns_cut: before, turns: turnsBefore } = await praxis.stats();
		const fill = secret().padEnd(16384, 'x');
		for (let number = 0; number < 5; number++) {
			members[0].sendAll([update(0, number, { fill })]);
		}
		await until('everything everywhere', () =>
			members.every(({ got }, at) => got.length === (at ? 5 : 0)),
		);
		for (const { got } of members.slice(1)) {
			assert.deepEqual(got, [
				[0, 0],
				[0, 1],
				[0, 2],
				[0, 3],
				[0, 4],
			]);
		}
		const { turns_cut: cut, turns } = await praxis.stats();
		disperse(members);
		assert.ok(cut > before, 'turns that left work for the next');
		assert.ok(turns.count > turnsBefore.count && turns.sum_us > turnsBefore.sum_us);
		assert.ok(turns.max_us >= turnsBefore.max_us);
		const buckets = Object.values(turns.up_to_us);
		assert.equal(
			buckets.reduce((sum, count) => sum + count),
			turns.count,
		);
	});

	it('may all speak at once', async () => {
		const members = await gather(praxis, 300);
		const { messages_late: before } = await praxis.stats();
		for (const [sender, member] of members.entries()) {
			member.sendAll(Array.from({ length: EACH }, (_, id) => update(sender, id, { id })));
		}
		await until('everything everywhere', () =>
			members.every(({ got, acks }) => {
				return acks === EACH && got.length === (members.length - 1) * EACH;
			}),
		);
		const { messages_late: late } = await praxis.stats();
		disperse(members);
		for (const [at, { got }] of members.entries()) {
			const next = new Array(members.length).fill(0);
			for (const [sender, number] of got) {
				assert.notEqual(sender, at);
				assert.equal(number, next[sender]++, `messages of ${sender} at ${at}`);
			}
		}
		assert.ok(late > before, 'messages that were put off');
	});

	it('may all go in the middle of it', async () => {
		const members = await gather(praxis, 600);
		const fill = secret().padEnd(16384, 'x');
		members[0].sendAll([update(0, 0, { fill }), update(0, 1, { fill })]);
		await until('it has begun', () => members.some(({ got }) => got.length > 0));
		disperse(members);
	});

	itEnds(praxis);
});
