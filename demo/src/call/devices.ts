// SPDX-License-Identifier: MIT
//
// Which camera and which microphone are used: the same fields before the call and in it.

import { listDevices } from 'praxis-client';
import type { DeviceKind, Devices, TelemedicineCall } from 'praxis-client';
import { openDialog } from '../shell/dialog.js';
import { element } from '../shell/dom.js';
import { deviceIdOf } from './own.js';

const LABELS: Record<DeviceKind, string> = { camera: 'Camera', microphone: 'Microphone' };

export class DeviceFields {
	readonly element = element('div', { className: 'devices' });
	#fields: Record<DeviceKind, HTMLSelectElement>;

	constructor(id: string, choose: (kind: DeviceKind, deviceId: string) => void) {
		const field = (kind: DeviceKind) => {
			const select = element('select', { id: `${id}-${kind}` });
			const label = element('label', { htmlFor: select.id }, LABELS[kind]);
			select.addEventListener('change', () => choose(kind, select.value));
			this.element.append(element('div', {}, label, select));
			return select;
		};
		this.#fields = { camera: field('camera'), microphone: field('microphone') };
	}

	/** `stream`: of those in use. */
	show({ cameras, microphones }: Devices, stream: MediaStream | null): void {
		this.#fill('camera', cameras, stream);
		this.#fill('microphone', microphones, stream);
	}

	#fill(kind: DeviceKind, devices: MediaDeviceInfo[], stream: MediaStream | null): void {
		const select = this.#fields[kind];
		// Without a permission a browser names none.
		const options = devices
			.filter(({ deviceId }) => deviceId)
			.map(({ deviceId, label }) =>
				element('option', { value: deviceId }, label || LABELS[kind]),
			);
		const none = element('option', { value: '' }, `No ${kind} to choose`);
		const used = deviceIdOf(stream, kind);
		select.replaceChildren(...(options.length > 0 ? options : [none]));
		select.disabled = options.length === 0;
		if (used && options.some(({ value }) => value === used)) {
			select.value = used;
		}
	}
}

/** In the call: a choice counts at once; where it fails, or is cancelled, what there was goes on. */
export async function chooseDevices(call: TelemedicineCall): Promise<void> {
	const problem = element('p', { className: 'problem', role: 'alert' });
	const former = new Map<DeviceKind, string | undefined>();
	const fields = new DeviceFields('call', (kind, deviceId) => {
		problem.textContent = '';
		if (!former.has(kind)) {
			former.set(kind, deviceIdOf(call.stream, kind));
		}
		void call.setDevice(kind, deviceId).then(show);
	});
	const show = async () => fields.show(await listDevices(), call.stream);
	const end = call.on('device', ({ sentence }) => (problem.textContent = sentence));
	await show();
	const isDone = await openDialog({
		title: 'Camera and microphone',
		body: [fields.element, problem],
		submit: 'Done',
	});
	end();
	if (!isDone) {
		former.forEach((deviceId, kind) => deviceId && void call.setDevice(kind, deviceId));
	}
}
