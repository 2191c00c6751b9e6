#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""That abi.py notices each kind of change, and lets pass what the promise permits."""

import contextlib
import io
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import abi

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Abi(unittest.TestCase):
	def setUp(self):
		self.root = pathlib.Path(tempfile.mkdtemp(prefix="praxis-abi-"))
		self.addCleanup(shutil.rmtree, self.root)
		shutil.copytree(ROOT / "include", self.root / "include")
		(self.root / abi.FROZEN).parent.mkdir(parents=True)
		shutil.copy(ROOT / abi.FROZEN, self.root / abi.FROZEN)

	def change(self, header, before, after):
		path = self.root / abi.HEADERS / header
		text = path.read_text()
		self.assertIn(before, text)
		path.write_text(text.replace(before, after, 1))

	def ask(self, *more):
		output = io.StringIO()
		with contextlib.redirect_stdout(output):
			code = abi.main(["--root", str(self.root), *more])
		return code, output.getvalue()

	def breaks(self, *said):
		code, output = self.ask()
		self.assertEqual(code, 1, output)
		for sentence in said:
			self.assertIn(sentence, output)

	def test_fine(self):
		code, output = self.ask()
		self.assertEqual(code, 0, output)

	def test_knows_all_of_it(self):
		frozen = (self.root / abi.FROZEN).read_text()
		for line in ("struct px_service 160 8 const char *const *prefixes", "struct px_channel_kind 24 1 bool counted",
				"enum px_role PX_ROLE_ADMIN 8", "define PX_LWS_SESSION_BYTES 88", "function void px_broker_log("):
			self.assertIn(line, frozen)
		text = "".join(path.read_text() for path in (self.root / abi.HEADERS).glob("*.h"))
		self.assertEqual(text.count("PX_PUBLIC ") - text.count("#define PX_PUBLIC ") - text.count("PX_PUBLIC extern"),
				frozen.count("\nfunction ") + frozen.startswith("function "))

	def test_field_inserted(self):
		self.change("service.h", "const char *summary;", "int more;\n\tconst char *summary;")
		self.breaks("differs: struct px_service 16 8 const char *summary", "is new", "int more")

	def test_fields_swapped(self):
		self.change("option.h", "int64_t min;\n\tint64_t max;", "int64_t max;\n\tint64_t min;")
		self.breaks("differs: struct px_option 24 8 int64_t min", "differs: struct px_option 32 8 int64_t max")

	def test_type_of_the_same_size(self):
		self.change("channel.h", "uint32_t history_count;", "int32_t history_count;")
		self.breaks("differs: struct px_channel_limits 4 4 uint32_t history_count")

	def test_field_removed(self):
		self.change("service.h", "bool operates;", "")
		self.breaks("is gone: struct px_service 144 1 bool operates")

	def test_struct_that_services_make_grows(self):
		self.change("service.h", "bool acts;", "bool acts;\n\tvoid *more;")
		self.breaks("differs: struct px_command 40")

	def test_descriptor_may_grow(self):
		self.change("service.h", "const char *const *prefixes;", "const char *const *prefixes;\n\tvoid *more;")
		code, output = self.ask()
		self.assertEqual(code, 1, output)
		self.assertNotIn("differs", output)
		self.assertIn("is new, and not in test/rules/abi-1.txt yet (--write): struct px_service 168 8 void *more", output)
		self.assertEqual(self.ask("--write")[0], 0)
		self.assertEqual(self.ask()[0], 0)

	def test_enumerator_moved(self):
		self.change("types.h", "PX_E_BAD_JSON,\n", "PX_E_WORSE,\n\tPX_E_BAD_JSON,\n")
		self.breaks("differs: enum px_error PX_E_BAD_JSON 0", "is new")

	def test_constant(self):
		self.change("plugin.h", "#define PX_LWS_SESSION_BYTES 88", "#define PX_LWS_SESSION_BYTES 96")
		self.change("types.h", "#define PX_ID_MAX 128", "#define PX_ID_MAX 64")
		self.breaks("differs: define PX_LWS_SESSION_BYTES 88", "differs: define PX_ID_MAX 128")

	def test_function(self):
		self.change("session.h", "enum px_close code);", "unsigned code);")
		self.change("alarm.h", "PX_PUBLIC void px_alarm_stop(struct px_alarm *alarm);", "")
		self.breaks("is gone: function void px_alarm_stop", "differs: function void px_session_close")

	def test_not_exported(self):
		library = self.root / "lib.so"
		source = "int px_span_equal(void) { return 0; }"
		subprocess.run(["cc", "-shared", "-fPIC", "-xc", "-", "-o", library], input=source, text=True, check=True)
		code, output = self.ask("--library", str(library))
		self.assertEqual(code, 1)
		self.assertIn("is not exported by", output)
		self.assertNotIn("function bool px_span_equal", output)


if __name__ == "__main__":
	unittest.main()
