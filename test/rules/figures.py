#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How large the house is, and where it goes in circles.

	figures.py [--build DIR] [--arrows] [ROOT]

Prints, for the C of broker/, server/ and common/: files per folder; the largest headers, in lines
with all of the project's headers that they include; functions, by length; and circles, which are
strongly connected components: of areas by includes, of files by includes and, with --build, of
both by calls. A call is a symbol that one object needs and another defines, so a function whose
address is taken counts as called; calls of inline functions do not show. Objects for link-time
optimisation tell nothing: a build with -Db_lto=false is needed. With --arrows: for each circle of
areas its arrows, so that one sees which to cut. Changes nothing and judges nothing: areas.py does.
"""

import argparse
import collections
import os
import pathlib
import re
import statistics
import subprocess
import sys

COMPONENTS = ("broker", "server", "common")
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<(praxis/[^>]+)>)', re.MULTILINE)
LONGEST = 3  # how many of the largest are named


def circles(graph):
	"""Strongly connected components of more than one node, largest first (Tarjan's, with a stack)."""
	order, low, on_stack, stack, found = {}, {}, set(), [], []
	for root in sorted(graph):
		if root in order:
			continue
		work = [(root, iter(sorted(graph.get(root, ()))))]
		order[root] = low[root] = len(order)
		stack.append(root)
		on_stack.add(root)
		while work:
			node, targets = work[-1]
			for target in targets:
				if target not in order:
					order[target] = low[target] = len(order)
					stack.append(target)
					on_stack.add(target)
					work.append((target, iter(sorted(graph.get(target, ())))))
					break
				if target in on_stack:
					low[node] = min(low[node], order[target])
			else:
				work.pop()
				if work:
					low[work[-1][0]] = min(low[work[-1][0]], low[node])
				if low[node] == order[node]:
					component = []
					while not component or component[-1] != node:
						component.append(stack.pop())
						on_stack.discard(component[-1])
					if len(component) > 1:
						found.append(sorted(component))
	return sorted(found, key=lambda component: (-len(component), component))


class House:
	def __init__(self, root, build):
		self.root = root
		self.build = build
		self.files = sorted(path.relative_to(root).as_posix() for component in COMPONENTS
				for path in (root / component).glob("**/*") if path.suffix in (".c", ".h"))
		self.public = sorted(path.relative_to(root).as_posix()
				for path in (root / "include").glob("**/*.h"))
		self.text = {path: (root / path).read_text(encoding="utf-8")
				for path in self.files + self.public}
		self.includes = {path: self.find_includes(path) for path in self.text}

	def find_includes(self, path):
		found = set()
		for quoted, public in INCLUDE.findall(self.text[path]):
			places = ["include/" + public] if public else [
				os.path.join(os.path.dirname(path), quoted),
				os.path.join(path.split("/", maxsplit=1)[0], quoted), quoted]
			target = next((place for place in places if place in self.text), None)
			if target:
				found.add(target)
		return found

	def lines_with_includes(self, header):
		reached, todo = set(), [header]
		while todo:
			path = todo.pop()
			if path not in reached:
				reached.add(path)
				todo += self.includes[path]
		return sum(self.text[path].count("\n") for path in reached)

	def functions(self):
		"""Length in lines, name and file of each: from its first line to the brace that ends it."""
		found = []
		for path in self.files:
			lines = self.text[path].split("\n")
			for number, line in enumerate(lines):
				if line != "{":
					continue
				begin = number - 1
				while lines[begin].startswith("\t"):
					begin -= 1
				end = lines.index("}", number)
				name = re.search(r"(\w+)\(", lines[begin])
				found.append((end - begin + 1, name.group(1) if name else "?", path))
		return sorted(found)

	def calls(self):
		"""file → files whose functions or data it needs; {(file, file): names}."""
		owner, needs = {}, collections.defaultdict(set)
		for archive in sorted(self.build.glob("**/*.o")):
			path = self.source_of(archive)
			if not path:
				continue
			nm = subprocess.run(["nm", archive], capture_output=True, text=True, check=True)
			for words in (line.split() for line in nm.stdout.splitlines()):
				if len(words) == 3 and words[1] in "TDBRVW":
					owner[words[2]] = path
				elif len(words) == 2 and words[0] == "U":
					needs[path].add(words[1])
		if not owner:
			sys.exit(f"{self.build}: no objects of {', '.join(COMPONENTS)} in it that nm understands")
		arrows = collections.defaultdict(set)
		for path, names in needs.items():
			for name in names:
				if owner.get(name, path) != path:
					arrows[path, owner[name]].add(name)
		return arrows

	def source_of(self, built):
		"""meson: broker/libpraxis-core.a.p/channel_table.c.o is broker/channel/table.c."""
		component = built.relative_to(self.build).parts[0]
		flat = built.name[:-len(".o")].replace(".._", "../", 1)
		return next((path for path in self.files if component in COMPONENTS and path.endswith(".c")
				and flat == os.path.relpath(path, component).replace("/", "_").replace(".._", "../", 1)), None)


def by_area(arrows):
	found = collections.defaultdict(set)
	for (source, target), names in arrows.items():
		if os.path.dirname(source) != os.path.dirname(target):
			found[os.path.dirname(source), os.path.dirname(target)] |= {
				f"{source} → {target}: {name}" if name else f"{source} → {target}" for name in names}
	return found


def print_circles(what, arrows, explain):
	graph = collections.defaultdict(set)
	for source, target in arrows:
		graph[source].add(target)
	found = circles(graph)
	print(f"circles of {what}: " + (", ".join(str(len(component)) for component in found) or "none"))
	for component in found:
		print("  " + " ".join(component))
		for (source, target), names in sorted(arrows.items(), key=lambda item: len(item[1])):
			if explain and source in component and target in component:
				print(f"    {source} → {target}")
				print("".join(f"      {name}\n" for name in sorted(names)), end="")


def main():
	parser = argparse.ArgumentParser(description="how large the house is, and where it goes in circles")
	parser.add_argument("--build", type=pathlib.Path, help="a build directory without LTO: calls, too")
	parser.add_argument("--arrows", action="store_true", help="with what makes circles of areas")
	parser.add_argument("root", type=pathlib.Path, nargs="?",
			default=pathlib.Path(__file__).resolve().parents[2])
	arguments = parser.parse_args()
	house = House(arguments.root, arguments.build)

	folders = collections.Counter(os.path.dirname(path) for path in house.files)
	print(f"files: {len(house.files)} in {len(folders)} folders; most in one: " + ", ".join(
		f"{name} {count}" for name, count in folders.most_common(LONGEST)))
	doors = sorted(((house.lines_with_includes(path), path) for path in house.text
			if path.endswith(".h")), reverse=True)
	print("largest headers, in lines with what they include: " + ", ".join(
		f"{path} {lines}" for lines, path in doors[:LONGEST]))
	functions = house.functions()
	lengths = [length for length, _, _ in functions]
	print(f"functions: {len(lengths)}; lines: median {statistics.median_low(lengths)}, p90 "
		f"{lengths[len(lengths) * 9 // 10]}, longest {lengths[-1]} ({functions[-1][1]}, {functions[-1][2]})")

	includes = {(source, target): {""} for source in house.files for target in house.includes[source]
			if not target.startswith("include/")}
	print_circles("files by includes", includes, False)
	print_circles("areas by includes", by_area(includes), arguments.arrows)
	if arguments.build:
		calls = house.calls()
		print_circles("files by calls", calls, False)
		print_circles("areas by calls", by_area(calls), arguments.arrows)


if __name__ == "__main__":
	main()
