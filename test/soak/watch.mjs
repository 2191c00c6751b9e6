// SPDX-License-Identifier: MIT
//
// What a praxisd needs over time: memory, descriptors and its own counters, and whether they stay
// where they are.

import { readdir, readFile } from 'node:fs/promises';

export class Watch {
	samples = [];

	constructor(pid, stats) {
		this.pid = pid;
		this.stats = stats;
	}

	async sample() {
		const status = await readFile(`/proc/${this.pid}/status`, 'utf8');
		const {
			sessions,
			rooms,
			messages_live: messages,
			queue_bytes: queued,
		} = await this.stats();
		const sample = {
			at: Date.now(),
			rssKb: Number(/VmRSS:\s+(\d+)/.exec(status)[1]),
			descriptors: (await readdir(`/proc/${this.pid}/fd`)).length,
			sessions,
			rooms,
			messages,
			queued,
		};
		this.samples.push(sample);
		return sample;
	}

	// The median of a figure in the second quarter of the time and in the last: by then all have
	// come, and every table has grown to its size.
	compare(name) {
		const quarter = Math.floor(this.samples.length / 4);
		const median = (part) => {
			const values = part.map((sample) => sample[name]).sort((a, b) => a - b);
			return values[Math.floor(values.length / 2)];
		};
		return {
			name,
			early: median(this.samples.slice(quarter, 2 * quarter)),
			late: median(this.samples.slice(-quarter)),
		};
	}

	// Figures that grew by more than `percent`, and more than `slack` besides.
	grown(limits) {
		return Object.entries(limits)
			.map(([name, { percent, slack }]) => ({ ...this.compare(name), percent, slack }))
			.filter(({ early, late, percent, slack }) => {
				return late > early * (1 + percent / 100) + slack;
			});
	}
}
