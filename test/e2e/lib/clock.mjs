// SPDX-License-Identifier: MIT
//
// A clock that steps while the server runs: libfaketime, preloaded, which reads from a file by how much.
// As when somebody sets the machine's clock, what counts time from the start goes on as it did.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const TRIAL_MS = 20_000;
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

	// Why a program does not run by it, or null. With the address sanitizer of gcc 14 (Debian 13) the library
	// waits for itself before main(): both want to know the time before either is ready.
	static lacks(program) {
		if (!Clock.library) {
			return 'there is no libfaketime';
		}
		const dir = mkdtempSync(path.join(tmpdir(), 'praxis-clock-'));
		const { env } = new Clock(path.join(dir, 'clock'), program);
		const { status } = spawnSync(program, ['--version'], {
			env: { ...process.env, ...env },
			timeout: TRIAL_MS,
			killSignal: 'SIGKILL',
		});
		rmSync(dir, { recursive: true });
		return status === 0 ? null : 'libfaketime does not work with this build';
	}

	// So many seconds before or behind the machine's.
	set(seconds) {
		writeFileSync(`${this.file}.new`, `${seconds < 0 ? '' : '+'}${seconds}\n`);
		renameSync(`${this.file}.new`, this.file);
	}
}
