// SPDX-License-Identifier: MIT
//
// The terminals of somebody who follows a page of the documentation: a shell, whose variables stay from one
// command to the next, and a WebSocket client (the `ws` package in place of python3 -m websockets).

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { matches } from './blocks.mjs';
import { WebSocket } from './client.mjs';
import { within } from './wait.mjs';

// A terminal with a connection: what came and was not looked at yet.
export class Screen {
	lines = [];

	static async open(url) {
		const screen = new Screen();
		screen.socket = new WebSocket(url);
		screen.socket.on('message', (data) => screen.lines.push(data.toString()));
		await within(once(screen.socket, 'open'), `a connection to ${url}`);
		return screen;
	}

	take(fits) {
		const at = this.lines.findIndex(fits);
		return at >= 0 && this.lines.splice(at, 1);
	}

	send(line) {
		this.socket.send(line);
	}
}

// A bash with that command, and what it has printed so far in `output`; `over`: its exit code.
export function shell(command, options) {
	const child = spawn('bash', ['-c', command], {
		stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
		...options,
	});
	child.output = '';
	for (const stream of [child.stdout, child.stderr]) {
		stream.setEncoding('utf8').on('data', (text) => (child.output += text));
	}
	child.over = new Promise((resolve) => child.once('close', resolve));
	return child;
}

// Runs it to its end; variables that it sets are in `env` afterwards.
export async function run(command, { env, prelude = '', ...options }) {
	const child = shell(`${prelude}\nset -a; ${command}\nstatus=$?; env -0 >&3; exit $status`, {
		env,
		...options,
	});
	let variables = '';
	child.stdio[3].setEncoding('utf8').on('data', (text) => (variables += text));
	const code = await within(child.over, () => `the end of ${command}: ${child.output}`);
	assert.equal(code, 0, `${command}: ${child.output}`);
	for (const [, name, value] of variables.matchAll(/(\w+)=([^\0]*)\0/g)) {
		env[name] = value;
	}
	return child.output;
}

// That the output is what the page shows. `ids`: see matches().
export function compare(shown, output, what, ids) {
	const lines = output.trimEnd() === '' ? [] : output.trimEnd().split('\n');
	assert.equal(lines.length, shown.length, `${what}:\n${output}`);
	shown.forEach((line, at) => {
		assert.ok(matches(line, lines[at], ids), `${what}:\n${line}\n${lines[at]}`);
	});
}
