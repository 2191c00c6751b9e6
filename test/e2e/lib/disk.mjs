// SPDX-License-Identifier: MIT
//
// A disk that ends: a small file system of its own where that may be mounted, else a limit of the size
// of files, which gives the writer another error for the same reason.

import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

function mount(dir, bytes) {
	try {
		execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'praxis-test', dir], {
			stdio: 'ignore',
		});
		return true;
	} catch {
		return false;
	}
}

export class Disk {
	static async make(bytes = 1 << 20) {
		const disk = new Disk();
		disk.dir = await mkdtemp(path.join(tmpdir(), 'praxis-disk-'));
		disk.isMounted = process.getuid() === 0 && mount(disk.dir, bytes);
		return disk;
	}

	// Nothing more can be added to `file`, which the process `pid` writes.
	fill(pid, file) {
		if (!this.isMounted) {
			execFileSync('prlimit', ['--pid', String(pid), `--fsize=${statSync(file).size}:`]);
			return;
		}
		const fd = openSync(path.join(this.dir, 'filler'), 'w');
		try {
			for (;;) {
				writeSync(fd, Buffer.alloc(4096));
			}
		} catch (error) {
			if (error.code !== 'ENOSPC') {
				throw error;
			}
			// The last page of the audit log has room still: a machine's disk is not full by the byte
			// either.
		} finally {
			closeSync(fd);
		}
	}

	free(pid) {
		if (this.isMounted) {
			rmSync(path.join(this.dir, 'filler'));
		} else {
			execFileSync('prlimit', ['--pid', String(pid), '--fsize=unlimited:']);
		}
	}

	async remove() {
		if (this.isMounted) {
			execFileSync('umount', [this.dir]);
		}
		await rm(this.dir, { recursive: true, force: true });
	}
}
