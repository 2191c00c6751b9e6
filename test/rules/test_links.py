#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""That each rule of links.py can fail, and that it takes for a link what is one."""

import unittest

import links
from small_tree import SmallTree

GOOD = {
	"README.md": "# A `house`, *drawn*\n\n[docs](docs/a.md#two-words), [here](#a-house-drawn),\n"
		"![picture](docs/a.png) [![badge](docs/a.png)](docs/a.md) [far](https://example.org/x.md#y)\n",
	"docs/a.md": "# One\n\n## Two words\n\n## Two words\n\n[up](../README.md) [again](#two-words-1)\n"
		"[folder](../src) `[code](nowhere.md)`\n\n```md\n[fence](nowhere.md)\n# Fenced\n```\n\n"
		"    [indented](nowhere.md)\n\n[a link over\ntwo lines](a.md#6-names-and-what-they-are)\n\n"
		"## 6. Names, and \"what\" they are\n",
	"docs/a.png": "",
	"test/e2e/lib/documented.json": '{"docs/a.md": [["[fence]", "src/a.c"], [{"pattern": "^.ind"}, {"reason": "none"}]]}',
	"src/a.c": "/* See docs/a.md. */\n",
	"node_modules/a/README.md": "[gone](nowhere.md)\n",
}


class Links(SmallTree):
	good = GOOD
	rules = links

	def test_a_good_tree(self):
		code, output = self.ask()
		self.assertEqual(code, 0, output)
		self.assertEqual(output.count("ok - "), 3, output)

	def test_nothing_to_check(self):
		for name in ("README.md", "docs/a.md"):
			(self.root / name).unlink()
		self.assertEqual(self.ask()[0], 2)

	def test_links(self):
		for name, line, says in [
			("README.md", "[x](docs/b.md)", "README.md:1: docs/b.md: there is no such file"),
			("README.md", "![x](docs/b.png)", "README.md:1: docs/b.png: there is no such file"),
			("README.md", "[![x](docs/b.png)](docs/a.md)", "docs/b.png: there is no such file"),
			("README.md", "[x](#house)", "README.md:1: #house: README.md has no heading"),
			("README.md", "[over\nlines](docs/a.md#three)", "README.md:2: docs/a.md#three: a.md has no"),
			("docs/a.md", "[x](README.md)", "docs/a.md:1: README.md: there is no such file"),
			("docs/a.md", "[x](#two-words-2)", "#two-words-2: a.md has no heading"),
			("docs/a.md", "[x](#fenced)", "#fenced: a.md has no heading"),
			("docs/a.md", "[x](../src/a.c#L1)", "only Markdown has anchors"),
		]:
			with self.subTest(line=line):
				self.breaks(name, line + "\n\n" + GOOD[name], says)

	def test_pages_in_sources(self):
		self.breaks("src/a.c", "\n// docs/b.md, section 2\n", "src/a.c:2: docs/b.md: there is no such file")

	def test_blocks(self):
		table = "test/e2e/lib/documented.json"
		rows = GOOD[table]
		for name, content, says in [
			("README.md", GOOD["README.md"] + "\n    new\n", "README.md:6: this block has no row in " + table),
			("README.md", GOOD["README.md"] + "\n```\nnew\n```\n", "README.md:7: this block has no row in " + table),
			("README.md", GOOD["README.md"] + "\n- a list\n\n      new\n", "README.md:8: this block has no row"),
			(table, rows.replace("[fence]", "[other]"), "docs/a.md has no block any more that begins with [other]"),
			(table, rows.replace("src/a.c", "src/b.c"), "docs/a.md: [fence]: there is no src/b.c"),
			(table, rows.replace("none", ""), "there is no {'reason': ''}"),
			(table, rows.replace("docs/a.md", "other.md"), "there is no other.md"),
		]:
			with self.subTest(says=says):
				self.breaks(name, content, says)


if __name__ == "__main__":
	unittest.main()
