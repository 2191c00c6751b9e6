// SPDX-License-Identifier: MIT
//
// docs/tour.md, played against a fresh server as a reader would: every command that it has, every line that it
// says to type, and everything that it shows is compared with what comes. Only ports, the directory /tmp/praxis and the
// WebSocket client (the `ws` package in place of python3 -m websockets) are other ones.

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ROOT, blocksOf, matches, transcript } from './lib/blocks.mjs';
import { get } from './lib/http.mjs';
import { BUILD } from './lib/praxisd.mjs';
import { freePort } from './lib/ports.mjs';
import { Screen, compare, run, shell } from './lib/terminal.mjs';
import { until, within } from './lib/wait.mjs';

// Not for a test to do: packages are installed by whoever runs it, and the image has its own page.
const LEFT_OUT = [/^sudo apt install /, /^docker /];

const blocks = await blocksOf('docs/tour.md');
const ids = new Map();
const OTHER = 9; // the user of another practice

class Reader {
	env = { ...process.env, PRAXIS_BUILD: BUILD, PRAXIS_STATE_FILE: '' };
	screens = [];
	servers = [];
	printed = '';
	played = { commands: 0, typed: 0, received: 0 };

	async begin() {
		this.dir = await mkdtemp(path.join(tmpdir(), 'praxis-tour-'));
		this.ports = { 9002: await freePort(), 9003: await freePort() };
		this.env.PRAXIS_PORT = String(this.ports[9002]);
		// The checkout, but for what scripts/run leaves in it.
		for (const name of await readdir(ROOT)) {
			if (!/^(\.git|build.*)$/.test(name)) {
				await symlink(path.join(ROOT, name), path.join(this.dir, name));
			}
		}
		await mkdir(path.join(this.dir, 'build'));
		await symlink(path.join(BUILD, 'tools'), path.join(this.dir, 'build', 'tools'));
		this.env.PRAXIS_SECRET_FILE = path.join(this.dir, 'build', 'run', 'secret');
		await this.serve('scripts/run');
	}

	// The text of the page with this run's ports and directory.
	here(text) {
		return text
			.replace(/(localhost:|"port": |PRAXIS_PORT=)(9002|9003)\b/g, (all, what, port) => {
				return what + this.ports[port];
			})
			.replaceAll('/tmp/praxis', path.join(this.dir, 'praxis'));
	}

	shell(command) {
		return shell(command, { cwd: this.dir, env: this.env });
	}

	async serve(command) {
		const server = this.shell(`exec ${command}`);
		this.servers.push(server);
		await until(
			() => `a server that listens: ${server.output}`,
			() => /: listening on/.test(server.output) || server.exitCode !== null,
			120000, // it may have to build something first, where the sources are newer than the build
		);
		assert.equal(server.exitCode, null, server.output);
		// The secret is what the tour's own commands name.
		delete this.env.PRAXIS_SECRET_FILE;
		this.printed = server.output;
	}

	async open(url) {
		const link = /ws:\S+access_token=\S+/.exec(this.printed)?.[0];
		const wanted = url
			.replace(/^['"]|['"]$/g, '')
			.replace(/ws:\S+eyJhbGciOi…/, link)
			.replace('$TOKEN', this.env.TOKEN);
		const screen = await Screen.open(wanted);
		this.screens.push(screen);
		return screen;
	}

	// A screen that the tour needs no more, and does not count later.
	async leave() {
		await this.run(
			`build/tools/praxisctl disconnect --user ${OTHER} --secret-file build/run/secret`,
		);
		await until('a connection less', async () => {
			const { body } = await get(this.ports[9002], '/stats');
			const { connections, sessions } = JSON.parse(body);
			return connections === this.screens.length + 1 && sessions === this.screens.length;
		});
	}

	run(command) {
		return run(command, { cwd: this.dir, env: this.env });
	}

	// One that goes on until ^C: what it shows comes when the vet sends again what the page has typed.
	async look(command, lines) {
		const child = this.shell(`exec ${command}`);
		const rows = () => child.output.trimEnd().split('\n');
		await until(
			() => child.output,
			() => rows().length === 1 && child.output.endsWith('\n'),
		);
		this.screens[1].send(this.said);
		await until(
			() => child.output,
			() => rows().length >= lines.length,
		);
		child.kill('SIGINT');
		await within(child.over, 'an end after ^C');
		return child.output;
	}

	compare(shown, output, what) {
		compare(
			shown.map((line) => this.here(line)),
			output,
			what,
			ids,
		);
	}

	async command({ command, output }) {
		this.played.commands++;
		const client = /-m websockets (\S+)$/.exec(command);
		if (client) {
			this.screen = await this.open(this.here(client[1]));
		} else if (/scripts\/run$/.test(command)) {
			await this.serve(this.here(command).replace(/(.*) scripts/, 'env $1 scripts'));
		} else if (output.at(-1) === '^C') {
			this.compare(
				output.slice(0, -1),
				await this.look(this.here(command), output.slice(0, -1)),
				command,
			);
		} else {
			const text = await this.run(this.here(command));
			if (output.length > 0) {
				this.compare(output, text, command);
			}
		}
	}

	// By any screen: which one it is the prose says.
	async receive(shown) {
		this.played.received++;
		await until(
			() => `${shown}\namong\n${this.screens.flatMap(({ lines }) => lines).join('\n')}`,
			() => this.screens.some((screen) => screen.take((line) => matches(shown, line, ids))),
		);
	}

	async type(text) {
		this.played.typed++;
		this.said ??= text;
		this.screen.send(text.replace('"…"', JSON.stringify(this.env.TOKEN)));
	}

	async play({ text, before: prose }) {
		const usual = this.screen;
		// "A screen of another practice (`praxisctl token --practice 2 …`)"
		const other = /`praxisctl (token --practice \d+) …`/.exec(prose);
		if (other) {
			const mint = `build/tools/praxisctl ${other[1]} --user ${OTHER} --role staff --secret-file build/run/secret`;
			const token = (await this.run(mint)).trim();
			this.screen = await this.open(
				`ws://localhost:${this.ports[9002]}/ws?access_token=${token}`,
			);
		}
		for (const part of transcript(text)) {
			if (part.command) {
				if (!LEFT_OUT.some((left) => left.test(part.command))) {
					await this.command(part);
				}
			} else if (part.typed) {
				await this.type(part.typed);
			} else if (part.received) {
				await this.receive(part.received);
			} else if (!LEFT_OUT.some((left) => left.test(part.shown[0]))) {
				// What scripts/run has printed.
				const lines = this.printed.split('\n');
				const first = lines.findIndex((line) =>
					matches(this.here(part.shown[0]), line, ids),
				);
				assert.ok(first >= 0, `${part.shown[0]}\nin ${this.printed}`);
				const rest = lines.slice(first, first + part.shown.length).join('\n');
				this.compare(part.shown, rest, 'scripts/run');
			}
		}
		if (other) {
			this.screens.pop();
			await this.leave();
			this.screen = usual;
		}
	}

	async end() {
		this.screens.forEach(({ socket }) => socket.terminate());
		for (const server of this.servers) {
			server.kill('SIGTERM');
			await within(server.over, () => server.output);
		}
		await rm(this.dir, { recursive: true, force: true });
	}
}

describe('docs/tour.md', () => {
	const reader = new Reader();
	before(() => reader.begin());
	after(() => reader.end());

	for (const block of blocks) {
		it(`is true: ${block.text.split('\n')[0]}`, () => reader.play(block));
	}

	it('and was played', () => {
		const { commands, typed, received } = reader.played;
		assert.ok(commands >= 15 && typed >= 4 && received >= 7, JSON.stringify(reader.played));
	});
});
