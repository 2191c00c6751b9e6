// SPDX-License-Identifier: MIT
//
// GET /metrics: what it counts, who may read it, and that Prometheus reads it: promtool finds
// nothing to say, and a real server scrapes it.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { get } from './lib/http.mjs';
import { bearer, enter, token, tokenVhost } from './lib/issuer.mjs';
import { freePort } from './lib/ports.mjs';
import { itEnds, secret, usePraxisd } from './lib/praxisd.mjs';
import { until } from './lib/wait.mjs';

const serverAdmin = { role: 'service', practices: ['*'] };

// Samples by their text: 'praxis_errors_total{code="forbidden"}' → number.
async function metricsOf(praxis, headers) {
	const response = await get(praxis.port, '/metrics', headers);
	assert.equal(response.status, 200);
	assert.equal(response.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
	const samples = new Map();
	for (const line of response.body.trim().split('\n')) {
		if (!line.startsWith('#')) {
			const space = line.lastIndexOf(' ');
			assert.ok(!samples.has(line.slice(0, space)), `${line} comes once`);
			samples.set(line.slice(0, space), Number(line.slice(space + 1)));
		}
	}
	return { text: response.body, of: (name) => samples.get(name) ?? assert.fail(name) };
}

describe('the metrics', () => {
	const praxis = usePraxisd({ vhost: tokenVhost(), services: { admin: {} } });
	const typed = (service, type, direction, what = 'messages') => {
		const labels = `service="${service}",type="${type}",direction="${direction}"`;
		return `praxis_${what}_total{${labels}}`;
	};

	it('count what happens', async () => {
		const before = await metricsOf(praxis);
		const ann = await enter(praxis);
		const bob = await enter(praxis);
		const cat = await enter(praxis);
		await ann.join('r');
		await bob.join('r');
		const message = { type: 'whiteboard_update', practiceId: 1, data: secret() };
		await ann.accepted(message);
		await ann.refused({ type: 'whiteboard_update', practiceId: 2 }, 'forbidden');
		await ann.refused({ type: 'nothing' }, 'unknown_type');
		await bob.fence();
		await cat.fence();
		ann.send({ type: 'whiteboard_subscribe', practiceId: 1, since: { epoch: 'x', seq: 1 } });
		await ann.next('whiteboard_subscribed');
		const after = await metricsOf(praxis);
		const grown = (name) => after.of(name) - before.of(name);
		assert.equal(after.of('praxis_sessions'), 3);
		assert.equal(after.of('praxis_rooms'), 1);
		assert.equal(after.of('praxis_members'), 5);
		assert.equal(after.of('praxis_practices'), 1);
		assert.equal(grown('praxis_sessions_opened_total'), 3);
		assert.equal(grown('praxis_handshakes_total{result="accepted"}'), 3);
		assert.equal(grown('praxis_errors_total{code="forbidden"}'), 1);
		assert.equal(grown('praxis_errors_total{code="unknown_type"}'), 1);
		assert.equal(grown('praxis_history_requests_total{result="miss"}'), 1);
		assert.equal(grown(typed('whiteboard', 'whiteboard_update', 'in')), 2);
		assert.equal(grown(typed('whiteboard', 'whiteboard_update', 'out')), 2);
		assert.ok(grown(typed('whiteboard', 'whiteboard_update', 'in', 'message_bytes')) > 100);
		assert.ok(grown(typed('whiteboard', 'whiteboard_update', 'out', 'message_bytes')) > 200);
		assert.equal(grown(typed('core', 'other', 'in')), 1, 'the unknown type');
		assert.equal(after.of(typed('core', 'ping', 'in')), 2);
		assert.equal(after.of(typed('core', 'pong', 'out')), 2);
		assert.ok(grown('praxis_turn_duration_seconds_count') > 0);
		assert.ok(grown('praxis_fanout_duration_seconds_count') > 0);
		assert.equal(
			after.of('praxis_turn_duration_seconds_bucket{le="+Inf"}'),
			after.of('praxis_turn_duration_seconds_count'),
		);
		assert.ok(after.of('process_resident_memory_bytes') > 1e6);
		assert.ok(Math.abs(after.of('process_start_time_seconds') - Date.now() / 1000) < 600);
	});

	it('name no user, room, practice, client or text', async () => {
		const practice = 'a-clinic-of-its-own';
		const ann = await enter(praxis, { sub: 'a-user-of-its-own', practices: [practice] });
		await ann.join('a-room-of-its-own');
		const unknown = `type_${'x'.repeat(20)}`;
		await ann.refused({ type: unknown }, 'unknown_type');
		const { text } = await metricsOf(praxis);
		assert.doesNotMatch(text, /of-its-own|SECRET|xxxx/);
		assert.ok(!text.includes(ann.clientId));
	});

	it('count what limits refuse', async () => {
		const before = await metricsOf(praxis);
		const ann = await enter(praxis);
		for (let i = 0; i < 16; i++) {
			await ann.join(`room-${i}`);
		}
		const message = {
			type: 'telemedicine_user_joined',
			roomId: 'more',
			appointmentId: 1,
			userId: 1,
			userName: 'x',
		};
		await ann.refused(message, 'too_many_rooms');
		const after = await metricsOf(praxis);
		const name = 'praxis_limit_refusals_total{limit="max-rooms-per-session"}';
		assert.equal(after.of(name) - before.of(name), 1);
	});

	it('count handshakes that came to nothing', async () => {
		const before = await metricsOf(praxis);
		const upgrade = { Connection: 'Upgrade', Upgrade: 'websocket' };
		const key = {
			...upgrade,
			'Sec-WebSocket-Version': '13',
			'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
		};
		assert.equal((await get(praxis.port, '/nowhere', key)).status, 404);
		const foreign = { ...key, Origin: 'https://elsewhere.example' };
		assert.equal((await get(praxis.port, '/ws', foreign)).status, 403);
		const old = { ...key, 'Sec-WebSocket-Version': '8' };
		assert.equal((await get(praxis.port, '/ws', old)).status, 426);
		const bad = await praxis.open('/ws', { headers: bearer('x.y.z') });
		assert.equal((await bad.closing()).code, 4401);
		const after = await metricsOf(praxis);
		for (const result of ['not_found', 'origin', 'bad_request', 'bad_token']) {
			const name = `praxis_handshakes_total{result="${result}"}`;
			assert.equal(after.of(name) - before.of(name), 1, result);
		}
		assert.ok(after.of('praxis_bad_tokens_total') > before.of('praxis_bad_tokens_total'));
	});

	it('are in order, says promtool', async () => {
		const { text } = await metricsOf(praxis);
		const said = execFileSync('promtool', ['check', 'metrics'], {
			input: text,
			encoding: 'utf8',
			stdio: ['pipe', 'pipe', 'pipe'],
		});
		assert.equal(said, '');
	});

	itEnds(praxis);
});

describe('who may read them', () => {
	const praxis = usePraxisd(async () => ({
		figures: bearer(await token(serverAdmin)),
		global: { 'auth-failures': 0 },
		vhost: tokenVhost({}, { 'metrics-allow': ['192.0.2.1', '198.51.100.0/24'] }),
	}));

	for (const page of ['/metrics', '/stats']) {
		it(`${page}: from elsewhere who has a token that rules`, async () => {
			const ask = async (claims, more = {}) => {
				const headers = claims ? bearer(await token(claims)) : {};
				return (await get(praxis.port, page, { ...headers, ...more })).status;
			};
			assert.equal(await ask(null), 401);
			assert.equal(await ask(null, bearer('x.y.z')), 401);
			assert.equal(await ask({ role: 'staff', practices: [1] }), 403);
			assert.equal(await ask({ role: 'service', practices: [1] }), 403);
			assert.equal(await ask({ ...serverAdmin, tenant: 'other' }), 403);
			assert.equal(await ask(serverAdmin), 200);
			assert.equal(await ask({ ...serverAdmin, role: 'admin' }), 200);
			assert.equal(await ask(null, { 'X-Forwarded-For': '192.0.2.1' }), 401);
		});
	}

	itEnds(praxis);
});

describe('who may read them behind a proxy', () => {
	const praxis = usePraxisd(async () => ({
		figures: bearer(await token(serverAdmin)),
		vhost: tokenVhost({}, { 'trusted-proxies': '127.0.0.1', 'metrics-allow': '192.0.2.1' }),
	}));

	it('whose address the proxy tells', async () => {
		const from = async (address) => {
			return (await get(praxis.port, '/metrics', { 'X-Forwarded-For': address })).status;
		};
		assert.equal(await from('192.0.2.1'), 200);
		assert.equal(await from('192.0.2.2'), 401);
		assert.equal(await from('192.0.2.1, 192.0.2.2'), 401);
	});

	itEnds(praxis);
});

describe('through a proxy that is not trusted', () => {
	const praxis = usePraxisd({ vhost: tokenVhost() });

	it('loopback is not loopback', async () => {
		assert.equal((await get(praxis.port, '/metrics')).status, 200);
		const headers = { 'X-Forwarded-For': '203.0.113.9' };
		assert.equal((await get(praxis.port, '/metrics', headers)).status, 401);
		assert.equal((await get(praxis.port, '/stats', headers)).status, 401);
	});

	itEnds(praxis);
});

describe('Prometheus', () => {
	const praxis = usePraxisd(async () => ({
		figures: bearer(await token(serverAdmin)),
		vhost: tokenVhost({}, { 'metrics-allow': '192.0.2.1' }),
		services: { admin: {} },
	}));

	it('scrapes them, with a token', async () => {
		const dir = await mkdtemp(path.join(tmpdir(), 'praxis-prometheus-'));
		const port = await freePort();
		const config = `
global: { scrape_interval: 1s }
scrape_configs:
  - job_name: praxis
    authorization: { credentials: "${await token(serverAdmin)}" }
    static_configs: [{ targets: ["127.0.0.1:${praxis.port}"] }]
`;
		await writeFile(path.join(dir, 'prometheus.yml'), config);
		const prometheus = spawn(
			'prometheus',
			[
				`--config.file=${dir}/prometheus.yml`,
				`--storage.tsdb.path=${dir}/data`,
				`--web.listen-address=127.0.0.1:${port}`,
			],
			{ stdio: 'ignore' },
		);
		const ended = new Promise((resolve) => {
			prometheus.once('close', resolve);
		});
		const value = async (query) => {
			const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`;
			const response = await fetch(url).catch(() => null); // it starts slowly
			const answer = response?.ok ? await response.json() : null;
			return answer?.data?.result?.[0]?.value[1];
		};
		try {
			const ann = await enter(praxis);
			const bob = await enter(praxis);
			assert.ok(ann && bob);
			await until('a scrape', async () => (await value('praxis_sessions')) === '2');
			assert.equal(await value('up{job="praxis"}'), '1');
			// What the dashboard asks is something that can be asked, and has an answer.
			const file = fileURLToPath(new URL('../../docs/grafana.json', import.meta.url));
			const dashboard = JSON.parse(await readFile(file, 'utf8'));
			const queries = dashboard.panels.flatMap(({ targets = [] }) => {
				return targets.map(({ expr }) =>
					expr.replaceAll('$__rate_interval', '5s').replaceAll('$instance', '.*'),
				);
			});
			assert.ok(queries.length > 10);
			for (const query of queries) {
				let got;
				await until(
					() => `an answer to ${query}: ${got}`,
					async () => {
						got = await value(query);
						return got !== undefined;
					},
				);
			}
		} finally {
			prometheus.kill('SIGTERM');
			await ended;
			await rm(dir, { recursive: true, force: true });
		}
	});

	it('is what the alerts ask for, and each says what to do', async () => {
		const folder = fileURLToPath(new URL('../../packaging/prometheus/', import.meta.url));
		execFileSync('promtool', ['check', 'rules', path.join(folder, 'alerts.yml')]);
		execFileSync('promtool', ['test', 'rules', path.join(folder, 'alerts.test.yml')]);

		const rules = await readFile(path.join(folder, 'alerts.yml'), 'utf8');
		const tests = await readFile(path.join(folder, 'alerts.test.yml'), 'utf8');
		const guide = new URL('../../docs/alerts.md', import.meta.url);
		const names = rules.match(/(?<=- alert: )\w+$/gm);
		assert.deepEqual((await readFile(guide, 'utf8')).match(/(?<=^## )\w+$/gm), names);
		for (const name of names) {
			assert.ok(rules.includes(`runbook: docs/alerts.md#${name.toLowerCase()}\n`), name);
			for (const kind of ['fires', 'is silent']) {
				assert.ok(tests.includes(`- name: ${name} ${kind}\n`), `${name} ${kind}`);
			}
		}
		const { body } = await get(praxis.port, '/metrics', bearer(await token(serverAdmin)));
		const known = new Set(body.match(/(?<=^# TYPE )\w+/gm));
		const page = await readFile(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
		for (const metric of known) {
			assert.ok(metric.startsWith('process_') || page.includes(`\`${metric}\``), metric);
		}
		for (const metric of rules.match(/\b(praxis|process)_\w+/g)) {
			assert.ok(known.has(metric.replace(/_bucket$/, '')), metric);
		}
	});

	itEnds(praxis);
});
