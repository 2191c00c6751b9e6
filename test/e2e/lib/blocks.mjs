// SPDX-License-Identifier: MIT
//
// What the documentation shows: the indented blocks of a page, each with the prose before it, and a shell's
// transcript in its parts. Blocks are found by what is in them, so pages can be rearranged.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');

// [{ text, before }], in the page's order; fences and indented code alike.
export async function blocksOf(page) {
	const lines = (await readFile(path.join(ROOT, page), 'utf8')).split('\n');
	const blocks = [];
	let before = [];
	let block = null;
	let fence = false;
	for (const [at, line] of lines.entries()) {
		const isFence = /^```/.test(line);
		const isIndented = /^ {4}/.test(line) && (block || lines[at - 1] === '');
		if (isFence) {
			fence = !fence;
		}
		if (fence ? !isFence : isIndented) {
			block ??= [];
			block.push(fence ? line : line.slice(4));
		} else if (block && !fence && line === '' && /^ {4}/.test(lines[at + 1] ?? '')) {
			block.push('');
		} else {
			if (block) {
				blocks.push({ text: withoutIndent(block).join('\n'), before: before.join('\n') });
				block = null;
				before = [];
			}
			if (!isFence) {
				before.push(line);
			}
		}
	}
	return blocks;
}

// A block in a list is indented further.
function withoutIndent(lines) {
	const indents = lines.filter((line) => line).map((line) => /^ */.exec(line)[0].length);
	const common = Math.min(...indents);
	return lines.map((line) => line.slice(common));
}

// The parts of a transcript: { command, output: [lines] }, { typed }, { received }, { shown: [lines] }. A command goes
// on behind a backslash, and to the end of its here-document.
export function transcript(text) {
	const parts = [];
	const lines = text.split('\n');
	for (let at = 0; at < lines.length; at++) {
		const line = lines[at];
		if (line.startsWith('$ ')) {
			let command = line.slice(2);
			const end = /<<'(\w+)'/.exec(command)?.[1];
			while (
				at + 1 < lines.length &&
				(command.endsWith('\\') || (end && lines[at] !== end))
			) {
				command += `\n${lines[++at]}`;
			}
			parts.push({ command, output: [] });
		} else if (/^[<>] /.test(line)) {
			parts.push({ [line[0] === '<' ? 'received' : 'typed']: line.slice(2) });
		} else if (line !== '' && line !== '>') {
			const last = parts.at(-1);
			if (last?.output) {
				last.output.push(line);
			} else if (last?.shown) {
				last.shown.push(line);
			} else {
				parts.push({ shown: [line] });
			}
		}
	}
	return parts;
}

const VARYING = [
	[/c[0-9a-f]{16}/, 'c[0-9a-f]{16}', true], // a client's id: the same in the page is the same here
	[/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/, '\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d'],
	[/\d\d:\d\d:\d\d\.\d{3}/, '\\d\\d:\\d\\d:\\d\\d\\.\\d{3}'],
	[/\b1[78]\d{11}\b/, '1\\d{12}'], // milliseconds since 1970
	[/"uptime_ms":\d+/, '"uptime_ms":\\d+'],
	[/eyJhbGciOi…/, 'eyJ[\\w.-]+'],
	[/127\.0\.0\.1/, '(?:127\\.0\\.0\\.1|::1)'], // what localhost is here
	[/…/, '.*?'],
	[/ {2,}/, ' {2,}'], // columns are as wide as what is in them
];

// What the page shows, as a pattern for what really comes: whole, but for what differs each time. `ids`: of the page →
// of this run, filled in by match().
function pattern(shown, ids) {
	const names = [];
	let source = '';
	let rest = shown;
	while (rest) {
		const found = VARYING.map(([from, to, isId]) => ({ at: rest.match(from), to, isId }))
			.filter(({ at }) => at)
			.sort((a, b) => a.at.index - b.at.index)[0];
		const end = found?.at.index ?? rest.length;
		source += rest.slice(0, end).replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
		if (!found) {
			break;
		}
		const text = found.at[0];
		rest = rest.slice(end + text.length);
		if (!found.isId) {
			source += found.to;
		} else if (ids.has(text)) {
			source += ids.get(text);
		} else if (names.includes(text)) {
			source += `\\${names.indexOf(text) + 1}`;
		} else {
			names.push(text);
			source += `(${found.to})`;
		}
	}
	return { names, pattern: new RegExp(`^${source}$`) };
}

// Whether `text` is what the page shows.
export function matches(shown, text, ids) {
	const { names, pattern: wanted } = pattern(shown, ids);
	const found = wanted.exec(text);
	names.forEach((name, at) => found && ids.set(name, found[at + 1]));
	return Boolean(found);
}
