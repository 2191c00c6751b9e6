// SPDX-License-Identifier: MIT
//
// The types of messages (src/types.ts) and the server's description of them (asyncapi.json) say the
// same: TypeScript is made of the schemas, and the compiler compares it with the package's, field by
// field.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import ts from 'typescript';

interface Schema {
	$ref?: string;
	type?: string | string[];
	const?: unknown;
	enum?: unknown[];
	properties?: Record<string, Schema>;
	required?: string[];
	items?: Schema;
	oneOf?: Schema[];
	anyOf?: Schema[];
}

interface Description {
	components: {
		messages: Record<string, { name: string; payload: { $ref: string } }>;
		schemas: Schemas;
	};
}

type Schemas = Record<string, Schema>;

const { messages, schemas: described } = (
	JSON.parse(readFileSync('../server/api/asyncapi.json', 'utf8')) as Description
).components;

/** WebRTC's own: the browser's types say what they are. */
const DOM = new Set(['RTCIceCandidateInit', 'RTCIceServer', 'RTCSessionDescriptionInit']);

/** Exports of types.ts that do not travel. */
const NO_MESSAGES = new Set([
	'DropReason',
	'MessageHandler',
	'MessageMap',
	'MessageOf',
	'MessageStamps',
	'PraxisError',
	'PraxisTypes',
	'Receipt',
	'Received',
	'RoomMessage',
	'Sent',
	'ServiceConfig',
	'StatusHandler',
	'Unmapped',
	'Unsubscribe',
	'WebSocketMessage',
	'WebSocketStatus',
]);

/** Messages that the package makes itself. */
const MADE_HERE = new Set(['TelemedicineJoinRefused', 'WhiteboardReload']);

/** Messages that the package answers or acts upon itself; administrators' ones besides. */
const NO_HANDLER =
	/^(ack|auth_expiring|auth_ok|disconnecting|pong|resumed|server_draining|admin_\w+)$/;

/** What `WebSocketMessage` has of every message, be it there or not. */
const COMMON = new Set(['clientId', 'id', 'practiceId', 'timestamp']);

/** Types that are wider than the schema on purpose. */
const WIDER: Record<string, string> = {
	'ConnectionEstablished.protocol': 'other versions may come',
	'ConnectionEstablished.resumed': 'a boolean reads better than a constant',
	'ServerError.code': 'other codes may come',
};

/** What the package promises, though the server need not keep it. */
const PROMISED: Record<string, string> = {
	'TelemedicineChatMessage.from':
		'a person’s is a text: only what applications publish may lack it',
};

function there<T>(value: T | undefined): T {
	assert.ok(value !== undefined);
	return value;
}

const nameOf = (reference: string) => reference.replace('#/components/schemas/', '');

// ---- TypeScript of schemas ----

class Writer {
	/** `own`: names of which the package has a type, which then stands for the schema. */
	constructor(
		readonly schemas: Schemas,
		readonly own: ReadonlySet<string>,
	) {}

	module(): string {
		const names = Object.keys(this.schemas).filter((name) => !DOM.has(name));
		const lines = names.flatMap((name) => [
			`export type ${name} = ${this.#type(there(this.schemas[name]))};`,
			`export type All${name} = Required<${name}>;`,
			...(this.own.has(name) ? [`export type Own${name} = Required<Own.${name}>;`] : []),
		]);
		return `import type * as Own from '../src/types.js';\n${lines.join('\n')}\n`;
	}

	#type(schema: Schema): string {
		if (schema.$ref) {
			const name = nameOf(schema.$ref);
			const own = this.own.has(name) ? `Own.${name}` : this.#type(there(this.schemas[name]));
			return DOM.has(name) ? name : own;
		}
		const either = schema.oneOf ?? schema.anyOf;
		if (either) {
			return either.map((each) => this.#type(each)).join(' | ');
		}
		if ('const' in schema || schema.enum) {
			const values = schema.enum ?? [schema.const];
			return values.map((value) => JSON.stringify(value)).join(' | ');
		}
		const types = [schema.type ?? 'unknown'].flat();
		return types.map((type) => this.#plainType(type, schema)).join(' | ');
	}

	#plainType(type: string, schema: Schema): string {
		switch (type) {
			case 'integer':
				return 'number';
			case 'array':
				return `(${this.#type(schema.items ?? {})})[]`;
			case 'object':
				return this.#object(schema);
			default:
				return type;
		}
	}

	#object({ properties, required = [] }: Schema): string {
		if (!properties) {
			return 'Record<string, unknown>';
		}
		const fields = Object.entries(properties).map(([name, schema]) => {
			return `${name}${required.includes(name) ? '' : '?'}: ${this.#type(schema)}`;
		});
		return `{ ${fields.join('; ')} }`;
	}
}

// ---- the comparison ----

const TYPES = path.resolve('src/types.ts');

function compile(schemas: Schemas, own: ReadonlySet<string>, file: string): ts.Program {
	writeFileSync(file, new Writer(schemas, own).module());
	return ts.createProgram([file, TYPES], {
		target: ts.ScriptTarget.ES2022,
		lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'],
		module: ts.ModuleKind.ESNext,
		moduleResolution: ts.ModuleResolutionKind.Bundler,
		strict: true,
		noEmit: true,
		skipDefaultLibCheck: true,
		types: [],
	});
}

function exportsOf(program: ts.Program, file: string): Map<string, ts.Type> {
	const checker = program.getTypeChecker();
	const module = there(checker.getSymbolAtLocation(there(program.getSourceFile(file))));
	const types = checker
		.getExportsOfModule(module)
		.map((symbol) => [symbol.name, checker.getDeclaredTypeOfSymbol(symbol)] as const);
	return new Map(types);
}

const isOptional = (symbol: ts.Symbol) => (symbol.flags & ts.SymbolFlags.Optional) !== 0;

class Comparison {
	/** Exceptions without which something would be different. */
	readonly needed = new Set<string>();
	readonly own: Map<string, ts.Type>;
	readonly #schemas: Schemas;
	readonly #checker: ts.TypeChecker;
	readonly #described: Map<string, ts.Type>;

	constructor(schemas: Schemas) {
		const file = path.resolve('build', `described-${++comparisons}.ts`);
		// Which types the package has is known from a first look at it alone.
		const own = new Set(exportsOf(compile(schemas, new Set(), file), TYPES).keys());
		const program = compile(schemas, own, file);
		const complaints = ts.getPreEmitDiagnostics(program).map(({ messageText }) => messageText);
		assert.deepEqual(complaints, []);
		this.#schemas = schemas;
		this.#checker = program.getTypeChecker();
		this.own = exportsOf(program, TYPES);
		this.#described = exportsOf(program, file);
	}

	/** What the two say differently of that type: sentences. */
	differences(name: string): string[] {
		const schema = this.#schemas[name];
		if (!schema) {
			return [`${name} is the package's, and is not described`];
		}
		const described = there(this.#described.get(name));
		const own = there(this.own.get(name));
		if (!schema.properties) {
			return this.#isSame(own, described) ? [] : [`${name} is another type`];
		}
		const fields = [own, described].flatMap((type) => type.getProperties());
		const names = new Set(fields.map((property) => property.name));
		return [...names].flatMap((field) => this.#fieldDifferences(name, field));
	}

	/** The package's type for messages of that type, by name. */
	handled(type: string): string | undefined {
		const property = there(this.own.get('MessageMap')).getProperty(type);
		return property && this.#checker.getTypeOfSymbol(property).symbol.name;
	}

	#isSame(one: ts.Type, other: ts.Type): boolean {
		return (
			this.#checker.isTypeAssignableTo(one, other) &&
			this.#checker.isTypeAssignableTo(other, one)
		);
	}

	#fieldDifferences(name: string, field: string): string[] {
		const place = `${name}.${field}`;
		const own = there(this.own.get(name)).getProperty(field);
		const described = there(this.#described.get(name)).getProperty(field);
		if (!own) {
			return [`${place} is described, and the package has no such field`];
		}
		if (!described) {
			return COMMON.has(field) && isOptional(own)
				? []
				: [`${place} is the package's, and is not described`];
		}
		return [
			...this.#kindDifferences(name, field),
			...(isOptional(described) && !isOptional(own) && !this.#excused(place, PROMISED)
				? [`${place} may be absent`]
				: []),
		];
	}

	#kindDifferences(name: string, field: string): string[] {
		const place = `${name}.${field}`;
		const own = this.#fieldType(`Own${name}`, field);
		const described = this.#fieldType(`All${name}`, field);
		const isWider = this.#checker.isTypeAssignableTo(described, own);
		if (
			this.#isSame(own, described) ||
			(isWider && this.#excused(place, WIDER)) ||
			this.#excused(place, PROMISED)
		) {
			return [];
		}
		const [is, should] = [own, described].map((type) => this.#checker.typeToString(type));
		return [`${place} is ${is}, and described as ${should}`];
	}

	#excused(place: string, exceptions: Record<string, string>): boolean {
		this.needed.add(place);
		return place in exceptions;
	}

	#fieldType(name: string, field: string): ts.Type {
		const type = there(this.#described.get(name));
		return this.#checker.getTypeOfSymbol(there(type.getProperty(field)));
	}
}

let comparisons = 0;

describe('the types of messages', () => {
	const comparison = new Comparison(described);

	for (const name of comparison.own.keys()) {
		if (NO_MESSAGES.has(name) || MADE_HERE.has(name)) {
			continue;
		}
		it(`${name} is as the server describes it`, () => {
			assert.deepEqual(comparison.differences(name), []);
		});
	}

	it('are there for every message that handlers get', () => {
		for (const [key, { name, payload }] of Object.entries(messages)) {
			if (key.startsWith('server.')) {
				const expected = NO_HANDLER.test(name) ? undefined : nameOf(payload.$ref);
				assert.equal(comparison.handled(name), expected, name);
			}
		}
	});

	it('differ nowhere else on purpose', () => {
		assert.deepEqual(
			[...comparison.needed].sort(),
			Object.keys({ ...WIDER, ...PROMISED }).sort(),
		);
	});

	it('would not be the same with a difference', () => {
		const { MediaState, ...rest } = described;
		const { WhiteboardUpdate: update, Role: role } = described;
		const { key, ...properties } = there(update?.properties);
		assert.ok(MediaState && key);
		const changed = {
			...rest,
			WhiteboardUpdate: {
				...update,
				properties: { ...properties, colour: {}, seq: { type: 'string' } },
				required: ['type', 'seq'],
			},
			Role: { ...role, enum: ['robot'] },
		};
		const text = JSON.stringify(changed).replaceAll(/\{"\$ref":"[^"]*MediaState"\}/g, '{}');
		const other = new Comparison(JSON.parse(text) as Schemas);
		assert.deepEqual(other.differences('WhiteboardUpdate').sort(), [
			'WhiteboardUpdate.colour is described, and the package has no such field',
			"WhiteboardUpdate.key is the package's, and is not described",
			'WhiteboardUpdate.practiceId may be absent',
			'WhiteboardUpdate.seq is number, and described as string',
		]);
		assert.deepEqual(other.differences('Role'), ['Role is another type']);
		assert.deepEqual(other.differences('MediaState'), [
			"MediaState is the package's, and is not described",
		]);
	});
});
