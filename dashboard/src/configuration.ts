// SPDX-License-Identifier: MIT
//
// The configuration in force, key by key. The server masks what is secret before it sends it.

import { byId, element } from './dom.js';
import { Table } from './table.js';

interface Setting {
	key: string;
	value: string;
}

function flatten(value: unknown, key: string, into: Setting[]): Setting[] {
	if (typeof value === 'object' && value !== null && Object.keys(value).length > 0) {
		for (const [name, member] of Object.entries(value)) {
			flatten(member, key ? `${key}.${name}` : name, into);
		}
	} else {
		into.push({ key, value: typeof value === 'string' ? value : JSON.stringify(value) });
	}
	return into;
}

export class Configuration {
	#table = new Table<Setting>({
		caption: 'Configuration in force',
		empty: 'The configuration is shown to administrators of all practices.',
		key: ({ key }) => key,
		columns: [
			{ title: 'Key', value: ({ key }) => key, wrap: true },
			{ title: 'Value', value: ({ value }) => value, wrap: true },
		],
	});

	constructor() {
		const label = element('label', {}, 'Filter ', this.#table.filter);
		byId('config').append(element('div', { className: 'filters' }, label), this.#table.node);
	}

	show(config: Record<string, unknown> | undefined): void {
		this.#table.show(config ? flatten(config, '', []) : []);
	}
}
