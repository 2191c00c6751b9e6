#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whether every link of the documentation leads somewhere.

	links.py [ROOT]

Checks the relative links of every Markdown file: the file exists, and where the link has an
anchor, the file has that heading. Checks also that each docs/*.md that a source file names
exists, and that each block of commands, code or output in the documentation has a row in
test/e2e/lib/documented.json: [what it begins with, or {"pattern"}, the test that sees to it that it
is true, or {"reason"} why none does]. Anchors are made from headings as GitHub makes them. Links to other hosts are not
followed: a test must not depend on the network. Prints file:line of every offence, then a line
for each rule; exit code 1 if a rule is broken, 2 if there is nothing to check.
"""

import functools
import json
import os
import pathlib
import re
import sys
import textwrap

from tap import report

SKIPPED = re.compile(r"\..+|node_modules|dist|build.*")
SOURCES = (".c", ".h", ".js", ".json", ".mjs", ".py", ".ts", ".tsx", ".1", ".8", ".sh")
FENCE = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?<=\n\n)(?:(?: {4}|\t)[^\n]*\n)+")
CODE = re.compile(r"(?<!`)(`+)(?!`)[^\n]*?(?<!`)\1(?!`)")
LINK = re.compile(r"!?\[(?:[^\[\]]|!?\[[^\[\]]*\]\([^()\s]*\))*\]\(\s*<?([^()\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
HEADING = re.compile(r"^#{1,6} +(.*?)(?: +#+)?$", re.MULTILINE)
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)
DOCUMENTED = "test/e2e/lib/documented.json"
PAGE_IN_SOURCE = re.compile(r"(?<![\w./-])docs/[\w-]+\.md\b")


def blank(match):
	"""The same number of characters and lines, so that positions stay."""
	return re.sub(r"[^\n]", " ", match.group())


def anchor_of(heading):
	"""What GitHub makes of a heading: markup and punctuation go, blanks become hyphens."""
	text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
	text = re.sub(r"(?<!\w)[*_]+|[*_]+(?!\w)", "", text)
	return re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")


@functools.lru_cache(maxsize=None)
def anchors_of(path):
	seen = {}
	result = set()
	for heading in HEADING.findall(FENCE.sub(blank, path.read_text(encoding="utf-8"))):
		anchor = anchor_of(heading)
		count = seen.get(anchor, 0)
		seen[anchor] = count + 1
		result.add(f"{anchor}-{count}" if count else anchor)
	return result


def links_of(text):
	"""Each link with its line. Code is passed over: what looks like a link there is none."""
	text = FENCE.sub(blank, text)
	text = INDENTED.sub(blank, text)
	text = CODE.sub(blank, text)
	for match in LINK.finditer(text):
		yield text.count("\n", 0, match.start(1)) + 1, match.group(1)
		for inner in LINK.finditer(text, match.start() + 1, match.end()):
			yield text.count("\n", 0, inner.start(1)) + 1, inner.group(1)


def fault_of(page, link):
	"""What is wrong with a link of that page, or None."""
	if ELSEWHERE.match(link):
		return None
	file, _, anchor = link.partition("#")
	target = page if file == "" else pathlib.Path(os.path.normpath(page.parent / file))
	if not target.exists():
		return f"{link}: there is no such file"
	if anchor and target.suffix != ".md":
		return f"{link}: only Markdown has anchors"
	if anchor and anchor not in anchors_of(target):
		return f"{link}: {target.name} has no heading with that anchor"
	return None


def files_of(root):
	for folder, folders, names in os.walk(root):
		folders[:] = sorted(name for name in folders if not SKIPPED.fullmatch(name))
		for name in sorted(names):
			yield pathlib.Path(folder) / name


def check_pages(root, pages):
	for page in pages:
		for line, link in links_of(page.read_text(encoding="utf-8")):
			fault = fault_of(page, link)
			if fault:
				yield f"{page.relative_to(root)}:{line}: {fault}"


def check_sources(root, sources):
	for source in sources:
		text = source.read_text(encoding="utf-8", errors="replace")
		for match in PAGE_IN_SOURCE.finditer(text):
			if not (root / match.group()).exists():
				line = text.count("\n", 0, match.start()) + 1
				yield f"{source.relative_to(root)}:{line}: {match.group()}: there is no such file"


def blocks_of(text):
	"""The blocks of a page, fenced or indented, as test/e2e/lib/blocks.mjs finds them: line, text."""
	lines = text.split("\n")
	block = None
	fence = False
	for at, line in enumerate([*lines, ""]):
		is_fence = line.startswith("```")
		fence ^= is_fence
		is_indented = line.startswith("    ") and (block is not None or lines[at - 1] == "")
		if (not is_fence) if fence else is_indented:
			block = block or (at + 1, [])
			block[1].append(line)
		elif block and not fence and line == "" and at + 1 < len(lines) and lines[at + 1].startswith("    "):
			block[1].append("")
		elif block:
			yield block[0], textwrap.dedent("\n".join(block[1]))
			block = None


def is_documentation(page):
	"""Of this project, and for its readers."""
	return page.parts[0] not in ("test", "debian") and page.parts[:2] != ("client", "test") and \
		page.name != "CHANGELOG.md"


def check_blocks(root, pages):
	path = root / DOCUMENTED
	table = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
	names = {page.relative_to(root).as_posix(): page for page in pages}
	yield from (f"{DOCUMENTED}: there is no {name}" for name in table if name not in names)
	for name, page in names.items():
		if not is_documentation(page.relative_to(root)):
			continue
		rows = table.get(name, [])
		used = set()
		for line, text in blocks_of(page.read_text(encoding="utf-8")):
			row = next((at for at, (begins, _) in enumerate(rows) if begins_with(text, begins)), None)
			if row is None:
				yield f"{name}:{line}: this block has no row in {DOCUMENTED}, with the test that runs it"
			used.add(row)
		for at, (begins, who) in enumerate(rows):
			if at not in used:
				yield f"{DOCUMENTED}: {name} has no block any more that begins with {begins}"
			if not (who.get("reason") if isinstance(who, dict) else (root / who).exists()):
				yield f"{DOCUMENTED}: {name}: {begins}: there is no {who}"


def begins_with(text, begins):
	return re.match(begins["pattern"], text) is not None if isinstance(begins, dict) else text.startswith(begins)


def main(arguments):
	root = pathlib.Path(arguments[0] if arguments else ".").resolve()
	files = list(files_of(root))
	pages = [file for file in files if file.suffix == ".md"]
	# This rule's own tests name pages that must not exist.
	sources = [file for file in files
		if file.suffix in SOURCES and file.parent != root / "test" / "rules"]
	if not pages:
		print(f"{root}: no Markdown files", file=sys.stderr)
		return 2
	anchors_of.cache_clear()
	return report([
		("every relative link and anchor resolves", list(check_pages(root, pages))),
		("every page that a source file names exists", list(check_sources(root, sources))),
		("every block of the documentation is run, or listed with a reason", list(check_blocks(root, pages))),
	])


if __name__ == "__main__":
	sys.exit(main(sys.argv[1:]))
