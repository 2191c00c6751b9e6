#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""That each rule of areas.py can fail: a small tree that keeps the law, broken in one way a test,
must be answered with file and line."""

import os
import shutil
import subprocess
import unittest

import areas
from small_tree import SmallTree

TABLES = "docs/architecture.md"

GOOD = {
	TABLES: """# Architecture

| area | its one duty | doors | may open | libraries |
|---|---|---|---|---|
| `include/praxis/plugin.h` | the macro | – | – | `libwebsockets` |
| `include/praxis` | the contract | – | `include/praxis/host` | – |
| `include/praxis/host` | for hosts | – | `include/praxis` | – |
| `common` | both | `chain.h` | – | `openssl` |
| `broker/lws_adapter.c` | the switch | – | – | `json-c` `libwebsockets` |
| `broker` | the broker | `broker.h` | `broker/outbound` | `json-c` `pure` |
| `broker/outbound` | queues | `queue.h` | `broker` | `json-c` `pure` |
| `server` | the host | `server.h` | `server/net` `common` `include/praxis/host` | `json-c` `libwebsockets` `libuv` `openssl` |
| `server/net` | sockets | `limiter.h` | `server` | `libuv` |
| `server/net/value` | parts | – | `server/net` | – |
| `server/net/tls.c` | TLS | – | `server/net` | `openssl` |
| `plugins/*` | services | – | – | `json-c` `praxis/plugin.h` |
| `tools` | praxisctl | – | `common` | `json-c` |
| `client/src` | the package | – | – | `react` |
| `pages` | both pages | – | – | – |
| `demo/src` | the demonstration | – | `pages` | `praxis-client` |

| both ways | why |
|---|---|
| `include/praxis` `include/praxis/host` | old paths |
| `broker` `broker/outbound` | the tree is small |
| `server` `server/net` | likewise |

| function | who may call it | why |
|---|---|---|
| `px_channel_find` | `broker/outbound/queue.c` | asks nobody |
""",
	"include/praxis/types.h": "#include <stdint.h>\n",
	"include/praxis/host/host.h": "#include <praxis/types.h>\n",
	"include/praxis/host.h": "#include <praxis/host/host.h>\n",
	"include/praxis/plugin.h": "#include <libwebsockets.h>\n#include <praxis/types.h>\n"
		"#if LWS_PLUGIN_API_MAGIC >= 191\n#endif\n",
	"common/chain.h": "",
	"common/chain_internal.h": "",
	"broker/broker.h": '#include "outbound/queue.h"\n',
	"broker/broker.c": '#include "broker.h"\n',
	"broker/outbound/queue.h": "#include <praxis/types.h>\n",
	"broker/outbound/ring.h": "",
	"broker/outbound/queue.c": '#include "queue.h"\n#include "ring.h"\n#include "broker.h"\n'
		'#include <json-c/json.h>\n#include <string.h>\n'
		'/* time(NULL) and #include <time.h> */ // socket()\n'
		'static const char s[] = "time() switch (reason)"; void f(void) { host->time(&x); }\n'
		"\tpx_channel_find(NULL);\n",
	"broker/lws_adapter.c": "#include <praxis/plugin.h>\n#include <sys/socket.h>\n"
		"int f(int reason)\n{\n\tswitch (reason) {\n\t}\n\treturn send(0);\n}\n",
	"server/server.h": "#include <uv.h>\n#include <libwebsockets.h>\n#include \"net/limiter.h\"\n",
	"server/main.c": '#include "server.h"\n#include "version.h"\n#include "common/chain.h"\n'
		"#include <openssl/evp.h>\n#include <praxis/host/host.h>\n#include <time.h>\n#include <json-c/json.h>\n",
	"server/net/limiter.h": "",
	"server/net/limiter.c": '#include "limiter.h"\n#include "server.h"\n#include <uv.h>\n',
	"server/net/net_internal.h": "",
	"server/net/value/value.c": '#include "net/net_internal.h"\n',
	"server/net/tls.c": "#include <openssl/ssl.h>\n",
	"plugins/echo/echo.h": "#include <praxis/types.h>\n",
	"plugins/echo/echo.c": '#include "echo.h"\n#include <praxis/plugin.h>\n#include <json-c/json.h>\n',
	"plugins/chat/chat.h": "",
	"tools/praxisctl.c": "#include <praxis/types.h>\n",
	"test/bench/load.c": "#include <whatever.h>\n#include \"../../broker/outbound/queue.h\"\n",
	"client/src/index.ts": "import { a } from './a.js';\n",
	"client/src/a.ts": "import { useState } from 'react';\nexport type T = 'joining' | 'left';\n",
	"pages/dom.ts": "",
	"demo/src/main.ts": "import { a } from 'praxis-client';\nimport {\n\tb,\n} from '../../pages/dom.js';\n",
}


class Areas(SmallTree):
	good = GOOD
	rules = areas

	def breaks_first_line(self, name, line, *, rule, says):
		"""Puts `line` before a file's others (or makes the file): line 1 must be named."""
		self.breaks(name, line + "\n" + GOOD.get(name, ""), f"{name}:1: ", says, f"not ok - {rule}")

	def test_a_good_tree(self):
		code, output = self.ask()
		self.assertEqual(code, 0, output)

	def test_nothing_to_check(self):
		for name in GOOD:
			if name.endswith((".c", ".h")):
				(self.root / name).unlink()
		self.assertEqual(self.ask()[0], 2)

	def test_no_table(self):
		for text, says in [
			("", "expected one table"),
			(GOOD[TABLES].replace("| function |", "| procedure |"), "| function |"),
			(GOOD[TABLES].replace(" | the macro | – | – |", " | the macro |"), "5 columns"),
		]:
			with self.subTest(says=says):
				self.write(TABLES, text)
				code, output = self.ask()
				self.assertEqual(code, 2, output)
				self.assertIn(says, output)

	def test_table(self):
		for old, new, says in [
			("| – | `pages` | `praxis-client` |", "| – | `page` | `praxis-client` |", "page, which has no row"),
			("`limiter.h` |", "`limit.h` |", "server/net has no limit.h"),
			("| `pages` | both", "| `paper` | both", "paper does not exist"),
			("| `chain.h` |", "| `chain_internal.h` |", "is no door"),
			("| `pages` | both", "| `client/src` | both", "client/src has two rows"),
			("`broker/outbound/queue.c` | asks", "`broker/none.c` | asks", "there is no broker/none.c"),
			("| `server` `server/net` | likewise |\n", "", "server, server/net: open each other in a circle"),
			("| `chain.h` | – |", "| `chain.h` | `tools` |", "common, tools: open each other in a circle"),
			("| `pages` | both pages | – | – |", "| `pages` | both pages | – | `demo/src` |",
				"demo/src, pages: open each other in a circle"),
			("`broker` `broker/outbound` | the", "`broker` `common` | the", "broker, common: are no two areas"),
		]:
			with self.subTest(says=says):
				self.assertIn(old, GOOD[TABLES])
				self.write(TABLES, GOOD[TABLES].replace(old, new))
				code, output = self.ask()
				self.assertEqual(code, 1, output)
				self.assertIn("not ok - table", output)
				self.assertIn(says, output)

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
			("broker/outbound/queue.c", "\"server/server.h\"", "broker/outbound may not open server"),
			("broker/outbound/queue.c", "\"common/chain.h\"", "broker/outbound may not open common"),
			("broker/outbound/queue.c", "\"../broker.h\"", "without .."),
			("broker/outbound/queue.c", "\"nothing.h\"", "no such header"),
			("broker/outbound/queue.c", "<time.h>", "no clock and no sockets"),
			("broker/outbound/queue.h", "<sys/socket.h>", "no clock and no sockets"),
			("broker/outbound/queue.c", "<glib.h>", "neither libc nor a library"),
			("broker/outbound/queue.c", "HEADER", "name the header"),
			("broker/broker.c", "\"outbound/ring.h\"", "is private to broker/outbound"),
			("broker/lws_adapter.c", "<uv.h>", "libuv may not"),
			("server/main.c", "\"broker/outbound/queue.h\"", "server may not open broker/outbound"),
			("server/main.c", "\"common/chain_internal.h\"", "is private to common"),
			("server/main.c", "<hiredis/hiredis.h>", "hiredis may not"),
			("server/main.c", "\"net/net_internal.h\"", "is private to server/net"),
			("server/net/value/value.c", "\"server.h\"", "server/net/value may not open server"),
			("server/net/limiter.c", "<openssl/ssl.h>", "openssl may not"),
			("server/net/tls.c", "<uv.h>", "libuv may not"),
			("server/net/limiter.c", "\"common/chain.h\"", "server/net may not open common"),
			("plugins/echo/echo.c", "<libwebsockets.h>", "libwebsockets may not"),
			("plugins/echo/echo.c", "<praxis/host/host.h>", "is for hosts"),
			("plugins/echo/echo.c", "<praxis/host.h>", "is for hosts"),
			("plugins/echo/echo.c", "\"../chat/chat.h\"", "without .."),
			("plugins/echo/echo.c", "\"chat/chat.h\"", "is private to plugins"),
			("plugins/echo/echo.c", "\"server/server.h\"", "plugins/* may not open server"),
			("plugins/echo/echo.c", "<uv.h>", "libuv may not"),
			("tools/praxisctl.c", "<libwebsockets.h>", "libwebsockets may not"),
			("somewhere/new.c", "<string.h>", "has no row"),
		]:
			with self.subTest(file=name, header=header):
				self.breaks_first_line(name, f"#include {header}", rule="includes", says=says)

	def test_a_header_that_brings_lws(self):
		self.write("include/praxis/more.h", "#include <praxis/plugin.h>\n")
		code, output = self.ask()
		self.assertEqual(code, 1)
		self.assertIn("include/praxis/more.h:1: ", output)

	def test_guarded_functions(self):
		for name in ["broker/broker.c", "server/main.c", "plugins/echo/echo.c"]:
			with self.subTest(file=name):
				self.breaks_first_line(name, "\treturn px_channel_find(broker);", rule="guarded functions",
						says="only broker/outbound/queue.c may call it")

	def test_imports(self):
		for name, line, says in [
			("demo/src/main.ts", "import { x } from '../../client/src/index.js';", "may not open client/src"),
			("demo/src/main.ts", "import { x } from 'praxis-client/react';", "may not import it"),
			("demo/src/main.ts", "import { x } from 'lodash';", "may not import it"),
			("demo/src/main.ts", "const x = await import('../../client/src/a.js');", "may not open client/src"),
			("client/src/a.ts", "} from '../../pages/dom.js';", "may not open pages"),
			("client/src/a.ts", "import 'node:fs';", "run in browsers"),
			("pages/dom.ts", "export { x } from '../demo/src/main.js';", "may not open demo/src"),
		]:
			with self.subTest(line=line):
				self.breaks_first_line(name, line, rule="imports", says=says)

	def test_pure_broker(self):
		for call in ["clock_gettime(CLOCK_REALTIME, &t)", "time(NULL)", "socket(1, 2, 3)",
				"getrandom(b, 1, 0)", "write(1, b, 1)", "fopen(name, mode)", "lws_write(w)"]:
			with self.subTest(call=call):
				name = call.split("(", maxsplit=1)[0]
				self.breaks_first_line("broker/outbound/queue.c", f"int g(void) {{ return {call}; }}", rule="pure broker",
						says=f"{name}()")

	def test_plugins(self):
		self.breaks_first_line("plugins/echo/echo.c", "int g(void) { return lws_write(0); }", rule="plugins",
				says="lws_write")

	def test_a_second_switch(self):
		for line in ["void g(int reason) { switch (reason) { } }",
				"void g(int reason) { switch ((int)reason) { } }"]:
			self.breaks_first_line("server/main.c", line, rule="one switch", says="one of 2")

	def test_no_switch(self):
		self.write("broker/lws_adapter.c", "\n")
		code, output = self.ask()
		self.assertEqual(code, 1)
		self.assertIn("not ok - one switch", output)

	def test_lws_versions(self):
		self.breaks_first_line("server/main.c", "#if LWS_LIBRARY_VERSION_NUMBER > 4001006",
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
