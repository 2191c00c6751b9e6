// SPDX-License-Identifier: MIT
//
// A client for which a server that drains has to wait, up to its deadline: messages are queued for it, and
// it reads none. (One that only leaves a close frame unanswered is not waited for.)

import { secret } from './praxisd.mjs';
import { until } from './wait.mjs';

// With these little is enough.
export const SMALL_BUFFERS = { 'queue-bytes': 1 << 20, 'send-buffer-bytes': 16384 };

export async function stubbornClient(praxis) {
	const [ann, slow] = [await praxis.connect(), await praxis.connectRaw()];
	slow.socket.pause();
	const fill = secret().padEnd(30_000, 'x');
	await until('messages wait for the stubborn one', async () => {
		await ann.accepted({ type: 'whiteboard_update', practiceId: 1, data: fill });
		return (await praxis.stats()).queue_bytes > 0;
	});
	await ann.close();
	return slow;
}
