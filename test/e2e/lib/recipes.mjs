// SPDX-License-Identifier: MIT
//
// The recipes for proxies, as they stand in docs/operations.md.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const DOCS = fileURLToPath(new URL('../../../docs/operations.md', import.meta.url));

// The block of that language, with the ports of Praxis and of the proxy in it.
export async function recipeOf(name, praxisPort, port) {
	const text = await readFile(DOCS, 'utf8');
	const [, block] = new RegExp(`\`\`\`${name}\n([^]*?)\`\`\``).exec(text) ?? assert.fail(name);
	return block
		.replaceAll('127.0.0.1:9002', `127.0.0.1:${praxisPort}`)
		.replace(/(?:127\.0\.0\.1:)?8080/, `127.0.0.1:${port}`);
}

// What stands around it in Debian's nginx.conf, in a directory of its own.
export function nginxConfig(recipe, dir) {
	return `daemon off; pid ${dir}/pid; error_log ${dir}/error.log; events {}
http {
	access_log off;
	client_body_temp_path ${dir}; proxy_temp_path ${dir}; fastcgi_temp_path ${dir};
	uwsgi_temp_path ${dir}; scgi_temp_path ${dir};
	${recipe}
}`;
}
