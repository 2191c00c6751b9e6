#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""That each rule of text.py can fail, and leaves alone what is none of its business."""

import shutil
import unittest

import text
from small_tree import SmallTree

HEAD = "// SPDX-License-Identifier: MIT\n"
GOOD = {
	"a.c": HEAD + "/*\n * A star is one column behind.\n */\nint a(void)\n{\n"
		"\treturn b(\"" + "x" * 100 + "\",\n\t\t\tc);\n}\n",
	"b.h": HEAD,
	"c.mjs": HEAD + "const text = `\n    four\n`;\n" + "// " + "x" * 200 + "\n",
	"d.py": "#!/usr/bin/env python3\n# SPDX-License-Identifier: MIT\n\n\ndef d():\n\tpass\n",
	"e.md": "# A page\n\n1. one\n   two\n" + "x" * 200 + "\n",
	"run": "#!/usr/bin/env bash\n# SPDX-License-Identifier: MIT\n",
	"f.json": "{}\n",
	"LICENSE": "MIT  \n\n\n",
	"picture.png": "\x01  ",
	"client/package-lock.json": "{}",
	"client/test/apps/other/src/main.ts": "main();\n",
	"test/fuzz/corpus/http/a.json": "\x01 \r",
	"build-test/a.c": "no licence",
	"node_modules/a/index.mjs": "  no licence",
}


class Text(SmallTree):
	good = GOOD
	rules = text

	def breaks_end(self, name, more, rule, says):
		"""Puts `more` behind what the file has."""
		content = GOOD[name].encode()
		line = content.count(b"\n") + 1
		self.breaks(name, content + more, f"{name}:{line}: {says}", f"not ok - {rule}")

	def test_a_good_tree(self):
		code, output = self.ask()
		self.assertEqual(code, 0, output)
		self.assertIn("# 8 files\n", output)

	def test_nothing_to_check(self):
		shutil.rmtree(self.root)
		self.root.mkdir()
		self.assertEqual(self.ask()[0], 2)

	def test_given_files_alone(self):
		self.write("a.c", b"int a;\n")
		self.assertEqual(self.ask("b.h", "LICENSE", "gone.c")[0], 0)
		self.assertEqual(self.ask("b.h", "a.c")[0], 1)

	def test_encoding(self):
		rule = "UTF-8, no control characters"
		for more, says in [(b"\xff\n", "U+FFFD"), (b"int a;\r\n", "U+000D"), (b"\x0c\n", "U+000C"),
				("\u202e\n".encode(), "U+202E"), ("\u200b\n".encode(), "U+200B")]:
			for name in ("a.c", "c.mjs", "e.md", "f.json", "run"):
				if more != b"int a;\r\n" or name != "e.md":
					self.breaks_end(name, more, rule, says)

	def test_indentation(self):
		for more in (b"        int a;\n", b" int a;\n", b"\t  int a;\n", b"\t int *a;\n"):
			self.breaks_end("a.c", more, "tabs indent", "indented by spaces")

	def test_trailing(self):
		for name in ("a.c", "c.mjs", "d.py", "e.md", "run"):
			for more in (b"x \n", b"x\t\n", b"\t\nx\n"):
				self.breaks_end(name, more, "no blanks at the end of a line", "blanks at its end")

	def test_empty(self):
		for name in ("a.c", "c.mjs", "e.md", "run"):
			content = GOOD[name].encode()
			self.write(name, content + b"x\n\n\ny\n")
			code, output = self.ask()
			self.assertEqual(code, 1, output)
			self.assertIn(f"{name}:{content.count(10) + 3}: a second empty line", output)
			self.write(name, content)

	def test_end(self):
		for name in ("a.c", "d.py", "f.json", "run"):
			self.breaks_end(name, b"int a;", "a newline ends the file", "a file ends with")
			self.write(name, GOOD[name].encode() + b"\n")
			self.assertIn("a file ends with one newline", self.ask()[1])
			self.write(name, GOOD[name].encode())

	def test_words(self):
		name = "server/g.h"
		for more, says in [(b"/* an onlooker */\n", '"onlooker" is no word of the field: tail stream'),
				(b"int open_trail;\n", '"trail" is no word of the field: audit log'),
				(b"/* for those who rule */\n", '"those who rule" is no word of the field: server administrator'),
				(b"/* withTrail */\n", '"Trail" is no word of the field: audit log'),
				(b"/* enterAsNobody */\n", '"As_Nobody" is no word of the field: unauthenticated'),
				(b"int a = who.nobody;\n", '"nobody" is no word of the field: unauthenticated'),
				(b"/* It can not. */\n", '"can not" is no word of the field: cannot')]:
			self.write(name, HEAD.encode() + more)
			code, output = self.ask()
			self.assertEqual(code, 1, output)
			self.assertIn(f"{name}:2: {says}", output)
			self.assertIn("not ok - the field's words", output)
		for more in (b"/* trailing; \"trail_gap\"; `lane` */\n", b"stats->healed++;\n",
				b"/* nobody is there, which is as nobody's as it was */\n"):
			self.write(name, HEAD.encode() + more)
			self.assertEqual(self.ask()[0], 0, more)
		(self.root / name).unlink()
		for name, code in [("test/unit/g.h", 1), ("client/src/g.ts", 1), ("test/rules/g.py", 0),
				("test/plugins/earlier.c", 0)]:
			self.write(name, HEAD.encode() + b"// an onlooker\n")
			self.assertEqual(self.ask()[0], code, name)
			(self.root / name).unlink()

	def test_licence(self):
		for name in ("g.c", "g.h", "g.ts", "g.mjs", "g.py", "g.sh", "meson.build"):
			self.write(name, b"\n\n\n" + HEAD.encode())
			code, output = self.ask()
			self.assertEqual(code, 1, output)
			self.assertIn(f"{name}:1: nothing says SPDX", output)
			(self.root / name).unlink()
		self.write("run", b"#!/bin/sh\n")
		self.assertIn("run:1: nothing says SPDX", self.ask()[1])

	def test_conflict(self):
		for name in ("a.c", "c.mjs", "e.md", "run"):
			for more in (b"<" * 7 + b" HEAD\n", b"=" * 7 + b"\n", b">" * 7 + b" 1234567 (x)\n"):
				self.breaks_end(name, more, "no marks of a merge", "a mark that a merge left")

	def test_columns(self):
		exact = b"\t\t// " + b"x" * 89 + b"\n"
		self.write("a.c", GOOD["a.c"].encode() + exact)
		self.assertEqual(self.ask()[0], 0)
		for more in (b"\t\t// " + b"x" * 90 + b"\n", ("/" * 100 + "\u00fc\n").encode(),
				("/" * 99 + "\u4e16\n").encode(), b"\"\"" + b"/" * 99 + b"\n"):
			self.breaks_end("a.c", more, "100 columns", "101 columns")


if __name__ == "__main__":
	unittest.main()
