#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Says of each build of scripts/test by what it was made, and that nothing was warned of: with warnings as
errors, and without a line of a warning in its log (the linker's at link time are no errors).

	builds.py DIRECTORY
"""

import json
import pathlib
import re
import sys

WARNING = re.compile(r"\b(warning|error):|^ninja: build stopped", re.IGNORECASE)

COMPILER = re.compile(r"^C compiler for the host machine: .*?\((\w+ [\d.]+)", re.MULTILINE)


def asked(build, what):
	return json.loads((build / "meson-info" / f"intro-{what}.json").read_text())


def describe(build, log):
	options = {option["name"]: option["value"] for option in asked(build, "buildoptions")}
	# Meson tells it in its introspection only since 1.3.
	compiler = COMPILER.search((build / "meson-logs" / "meson-log.txt").read_text(errors="replace"))
	versions = {each["name"]: each["version"] for each in asked(build, "dependencies")}
	sanitizers = options["b_sanitize"]
	faults = [line for line in log.read_text(errors="replace").splitlines() if WARNING.search(line)]
	if not options["werror"]:
		faults.append("warnings are no errors here")
	print(f"{build.name}: {compiler[1] if compiler else 'unknown compiler'}, {options['buildtype']}"
		f"{'' if sanitizers in ('none', []) else ', sanitizers'}, libwebsockets "
		f"{versions.get('libwebsockets', '?')}, -Werror: {'no warnings' if not faults else 'warnings:'}")
	for line in faults:
		print(f"    {line}")
	return not faults


def main():
	directory = pathlib.Path(sys.argv[1])
	logs = sorted(directory.glob("log/build-*.log"))
	fine = [describe(directory / log.stem.removeprefix("build-"), log) for log in logs]
	if not fine:
		print(f"{directory}: nothing was built")
	return 0 if fine and all(fine) else 1


if __name__ == "__main__":
	sys.exit(main())
