// SPDX-License-Identifier: MIT
//
// The back end's API as a back end uses it, and its description as it was served: every answer
// that comes through here is held against it (JSON Schema, by ajv), so that what is described is
// what is answered.

import assert from 'node:assert/strict';
import Ajv from 'ajv/dist/2020.js';
import { noteFurther } from './conformance.mjs';
import { exchange, request } from './http.mjs';
import { bearer, token } from './issuer.mjs';

const schemas = new Map(); // port → ajv with the description

async function describe(port) {
	if (!schemas.has(port)) {
		const response = await exchange(port, request('GET', '/api/v1/openapi.json'));
		assert.equal(response.status, 200);
		const description = JSON.parse(response.body);
		const ajv = new Ajv({ strict: false });
		ajv.addSchema({ $id: 'openapi', ...description });
		schemas.set(port, { ajv, description });
	}
	return schemas.get(port);
}

const escape = (name) => name.replaceAll('~', '~0').replaceAll('/', '~1');

// The path of the description that stands for this one.
function templateOf(description, path) {
	const names = Object.keys(description.paths);
	return (
		names.find((name) => name === path) ??
		names.find((name) => {
			return new RegExp(`^${name.replaceAll(/\{[^}]*\}/g, '[^/]+')}$`).test(path);
		})
	);
}

export async function assertDescribed(port, method, path, response) {
	const { ajv, description } = await describe(port);
	const template = templateOf(description, path.replace(/^\/api\/v1/, '').replace(/\?.*$/, ''));
	const operation = description.paths[template]?.[method.toLowerCase()];
	if (!operation) {
		assert.ok([404, 405].includes(response.status), `${method} ${path}: ${response.status}`);
		return;
	}
	const answer = operation.responses[response.status];
	assert.ok(answer, `${method} ${path} may answer ${response.status}: ${response.body}`);
	const where = answer.$ref
		? answer.$ref
		: `#/paths/${escape(template)}/${method.toLowerCase()}/responses/${response.status}`;
	const check = ajv.getSchema(`openapi${where}/content/application~1json/schema`);
	assert.ok(check, `a schema at ${where}`);
	assert.ok(check(JSON.parse(response.body)), JSON.stringify(check.errors));
}

// What was taken is as the description says that it has to be.
async function assertBodyDescribed(port, method, path, text) {
	const { ajv, description } = await describe(port);
	const template = templateOf(description, path.replace(/^\/api\/v1/, ''));
	const { content } = description.paths[template].post.requestBody;
	const types = content['application/json'].schema.discriminator?.mapping;
	if (types && !Object.hasOwn(types, JSON.parse(text).type)) {
		return; // of a service from outside
	}
	const where = `openapi#/paths/${escape(template)}/${method.toLowerCase()}/requestBody`;
	const check = ajv.getSchema(`${where}/content/application~1json/schema`);
	assert.ok(check(JSON.parse(text)), `${text.slice(0, 300)}: ${JSON.stringify(check.errors)}`);
}

// One request with a token of these claims (null: without one): { status, headers, body, json }.
// `body`: an object as JSON, or text as it is.
export async function call(praxis, claims, method, path, body, headers = {}) {
	const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
	const all = {
		Connection: 'close',
		...(claims && bearer(await token({ role: 'service', ...claims }))),
		...(text !== undefined && {
			'Content-Type': 'application/json',
			'Content-Length': Buffer.byteLength(text),
		}),
		...headers,
	};
	if (path === 'publish') {
		noteFurther(text ?? '');
	}
	const response = await exchange(
		praxis.port,
		request(method, `/api/v1/${path}`, all, { body: text ?? '' }),
	);
	assert.ok(response, `an answer to ${method} ${path}`);
	assert.match(response.headers['content-type'], /^application\/json/);
	await assertDescribed(praxis.port, method, `/api/v1/${path}`, response);
	if (response.status === 200 && text !== undefined) {
		await assertBodyDescribed(praxis.port, method, `/api/v1/${path}`, text);
	}
	return { ...response, json: JSON.parse(response.body) };
}

export async function get(praxis, claims, path) {
	const response = await call(praxis, claims, 'GET', path);
	assert.equal(response.status, 200, response.body);
	return response.json;
}

export async function post(praxis, claims, path, body, headers) {
	const response = await call(praxis, claims, 'POST', path, body, headers);
	assert.equal(response.status, 200, response.body);
	return response.json;
}

// All rows of a list, page by page.
export async function all(praxis, claims, list, query = {}) {
	const rows = [];
	let after;
	do {
		const parameters = { ...query, ...(after && { after }) };
		const page = await get(praxis, claims, `${list}?${new URLSearchParams(parameters)}`);
		rows.push(...page[list.split('/')[0]]);
		after = page.next;
	} while (after);
	return rows;
}

export function assertRefused(response, status, code, field) {
	assert.equal(response.status, status, response.body);
	assert.equal(response.json.error.code, code);
	assert.equal(typeof response.json.error.message, 'string');
	assert.equal(response.json.error.field, field);
}
