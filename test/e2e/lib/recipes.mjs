// SPDX-License-Identifier: MIT
//
// The recipes for proxies, as they stand in docs/operations.md.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const DOCS = fileURLToPath(new URL('../../../docs/operations.md', import.meta.url));

// The blocks of that language, in the page's order.
async function blocksIn(language) {
	const text = await readFile(DOCS, 'utf8');
	const pattern = new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``, 'g');
	return [...text.matchAll(pattern)].map(([, block]) => block);
}

// The block of that language, with the ports of Praxis and of the proxy in it; `root`: that for a host of its own. It
// goes on where the first one began.
export async function recipeOf(name, praxisPort, port, { root = false } = {}) {
	const [prefixed, rooted] = await blocksIn(name);
	assert.ok(prefixed && rooted, name);
	const [map] = /^map [^]*?\n\}\n/m.exec(prefixed) ?? [''];
	return (root ? map + rooted : prefixed)
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
