#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Mutation testing: are the tests able to notice that a line is wrong?

	mutate.py [--seed N] [--count N] [--jobs N] [--work DIR] [--only PATTERN]... [--keep FILE]

Takes lines at random, by the seed, out of those that a test runs, changes one operator, constant
or statement in each, builds, and runs the tests that ran the line, the quickest first, until one
fails. A mutant that no test notices has survived: either a test is missing, or the change makes no
difference that anybody could see (an equivalent mutant). Which of the two is for a person to say.

The tree is copied to the work directory (build-mutate/), once for each job; nothing is changed in
the checkout. The first run builds it with coverage and runs each test once, to know who runs what.
Unit tests take part, and a short simulation for the broker and the services. Prints one line a
mutant and a summary; --keep writes the survivors as a unified diff each. Exit code 0 whatever
survives, since survivors are to be read, and 2 where nothing could be run.

Rejected: a mutation tool from elsewhere. Debian has none for C, and one that works on LLVM's bitcode
would need a second build system.
"""

import argparse
import concurrent.futures
import dataclasses
import difflib
import fnmatch
import gzip
import json
import os
import pathlib
import queue
import random
import re
import shutil
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ["broker/**", "plugins/**", "common/**", "server/auth/**", "server/token/**",
		"server/access/**", "server/net/limiter.c", "server/audit/**", "server/state/**", "server/api/idempotency.c",
		"server/webhook/**"]
EXCLUDED = ["broker/lws_adapter.c"]
SIMULATIONS = [("sim", ["--seed", "1", "--steps", "15000"]), ("lives", ["--seed", "1", "--steps", "60000"])]
# A test that takes this much longer than it does unchanged is one that noticed.
PATIENCE = 8
FLOOR_SECONDS = 20


@dataclasses.dataclass(frozen=True)
class Mutant:
	path: str
	line: int
	what: str
	old: str
	new: str


@dataclasses.dataclass
class Test:
	name: str
	command: list
	environment: dict
	directory: str
	seconds: float = 0.0


# ---- what can be changed in a line ----

OPERATORS = [
	(r"(?<![=!<>])==(?!=)", "!=", "== to !="),
	(r"!=(?!=)", "==", "!= to =="),
	(r"(?<![<>-])<=(?!=)", "<", "<= to <"),
	(r"(?<![<>-])>=(?!=)", ">", ">= to >"),
	(r" < ", " <= ", "< to <="),
	(r" > ", " >= ", "> to >="),
	(r"&&", "||", "&& to ||"),
	(r"\|\|", "&&", "|| to &&"),
	(r" \+ ", " - ", "+ to -"),
	(r" - ", " + ", "- to +"),
	(r"\+\+", "--", "++ to --"),
	(r"(?<!-)--(?!-)", "++", "-- to ++"),
	(r" \+= ", " -= ", "+= to -="),
	(r" -= ", " += ", "-= to +="),
	(r"(?<=[(&| ])!(?=[\w(])", "", "! removed"),
	(r"\btrue\b", "false", "true to false"),
	(r"\bfalse\b", "true", "false to true"),
	(r"\breturn 0;", "return -5;", "return 0 to an error"),
	(r"\breturn -E[A-Z0-9]+;", "return 0;", "error to return 0"),
	(r"\breturn NULL;", "abort();", "return NULL to abort()"),
	(r"^(\t+)(break|continue);", r"\1;", "jump removed"),
	(r"^(\t+)(?:\(void\))?[a-z]\w*\([^{}]*\);$", r"\1;", "call removed"),
	(r"^(\t+)(?:[\w>.\[\]-]+) (?:[|&^+-]?=) [^;{}]*;$", r"\1;", "assignment removed"),
	(r"(?<![\w.])([1-9]\d*)(?![\w.])", lambda match: str(int(match.group(1)) + 1), "constant + 1"),
	(r"(?<![\w.'])0(?![\w.'])", "1", "0 to 1"),
	(r"\bif \((.*)\) \{$", r"if (!(\1)) {", "condition negated"),
]


def is_code(line):
	stripped = line.strip()
	return line.startswith("\t") and stripped not in ("{", "}", "") and not re.match(
			r"(/\*|\*|//|#|case |default:|static const|const char \*const)", stripped)


def blank_strings(line):
	"""Strings and characters as spaces of the same length, and no comment at the end."""
	line = re.sub(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'', lambda match: " " * len(match.group(0)), line)
	return re.sub(r"/\*.*?\*/", lambda match: " " * len(match.group(0)), line)


def mutants_of(path, number, line):
	"""All that could be done to one line; each hits one place in it."""
	if not is_code(line) or "assert(" in line:
		return
	visible = blank_strings(line)
	for pattern, new, what in OPERATORS:
		for match in re.finditer(pattern, visible):
			# What is replaced is cut from the line as it is, with its strings.
			original = re.compile(pattern).match(line, match.start()) or match
			text = original.expand(new) if isinstance(new, str) else new(match)
			changed = line[:match.start()] + text + line[match.end():]
			if changed != line:
				yield Mutant(path, number, what, line, changed)


# ---- the tree, built once for each job ----

def run(command, **options):
	return subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
			stderr=subprocess.STDOUT, text=True, errors="replace", **options)


def must(command, **options):
	done = run(command, **options)
	if done.returncode != 0:
		print(done.stdout[-4000:], file=sys.stderr)
		sys.exit(2)
	return done


def copy_tree(to):
	names = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], check=True, capture_output=True,
			text=True).stdout.split("\0")
	for name in filter(None, names):
		if not (ROOT / name).is_file():
			continue
		target = to / name
		target.parent.mkdir(parents=True, exist_ok=True)
		if not target.exists() or target.read_bytes() != (ROOT / name).read_bytes():
			shutil.copyfile(ROOT / name, target)
			shutil.copymode(ROOT / name, target)


def configure(tree, build, *options):
	if not (build / "build.ninja").exists():
		must(["meson", "setup", "--buildtype=debug", "-Db_lto=false", "-Dbench=disabled", "-Ddashboard=disabled",
			"-Dtests=enabled", "-Dwerror=false", *options, build, tree])


def tests_of(build):
	listed = json.loads(must(["meson", "introspect", "--tests", build]).stdout)
	tests = []
	for entry in listed:
		if "unit" in entry["suite"] or any(suite.endswith("unit") for suite in entry["suite"]):
			tests.append(Test(entry["name"], entry["cmd"], entry["env"], entry["workdir"] or str(build)))
	for name, words in SIMULATIONS:
		program = next((entry["cmd"][0] for entry in listed if entry["name"] == name), None)
		if program:
			tests.append(Test(name, [program, *words], {}, str(build)))
	return tests


def run_test(test, limit):
	"""Whether it passed. It has a group of its own, since `check` forks."""
	environment = {**os.environ, **test.environment, "CK_DEFAULT_TIMEOUT": str(int(limit) + 1)}
	process = subprocess.Popen(test.command, cwd=test.directory, env=environment, stdin=subprocess.DEVNULL,
			stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
	try:
		return process.wait(limit) == 0
	except subprocess.TimeoutExpired:
		return False
	finally:
		try:
			os.killpg(process.pid, signal.SIGKILL)
		except ProcessLookupError:
			pass
		process.wait()


# ---- who runs what ----

def lines_run(build, tree):
	"""path -> numbers of lines that were run since the counters were set to zero."""
	found = {}
	for notes in build.rglob("*.gcda"):
		done = subprocess.run(["gcov", "--json-format", "--stdout", notes], cwd=build, check=False,
				capture_output=True)
		for text in done.stdout.splitlines():
			if not text.startswith(b"{"):
				continue
			for entry in json.loads(text)["files"]:
				path = os.path.normpath(os.path.join(build, entry["file"]))
				if not path.startswith(str(tree)):
					continue
				numbers = {line["line_number"] for line in entry["lines"] if line["count"]}
				found.setdefault(os.path.relpath(path, tree), set()).update(numbers)
	return found


def measure(work):
	"""Runs each test once, alone. The tests, and for each line the names of those that run it."""
	tree, build = work / "tree-0", work / "coverage"
	saved = work / "coverage.json.gz"
	configure(tree, build, "-Db_coverage=true")
	must(["ninja", "-C", build])
	tests = tests_of(build)
	stamp = max(path.stat().st_mtime for path in build.rglob("*.gcno"))
	if saved.exists() and saved.stat().st_mtime > stamp:
		with gzip.open(saved, "rt") as file:
			known = json.load(file)
		seconds = known["seconds"]
		if set(seconds) == {test.name for test in tests}:
			return seconds, known["lines"]
	seconds, lines = {}, {}
	for number, test in enumerate(tests, 1):
		for counters in build.rglob("*.gcda"):
			counters.unlink()
		begin = time.monotonic()
		if not run_test(test, 600):
			print(f"{test.name} fails without any change", file=sys.stderr)
			sys.exit(2)
		seconds[test.name] = time.monotonic() - begin
		for path, numbers in lines_run(build, tree).items():
			for line in numbers:
				lines.setdefault(f"{path}:{line}", []).append(test.name)
		print(f"# {number}/{len(tests)} {test.name}: {seconds[test.name]:.1f} s", flush=True)
	with gzip.open(saved, "wt") as file:
		json.dump({"seconds": seconds, "lines": lines}, file)
	return seconds, lines


# ---- one mutant ----

class Job:
	def __init__(self, work, number):
		self.tree = work / f"tree-{number}"
		self.build = work / f"build-{number}"
		copy_tree(self.tree)
		configure(self.tree, self.build)
		must(["ninja", "-C", self.build])
		self.tests = {test.name: test for test in tests_of(self.build)}

	def targets_of(self, names):
		return sorted({os.path.relpath(self.tests[name].command[0], self.build) for name in names})

	def try_mutant(self, mutant, names, seconds):
		"""'killed by NAME', 'survived' or 'does not build'."""
		path = self.tree / mutant.path
		text = path.read_text(encoding="utf-8")
		lines = text.split("\n")
		lines[mutant.line - 1] = mutant.new
		path.write_text("\n".join(lines), encoding="utf-8")
		try:
			# The tests load plugins that were built, so all of it is.
			if run(["ninja", "-C", self.build, *self.targets_of(names), *self.plugins()]).returncode != 0:
				return "does not build"
			for name in names:
				if not run_test(self.tests[name], FLOOR_SECONDS + PATIENCE * seconds[name]):
					return f"killed by {name}"
			return "survived"
		finally:
			path.write_text(text, encoding="utf-8")

	def plugins(self):
		return [os.path.relpath(path, self.build) for path in self.build.glob("plugins/*.so")] + [
				os.path.relpath(path, self.build) for path in self.build.glob("test/plugins/*.so")]


def wanted(path, only):
	return any(fnmatch.fnmatch(path, pattern) for pattern in only or SOURCES) and path not in EXCLUDED


def choose(tree, lines, only, generator):
	"""All mutants of all lines that are run, in the order that the seed gives."""
	found = []
	for path in sorted({place.rsplit(":", maxsplit=1)[0] for place in lines}):
		if not path.endswith(".c") or not wanted(path, only):
			continue
		for number, line in enumerate((tree / path).read_text(encoding="utf-8").split("\n"), 1):
			if f"{path}:{number}" in lines:
				found.extend(mutants_of(path, number, line))
	generator.shuffle(found)
	return found


def show(mutant):
	return "\n".join(difflib.unified_diff([mutant.old], [mutant.new], f"a/{mutant.path}:{mutant.line}",
			f"b/{mutant.path}:{mutant.line}", lineterm="", n=0))


def main():
	parser = argparse.ArgumentParser(description="changes lines, and looks whether a test notices")
	parser.add_argument("--seed", type=int, default=1)
	parser.add_argument("--count", type=int, default=300, help="mutants that build")
	parser.add_argument("--jobs", type=int, default=os.cpu_count())
	parser.add_argument("--work", type=pathlib.Path, default=ROOT / "build-mutate")
	parser.add_argument("--only", action="append", help="a pattern of paths instead of the usual ones")
	parser.add_argument("--keep", type=pathlib.Path, help="where the survivors go, as diffs")
	arguments = parser.parse_args()

	arguments.work.mkdir(parents=True, exist_ok=True)
	copy_tree(arguments.work / "tree-0")
	seconds, lines = measure(arguments.work)
	mutants = choose(arguments.work / "tree-0", lines, arguments.only, random.Random(arguments.seed))
	if not mutants:
		print("no line that a test runs matches", file=sys.stderr)
		return 2
	free = queue.SimpleQueue()
	for number in range(arguments.jobs):
		free.put(Job(arguments.work, number))

	survivors, killed, done = [], 0, 0

	def attempt(mutant):
		names = sorted(lines[f"{mutant.path}:{mutant.line}"], key=seconds.get)
		job = free.get()
		try:
			return mutant, job.try_mutant(mutant, names, seconds)
		finally:
			free.put(job)

	with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
		waiting, rest = set(), iter(mutants)
		while killed + len(survivors) < arguments.count:
			while len(waiting) < arguments.jobs:
				mutant = next(rest, None)
				if mutant is None:
					break
				waiting.add(pool.submit(attempt, mutant))
			if not waiting:
				break
			finished, waiting = concurrent.futures.wait(waiting,
					return_when=concurrent.futures.FIRST_COMPLETED)
			for future in finished:
				mutant, result = future.result()
				done += 1
				killed += result.startswith("killed")
				if result == "survived":
					survivors.append(mutant)
				print(f"{done} {mutant.path}:{mutant.line} {mutant.what}: {result}", flush=True)
		for future in waiting:
			future.cancel()

	if arguments.keep:
		arguments.keep.write_text("\n".join(map(show, survivors)) + "\n", encoding="utf-8")
	for mutant in survivors:
		print(show(mutant))
	total = killed + len(survivors)
	print(f"seed {arguments.seed}: {killed} of {total} killed ({100 * killed / max(total, 1):.1f} %), "
			f"{len(survivors)} survived, {done - total} did not build")
	return 0


if __name__ == "__main__":
	sys.exit(main())
