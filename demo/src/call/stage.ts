// SPDX-License-Identifier: MIT
//
// Who is in the call, as one sees them: one large, the others in a strip. Large is who was picked,
// else who shows a screen, else who speaks, else who came first.
//
// All tiles stay in one list, and a grid places them: a video that is moved in the document stops.

import { telemedicineService } from 'praxis-client';
import type { CallMember, TelemedicineCall } from 'praxis-client';
import { element } from '../shell/dom.js';
import type { MenuItem } from '../shell/menu.js';
import { callIcon } from './icons.js';
import { Tile } from './tile.js';
import type { Person } from './tile.js';

const OWN = 'self';

export interface StageOptions {
	userName: string;
	/** What to say while nobody else is there. */
	alone: string;
	/** Patients remove nobody. */
	isPatient: boolean;
}

export class Stage {
	readonly element: HTMLElement;
	#tiles = new Map<string, Tile>();
	#list = element('ul', { className: 'tiles', ariaLabel: 'People in the call' });
	#alone: HTMLElement;
	#picked: string | undefined;
	#large: string | undefined;
	readonly #call: TelemedicineCall;
	readonly #options: StageOptions;

	constructor(call: TelemedicineCall, options: StageOptions) {
		this.#call = call;
		this.#options = options;
		this.#alone = element(
			'div',
			{ className: 'alone', hidden: true },
			callIcon('people'),
			element('p', {}, 'Nobody else is here yet'),
			element('p', {}, options.alone),
		);
		this.element = element('div', { className: 'stage' }, this.#list, this.#alone);
		call.on('members', () => this.show());
		call.on('media', () => this.show());
		call.on('self', () => this.show());
		call.on('activeSpeaker', () => this.#place());
		this.show();
	}

	/** All of it, as it is now. */
	show(): void {
		const { members } = this.#call;
		const people = new Map(members.map((member) => [member.clientId, personOf(member)]));
		people.set(OWN, this.#ownPerson());
		for (const [id, tile] of this.#tiles) {
			if (!people.has(id)) {
				tile.element.remove();
				this.#tiles.delete(id);
			}
		}
		people.forEach((person, id) => this.#tile(id).show(person));
		this.#list.style.setProperty('--people', String(Math.max(1, members.length)));
		this.#alone.hidden = members.length > 0;
		this.#place();
	}

	#ownPerson(): Person {
		const { media, self, stream } = this.#call;
		return {
			name: this.#options.userName,
			own: true,
			stream,
			muted: !media.audio,
			cameraOff: !media.video,
			sharing: false,
			speaking: self.speaking,
			connection: 'connected',
			quality: self.quality,
		};
	}

	#tile(id: string): Tile {
		const known = this.#tiles.get(id);
		if (known) {
			return known;
		}
		const menu = id === OWN || this.#options.isPatient ? undefined : () => this.#menu(id);
		const tile = new Tile(id, id === OWN, () => this.#pick(id), menu);
		this.#tiles.set(id, tile);
		this.#list.append(tile.element);
		return tile;
	}

	#menu(id: string): MenuItem[] {
		const isPicked = this.#picked === id;
		const { roomId } = this.#call;
		return [
			{
				label: isPicked ? 'Show who speaks' : 'Keep large',
				run: () => this.#pick(id),
			},
			{
				label: 'Remove from the call',
				danger: true,
				apart: true,
				run: () => telemedicineService.remove(roomId, id),
			},
		];
	}

	#pick(id: string): void {
		this.#picked = this.#picked === id ? undefined : id;
		this.#place();
	}

	#place(): void {
		const { members, activeSpeaker } = this.#call;
		const is = (id: string | undefined) => id !== undefined && this.#tiles.has(id);
		this.#picked = is(this.#picked) ? this.#picked : undefined;
		this.#large =
			this.#picked ??
			members.find(({ sharing }) => sharing)?.clientId ??
			[activeSpeaker?.clientId, this.#large].find((id) => is(id) && id !== OWN) ??
			members[0]?.clientId;
		// In a corner one's own picture hides nothing of a face, but it might of a screen.
		const isScreen = members.some(
			({ clientId, sharing }) => sharing && clientId === this.#large,
		);
		this.#list.classList.toggle('few', members.length < 2 && !isScreen);
		for (const [id, tile] of this.#tiles) {
			tile.setLarge(id === this.#large, id === this.#picked);
		}
	}
}

function personOf(member: CallMember): Person {
	const { userName, stream, muted, cameraOff, sharing, speaking, connection } = member;
	return {
		name: userName ?? 'Guest',
		own: false,
		stream,
		muted,
		cameraOff,
		sharing,
		speaking,
		connection,
		quality: member.quality?.step,
	};
}
