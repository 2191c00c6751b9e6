// SPDX-License-Identifier: MIT
//
// The demonstration's call, as its tests use it: a server with a waiting room behind a network that
// can fail, people who come with a link, and what they see.

import assert from 'node:assert/strict';
import { Faulty } from '../../e2e/lib/faulty.mjs';
import { claimsOf, sign, tokenVhost } from '../../e2e/lib/issuer.mjs';
import { Praxisd } from '../../e2e/lib/praxisd.mjs';
import { until } from '../../e2e/lib/wait.mjs';
import { Browser, buildPages, pictures } from './browser.mjs';

export const WAIT_MS = 30_000;

export class Calls {
	praxis = new Praxisd();
	// One for each test: who was cut off in one is in its call for a while.
	practice = 0;

	// `telemedicine`: options of the service.
	async start({ global = {}, telemedicine = {} } = {}) {
		this.pages = await buildPages();
		await this.praxis.start({
			global: { 'grace-ms': 30_000, 'state-file': 'state', ...global },
			services: { telemedicine: { 'waiting-room': 'on', ...telemedicine } },
			vhost: this.vhost,
		});
		this.network = await Faulty.before(this.praxis.port);
		this.browser = await Browser.launch();
	}

	async stop() {
		await this.browser?.close();
		await this.network?.close();
		await this.praxis.kill();
		await this.pages?.remove();
	}

	get vhost() {
		const mounts = [{ mountpoint: '/demo', origin: `${this.pages.directory}/demo` }];
		return tokenVhost({}, { mounts });
	}

	async closePages() {
		assert.deepEqual(await this.browser.closePages(), []);
	}

	// Somebody's link, opened; claims beside those of staff.
	async open(name, { claims = {}, options = {}, before, search = '' } = {}) {
		const page = await this.browser.page({
			viewport: { width: 1280, height: 800 },
			...options,
		});
		await before?.(page);
		const token = await sign(
			claimsOf({ sub: name, name, practices: [this.practice], ...claims }),
		);
		const { port } = this.network;
		await page.goto(`http://127.0.0.1:${port}/demo/${search}#/call?token=${token}`);
		return page;
	}

	async join(name, more) {
		const page = await this.open(name, more);
		await page.click('#join');
		return page;
	}

	// In the call, as one of the team.
	async staff(name, more) {
		const page = await this.join(name, more);
		await page.waitForSelector('.call-screen');
		return page;
	}

	patient(name, { claims = {}, ...more } = {}) {
		return this.join(name, {
			claims: { role: 'patient', rooms: ['demo'], ...claims },
			...more,
		});
	}
}

export const tile = (page, name) => page.locator('.tile', { hasText: name });

export async function admit(staff, patient, name) {
	await staff.getByRole('button', { name: `Admit ${name}` }).click();
	await patient.waitForSelector('.call-screen');
}

export async function say(page, text) {
	await page.fill('#text', text);
	await page.press('#text', 'Enter');
}

const texts = (page, selector) => page.$$eval(selector, (all) => all.map((e) => e.textContent));

// "Ann: How is Rocky?", in order.
export const said = (page) =>
	page.$$eval('.messages li:not(.note)', (lines) =>
		lines.map(
			(line) =>
				`${line.querySelector('bdi').textContent}: ${line.querySelector('.text').textContent}`,
		),
	);

export const notes = (page) => texts(page, '.messages .note');

export async function heard(page, line) {
	await until(`"${line}"`, async () => (await said(page)).includes(line), WAIT_MS);
}

// Every page decodes more pictures of each of the others than it had.
export async function seesMore(all) {
	for (const page of all) {
		const before = await pictures(page);
		let now;
		await until(
			() => `pictures of ${all.length - 1} others: ${before} → ${now}`,
			async () => {
				now = await pictures(page);
				return (
					now.length === all.length - 1 &&
					now.every((frames, at) => frames > (before[at] ?? 0) + 5)
				);
			},
			WAIT_MS,
		);
	}
}
