// SPDX-License-Identifier: MIT
//
// examples/notifications, a service that the package does not know: its client compiles against the
// package as it is packed, with types of its own, and works with a real server.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { after, afterEach, describe, it } from 'node:test';
import ts from 'typescript';
import { itEnds, secret, usePraxisd } from 'praxisd-of-tests';
import { Consumer } from '../lib/consumer.js';
import { Page } from '../lib/page.js';

const root = path.resolve('..');
const EXAMPLE = path.join(root, 'examples', 'notifications');

/** What of it is used here; its own types belong to the application, which is compiled below. */
interface Sent {
	notificationId: unknown;
	text?: string;
	seq: number;
}
interface Notifications {
	follow(id: number, follower: { onSent(sent: Sent): void; onGap?(): void }): () => void;
	send(practiceId: number, notificationId: string, text?: string): Promise<{ seq?: number }>;
	read(practiceId: number, notificationId: string): boolean;
	onRead(handler: (read: { notificationId: unknown }) => void): () => void;
}
interface Made {
	Notifications: new (manager: unknown) => Notifications;
}

const USE = `
	import { createWebSocketManager, TelemedicineWebSocketService } from 'praxis-client';
	import { Notifications } from './notifications.js';
	import type { NotificationMessages, NotificationRequests } from './notifications.js';

	export const shared = new Notifications();
	const manager = createWebSocketManager<NotificationMessages, NotificationRequests>();
	export const telemedicine = new TelemedicineWebSocketService(manager);
	const notifications = new Notifications(manager);
	notifications.follow(1, { onSent: ({ notificationId, text, seq }) => [notificationId, text, seq] });
	manager.registerHandler('notification_sent', ({ seq }) => {
		const number: number = seq;
		return number;
	});
	export const sent: Promise<number | undefined> = notifications.send(1, 'n', 'text').then(({ seq }) => seq);
	// @ts-expect-error: it is a string
	notifications.send(1, 'n', 7);
	// @ts-expect-error: the server numbers it
	manager.sendMessage({ type: 'notification_sent', practiceId: 1, notificationId: 1, seq: 7 });
	// @ts-expect-error: there is no such field
	notifications.onRead(({ text }) => text.length);
`;

describe('a service from outside', () => {
	const consumer = new Consumer('outside');
	const plugins = mkdtempSync(path.join(tmpdir(), 'praxis-outside-'));
	const pages: Page[] = [];
	afterEach(() => pages.splice(0).forEach((open) => open.close()));
	after(() => rmSync(plugins, { recursive: true }));
	const praxis = usePraxisd(() => {
		execFileSync('cc', [
			...['-shared', '-fPIC', '-fvisibility=hidden', `-I${path.join(root, 'include')}`],
			...['-o', path.join(plugins, 'praxis_svc_notifications.so')],
			path.join(EXAMPLE, 'notifications.c'),
		]);
		return Promise.resolve({
			global: {
				'plugin-dir': [path.join(process.env['PRAXIS_BUILD'] ?? '', 'plugins'), plugins],
			},
			services: { notifications: {} },
		});
	});

	it('is typed, and the package is as it was', () => {
		const source = readFileSync(path.join(EXAMPLE, 'notifications.ts'), 'utf8');
		consumer.write({ 'notifications.ts': source, 'use.ts': USE });
		const options = {
			moduleResolution: ts.ModuleResolutionKind.Bundler,
			module: ts.ModuleKind.ESNext,
		};
		assert.deepEqual(consumer.complaints(['use.ts'], options), []);
		const { outputText } = ts.transpileModule(source, {
			compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
		});
		consumer.write({ 'notifications.js': outputText });
	});

	it('reaches pages, once each, and what was missed while they were away', async () => {
		const file = pathToFileURL(path.join(consumer.folder, 'notifications.js')).href;
		const made = (await import(file)) as Made;
		const got: Sent[] = [];
		let gaps = 0;
		const open = async (userId: number) => {
			const page = new Page(praxis, { practiceId: 1, userId, userName: secret('name') });
			pages.push(page);
			const notifications = new made.Notifications(page.manager);
			await page.connected();
			return { page, notifications };
		};
		const [ann, bob] = [await open(1), await open(2)];
		bob.notifications.follow(1, { onSent: (each) => got.push(each), onGap: () => gaps++ });
		await bob.page.next('notification_subscribed');
		const texts = [secret(), secret(), secret()];
		const { seq } = await ann.notifications.send(1, 'n1', texts[0]);
		assert.equal(seq, 1);
		await bob.page.until('the first', () => got.length === 1);

		bob.page.manager.disconnect();
		await ann.notifications.send(1, 'n2', texts[1]);
		bob.page.manager.connect();
		await bob.page.until('what was missed', () => got.length === 2);
		await ann.notifications.send(1, 'n3', texts[2]);
		await bob.page.until('the third', () => got.length === 3);
		assert.deepEqual(
			got.map((each) => [each.seq, each.notificationId, each.text]),
			texts.map((text, at) => [at + 1, `n${at + 1}`, text]),
		);
		assert.equal(gaps, 0);
	});

	it('tells the other screens of a user', async () => {
		const file = pathToFileURL(path.join(consumer.folder, 'notifications.js')).href;
		const made = (await import(file)) as Made;
		const [one, two] = [1, 2].map(() => {
			const page = new Page(praxis, { practiceId: 1, userId: 7, userName: secret('name') });
			pages.push(page);
			return page;
		}) as [Page, Page];
		await Promise.all([one.connected(), two.connected()]);
		const read: unknown[] = [];
		new made.Notifications(two.manager).onRead(({ notificationId }) =>
			read.push(notificationId),
		);
		assert.equal(new made.Notifications(one.manager).read(1, 'n7'), true);
		await two.until('it is read', () => read.length === 1);
		assert.deepEqual(read, ['n7']);
	});

	itEnds(praxis);
});
