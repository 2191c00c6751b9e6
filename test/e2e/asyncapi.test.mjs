// SPDX-License-Identifier: MIT
//
// The description of the messages (server/api/asyncapi.json) is whole, and says what the program
// says: what the server served, the tables of its services, and the literals of its sources.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { get } from './lib/api.mjs';
import { Conformance, takeFaults } from './lib/conformance.mjs';
import { describedMessages, faultOf, messageOf, schemaOf, typesOf } from './lib/described.mjs';
import { tokenVhost } from './lib/issuer.mjs';
import { malformed, MESSAGES } from './lib/messages.mjs';
import { itEnds, usePraxisd } from './lib/praxisd.mjs';

const ROOT = new URL('../../', import.meta.url);
const SIDES = ['client', 'server'];
const description = describedMessages();

// What every message of a client may have.
const COMMON = new Set(['type', 'id', 'practiceId']);

// What no table of a service has, since it may be anything.
const ANY = new Set(['whiteboard_update.data']);

// How the tables say what a field has to be.
const KINDS = {
	id: (schema) => schema.maxLength === 128 && schema.type.includes('integer'),
	string: (schema) => schema.type === 'string',
	name: (schema) => schema.type === 'string' && schema.maxLength === 256,
	integer: (schema) => [schema, ...(schema.anyOf ?? [])].some(({ type }) => type === 'integer'),
	boolean: (schema) => schema.type === 'boolean',
	object: (schema) => schema.type === 'object',
	'object or null': (schema) => schema.anyOf?.some(({ type }) => type === 'null'),
};

// What the server sends of its own accord is what its sources begin a message with.
const SENDING = /px_json_begin\(&?\w+, "([a-z_]+)"\)|\banswer\(call, "([a-z_]+)"/g;

function resolve(schema) {
	const name = schema.$ref?.replace('#/components/schemas/', '');
	return name ? description.components.schemas[name] : schema;
}

function sourcesIn(folder) {
	return readdirSync(new URL(folder, ROOT), { withFileTypes: true })
		.map((entry) => {
			const path = `${folder}/${entry.name}`;
			return entry.isDirectory()
				? sourcesIn(path)
				: path.endsWith('.c')
					? readFileSync(new URL(path, ROOT), 'utf8')
					: '';
		})
		.join('\n');
}

function* references(value) {
	if (typeof value !== 'object' || value === null) {
		return;
	}
	if (typeof value.$ref === 'string') {
		yield value.$ref;
	}
	for (const item of Object.values(value)) {
		yield* references(item);
	}
}

describe('the description of the messages', () => {
	it('refers to nothing that is not there', () => {
		for (const reference of references(description)) {
			const found = reference
				.slice(2)
				.split('/')
				.reduce((at, key) => at?.[key], description);
			assert.ok(found, reference);
		}
	});

	it('leaves no schema unused', () => {
		const used = new Set(references(description));
		const unused = Object.keys(description.components.schemas).filter(
			(name) => !used.has(`#/components/schemas/${name}`),
		);
		assert.deepEqual(unused, ['Sums']); // a description names it
	});

	it('has every message in the channel and in an operation', () => {
		const keys = SIDES.flatMap((side) => typesOf(side).map((type) => `${side}.${type}`));
		const { messages } = description.channels.ws;
		assert.deepEqual(Object.keys(messages).sort(), keys.sort());
		const sent = Object.values(description.operations).flatMap((operation) => {
			const side = operation.action === 'receive' ? 'client.' : 'server.';
			const own = operation.messages.map(({ $ref }) => $ref.split('/').pop());
			assert.ok(
				own.every((key) => key.startsWith(side)),
				operation.summary,
			);
			return own;
		});
		assert.deepEqual(sent.sort(), keys);
	});

	for (const side of SIDES) {
		for (const type of typesOf(side)) {
			it(`${side}.${type}: named, explained, and like its examples`, () => {
				const { name, title, summary, examples } = messageOf(side, type);
				assert.equal(name, type);
				assert.ok(title && summary.endsWith('.'));
				assert.ok(examples.length > 0);
				for (const { payload } of examples) {
					assert.equal(faultOf(side, payload), undefined);
				}
				for (const [field, schema] of Object.entries(schemaOf(side, type).properties)) {
					assert.ok(
						field === 'type' ||
							'description' in resolve(schema) ||
							Object.hasOwn(schema, '$ref') ||
							'const' in schema,
						`${field} is explained`,
					);
				}
			});
		}
	}

	it('lets the server send nothing else, unless it is relayed', () => {
		for (const type of typesOf('server')) {
			const relayed = messageOf('server', type)['x-relayed'] === true;
			assert.equal(
				schemaOf('server', type).additionalProperties,
				relayed ? undefined : false,
				type,
			);
			assert.equal(relayed, messageOf('client', type)?.['x-relayed'] === true, type);
		}
	});

	it('refuses what the server refuses', () => {
		// JSON.parse() makes 7 of all of these, and a schema counts characters, not bytes.
		const same = new Set(['7.0', '7e0', '7E+2']);
		for (const { what, type, text } of malformed()) {
			if (messageOf('client', type) && !same.has(what)) {
				assert.ok(faultOf('client', JSON.parse(text)), text);
			}
		}
	});

	it('has the fields of the tests’ own table', () => {
		for (const [type, fields] of Object.entries(MESSAGES)) {
			if (messageOf('client', type)) {
				const { properties, required } = schemaOf('client', type);
				for (const name of Object.keys(fields)) {
					assert.ok(properties[name.replace('?', '')], `${type}: ${name}`);
					assert.equal(required.includes(name), !name.endsWith('?'), `${type}: ${name}`);
				}
			}
		}
	});

	it('has all types that stand in the sources, and no other', () => {
		const described = SIDES.flatMap(typesOf);
		for (const service of ['admin', 'telemedicine', 'whiteboard']) {
			const source = sourcesIn('broker') + sourcesIn(`plugins/${service}`);
			const literals = source.match(new RegExp(`(?<=")${service}_[a-z_]+(?=")`, 'g'));
			const own = described.filter((type) => type.startsWith(`${service}_`));
			assert.deepEqual([...new Set(literals)].sort(), [...new Set(own)].sort());
		}
	});

	it('has all messages that the sources begin or relay, and no other', () => {
		const source = ['broker', 'plugins/admin', 'plugins/telemedicine', 'plugins/whiteboard']
			.map(sourcesIn)
			.join('\n');
		const begun = [...source.matchAll(SENDING)].map(([, own, answer]) => own ?? answer);
		const relayed = typesOf('client').filter((type) => messageOf('client', type)['x-relayed']);
		assert.deepEqual([...new Set([...begun, ...relayed])].sort(), typesOf('server').sort());
	});

	it('shares schemas with the description of the API', () => {
		const openapi = JSON.parse(readFileSync(new URL('server/api/openapi.json', ROOT), 'utf8'));
		const { schemas } = description.components;
		for (const name of ['Client', 'Room', 'Server', 'Service', 'Sums']) {
			assert.deepEqual(schemas[name], openapi.components.schemas[name], name);
		}
		const [, practices] = openapi.components.schemas.Stats.oneOf;
		assert.deepEqual(schemas.PracticeSums, practices.properties.practices.items);
		const locks = openapi.paths['/locks'].get.responses[200].content['application/json'].schema;
		assert.deepEqual(schemas.Lock, locks.properties.locks.items);
	});
});

describe('the description and the server', () => {
	const praxis = usePraxisd({ vhost: tokenVhost(), services: { admin: {} } });

	it('is served, to everybody', async () => {
		assert.deepEqual(await get(praxis, null, 'asyncapi.json'), description);
	});

	it('has what the tables of the services have', async () => {
		const { services } = await get(praxis, { role: 'admin', practices: ['*'] }, 'services');
		const own = ['auth', 'ping', 'received'];
		const types = services
			.filter(({ name }) => name !== 'echo')
			.flatMap(({ messages }) => messages.map(({ type }) => type));
		assert.deepEqual([...own, ...types].sort(), typesOf('client').sort());
		for (const { type, roles, fields } of services.flatMap(({ messages }) => messages)) {
			if (!messageOf('client', type)) {
				continue;
			}
			const { properties, required } = schemaOf('client', type);
			assert.deepEqual(messageOf('client', type)['x-roles'], roles, type);
			for (const { name, kind, required: needed } of fields) {
				assert.ok(KINDS[kind](resolve(properties[name])), `${type}: ${name} is a ${kind}`);
				assert.equal(required.includes(name), needed, `${type}: ${name}`);
			}
			const known = new Set(fields.map(({ name }) => name));
			for (const name of Object.keys(properties)) {
				assert.ok(
					known.has(name) || COMMON.has(name) || ANY.has(`${type}.${name}`),
					`${type}: the server knows no ${name}`,
				);
			}
		}
	});

	itEnds(praxis);
});

describe('what holds messages against the description', () => {
	const relayed = {
		type: 'whiteboard_update',
		timestamp: 1,
		clientId: 'c',
		practiceId: 1,
		seq: 1,
	};
	const faultsOf = (play) => {
		const client = new Conformance();
		play({
			send: (message) => client.sent(JSON.stringify(message)),
			hear: (message) => client.received(message, JSON.stringify(message)),
		});
		return takeFaults();
	};
	const refusal = { type: 'error', code: 'bad_message', message: 'No.' };

	for (const [what, play, fault] of [
		[
			'a type that nobody knows',
			({ hear }) => hear({ type: 'news' }),
			/no message of this type/,
		],
		['no type', ({ hear }) => hear({}), /no message of this type/],
		[
			'a field too many',
			({ hear }) => hear({ type: 'pong', u: 1 }),
			/must NOT have additional/,
		],
		['a field too few', ({ hear }) => hear({ type: 'ack' }), /required property 'id'/],
		['another kind', ({ hear }) => hear({ type: 'ack', id: true }), /\/id must be/],
		['another word', ({ hear }) => hear({ ...refusal, code: 'no' }), /\/code must be/],
		[
			'a field of a relayed message that nobody sent',
			({ hear }) => hear({ ...relayed, secretly: 1 }),
			/secretly is described nowhere/,
		],
		[
			'a message against its schema that is confirmed',
			({ send, hear }) => {
				send({ type: 'whiteboard_update', id: 1 });
				hear({ type: 'ack', id: 1 });
			},
			/the server took it: .*required property 'practiceId'/,
		],
		[
			'one that is neither confirmed nor refused',
			({ send, hear }) => {
				send({ type: 'telemedicine_end', roomId: [] });
				send({ type: 'ping', t: 'fence' });
				hear({ type: 'pong', t: 'fence' });
			},
			/the server took it: \/roomId must be/,
		],
	]) {
		it(`notices ${what}`, () => {
			const faults = faultsOf(play);
			assert.equal(faults.length, 1);
			assert.match(faults[0], fault);
		});
	}

	for (const [what, play] of [
		['what is as described', ({ hear }) => hear({ type: 'pong', t: [7] })],
		[
			'a field of a relayed message that somebody sent',
			({ send, hear }) => {
				send({ type: 'whiteboard_update', practiceId: 1, openly: 1 });
				hear({ ...relayed, openly: 1 });
			},
		],
		[
			'a message against its schema that is refused',
			({ send, hear }) => {
				send({ type: 'whiteboard_update', id: 1 });
				send({ type: 'ping', t: 1 });
				hear({ ...refusal, ref: 'whiteboard_update', id: 1 });
				hear({ type: 'pong', t: 1 });
			},
		],
		['services of the tests', ({ hear }) => hear({ type: 'echo_said', text: '' })],
	]) {
		it(`lets pass ${what}`, () => {
			assert.deepEqual(faultsOf(play), []);
		});
	}
});
