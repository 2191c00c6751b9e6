#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""embed.py OUT NAME=FILE...: files as the texts NAME of a C header; JSON without its blanks, Lua without comments."""

import json
import pathlib
import sys

WIDTH = 88


def text_of(path):
	text = path.read_text(encoding="utf-8")
	if path.suffix == ".json":
		return json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=True)
	lines = (line.strip() for line in text.split("\n"))
	return "".join(line + "\n" for line in lines if line and not line.startswith("--"))


def pieces(text):
	for line in text.splitlines(keepends=True):
		for i in range(0, len(line), WIDTH):
			yield line[i:i + WIDTH].replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


target, *sources = sys.argv[1:]
with open(target, "w", encoding="ascii") as file:
	for source in sources:
		name, path = source.split("=", 1)
		path = pathlib.Path(path)
		file.write(f"/* Made of {path.name} by scripts/embed.py. */\n")
		file.write(f"static const char {name}[] =\n")
		file.write("".join(f'\t\t"{piece}"\n' for piece in pieces(text_of(path))))
		file.write("\t\t;\n")
