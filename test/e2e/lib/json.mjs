// SPDX-License-Identifier: MIT
//
// The top-level fields of a JSON object as they are spelled. JSON.parse() hides exactly what the
// server has to keep (the digits of a number, the escapes of a string) and what it has to prevent
// (a field given twice), so the tests look at the text. It is known to be valid JSON by then.

// [{ key, value }] in order: `key` decoded, `value` the raw text.
export function fields(text) {
	const found = [];
	let at = skipSpace(text, text.indexOf('{') + 1);
	while (text[at] !== '}') {
		const keyEnd = skipValue(text, at);
		const key = JSON.parse(text.slice(at, keyEnd));
		const start = skipSpace(text, skipSpace(text, keyEnd) + 1);
		const end = skipValue(text, start);
		found.push({ key, value: text.slice(start, end) });
		at = skipSpace(text, end);
		if (text[at] === ',') {
			at = skipSpace(text, at + 1);
		}
	}
	return found;
}

// The raw text of the only field `key`; undefined when it is absent or there several times.
export function spelling(text, key) {
	const same = fields(text).filter((field) => field.key === key);
	return same.length === 1 ? same[0].value : undefined;
}

function skipSpace(text, at) {
	while (/\s/.test(text[at])) {
		at++;
	}
	return at;
}

function skipString(text, at) {
	for (at++; text[at] !== '"'; at++) {
		if (text[at] === '\\') {
			at++;
		}
	}
	return at + 1;
}

function skipValue(text, at) {
	if (text[at] === '"') {
		return skipString(text, at);
	}
	if (text[at] !== '{' && text[at] !== '[') {
		while (at < text.length && !/[\s,\]}]/.test(text[at])) {
			at++;
		}
		return at;
	}
	let depth = 0;
	do {
		if (text[at] === '"') {
			at = skipString(text, at);
			continue;
		}
		depth += text[at] === '{' || text[at] === '[' ? 1 : 0;
		depth -= text[at] === '}' || text[at] === ']' ? 1 : 0;
		at++;
	} while (depth > 0);
	return at;
}
