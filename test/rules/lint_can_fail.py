#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""That each check of scripts/lint can fail, as can the hook: in a tree with its configuration and
a few files of its own. Takes what scripts/test lint installs, so it is asked there and not with
the other rules. (What text.py asks is broken one by one by test_text.py.)"""

import json
import os
import pathlib
import shutil
import subprocess
import unittest

from small_tree import SmallTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPIED = [".clang-tidy", ".codespellrc", ".editorconfig", ".prettierrc.json", "eslint.config.mjs",
	"client/eslint.time.js", "client/package.json", "scripts/hooks/pre-commit", "scripts/lint",
	"test/rules/tap.py", "test/rules/text.py"]
C = "// SPDX-License-Identifier: MIT\nint main(void)\n{\n%s\treturn 0;\n}\n"
GOOD = {
	"server/a.c": C % ("\t;\n" * 50),
	"dashboard/src/a.ts": "// SPDX-License-Identifier: MIT\nexport const a = 'b';\n",
	"scripts/a": "#!/bin/sh\n# SPDX-License-Identifier: MIT\necho \"$1\"\n",
	"docs/a.md": "# A page\n",
}
BROKEN = {
	"text": [("server/a.c", C % "  \n")],
	"spelling": [("docs/a.md", "# The rec" "ieved\n"), ("server/a.c", C % ("\t/* te" "h */\n"))],
	"shell": [("scripts/a", GOOD["scripts/a"] + "rm $UNSET_$\n[ $1 == x ]\n")],
	"eslint": [("dashboard/src/a.ts", GOOD["dashboard/src/a.ts"] + more) for more in
		["let b;\n", "export const c = a == 'x';\n", "export const d = Date.now();\n"]]
		+ [("client/a.mjs", "undefined_function();\n")],
	"prettier": [("dashboard/src/a.ts", GOOD["dashboard/src/a.ts"] + "export const b = \"c\"\n")],
	"tidy": [("server/a.c", C % ("\t;\n" * 60)),
		("server/a.c", C % "\tlong n = 70000;\n\tfor (short i = 0; i < n; i++) {\n\t}\n"),
		("server/a.c", "int f(int a);\nint f(int b)\n{\n\treturn b;\n}\n" + C % ""),
		("server/a.c", "#include <string.h>\n" + C % "\tif (strcmp(\"a\", \"b\") == -1)\n\t\treturn 1;\n")],
}


class Lint(SmallTree):
	good = GOOD

	def setUp(self):
		super().setUp()
		for name in COPIED:
			(self.root / name).parent.mkdir(parents=True, exist_ok=True)
			shutil.copy(ROOT / name, self.root / name)
		(self.root / "client/node_modules").symlink_to(ROOT / "client/node_modules")
		self.write("build/compile_commands.json", json.dumps([{
			"directory": str(self.root), "command": "cc -c server/a.c", "file": "server/a.c"}]))

	def run_in_tree(self, *command):
		return subprocess.run(command, cwd=self.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
			text=True, check=False, env={**os.environ, "PRAXIS_BUILD": "build"})

	def is_version_of_ours(self, check):
		tool = {"spelling": ("codespell", "2.2."), "shell": ("shellcheck", "version: 0.9.")}.get(check)
		return not tool or tool[1] in self.run_in_tree(tool[0], "--version").stdout

	def test_a_good_tree(self):
		result = self.run_in_tree("scripts/lint")
		self.assertEqual(result.returncode, 0, result.stdout)
		self.assertEqual(result.stdout.count("ok - "), len(BROKEN), result.stdout)

	def test_each_check(self):
		for check, all_broken in BROKEN.items():
			for name, text in all_broken:
				with self.subTest(check=check, name=name, text=text):
					self.write(name, text)
					result = self.run_in_tree("scripts/lint", check)
					self.assertIn(pathlib.Path(name).name, result.stdout)
					if self.is_version_of_ours(check):
						self.assertEqual(result.returncode, 1, result.stdout)
						self.assertIn(f"not ok - {check}\n", result.stdout)
					else:
						self.assertIn("does not count", result.stdout)
					self.restore(name)

	def test_the_hook(self):
		git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgSign=false",
			"-c", "core.hooksPath=scripts/hooks"]
		self.run_in_tree("git", "init", "-q")
		self.write("docs/b.md", "# Not committed, \n")
		self.run_in_tree(*git, "add", "docs/a.md", "server", "dashboard")
		result = self.run_in_tree(*git, "commit", "-m", "good")
		self.assertEqual(result.returncode, 0, result.stdout)
		self.assertEqual(result.stdout.count("ok - "), len(BROKEN) - 1, result.stdout)
		self.write("docs/a.md", "# A page \n")
		self.run_in_tree(*git, "add", "docs/a.md")
		result = self.run_in_tree(*git, "commit", "-m", "broken")
		self.assertNotEqual(result.returncode, 0, result.stdout)
		self.assertIn("docs/a.md:1: blanks", result.stdout)
		self.assertNotIn("docs/b.md", result.stdout)


if __name__ == "__main__":
	unittest.main()
