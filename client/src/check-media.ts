// SPDX-License-Identifier: MIT
//
// Camera and microphone with one question to the user; where that fails, whichever of them works.

import { describeDeviceError } from './index.js';
import type { DeviceEvent, DeviceKind } from './index.js';

/** What is wanted of a kind: any device, that one, or none at all. */
export type Wanted = boolean | string;

export interface Opened {
	tracks: MediaStreamTrack[];
	problems: DeviceEvent[];
}

const constraint = (wanted: Wanted) =>
	typeof wanted === 'string' ? { deviceId: { exact: wanted } } : wanted;

async function open(camera: Wanted, microphone: Wanted): Promise<MediaStreamTrack[]> {
	const constraints = { audio: constraint(microphone), video: constraint(camera) };
	return (await navigator.mediaDevices.getUserMedia(constraints)).getTracks();
}

// A user who has just said no to both is not asked about each again.
async function mayAsk(kind: DeviceKind): Promise<boolean> {
	try {
		const { state } = await navigator.permissions.query({ name: kind });
		return state === 'granted';
	} catch {
		return true; // a browser that does not say
	}
}

export async function openBoth(camera: Wanted, microphone: Wanted): Promise<Opened> {
	const wanted = { camera, microphone };
	const kinds = (['microphone', 'camera'] as const).filter((kind) => wanted[kind] !== false);
	if (kinds.length === 0) {
		return { tracks: [], problems: [] };
	}
	try {
		return { tracks: await open(camera, microphone), problems: [] };
	} catch (error) {
		const isDenied = describeDeviceError('camera', error).problem === 'denied';
		const tracks: MediaStreamTrack[] = [];
		const problems: DeviceEvent[] = [];
		for (const kind of kinds) {
			if (kinds.length === 1 || (isDenied && !(await mayAsk(kind)))) {
				problems.push(describeDeviceError(kind, error));
				continue;
			}
			try {
				const only = (each: DeviceKind) => each === kind && wanted[each];
				tracks.push(...(await open(only('camera'), only('microphone'))));
			} catch (own) {
				problems.push(describeDeviceError(kind, own));
			}
		}
		return { tracks, problems };
	}
}
