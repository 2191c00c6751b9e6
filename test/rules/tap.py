#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How the rules answer: in TAP, which people can read and meson counts."""


def report(rules):
	"""Takes pairs of a rule's name and its offences; 1 if any rule is broken, else 0."""
	count = broken = 0
	for name, offences in rules:
		count += 1
		broken += bool(offences)
		for offence in offences:
			print(f"# {offence}")
		print(f"{'not ok' if offences else 'ok'} - {name}")
	print(f"1..{count}")
	return 1 if broken else 0
