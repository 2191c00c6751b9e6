#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whether services that were built before still fit: the public headers against a frozen copy.

	abi.py [--cc COMMAND...] [--library libpraxis.so] [--write] [--root ROOT]

Reads every struct, enumerator, constant and function out of include/praxis/*.h (not those in host/,
which no service includes), asks the compiler for sizes, offsets and values, and compares all of it
with test/rules/abi-1.txt. What that file has must be there unchanged; what is new must be added
to it, so that it is frozen from its first day (docs/abi.md). --write writes it anew: look at the
difference before committing it, for each line that goes or changes breaks services.
With --library every function must be exported by it. Exit code 1 if something differs, 77 where
pointers do not have the 64 bits that the frozen copy is of.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

FROZEN = "test/rules/abi-1.txt"
HEADERS = "include/praxis"
# Made by a service with its size in it, or made by the broker alone: these may become longer.
GROW = ("px_service", "px_call")
# How many there are is not a promise.
COUNTS = re.compile(r"PX_\w*_COUNT$|PX_SERVICE_ABI$")

SKIPPED = 77

STRUCT = re.compile(r"^struct (px_\w+) \{\n(.*?)^\};", re.M | re.S)
ENUM = re.compile(r"^enum (px_\w+) \{\n(.*?)^\};", re.M | re.S)
DEFINE = re.compile(r"^#define (PX_\w+) +(\(?[^\n]*\w[^\n]*)$", re.M)
FUNCTION = re.compile(r"^PX_PUBLIC ((?:[^;{]|\n)*?);", re.M)


def without_comments(text):
	text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
	return text.replace("\\\n", " ")


def words(text):
	return " ".join(text.split())


def members(body):
	"""The declarations of a struct, those in its unions included: (name, declaration)."""
	body = re.sub(r"\b(?:union|struct) \{|^\s*\};?", "", body, flags=re.M)
	for declaration in body.split(";"):
		declaration = words(declaration)
		found = re.search(r"\(\*(?:const )?(\w+)\)", declaration) or \
			re.search(r"(\w+)(?:\[[^\]]*\])*$", declaration)
		if re.search(r",(?![^()]*\))", declaration):
			raise ValueError(f"each field is a declaration of its own here: {declaration}")
		if found:
			yield found[1], declaration


class Headers:
	def __init__(self, root, cc):
		self.root = root
		self.cc = cc
		self.paths = sorted(path for path in (root / HEADERS).glob("*.h"))
		self.texts = {path: without_comments(path.read_text()) for path in self.paths}

	def lines(self):
		"""What is to be frozen, in the order of the headers; sizes and values as the compiler has them."""
		wanted = []
		for path, text in self.texts.items():
			wanted += self.of(path, text)
		values = iter(self.ask([expression for _, expressions in wanted for expression in expressions]))
		return [form.format(*(next(values) for _ in expressions)) for form, expressions in wanted]

	@staticmethod
	def of(path, text):
		def plain(text):
			return text.replace("{", "{{").replace("}", "}}")

		for name, body in STRUCT.findall(text):
			yield f"struct {name} {{}}", [f"sizeof(struct {name})"]
			for member, declaration in members(body):
				yield f"struct {name} {{}} {{}} {plain(declaration)}", [
					f"offsetof(struct {name}, {member})", f"sizeof(((struct {name} *)0)->{member})"]
		for name, body in ENUM.findall(text):
			for each in body.split(","):
				each = each.split("=")[0].strip()
				if each and not COUNTS.match(each):
					yield f"enum {name} {each} {{}}", [each]
		for name, value in DEFINE.findall(text):
			if COUNTS.match(name) or not re.match(r"[(\d]|offsetof|PX_", value):
				continue
			# plugin.h needs libwebsockets, so its numbers are taken as they stand there.
			if path.name == "plugin.h":
				if re.fullmatch(r"\d+", value):
					yield f"define {name} {value}", []
			else:
				yield f"define {name} {{}}", [f"({name})"]
		for declaration in FUNCTION.findall(text):
			if not declaration.startswith("extern"):
				yield f"function {plain(words(declaration))}", []

	def has_frozen_sizes(self):
		return self.ask(["sizeof(void *)"]) == ["8"]

	def ask(self, expressions):
		"""What the compiler makes of these: integers as text."""
		includes = "".join(f"#include <praxis/{path.name}>\n" for path in self.paths if path.name != "plugin.h")
		prints = "".join(f'\tprintf("%lld\\n", (long long)({each}));\n' for each in expressions)
		source = f"#include <stddef.h>\n#include <stdio.h>\n{includes}int main(void)\n{{\n{prints}}}\n"
		with tempfile.TemporaryDirectory(prefix="praxis-abi-") as directory:
			program = os.path.join(directory, "abi")
			subprocess.run([*self.cc, "-std=c11", f"-I{self.root / 'include'}", "-xc", "-", "-o", program],
					input=source, text=True, check=True)
			return subprocess.run([program], capture_output=True, text=True, check=True).stdout.split()


def key(line):
	"""What a line is about; the rest is what may not change."""
	kind, rest = line.split(" ", 1)
	if kind == "function":
		return kind, re.search(r"(\w+)\(", rest)[1]
	parts = rest.split(" ")
	if kind == "struct" and len(parts) > 2:
		return kind, parts[0], next(name for name, _ in members(" ".join(parts[3:])))
	return kind, *parts[:-1]


def compare(frozen, now):
	"""Sentences about what differs."""
	of_now = {key(line): line for line in now}
	of_frozen = {key(line): line for line in frozen}
	for what, line in of_frozen.items():
		other = of_now.get(what)
		if other is None:
			yield f"is gone: {line}"
		elif other != line and not grew(line, other):
			yield f"differs: {line}\n         is now: {other}"
	for what, line in of_now.items():
		if what not in of_frozen:
			yield f"is new, and not in {FROZEN} yet (--write): {line}"


def grew(line, other):
	kind, name, *rest = line.split(" ")
	return kind == "struct" and name in GROW and len(rest) == 1 and int(other.split(" ")[2]) > int(rest[0])


def missing(library, lines):
	output = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True)
	exported = {line.split()[-1].split("@")[0] for line in output.stdout.splitlines()}
	for line in lines:
		if line.startswith("function ") and key(line)[1] not in exported:
			yield f"is not exported by {library}: {line}"


def main(arguments=None):
	parser = argparse.ArgumentParser(description="compares the public headers with a frozen copy")
	parser.add_argument("--cc", nargs="+", default=[os.environ.get("CC", "cc")])
	parser.add_argument("--library")
	parser.add_argument("--write", action="store_true")
	parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2])
	arguments = parser.parse_args(arguments)
	headers = Headers(arguments.root, arguments.cc)
	if not headers.has_frozen_sizes():
		return SKIPPED
	now = headers.lines()
	path = arguments.root / FROZEN
	if arguments.write:
		path.write_text("\n".join(now) + "\n")
		return 0
	faults = list(compare(path.read_text().splitlines(), now))
	if arguments.library:
		faults += missing(arguments.library, now)
	print("\n".join([*faults, f"{'not ok' if faults else 'ok'} - {len(now)} things of the service ABI"]))
	return 1 if faults else 0


if __name__ == "__main__":
	sys.exit(main())
