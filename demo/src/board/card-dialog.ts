// SPDX-License-Identifier: MIT
//
// The form of a card: a new one, or one that there is.

import { COLUMNS, LIMITS, readCard, SPECIES, URGENCIES, URGENCY_WORDS } from './card.js';
import type { Card } from './card.js';
import { openDialog } from '../shell/dialog.js';
import { element } from '../shell/dom.js';

function field(label: string, input: HTMLElement): HTMLLabelElement {
	return element('label', { className: 'field' }, element('span', {}, label), input);
}

function choice(name: string, all: readonly string[], chosen: string): HTMLSelectElement {
	const select = element('select', { name });
	select.append(...all.map((each) => element('option', { selected: each === chosen }, each)));
	return select;
}

function urgencies(chosen: string): HTMLFieldSetElement {
	const group = element('fieldset', { className: 'choices' }, element('legend', {}, 'Urgency'));
	for (const value of [...URGENCIES].reverse()) {
		const input = element('input', { type: 'radio', name: 'urgency', value });
		input.checked = value === chosen;
		const label = element('label', {}, input, URGENCY_WORDS[value]);
		label.dataset.urgency = value;
		group.append(label);
	}
	return group;
}

/** What was filled in, or null. */
export async function askForCard(card?: Card): Promise<Omit<Card, 'since'> | null> {
	const patient = element('input', {
		id: 'patient',
		required: true,
		pattern: '.*\\S.*',
		maxLength: LIMITS.patient,
		autocomplete: 'off',
		value: card?.patient ?? '',
	});
	const owner = element('input', {
		maxLength: LIMITS.owner,
		autocomplete: 'off',
		value: card?.owner ?? '',
	});
	const reason = element('input', {
		maxLength: LIMITS.reason,
		autocomplete: 'off',
		value: card?.reason ?? '',
	});
	const species = choice('species', SPECIES, card?.species ?? SPECIES[0]);
	const column = choice('column', COLUMNS, COLUMNS[card?.column ?? 0]!);
	const urgency = urgencies(card?.urgency ?? 'routine');
	const isFilled = await openDialog({
		title: card ? `Edit ${card.patient}` : 'New patient',
		body: [
			element(
				'div',
				{ className: 'pair' },
				field('Patient', patient),
				field('Species', species),
			),
			field('Owner', owner),
			field('Reason', reason),
			urgency,
			field('Column', column),
		],
		submit: card ? 'Save' : 'Add patient',
	});
	if (!isFilled) {
		return null;
	}
	return readCard({
		patient: patient.value,
		species: species.value,
		owner: owner.value.trim(),
		reason: reason.value.trim(),
		urgency: urgency.querySelector<HTMLInputElement>(':checked')?.value,
		column: column.selectedIndex,
		since: 0,
	});
}
