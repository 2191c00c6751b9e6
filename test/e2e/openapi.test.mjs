// SPDX-License-Identifier: MIT
//
// The description of the API and of webhooks (server/api/openapi.json): its examples are like its
// schemas, and a client that openapi-typescript makes of it calls every operation of a real server.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import Ajv from 'ajv/dist/2020.js';
import createClient from 'openapi-fetch';
import openapiTypes, { astToString } from 'openapi-typescript';
import ts from 'typescript';
import { get } from './lib/api.mjs';
import { claimsOf, enter, enterUnauthenticated, sign, tokenVhost } from './lib/issuer.mjs';
import { itEnds, usePraxisd } from './lib/praxisd.mjs';
import { until } from './lib/wait.mjs';

const description = JSON.parse(
	readFileSync(new URL('../../server/api/openapi.json', import.meta.url), 'utf8'),
);
const OPERATIONS = fileURLToPath(new URL('lib/operations.ts', import.meta.url));
const TYPES = OPERATIONS.replace('operations.ts', 'described-api.d.ts');

// [{ operation, path, method }] of the API, or of webhooks.
function operationsOf(paths) {
	return Object.entries(paths).flatMap(([path, { parameters: _, ...methods }]) =>
		Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
	);
}

// Everything with a schema of its own: what is sent and what is answered.
function* contentsOf({ requestBody, responses }) {
	yield* Object.values(requestBody?.content ?? {});
	for (const { content } of Object.values(responses)) {
		yield* Object.values(content ?? {});
	}
}

const examplesOf = ({ example, examples = {} }) => [
	...(example === undefined ? [] : [example]),
	...Object.values(examples).map(({ value }) => value),
];

describe('the description of the API', () => {
	const ajv = new Ajv({ strict: false });
	ajv.addSchema({ $id: 'openapi', components: description.components });
	const check = (schema, value) => {
		const text = JSON.stringify(schema).replaceAll('"#/components', '"openapi#/components');
		const fits = ajv.compile(JSON.parse(text));
		assert.ok(fits(value), `${JSON.stringify(value)}: ${JSON.stringify(fits.errors)}`);
	};
	const all = [...operationsOf(description.paths), ...operationsOf(description.webhooks)];

	it('has each operation under a tag that is explained', () => {
		const names = new Set(description.tags.map(({ name }) => name));
		const used = new Set(all.flatMap(({ operation }) => operation.tags));
		assert.deepEqual(used, names);
		assert.ok(all.every(({ operation }) => operation.tags.length === 1));
		assert.ok(description.tags.every((tag) => tag.description.endsWith('.')));
	});

	for (const { path, method, operation } of all) {
		it(`${method} ${path} has examples, and they are like its schemas`, () => {
			const examples = [...contentsOf(operation)].flatMap((content) => {
				examplesOf(content).forEach((value) => check(content.schema, value));
				return examplesOf(content);
			});
			const isDescription = operation.tags.includes('descriptions');
			assert.equal(examples.length > 0, !isDescription);
		});
	}

	it('has an example of every event', () => {
		const { examples } =
			description.webhooks.events.post.requestBody.content['application/json'];
		const { mapping } = description.components.schemas.WebhookEvent.discriminator;
		assert.deepEqual(Object.keys(examples), Object.keys(mapping));
		for (const [type, { value }] of Object.entries(examples)) {
			assert.equal(value.events[0].type, type);
		}
	});
});

// Compiles operations.ts, with `change` made to its text, against types made of the description:
// { code, complaints }.
async function compile(types, change = (text) => text) {
	const options = {
		target: ts.ScriptTarget.ES2022,
		module: ts.ModuleKind.ESNext,
		moduleResolution: ts.ModuleResolutionKind.Bundler,
		lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
		strict: true,
		skipLibCheck: true,
		types: [],
	};
	const host = ts.createCompilerHost(options);
	const { fileExists, readFile } = host;
	const texts = new Map([
		[TYPES, types],
		[OPERATIONS, change(readFileSync(OPERATIONS, 'utf8'))],
	]);
	host.fileExists = (file) => texts.has(file) || fileExists(file);
	host.readFile = (file) => texts.get(file) ?? readFile(file);
	const { getSourceFile } = host;
	host.getSourceFile = (file, ...more) =>
		texts.has(file)
			? ts.createSourceFile(file, texts.get(file), ...more)
			: getSourceFile(file, ...more);
	let code;
	host.writeFile = (file, text) => {
		code = text;
	};
	const program = ts.createProgram([OPERATIONS], options, host);
	const complaints = ts
		.getPreEmitDiagnostics(program)
		.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
	program.emit();
	return { code, complaints };
}

describe('a client that is made of the description', () => {
	const praxis = usePraxisd({
		vhost: tokenVhost(),
		services: { admin: {} },
		global: { 'auth-failures': 1 },
	});
	let types;
	let operations;
	let inWords;

	it('compiles', async () => {
		types = astToString(await openapiTypes(await get(praxis, null, 'openapi.json')));
		const { code, complaints } = await compile(types);
		assert.deepEqual(complaints, []);
		const module = `data:text/javascript,${encodeURIComponent(code)}`;
		({ operations, inWords } = await import(module));
	});

	for (const [what, from, to] of [
		['a field of another kind', 'enabled: false', 'enabled: 0'],
		['a field too few', "message: 'Hello'", 'message: undefined'],
		['a path that is not there', "'/history'", "'/histories'"],
		['a field that nothing has', 'answer.data?.ticket ', 'answer.data?.tickets '],
		['a kind of event that is forgotten', "case 'room_started':", ''],
	]) {
		it(`would not compile with ${what}`, async () => {
			const wrong = (text) => {
				assert.ok(text.includes(from));
				return text.replace(from, to);
			};
			assert.notDeepEqual((await compile(types, wrong)).complaints, []);
		});
	}

	it('calls every operation', async () => {
		const described = operationsOf(description.paths).map(
			({ operation }) => operation.operationId,
		);
		assert.deepEqual(Object.keys(operations).sort(), described.sort());
		const ann = await enter(praxis);
		await ann.join('r');
		await until('a lock', async () => {
			const page = await enterUnauthenticated(praxis);
			await page.ask({ type: 'auth', token: 'no.to.ken' });
			await page.closing();
			return (await praxis.stats()).locked_addresses === 1;
		});
		const token = await sign(claimsOf({ role: 'admin', practices: ['*'] }));
		const api = createClient({
			baseUrl: `http://127.0.0.1:${praxis.port}/api/v1`,
			headers: { Authorization: `Bearer ${token}` },
		});
		const surroundings = {
			practiceId: 1,
			clientId: ann.clientId,
			roomId: 'r',
			address: '127.0.0.1',
		};
		const said = {};
		for (const [name, call] of Object.entries(operations)) {
			const answer = await call(api, surroundings);
			assert.equal(answer.response.status, 200, `${name}: ${JSON.stringify(answer.error)}`);
			assert.ok(answer.data, name);
			said[name] = answer.said;
		}
		assert.match(said.getServices, /whiteboard_update/);
		assert.equal(said.getClients, ann.clientId);
		assert.equal(said.getRooms, 'r');
		assert.equal(said.getLocks, '127.0.0.1');
		assert.equal(said.publish, '1:1');
		await ann.next('disconnecting');
		await ann.closing();
	});

	it('reads every event', () => {
		const { examples } =
			description.webhooks.events.post.requestBody.content['application/json'];
		for (const { value } of Object.values(examples)) {
			assert.match(inWords(value.events[0]), /^(c0c6|r-99812)/);
		}
	});

	itEnds(praxis);
});
