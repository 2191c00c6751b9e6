// SPDX-License-Identifier: MIT
//
// As much of docker(1) as the documentation uses, where no Docker runs: images are built by buildah, and a
// container is a process in namespaces of its own (see `enter`). So the documentation's commands are run as they
// stand there. An option that this does not know is an error, never ignored.
//
// What differs: containers share the network of the caller, so -p has nothing to do and must not change a port's
// number; an image's root is written by one container at a time; what is read-only is so from the start.
//
// Environment: PRAXIS_IMAGE_STORE, the folder of buildah's images, and of the containers' state; PRAXIS_IMAGE_SUITE,
// the Debian of the base, if not bookworm.

import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const STORE = process.env.PRAXIS_IMAGE_STORE;
const SUITE = process.env.PRAXIS_IMAGE_SUITE ?? 'bookworm';
const STOP_MS = 10_000; // what Docker waits for before it kills
const POLL_MS = 20;

class Failure extends Error {}

function fail(text) {
	throw new Failure(text);
}

export function buildah(...args) {
	const store = ['--root', path.join(STORE, 'images'), '--runroot', path.join(STORE, 'run')];
	const { status, stdout, stderr } = spawnSync('buildah', [...store, ...args], {
		encoding: 'utf8',
		maxBuffer: 1 << 28,
	});
	return status === 0 ? stdout.trim() : fail(`buildah ${args.join(' ')}: ${stdout}${stderr}`);
}

// What the image says of itself.
export const inspect = (image) =>
	JSON.parse(buildah('inspect', '--type', 'image', image)).Docker.config;

// Options of these commands: true for one with a value, that comes once or several times.
const OPTIONS = {
	build: { '-t': true, '--build-arg': true, '-f': true, '--target': true },
	run: {
		'--rm': false,
		'-d': false,
		'--name': true,
		'-e': true,
		'-v': true,
		'-p': true,
		'--read-only': false,
		'--cap-drop': true,
		'--security-opt': true,
		'--user': true,
		'--entrypoint': true,
		'--tmpfs': true,
	},
	stop: { '-t': true },
	start: {},
	kill: { '--signal': true },
	exec: {},
	logs: {},
	rm: { '-f': false },
};

// { options: name → [values], rest }; options end where the first other word stands.
function parse(command, words) {
	const known = OPTIONS[command] ?? fail(`unknown command ${command}`);
	const options = Object.fromEntries(Object.keys(known).map((name) => [name, []]));
	const rest = [...words];
	while (rest[0]?.startsWith('-')) {
		const [, name, value] = /^(--[^=]+)=(.*)$/.exec(rest[0]) ?? [null, rest[0]];
		if (!(name in known)) {
			fail(`docker ${command}: unknown option ${name}`);
		}
		rest.shift();
		options[name].push(known[name] ? (value ?? rest.shift()) : true);
	}
	return { options, rest };
}

// ---- images ----

function build(words) {
	const { options, rest } = parse('build', words);
	const base = options['--build-arg'].some((arg) => arg.startsWith('BASE='))
		? []
		: ['--build-arg', `BASE=localhost/debian:${SUITE}-slim`];
	const target = options['--target'].length > 0 ? ['--target', options['--target'][0]] : [];
	const file = options['-f'].length > 0 ? ['-f', options['-f'][0]] : [];
	process.stdout.write(
		buildah(
			'build',
			...['--isolation', 'chroot', '--network', 'host', '--format', 'docker'],
			...['--layers', '--pull-never', '-t', options['-t'][0], ...file, ...target],
			...base,
			...options['--build-arg'].flatMap((arg) => ['--build-arg', arg]),
			rest[0] ?? fail('docker build: no folder'),
		),
	);
}

// ---- containers ----

const stateFile = (name) => path.join(STORE, 'containers', `${name}.json`);
const logFile = (name) => path.join(STORE, 'containers', `${name}.log`);
const save = (state) => fs.writeFileSync(stateFile(state.name), JSON.stringify(state));

export function load(name) {
	const file = stateFile(name);
	return fs.existsSync(file)
		? JSON.parse(fs.readFileSync(file, 'utf8'))
		: fail(`no such container: ${name}`);
}

// A volume has at first what the image has there: nothing, in our case, but an owner and a mode.
function volume(root, name, target) {
	const directory = path.join(STORE, 'volumes', name);
	if (!fs.existsSync(directory)) {
		const { uid, gid, mode } = fs.statSync(path.join(root, target));
		fs.mkdirSync(directory, { recursive: true });
		fs.chownSync(directory, uid, gid);
		fs.chmodSync(directory, mode & 0o7777);
	}
	return directory;
}

function bindOf(root, text) {
	const [source, target, mode] = text.split(':');
	if (source.startsWith('/') && !fs.existsSync(source)) {
		fail(`docker run: there is no ${source}`);
	}
	const from = source.startsWith('/') ? source : volume(root, source, target);
	return { target, bind: [from, target, ...(mode ? [mode] : [])].join(':') };
}

function checkPorts(options) {
	for (const text of options['-p']) {
		const [host, inside] = text.split(':').slice(-2);
		if (host !== inside) {
			fail(`docker run: -p ${text}: containers share the caller's ports here`);
		}
	}
}

function create(words) {
	const { options, rest } = parse('run', words);
	const [image, ...args] = rest;
	const config = inspect(image);
	const container = buildah('from', '--pull-never', image);
	const root = buildah('mount', container);
	const name = options['--name'][0] ?? container;
	const binds = options['-v'].map((text) => bindOf(root, text));
	for (const target of Object.keys(config.Volumes ?? {})) {
		if (!binds.some((bind) => bind.target === target)) {
			binds.push(bindOf(root, `${name}${target.replaceAll('/', '-')}:${target}`));
		}
	}
	for (const target of options['--tmpfs']) {
		const source = path.join(STORE, 'volumes', `${name}${target.replaceAll('/', '-')}`);
		fs.rmSync(source, { recursive: true, force: true });
		fs.mkdirSync(source, { recursive: true });
		fs.chmodSync(source, 0o1777);
		binds.push({ target, bind: `${source}:${target}` });
	}
	checkPorts(options);
	fs.mkdirSync(path.dirname(stateFile(name)), { recursive: true });
	if (fs.existsSync(stateFile(name))) {
		fail(`docker run: the name ${name} is in use`);
	}
	const state = {
		name,
		container,
		root,
		user: options['--user'][0] ?? config.User,
		env: [...(config.Env ?? []), ...options['-e']],
		binds: binds.map(({ bind }) => bind),
		writable: options['--read-only'].length === 0,
		command: [
			...(options['--entrypoint'].length > 0
				? options['--entrypoint']
				: (config.Entrypoint ?? [])),
			...(args.length > 0 ? args : (config.Cmd ?? [])),
		],
	};
	save(state);
	return { state, detached: options['-d'].length > 0, rm: options['--rm'].length > 0 };
}

const environment = (state) => ({
	PATH: process.env.PATH,
	...Object.fromEntries(state.env.map((text) => /^([^=]*)=([^]*)$/.exec(text).slice(1))),
	...(state.writable ? { ENTER_WRITABLE: '1' } : {}),
});

// Of the container's first process as it is seen from here; of `enter` itself before.
function firstProcess(pid) {
	const children = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
	return children ? Number(children.split(' ')[0]) : null;
}

function isAlive(pid) {
	try {
		return !/^State:\s*[ZX]/m.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8'));
	} catch {
		return false;
	}
}

async function until(condition, ms, what) {
	const end = Date.now() + ms;
	while (!condition()) {
		if (Date.now() > end) {
			fail(`timed out: ${what}`);
		}
		await sleep(POLL_MS);
	}
}

async function launch(state, stdio) {
	const child = spawn(
		path.join(HERE, 'enter'),
		[state.root, state.user, ...state.binds, '--', ...state.command],
		{ env: environment(state), detached: true, stdio },
	);
	const ended = new Promise((resolve) => child.once('close', resolve));
	let over = false;
	ended.then(() => {
		over = true;
	});
	await until(() => over || firstProcess(child.pid), STOP_MS, 'a first process');
	save({ ...state, pid: over ? null : firstProcess(child.pid) });
	return { child, ended };
}

async function start(state) {
	const log = fs.openSync(logFile(state.name), 'a');
	const { child } = await launch(state, ['ignore', log, log]);
	child.unref();
}

function remove(name) {
	const state = load(name);
	buildah('rm', state.container);
	fs.rmSync(stateFile(name));
	fs.rmSync(logFile(name), { force: true });
}

async function run(words) {
	const { state, detached, rm } = create(words);
	if (detached) {
		await start(state);
		console.log(state.name);
		return;
	}
	const { ended } = await launch(state, 'inherit');
	process.exitCode = await ended;
	if (rm) {
		remove(state.name);
	}
}

async function stop(name, seconds = STOP_MS / 1000) {
	const { pid } = load(name);
	if (!isAlive(pid)) {
		return;
	}
	process.kill(pid, 'SIGTERM');
	try {
		await until(() => !isAlive(pid), seconds * 1000, 'the end');
	} catch {
		process.kill(pid, 'SIGKILL');
		fail(`docker stop: ${name} did not end within ${seconds} s, and was killed`);
	}
}

// As the container's user, in its namespaces.
function execute(name, command) {
	const state = load(name);
	const [uid, gid] = state.user.split(':');
	const { status } = spawnSync(
		'nsenter',
		[
			...['-t', `${state.pid}`, '-m', '-u', '-i', '-p', '-r', '-w', '--'],
			...['setpriv', '--reuid', uid, '--regid', gid, '--clear-groups'],
			...['--bounding-set=-all', '--no-new-privs', '--', ...command],
		],
		{ env: environment(state), stdio: 'inherit' },
	);
	process.exitCode = status;
}

const COMMANDS = {
	build,
	run,
	stop: (words) => {
		const { options, rest } = parse('stop', words);
		return stop(rest[0], Number(options['-t'][0] ?? STOP_MS / 1000));
	},
	start: (words) => start(load(parse('start', words).rest[0])),
	kill: (words) => {
		const { options, rest } = parse('kill', words);
		process.kill(load(rest[0]).pid, `SIG${options['--signal'][0] ?? 'KILL'}`);
	},
	exec: (words) => {
		const [name, ...command] = parse('exec', words).rest;
		execute(name, command);
	},
	logs: (words) => {
		process.stdout.write(fs.readFileSync(logFile(parse('logs', words).rest[0])));
	},
	rm: async (words) => {
		const { options, rest } = parse('rm', words);
		const { pid } = load(rest[0]);
		if (isAlive(pid)) {
			if (options['-f'].length === 0) {
				fail(`docker rm: ${rest[0]} is running`);
			}
			process.kill(pid, 'SIGKILL');
			await until(() => !isAlive(pid), STOP_MS, 'the end');
		}
		remove(rest[0]);
	},
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const [command, ...words] = process.argv.slice(2);
	try {
		await (COMMANDS[command] ?? fail(`docker: unknown command ${command}`))(words);
	} catch (error) {
		if (!(error instanceof Failure)) {
			throw error;
		}
		console.error(error.message);
		process.exitCode = 125;
	}
}
