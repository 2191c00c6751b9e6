#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Who may open which door, call what and export what.

	areas.py [--build DIR] [ROOT]

The law itself is the table of areas in docs/architecture.md, with that of areas which open each other
and that of guarded functions below it: what a reader is shown is what is enforced, so the two cannot differ. Reads the sources
as text and, with --build, the symbols of what was built. An include path enforces some of it, but
only for targets that somebody keeps apart; this holds for a file that has just been dropped into
a folder as well. Prints TAP, with file:line of every offence before its rule; exit code 1 if a rule
is broken, 2 if there is nothing to check or no table.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys

from figures import circles
from tap import report

# C11, POSIX 2008 and what Linux adds to them. A header that is in none of these lists is a
# library, and a library is named in PLACES or forbidden.
CLOCK_AND_SOCKETS = frozenset("""
	aio.h arpa/inet.h ifaddrs.h linux/if_packet.h net/if.h netdb.h netinet/in.h netinet/ip.h
	netinet/tcp.h poll.h sched.h sys/epoll.h sys/eventfd.h sys/ioctl.h sys/random.h sys/select.h
	sys/sendfile.h sys/signalfd.h sys/socket.h sys/time.h sys/timerfd.h sys/timex.h sys/uio.h
	sys/un.h time.h utime.h
""".split())
LIBC = CLOCK_AND_SOCKETS | frozenset("""
	assert.h complex.h ctype.h errno.h fenv.h float.h inttypes.h iso646.h limits.h locale.h math.h
	setjmp.h signal.h stdalign.h stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdlib.h
	stdnoreturn.h string.h tgmath.h threads.h uchar.h wchar.h wctype.h
	dirent.h dlfcn.h elf.h endian.h fcntl.h fnmatch.h ftw.h getopt.h glob.h grp.h iconv.h langinfo.h
	libgen.h link.h malloc.h pthread.h pwd.h regex.h search.h semaphore.h spawn.h strings.h sys/auxv.h
	sys/file.h sys/inotify.h sys/mman.h sys/param.h sys/prctl.h sys/resource.h sys/stat.h
	sys/statvfs.h sys/syscall.h sys/sysinfo.h sys/types.h sys/utsname.h sys/wait.h sysexits.h
	syslog.h termios.h ucontext.h unistd.h wordexp.h
""".split())

# Libraries by how their headers begin.
LWS = "libwebsockets"
LIBRARIES = {
	LWS: r"libwebsockets(\.h|/)",
	"json-c": r"json-c/",
	"libuv": r"uv(\.h|/)",
	"openssl": r"openssl/",
	"curl": r"curl/",
	"rhonabwy": r"rhonabwy\.h",
	"hiredis": r"hiredis/",
	"check": r"check\.h",
}


# Headers that the build makes.
GENERATED = frozenset(["version.h", "openapi.h", "asyncapi.h", "scripts.h"])
PURE = "pure"
ANYTHING = re.compile(r"test/|examples/")
PLUGIN_H = "praxis/plugin.h"
HOST = "include/praxis/host"
TABLES = "docs/architecture.md"

# Functions that are or open a clock, a socket, a file, chance or the environment.
IMPURE = r"""(
	time | clock | gettimeofday | timespec_get | ftime | clock_\w+ | nanosleep | usleep | sleep
	| alarm | timer_\w+ | timerfd_\w+ | setitimer | getitimer
	| socket | socketpair | accept4? | bind | listen | connect | send | sendto | sendmsg | sendmmsg
	| recv | recvfrom | recvmsg | recvmmsg | poll | ppoll | select | pselect | epoll_\w+ | eventfd
	| read | readv | write | writev | open | openat | fopen | fdopen | pipe2? | ioctl | fcntl
	| setsockopt | getsockopt | getaddrinfo | gethostby\w+
	| getrandom | getentropy | rand | rand_r | random | srand | srandom | arc4random\w* | drand48
	| getenv | secure_getenv | uv_\w+ | lws_\w+
)"""
IMPURE_CALL = re.compile(r"(?<![\w.>])" + IMPURE + r"\s*\(", re.VERBOSE)
IMPURE_SYMBOL = re.compile(r"(?:__)?" + IMPURE + r"(?:64|_chk|_2)*", re.VERBOSE)

SWITCH_ON_REASON = re.compile(r"\bswitch\s*\((?:[^(){};]|\([^(){};]*\))*\breason\b")
LWS_VERSION = re.compile(r"^\s*#\s*(?:el)?if\b.*\b(?:LWS_LIBRARY_VERSION\w*|LWS_PLUGIN_API_MAGIC)\b")
INCLUDE = re.compile(r"^\s*#\s*include(?:_next)?\s*(.*)")
HEADER = re.compile(r'^(?:<([^>]*)>|"([^"]*)")')
IMPORT = re.compile(r"""(?:^\s*import\s+|\bfrom\s+|\bimport\(\s*)['"]([^'"]+)['"]""")


class NoTable(Exception):
	pass


def cells_of(line):
	"""The cells of a row of a Markdown table: of each, what stands in backquotes."""
	return [re.findall(r"`([^`]+)`", cell) for cell in line.strip().strip("|").split("|")]


def read_table(text, heading, columns):
	"""The rows behind `heading`, a line of Markdown that is the table's own head."""
	lines = text.split("\n")
	starts = [number for number, line in enumerate(lines) if line.startswith(heading)]
	if len(starts) != 1:
		raise NoTable(f"{TABLES}: expected one table that begins with {heading!r}")
	rows = []
	for line in lines[starts[0] + 2:]:
		if not line.startswith("|"):
			break
		cells = cells_of(line)
		if len(cells) != columns:
			raise NoTable(f"{TABLES}: {columns} columns expected in: {line}")
		rows.append(cells)
	return rows


class Area:
	"""One row of the table: a folder, or one file that may do more than its folder.

	`doors`: the headers that other areas may include. `opens`: areas whose doors it may include.
	`libraries`: those, besides libc. `pure`: no clock, no sockets.
	"""

	def __init__(self, name, doors, opens, libraries):
		self.name = name.rstrip("/")
		self.doors = frozenset(doors)
		self.opens = frozenset(place.rstrip("/") for place in opens) | {self.name}
		self.libraries = frozenset(libraries) - {PURE}
		self.pure = PURE in libraries

	def has(self, path):
		return path == self.name or os.path.dirname(path) == self.name or (
				self.name.endswith("/*") and path.startswith(self.name[:-1]))


def without_comments_and_strings(text):
	"""The text with the insides of comments, strings and characters blanked; lines stay."""

	def blank(match):
		token = match.group(0)
		if token[0] == "/":
			return re.sub(r"[^\n]", " ", token)
		return token[0] + re.sub(r"[^\n]", " ", token[1:-1]) + token[-1]

	return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text,
			flags=re.DOTALL)


def symbols(*arguments):
	nm = subprocess.run(["nm", *arguments], capture_output=True, text=True, check=False)
	if nm.returncode != 0:
		sys.exit(f"nm: {nm.stderr.strip()}")
	# "address type name", "type name", and "member.o:" in an archive; a name may have a version.
	lines = [line.split() for line in nm.stdout.splitlines() if not line.endswith(":")]
	return sorted({words[-1].split("@")[0] for words in lines if len(words) > 1})


class Script:
	"""A file of TypeScript or JavaScript: what it imports."""

	def __init__(self, root, path):
		self.path = path
		self.imports = []
		for number, line in enumerate((root / path).read_text(encoding="utf-8").split("\n"), 1):
			if re.match(r"\s*(//|\*|/\*)", line):
				continue
			for match in IMPORT.finditer(line):
				self.imports.append((number, match.group(1)))


class Source:
	def __init__(self, root, path):
		self.path = path
		raw = (root / path).read_text(encoding="utf-8", errors="replace")
		self.code = without_comments_and_strings(raw).split("\n")
		# A name in an include is no string, but a commented include is none at all.
		self.includes = []
		for number, (code, line) in enumerate(zip(self.code, raw.split("\n")), 1):
			if INCLUDE.match(code):
				self.includes.append((number, INCLUDE.match(line).group(1).strip()))


class Law:
	def __init__(self, root, build):
		self.root = root
		self.build = build
		text = (root / TABLES).read_text(encoding="utf-8") if (root / TABLES).is_file() else ""
		self.areas = [Area(row[0][0], row[2], row[3], row[4])
				for row in read_table(text, "| area |", 5)]
		self.both_ways = [frozenset(row[0]) for row in read_table(text, "| both ways |", 2)]
		self.guarded = {row[0][0]: frozenset(row[1]) for row in read_table(text, "| function |", 3)}
		found = self.find()
		self.sources = [Source(root, path) for path in found if path.endswith((".h", ".c", ".inc", ".in"))]
		self.scripts = [Script(root, path) for path in found if path.endswith((".ts", ".tsx", ".mjs"))]
		self.headers_with_lws = self.find_headers_with_lws()
		self.host_headers = self.find_host_headers()
		self.offences = {}

	def find(self):
		found = []
		for directory, below, names in os.walk(self.root):
			# Build directories, wherever they are: meson marks them.
			below[:] = sorted(name for name in below if name not in ("node_modules", "meson-info", "dist")
					and not name.startswith((".", "build"))
					and not (pathlib.Path(directory, name) / "meson-private").is_dir())
			relative = pathlib.Path(directory).relative_to(self.root)
			found += [(relative / name).as_posix() for name in sorted(names)
					if name.endswith((".c", ".h", ".in.h", ".h.in", ".inc", ".ts", ".tsx", ".mjs"))]
		return found

	def find_headers_with_lws(self):
		"""The public headers that bring lws with them, directly or not."""
		direct = {source.path[len("include/"):]: [name.strip('<>"') for _, name in source.includes]
				for source in self.sources if source.path.startswith("include/praxis/")}
		tainted = {PLUGIN_H}
		while True:
			more = {header for header, names in direct.items() if header not in tainted
					and any(name in tainted or re.match(LIBRARIES[LWS], name) for name in names)}
			if not more:
				return tainted
			tainted |= more

	def find_host_headers(self):
		"""What only a host includes: its folder, and old paths, which do nothing but lead there."""
		public = {source.path[len("include/"):]: [name.strip('<>"') for _, name in source.includes]
				for source in self.sources if source.path.startswith("include/praxis/")}
		folder = HOST[len("include/"):] + "/"
		return {header for header, names in public.items() if header.startswith(folder)
				or (len(names) == 1 and names[0].startswith(folder))}

	def offend(self, rule, path, line, sentence):
		where = f"{path}:{line}" if line else path
		self.offences.setdefault(rule, []).append(f"{where}: {sentence}")

	def area_of(self, path):
		"""A file's own row counts before its folder's."""
		fitting = [area for area in self.areas if area.has(path)]
		return max(fitting, key=lambda area: len(area.name), default=None)

	def area_named(self, name):
		return next((area for area in self.areas if area.name == name), None)

	# ---- the rules; each has a name and is asked once ----

	def check_table(self):
		names = [area.name for area in self.areas]
		for area in self.areas:
			if names.count(area.name) > 1:
				self.offend("table", TABLES, 0, f"{area.name} has two rows")
			for other in sorted(area.opens - set(names)):
				self.offend("table", TABLES, 0, f"{area.name} may open {other}, which has no row")
			folder = self.root / area.name.removesuffix("/*")
			if not folder.exists():
				self.offend("table", TABLES, 0, f"{area.name} does not exist")
			for door in sorted(area.doors - {"*"}):
				if not (folder / door).is_file():
					self.offend("table", TABLES, 0, f"{area.name} has no {door}")
				if door.endswith("_internal.h"):
					self.offend("table", TABLES, 0, f"{area.name}: {door} is no door")
		self.check_circles()
		for name, callers in self.guarded.items():
			for caller in sorted(callers):
				if not (self.root / caller).exists():
					self.offend("table", TABLES, 0, f"{name}: there is no {caller}")

	def check_circles(self):
		"""An area opens those below it, and so no circle leads back; pairs that do have a reason."""
		opens = {area.name: area.opens - {area.name} for area in self.areas}
		for pair in self.both_ways:
			if len(pair) != 2 or not all(other in opens.get(one, ()) for one in pair for other in pair - {one}):
				self.offend("table", TABLES, 0, f"{', '.join(sorted(pair))}: are no two areas that open each other")
		down = {name: {other for other in others if frozenset((name, other)) not in self.both_ways}
				for name, others in opens.items()}
		for circle in circles(down):
			self.offend("table", TABLES, 0, f"{', '.join(circle)}: open each other in a circle")

	def check_includes(self):
		for source in self.sources:
			if ANYTHING.match(source.path):
				continue
			area = self.area_of(source.path)
			if not area:
				self.offend("includes", source.path, 1, f"its folder has no row in {TABLES}")
				continue
			for number, text in source.includes:
				sentence = self.judge_include(area, source.path, text)
				if sentence:
					self.offend("includes", source.path, number, sentence)

	def judge_include(self, area, path, text):
		match = HEADER.match(text)
		if not match:
			return f"#include {text}: name the header"
		angled, quoted = match.groups()
		if quoted is not None:
			return self.judge_quoted(area, path, quoted)
		if angled.startswith("praxis/"):
			return self.judge_public(area, angled)
		if angled in LIBC:
			if area.pure and angled in CLOCK_AND_SOCKETS:
				return f"<{angled}>: no clock and no sockets here; time and writing are passed in"
			return None
		library = next((name for name, start in LIBRARIES.items() if re.match(start, angled)), None)
		if library in area.libraries:
			return None
		return f"<{angled}>: {library or 'neither libc nor a library known here'} may not be included here"

	def judge_quoted(self, area, path, name):
		if name in GENERATED:
			return None
		if path.startswith("include/"):
			return f'"{name}": public headers include each other as <praxis/...>'
		if ".." in name.split("/"):
			return f'"{name}": named from its component or from the root, without ..'
		component = path.split("/", maxsplit=1)[0]
		places = [os.path.join(os.path.dirname(path), name), os.path.join(component, name), name]
		target = next((place for place in places if (self.root / place).is_file()), None)
		if target is None:
			return f'"{name}": there is no such header'
		if os.path.dirname(target) == os.path.dirname(path):
			return None
		return self.judge_door(area, target)

	def judge_door(self, area, target):
		# The door is the folder's, whatever row its file has.
		other = self.area_named(os.path.dirname(target)) or self.area_of(target)
		name = os.path.basename(target)
		if other is None:
			return f"{target}: its folder has no row in {TABLES}"
		if other.name not in area.opens:
			return f"{target}: {area.name} may not open {other.name}"
		# A folder within a folder is at home there.
		if not area.name.startswith(other.name + "/") and (
				name.endswith("_internal.h") or not other.doors & {name, "*"}):
			return f"{target}: is private to {other.name}"
		return None

	def judge_public(self, area, name):
		if not (self.root / "include" / name).is_file():
			return f"<{name}>: there is no such public header"
		if name in self.host_headers and HOST not in area.opens:
			return f"<{name}>: is for hosts; {area.name} may not open {HOST}"
		if name in self.headers_with_lws and not area.libraries & {LWS, PLUGIN_H}:
			return f"<{name}>: brings libwebsockets with it, which may not be included here"
		return None

	def check_guarded(self):
		"""The doors of isolation: who may call them, by file."""
		for source in self.sources:
			if ANYTHING.match(source.path) or source.path.endswith(".h"):
				continue
			for number, line in enumerate(source.code, 1):
				for name, callers in self.guarded.items():
					# A definition begins its line; a call is indented.
					if re.search(rf"^\s.*\b{name}\s*\(", line) and source.path not in callers:
						self.offend("guarded functions", source.path, number,
								f"{name}(): only {', '.join(sorted(callers))} may call it")

	def check_imports(self):
		for script in self.scripts:
			if ANYTHING.match(script.path):
				continue
			area = self.area_of(script.path)
			if not area:
				continue  # configuration of tools, and tests beside a package
			for number, name in script.imports:
				sentence = self.judge_import(area, script.path, name)
				if sentence:
					self.offend("imports", script.path, number, sentence)

	def judge_import(self, area, path, name):
		if name.startswith("node:"):
			return None if path.endswith(".mjs") else f"'{name}': pages and package run in browsers"
		if not name.startswith("."):
			package = "/".join(name.split("/")[:2 if name.startswith("@") else 1])
			if name in area.libraries or (package in area.libraries and package != "praxis-client"):
				return None
			return f"'{name}': {area.name} may not import it"
		target = os.path.normpath(os.path.join(os.path.dirname(path), name))
		if os.path.dirname(target) == os.path.dirname(path):
			return None
		other = self.area_of(target)
		if other is None or other.name not in area.opens:
			return f"'{name}': {area.name} may not open {other.name if other else os.path.dirname(target)}"
		return None

	def check_pure(self):
		for source in self.sources:
			area = self.area_of(source.path)
			if not area or not area.pure:
				continue
			for number, line in enumerate(source.code, 1):
				for call in IMPURE_CALL.finditer(line):
					self.offend("pure broker", source.path, number,
							f"{call.group(1)}(): time, chance and writing are passed in")

	def check_plugins(self):
		for source in self.sources:
			if not source.path.startswith("plugins/"):
				continue
			for number, line in enumerate(source.code, 1):
				for name in re.finditer(r"\b(?:lws|LWS)_\w+", line):
					self.offend("plugins", source.path, number,
							f"{name.group(0)}: a service knows no lws, only the broker")

	def check_switch(self):
		found = []
		for source in self.sources:
			code = "\n".join(source.code)
			for match in SWITCH_ON_REASON.finditer(code):
				found.append((source.path, code.count("\n", 0, match.start()) + 1))
		if not found:
			self.offend("one switch", "broker/lws_adapter.c", 0, "has no switch (reason)")
		for path, line in found:
			if path != "broker/lws_adapter.c" or len(found) > 1:
				self.offend("one switch", path, line,
						f"one of {len(found)}: lws's reasons are told apart in broker/lws_adapter.c, once"
						if len(found) > 1 else "not in broker/lws_adapter.c")

	def check_lws_version(self):
		for source in self.sources:
			for number, line in enumerate(source.code, 1):
				if LWS_VERSION.match(line) and not source.path.endswith("/" + PLUGIN_H):
					self.offend("one lws version", source.path, number,
							f"lws's versions are told apart in include/{PLUGIN_H} alone")

	def check_symbols(self):
		for path in self.built("plugins", "praxis_svc_*.so"):
			expected = "svc_" + path.name[len("praxis_svc_"):-len(".so")]
			exported = symbols("-D", "--defined-only", path)
			if exported != [expected]:
				self.offend_built(path, f"exports {', '.join(exported) or 'nothing'}; "
						f"expected {expected} alone")
			called = [name for name in symbols("-D", "--undefined-only", path)
					if name.startswith("lws_")]
			if called:
				self.offend_built(path, f"calls {', '.join(called)}; a service knows no lws")
		for path in self.built("broker", "libpraxis.so"):
			foreign = [name for name in symbols("-D", "--defined-only", path)
					if not name.startswith("px_")]
			if foreign:
				self.offend_built(path, f"exports {', '.join(foreign)}; expected px_* alone")
		for path in self.built("broker", "libpraxis-core.a"):
			# Objects for link-time optimisation are empty to an nm that lacks the compiler's plugin.
			if not any(name.startswith("px_") for name in symbols("--defined-only", path)):
				self.offend_built(path, "nm finds no px_* in it: it does not understand these objects")
			impure = [name for name in symbols("--undefined-only", path)
					if IMPURE_SYMBOL.fullmatch(name)]
			if impure:
				self.offend_built(path, f"calls {', '.join(impure)}; "
						"time, chance and writing are passed in")

	def built(self, folder, pattern):
		found = sorted((self.build / folder).glob(pattern))
		if not found:
			self.offend("symbols", str(self.build), 0, f"no {folder}/{pattern}: is it built?")
		return found

	def offend_built(self, path, sentence):
		self.offend("symbols", os.path.relpath(path, self.root), 0, sentence)

	def rules(self):
		yield "table", self.check_table
		yield "includes", self.check_includes
		yield "guarded functions", self.check_guarded
		yield "imports", self.check_imports
		yield "pure broker", self.check_pure
		yield "plugins", self.check_plugins
		yield "one switch", self.check_switch
		yield "one lws version", self.check_lws_version
		if self.build:
			yield "symbols", self.check_symbols


def main(words=None):
	parser = argparse.ArgumentParser(description="checks who opens, calls and exports what")
	parser.add_argument("--build", type=pathlib.Path, help="a build directory: its symbols, too")
	parser.add_argument("root", type=pathlib.Path, nargs="?",
			default=pathlib.Path(__file__).resolve().parents[2])
	arguments = parser.parse_args(words)
	try:
		law = Law(arguments.root, arguments.build)
	except NoTable as error:
		print(error, file=sys.stderr)
		return 2
	if not law.sources:
		print(f"there are no C files in {arguments.root}", file=sys.stderr)
		return 2
	for _, check in law.rules():
		check()
	print(f"# {len(law.sources)} files of C, {len(law.scripts)} of TypeScript and JavaScript")
	return report((name, law.offences.get(name, [])) for name, _ in law.rules())


if __name__ == "__main__":
	sys.exit(main())
