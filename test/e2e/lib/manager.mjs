// SPDX-License-Identifier: MIT
//
// A service manager's ear: the datagram socket that sd_notify(3) writes to. Node has no datagrams of
// UNIX sockets, so Python receives them and prints a line of JSON for each.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { within } from './wait.mjs';

const EAR = `
import json, socket, sys
name = sys.argv[1]
ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
ear.bind(("\\0" + name[1:]) if name[0] == "@" else name)
print("[]", flush=True)
while True:
    print(json.dumps(ear.recv(4096).decode().split("\\n")), flush=True)
`;

export class Manager {
	told = [];
	#wake = new Set();
	#child;
	#dir;

	// `abstract`: a name that is in no file system.
	async open({ abstract = false } = {}) {
		this.#dir = await mkdtemp(path.join(tmpdir(), 'praxis-manager-'));
		const file = path.join(this.#dir, 'notify');
		this.address = abstract ? `@${file.slice(1)}` : file;
		this.#child = spawn('python3', ['-c', EAR, this.address], {
			stdio: ['ignore', 'pipe', 'inherit'],
		});
		const lines = createInterface({ input: this.#child.stdout });
		await within(once(lines, 'line'), () => 'the ear of a service manager');
		lines.on('line', (line) => {
			this.told.push(JSON.parse(line));
			this.#wake.forEach((wake) => wake());
		});
		return this;
	}

	// The first datagram from `since` on that has this line, now or when it comes.
	async hears(state, since = 0) {
		let wake;
		const heard = new Promise((resolve) => {
			wake = () => {
				const found = this.told.slice(since).find((lines) => lines.includes(state));
				if (found) {
					resolve(found);
				}
			};
			this.#wake.add(wake);
			wake();
		});
		try {
			return await within(heard, () => `${state}; told: ${JSON.stringify(this.told)}`);
		} finally {
			this.#wake.delete(wake);
		}
	}

	async close() {
		const ended = once(this.#child, 'close');
		this.#child.kill('SIGKILL');
		await ended;
		await rm(this.#dir, { recursive: true });
	}
}
