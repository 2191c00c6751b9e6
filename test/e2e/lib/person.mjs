// SPDX-License-Identifier: MIT
//
// One client of the soak: it updates its practice's whiteboard, chats in a room, loses its
// network and resumes, stops reading for a while, leaves and comes again; and holds every message
// that it gets against what the protocol promises. What is wrong goes to `report`.
//
// A whiteboard is checked without a gap: what a session hears of it are the updates of the others
// and the receipts of its own, and together their seq grow by one.

import { WebSocket } from './client.mjs';

const RECEIVED_EVERY = 64;
const RECEIVED_MS = 10_000;
const PENDING_MAX = 500;

export class Person {
	counts = { opened: 0, resumed: 0, anew: 0, updates: 0, chats: 0, heard: 0, left: 0 };
	#socket = null;
	#resume = null;
	#heard = 0; // messages of the server on this session
	#confirmed = 0;
	#confirmedAt = 0;
	#said = 0; // messages of this client on this session
	#pending = []; // said, and not known to have arrived: { number, text }
	#receipts = new Map(); // id → resolve
	#talkers = new Map(); // clientId → counter of the latest chat
	#seq = null; // of the board, null until the first is heard
	#chats = 0;
	#ids = 0;
	#opening = null;

	constructor({ url, token, practice, room, report }) {
		Object.assign(this, { url, token, practice, room, report });
	}

	get connected() {
		return this.#socket?.readyState === WebSocket.OPEN && !this.#opening;
	}

	get seq() {
		return this.#seq;
	}

	// Opens, or resumes what was cut; settles when the server has said which.
	open() {
		const query = this.#resume
			? `?resume=${encodeURIComponent(this.#resume)}&received=${this.#heard}`
			: '';
		const asked = this.#resume !== null;
		return new Promise((resolve, reject) => {
			const socket = new WebSocket(`${this.url}${query}`, ['praxis.v1'], {
				headers: { Authorization: `Bearer ${this.token}` },
				perMessageDeflate: false,
			});
			this.#socket = socket;
			this.#opening = { resolve, asked };
			socket.on('message', (data) => {
				if (socket === this.#socket) {
					this.#hear(JSON.parse(data));
				}
			});
			socket.on('error', (error) => {
				if (this.#opening && socket === this.#socket) {
					this.#opening = null;
					reject(error);
				}
			});
			socket.on('close', (code) => {
				if (this.#opening && socket === this.#socket) {
					this.#opening = null;
					reject(new Error(`closed with ${code} while opening`));
				} else if (socket === this.#socket && code !== 1000 && code !== 1006) {
					this.report(`${this.#who()}: closed with ${code}`);
				}
			});
		});
	}

	// The network is gone, without a word.
	cut() {
		const socket = this.#socket;
		this.#socket = null;
		socket._socket?.resetAndDestroy();
		socket.terminate();
	}

	pauseReading(ms) {
		const transport = this.#socket._socket;
		transport.pause();
		return new Promise((resolve) => {
			setTimeout(() => {
				transport.resume();
				resolve();
			}, ms);
		});
	}

	async leave() {
		const socket = this.#socket;
		this.counts.left++;
		await new Promise((resolve) => {
			socket.once('close', resolve);
			socket.close(1000);
		});
		this.#socket = null;
		this.#resume = null;
	}

	update() {
		this.counts.updates++;
		return this.#ask({
			type: 'whiteboard_update',
			practiceId: this.practice,
			data: { patient: this.#ids, status: 'waiting' },
		});
	}

	join() {
		return this.#ask({
			type: 'telemedicine_user_joined',
			roomId: this.room,
			appointmentId: this.room,
			userId: 'soak',
			userName: 'soak',
		});
	}

	chat() {
		this.counts.chats++;
		return this.#ask({
			type: 'telemedicine_chat_message',
			roomId: this.room,
			appointmentId: this.room,
			message: String(++this.#chats),
			from: 'soak',
			fromUserId: 'soak',
		});
	}

	// All that was sent to this client before is here when it returns.
	async fence() {
		await this.#ask({ type: 'ping' });
	}

	#who() {
		return `client ${this.clientId} of practice ${this.practice}`;
	}

	#ask(message) {
		const id = ++this.#ids;
		const text = JSON.stringify({ ...message, id });
		const receipt = new Promise((resolve) => this.#receipts.set(id, resolve));
		this.#say(text);
		return receipt;
	}

	#say(text) {
		this.#pending.push({ number: ++this.#said, text });
		if (this.#pending.length > PENDING_MAX) {
			this.report(`${this.#who()}: ${PENDING_MAX} messages without a receipt`);
			this.#pending.shift();
		}
		if (this.connected) {
			this.#socket.send(text);
		}
	}

	#hear(message) {
		if (message.type === 'connection_established') {
			this.#begin(message);
			return;
		}
		if (message.type === 'resumed') {
			this.#goOn(message);
			return;
		}
		this.#heard++;
		this.counts.heard++;
		this.#check(message);
		const due =
			this.#heard - this.#confirmed >= RECEIVED_EVERY ||
			Date.now() - this.#confirmedAt >= RECEIVED_MS;
		if (due && this.connected) {
			this.#confirmed = this.#heard;
			this.#confirmedAt = Date.now();
			this.#say(JSON.stringify({ type: 'received', n: this.#heard }));
		}
	}

	#begin(message) {
		if (this.#opening.asked) {
			this.counts.anew++;
			this.report(`${this.#who()}: was not resumed`);
		}
		this.counts.opened++;
		this.clientId = message.clientId;
		this.#resume = message.resume.token;
		this.#heard = this.#confirmed = this.#said = 0;
		this.#seq = null;
		this.#pending = [];
		this.#talkers.clear();
		this.#receipts.forEach((resolve) => resolve(null));
		this.#receipts.clear();
		this.#opened();
	}

	#goOn(message) {
		this.counts.resumed++;
		if (message.clientId !== this.clientId) {
			this.report(`${this.#who()}: resumed as ${message.clientId}`);
		}
		if (message.received > this.#said) {
			this.report(`${this.#who()}: said ${this.#said}, the server had ${message.received}`);
		}
		this.#resume = message.resume.token;
		this.#opened();
		this.#pending = this.#pending.filter(({ number }) => number > message.received);
		this.#pending.forEach(({ text }) => this.#socket.send(text));
	}

	#opened() {
		const { resolve } = this.#opening;
		this.#opening = null;
		resolve();
	}

	#check(message) {
		switch (message.type) {
			case 'ack':
				this.#receipt(message);
				return;
			case 'error':
				this.report(`${this.#who()}: ${message.ref}: ${message.code} ${message.message}`);
				this.#settle(message.id);
				return;
			case 'whiteboard_update':
				this.#onBoard(message.seq, message.practiceId);
				return;
			case 'telemedicine_chat_message':
				this.#onChat(message);
				return;
			case 'telemedicine_user_joined':
			case 'telemedicine_user_left':
				this.#talkers.delete(message.clientId);
				return;
			case 'telemedicine_room_joined':
				this.#talkers.clear();
				return;
			default:
		}
	}

	#receipt(message) {
		if (message.seq !== undefined) {
			this.#onBoard(message.seq, this.practice);
		}
		this.#settle(message.id);
	}

	#settle(id) {
		const resolve = this.#receipts.get(id);
		if (!resolve) {
			this.report(`${this.#who()}: a second receipt ${id}`);
			return;
		}
		this.#receipts.delete(id);
		const last = this.#pending.findIndex(({ text }) => text.endsWith(`"id":${id}}`));
		this.#pending.splice(0, last + 1);
		resolve();
	}

	#onBoard(seq, practice) {
		if (practice !== this.practice) {
			this.report(`${this.#who()}: an update of practice ${practice}`);
		}
		if (this.#seq !== null && seq !== this.#seq + 1) {
			this.report(`${this.#who()}: update ${seq} after ${this.#seq}`);
		}
		this.#seq = seq;
	}

	#onChat({ clientId, message, practiceId }) {
		const counter = Number(message);
		const before = this.#talkers.get(clientId);
		if (practiceId !== this.practice) {
			this.report(`${this.#who()}: a chat of practice ${practiceId}`);
		}
		if (before !== undefined && counter !== before + 1) {
			this.report(`${this.#who()}: chat ${counter} of ${clientId} after ${before}`);
		}
		this.#talkers.set(clientId, counter);
	}
}
