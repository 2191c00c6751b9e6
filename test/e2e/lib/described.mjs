// SPDX-License-Identifier: MIT
//
// The description of the messages (server/api/asyncapi.json), and its schemas, each compiled once.
// Read when it is first used: the client's tests bundle this file with praxisd.mjs, and use neither.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

let loaded; // { description, ajv }, when somebody asks
const checks = new Map(); // '#/components/schemas/…' → its check

function load() {
	if (!loaded) {
		const file = new URL('../../../server/api/asyncapi.json', import.meta.url);
		const description = JSON.parse(readFileSync(file, 'utf8'));
		const { default: Ajv } = createRequire(import.meta.url)('ajv');
		const ajv = new Ajv({ strict: true, allowUnionTypes: true });
		ajv.addVocabulary(Object.keys(description));
		ajv.addSchema({ $id: 'asyncapi', ...description });
		loaded = { description, ajv };
	}
	return loaded;
}

export function describedMessages() {
	return load().description;
}

function checkOf(reference) {
	if (!checks.has(reference)) {
		checks.set(reference, load().ajv.getSchema(`asyncapi${reference}`));
	}
	return checks.get(reference);
}

// The types that the `side` sends, 'client' or 'server'.
export function typesOf(side) {
	return Object.keys(load().description.components.messages)
		.filter((key) => key.startsWith(`${side}.`))
		.map((key) => key.slice(side.length + 1));
}

export function messageOf(side, type) {
	const { messages } = load().description.components;
	const key = `${side}.${type}`;
	return Object.hasOwn(messages, key) ? messages[key] : undefined;
}

// The schema that the message's payload points to.
export function schemaOf(side, type) {
	const name = messageOf(side, type).payload.$ref.replace('#/components/schemas/', '');
	return load().description.components.schemas[name];
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
