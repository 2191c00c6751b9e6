// SPDX-License-Identifier: MIT
//
// Word that packets may have to take another path. Only calls ask for it, so it is not among what
// every page loads.

import { aPage, listen } from './environment.js';
import type { Unsubscribe } from './types.js';

// The Network Information API (not in all browsers) also tells of each new estimate of speed.
export function onNetworkChange(handler: () => void): Unsubscribe {
	const page = aPage();
	const { connection } = (page?.navigator ?? {}) as {
		connection?: EventTarget & { type?: string };
	};
	let type = connection?.type;
	const ends = [
		listen(() => {
			type = connection?.type;
			handler();
		}, [page, 'online']),
		listen(() => {
			if (connection?.type !== type) {
				type = connection?.type;
				handler();
			}
		}, [connection, 'change']),
	];
	return () => ends.forEach((end) => end());
}
