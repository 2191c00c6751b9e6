// SPDX-License-Identifier: MIT
//
// What the pages show besides the tour: each piece of configuration passes --check-config, the wrong one gets the very
// errors that the page has, and the commands of docs/operations.md show what it says.

import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import { ROOT, blocksOf, matches, transcript } from './lib/blocks.mjs';
import { run as ctl, holder } from './lib/ctl.mjs';
import { enter, token, tokenVhost } from './lib/issuer.mjs';
import {
	BUILD,
	PLUGINS,
	itEnds,
	runPraxisd,
	usePraxisd,
	writeConfig,
	writeFiles,
} from './lib/praxisd.mjs';

const pages = [
	'README.md',
	...(await readdir(path.join(ROOT, 'docs')))
		.filter((name) => name.endsWith('.md') && name !== 'tour.md') // which has a test of its own
		.map((name) => `docs/${name}`),
];

// A whole file, or some keys of one. What has "…" in it only shows the form.
const FILE = /^\{\s*"(global|vhosts?)":/;
const KEYS = /^"[\w-]+":\s*[[{"]/;

const configurations = [];
for (const page of pages) {
	for (const { text } of await blocksOf(page)) {
		if ((FILE.test(text) || KEYS.test(text)) && !text.includes('…')) {
			configurations.push({ page, text });
		}
	}
}

const jwks = () => {
	const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
	return { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: '1' }] };
};

// The files that the example names, in `dir` instead of where the example has them.
async function provide(dir, text) {
	const provided = text.replace(
		/"([\w-]*(?:file|origin))":\s*"(?:file:\/\/)?(\/[^"]+)"/g,
		(all, key, name) => all.replace(name, path.join(dir, name)),
	);
	for (const [, key, name] of text.matchAll(
		/"([\w-]*(?:file|origin))":\s*"(?:file:\/\/)?(\/[^"]+)"/g,
	)) {
		const file = path.join(dir, name);
		await mkdir(key === 'origin' ? file : path.dirname(file), { recursive: true });
		if (key !== 'origin' && key !== 'file') {
			const content =
				key === 'jwks-file' ? JSON.stringify(jwks()) : randomBytes(32).toString('hex');
			await writeFile(file, content, { mode: 0o600 });
		}
	}
	return provided;
}

const GLOBAL = { global: { 'plugin-dir': [PLUGINS, path.join(BUILD, 'test', 'plugins')] } };
const VHOST = { vhosts: [{ name: 'default', port: 0 }] };

async function check(files) {
	const dir = await writeConfig({ 'praxis.json': GLOBAL });
	try {
		for (const [name, text] of Object.entries(files)) {
			await writeFiles(dir, { [`conf.d/${name}`]: await provide(dir, text) });
		}
		return await runPraxisd(['--check-config', '--config', dir], {
			PRAXIS_INTERFACE: undefined,
		});
	} finally {
		await rm(dir, { recursive: true, force: true });
	}
}

describe('configuration that the pages show', () => {
	for (const { page, text } of configurations) {
		it(`${page}: ${text.split('\n')[0].slice(0, 60)}`, async () => {
			const vhost = JSON.stringify(VHOST);
			const tries = FILE.test(text)
				? [{ ...(/"vhosts":/.test(text) ? {} : { '00.json': vhost }), '50.json': text }]
				: [
						{ '00.json': vhost, '50.json': `{ "global": { ${text} } }` },
						{ '50.json': `{ "vhosts": [{ "name": "default", "port": 0, ${text} }] }` },
					];
			const results = [];
			for (const files of tries) {
				results.push(await check(files));
			}
			assert.ok(
				results.some(({ code, stderr }) => code === 0 && !/error/.test(stderr)),
				results.map(({ stderr }) => stderr).join('\n'),
			);
		});
	}

	it('is found', () => assert.ok(configurations.length >= 4, `${configurations.length}`));
});

describe('errors that the pages show', () => {
	it('docs/configuration.md: are those of the files above them', async () => {
		const blocks = await blocksOf('docs/configuration.md');
		const at = blocks.findIndex(({ text }) => /^1 +\{/.test(text));
		const [first, second] = blocks[at].text
			.split('\n\n')
			.map((file) => file.replace(/^\d+ {2}/gm, ''));
		const shown = blocks[at + 1].text.split('\n');
		const name = /conf\.d\/[\w-]+\.json/.exec(blocks[at + 1].text)[0];
		const dir = await writeConfig({ 'praxis.json': first, [name]: second });
		const { code, stderr } = await runPraxisd(['--check-config', '--config', dir], {
			PRAXIS_INTERFACE: undefined,
		});
		await rm(dir, { recursive: true, force: true });
		assert.equal(code, 2);
		assert.deepEqual(
			stderr.trimEnd().split('\n').sort(),
			shown.map((line) => `praxisd: error: ${line}`).sort(),
		);
	});
});

describe('docs/operations.md', () => {
	const praxis = usePraxisd({ vhost: tokenVhost(), services: { admin: {} } });

	it('shows what praxisctl says', async () => {
		const { text } = (await blocksOf('docs/operations.md')).find((block) =>
			/^\$ praxisctl clients/m.test(block.text),
		);
		const env = holder(praxis, await token({ role: 'admin', practices: ['*'] }));
		const doctor = await enter(praxis, { sub: '7', name: 'Dr. Weber', practices: [1] });
		const ids = new Map();
		let played = 0;
		for (const { command, output } of transcript(text)) {
			const words = /^praxisctl (.*)$/.exec(command)?.[1];
			if (words) {
				const args = [...words.matchAll(/'([^']*)'|(\S+)/g)].map(
					(found) => found[1] ?? found[2],
				);
				const { code, stdout, stderr } = await ctl(args, env);
				assert.equal(code, 0, stderr);
				const lines = stdout.trimEnd().split('\n');
				output.forEach((line, at) => {
					assert.ok(matches(line, lines[at], ids), `${line}\n${lines[at]}`);
				});
				assert.equal(lines.length, output.length);
				played++;
			}
		}
		assert.equal(played, 2);
		await doctor.closed;
	});

	itEnds(praxis);
});
