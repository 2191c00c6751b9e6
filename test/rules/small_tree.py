#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the tests of the rules share: a small tree that keeps them, which a test breaks in one way."""

import contextlib
import io
import pathlib
import shutil
import tempfile
import unittest


class SmallTree(unittest.TestCase):
	good = {}  # name of a file: what is in it
	rules = None  # the module whose main() judges the tree

	def setUp(self):
		self.root = pathlib.Path(tempfile.mkdtemp(prefix="praxis-rules-"))
		self.addCleanup(shutil.rmtree, self.root)
		for name in self.good:
			self.restore(name)

	def write(self, name, content):
		path = self.root / name
		path.parent.mkdir(parents=True, exist_ok=True)
		path.write_bytes(content if isinstance(content, bytes) else content.encode())

	def restore(self, name):
		if name in self.good:
			self.write(name, self.good[name])
		else:
			(self.root / name).unlink()

	def ask(self, *arguments):
		"""In this process, since starting a hundred others takes most of a minute."""
		output = io.StringIO()
		with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
			code = self.rules.main([str(self.root), *(str(word) for word in arguments)])
		return code, output.getvalue()

	def breaks(self, name, content, *says):
		"""With that in this file one rule is broken, and the answer says so."""
		self.write(name, content)
		code, output = self.ask()
		self.assertEqual(code, 1, output)
		for text in says:
			self.assertIn(text, output)
		self.assertEqual(output.count("not ok"), 1, output)
		self.restore(name)
