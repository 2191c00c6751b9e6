// SPDX-License-Identifier: MIT
//
// Every block of commands, code, configuration and output in the documentation, and who sees to it that it is true.
// documented.test.mjs fails for a block that is not in this table, and for a row that no block has any more.
//
// A row: [what its text begins with, or a pattern, who: a file of tests, or `here` (documented.test.mjs), or why nobody].

export const here = 'test/e2e/documented.test.mjs';
const examples = 'test/e2e/examples.test.mjs';
const tour = 'test/e2e/tour.test.mjs';
const recipes = 'test/e2e/recipes.test.mjs';
const snippets = 'client/test/package/docs.test.ts';
const writing = 'test/e2e/writing.test.mjs';

// Why no test does it.
export const no = (reason) => ({ reason });
const image = no('needs docker, which the machines of the tests do not have');
const packages = no(
	'scripts/package --test does it, on a Debian root of its own, which takes root',
);
const drawing = no('a drawing');

export const DOCUMENTED = {
	'README.md': [['scripts/run ', tour]],
	'INSTALL.md': [
		['scripts/package', packages],
		['systemctl status praxisd', packages],
		['docker build', image],
		['npm --prefix client ci', here],
	],
	'CONTRIBUTING.md': [
		['git config core.hooksPath', 'test/rules/lint_can_fail.py'],
		['test/mutate/mutate.py', here],
	],
	'examples/notifications/README.md': [['meson setup build', 'test/e2e/example.test.mjs']],
	'plugins/telemedicine/README.md': [
		['{ "vhost"', here],
		['$ TOKEN=', here],
		['> {"type":"telemedicine_user_joined"', here],
	],
	'client/README.md': [[/^import/, snippets]],
	'docs/alerts.md': [['rule_files:', here]],
	'docs/api.md': [
		['curl -s https://praxis.example.org', 'test/e2e/openapi.test.mjs'],
		['{"at":', here],
	],
	'docs/architecture.md': [[/^(flowchart|sequenceDiagram|stateDiagram)/, drawing]],
	'docs/audit.md': [
		['{"seq":7', here],
		['import hashlib', here],
		['{"seq":1,', here],
		['praxisctl audit verify', here],
		['/var/log/praxis/audit.jsonl {', here],
	],
	'docs/client.md': [
		['cd client && npm ci', 'client/test/lib/consumer.ts'],
		['import "praxis-client";', 'client/test/package/published.test.ts'],
		[/^(import \{|"use client"|<!doctype html>)/, snippets],
	],
	'docs/configuration.md': [
		['praxisd  ', here],
		[/^\{\n|^\{ "vhosts"|^"[\w-]+":/, examples],
		['FILE:LINE:', no('a form, of which the errors further down are examples')],
		['1  { "global"', examples],
		['praxis.json:5:', examples],
	],
	'docs/metrics.md': [['scrape_configs:', here]],
	'docs/migration.md': [
		['npm install', 'client/test/e2e/migration.test.ts'],
		['cat > src/praxis-client.d.ts', 'client/test/package/published.test.ts'],
		['grep -rnE', here],
		[/^(import|\/\/ src)/, snippets],
	],
	'docs/operations.md': [
		['kill -TERM', 'test/e2e/restart.test.mjs'],
		['state: 12 lines', here],
		['[Service]', here],
		['livenessProbe:', 'test/e2e/health.test.mjs'],
		['notice  reload:', here],
		['$ export PRAXIS_SECRET_FILE', examples],
		['$ praxisctl tail', here],
		['#!/bin/sh', here],
		['tar -czf', here],
		['systemctl stop praxisd', here],
		['map $http_upgrade', recipes],
		['server {', recipes],
		['defaults', recipes],
		['example.org {', no('Caddy; the page says that it is not tested')],
		['http:\n', no('Traefik; the page says that it is not tested')],
	],
	'docs/performance.md': [
		['test/bench/run.mjs', here],
		['node test/bench/memory.mjs', here],
		['scripts/test counts', here],
	],
	'docs/protocol.md': [
		['{"type":"connection_established"', here],
		['{"type":"error"', here],
		['← {"type":', 'test/e2e/resume.test.mjs'],
	],
	'docs/reliability.md': [
		['while build/test/sim/lives', here],
		['node test/soak/run.mjs', here],
		['test/mutate/mutate.py', here],
	],
	'docs/tour.md': [
		['docker build', image],
		[/^(Links|[$<>] )/, tour],
	],
	'docs/webhooks.md': [
		['POST /your/path', here],
		['const { t, v1 }', here],
	],
	'docs/writing-a-service.md': [[/^/, writing]],
};
