// SPDX-License-Identifier: MIT
//
// What the package needs of the world: sockets, a clock, dice, and word that the network or the page
// is back. All of it is looked up when it is used, never on import, so that a server may import the
// package; and a test gives its own.

import type { Word } from './closing.js';
import type { Unsubscribe } from './types.js';

/** The part of the browser's WebSocket that is used; the package `ws` fits as well. */
export interface Socket {
	onopen: ((event: never) => void) | null;
	onmessage: ((event: never) => void) | null;
	onerror: ((event: never) => void) | null;
	onclose: ((event: never) => void) | null;
	send(text: string): void;
	close(code?: number, reason?: string): void;
}

export type SocketConstructor = new (url: string, protocols?: string[]) => Socket;

export interface Environment {
	/** Milliseconds for durations: only differences matter. A step back counts as no time. */
	now(): number;
	/** The time of day, in ms since 1970: to show it. Nothing is waited for by it: it jumps. */
	wall(): number;
	/** From 0 up to 1. */
	random(): number;
	setTimeout(run: () => void, ms: number): unknown;
	clearTimeout(timer: unknown): void;
	/** Calls the handler when trying at once is promising: online again, or looked at again. */
	onWake(handler: () => void): Unsubscribe;
	/** Calls the handler when the page is left; `maybeBack`: it may be shown again as it is. */
	onHide(handler: (maybeBack: boolean) => void): Unsubscribe;
	/** Calls the handler when packets may have to take another path from now on; see network.ts. */
	onNetworkChange?(handler: () => void): Unsubscribe;
	/** Asks a server why it refused an upgrade, where it can say (docs/protocol.md, "Origin"). */
	askWhy(url: string): Promise<Word | null>;
	/** Tells the developer of an error in a handler. */
	report(error: unknown): void;
}

/** Where there is no page there is nothing to hear. */
export function listen(
	handler: EventListener,
	...events: [EventTarget | undefined, string][]
): Unsubscribe {
	events.forEach(([target, event]) => target?.addEventListener(event, handler));
	return () => events.forEach(([target, event]) => target?.removeEventListener(event, handler));
}

export const aPage = () => (typeof document === 'undefined' ? undefined : globalThis);

function onWake(handler: () => void): Unsubscribe {
	const page = aPage();
	return listen(
		() => {
			if (page?.document.visibilityState !== 'hidden') {
				handler();
			}
		},
		[page, 'online'],
		[page, 'pageshow'],
		[page?.document, 'visibilitychange'],
	);
}

function onHide(handler: (maybeBack: boolean) => void): Unsubscribe {
	return listen(
		(event) => handler((event as PageTransitionEvent).persisted),
		[aPage(), 'pagehide'],
	);
}

// With POST the browser says the page's origin, also where the server is of the same.
async function askWhy(url: string): Promise<Word | null> {
	if (!aPage() || !navigator.onLine) {
		return null;
	}
	try {
		const answer = await fetch(url, { method: 'POST', credentials: 'omit' });
		const { error } = (await answer.json()) as { error: Word };
		return [403, 429, 503].includes(answer.status) ? error : null;
	} catch {
		return null; // not reached, or not a Praxis
	}
}

export const theEnvironment: Environment = {
	now: () => performance.now(),
	wall: () => Date.now(),
	random: () => Math.random(),
	setTimeout: (run, ms) => setTimeout(run, ms),
	clearTimeout: (timer) => clearTimeout(timer as number),
	onWake,
	onHide,
	askWhy,
	// Node has none, whatever the types say.
	report: (error) =>
		((globalThis.reportError as typeof reportError | undefined) ?? console.error)(error),
};

/** A clock that never goes back, whatever that of `read` does. */
export function steady(read: () => number): () => number {
	let last: number | undefined;
	let now = 0;
	return () => {
		const next = read();
		now += Math.max(0, next - (last ?? 0));
		last = next;
		return now;
	};
}

/**
 * Where Praxis is: where the page's `<meta name="praxis-url">` says (a page that Praxis itself
 * serves has it, `/ws`), else port 9002 of the page's host. `url` may be relative to the page.
 */
export function resolveUrl(url?: string): URL {
	const { document, location } = globalThis as Partial<typeof globalThis>;
	const meta = document?.querySelector<HTMLMetaElement>('meta[name="praxis-url"]')?.content;
	const port9002 = location?.hostname
		? `//${location.hostname}:9002/ws`
		: 'ws://localhost:9002/ws';
	const resolved = new URL(url ?? meta ?? port9002, location?.href);
	resolved.protocol = resolved.protocol.replace('http', 'ws');
	resolved.hash = '';
	return resolved;
}

/** One timer: setting it again replaces what it was set to. */
export class Timer {
	#handle: unknown = null;
	readonly #environment: Environment;

	constructor(environment: Environment) {
		this.#environment = environment;
	}

	get isSet(): boolean {
		return this.#handle !== null;
	}

	set(ms: number, run: () => void): void {
		this.clear();
		this.#handle = this.#environment.setTimeout(() => {
			this.#handle = null;
			run();
		}, ms);
	}

	clear(): void {
		if (this.#handle !== null) {
			this.#environment.clearTimeout(this.#handle);
			this.#handle = null;
		}
	}
}
