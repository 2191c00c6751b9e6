#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""That each rule of include_law.py can fail: a small tree that keeps the law, broken in one way
a test, must be answered with file and line."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

LAW = pathlib.Path(__file__).with_name("include_law.py")

GOOD = {
	"include/praxis/types.h": "#include <stdint.h>\n",
	"include/praxis/plugin.h": "#include <libwebsockets.h>\n#include <praxis/types.h>\n"
		"#if LWS_PLUGIN_API_MAGIC >= 191\n#endif\n",
	"broker/outbound/queue.h": "#include <praxis/types.h>\n",
	"broker/outbound/queue.c": '#include "queue.h"\n#include <json-c/json.h>\n#include <string.h>\n'
		'/* time(NULL) and #include <time.h> */ // socket()\n'
		'static const char s[] = "time() switch (reason)"; void f(void) { host->time(&x); }\n',
	"broker/lws_adapter.c": "#include <praxis/plugin.h>\n#include <sys/socket.h>\n"
		"int f(int reason)\n{\n\tswitch (reason) {\n\t}\n\treturn send(0);\n}\n",
	"broker/bus/redis.c": "#include <hiredis/hiredis.h>\n#include <praxis/types.h>\n",
	"server/server.h": "#include <uv.h>\n#include <libwebsockets.h>\n",
	"server/main.c": '#include "server.h"\n#include "version.h"\n#include <openssl/evp.h>\n'
		"#include <time.h>\n#include <json-c/json.h>\n",
	"plugins/echo/echo.h": "#include <praxis/types.h>\n",
	"plugins/echo/echo.c": '#include "echo.h"\n#include <praxis/plugin.h>\n#include <json-c/json.h>\n',
	"plugins/chat/chat.h": "",
	"tools/praxisctl.c": "#include <praxis/types.h>\n",
	"test/bench/load.c": "#include <whatever.h>\n#include \"../../broker/outbound/queue.h\"\n",
}


class IncludeLaw(unittest.TestCase):
	def setUp(self):
		self.root = pathlib.Path(tempfile.mkdtemp(prefix="praxis-law-"))
		self.addCleanup(shutil.rmtree, self.root)
		for name, text in GOOD.items():
			self.write(name, text)

	def write(self, name, text):
		path = self.root / name
		path.parent.mkdir(parents=True, exist_ok=True)
		path.write_text(text, encoding="utf-8")

	def ask(self, *arguments):
		run = subprocess.run([sys.executable, LAW, *arguments, self.root], capture_output=True,
				text=True, check=False)
		return run.returncode, run.stdout + run.stderr

	def breaks(self, name, line, *, rule, says):
		"""Puts `line` before a file's others (or makes the file): line 1 must be named."""
		self.write(name, line + "\n" + GOOD.get(name, ""))
		code, output = self.ask()
		self.assertEqual(code, 1, output)
		self.assertIn(f"{name}:1: ", output)
		self.assertIn(says, output)
		self.assertIn(f"not ok - {rule}", output)
		self.assertEqual(output.count("not ok"), 1, output)

	def test_a_good_tree(self):
		code, output = self.ask()
		self.assertEqual(code, 0, output)

	def test_nothing_to_check(self):
		for name in GOOD:
			(self.root / name).unlink()
		self.assertEqual(self.ask()[0], 2)

	def test_includes(self):
		for name, header, says in [
			("include/praxis/types.h", "<libwebsockets.h>", "libwebsockets may not"),
			("include/praxis/types.h", "<praxis/plugin.h>", "brings libwebsockets"),
			("include/praxis/types.h", "<json-c/json.h>", "json-c may not"),
			("include/praxis/types.h", "\"plugin.h\"", "as <praxis/...>"),
			("include/praxis/types.h", "<praxis/nothing.h>", "no such public header"),
			("include/praxis/plugin.h", "<uv.h>", "libuv may not"),
			("broker/outbound/queue.c", "<libwebsockets.h>", "libwebsockets may not"),
			("broker/outbound/queue.c", "<praxis/plugin.h>", "brings libwebsockets"),
			("broker/outbound/queue.c", "<openssl/evp.h>", "openssl may not"),
			("broker/outbound/queue.c", "\"server.h\"", "its own folder"),
			("broker/outbound/queue.c", "\"../server/server.h\"", "its own folder"),
			("broker/outbound/queue.c", "<time.h>", "no clock and no sockets"),
			("broker/outbound/queue.h", "<sys/socket.h>", "no clock and no sockets"),
			("broker/outbound/queue.c", "<glib.h>", "neither libc nor a library"),
			("broker/outbound/queue.c", "HEADER", "name the header"),
			("broker/lws_adapter.c", "<uv.h>", "libuv may not"),
			("broker/bus/redis.c", "<libwebsockets.h>", "libwebsockets may not"),
			("server/main.c", "\"../broker/outbound/queue.h\"", "its own folder"),
			("server/main.c", "\"queue.h\"", "its own folder"),
			("server/main.c", "<hiredis/hiredis.h>", "hiredis may not"),
			("plugins/echo/echo.c", "<libwebsockets.h>", "libwebsockets may not"),
			("plugins/echo/echo.c", "\"../chat/chat.h\"", "its own folder"),
			("plugins/echo/echo.c", "\"chat.h\"", "its own folder"),
			("plugins/echo/echo.c", "\"server.h\"", "its own folder"),
			("plugins/echo/echo.c", "<uv.h>", "libuv may not"),
			("tools/praxisctl.c", "<libwebsockets.h>", "libwebsockets may not"),
			("somewhere/new.c", "<string.h>", "no rule for this folder"),
		]:
			with self.subTest(file=name, header=header):
				self.breaks(name, f"#include {header}", rule="includes", says=says)
			if name in GOOD:
				self.write(name, GOOD[name])
			else:
				(self.root / name).unlink()

	def test_a_header_that_brings_lws(self):
		self.write("include/praxis/more.h", "#include <praxis/plugin.h>\n")
		code, output = self.ask()
		self.assertEqual(code, 1)
		self.assertIn("include/praxis/more.h:1: ", output)

	def test_pure_broker(self):
		for call in ["clock_gettime(CLOCK_REALTIME, &t)", "time(NULL)", "socket(1, 2, 3)",
				"getrandom(b, 1, 0)", "write(1, b, 1)", "fopen(name, mode)", "lws_write(w)"]:
			with self.subTest(call=call):
				name = call.split("(", maxsplit=1)[0]
				self.breaks("broker/outbound/queue.c", f"int g(void) {{ return {call}; }}", rule="pure broker",
						says=f"{name}()")

	def test_plugins(self):
		self.breaks("plugins/echo/echo.c", "int g(void) { return lws_write(0); }", rule="plugins",
				says="lws_write")

	def test_a_second_switch(self):
		for line in ["void g(int reason) { switch (reason) { } }",
				"void g(int reason) { switch ((int)reason) { } }"]:
			self.breaks("server/main.c", line, rule="one switch", says="one of 2")

	def test_no_switch(self):
		self.write("broker/lws_adapter.c", "\n")
		code, output = self.ask()
		self.assertEqual(code, 1)
		self.assertIn("not ok - one switch", output)

	def test_lws_versions(self):
		self.breaks("server/main.c", "#if LWS_LIBRARY_VERSION_NUMBER > 4001006",
				rule="one lws version", says="alone")

	@unittest.skipUnless(shutil.which("cc"), "no C compiler")
	def test_symbols(self):
		build = self.root / "build"
		good = {
			"plugins/praxis_svc_echo.so": "int svc_echo;",
			"broker/libpraxis.so": "int px_thing;",
			"broker/libpraxis-core.a": "int px_thing;",
		}
		for name, text in good.items():
			self.compile(build / name, text)
		code, output = self.ask("--build", build)
		self.assertEqual(code, 0, output)
		for name, text, says in [
			("plugins/praxis_svc_echo.so", "int svc_echo, other;", "exports other, svc_echo"),
			("plugins/praxis_svc_echo.so", "int other;", "expected svc_echo alone"),
			("plugins/praxis_svc_echo.so", "int lws_write(void); __attribute__((visibility(\"hidden\")))"
				" int f(void) { return lws_write(); } int svc_echo;", "calls lws_write"),
			("broker/libpraxis.so", "int px_thing, thing;", "exports thing"),
			("broker/libpraxis-core.a", "#include <time.h>\nlong px_f(void) { return time(0); }",
				"calls time"),
			("broker/libpraxis-core.a", "int thing;", "no px_* in it"),
		]:
			with self.subTest(text=text):
				self.compile(build / name, text)
				code, output = self.ask("--build", build)
				self.assertEqual(code, 1, output)
				self.assertIn(f"{os.path.join('build', name)}: ", output)
				self.assertIn(says, output)
			self.compile(build / name, good[name])
		(build / "plugins/praxis_svc_echo.so").unlink()
		self.assertIn("is it built?", self.ask("--build", build)[1])

	def compile(self, path, text):
		path.parent.mkdir(parents=True, exist_ok=True)
		source = self.root / "test" / "source.c"
		source.write_text(text, encoding="utf-8")
		if path.suffix == ".so":
			subprocess.run(["cc", "-shared", "-fPIC", "-o", path, source], check=True)
			return
		path.unlink(missing_ok=True)
		member = path.with_suffix(".o")
		subprocess.run(["cc", "-c", "-o", member, source], check=True)
		subprocess.run(["ar", "rcs", path, member], check=True)


if __name__ == "__main__":
	unittest.main()
