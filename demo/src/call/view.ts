// SPDX-License-Identifier: MIT
//
// The call: first the check of camera and microphone, then, for a patient, the waiting room, then
// the call itself, and at the end a page that says why it ended. The call goes on while the board
// is looked at; there a card leads back to it.

import { telemedicineService, webSocketManager } from 'praxis-client';
import type { SavedCall, TelemedicineCall } from 'praxis-client';
import { announce, byId, element } from '../shell/dom.js';
import type { Context, View } from '../shell/router.js';
import { Admission } from './admission.js';
import { CheckPage } from './check.js';
import { Dock } from './dock.js';
import { endingOf, endingPage } from './ending.js';
import { CallScreen } from './screen.js';
import { WaitingRoom } from './waiting-room.js';

const ROOM = 'demo';

export class CallView implements View {
	readonly route = 'call';
	readonly title = 'Call';
	#root = byId('call-view');
	#context!: Context;
	#room = ROOM;
	#check: CheckPage | undefined;
	#isShown = false;
	#call: TelemedicineCall | undefined;
	#screen: CallScreen | undefined;
	#dock: Dock | undefined;

	start(context: Context): void {
		this.#context = context;
		const saved = telemedicineService.savedCall();
		if (saved && String(saved.userId) === String(context.user.userId ?? 'guest')) {
			this.#comeBack(saved);
		}
		webSocketManager.on('problem', ({ code }) => {
			if (['token_expired', 'unauthenticated', 'removed', 'replaced'].includes(code)) {
				this.#call?.leave(); // the page says why; camera and microphone must not stay on
			}
		});
	}

	shown(params: URLSearchParams): void {
		this.#isShown = true;
		const room = params.get('room') ?? this.#room;
		if (room !== this.#room) {
			this.#call?.leave();
			this.#room = room;
			this.#showCheck();
		} else if (this.#root.childElementCount === 0) {
			this.#showCheck();
		}
		this.#dock?.show(false, this.#screen);
	}

	hidden(): void {
		this.#isShown = false;
		if (!this.#call) {
			this.#check?.close();
			this.#check = undefined;
			this.#show();
		}
		this.#dock?.show(true, this.#screen);
	}

	#show(...content: HTMLElement[]): void {
		this.#root.replaceChildren(...content);
		this.#root.dataset.phase = content[0]?.className ?? '';
	}

	#showCheck(): void {
		const check = this.#makeCheck((stream) => this.#join(stream));
		this.#show(check.element);
	}

	/** The page was loaded anew while it was in a call. */
	#comeBack(saved: SavedCall): void {
		this.#room = String(saved.roomId);
		this.#show(
			element('section', { className: 'state' }, element('h1', {}, 'Back to the call …')),
		);
		this.#makeCheck((stream) => this.#join(stream, saved)).join();
	}

	#makeCheck(join: (stream: MediaStream | null) => void): CheckPage {
		const { isPatient, user } = this.#context;
		this.#check?.close();
		this.#check = new CheckPage({
			userName: user.userName ?? 'Guest',
			isPatient,
			roomId: this.#room,
			join,
		});
		return this.#check;
	}

	#join(stream: MediaStream | null, saved?: SavedCall): void {
		this.#check = undefined;
		const { user } = this.#context;
		const name = user.userName ?? 'Guest';
		const call = telemedicineService.call({
			roomId: this.#room,
			appointmentId: this.#room,
			userId: user.userId ?? 'guest',
			userName: name,
			...saved,
			stream,
		});
		this.#call = call;
		let said: string | undefined;
		call.on('error', ({ code, message }) => {
			said = code === 'denied' && message !== code ? message : undefined;
		});
		const waiting = new WaitingRoom(call, name);
		call.on('state', (state) => {
			if (state === 'waiting') {
				this.#show(waiting.element);
			} else if (state === 'joined') {
				this.#showScreen(call, name);
			} else if (state === 'ended') {
				stream?.getTracks().forEach((track) => track.stop());
				this.#end(call.endReason ?? 'left', said);
			}
		});
		this.#show(waiting.element);
	}

	/** Again after a lost session: the same screen. */
	#showScreen(call: TelemedicineCall, name: string): void {
		if (this.#screen) {
			return;
		}
		const { isPatient, go } = this.#context;
		const alone = isPatient
			? 'The practice will be with you soon.'
			: 'Others come in by the link of this call. Who waits to be let in is shown here and on the board.';
		const screen = new CallScreen(call, {
			userName: name,
			alone,
			isPatient,
		});
		this.#screen = screen;
		if (!isPatient) {
			this.#dock = new Dock(call, new Admission(call), () => go('call'));
			this.#dock.show(!this.#isShown, screen);
		}
		this.#show(screen.element);
		announce('You are in the call.');
	}

	#end(reason: string, said: string | undefined): void {
		this.#call = undefined;
		this.#screen?.close();
		this.#screen = undefined;
		this.#dock?.close();
		this.#dock = undefined;
		const { isPatient, go } = this.#context;
		const ending = endingOf(reason);
		const page = endingPage(ending, said, {
			again: () => this.#showCheck(),
			board: isPatient ? undefined : () => go('board'),
		});
		this.#show(page);
		if (this.#isShown) {
			page.querySelector('h1')?.focus();
		}
		announce(`${ending.title}.`);
	}
}
