// SPDX-License-Identifier: MIT
//
// The messages that a client got and no test has taken yet. A test takes the first one that fits
// and leaves the others, so it need not know in which order unrelated ones arrive; whoever cares
// about order takes without a type, or everything up to a message with takeThrough().
//
// An `error` that nobody awaits fails the test that awaits something else at once, with its text,
// rather than at the deadline without it.

import { DEADLINE_MS, within } from './wait.mjs';

const show = (message) => {
	const text = JSON.stringify(message);
	return text.length > 300 ? `${text.slice(0, 300)}… (${text.length})` : text;
};

export class Inbox {
	#messages = [];
	#waiters = [];
	#end = null;

	push(message) {
		this.#messages.push(message);
		const waiter = this.#waiters.find((candidate) => candidate.fits(message));
		if (waiter) {
			this.#settle(waiter);
		} else if (message.type === 'error') {
			this.#refuse((candidate) => !candidate.takesErrors, `got ${show(message)}`);
		}
	}

	// Nothing comes any more: what is here can still be taken.
	end(why) {
		this.#end ??= why;
		this.#refuse(() => true, this.#end);
	}

	get size() {
		return this.#messages.length;
	}

	// Whether one that fits is there; it stays.
	has(fits) {
		return this.#messages.some(fits);
	}

	// The first message of this type (any type if undefined) for which `fits` is true.
	next(type, fits = () => true, ms = DEADLINE_MS) {
		const wanted = (message) => (type === undefined || message.type === type) && fits(message);
		return this.#take(
			wanted,
			false,
			type === undefined || type === 'error',
			type ?? 'a message',
			ms,
		);
	}

	// [all that came before it…, the first that fits]
	takeThrough(what, fits, ms = DEADLINE_MS) {
		return this.#take(fits, true, true, what, ms);
	}

	#take(fits, all, takesErrors, what, ms) {
		const waiter = { fits, all, takesErrors, what };
		const result = new Promise((resolve, reject) => Object.assign(waiter, { resolve, reject }));
		if (this.#messages.some(fits)) {
			this.#settle(waiter);
			return result;
		}
		if (this.#end) {
			return Promise.reject(new Error(`${this.#end} while awaiting ${what}${this.#rest()}`));
		}
		this.#waiters.push(waiter);
		return within(result, () => `${what}${this.#rest()}`, ms).finally(() =>
			this.#forget(waiter),
		);
	}

	#settle(waiter) {
		const at = this.#messages.findIndex(waiter.fits);
		this.#forget(waiter);
		waiter.resolve(
			waiter.all ? this.#messages.splice(0, at + 1) : this.#messages.splice(at, 1)[0],
		);
	}

	#refuse(which, why) {
		for (const waiter of this.#waiters.filter(which)) {
			this.#forget(waiter);
			waiter.reject(new Error(`${why} while awaiting ${waiter.what}${this.#rest()}`));
		}
	}

	#forget(waiter) {
		this.#waiters = this.#waiters.filter((other) => other !== waiter);
	}

	#rest() {
		return this.#messages.length
			? `; not taken: ${this.#messages.slice(0, 5).map(show).join(' ')}`
			: '';
	}
}
