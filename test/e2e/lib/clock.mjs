// SPDX-License-Identifier: MIT
//
// A clock that steps while the server runs: libfaketime, preloaded, which reads from a file by how much.
// As when somebody sets the machine's clock, what counts time from the start goes on as it did.

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const LIBRARY = 'faketime/libfaketimeMT.so.1';

function find() {
	const arch = readdirSync('/usr/lib').map((name) => path.join('/usr/lib', name, LIBRARY));
	return [...arch, path.join('/usr/local/lib', LIBRARY)].find(existsSync);
}

export class Clock {
	static library = find();

	// `file`: where it may write; `program`: what will run by it.
	constructor(file, program) {
		this.file = file;
		this.set(0);
		// Address sanitizer insists on being the first of all libraries.
		const asan = /(\/\S*libasan\S*) /.exec(
			execFileSync('ldd', [program], { encoding: 'utf8' }),
		)?.[1];
		this.env = {
			LD_PRELOAD: [asan, Clock.library].filter(Boolean).join(':'),
			FAKETIME_TIMESTAMP_FILE: file,
			FAKETIME_NO_CACHE: '1',
			FAKETIME_DONT_FAKE_MONOTONIC: '1',
			DONT_FAKE_MONOTONIC: '1',
			NO_FAKE_STAT: '1',
		};
	}

	// So many seconds before or behind the machine's.
	set(seconds) {
		writeFileSync(`${this.file}.new`, `${seconds < 0 ? '' : '+'}${seconds}\n`);
		renameSync(`${this.file}.new`, this.file);
	}
}
