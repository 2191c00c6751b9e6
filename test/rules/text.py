#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What of a file's form is exact enough to be a rule.

	text.py [ROOT] [FILE...]

clang-format makes tables and the name `operator` worse, so C is not formatted by a program, and
this asks the rest: UTF-8 without control characters, tabs for indentation, no blanks at a line's
end, no two empty lines, a newline at the end, no marks of a merge, the licence, the field's words,
and in C at most 100 columns, with tabs of four and without what stands in strings, which are left whole so that
they can be looked for. TypeScript is Prettier's and is asked what that does not ask. Prints
file:line of every offence, then a line for each rule; exit code 1 if one is broken, 2 if there is
nothing to check.
"""

import os
import pathlib
import re
import sys
import unicodedata

from tap import report

COLUMNS = 100
TAB = 4

CODE = frozenset(".bash .build .c .h .inc .java .js .mjs .py .sh .ts .tsx".split())
BY_NAME = {"Dockerfile": ".sh", "meson_options.txt": ".build", ".clang-tidy": ".yaml"}
# Whoever copies a page of the demonstration or a snippet of the docs needs no licence in it.
TEXT = CODE | frozenset(".1 .8 .conf .css .html .in .json .md .yaml".split())
C = frozenset([".c", ".h", ".inc"])
# Inputs of fuzz targets are bytes; npm writes lock files; applications of others show how these look.
# Headers of before stay as they were.
ELSEWHERE = re.compile(r"test/fuzz/corpus/|test/plugins/af7eb0a/|(?:.*/)?package-lock\.json$")
APPLICATIONS = re.compile(r"client/test/apps/")

# Words that this project once had for what the field has a word for: the regular expression, and what
# to say. What is promised outside (KEPT) keeps its name, and so does a service of an earlier day.
# `nobody` is a good word for anything but an unauthenticated session.
WORDS = {re.compile(rf"(?<![A-Za-z])(?:{old})(?![A-Za-z])", re.IGNORECASE): new for old, new in {
	"trails?": "audit log",
	"onlookers?": "tail stream",
	"comebacks?|heal(?:ed|able|ing|s)?": "reattach",
	"keepers?": "snapshot ops",
	"lanes?": "partition",
	"pulses?": "deadline",
	"tall(?:y|ies|ied)": "limiter, count",
	"can[ _]not": "cannot",
	"nobody's business": "secret, hidden",
	"(?:those|one) who rules?": "server administrator",
	"(?:as_|who[ _](?:is|are)[ _])nobody(?!['’])|(?<=[.>])nobody": "unauthenticated",
}.items()}
WORDS_IN = re.compile(r"(?:broker|client|common|conf\.d|dashboard|demo|docs|examples|include|packaging|plugins|scripts|"
		r"server|tools|test(?!/rules/|/plugins/earlier))/|(?!CHANGELOG)[A-Z]+\.md$")
KEPT = re.compile(r"[`\"]lane[`\"]|(?:[.`\"]|->|praxis_|uint64_t )healed|\*?keepers;|`keepers`|"
		r"px_keeper|trail_(?:gap|opened)")
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")

LICENCE = "SPDX-License-Identifier: MIT"
STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')


def width(line):
	"""Columns, as a terminal or an editor shows them."""
	columns = 0
	for char in line:
		if char == "\t":
			columns += TAB - columns % TAB
		elif not unicodedata.combining(char):
			columns += 2 if unicodedata.east_asian_width(char) in "WF" else 1
	return columns


def kind(path, first_line):
	name = os.path.basename(path)
	if name in BY_NAME:
		return BY_NAME[name]
	if "." not in name.lstrip(".") and re.match(r"#!.*\b(?:ba|da)?sh\b", first_line):
		return ".sh"
	return os.path.splitext(name)[1]


class Text:
	def __init__(self, path, raw):
		self.path = path
		self.raw = raw
		self.text = raw.decode("utf-8", errors="replace")
		self.lines = self.text.split("\n")
		self.kind = kind(path, self.lines[0])

	def encoding(self):
		"""UTF-8, no control characters"""
		for number, line in enumerate(self.lines, 1):
			for char in line:
				if char == "\ufffd" or char != "\t" and unicodedata.category(char) in ("Cc", "Cf"):
					yield number, f"U+{ord(char):04X} here"

	def indentation(self):
		"""tabs indent"""
		# The star of a comment stands one column behind its tabs.
		if self.kind not in C:
			return
		for number, line in enumerate(self.lines, 1):
			if re.match(r"\t* +(?!\*)\S", line):
				yield number, "indented by spaces"

	def trailing(self):
		"""no blanks at the end of a line"""
		for number, line in enumerate(self.lines, 1):
			if line != line.rstrip(" \t"):
				yield number, "blanks at its end"

	def empty(self):
		"""no two empty lines"""
		if self.kind == ".py":
			return # PEP 8 wants two between functions
		for number in range(2, len(self.lines)):
			if self.lines[number - 1] == "" == self.lines[number - 2]:
				yield number, "a second empty line"

	def end(self):
		"""a newline ends the file"""
		if not self.text.endswith("\n") or self.text.endswith("\n\n") or self.text == "\n":
			yield len(self.lines), "a file ends with one newline"

	def licence(self):
		"""the licence is said"""
		if self.kind in CODE and not APPLICATIONS.match(self.path) \
				and not any(LICENCE in line for line in self.lines[:3]):
			yield 1, f"nothing says {LICENCE}"

	def conflict(self):
		"""no marks of a merge"""
		for number, line in enumerate(self.lines, 1):
			if re.match(r"(?:<{7}|>{7}|\|{7}) |={7}$", line):
				yield number, "a mark that a merge left"

	def words(self):
		"""the field's words"""
		if not WORDS_IN.match(self.path):
			return
		for number, line in enumerate(self.lines, 1):
			apart = CAMEL.sub("_", KEPT.sub("", line))
			for word, better in WORDS.items():
				for found in word.findall(apart):
					yield number, f'"{found}" is no word of the field: {better}'

	def columns(self):
		"""100 columns"""
		if self.kind not in C:
			return
		for number, line in enumerate(self.lines, 1):
			columns = width(STRING.sub('""', line))
			if columns > COLUMNS:
				yield number, f"{columns} columns, {COLUMNS} at most"


RULES = [Text.encoding, Text.indentation, Text.trailing, Text.empty, Text.end, Text.licence, Text.conflict,
	Text.words, Text.columns]


def find(root):
	for directory, below, names in os.walk(root):
		below[:] = sorted(name for name in below if name not in ("node_modules", "dist")
				and not name.startswith("build") and (name == ".ci" or not name.startswith("."))
				and not (pathlib.Path(directory, name) / "meson-private").is_dir())
		relative = pathlib.Path(directory).relative_to(root)
		yield from ((relative / name).as_posix() for name in sorted(names))


def main(words=None):
	words = sys.argv[1:] if words is None else words
	root = pathlib.Path(words[0]) if words else pathlib.Path(__file__).resolve().parents[2]
	offences = {rule: [] for rule in RULES}
	count = 0
	for path in words[1:] or find(root):
		if ELSEWHERE.match(path) or not (root / path).is_file():
			continue
		text = Text(path, (root / path).read_bytes())
		if text.kind not in TEXT:
			continue
		count += 1
		for rule, found in offences.items():
			found += [f"{path}:{number}: {what}" for number, what in rule(text)]
	if count == 0 and not words[1:]:
		print(f"there is no text in {root}", file=sys.stderr)
		return 2
	print(f"# {count} files")
	return report((rule.__doc__, found) for rule, found in offences.items())


if __name__ == "__main__":
	sys.exit(main())
