// SPDX-License-Identifier: MIT
//
// The components for Vue and Svelte of docs/client.md, as they are printed there: compiled by their
// frameworks, in Chromium, two users against a real server.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { claimsOf, sign, tokenVhost } from '../e2e/lib/issuer.mjs';
import { Praxisd } from '../e2e/lib/praxisd.mjs';
import { Browser } from './lib/browser.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const client = path.join(root, 'client');
const require = createRequire(path.join(client, 'package.json'));
const { build } = require('esbuild');

// Of each framework: a component's code as a module, and a function that shows it and returns one
// that takes it away.
const FRAMEWORKS = {
	vue: {
		compile(source) {
			const { compileScript, parse } = require('vue/compiler-sfc');
			const { descriptor, errors } = parse(source);
			assert.deepEqual(errors, []);
			return compileScript(descriptor, { id: 'recipe', inlineTemplate: true }).content;
		},
		mount: `
			import { createApp } from 'vue';
			export function mount(component, target, props) {
				const app = createApp(component, props);
				app.mount(target);
				return () => app.unmount();
			}`,
	},
	svelte: {
		compile(source) {
			const { compile } = require('svelte/compiler');
			const { js, warnings } = compile(source, { filename: 'Recipe.svelte', runes: true });
			assert.deepEqual(warnings, []);
			return js.code;
		},
		mount: `
			import { mount as show, unmount } from 'svelte';
			export function mount(component, target, props) {
				const shown = show(component, { target, props });
				return () => void unmount(shown);
			}`,
	},
};

const ENTRY = `
	import { webSocketManager } from 'praxis-client';
	import { mount } from 'mount';
	import Recipe from 'recipe';
	globalThis.begin = (token) => {
		const url = 'ws://' + location.host + '/ws';
		webSocketManager.configure({ url, getToken: () => token });
		globalThis.unmount = mount(Recipe, document.querySelector('main'), { practiceId: 1 });
		globalThis.connection = () => webSocketManager.getStatus();
	};`;

async function buildRecipe(name, out) {
	const docs = await readFile(path.join(root, 'docs', 'client.md'), 'utf8');
	const source = docs.split(`\`\`\`${name}\n`)[1].split('\n```\n')[0];
	const { compile, mount } = FRAMEWORKS[name];
	const modules = { recipe: compile(source), mount };
	const parts = {
		name: 'parts',
		setup(esbuild) {
			esbuild.onResolve({ filter: /^(recipe|mount)$/ }, (args) => ({
				path: args.path,
				namespace: 'parts',
			}));
			esbuild.onLoad({ filter: /./, namespace: 'parts' }, (args) => ({
				contents: modules[args.path],
				loader: 'ts',
				resolveDir: client,
			}));
		},
	};
	await build({
		alias: { 'praxis-client': path.join(client, 'src', 'index.ts') },
		bundle: true,
		conditions: ['browser', 'production'],
		define: {
			'process.env.NODE_ENV': '"production"',
			__VUE_OPTIONS_API__: 'false',
			__VUE_PROD_DEVTOOLS__: 'false',
			__VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
		},
		format: 'esm',
		logLevel: 'warning',
		outfile: path.join(out, name, 'page.js'),
		plugins: [parts],
		stdin: { contents: ENTRY, resolveDir: client },
	});
	await writeFile(
		path.join(out, name, 'index.html'),
		'<!doctype html><title>recipe</title><link rel="icon" href="data:,"><main></main><script type="module" src="page.js"></script>',
	);
}

describe('the recipe for', { timeout: 120_000 }, () => {
	const praxis = new Praxisd();
	let browser;
	let out;

	before(async () => {
		out = await mkdtemp(path.join(tmpdir(), 'praxis-recipes-'));
		await praxis.start({
			vhost: tokenVhost({}, { mounts: [{ mountpoint: '/recipes', origin: out }] }),
		});
		browser = await Browser.launch();
	});
	afterEach(async () => assert.deepEqual(await browser.closePages(), []));
	after(async () => {
		await browser?.close();
		await praxis.kill();
		await rm(out, { recursive: true, force: true });
	});

	async function open(name, sub) {
		const page = await browser.page();
		const token = await sign(claimsOf({ sub, practices: [1] }));
		await page.goto(`http://127.0.0.1:${praxis.port}/recipes/${name}/`);
		await page.waitForFunction(() => globalThis.begin);
		await page.evaluate((given) => globalThis.begin(given), token);
		await page.getByRole('status').getByText('Connected.', { exact: true }).waitFor();
		return page;
	}

	for (const name of Object.keys(FRAMEWORKS)) {
		it(`${name} shows the status and what others move, and lets go of the connection`, async () => {
			await buildRecipe(name, out);
			const ann = await open(name, 'Ann');
			const ben = await open(name, 'Ben');
			await ann.getByRole('button').click();
			await ben.locator('output').getByText('x-ray').waitFor();
			assert.deepEqual(JSON.parse(await ben.locator('output').textContent()), {
				patient: 42,
				column: 'x-ray',
			});
			await ben.evaluate(() => globalThis.unmount());
			assert.equal(await ben.getByRole('status').count(), 0);
			await ben.waitForFunction(() => globalThis.connection() === 'disconnected');
		});
	}
});
