// SPDX-License-Identifier: MIT
//
// The page that has nothing in it but the client package, as `globalThis.praxis`.

import assert from 'node:assert/strict';
import { after, afterEach, before } from 'node:test';
import { Praxisd } from '../../e2e/lib/praxisd.mjs';
import { Browser, buildPages } from './browser.mjs';

export const plainMounts = (pages) => [
	{ mountpoint: '/plain', origin: `${pages.directory}/plain` },
];

// `page` shows it, of the server with that port.
export async function showPlain(page, port) {
	await page.goto(`http://127.0.0.1:${port}/plain/`);
	await page.waitForFunction(() => globalThis.praxis);
}

// A server that has it and a browser, for the tests of a suite; nothing may be wrong on any page behind each.
// `vhostOf`: mounts → the vhost.
export function usePlain(vhostOf) {
	const it = { praxis: new Praxisd() };
	let pages;
	before(async () => {
		pages = await buildPages();
		await it.praxis.start({ vhost: vhostOf(plainMounts(pages)) });
		it.browser = await Browser.launch();
	});
	afterEach(async () => assert.deepEqual(await it.browser.closePages(), []));
	after(async () => {
		await it.browser?.close();
		await it.praxis.kill();
		await pages?.remove();
	});
	return it;
}
