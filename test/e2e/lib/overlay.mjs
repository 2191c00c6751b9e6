// SPDX-License-Identifier: MIT
//
// Everything on at once, under tests that know nothing of it: with PRAXIS_E2E_OVERLAY=all each
// configuration that a test writes gets what it left out of an audit log, webhooks, trusted proxies
// and, beside tokens, an auth-url; and each client comes from an address of its own behind a proxy.
// The chain of the audit log, the signatures and the order of the webhooks are checked when a server
// ends.
//
// Open mode keeps its identities: an auth-url there would ask for proof. Where there are tokens, a
// client that brings one is let in by it, and one that brings none is sent away by the application
// instead of waiting to authenticate, so files that have such clients do without it.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { Receiver, webhook } from './receiver.mjs';

const AUDIT_LOG = 'overlay-audit.jsonl';

const WITH_UNAUTHENTICATED = ['matrix.test.mjs', 'resume.test.mjs', 'rights.test.mjs'];
const KINDS = (process.env.PRAXIS_E2E_OVERLAY ?? '').split(',').filter((kind) => kind);
const has = (kind) => KINDS.includes(kind) || KINDS.includes('all');

let addresses = 0;

class Overlay {
	receiver = new Receiver();

	async open() {
		if (has('webhooks')) {
			this.url = await this.receiver.listen();
			this.receiver.server.unref();
		}
		if (
			has('auth-url') &&
			!WITH_UNAUTHENTICATED.includes(path.basename(process.argv[1] ?? ''))
		) {
			this.application = http.createServer((request, response) =>
				response.writeHead(401).end(),
			);
			await new Promise((resolve) => this.application.listen(0, '127.0.0.1', resolve));
			this.application.unref();
		}
		return this;
	}

	global() {
		return has('audit') ? { audit: { file: AUDIT_LOG } } : {};
	}

	vhost({ tokens }) {
		return {
			...(has('webhooks') && webhook(this.url)),
			...(has('proxies') && { 'trusted-proxies': ['127.0.0.1'] }),
			...(this.application &&
				tokens && {
					'auth-url': `http://127.0.0.1:${this.application.address().port}/`,
				}),
		};
	}

	// The headers of an upgrade, as the proxy passes it on.
	headers() {
		addresses++;
		return has('proxies')
			? { 'X-Forwarded-For': `203.0.${113 + (addresses >> 8)}.${addresses & 255}` }
			: {};
	}

	// When the server of this directory has ended.
	async check(dir) {
		assert.deepEqual(this.receiver.violations, [], 'webhooks are signed and whole');
		this.#assertOrder();
		if (existsSync(path.join(dir, AUDIT_LOG))) {
			const { run } = await import('./ctl.mjs');
			const { code, stdout, stderr } = await run([
				'audit',
				'verify',
				path.join(dir, AUDIT_LOG),
			]);
			assert.equal(code, 0, `the audit log's chain: ${stdout}${stderr}`);
		}
	}

	// An id ends with the event's number in its server: those of one practice grow.
	#assertOrder() {
		const latest = new Map();
		for (const { id, tenant, practiceId, type } of this.receiver.taken) {
			const [server, number] = id.split('-');
			const key = JSON.stringify([server, tenant, practiceId]);
			assert.ok(Number(number) > (latest.get(key) ?? -1), `${type} ${id} of ${key} in order`);
			latest.set(key, Number(number));
		}
	}
}

// Null where there is none.
export const overlay = KINDS.length ? await new Overlay().open() : null;
