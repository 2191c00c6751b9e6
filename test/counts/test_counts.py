# SPDX-License-Identifier: MIT
"""That a regression is noticed: verdicts, and a scenario that does more than it did.

	PRAXIS_BUILD=DIR python3 -m unittest discover -s test/counts
"""

import os
import subprocess
import sys
import unittest

import counts

GCC = "x86_64, gcc 12.2.0, glibc 2.36, json-c 0.16, OpenSSL 3.0"
TABLE = {
	"x86_64, clang 14.0.6, glibc 2.36, json-c 0.16, OpenSSL 3.0": {"a": 900},
	GCC: {"a": 1000},
}


class Verdicts(unittest.TestCase):
	def verdict(self, count, toolchain=GCC, scenario="a"):
		row, tolerance = counts.row_for(TABLE, toolchain)
		return counts.verdict(scenario, count, row, tolerance).split(" - ")[0]

	def test_same_toolchain(self):
		self.assertEqual(self.verdict(1000), "ok")
		self.assertEqual(self.verdict(1050), "ok")
		self.assertEqual(self.verdict(1051), "not ok")
		self.assertEqual(self.verdict(10), "ok")

	def test_other_compiler_of_the_same_name(self):
		newer = GCC.replace("12.2.0", "14.2.0")
		self.assertEqual(counts.row_for(TABLE, newer), (TABLE[GCC], counts.ROUGH))
		self.assertEqual(self.verdict(1500, newer), "ok")
		self.assertEqual(self.verdict(1501, newer), "not ok")
		self.assertEqual(self.verdict(5000, newer, "b"), "skip")

	def test_other_machine(self):
		self.assertEqual(self.verdict(5000, GCC.replace("x86_64", "aarch64")), "skip")

	def test_new_scenario(self):
		self.assertEqual(self.verdict(5, scenario="b"), "not ok")

	def test_less_asks_for_an_update(self):
		self.assertIn("--update", counts.verdict("a", 900, TABLE[GCC], 5))
		self.assertNotIn("--update", counts.verdict("a", 960, TABLE[GCC], 5))


@unittest.skipUnless("PRAXIS_BUILD" in os.environ, "PRAXIS_BUILD names no build")
class Program(unittest.TestCase):
	def count(self, *words):
		program = os.path.join(os.environ["PRAXIS_BUILD"], "test/counts/counts")
		return counts.measure(program, *words)

	def test_same_each_time_and_more_for_more(self):
		once = self.count("pairs")
		self.assertEqual(once, self.count("pairs"))
		more = self.count("pairs", 10)
		self.assertTrue(counts.verdict("pairs", more, {"pairs": once}, 5).startswith("not ok"))
		little = self.count("pairs", 3)
		self.assertTrue(counts.verdict("pairs", little, {"pairs": once}, 5).startswith("ok"))

	def test_unknown_scenario(self):
		with self.assertRaises(counts.Failure):
			self.count("none-such")

	def test_exit_status(self):
		command = [sys.executable, counts.__file__, "--more", "60", os.environ["PRAXIS_BUILD"], "pairs"]
		run = subprocess.run(command, capture_output=True, text=True)
		self.assertEqual((run.returncode, "\nnot ok - pairs: " in run.stdout), (1, True))


if __name__ == "__main__":
	unittest.main()
