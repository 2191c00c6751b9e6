// SPDX-License-Identifier: MIT
//
// Cameras and microphones that a test plugs in, refuses, and opens when it wants, in place of the
// browser's.

import type { TestContext } from 'node:test';
import { FakeStream, FakeTrack } from './webrtc.js';

interface Constraint {
	deviceId?: { exact: string };
}

type Constraints = Record<'audio' | 'video', boolean | Constraint | undefined>;

export class FakeDevices extends EventTarget {
	/** What was asked for, in order. */
	asked: Constraints[] = [];
	/** What was given. */
	tracks: FakeTrack[] = [];
	/** Says why something is not given: the name of an error. */
	refuse: (constraints: Constraints) => string | undefined = () => undefined;
	/** What the user is waited for with. */
	hold: Promise<void> | undefined;
	list: { kind: string; deviceId: string; label: string }[] = [];
	permission = 'prompt';

	static for(test: TestContext): FakeDevices {
		const devices = new FakeDevices();
		const world = globalThis as Record<string, unknown>;
		const there = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
		const formerStream = world['MediaStream'];
		Object.defineProperty(globalThis, 'navigator', {
			configurable: true,
			value: {
				mediaDevices: devices,
				permissions: { query: () => Promise.resolve({ state: devices.permission }) },
			},
		});
		world['MediaStream'] = FakeStream;
		test.after(() => {
			Object.defineProperty(globalThis, 'navigator', there ?? { value: undefined });
			world['MediaStream'] = formerStream;
		});
		return devices;
	}

	getUserMedia = async (constraints: Constraints): Promise<FakeStream> => {
		this.asked.push(constraints);
		const refusal = this.refuse(constraints);
		await this.hold;
		if (refusal) {
			throw Object.assign(new Error(refusal), { name: refusal });
		}
		const kinds = (['audio', 'video'] as const).filter((kind) => constraints[kind]);
		const tracks = kinds.map((kind) => new FakeTrack(kind));
		this.tracks.push(...tracks);
		return new FakeStream(tracks);
	};

	enumerateDevices = () => Promise.resolve(this.list);

	get live(): FakeTrack[] {
		return this.tracks.filter(({ readyState }) => readyState === 'live');
	}
}
