// SPDX-License-Identifier: MIT
//
// What a stream of one's own has: a camera, a microphone, and whether they are on.

import type { DeviceKind } from 'praxis-client';

export function trackOf(
	stream: MediaStream | null,
	kind: DeviceKind,
): MediaStreamTrack | undefined {
	const [track] = (kind === 'camera' ? stream?.getVideoTracks() : stream?.getAudioTracks()) ?? [];
	return track?.readyState === 'live' ? track : undefined;
}

export function hasDevice(stream: MediaStream | null, kind: DeviceKind): boolean {
	return trackOf(stream, kind) !== undefined;
}

export function isOn(stream: MediaStream | null, kind: DeviceKind): boolean {
	return trackOf(stream, kind)?.enabled === true;
}

export function deviceIdOf(stream: MediaStream | null, kind: DeviceKind): string | undefined {
	return trackOf(stream, kind)?.getSettings().deviceId;
}
