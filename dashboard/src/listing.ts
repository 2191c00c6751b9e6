// SPDX-License-Identifier: MIT
//
// A list that the server gives page by page: a table with the filters that the server knows, and
// buttons for the pages. Only the page that one looks at is asked for.

import type { WebSocketMessage } from 'praxis-client';
import { element, setText } from './dom.js';
import { ask, isConnected, reason } from './server.js';
import { Table } from './table.js';
import type { TableOptions } from './table.js';
import type { View } from './tabs.js';

const ASKS = 10; // for one page

interface ListingOptions<Row> extends TableOptions<Row> {
	type: 'admin_clients' | 'admin_rooms';
	rows: (answer: WebSocketMessage) => Row[];
	/** A page has come, before it is shown. */
	arrived?: (rows: Row[]) => void;
}

export class Listing<Row> implements View {
	readonly refreshMs = 3000;
	#table: Table<Row>;
	#before: number[] = []; // where the pages before this one begin
	#after = 0;
	#next: number | undefined;
	#asked = 0;
	#service = element('select', {}, element('option', { value: '' }, 'all'));
	#practice = element('input', { autocomplete: 'off', maxLength: 128 });
	#limit = element('select', {}, ...['50', '100', '500'].map((n) => element('option', {}, n)));
	#back = element('button', { type: 'button' }, 'Previous page');
	#forth = element('button', { type: 'button' }, 'Next page');
	#where = element('p', { className: 'hint' });

	constructor(
		root: HTMLElement,
		readonly options: ListingOptions<Row>,
	) {
		this.#table = new Table(options);
		const filters = element(
			'form',
			{ className: 'filters' },
			element('label', {}, 'Service ', this.#service),
			element('label', {}, 'Practice ', this.#practice),
			element('label', {}, 'In this page ', this.#table.filter),
			element('label', {}, 'Rows ', this.#limit),
		);
		filters.addEventListener('submit', (event) => event.preventDefault());
		for (const input of [this.#service, this.#practice, this.#limit]) {
			input.addEventListener('change', () => this.#go([], 0));
		}
		this.#back.addEventListener('click', () => {
			const before = this.#before.slice();
			const after = before.pop() ?? 0;
			this.#go(before, after);
		});
		this.#forth.addEventListener('click', () => {
			this.#go([...this.#before, this.#after], this.#next ?? 0);
		});
		const pages = element(
			'div',
			{ className: 'controls' },
			this.#back,
			this.#forth,
			this.#where,
		);
		root.append(filters, this.#table.node, pages);
		this.#showPages(0);
	}

	setServices(names: readonly string[]): void {
		const chosen = this.#service.value;
		const options = names.map((name) => element('option', {}, name));
		this.#service.replaceChildren(element('option', { value: '' }, 'all'), ...options);
		this.#service.value = names.includes(chosen) ? chosen : '';
	}

	async refresh(): Promise<void> {
		if (!isConnected()) {
			return;
		}
		const asked = ++this.#asked;
		try {
			const { rows, next } = await this.#collect();
			if (asked !== this.#asked) {
				return; // another page was wanted meanwhile
			}
			this.#next = next;
			this.options.arrived?.(rows);
			this.#table.show(rows);
			this.#showPages(rows.length);
		} catch (error) {
			if (asked === this.#asked) {
				this.#next = undefined;
				this.#table.show([]);
				this.#showPages(0, reason(error));
			}
		}
	}

	// The server looks at some of its clients only each time, so an answer may be short, or empty.
	async #collect(): Promise<{ rows: Row[]; next: number | undefined }> {
		const limit = Number(this.#limit.value);
		const rows: Row[] = [];
		let next: number | undefined = this.#after;
		for (let i = 0; i < ASKS && next !== undefined && rows.length < limit; i++) {
			const question = this.#question(next, limit - rows.length);
			const answer: WebSocketMessage = await ask(question, this.options.type);
			rows.push(...this.options.rows(answer));
			next = answer['next'] as number | undefined;
		}
		return { rows, next };
	}

	#question(after: number, limit: number): WebSocketMessage {
		const service = this.#service.value;
		const practiceId = this.#practice.value.trim();
		return {
			type: this.options.type,
			limit,
			...(after > 0 && { after }),
			...(service && { service }),
			...(practiceId && { practiceId }),
		};
	}

	#go(before: number[], after: number): void {
		this.#before = before;
		this.#after = after;
		void this.refresh();
	}

	#showPages(rows: number, fault?: string): void {
		this.#back.disabled = this.#before.length === 0;
		this.#forth.disabled = this.#next === undefined;
		const more = this.#next === undefined ? '' : ', and there are more';
		setText(
			this.#where,
			fault ??
				`Page ${this.#before.length + 1}: ${rows} ${rows === 1 ? 'row' : 'rows'}${more}.`,
		);
	}
}
