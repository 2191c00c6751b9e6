#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Mutation testing: are the tests able to notice that a line is wrong?

	mutate.py [--seed N] [--count N] [--jobs N] [--work DIR] [--only PATTERN]... [--keep FILE]

Takes lines by the seed out of those that a test runs, changes one operator, constant or statement
in each, and builds and runs the tests that ran the line, one after the other, until one fails: first
those named after the file's area, then the quickest. Who has passed them all is tried again under
AddressSanitizer, as scripts/test does it: only that notices a leak. A mutant that no test notices has
survived: either a test is missing, or the change makes no difference that anybody could see (an
equivalent mutant). A person says which; test/mutate/equivalent holds those that were judged to be
equivalent, and why. A mutant whose program is the same to the byte is equivalent without a judge.

The tree is copied to the work directory (build-mutate/), once for each job; nothing is changed in
the checkout. The first run builds it with coverage and runs each test once, to know who runs what.
Unit tests take part, and a short simulation for the broker and the services. Prints one line a
mutant and a summary; --keep writes the survivors as a unified diff each. Exit code 0 whatever
survives, since survivors are to be read, and 2 where nothing could be run.

The order of mutants is a hash of the seed and of what is changed. A change elsewhere in the tree
therefore leaves the choice as it was, which a shuffle of a list would not.

Limits are of processor time, so that a busy machine kills no mutant; the limit of real time is for
those that wait for what never comes.

Rejected: a mutation tool from elsewhere. Debian has none for C, and one that works on LLVM's bitcode
would need a second build system.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import difflib
import fnmatch
import gzip
import hashlib
import json
import os
import pathlib
import queue
import re
import resource
import shutil
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
# All that unit tests can reach; the rest of server/ is for the end-to-end tests.
SOURCES = ["broker/**", "plugins/**", "common/**", "server/**"]
# Small, and nothing in it but calls of lws; end-to-end tests run it.
EXCLUDED = ["broker/lws_adapter.c"]
EQUIVALENT = pathlib.Path(__file__).with_name("equivalent")
SIMULATIONS = [("sim", ["--seed", "1", "--steps", "15000"]), ("lives", ["--seed", "1", "--steps", "60000"])]
# A test that takes this many times its processor time, and a second more, is one that noticed.
PATIENCE = 10
# Real time, for what waits; a busy machine must not reach it.
FLOOR_SECONDS = 90
MEMORY_BYTES = 4 << 30
PLAIN = ["--buildtype=plain", "-Doptimization=1", "-Ddebug=false", "-Db_ndebug=false"]
COVERAGE = ["--buildtype=debug", "-Db_coverage=true"]
# Not optimized: that leaves out checks of reads whose value does not matter.
SANITIZED = ["--buildtype=debug", "-Db_sanitize=address,undefined"]


@dataclasses.dataclass(frozen=True)
class Mutant:
	path: str
	line: int
	what: str
	old: str
	new: str
	function: str

	def place(self):
		"""What names it when lines move, though not alone: a line may stand twice in a file."""
		return f"{self.path}\t{self.old.strip()}\t{self.new.strip()}"

	def judged_as(self):
		"""The beginning of its line in test/mutate/equivalent."""
		return f"{self.path}\t{self.function}\t{self.old.strip()}\t{self.new.strip()}"


@dataclasses.dataclass
class Test:
	name: str
	command: list
	environment: dict
	directory: str

	def files(self, build):
		"""What it runs or loads out of the build."""
		words = [*self.command, *(part for value in self.environment.values() for part in value.split(":"))]
		words = [os.path.normpath(word) for word in words]
		return sorted({os.path.relpath(word, build) for word in words
				if word.startswith(f"{build}/") and not os.path.isdir(word)})


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


def mutants_of(path, number, line, function=""):
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
				yield Mutant(path, number, what, line, changed, function)


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
	names = {name for name in names if name and (ROOT / name).is_file()}
	for path in list(to.rglob("*")):
		if path.is_file() and str(path.relative_to(to)) not in names:
			path.unlink()
	for name in sorted(names):
		target = to / name
		target.parent.mkdir(parents=True, exist_ok=True)
		if not target.exists() or target.read_bytes() != (ROOT / name).read_bytes():
			shutil.copyfile(ROOT / name, target)
			shutil.copymode(ROOT / name, target)


def configure(tree, build, options):
	if not (build / "build.ninja").exists():
		must(["meson", "setup", "-Db_lto=false", "-Dbench=disabled", "-Ddashboard=disabled",
			"-Dtests=enabled", "-Dwerror=false", *options, build, tree])
	# It says which tests there are only when it is of the same age as the tree.
	must(["ninja", "-C", build, "build.ninja"])


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


def run_test(test, seconds):
	"""Whether it passed, with so many seconds of the processor. It has a session of its own: `check`
	forks, and gives each test a process group."""
	real = FLOOR_SECONDS + PATIENCE * seconds
	environment = {**os.environ, **test.environment, "CK_DEFAULT_TIMEOUT": str(int(real) + 1),
			"UBSAN_OPTIONS": "halt_on_error=1"}
	process = subprocess.Popen(test.command, cwd=test.directory, env=environment, stdin=subprocess.DEVNULL,
			stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
	end = time.monotonic() + real
	try:
		while time.monotonic() < end:
			try:
				return process.wait(2) == 0
			except subprocess.TimeoutExpired:
				used, bytes_used = usage(process.pid)
				if used > PATIENCE * seconds + 2 or bytes_used > MEMORY_BYTES:
					return False
		return False
	finally:
		for pid, _ in members(process.pid):
			try:
				os.kill(pid, signal.SIGKILL)
			except ProcessLookupError:
				pass
		process.wait()


def members(session):
	"""Process id and fields of /proc/PID/stat, from the third on, of all that are in a session."""
	for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
		try:
			fields = path.read_text().rpartition(")")[2].split()
		except OSError:
			continue
		if int(fields[3]) == session:
			yield int(path.parent.name), fields


def usage(session):
	"""Seconds of the processor and bytes of memory of a session. RLIMIT_CPU would coarsen the clock of
	processor time, with which some tests measure."""
	seconds = pages = 0
	for _, fields in members(session):
		seconds += sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
		pages += int(fields[21])
	return seconds, pages * os.sysconf("SC_PAGE_SIZE")


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
	configure(tree, build, COVERAGE)
	tests = tests_of(build)
	must(["ninja", "-C", build, *(name for test in tests for name in test.files(build))])
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
		before = resource.getrusage(resource.RUSAGE_CHILDREN)
		if not run_test(test, 60):
			print(f"{test.name} fails without any change", file=sys.stderr)
			sys.exit(2)
		after = resource.getrusage(resource.RUSAGE_CHILDREN)
		seconds[test.name] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
		for path, numbers in lines_run(build, tree).items():
			for line in numbers:
				lines.setdefault(f"{path}:{line}", []).append(test.name)
		print(f"# {number}/{len(tests)} {test.name}: {seconds[test.name]:.1f} s", flush=True)
	with gzip.open(saved, "wt") as file:
		json.dump({"seconds": seconds, "lines": lines}, file)
	return seconds, lines


# ---- one mutant ----

class Job:
	def __init__(self, work, number, seconds):
		self.tree = work / f"tree-{number}"
		self.seconds = seconds
		copy_tree(self.tree)
		self.plain = Build(self.tree, work / f"build-{number}", PLAIN)
		self.work, self.number, self.sanitized = work, number, None

	def try_mutant(self, mutant, names):
		"""'killed by NAME', 'survived', 'same program' or 'does not build'."""
		path = self.tree / mutant.path
		text = path.read_text(encoding="utf-8")
		lines = text.split("\n")
		lines[mutant.line - 1] = mutant.new
		path.write_text("\n".join(lines), encoding="utf-8")
		names = sorted(names, key=lambda name: (not related(name, mutant.path), self.seconds[name]))
		try:
			result = self.plain.try_tests(names, self.seconds)
			if result == "survived" and self.sanitized:
				result = self.sanitized.try_tests(names, self.seconds)
		finally:
			path.write_text(text, encoding="utf-8")
		if result == "survived" and not self.sanitized:
			# Most of a run can do without.
			self.sanitized = Build(self.tree, self.work / f"asan-{self.number}", SANITIZED)
			return self.try_mutant(mutant, names)
		return result


class Build:
	def __init__(self, tree, directory, options):
		self.directory = directory
		self.sanitized = options is SANITIZED
		configure(tree, directory, options)
		self.tests = {test.name: test for test in tests_of(directory)}
		self.unchanged = {}
		if not self.sanitized:
			must(["ninja", "-C", directory, *(name for test in self.tests.values() for name in test.files(directory))])
			self.unchanged = {name: digest(test.command[0]) for name, test in self.tests.items()}

	def try_tests(self, names, seconds):
		for name in names:
			test = self.tests[name]
			if run(["ninja", "-C", self.directory, *test.files(self.directory)]).returncode != 0:
				return "does not build"
			# Not where the file is in a plugin that the test loads.
			if not test.environment and digest(test.command[0]) == self.unchanged.get(name):
				return "same program"
			slower = 6 if self.sanitized else 1
			if not run_test(test, slower * seconds[name]):
				return f"killed by {name}" + (" (sanitizer)" if self.sanitized else "")
		return "survived"


def digest(path):
	return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def related(name, path):
	"""Whether a test is named after the area of the file: channel/history, for broker/channel/history.c."""
	area, _, _ = name.rpartition("/")
	return bool(area) and area == pathlib.PurePath(path).parent.name


def wanted(path, only):
	return any(fnmatch.fnmatch(path, pattern) for pattern in only or SOURCES) and path not in EXCLUDED


def choose(tree, lines, only, seed):
	"""All mutants of all lines that are run, in the order that the seed gives."""
	found, seen = [], {}
	for path in sorted({place.rsplit(":", maxsplit=1)[0] for place in lines}):
		if not path.endswith(".c") or not wanted(path, only):
			continue
		function = ""
		for number, line in enumerate((tree / path).read_text(encoding="utf-8").split("\n"), 1):
			if re.match(r"[a-z].*\(", line):
				function = re.search(r"(\w+)\(", line).group(1)
			if f"{path}:{number}" not in lines:
				continue
			for mutant in mutants_of(path, number, line, function):
				place = mutant.place()
				seen[place] = seen.get(place, 0) + 1
				key = hashlib.sha256(f"{seed}\t{place}\t{seen[place]}".encode()).digest()
				found.append((key, mutant))
	return [mutant for _, mutant in sorted(found, key=lambda pair: pair[0])]


def judged():
	"""Those that a person has judged to be equivalent; tabs between, and the reason at the end."""
	if not EQUIVALENT.exists():
		return set()
	rows = [line.split("\t") for line in EQUIVALENT.read_text(encoding="utf-8").splitlines()
			if line and not line.startswith("#")]
	return {"\t".join(row[:4]) for row in rows}


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

	work = arguments.work.resolve()
	work.mkdir(parents=True, exist_ok=True)
	copy_tree(work / "tree-0")
	seconds, lines = measure(work)
	mutants = choose(work / "tree-0", lines, arguments.only, arguments.seed)
	if not mutants:
		print("no line that a test runs matches", file=sys.stderr)
		return 2
	print(f"# {len(mutants)} mutants of lines that are run", flush=True)
	free = queue.SimpleQueue()
	for number in range(arguments.jobs):
		free.put(Job(work, number, seconds))
	equivalent = judged()

	def attempt(mutant):
		job = free.get()
		begin = time.monotonic()
		try:
			result = job.try_mutant(mutant, lines[f"{mutant.path}:{mutant.line}"])
		finally:
			free.put(job)
		if result == "survived" and mutant.judged_as() in equivalent:
			result = "equivalent"
		return mutant, result, time.monotonic() - begin

	survivors, count = [], collections.Counter()
	for number, (mutant, result, took) in enumerate(in_parallel(attempt, mutants, arguments.jobs), 1):
		count[result.split(" by ")[0]] += 1
		print(f"{number} {mutant.path}:{mutant.line} {mutant.what}: {result} ({took:.1f} s)", flush=True)
		if result == "survived":
			survivors.append(mutant)
			print(show(mutant), flush=True)
		if count["killed"] + count["survived"] + count["equivalent"] >= arguments.count:
			break

	if arguments.keep:
		arguments.keep.write_text("\n".join(map(show, survivors)) + "\n", encoding="utf-8")
	differing = count["killed"] + count["survived"]
	print(f"seed {arguments.seed}: {count['killed']} of {differing} killed "
			f"({100 * count['killed'] / max(differing, 1):.1f} %), {count['survived']} survived; besides "
			f"{count['equivalent']} equivalent by judgement, {count['same program']} by their program, "
			f"{count['does not build']} that do not build")
	return 0


def in_parallel(attempt, mutants, jobs):
	"""Results as they come; no more are under way than there are jobs, since the reader may stop."""
	with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
		waiting, rest = set(), iter(mutants)
		while True:
			while len(waiting) < jobs and (mutant := next(rest, None)) is not None:
				waiting.add(pool.submit(attempt, mutant))
			if not waiting:
				return
			finished, waiting = concurrent.futures.wait(waiting,
					return_when=concurrent.futures.FIRST_COMPLETED)
			for future in finished:
				yield future.result()


if __name__ == "__main__":
	sys.exit(main())
