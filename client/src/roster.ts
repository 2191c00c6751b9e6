// SPDX-License-Identifier: MIT
//
// Who is in a call, and the connections to them.
//
// A picture outlives the loss of its signalling. A member whose session is lost, or that we know
// from a lost session of ours, is kept as a former one while its path is up: shown as before, and
// signalling nothing. Who comes back, the same client or the same user, is connected out of sight
// and takes its place when connected. Rejected: to signal over the old connection in the new
// session; the other side may have left it, and nothing says which of its halves is meant.

import type { CallEvents, CallMember } from './call-types.js';
import type { Emitter } from './emitter.js';
import type { Peer } from './peer.js';
import type { QualityMeter } from './quality.js';
import type { LeaveReason, RoomMember } from './types.js';

/** Who was put out by the server does not look on for ever: a former one that nobody succeeds. */
const FORMER_MS = 300_000;

export interface Entry {
	member: CallMember;
	readonly peer: Peer;
	readonly meter: QualityMeter;
	/** How loud it is, 0 to 0.1, smoothed. */
	loudness: number;
	/** Until when it may be taken to be writing, by the clock for durations. */
	typingUntil: number;
	/** It is signalled with; else it is a former one. */
	live: boolean;
	/** Whom it succeeds once it is connected; out of sight until then. */
	former?: Entry;
}

/** What there is of a member: by its own word, and as far as it arrives. */
export function presented<M extends RoomMember & Pick<CallMember, 'stream'>>(member: M) {
	const { media, stream } = member;
	const isQuiet = (kind: string) =>
		!stream?.getTracks().some((track) => track.kind === kind && !track.muted);
	return {
		...member,
		muted: media?.audio === false || (stream !== null && isQuiet('audio')),
		cameraOff: (media?.video === false && !media.screen) || isQuiet('video'),
		sharing: media?.screen === true,
	};
}

export class Roster {
	members: readonly CallMember[] = [];
	all: Entry[] = [];
	readonly #events: Emitter<CallEvents>;

	constructor(events: Emitter<CallEvents>) {
		this.#events = events;
	}

	get live(): Entry[] {
		return this.all.filter(({ live }) => live);
	}

	get shown(): Entry[] {
		return this.all.filter(({ former }) => !former);
	}

	get(clientId?: string): Entry | undefined {
		return this.live.find(({ member }) => member.clientId === clientId);
	}

	add(entry: Entry): void {
		const { clientId, userId } = entry.member;
		const free = this.all.filter((former) => !former.live && !this.#successor(former));
		entry.former =
			free.find(({ member }) => member.clientId === clientId) ??
			free.find(({ member }) => userId !== undefined && `${member.userId}` === `${userId}`);
		this.all.push(entry);
		if (!entry.former) {
			this.#tell();
			this.#events.emit('joined', entry.member);
		}
	}

	/** Returns whether it is in sight. */
	change(entry: Entry, change: Partial<CallMember>): boolean {
		entry.member = presented({ ...entry.member, ...change });
		if (entry.former) {
			if (entry.member.connection === 'connected') {
				this.#succeed(entry);
			}
			return false;
		}
		this.#tell();
		return this.all.includes(entry);
	}

	/** It is gone, or the session that it is known from is lost: theirs, or ours. */
	remove(clientId: string, reason: LeaveReason): void {
		const entry = this.get(clientId);
		if (!entry) {
			return;
		}
		const { former, member, peer } = entry;
		if (reason !== 'disconnected' || (!former && member.connection !== 'connected')) {
			this.#close(entry);
			this.#left(former ?? entry, reason);
		} else if (former) {
			this.#close(entry);
		} else {
			entry.live = false;
			peer.retire(FORMER_MS);
		}
	}

	/** The path of a former one is gone, or it has waited for long enough. */
	drop(entry: Entry): void {
		const successor = this.#successor(entry);
		if (successor) {
			this.#succeed(successor);
		} else {
			this.#left(entry, 'disconnected');
		}
	}

	/** All of them; nothing but the new list is told. */
	clear(): void {
		this.all.forEach((entry) => this.#close(entry));
		this.#tell();
	}

	#successor(former: Entry): Entry | undefined {
		return this.all.find((entry) => entry.former === former);
	}

	/** Who has kept its clientId has neither come nor gone. */
	#succeed(entry: Entry): void {
		const former = entry.former as Entry;
		const { member } = entry;
		const isOther = member.clientId !== former.member.clientId;
		entry.former = undefined;
		this.all = this.all.filter((other) => other !== former);
		this.#tell();
		if (isOther) {
			this.#events.emit('joined', member);
		}
		if (member.stream) {
			this.#events.emit('stream', member.stream, member);
		}
		if (isOther) {
			this.#events.emit('left', former.member, 'disconnected');
		}
		// Last: who was told shows the other picture by now.
		former.peer.close();
	}

	#close(entry: Entry): void {
		this.all = this.all.filter((other) => other !== entry);
		entry.live = false;
		entry.peer.close();
	}

	#left(entry: Entry, reason: LeaveReason): void {
		this.#close(entry);
		this.#tell();
		this.#events.emit('left', entry.member, reason);
	}

	#tell(): void {
		this.members = this.shown.map(({ member }) => member);
		this.#events.emit('members', this.members);
	}
}
