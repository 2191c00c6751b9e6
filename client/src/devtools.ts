// SPDX-License-Identifier: MIT
//
// A panel for developers: the connection, its sessions, rooms, and the heads of messages. It shows
// nothing of what is in a message, so it may be looked at with a user's data on the page.
//
// An entry of its own, without any of the package's code, to be loaded when it is asked for. It lives
// in a shadow root with a style sheet that a Content-Security-Policy without inline styles permits.

import type { Id, MessageHead, SessionEvent, Unsubscribe, WebSocketManager } from './index.js';

/** The latest that are kept. */
const MESSAGES = 200;
const SESSIONS = 10;

const STYLE = `
	:host { all: initial; display: block; color-scheme: light dark; }
	section { font: 13px/1.4 system-ui, sans-serif; color: CanvasText; background: Canvas;
		border: 1px solid GrayText; border-radius: 6px; padding: 8px 12px; }
	h2 { font-size: 15px; margin: 0 0 4px; }
	p { margin: 0 0 4px; }
	table { border-collapse: collapse; width: 100%; }
	caption { text-align: start; font-weight: 600; padding: 8px 0 2px; }
	th, td { text-align: start; padding: 1px 12px 1px 0; font-weight: normal; }
	th { color: GrayText; }
	td { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
	.messages { max-height: 240px; overflow: auto; }
	button { font: inherit; min-height: 28px; margin-inline-end: 8px; padding: 2px 10px; }
	:focus-visible { outline: 2px solid Highlight; outline-offset: 2px; }
`;

interface Row {
	at: number;
	cells: string[];
}

type Call = Partial<{ roomId: Id; state: string; members: readonly unknown[] }>;

const timeOf = (at: number) => new Date(at).toISOString().slice(11, 23);

function make<K extends keyof HTMLElementTagNameMap>(
	name: K,
	text = '',
	attributes: Record<string, string> = {},
): HTMLElementTagNameMap[K] {
	const element = document.createElement(name);
	element.textContent = text;
	Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
	return element;
}

class Table {
	readonly element = make('table');
	readonly #body = make('tbody');
	#shown = '';

	constructor(caption: string, columns: string[]) {
		const head = make('tr');
		head.append(...columns.map((column) => make('th', column, { scope: 'col' })));
		const top = make('thead');
		top.append(head);
		this.element.append(make('caption', caption), top, this.#body);
	}

	show(rows: string[][]): void {
		const key = JSON.stringify(rows);
		if (key === this.#shown) {
			return; // what is selected or read just now stays
		}
		this.#shown = key;
		this.#body.replaceChildren(
			...rows.map((cells) => {
				const row = make('tr');
				row.append(...cells.map((cell) => make('td', cell)));
				return row;
			}),
		);
	}
}

class Panel {
	readonly host = make('div');
	#status = make('p', '', { role: 'status' });
	#facts = make('p');
	#sessions = new Table('Sessions', ['since', 'client', '']);
	#rooms = new Table('Rooms', ['room', 'state', 'others']);
	#messages = new Table('Messages', ['at', '', 'type', 'id', 'length']);
	#pause = make('button', 'Pause', { type: 'button', 'aria-pressed': 'false' });
	#sessionRows: Row[] = [];
	#messageRows: Row[] = [];
	#isPaused = false;
	#frame: number | null = null;
	#ends: Unsubscribe[];
	readonly #manager: WebSocketManager;

	constructor(manager: WebSocketManager, element: Element) {
		this.#manager = manager;
		this.#build(element);
		if (manager.isConnected()) {
			this.#session(manager.session());
		}
		this.#ends = [
			manager.on('status', () => this.#later()),
			manager.on('session', (event) => this.#session(event)),
			manager.on('traffic', (head) => this.#message(head)),
			manager.on('dropped', ({ type }, reason) => {
				this.#note(['dropped', type, reason, '']);
			}),
			manager.on('problem', ({ code }) => this.#note(['problem', code, '', ''])),
		];
		this.#show();
	}

	close(): void {
		this.#ends.forEach((end) => end());
		if (this.#frame !== null) {
			cancelAnimationFrame(this.#frame);
		}
		this.host.remove();
	}

	#build(element: Element): void {
		const root = this.host.attachShadow({ mode: 'open' });
		const sheet = new CSSStyleSheet();
		sheet.replaceSync(STYLE);
		root.adoptedStyleSheets = [sheet];
		this.#pause.addEventListener('click', () => {
			this.#isPaused = !this.#isPaused;
			this.#pause.setAttribute('aria-pressed', String(this.#isPaused));
			this.#later();
		});
		const clear = make('button', 'Clear', { type: 'button' });
		clear.addEventListener('click', () => {
			this.#messageRows = [];
			this.#later();
		});
		// What scrolls can be reached by keyboard.
		const region = {
			class: 'messages',
			role: 'region',
			tabindex: '0',
			'aria-label': 'Messages',
		};
		const messages = make('div', '', region);
		messages.append(this.#messages.element);
		const section = make('section', '', { 'aria-label': 'Praxis developer tools' });
		section.append(
			...[make('h2', 'Praxis'), this.#status, this.#facts, this.#pause, clear],
			...[this.#sessions.element, this.#rooms.element, messages],
		);
		root.append(section);
		element.append(this.host);
	}

	#session({ clientId, resumed, again }: SessionEvent): void {
		const how = resumed ? 'resumed' : again ? 'a new one' : 'the first';
		this.#sessionRows = [this.#row([clientId, how]), ...this.#sessionRows].slice(0, SESSIONS);
		this.#later();
	}

	#message({ direction, type, id, characters }: MessageHead): void {
		this.#note([direction, type, String(id ?? ''), String(characters)]);
	}

	#note(cells: string[]): void {
		if (!this.#isPaused) {
			this.#messageRows = [this.#row(cells), ...this.#messageRows].slice(0, MESSAGES);
			this.#later();
		}
	}

	#row(cells: string[]): Row {
		return { at: this.#manager.environment.wall(), cells };
	}

	/** Bursts are shown at once. */
	#later(): void {
		this.#frame ??= requestAnimationFrame(() => {
			this.#frame = null;
			this.#show();
		});
	}

	#show(): void {
		const { status, clientId, user, latencyMs, queued, calls } = this.#manager;
		const retry =
			status.retryAt === undefined ? '' : `next attempt at ${timeOf(status.retryAt)}`;
		const words = [status.state, status.reason, retry].filter(Boolean);
		if (this.#status.textContent !== words.join(', ')) {
			this.#status.textContent = words.join(', '); // it is read out on each change
		}
		this.#facts.textContent = [
			`client ${clientId ?? 'none'}`,
			`role ${user?.role ?? 'unknown'}`,
			`round trip ${latencyMs === undefined ? 'not measured' : `${latencyMs} ms`}`,
			`${queued} waiting to be sent`,
		].join(' · ');
		const rows = (all: Row[]) => all.map(({ at, cells }) => [timeOf(at), ...cells]);
		this.#sessions.show(rows(this.#sessionRows));
		this.#rooms.show([
			...(user?.practices ?? []).map((id) => [`whiteboard ${id}`, 'subscribed', '']),
			...[...(calls as Set<Call>)].map(({ roomId = '', state = '', members = [] }) => [
				`call ${roomId}`,
				state,
				String(members.length),
			]),
		]);
		this.#messages.show(rows(this.#messageRows));
	}
}

/** Shows the panel at the end of `element`, until the function that it returns is called. */
export function mountDevtools(manager: WebSocketManager, element: Element): Unsubscribe {
	const panel = new Panel(manager, element);
	return () => panel.close();
}
