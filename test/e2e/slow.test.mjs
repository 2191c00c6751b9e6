// SPDX-License-Identifier: MIT
//
// A client that stops reading while its practice is busy: it is cut off, the others get everything.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { itEnds, secret, usePraxisd } from './lib/praxisd.mjs';
import { nothingArrived } from './lib/session.mjs';
import { until } from './lib/wait.mjs';

const MESSAGE_BYTES = 8192;
const BATCH = 3;
const ENOUGH_BYTES = 24 * 1024 * 1024;

// Sends updates, a few at a time so that a reader that reads is never behind, until `done` says so.
// Returns how many it sent. `keys`: those of the updates, in turn.
async function keepBusy(sender, readers, done, keys = []) {
	for (let sent = 0; ;) {
		for (let at = 0; at < BATCH; at++) {
			sender.send({
				type: 'whiteboard_update',
				practiceId: 1,
				key: keys[(sent + at) % keys.length],
				data: { at: sent + at, fill: secret().padEnd(MESSAGE_BYTES, 'x') },
			});
		}
		for (const reader of readers) {
			for (let at = 0; at < BATCH; at++) {
				assert.equal((await reader.next('whiteboard_update')).data.at, sent + at);
			}
		}
		sent += BATCH;
		if (sent * MESSAGE_BYTES > ENOUGH_BYTES || (await done())) {
			return sent;
		}
	}
}

describe('a client that stops reading', () => {
	const praxis = usePraxisd({ global: { 'queue-bytes': 65536, 'send-buffer-bytes': 16384 } });
	const cut = async () => (await praxis.stats()).slow_readers;

	it('is closed with 4408, and the others get every message in order', async () => {
		const sender = await praxis.connect();
		const readers = await Promise.all(Array.from({ length: 3 }, () => praxis.connect()));
		const slow = await praxis.connectRaw();
		const before = await cut();
		slow.socket.pause();
		const sent = await keepBusy(sender, readers, async () => (await cut()) > before);

		slow.socket.resume();
		assert.equal((await slow.closing()).code, 4408);
		let got = 0;
		while (slow.inbox.size) {
			assert.equal(
				(await slow.next('whiteboard_update')).data.at,
				got++,
				'all in order to where it was cut',
			);
		}
		assert.ok(got > 0 && got < sent, `${got} of ${sent}`);
		assert.equal((await praxis.stats()).closes['4408'], 1);
		await nothingArrived([sender, ...readers]);
	});

	it('is logged by client and code', async () => {
		const sender = await praxis.connect();
		const slow = await praxis.connectRaw();
		const before = await cut();
		slow.socket.pause();
		await keepBusy(sender, [], async () => (await cut()) > before);
		slow.socket.resume();
		await slow.closing();
		await praxis.logged(new RegExp(`${slow.clientId}.*\\b4408\\b`));
	});

	it('leaves its rooms', async () => {
		const [sender, peer] = [await praxis.connect(), await praxis.connect()];
		const slow = await praxis.connectRaw();
		await peer.join('r');
		await slow.join('r');
		await peer.next('telemedicine_user_joined');
		const before = await cut();
		slow.socket.pause();
		await keepBusy(sender, [peer], async () => (await cut()) > before);
		slow.socket.resume();
		const left = await peer.next('telemedicine_user_left');
		assert.equal(left.clientId, slow.clientId);
		assert.equal(left.reason, 'disconnected');
	});

	it('and never reads on is dropped all the same', async () => {
		const [sender, reader] = [await praxis.connect(), await praxis.connect()];
		const slow = await praxis.connectRaw();
		const before = await cut();
		slow.socket.pause();
		await keepBusy(sender, [reader], async () => (await cut()) > before);
		await until('the slow one is gone', async () => (await praxis.stats()).sessions === 2);
	});

	it('and is killed then leaves nothing', async () => {
		const [sender, reader] = [await praxis.connect(), await praxis.connect()];
		const slow = await praxis.connectRaw();
		slow.socket.pause();
		await keepBusy(sender, [reader], async () => (await praxis.stats()).queue_bytes > 0);
		await slow.kill();
		await keepBusy(sender, [reader], () => true);
	});

	it('is spared what later updates of the same key replace, before it is closed', async () => {
		const sender = await praxis.connect();
		const readers = await Promise.all(Array.from({ length: 3 }, () => praxis.connect()));
		const slow = await praxis.connectRaw();
		const before = await praxis.stats();
		slow.socket.pause();
		let replaced;
		const busy = await keepBusy(
			sender,
			readers,
			async () => ({ replaced } = await praxis.stats()).replaced > before.replaced + 100,
			['left', 'right'],
		);
		assert.equal((await praxis.stats()).slow_readers, before.slow_readers);
		slow.socket.resume();
		await until('the last update', () =>
			slow.inbox.has((message) => message.data?.at === busy - 1),
		);
		const got = (await slow.fence()).map(({ data, seq }) => [data.at, seq]);
		for (const [at, [number, seq]] of got.entries()) {
			assert.ok(at === 0 || number > got[at - 1][0], 'in order');
			assert.equal(
				seq - got[0][1],
				number - got[0][0],
				'seq jumps where updates are missing',
			);
		}
		const after = await praxis.stats();
		assert.equal(got.length, busy - (after.replaced - before.replaced));
		assert.ok(after.replaced_bytes - before.replaced_bytes > 100 * MESSAGE_BYTES);
		assert.equal(after.dropped, before.dropped);

		// What has no key cannot be replaced.
		slow.socket.pause();
		await keepBusy(sender, readers, async () => (await cut()) > before.slow_readers);
		slow.socket.resume();
		assert.equal((await slow.closing()).code, 4408);
		const end = await praxis.stats();
		assert.ok(end.dropped > after.dropped);
		assert.ok(end.dropped_bytes - after.dropped_bytes > (end.dropped - after.dropped) * 100);
		await nothingArrived([sender, ...readers]);
		assert.ok(replaced > 0);
	});

	it('for a moment only loses nothing', async () => {
		const sender = await praxis.connect();
		const slow = await praxis.connectRaw();
		slow.socket.pause();
		const sent = await keepBusy(sender, [], async () => true);
		slow.socket.resume();
		for (let at = 0; at < sent; at++) {
			assert.equal((await slow.next('whiteboard_update')).data.at, at);
		}
	});

	it("of its own messages' answers is cut off, too", async () => {
		const witness = await praxis.connect();
		const slow = await praxis.connectRaw();
		const before = await cut();
		slow.socket.pause();
		const fill = secret().padEnd(MESSAGE_BYTES, 'x');
		let sent = 0;
		while ((await cut()) === before && sent < ENOUGH_BYTES && !slow.socket.destroyed) {
			slow.send({ type: 'echo_say', text: fill });
			sent += fill.length;
			await witness.fence();
		}
		slow.socket.resume();
		// What it still sends may cost it the close frame: TCP resets a connection that is closed
		// with data unread.
		assert.ok([4408, 1006].includes((await slow.closing()).code));
		assert.ok((await cut()) > before);
		await nothingArrived([witness]);
	});

	itEnds(praxis);
});

describe('a client that reads nothing', () => {
	const praxis = usePraxisd({
		global: { 'send-buffer-bytes': 4096, 'queue-age-ms': 2000, 'max-message-bytes': 65536 },
	});

	it('is closed with 4408 when a message has waited too long, however few there are', async () => {
		const [sender, reader] = [await praxis.connect(), await praxis.connect()];
		const slow = await praxis.connectRaw();
		slow.socket.pause();
		const stats = () => praxis.stats();
		let sent = 0;
		// As much as the kernel takes, and a few more.
		while ((await stats()).queue_bytes < 4 * 30000 && sent < 2000) {
			const data = { at: sent++, fill: secret().padEnd(30000, 'x') };
			sender.send({ type: 'whiteboard_update', practiceId: 1, data });
			await reader.next('whiteboard_update');
			await sender.fence();
		}
		const behind = await stats();
		assert.ok(behind.queue_bytes < 1048576 / 2, 'few');
		await until('it is given up', async () => (await stats()).slow_readers === 1);
		slow.socket.resume();
		assert.equal((await slow.closing()).code, 4408);
		await nothingArrived([sender, reader]);
	});

	itEnds(praxis);
});
