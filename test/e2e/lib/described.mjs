// SPDX-License-Identifier: MIT
//
// The description of the messages (server/api/asyncapi.json), and its schemas, each compiled once.

import Ajv from 'ajv';
import { readFileSync } from 'node:fs';

export const description = JSON.parse(
	readFileSync(new URL('../../../server/api/asyncapi.json', import.meta.url), 'utf8'),
);

const ajv = new Ajv({ strict: true, allowUnionTypes: true });
ajv.addVocabulary(Object.keys(description));
ajv.addSchema({ $id: 'asyncapi', ...description });

const checks = new Map(); // '#/components/schemas/…' → its check

function checkOf(reference) {
	if (!checks.has(reference)) {
		checks.set(reference, ajv.getSchema(`asyncapi${reference}`));
	}
	return checks.get(reference);
}

// The types that the `side` sends, 'client' or 'server'.
export function typesOf(side) {
	return Object.keys(description.components.messages)
		.filter((key) => key.startsWith(`${side}.`))
		.map((key) => key.slice(side.length + 1));
}

export function messageOf(side, type) {
	const key = `${side}.${type}`;
	return Object.hasOwn(description.components.messages, key)
		? description.components.messages[key]
		: undefined;
}

// The schema that the message's payload points to.
export function schemaOf(side, type) {
	const name = messageOf(side, type).payload.$ref.replace('#/components/schemas/', '');
	return description.components.schemas[name];
}

// What is wrong with a message of that side; undefined: nothing.
export function faultOf(side, message) {
	const described = typeof message?.type === 'string' ? messageOf(side, message.type) : undefined;
	if (!described) {
		return 'no message of this type is described';
	}
	const check = checkOf(described.payload.$ref);
	if (check(message)) {
		return undefined;
	}
	const [{ instancePath, message: sentence, params }] = check.errors;
	return `${instancePath || 'it'} ${sentence} ${JSON.stringify(params)}`;
}
