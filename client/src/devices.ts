// SPDX-License-Identifier: MIT
//
// Cameras, microphones and speakers: which there are, and what a browser's errors mean to the person
// in front of it.

export type DeviceKind = 'camera' | 'microphone';

export interface Devices {
	cameras: MediaDeviceInfo[];
	microphones: MediaDeviceInfo[];
	/** Empty in browsers that do not let a page choose. */
	speakers: MediaDeviceInfo[];
}

export type DeviceProblem =
	/** The user, or a policy, does not let this page use it. */
	| 'denied'
	/** Another program has it. */
	| 'busy'
	/** There is none, or not the one that was asked for. */
	| 'none'
	/** It was there, and is gone. */
	| 'unplugged'
	/** A page that was not loaded by HTTPS may use none. */
	| 'insecure'
	| 'unknown';

export interface DeviceEvent {
	kind: DeviceKind;
	problem: DeviceProblem;
	/** For the user. */
	sentence: string;
}

const SENTENCES: Record<DeviceProblem, string> = {
	denied: 'The browser does not allow the %. Allow it next to the address of this page, then try again.',
	busy: 'The % is in use by another program. Close that program, then try again.',
	none: 'No % was found. Plug one in, then try again.',
	unplugged: 'The % was unplugged. Plug it in again, or choose another one.',
	insecure: 'The % needs a secure page. Open this page with https.',
	unknown: 'The % does not work. Choose another one, or restart the browser.',
};

/** As `name` of what getUserMedia() rejects with. */
const NAMES: Record<string, DeviceProblem> = {
	NotAllowedError: 'denied',
	SecurityError: 'denied',
	NotReadableError: 'busy',
	AbortError: 'busy',
	NotFoundError: 'none',
	OverconstrainedError: 'none',
};

export function deviceEvent(kind: DeviceKind, problem: DeviceProblem): DeviceEvent {
	return { kind, problem, sentence: SENTENCES[problem].replace('%', kind) };
}

/** What an error of getUserMedia() means. */
export function describeDeviceError(kind: DeviceKind, error: unknown): DeviceEvent {
	const known = NAMES[(error as { name?: string } | null)?.name ?? ''];
	return deviceEvent(kind, known ?? (mediaDevices() ? 'unknown' : 'insecure'));
}

/**
 * What there is. Until the page was allowed to use one of a kind, browsers say no more than whether
 * there is any: a device without `deviceId` and `label`.
 */
export async function listDevices(): Promise<Devices> {
	const all = (await mediaDevices()?.enumerateDevices()) ?? [];
	const of = (kind: MediaDeviceKind) => all.filter((device) => device.kind === kind);
	return {
		cameras: of('videoinput'),
		microphones: of('audioinput'),
		speakers: of('audiooutput'),
	};
}

/** That device's track, or any one's of the kind. Rejects as getUserMedia() does. */
export async function openDevice(kind: DeviceKind, deviceId?: string): Promise<MediaStreamTrack> {
	const wanted = deviceId === undefined ? true : { deviceId: { exact: deviceId } };
	const constraints = kind === 'camera' ? { video: wanted } : { audio: wanted };
	const stream = await navigator.mediaDevices.getUserMedia(constraints);
	return stream.getTracks()[0] as MediaStreamTrack;
}

export const kindOf = ({ kind }: MediaStreamTrack): DeviceKind =>
	kind === 'video' ? 'camera' : 'microphone';

/** Undefined on pages that were not loaded by HTTPS, whatever the types say. */
const mediaDevices = () =>
	(globalThis.navigator as { mediaDevices?: MediaDevices } | undefined)?.mediaDevices;
