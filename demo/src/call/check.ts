// SPDX-License-Identifier: MIT
//
// Before the call: how one looks and whether one is heard, what is the matter if something is, and
// one button that leads on, whatever came of it.

import type { DeviceKind } from 'praxis-client';
import { checkCall } from 'praxis-client/check';
import type { CallCheck, CheckStep, CheckStepName } from 'praxis-client/check';
import { element } from '../shell/dom.js';
import { icon } from '../shell/icons.js';
import { button } from '../shell/parts.js';
import { DeviceFields } from './devices.js';
import { trackOf } from './own.js';
import { Preview } from './preview.js';

export interface CheckPageOptions {
	userName: string;
	isPatient: boolean;
	roomId: string;
	/** With camera and microphone, as far as there are any. */
	join(this: void, stream: MediaStream | null): void;
}

const LABELS: Record<CheckStepName, string> = {
	camera: 'Camera',
	microphone: 'Microphone',
	server: 'Connection',
	relay: 'Relay',
};
const SIGNS = { running: 'clock', ok: 'check', warning: 'alert', failed: 'alert' } as const;

export class CheckPage {
	readonly element: HTMLElement;
	#check: CallCheck;
	#preview: Preview;
	#fields: DeviceFields;
	#level = element('i');
	#verdict = element('p', { className: 'verdict', role: 'status' });
	#rows = new Map<CheckStepName, HTMLLIElement>();
	/** What to do once camera and microphone are there, or are known not to be. */
	#take: () => void;
	#isJoining = false;
	/** Switched off here; another device stays off. */
	#off = new Set<DeviceKind>();

	constructor({ userName, isPatient, roomId, join }: CheckPageOptions) {
		const check = checkCall({ roomId });
		this.#check = check;
		this.#preview = new Preview({
			userName,
			stream: () => check.stream,
			enable: (kind, on) => this.#enable(kind, on),
		});
		this.#fields = new DeviceFields('check', (kind, deviceId) => {
			void check.setDevice(kind, deviceId);
		});
		this.#take = () => join(check.take());
		const go = button({ label: 'Join the call', kind: 'primary', run: () => this.join() });
		go.id = 'join';
		const text = isPatient
			? 'Check how you look and sound. Then you come to the waiting room, and the practice lets you in.'
			: 'Check how you look and sound. Nobody sees or hears you before you join.';
		this.element = this.#page(text, go);
		check.on('stream', () => this.#showStream());
		check.on('device', () => this.#showStream());
		check.on('devices', (devices) => this.#fields.show(devices, check.stream));
		check.on(
			'level',
			(level) => (this.#level.style.inlineSize = `${Math.round(level * 100)}%`),
		);
		check.on('step', (step) => this.#showStep(step));
		check.on('done', ({ sentence }) => (this.#verdict.textContent = sentence));
	}

	join(): void {
		this.#isJoining = true;
		this.element.querySelector<HTMLButtonElement>('#join')!.disabled = true;
		this.#joinIfReady();
	}

	/** Camera and microphone go off. */
	close(): void {
		this.#check.cancel();
	}

	#page(text: string, go: HTMLButtonElement): HTMLElement {
		this.#verdict.textContent = 'Checking …';
		const meter = element('div', { className: 'level' }, this.#level);
		meter.ariaHidden = 'true';
		this.#fields.element.append(
			element('p', { className: 'hint' }, 'Say something: the bar should move.'),
			meter,
		);
		return element(
			'div',
			{ className: 'check' },
			this.#preview.element,
			element(
				'div',
				{ className: 'panel' },
				element('h1', {}, 'Ready to join?'),
				element('p', {}, text),
				go,
				this.#verdict,
				this.#fields.element,
				element(
					'ul',
					{ className: 'steps', ariaLabel: 'What was checked' },
					...this.#makeRows(),
				),
			),
		);
	}

	#makeRows(): HTMLLIElement[] {
		const names = Object.keys(LABELS) as CheckStepName[];
		return names.map((name) => {
			const row = element('li');
			this.#rows.set(name, row);
			this.#showStep({ name, state: 'running', sentence: '' });
			return row;
		});
	}

	#showStep({ name, state, sentence, ms }: CheckStep): void {
		const row = this.#rows.get(name)!;
		row.dataset.step = name;
		row.dataset.state = state;
		const time = ms === undefined ? '' : ` (${ms} ms)`;
		row.replaceChildren(
			icon(SIGNS[state]),
			element('b', {}, LABELS[name]),
			element('span', {}, `${sentence}${time}`),
		);
		this.#joinIfReady();
	}

	/** Who is quick would else come without a picture. */
	#joinIfReady(): void {
		const { steps } = this.#check;
		const isKnown = (name: CheckStepName) =>
			steps.some((step) => step.name === name && step.state !== 'running');
		if (this.#isJoining && isKnown('camera') && isKnown('microphone')) {
			this.#isJoining = false;
			this.#take();
		}
	}

	#enable(kind: DeviceKind, on: boolean): void {
		if (on) {
			this.#off.delete(kind);
		} else {
			this.#off.add(kind);
		}
		this.#showStream();
	}

	#showStream(): void {
		const { stream, devices } = this.#check;
		for (const kind of ['camera', 'microphone'] as const) {
			const track = trackOf(stream, kind);
			if (track) {
				track.enabled = !this.#off.has(kind);
			}
		}
		this.#preview.show();
		this.#fields.show(devices, stream);
	}
}
