// SPDX-License-Identifier: MIT
//
// What there is once, however often the package is loaded: as an ES module and as CommonJS, in two
// bundles of a page, again by a development server. Modules of their own would each have a
// connection, and a token given to one would be unknown to the other.
//
// Another version may have another API, so it has its own. The rejected alternative, an ES module that
// only re-exports the CommonJS one, holds in Node alone and keeps bundlers from leaving anything out.

/** As package.json has it; a test compares them. */
const KEY = Symbol.for('praxis-client 0.1.0');

export function once<T>(name: string, make: () => T): T {
	const world = globalThis as { [KEY]?: Record<string, unknown> };
	const shared = (world[KEY] ??= {});
	return (shared[name] ??= make()) as T;
}
