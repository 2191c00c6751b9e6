#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""embed.py NAME IN OUT: a JSON file, without its blanks, as the text NAME of a C header."""

import json
import sys

WIDTH = 88

name, source, target = sys.argv[1:]
with open(source, encoding="utf-8") as file:
	text = json.dumps(json.load(file), separators=(",", ":"), ensure_ascii=True)
escaped = [text[i:i + WIDTH].replace("\\", "\\\\").replace('"', '\\"')
	for i in range(0, len(text), WIDTH)]
with open(target, "w", encoding="ascii") as file:
	file.write(f"/* Made of {source.rsplit('/', 1)[-1]} by scripts/embed.py. */\n")
	file.write(f"static const char {name}[] =\n")
	file.write("".join(f'\t\t"{line}"\n' for line in escaped))
	file.write("\t\t;\n")
