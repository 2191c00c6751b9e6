// SPDX-License-Identifier: MIT
//
// A server ends and another begins with what it left: nothing that was confirmed is lost, and where
// something is, the clients are told so. A state file that is not as it was written is refused.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmod, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { Praxisd, globalConfig, runPraxisd, secret, writeFiles } from './lib/praxisd.mjs';
import { within } from './lib/wait.mjs';

const STATE = 'state';
const withState = (more = {}) => ({ global: { 'state-file': STATE, ...more } });

async function subscribe(client, since) {
	client.send({ type: 'whiteboard_subscribe', practiceId: 1, since });
	return client.next('whiteboard_subscribed');
}

const update = (more = {}) => ({
	type: 'whiteboard_update',
	practiceId: 1,
	data: secret(),
	...more,
});

// The updates among what arrived and nobody took.
const updates = async (client) =>
	(await client.fence()).filter(({ type }) => type === 'whiteboard_update');

// One server after another with the same directory.
function servers(options) {
	const praxis = new Praxisd();
	after(() => praxis.kill());
	return {
		praxis,
		file: (name = STATE) => path.join(praxis.dir, name),
		begin: () => praxis.start(options),
		async end() {
			praxis.signal('SIGTERM');
			await praxis.ended();
		},
		async kill() {
			praxis.signal('SIGKILL');
			await within(praxis.exited, 'the end of praxisd');
		},
		async names() {
			const names = await readdir(praxis.dir);
			// The lock stays, and holds nothing but a number.
			return names.filter((name) => name.startsWith(STATE) && !name.endsWith('.lock')).sort();
		},
	};
}

// The file with other content, and a checksum that is right again.
function sealed(lines) {
	const body = lines.map((line) => `${line}\n`).join('');
	const sha256 = createHash('sha256').update(body).digest('hex');
	return `${body}${JSON.stringify({ lines: lines.length, sha256 })}\n`;
}

const linesOf = (text) => text.split('\n').slice(0, -2);

describe('SIGTERM and another server', () => {
	const { praxis, begin, end, kill, names, file } = servers(withState());
	let ann;
	let bob;
	let known;

	it('what was sent and not seen is there', async () => {
		await begin();
		ann = await praxis.connect();
		const { epoch } = await subscribe(ann);
		const sent = [update(), update({ n: '12345678901234567890' }), update()];
		for (const message of sent) {
			await ann.accepted(message);
		}
		await end();
		assert.deepEqual(await names(), [STATE]);
		assert.equal((await stat(file())).mode & 0o777, 0o600);

		await praxis.launch();
		assert.deepEqual(await names(), [], 'it is good once');
		bob = await praxis.connect();
		const answer = await subscribe(bob, { epoch, seq: 1 });
		assert.equal(answer.recovered, true);
		assert.equal(answer.epoch, epoch);
		assert.equal(answer.seq, 3);
		const got = await updates(bob);
		assert.deepEqual(
			got.map(({ seq, data, n }) => ({ seq, data, n })),
			sent.slice(1).map(({ data, n }, at) => ({ seq: at + 2, data, n })),
		);
		known = { epoch, seq: 3 };
	});

	it('everything confirmed arrives once, sent up to the last moment, server after server', async () => {
		const seen = [];
		const confirmed = [];
		for (let round = 0; round < 3; round++) {
			ann = await praxis.connect();
			bob = await praxis.connect();
			const answer = await subscribe(bob, known);
			assert.equal(answer.recovered, true);
			const talking = (async () => {
				for (;;) {
					const message = update();
					try {
						await ann.accepted(message);
					} catch {
						return;
					}
					confirmed.push(message.data);
				}
			})();
			const middle = ({ type, seq }) => type === 'whiteboard_update' && seq > answer.seq + 50;
			const got = await bob.inbox.takeThrough('many updates', middle);
			await end();
			await talking;
			for (const { closed } of [ann, bob]) {
				assert.equal((await closed).code, 1012);
			}
			while (bob.inbox.size > 0) {
				got.push(await bob.next());
			}
			for (const { data, seq } of got.filter(({ type }) => type === 'whiteboard_update')) {
				seen.push(data);
				known = { ...known, seq };
			}
			await praxis.launch();
		}
		bob = await praxis.connect();
		assert.equal((await subscribe(bob, known)).recovered, true);
		seen.push(...(await updates(bob)).map(({ data }) => data));
		assert.equal(new Set(seen).size, seen.length, 'none comes twice');
		const missing = confirmed.filter((data) => !seen.includes(data));
		assert.deepEqual(missing, [], `of ${confirmed.length}`);
	});

	it('after SIGKILL the clients are told that they must load anew', async () => {
		const ends = [kill, kill];
		for (const how of ends) {
			await how();
			await praxis.launch();
			const cat = await praxis.connect();
			const answer = await subscribe(cat, known);
			assert.equal(answer.recovered, false);
			assert.notEqual(answer.epoch, known.epoch);
			assert.deepEqual(await updates(cat), []);
		}
	});

	it('a second SIGTERM ends at once, and leaves the state all the same', async () => {
		ann = await praxis.connectRaw();
		const { epoch } = await subscribe(ann);
		await ann.accepted(update());
		ann.socket.pause(); // its close frame is not answered
		praxis.signal('SIGTERM');
		await praxis.logged(/draining/);
		praxis.signal('SIGTERM');
		await praxis.ended();
		await praxis.launch();
		bob = await praxis.connect();
		assert.equal((await subscribe(bob, { epoch, seq: 0 })).recovered, true);
		assert.equal((await updates(bob)).length, 1);
		await praxis.stop();
	});
});

describe('a practice in which nothing happened for long', () => {
	const { praxis, begin, end } = servers({
		...withState(),
		services: { whiteboard: { 'history-age-s': 1 } },
	});

	it('has missed nothing', async () => {
		await begin();
		const ann = await praxis.connect();
		const { epoch } = await subscribe(ann);
		await ann.accepted(update());
		const bob = await praxis.connect();
		// Until the update has gone from the history.
		for (let recovered = true; recovered;) {
			({ recovered } = await subscribe(bob, { epoch, seq: 0 }));
		}
		await end();
		await praxis.launch();
		const cat = await praxis.connect();
		assert.equal((await subscribe(cat, { epoch, seq: 1 })).recovered, true);
		assert.equal((await subscribe(cat, { epoch, seq: 0 })).recovered, false);
		await praxis.stop();
	});
});

describe('a state file that cannot be used', () => {
	const { praxis, begin, end, names, file } = servers(withState());
	let known;

	const damages = {
		'is cut off': async (text) => text.subarray(0, text.length - 30),
		'is cut off in its first line': async (text) => text.subarray(0, 20),
		'is empty': async () => '',
		'has a flipped bit': async (text) => {
			text[text.indexOf('"seq":2') + 6] ^= 1;
			return text;
		},
		'is of another version': async (text) => {
			return sealed(linesOf(text.toString().replace('"praxis-state":2', '"praxis-state":1')));
		},
		'has lost an update, with a right checksum': async (text) => {
			return sealed(linesOf(text.toString()).slice(0, -1));
		},
		'is too old': async (text) => {
			const long = (_, at) => `"savedAt":${Number(at) - 301_000}`;
			return sealed(linesOf(text.toString().replace(/"savedAt":(\d+)/, long)));
		},
		'is of a time to come': async (text) => {
			const long = (_, at) => `"savedAt":${Number(at) + 400_000}`;
			return sealed(linesOf(text.toString().replace(/"savedAt":(\d+)/, long)));
		},
		'can be read by others': async () => {
			await chmod(file(), 0o644);
			return null;
		},
	};

	it('a server begins', async () => {
		await begin();
	});

	for (const [what, damage] of Object.entries(damages)) {
		it(`because it ${what}: begins anew, says so, and keeps it aside`, async () => {
			const ann = await praxis.connect();
			const { epoch, seq } = await subscribe(ann);
			await ann.accepted(update());
			await ann.accepted(update());
			known = { epoch, seq };
			await end();
			const damaged = await damage(await readFile(file()));
			if (damaged !== null) {
				await writeFile(file(), damaged);
			}
			await praxis.launch();
			assert.equal(praxis.log.match(/was not loaded/g)?.length, 1, praxis.log);
			assert.deepEqual(await names(), [`${STATE}.refused`]);
			const bob = await praxis.connect();
			const answer = await subscribe(bob, known);
			assert.equal(answer.recovered, false);
			assert.notEqual(answer.epoch, epoch);
			assert.equal(answer.seq, 0);
		});
	}

	it('because it is not a file of its own', async () => {
		await end();
		await praxis.launch();
		await end();
		const elsewhere = file('elsewhere');
		await writeFile(elsewhere, await readFile(file()), { mode: 0o600 });
		await rm(file());
		await symlink(elsewhere, file());
		await praxis.launch();
		assert.match(praxis.log, /was not loaded: it is a symbolic link/);
		await stat(elsewhere);
	});

	it('and after all of that one that is sound is taken up', async () => {
		const ann = await praxis.connect();
		const { epoch, seq } = await subscribe(ann);
		await ann.accepted(update());
		await end();
		await praxis.launch();
		const bob = await praxis.connect();
		assert.equal((await subscribe(bob, { epoch, seq })).recovered, true);
		await praxis.stop();
	});
});

describe('a disk that is full', () => {
	const { praxis, begin, names } = servers(withState());

	it('is an error with a word to it, and leaves no half file', async () => {
		await begin();
		praxis.signal('SIGKILL');
		await praxis.exited;
		await praxis.launch({ limits: ['--fsize=8192'] });
		const ann = await praxis.connect();
		const { epoch } = await subscribe(ann);
		for (let i = 0; i < 20; i++) {
			await ann.accepted(update({ more: 'x'.repeat(1000) }));
		}
		praxis.signal('SIGTERM');
		const how = await within(praxis.exited, 'the end of praxisd');
		assert.deepEqual(how, { code: 1, signal: null });
		assert.match(praxis.log, /error: the state could not be written/);
		assert.deepEqual(await names(), []);

		await praxis.launch({});
		const bob = await praxis.connect();
		assert.equal((await subscribe(bob, { epoch, seq: 0 })).recovered, false);
		await praxis.stop();
	});
});

describe('a second server', () => {
	const { praxis, begin, end, kill, file } = servers(withState());
	const busy = (stderr) =>
		assert.match(
			stderr,
			new RegExp(`error: state-file: process ${praxis.pid} uses ${file()}: `),
		);

	it('does not start with the same state file, and says whose it is', async () => {
		await begin();
		const { code, stderr } = await runPraxisd(['--config', praxis.dir]);
		assert.equal(code, 2, stderr);
		busy(stderr);
	});

	it('nor gets it by a reload, and goes on with its own', async () => {
		const other = new Praxisd();
		after(() => other.kill());
		const own = { 'state-file': 'own' };
		await other.start({ global: own });
		for (const [name, applied] of [
			[file(), false],
			[path.join(other.dir, 'other'), true],
			[path.join(other.dir, '.', 'conf.d', '..', 'other'), true], // the same by another name
			[path.join(other.dir, 'own'), true],
		]) {
			await writeFiles(other.dir, {
				'praxis.json': globalConfig({ ...own, 'state-file': name }),
			});
			const before = other.log.length;
			other.signal('SIGHUP');
			await other.logged(applied ? /configuration reloaded/ : /nothing was changed/, before);
			if (!applied) {
				busy(other.log);
			}
		}
		const { code, stderr } = await runPraxisd(['--config', other.dir]);
		assert.equal(code, 2, stderr);
		assert.match(stderr, new RegExp(`process ${other.pid} uses `));
		await other.stop();
	});

	it('gets it when the first has ended, also by SIGKILL', async () => {
		await kill();
		await praxis.launch();
		await end();
		await praxis.launch();
		assert.match(praxis.log, /state: loaded what was saved \d+ s ago/);
		await praxis.stop();
	});

	it('is not kept from starting where nobody could lock it', async () => {
		const other = new Praxisd();
		after(() => other.kill());
		await other.start({ global: { 'state-file': 'none/state' } });
		assert.doesNotMatch(other.log, /error/);
		assert.match(other.log, /warning: .*state-file/);
		other.signal('SIGKILL');
		await other.exited;
		await other.kill();
		await other.start({ global: { 'state-file': 'state' }, files: { 'state.lock/x': '' } });
		assert.match(other.log, /warning: state-file: \S+\/state cannot be locked: /);
		await other.stop();
	});
});

describe('without a state file', () => {
	const { praxis, begin, end, names } = servers({});

	it('nothing is written', async () => {
		await begin();
		const ann = await praxis.connect();
		const { epoch } = await subscribe(ann);
		await ann.accepted(update());
		await end();
		assert.deepEqual(await names(), []);
		await praxis.launch();
		const bob = await praxis.connect();
		assert.equal((await subscribe(bob, { epoch, seq: 0 })).recovered, false);
		await praxis.stop();
	});
});
