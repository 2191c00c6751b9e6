// SPDX-License-Identifier: MIT
//
// What somebody has who writes a service outside of this tree: an installation, in a directory of a
// test's own, of the build that is tested.

import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { BUILD } from './praxisd.mjs';

// Installs into `dir`: { env, plugins, meson }, the environment in which pkg-config finds praxis, the
// directory of services, and options of `meson setup` that fit how this build was made.
export async function installInto(dir) {
	execFileSync('meson', ['install', '-C', BUILD, '--no-rebuild', '--quiet', '--destdir', dir]);
	const found = execFileSync('find', [dir, '-name', 'praxis.pc'], { encoding: 'utf8' }).trim();
	const text = await readFile(found, 'utf8');
	const moved = text.replace(/^(prefix|plugindir)=(.*)$/gm, `$1=${dir}$2`);
	await writeFile(found, moved);
	const bin = path.join(dir, /^prefix=(.*)$/m.exec(text)[1], 'bin');
	return {
		env: {
			...process.env,
			PKG_CONFIG_PATH: path.dirname(found),
			PATH: `${bin}:${process.env.PATH}`,
		},
		plugins: /^plugindir=(.*)$/m.exec(moved)[1],
		meson: mesonOptions(),
	};
}

// A program that is linked with a sanitized library needs the sanitizers first.
function mesonOptions() {
	const told = execFileSync('meson', ['introspect', BUILD, '--buildoptions'], {
		encoding: 'utf8',
	});
	const sanitize = JSON.parse(told).find(({ name }) => name === 'b_sanitize')?.value ?? 'none';
	const value = Array.isArray(sanitize) ? sanitize.join(',') : sanitize;
	return value === 'none' || value === '' ? [] : [`-Db_sanitize=${value}`, '-Db_lundef=false'];
}
