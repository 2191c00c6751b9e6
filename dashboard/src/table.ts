// SPDX-License-Identifier: MIT
//
// A table that sorts and filters what it has. Rows that stay keep their elements, so that whoever
// stands on a button stays there when the figures change.

import { element, setText } from './dom.js';

export interface Column<Row> {
	title: string;
	/** What is sorted by, and shown unless there is `text`. */
	value: (row: Row) => string | number;
	text?: (row: Row) => string;
	numeric?: boolean;
	/** Long texts, on more than one line. */
	wrap?: boolean;
}

export interface TableOptions<Row> {
	caption: string;
	key: (row: Row) => string;
	columns: Column<Row>[];
	empty: string;
	/** A button in each row. */
	action?: { label: string; title: (row: Row) => string; run: (row: Row) => void };
	maxRows?: number;
}

interface Line<Row> {
	row: Row;
	node: HTMLTableRowElement;
	cells: HTMLTableCellElement[];
}

export class Table<Row> {
	readonly node: HTMLElement;
	readonly filter = element('input', { type: 'search', autocomplete: 'off' });
	#rows: readonly Row[] = [];
	#lines = new Map<string, Line<Row>>();
	#heads: HTMLTableCellElement[] = [];
	#body = element('tbody');
	#note = element('p', { className: 'hint' });
	#sorted: { column: number; up: boolean } | null = null;

	constructor(readonly options: TableOptions<Row>) {
		const head = element('tr');
		options.columns.forEach((column, at) => {
			const button = element('button', { type: 'button' }, column.title);
			button.addEventListener('click', () => this.#sort(at));
			const cell = element('th', { scope: 'col' }, button);
			cell.classList.toggle('number', column.numeric === true);
			this.#heads.push(cell);
			head.append(cell);
		});
		if (options.action) {
			head.append(
				element('th', { scope: 'col' }, element('span', { className: 'hidden' }, 'Action')),
			);
		}
		const table = element(
			'table',
			{},
			element('caption', { className: 'hidden' }, options.caption),
			element('thead', {}, head),
			this.#body,
		);
		const scroll = element('div', { className: 'scroll', tabIndex: 0 }, table);
		scroll.setAttribute('role', 'region');
		scroll.setAttribute('aria-label', options.caption);
		this.node = element('div', {}, scroll, this.#note);
		this.filter.addEventListener('input', () => this.#draw());
	}

	show(rows: readonly Row[]): void {
		this.#rows = rows;
		this.#draw();
	}

	#sort(column: number): void {
		const { numeric } = this.options.columns[column]!;
		const again = this.#sorted?.column === column;
		this.#sorted = { column, up: again ? !this.#sorted!.up : !numeric };
		this.#heads.forEach((head, at) => {
			if (at === column) {
				head.setAttribute('aria-sort', this.#sorted!.up ? 'ascending' : 'descending');
			} else {
				head.removeAttribute('aria-sort');
			}
		});
		this.#draw();
	}

	#chosen(): Row[] {
		const { columns } = this.options;
		const wanted = this.filter.value.trim().toLowerCase();
		const rows = this.#rows.filter(
			(row) =>
				wanted === '' ||
				columns.some(({ value, text }) =>
					(text ? text(row) : String(value(row))).toLowerCase().includes(wanted),
				),
		);
		if (this.#sorted) {
			const { value } = columns[this.#sorted.column]!;
			const sign = this.#sorted.up ? 1 : -1;
			rows.sort((a, b) => sign * compare(value(a), value(b)));
		}
		return rows.slice(0, this.options.maxRows ?? rows.length);
	}

	#draw(): void {
		const rows = this.#chosen();
		const keys = new Set(rows.map(this.options.key));
		for (const [key, { node }] of this.#lines) {
			if (!keys.has(key)) {
				node.remove();
				this.#lines.delete(key);
			}
		}
		let next = this.#body.firstElementChild;
		for (const row of rows) {
			const { node } = this.#line(row);
			if (node === next) {
				next = next.nextElementSibling;
			} else {
				this.#body.insertBefore(node, next);
			}
		}
		const none = this.#rows.length === 0 ? this.options.empty : 'Nothing matches.';
		setText(this.#note, rows.length === 0 ? none : '');
	}

	#line(row: Row): Line<Row> {
		const { key, columns, action } = this.options;
		let line = this.#lines.get(key(row));
		if (!line) {
			const cells = columns.map(({ numeric, wrap }) =>
				element('td', { className: numeric ? 'number' : wrap ? 'wrap' : '' }),
			);
			const made: Line<Row> = { row, node: element('tr', {}, ...cells), cells };
			if (action) {
				const button = element(
					'button',
					{ type: 'button', className: 'danger' },
					action.label,
				);
				button.setAttribute('aria-label', action.title(row));
				button.addEventListener('click', () => action.run(made.row));
				made.node.append(element('td', {}, button));
			}
			this.#lines.set(key(row), made);
			line = made;
		}
		line.row = row;
		columns.forEach(({ value, text }, at) => {
			setText(line.cells[at]!, text ? text(row) : String(value(row)));
		});
		return line;
	}
}

function compare(a: string | number, b: string | number): number {
	return typeof a === 'number' && typeof b === 'number'
		? a - b
		: String(a).localeCompare(String(b), 'en', { numeric: true });
}
