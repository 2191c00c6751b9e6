// SPDX-License-Identifier: MIT
//
// praxisctl as operators run it: the real program, with nothing of this process' environment that
// would tell it where a server or a secret is.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { PHRASE } from './issuer.mjs';
import { BUILD } from './praxisd.mjs';
import { within } from './wait.mjs';

export const PRAXISCTL = path.join(BUILD, 'tools', 'praxisctl');

function cleanEnvironment(more) {
	const names = Object.keys(process.env).filter((name) => !name.startsWith('PRAXIS_'));
	return {
		...Object.fromEntries(names.map((name) => [name, process.env[name]])),
		TZ: 'UTC',
		// A proxy that does not exist: whoever asked it would get no answer.
		http_proxy: 'http://127.0.0.1:9',
		...more,
	};
}

export function start(args, env = {}, options = {}) {
	return spawn(PRAXISCTL, args, { env: cleanEnvironment(env), ...options });
}

// Runs it to its end: { code, signal, stdout, stderr }. `input` is what it reads.
export async function run(args, env = {}, input = '') {
	const child = start(args, env);
	const output = { stdout: '', stderr: '' };
	for (const stream of ['stdout', 'stderr']) {
		child[stream].setEncoding('utf8').on('data', (text) => {
			output[stream] += text;
		});
	}
	child.stdin.on('error', () => {}); // it need not read
	child.stdin.end(input);
	try {
		const how = await within(
			new Promise((resolve, reject) => {
				child.once('error', reject);
				child.once('close', (code, signal) => resolve({ code, signal }));
			}),
			() => `the end of praxisctl ${args.join(' ')}: ${output.stdout}${output.stderr}`,
		);
		assert.doesNotMatch(output.stderr, /ERROR: \w+Sanitizer|runtime error/);
		return { ...how, ...output };
	} finally {
		child.kill('SIGKILL');
	}
}

// How an operator on the machine asks that server: with its secret.
export function operator(praxis) {
	return { PRAXIS_URL: `http://127.0.0.1:${praxis.port}`, PRAXIS_TOKEN_SECRET: PHRASE };
}

// … and whoever has a token.
export function holder(praxis, token) {
	return { PRAXIS_URL: `http://127.0.0.1:${praxis.port}`, PRAXIS_TOKEN: token };
}

// What it prints where all goes well.
export async function ctl(env, ...args) {
	const { code, stdout, stderr } = await run(args, env);
	assert.equal(code, 0, `praxisctl ${args.join(' ')}: ${stderr}`);
	assert.equal(stderr, '');
	return stdout;
}

export async function ctlJson(env, ...args) {
	const text = await ctl(env, ...args, '--json');
	assert.match(text, /^\{.*\}\n$/, 'one document on one line');
	return JSON.parse(text);
}

// A table as [{ TITLE: cell }]; cells must not hold two spaces.
export function rows(table) {
	const [titles, ...lines] = table
		.trimEnd()
		.split('\n')
		.map((line) => line.trim().split(/ {2,}/));
	return lines.map((cells) => {
		return Object.fromEntries(cells.map((cell, at) => [titles[at], cell]));
	});
}
