// SPDX-License-Identifier: MIT
//
// The network between a page and a real praxisd is cut, stalls, or is gone for longer: nobody is
// told that anybody left, and each message arrives once and in order.

import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import type { ManagerOptions, Receipt, WhiteboardUpdate } from 'praxis-client';
import { itEnds, Praxisd, secret, usePraxisd } from 'praxisd-of-tests';
import type { Options } from 'praxisd-of-tests';
import { Page } from '../lib/page.js';
import { Proxy } from '../lib/proxy.js';

const numbers = (page: Page) =>
	page.of<WhiteboardUpdate>('whiteboard_update').map(({ data }) => data as number);
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

/** A suite's server, and the network before it; everybody gets a proxy of their own. */
function setUp(options: Options) {
	const pages: Page[] = [];
	const proxies: Proxy[] = [];
	afterEach(async () => {
		pages.splice(0).forEach((page) => page.close());
		await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
	});
	const praxis = usePraxisd(options);
	const page = async (userId: number, more: ManagerOptions = {}) => {
		const proxy = await new Proxy().start(praxis.port);
		const query = { practiceId: 1, userId, userName: secret('name') };
		const made = new Page(praxis, query, { url: proxy.url, ...more });
		proxies.push(proxy);
		pages.push(made);
		made.whiteboard.connect();
		await made.connected();
		await made.next('whiteboard_subscribed');
		return Object.assign(made, { proxy });
	};
	return { praxis, page };
}

describe('the network is cut', () => {
	const { praxis, page } = setUp({ global: { 'grace-ms': 30_000 } });
	const COUNT = 300;

	it('in the middle of what is sent: all of it arrives, once and in order', async () => {
		const [ann, bob] = [await page(1), await page(2)];
		const cuts = [700, 3_001, 5_555, 9_999].map((bytes) => ann.proxy.cutAfter('client', bytes));
		for (const n of upTo(COUNT)) {
			ann.whiteboard.sendWhiteboardUpdate(1, n);
		}
		await Promise.all(cuts);
		await bob.until('all updates', () => numbers(bob).length >= COUNT);
		await bob.fence();
		assert.deepEqual(numbers(bob), upTo(COUNT));
		assert.equal(ann.proxy.connections, 5);
		assert.deepEqual(ann.dropped, []);
	});

	it('in the middle of what is received: all of it arrives, once and in order', async () => {
		const [ann, bob] = [await page(1), await page(2)];
		const cuts = [700, 3_001, 5_555, 9_999].map((bytes) => bob.proxy.cutAfter('server', bytes));
		for (const n of upTo(COUNT)) {
			ann.whiteboard.sendWhiteboardUpdate(1, n);
		}
		await Promise.all(cuts);
		await bob.until('all updates', () => numbers(bob).length >= COUNT);
		await bob.fence();
		assert.deepEqual(numbers(bob), upTo(COUNT));
		assert.equal(bob.of('resumed').length, 4);
	});

	it('and every receipt comes', async () => {
		const ann = await page(1);
		const cuts = [900, 2_222, 1_500].map((bytes, at) =>
			ann.proxy.cutAfter(at % 2 ? 'client' : 'server', bytes),
		);
		const receipts = await Promise.all(upTo(COUNT).map((n) => ann.whiteboard.send(1, n)));
		await Promise.all(cuts);
		const first = receipts[0]?.seq ?? NaN;
		assert.deepEqual(
			receipts.map(({ seq }) => (seq ?? NaN) - first),
			upTo(COUNT),
		);
	});

	it('and nobody in the room is told', async () => {
		const [ann, bob] = [await page(1), await page(2)];
		for (const [member, id] of [
			[ann, 1],
			[bob, 2],
		] as const) {
			member.telemedicine.joinRoom('r', 12, id, 'Somebody');
			await member.next('telemedicine_room_joined');
		}
		const id = ann.manager.clientId;
		ann.proxy.down = true;
		ann.proxy.cut();
		await ann.until('reconnecting', () => !ann.manager.isConnected());
		const text = secret('chat');
		ann.telemedicine.sendChatMessage('r', 12, text, 'Ann', 1);
		bob.telemedicine.sendChatMessage('r', 12, text, 'Bob', 2);
		await bob.fence();
		ann.proxy.down = false;
		for (const member of [ann, bob]) {
			const chat = await member.next('telemedicine_chat_message');
			assert.equal(chat['message'], text);
		}
		await bob.fence();
		assert.equal(ann.manager.clientId, id);
		assert.deepEqual(bob.of('telemedicine_user_left'), []);
		assert.equal(bob.of('telemedicine_user_joined').length, 0);
		assert.equal(ann.of('telemedicine_room_joined').length, 1);
		ann.telemedicine.leaveRoom('r', 12, 1);
		bob.telemedicine.leaveRoom('r', 12, 2);
		await Promise.all([ann.fence(), bob.fence()]);
	});

	it('and falls silent: found out on waking, taken over from the dead connection', async () => {
		let wake = () => {};
		const environment = {
			onWake: (handler: () => void) => {
				wake = handler;
				return () => {};
			},
		};
		const [ann, bob] = [await page(1), await page(2, { environment })];
		bob.proxy.fallSilent();
		for (const n of upTo(10)) {
			ann.whiteboard.sendWhiteboardUpdate(1, n);
		}
		await ann.fence();
		wake();
		await bob.next('resumed');
		await bob.until('all updates', () => numbers(bob).length >= 10);
		await bob.fence();
		assert.deepEqual(numbers(bob), upTo(10));
	});

	itEnds(praxis);
});

describe('the network is gone for longer than a session waits', () => {
	const { praxis, page } = setUp({ global: { 'grace-ms': 50 } });

	it('what was missed is recovered, rooms are joined again, and what waited is sent', async () => {
		const [ann, bob] = [await page(1), await page(2)];
		for (const [member, id] of [
			[ann, 1],
			[bob, 2],
		] as const) {
			member.telemedicine.joinRoom('r', 12, id, 'Somebody');
			await member.next('telemedicine_room_joined');
		}
		const chat: unknown[] = [];
		bob.telemedicine.onChatMessage(({ message }) => chat.push(message));
		ann.whiteboard.sendWhiteboardUpdate(1, 0);
		await bob.next('whiteboard_update');
		bob.proxy.down = true;
		bob.proxy.cut();
		await ann.next('telemedicine_user_left');
		for (const n of [1, 2]) {
			await ann.whiteboard.send(1, n);
		}
		const text = secret('chat');
		ann.telemedicine.sendChatMessage('r', 12, text, 'Ann', 1);
		await ann.fence();
		bob.whiteboard.sendWhiteboardUpdate(1, 100);
		bob.proxy.down = false;
		await bob.until('a second room', () => bob.of('telemedicine_room_joined').length === 2);
		await bob.until('all updates', () => numbers(bob).length >= 3);
		await ann.until("bob's own", () => numbers(ann).length === 1);
		await bob.fence();
		assert.deepEqual(numbers(bob), [0, 1, 2]);
		assert.deepEqual(numbers(ann), [100]);
		assert.deepEqual(chat, [text]);
		assert.deepEqual(bob.of('whiteboard_reload'), []);
		ann.telemedicine.leaveRoom('r', 12, 1);
		bob.telemedicine.leaveRoom('r', 12, 2);
		await Promise.all([ann.fence(), bob.fence()]);
	});

	itEnds(praxis);
});

interface Restarted {
	ann: Page;
	bob: Page;
	/** Ends the server that way, does something while it is away, and starts the next one. */
	restart: (signal: 'SIGTERM' | 'SIGKILL', meanwhile: () => unknown) => Promise<void>;
}

async function restarted(options: Options, test: (all: Restarted) => Promise<void>) {
	const praxis = await new Praxisd().start(options);
	const proxy = await new Proxy().start(praxis.port);
	const page = async (userId: number) => {
		const query = { practiceId: 1, userId, userName: secret('name') };
		const made = new Page(praxis, query, { url: proxy.url });
		made.whiteboard.connect();
		await made.connected();
		await made.next('whiteboard_subscribed');
		return made;
	};
	const [ann, bob] = [await page(1), await page(2)];
	const restart: Restarted['restart'] = async (signal, meanwhile) => {
		proxy.down = true;
		praxis.signal(signal);
		await praxis.exited;
		await ann.until('reconnecting', () => !ann.manager.isConnected());
		meanwhile();
		await praxis.launch();
		proxy.target = praxis.port;
		proxy.down = false;
	};
	try {
		await test({ ann, bob, restart });
	} finally {
		ann.close();
		bob.close();
		await proxy.close();
		await praxis.kill();
	}
}

describe('the server begins anew', () => {
	it('with what it left: nothing is lost and nobody is told', async () => {
		await restarted(
			{ global: { 'state-file': 'state', 'grace-ms': 30_000 } },
			async ({ ann, bob, restart }) => {
				ann.telemedicine.joinRoom('r', 12, 1, 'Ann');
				await ann.next('telemedicine_room_joined');
				bob.telemedicine.joinRoom('r', 12, 2, 'Bob');
				await bob.next('telemedicine_room_joined');
				ann.whiteboard.sendWhiteboardUpdate(1, 0);
				await restart('SIGTERM', () => ann.whiteboard.sendWhiteboardUpdate(1, 1));
				await bob.until('both', () => numbers(bob).length === 2);
				await bob.fence();
				assert.deepEqual(numbers(bob), [0, 1]);
				assert.deepEqual(bob.of('telemedicine_user_left'), []);
				assert.deepEqual(bob.of('whiteboard_reload'), []);
			},
		);
	});

	it('killed, with nothing: all is joined anew, and the data has to be loaded', async () => {
		await restarted({}, async ({ ann, bob, restart }) => {
			ann.telemedicine.joinRoom('r', 12, 1, 'Ann');
			await ann.next('telemedicine_room_joined');
			await Promise.all([ann.whiteboard.send(1, 0), bob.next('whiteboard_update')]);
			let second: Promise<Receipt> | undefined;
			await restart('SIGKILL', () => (second = ann.whiteboard.send(1, 1)));
			await bob.next('whiteboard_reload');
			assert.equal((await second)?.seq, 1);
			await ann.until('a second room', () => ann.of('telemedicine_room_joined').length === 2);
			await bob.fence();
			// The second came before Bob was back, and he is told to load; or after.
			assert.deepEqual(numbers(bob), [0, 1].slice(0, numbers(bob).length));
		});
	});
});
