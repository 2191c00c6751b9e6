// SPDX-License-Identifier: MIT
//
// Waiting for something to become true, with a deadline, never with a guess at how long it takes.
// A deadline that passes is a failed test, so it may be generous: PRAXIS_E2E_DEADLINE_MS raises it
// for slow builds (sanitizers, valgrind).

import { setTimeout as pause } from 'node:timers/promises';

export const DEADLINE_MS = Number(process.env.PRAXIS_E2E_DEADLINE_MS ?? 10_000);

// `promise`, or an error that says what was awaited; `what` may be a function, asked on failure.
export async function within(promise, what, ms = DEADLINE_MS) {
	let timer;
	const late = new Promise((_, reject) => {
		timer = setTimeout(() => {
			reject(new Error(`not within ${ms} ms: ${typeof what === 'function' ? what() : what}`));
		}, ms);
	});
	try {
		return await Promise.race([promise, late]);
	} finally {
		clearTimeout(timer);
	}
}

// Asks `probe` again and again until it returns something true, and returns that.
export async function until(what, probe, ms = DEADLINE_MS) {
	const end = Date.now() + ms;
	for (;;) {
		const value = await probe();
		if (value) {
			return value;
		}
		if (Date.now() > end) {
			throw new Error(`not within ${ms} ms: ${typeof what === 'function' ? what() : what}`);
		}
		await pause(10);
	}
}
