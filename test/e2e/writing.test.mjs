// SPDX-License-Identifier: MIT
//
// docs/writing-a-service.md, followed word for word by somebody who has an installation: the source that it has, every
// command, and everything that it shows. Only the port, the directories (/etc/praxis, that of services) and the
// WebSocket client are other ones; sudo is left out, and systemctl sends the signal that the unit sends.

import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ROOT, blocksOf, matches, transcript } from './lib/blocks.mjs';
import { installInto } from './lib/installed.mjs';
import { BUILD, PLUGINS, Praxisd, itEnds, usePraxisd } from './lib/praxisd.mjs';
import { Screen, compare, run } from './lib/terminal.mjs';
import { until } from './lib/wait.mjs';

const blocks = await blocksOf('docs/writing-a-service.md');
const first = (pattern) => blocks.find(({ text }) => pattern.test(text)).text;
const dir = await mkdtemp(path.join(tmpdir(), 'praxis-writing-'));
after(() => rm(dir, { recursive: true, force: true }));

// What is not played as a reader would in order, and where it is instead.
const ELSEWHERE = [
	/^cp -r plugins\/echo /, // "in this repository"
	/^'reminders': files/,
	/^static const char \*const prefixes/, // "prefixes"
];

describe('docs/writing-a-service.md', () => {
	const ids = new Map();
	const screens = [];
	const played = { files: 0, commands: 0, typed: 0, received: 0 };
	let env;
	const praxis = new Praxisd(); // whose clients stay from one block to the next
	before(async () => {
		const installed = await installInto(dir);
		await mkdir(installed.plugins, { recursive: true });
		env = {
			...installed.env,
			PATH: `${path.join(BUILD, 'server')}:${path.join(BUILD, 'tools')}:${process.env.PATH}`,
		};
		await praxis.start({
			global: { 'plugin-dir': [PLUGINS, installed.plugins] },
			vhost: { 'open-practice': undefined, tokens: { 'secret-file': '../secret' } },
			files: { secret: randomBytes(32).toString('hex') },
		});
	});
	after(() => praxis.kill());

	// By its address: of a name Node 18 tries one address alone, and that may be ::1.
	const here = (text) =>
		text
			.replaceAll('/etc/praxis', praxis.dir)
			.replaceAll('localhost:9002', `127.0.0.1:${praxis.port}`);

	async function command({ command, output }) {
		played.commands++;
		const client = /-m websockets (\S+)$/.exec(command);
		if (client) {
			screens.push(await Screen.open(here(client[1])));
			return;
		}
		const since = praxis.log.length;
		const text = await run(here(command), {
			cwd: dir,
			env,
			prelude: `sudo() { "$@"; }; systemctl() { [ "$*" = 'reload praxisd' ] && kill -HUP ${praxis.pid}; }`,
		});
		if (/systemctl reload/.test(command)) {
			await praxis.logged(/configuration reloaded/, since);
		}
		if (command === 'echo $TOKEN') {
			assert.match(text, /^eyJ[\w.-]+\n$/); // which differs each time, and is not shown
		} else {
			compare(output, text, command, ids);
		}
	}

	async function receive(shown) {
		played.received++;
		await until(
			() => `${shown}\namong\n${screens.flatMap(({ lines }) => lines).join('\n')}`,
			() => screens.some((screen) => screen.take((line) => matches(shown, line, ids))),
		);
	}

	async function play({ text, before }) {
		const file = /^`([\w.]+)`:$/m.exec(before.trimEnd().split('\n').at(-1));
		if (file) {
			played.files++;
			await writeFile(path.join(dir, file[1]), `${text}\n`);
			return;
		}
		for (const part of transcript(text)) {
			if (part.command) {
				await command(part);
			} else if (part.typed) {
				played.typed++;
				screens.at(-1).send(part.typed.replace('"…"', JSON.stringify(env.TOKEN)));
			} else if (part.received) {
				await receive(part.received);
			} else {
				for (const line of part.shown) {
					const lines = praxis.log
						.split('\n')
						.map((each) => each.replace(/^.*?(?=service |conf)/, ''));
					assert.ok(
						lines.some((each) => matches(line, each, ids)),
						`${line}\nin ${praxis.log}`,
					);
				}
			}
		}
	}

	for (const block of blocks.filter(({ text }) => !ELSEWHERE.some((other) => other.test(text)))) {
		it(`is true: ${block.text.split('\n')[0]}`, () => play(block));
	}

	it('and was played', () => {
		const { files, commands, typed, received } = played;
		assert.deepEqual(
			[files, commands >= 12, typed, received],
			[1, true, 5, 6],
			JSON.stringify(played),
		);
	});

	it('prefixes: as the page has them', async () => {
		const [table, , name, prefixes] = first(/^static const char \*const prefixes/).split('\n');
		const source = (await readFile(path.join(dir, 'tasks.c'), 'utf8'))
			.replaceAll('tasks_add', 'notification_sent')
			.replace('svc_tasks', 'svc_notifications')
			.replace('.name = "tasks",', `${name}\n${prefixes}`)
			.replace('static const struct px_service service = {', `${table}\n$&`);
		await writeFile(path.join(dir, 'notifications.c'), source);
		const build = blocks
			.flatMap(({ text }) => transcript(text))
			.find(({ command: each }) => each?.startsWith('cc '))
			.command.replaceAll('tasks', 'notifications');
		await run(build, { cwd: dir, env });
		const said = await run('praxisctl plugin check praxis_svc_notifications.so', {
			cwd: dir,
			env,
		});
		assert.match(said, /^prefixes +notifications_ notification_$/m);
	});

	it('and the server ends, with a clean log', async () => {
		screens.forEach(({ socket }) => socket.close());
		await praxis.stop();
	});
});

describe('docs/writing-a-service.md, in this repository', () => {
	const tree = path.join(dir, 'tree');
	const praxis = usePraxisd(async () => {
		await mkdir(path.join(dir, 'built'), { recursive: true });
		await cp(path.join(ROOT, 'plugins', 'echo'), path.join(tree, 'plugins', 'echo'), {
			recursive: true,
		});
		await cp(path.join(ROOT, 'conf.d'), path.join(tree, 'conf.d'), { recursive: true });
		const env = { ...process.env };
		await run(first(/^cp -r plugins\/echo /), { cwd: tree, env });
		// As the build does it, but for the whole rest.
		await run(
			`cc -shared -fPIC -fvisibility=hidden -Wall -Wextra -Werror -I${ROOT}/include ` +
				'-o ../built/praxis_svc_reminders.so plugins/reminders/reminders.c',
			{ cwd: tree, env },
		);
		const added = await readFile(path.join(tree, 'conf.d', '20-reminders.json'), 'utf8');
		return {
			global: { 'plugin-dir': [PLUGINS, path.join(dir, 'built')] },
			files: { 'conf.d/20-reminders.json': added },
		};
	});

	it('the copy is a service', async () => {
		const ann = await praxis.connect();
		assert.ok(ann.hello.services.includes('reminders'));
		ann.send({ type: 'reminders_say', text: 'x' });
		assert.equal((await ann.next('reminders_said')).text, 'x');
	});

	it('the line for plugins/meson.build is as those there', async () => {
		const meson = await readFile(path.join(ROOT, 'plugins', 'meson.build'), 'utf8');
		assert.ok(meson.includes(`\t${first(/^'reminders'/).replaceAll('reminders', 'echo')}\n`));
		const options = await readFile(path.join(ROOT, 'meson_options.txt'), 'utf8');
		assert.match(options, /^option\('services'/m);
	});

	itEnds(praxis);
});
