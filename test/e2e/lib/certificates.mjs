// SPDX-License-Identifier: MIT
//
// Certificates and keys for tests, made by the openssl command into a directory.

import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const KEYS = {
	ec: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
	rsa: ['-newkey', 'rsa:2048'],
};

export class Certificates {
	static async make() {
		const made = new Certificates();
		made.dir = await mkdtemp(path.join(tmpdir(), 'praxis-certs-'));
		return made;
	}

	path(file) {
		return path.join(this.dir, file);
	}

	// `<name>.pem` and `<name>.key`, signed by itself, or by `ca`; `names`: as subjectAltName has them.
	async issue(name, { kind = 'ec', days = 30, ca, subject = `/CN=${name}.test`, names } = {}) {
		const signer = ca ? ['-CA', this.path(`${ca}.pem`), '-CAkey', this.path(`${ca}.key`)] : [];
		const basic = ca ? ['-addext', 'basicConstraints=critical,CA:FALSE'] : [];
		const also = names ? ['-addext', `subjectAltName=${names}`] : [];
		const text = ['-subj', subject, '-days', String(days), ...also];
		const files = ['-keyout', this.path(`${name}.key`), '-out', this.path(`${name}.pem`)];
		await run('openssl', [
			'req',
			'-x509',
			'-nodes',
			...KEYS[kind],
			...text,
			...basic,
			...signer,
			...files,
		]);
	}

	// Puts a passphrase on a key.
	async lock(name, passphrase) {
		const key = this.path(`${name}.key`);
		const cipher = ['-aes256', '-passout', `pass:${passphrase}`];
		await run('openssl', ['pkey', '-in', key, ...cipher, '-out', `${key}.new`]);
		await rename(`${key}.new`, key);
	}

	// As one who renews does it: the new file takes the old one's place at once.
	async replace(target, source) {
		await copyFile(this.path(source), this.path(`${target}.new`));
		await rename(this.path(`${target}.new`), this.path(target));
	}

	remove() {
		return rm(this.dir, { recursive: true, force: true });
	}
}
