// SPDX-License-Identifier: MIT
//
// A screen of praxis.v1 that is on all day: whenever its connection breaks it comes back, resumes, and
// sends again what the server did not have. What it heard of its practice's whiteboard, its own
// updates among it, is in `board`, where nothing may be missing and nothing twice: what is wrong is in
// `faults`.
//
// lib/person.mjs is one whom its test brings back by hand, lib/resuming.mjs one that knows bytes.

import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from './client.mjs';
import { Inbox } from './inbox.mjs';
import { claimsOf, sign } from './issuer.mjs';
import { secret } from './praxisd.mjs';
import { until, within } from './wait.mjs';

const RECEIVED_EVERY = 16;
const RETRY_MS = 100;

export class Screen {
	board = []; // { seq, data }
	chats = [];
	faults = [];
	inbox = new Inbox();
	codes = []; // with which connections ended
	pings = 0;
	opened = 0;
	resumes = 0;
	#socket = null;
	#token = null; // the one to resume with
	#heard = 0;
	#confirmed = 0;
	#said = 0;
	#pending = []; // { number, text }
	#receipts = new Map(); // id → resolve
	#ids = 0;
	#isHome = true;
	#isOver = false;
	#wake = () => {};

	// `url`: (), since a server's port may change; `options`: of the package, such as `ca`.
	static async open({ url, options = {}, ...claims }) {
		const screen = new Screen();
		screen.claims = claimsOf(claims);
		screen.token = await sign(screen.claims);
		Object.assign(screen, { url, options });
		screen.running = screen.#run();
		try {
			await within(screen.#isUp(1), 'a screen that is on');
		} catch (error) {
			await screen.close(); // else it would try for ever, and the test's process never end
			throw error;
		}
		return screen;
	}

	get isOpen() {
		return this.#socket?.readyState === WebSocket.OPEN && this.#isGreeted;
	}

	next(type, fits) {
		return this.inbox.next(type, fits);
	}

	// Settles with the receipt, whatever connection brings it.
	ask(message) {
		const id = ++this.#ids;
		const receipt = new Promise((resolve) => this.#receipts.set(id, resolve));
		this.#say(JSON.stringify({ ...message, id }));
		return within(receipt, () => `a receipt of ${message.type}; ${this.codes}`);
	}

	async accepted(message) {
		const receipt = await this.ask(message);
		if (receipt.type !== 'ack') {
			throw new Error(`${message.type}: ${JSON.stringify(receipt)}`);
		}
		return receipt;
	}

	// What was confirmed: { seq, data }.
	async update(data = secret('update')) {
		const [practiceId] = this.claims.practices;
		const { seq } = await this.accepted({ type: 'whiteboard_update', practiceId, data });
		return { seq, data };
	}

	join(roomId) {
		return this.accepted(this.#inRoom('telemedicine_user_joined', roomId));
	}

	leave(roomId) {
		return this.accepted(this.#inRoom('telemedicine_user_left', roomId));
	}

	chat(roomId) {
		const message = secret('chat');
		const text = {
			...this.#inRoom('telemedicine_chat_message', roomId),
			message,
			from: this.claims.sub,
		};
		return this.accepted({ ...text, fromUserId: this.claims.sub }).then(() => message);
	}

	// `kind`: offer, answer or ice_candidate.
	signal(kind, roomId, content) {
		const field = kind.replace('ice_', '');
		const message = this.#inRoom(`telemedicine_${kind}`, roomId);
		return this.accepted({ ...message, from: this.claims.sub, [field]: content });
	}

	// All that was sent to it before is here.
	fence() {
		return this.accepted({ type: 'ping' });
	}

	// Another token for the same user, in place.
	async renew(more) {
		Object.assign(this.claims, more);
		this.token = await sign(this.claims);
		await this.accepted({ type: 'auth', token: this.token });
	}

	// Its network is gone, until back().
	away() {
		this.#isHome = false;
		this.#socket.terminate();
	}

	async back() {
		const count = this.resumes + 1;
		this.#isHome = true;
		this.#wake();
		await this.resumed(count);
	}

	// Until it has resumed so often.
	resumed(count) {
		return until(
			() => `${count} resumes; ${this.resumes}, ${this.faults}, ${this.codes}`,
			() => this.resumes >= count && this.isOpen,
		);
	}

	async close() {
		this.#isOver = true;
		this.#wake();
		if (this.#socket?.readyState === WebSocket.OPEN) {
			this.#socket.close(1000);
		}
		await within(this.running, 'the end of a screen');
	}

	#isGreeted = false;

	#isUp(count) {
		return until('a greeting', () => this.opened >= count || this.#isOver);
	}

	#inRoom(type, roomId) {
		const { sub, name, practices } = this.claims;
		return {
			type,
			roomId,
			appointmentId: `appointment-${roomId}`,
			userId: sub,
			userName: name,
			practiceId: practices[0],
		};
	}

	async #run() {
		while (!this.#isOver) {
			const code = await this.#connection();
			this.codes.push(code);
			if (code === 1000 || code >= 4000) {
				this.#isOver = true;
				this.inbox.end(`closed with ${code}`);
			} else if (!this.#isHome && !this.#isOver) {
				await new Promise((resolve) => {
					this.#wake = resolve;
				});
			} else if (!this.#isOver) {
				await pause(RETRY_MS); // as every client waits before it tries again
			}
		}
	}

	// One connection, from its beginning to its end: the code.
	#connection() {
		const query = this.#token ? `?resume=${this.#token}&received=${this.#heard}` : '';
		const socket = new WebSocket(`${this.url()}${query}`, ['praxis.v1'], {
			headers: { Authorization: `Bearer ${this.token}` },
			perMessageDeflate: false,
			...this.options,
		});
		this.#socket = socket;
		this.#isGreeted = false;
		socket.on('message', (data) => this.#hear(JSON.parse(data)));
		socket.on('ping', () => this.pings++);
		socket.on('error', () => {});
		return new Promise((resolve) => {
			socket.once('close', resolve);
		});
	}

	#say(text) {
		this.#pending.push({ number: ++this.#said, text });
		if (this.isOpen) {
			this.#socket.send(text);
		}
	}

	#hear(message) {
		if (message.type === 'connection_established' && !this.#isGreeted) {
			this.#begin(message);
			return;
		}
		if (message.type === 'resumed') {
			this.#goOn(message);
			return;
		}
		this.#heard++;
		this.#take(message);
		if (this.#heard - this.#confirmed >= RECEIVED_EVERY && this.isOpen) {
			this.#confirmed = this.#heard;
			this.#say(JSON.stringify({ type: 'received', n: this.#heard }));
		}
	}

	#begin({ clientId, resume, resumed }) {
		if (resumed === false) {
			this.faults.push('was not resumed');
		}
		this.clientId = clientId;
		this.#token = resume.token;
		this.#heard = this.#confirmed = this.#said = 0;
		this.#isGreeted = true;
		this.opened++;
	}

	#goOn({ clientId, resume, received }) {
		if (clientId !== this.clientId) {
			this.faults.push(`${this.clientId} resumed as ${clientId}`);
		}
		if (received > this.#said) {
			this.faults.push(`said ${this.#said}, the server had ${received}`);
		}
		this.#token = resume.token;
		this.#pending = this.#pending.filter(({ number }) => number > received);
		this.#pending.forEach(({ text }) => this.#socket.send(text));
		this.#isGreeted = true;
		this.resumes++;
	}

	#take(message) {
		switch (message.type) {
			case 'ack':
				if (message.seq !== undefined) {
					this.#onBoard(message.seq, null);
				}
				this.#settle(message);
				return;
			case 'error':
				if (message.id !== undefined) {
					this.#settle(message);
				} else {
					this.inbox.push(message);
				}
				return;
			case 'whiteboard_update':
				if (!this.claims.practices.includes(message.practiceId)) {
					this.faults.push(`an update of practice ${message.practiceId}`);
				}
				this.#onBoard(message.seq, message.data);
				return;
			case 'telemedicine_chat_message':
				this.chats.push(message.message);
				return;
			case 'server_draining':
			case 'pong':
				return;
			default:
				this.inbox.push(message);
		}
	}

	// Of its own updates a screen knows the number from the receipt, between those of the others.
	#onBoard(seq, data) {
		const last = this.board.at(-1)?.seq;
		if (last !== undefined && seq !== last + 1) {
			this.faults.push(`update ${seq} after ${last}`);
		}
		this.board.push({ seq, data });
	}

	#settle(message) {
		const resolve = this.#receipts.get(message.id);
		if (!resolve) {
			this.faults.push(`a second receipt ${message.id}`);
			return;
		}
		this.#receipts.delete(message.id);
		this.#pending = this.#pending.filter(({ text }) => !text.endsWith(`"id":${message.id}}`));
		resolve(message);
	}
}
