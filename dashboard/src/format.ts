// SPDX-License-Identifier: MIT
//
// Figures as people read them.

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const time = new Intl.DateTimeFormat('en', { timeStyle: 'medium', hourCycle: 'h23' });

export function count(value: number): string {
	return whole.format(value);
}

/** 1.2K: where there is little room. */
export function compact(value: number): string {
	return short.format(value);
}

export function bytes(value: number): string {
	let unit = 'B';
	for (const next of ['KB', 'MB', 'GB', 'TB']) {
		if (value < 1000) {
			break;
		}
		value /= 1000;
		unit = next;
	}
	const maximumFractionDigits = unit === 'B' && value >= 10 ? 0 : 1;
	return `${value.toLocaleString('en', { maximumFractionDigits })} ${unit}`;
}

export function duration(ms: number): string {
	const seconds = Math.max(0, Math.floor(ms / 1000));
	const [days, hours, minutes] = [
		Math.floor(seconds / 86_400),
		Math.floor(seconds / 3600) % 24,
		Math.floor(seconds / 60) % 60,
	];
	if (days > 0) {
		return `${days} d ${hours} h`;
	}
	if (hours > 0) {
		return `${hours} h ${minutes} min`;
	}
	return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}

export function clock(at: number | string): string {
	return time.format(new Date(at));
}
