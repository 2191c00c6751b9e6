// SPDX-License-Identifier: MIT
//
// How one looks to the others, with the switches of microphone and camera under it: before the
// call, and while one waits.

import type { DeviceKind } from 'praxis-client';
import { element } from '../shell/dom.js';
import { Control } from './controls.js';
import { hasDevice, isOn } from './own.js';
import { Tile } from './tile.js';

export interface PreviewOptions {
	userName: string;
	stream(this: void): MediaStream | null;
	/** Then `show()` is called by whoever knows that it has happened. */
	enable(this: void, kind: DeviceKind, on: boolean): void;
}

export class Preview {
	readonly element: HTMLElement;
	#tile = new Tile('self', true);
	#controls: Record<DeviceKind, Control>;
	readonly #options: PreviewOptions;

	constructor(options: PreviewOptions) {
		this.#options = options;
		const control = (kind: DeviceKind, label: string) =>
			new Control(`own-${kind}`, label, () =>
				options.enable(kind, !isOn(options.stream(), kind)),
			);
		this.#controls = {
			microphone: control('microphone', 'Mic'),
			camera: control('camera', 'Camera'),
		};
		const { microphone, camera } = this.#controls;
		this.#tile.setLarge(true, false);
		this.element = element(
			'div',
			{ className: 'preview' },
			element('ul', { className: 'frame', ariaLabel: 'Your picture' }, this.#tile.element),
			element(
				'div',
				{ className: 'controls', role: 'group', ariaLabel: 'You' },
				microphone.button,
				camera.button,
			),
		);
		this.show();
	}

	show(): void {
		const stream = this.#options.stream();
		this.#tile.show({
			name: this.#options.userName,
			own: true,
			stream,
			muted: !isOn(stream, 'microphone'),
			cameraOff: !isOn(stream, 'camera'),
			sharing: false,
			speaking: false,
			connection: 'connected',
		});
		for (const kind of ['microphone', 'camera'] as const) {
			this.#controls[kind].showSwitch(kind, isOn(stream, kind), hasDevice(stream, kind));
		}
	}
}
