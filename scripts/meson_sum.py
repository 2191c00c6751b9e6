#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Adds up what a run of `meson test` said, from its testlog.json: the single checks of each
program where it tells them (libcheck does), else the program. Prints "PASSED FAILED"."""

import json
import re
import sys

passed = failed = 0
with open(sys.argv[1], encoding="utf-8") as log:
	for line in log:
		test = json.loads(line)
		checks = re.findall(r"Checks: (\d+), Failures: (\d+), Errors: (\d+)", test.get("stdout") or "")
		bad = sum(int(failures) + int(errors) for _, failures, errors in checks)
		fine = test["result"] == "OK"
		passed += sum(int(ran) for ran, _, _ in checks) - bad if checks else fine
		# One that ends badly after good checks (a leak, say) has failed once.
		failed += max(bad, not fine)
print(passed, failed)
