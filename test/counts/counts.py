#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts the instructions of fixed scenarios (counts.c) and compares them with table.json.

	counts.py [--update] [--more PERCENT] [--profile DIR] BUILD [SCENARIO...]

BUILD is a release build with -Dtests=enabled. Prints a line for each scenario: "ok", "not ok", or
"skip" where there is nothing to compare with. Ends with 1 where one is not ok.

Valgrind's callgrind counts, so neither the clock nor other load matters: two runs have the same
count. It is a sum of the code that was measured and of what compiler and libraries made of it, so
table.json has a row for each toolchain. Of the same toolchain a scenario may take TOLERANCE percent
more. A toolchain that has no row is compared with the most similar one, and may take ROUGH percent
more: that still shows a loop that should not be there. Of another machine than those in the table
nothing is compared. What the processor can do does not matter: libraries are told to use none of
it beyond what each x86-64 has.

A scenario that takes less is ok, and a line asks for --update, which writes the row of this
toolchain: commit it with the change that gave it. --more lets a scenario do so much more; the tests
of this file show with it that a regression is noticed. --profile leaves what callgrind_annotate reads in DIR, as SCENARIO.1.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

TOLERANCE = 5
ROUGH = 50
TABLE = pathlib.Path(__file__).parent / "table.json"

# Variants of memcpy and of SHA-256 are chosen by what the processor has. Names that a libc does not
# know are ignored by it.
ENVIRONMENT = {
	"LANG": "C",
	"PATH": "/usr/bin:/bin",
	"GLIBC_TUNABLES": "glibc.cpu.hwcaps="
	+ ",".join("-" + name for name in "AVX AVX2 AVX512F AVX512VL AVX512BW AVX_Fast_Unaligned_Load BMI2 ERMS FSRM RTM SSE4_2 SSSE3".split()),
	"OPENSSL_ia32cap": "0:0",
}

# Where the stack begins depends on how long the program's name, its arguments and its environment are, and what
# copies and scans cost depends on where on the stack something is, by 3 %. So these are as long for each path.
STACK_BYTES = 4096


class Failure(Exception):
	"""A scenario could not be counted."""


def measure(program, scenario, more=0, out=None):
	"""The instructions of one scenario."""
	with tempfile.TemporaryDirectory() as scratch:
		out = out or os.path.join(scratch, "out")
		command = ["valgrind", "-q", "--tool=callgrind", "--toggle-collect=measured_*",
			"--toggle-collect=fake_on_*", "--zero-before=counting_begins", "--dump-before=counting_ends",
			"--callgrind-out-file=" + str(out), program, scenario, "--more", f"{more:03}"]
		environment = {**ENVIRONMENT, "PADDING": "x" * (STACK_BYTES - len(str(program)))}
		run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
		if run.returncode != 0:
			raise Failure(f"{scenario} ended with {run.returncode}: {run.stderr.strip()[-400:]}")
		with open(str(out) + ".1", encoding="utf-8") as file:
			total = re.search(r"^totals: (\d+)", file.read(), re.MULTILINE)
		if not total or int(total[1]) == 0:
			raise Failure(f"{scenario}: callgrind counted nothing")
		return int(total[1])


def row_for(table, toolchain):
	"""The row to compare with, and how many percent more are let through; (None, None): there is none."""
	if toolchain in table:
		return table[toolchain], TOLERANCE
	machine, compiler = toolchain.split(", ")[:2]
	alike = [row for name, row in table.items() if name.startswith(f"{machine}, {compiler.split()[0]} ")]
	alike += [row for name, row in table.items() if name.startswith(machine + ", ")]
	return (alike[0], ROUGH) if alike else (None, None)


def verdict(scenario, count, row, tolerance):
	"""A line that begins with ok, not ok or skip."""
	if row is None or (scenario not in row and tolerance == ROUGH):
		return f"skip - {scenario}: {count} instructions, and nothing to compare them with"
	if scenario not in row:
		return f"not ok - {scenario}: {count} instructions, and the table has no such scenario: --update"
	change = 100 * (count - row[scenario]) / row[scenario]
	text = f"{scenario}: {count} instructions, {change:+.1f} %"
	if change > tolerance:
		return f"not ok - {text}: {tolerance} % more than {row[scenario]} are let through"
	if change < -tolerance:
		return f"ok - {text}: keep it so, with --update"
	return f"ok - {text}"


def main():
	parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
	parser.add_argument("--update", action="store_true")
	parser.add_argument("--more", type=int, default=0)
	parser.add_argument("--profile", type=pathlib.Path)
	parser.add_argument("build")
	parser.add_argument("scenarios", nargs="*")
	options = parser.parse_args()
	program = os.path.join(options.build, "test/counts/counts")
	toolchain = subprocess.run([program, "--toolchain"], capture_output=True, text=True, check=True).stdout.strip()
	names = options.scenarios or subprocess.run([program], capture_output=True, text=True, check=True).stdout.split()
	table = json.loads(TABLE.read_text(encoding="utf-8"))
	row, tolerance = row_for(table, toolchain)
	print(f"# {toolchain}" + ("" if tolerance == TOLERANCE else ": the table has no row for it"))
	failed = False
	counts = {}
	for name in names:
		try:
			out = options.profile / name if options.profile else None
			counts[name] = measure(program, name, options.more, out)
			line = verdict(name, counts[name], row, tolerance)
		except (Failure, OSError, subprocess.TimeoutExpired) as error:
			line = f"not ok - {error}"
		failed = failed or line.startswith("not ok")
		print(line, flush=True)
	if options.update:
		table[toolchain] = {**table.get(toolchain, {}), **counts}
		TABLE.write_text(json.dumps(table, indent="\t", sort_keys=True) + "\n", encoding="utf-8")
		failed = len(counts) != len(names)
	return 1 if failed else 0


if __name__ == "__main__":
	sys.exit(main())
