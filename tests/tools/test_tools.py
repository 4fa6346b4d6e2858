#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The checks of tools/ find what they are there for.

  test_tools.py TOOLS      the folder of the tools
"""
import os
import subprocess
import sys
import tempfile
import unittest

TOOLS = os.path.abspath(sys.argv.pop(1))


def run(tool, *args):
    return subprocess.run([os.path.join(TOOLS, tool), *args],
                          capture_output=True, text=True, check=False)


class Tree(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.tree = folder.name
        for name in ("include/edmm/err.h", "include/sgx/arch.h",
                     "common/wire.h", "host/host.h", "trusted/rt/rt.h",
                     "include/edmm/machine.h", "machine/model/model.h",
                     "machine/linux/drv.h", "image/image.h"):
            self.write(name, "/* empty */\n")

    def write(self, name, text):
        path = os.path.join(self.tree, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path


class Arrows(Tree):
    def allows(self, path, include):
        self.write(path, f"\n#include {include}\n")
        done = run("arrows", self.tree)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def forbids(self, path, include):
        self.write(path, f"\n#  include {include}\n")
        done = run("arrows", self.tree)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn(f"{path}:2: ", done.stdout)

    def test_allowed(self):
        self.allows("trusted/emm/a.c", '"edmm/err.h"')
        self.allows("trusted/emm/b.c", "<sgx/arch.h>")
        self.allows("trusted/rt/a.c", '"rt.h"')
        self.allows("host/a.c", '"common/wire.h"')
        self.allows("host/b.c", "<sys/ioctl.h>")
        self.allows("machine/linux/a.c", '"machine/model/model.h"')
        self.allows("machine/trap/a.c", '"edmm/machine.h"')
        self.allows("tests/a.c", '"machine/model/model.h"')
        self.allows("cli/a.c", '"host/host.h"')

    def test_trusted_and_host(self):
        self.forbids("trusted/emm/a.c", '"host/host.h"')
        self.forbids("host/a.c", '"trusted/rt/rt.h"')
        self.forbids("host/b.c", '"../trusted/rt/rt.h"')
        self.forbids("common/a.c", '"host/host.h"')

    def test_trusted_rooms(self):
        self.allows("trusted/elastic/a.c", '"trusted/rt/rt.h"')
        self.allows("trusted/sys/a.c", '"trusted/rt/rt.h"')
        self.write("trusted/sys/sys.h", "/* empty */\n")
        self.write("trusted/emm/emm_int.h", "/* empty */\n")
        self.forbids("trusted/emm/a.c", '"trusted/rt/rt.h"')
        self.forbids("trusted/rt/b.c", '"trusted/sys/sys.h"')
        self.forbids("trusted/elastic/b.c", '"trusted/sys/sys.h"')
        self.forbids("trusted/sys/b.c", '"trusted/emm/emm_int.h"')
        self.forbids("trusted/report/a.c", '"trusted/rt/rt.h"')

    def test_nobody_includes_the_machine(self):
        self.forbids("host/a.c", '"machine/model/model.h"')
        self.forbids("image/a.c", "<machine/model/model.h>")

    def test_machine(self):
        self.forbids("machine/trap/a.c", '"common/wire.h"')
        self.forbids("machine/linux/a.c", '"edmm/err.h"')
        self.forbids("machine/model/a.c", '"machine/linux/drv.h"')

    def test_image(self):
        self.forbids("image/a.c", '"host/host.h"')

    def test_pure_code(self):
        self.forbids("trusted/emm/a.c", "<errno.h>")
        self.forbids("machine/model/a.c", "<signal.h>")
        self.forbids("machine/model/b.c", "<sys/mman.h>")

    def test_what_cannot_be_judged(self):
        self.forbids("host/a.c", '"no/such.h"')
        self.forbids("host/b.c", "SOME_MACRO")

    def test_unknown_room(self):
        self.write("attic/a.c", "\n")
        done = run("arrows", self.tree)
        self.assertEqual(done.returncode, 1)
        self.assertIn("attic/a.c:1: no room", done.stdout)

    def test_empty_tree(self):
        with tempfile.TemporaryDirectory() as empty:
            self.assertEqual(run("arrows", empty).returncode, 1)


class Spdx(unittest.TestCase):
    LINE = "SPDX-License-Identifier: BSD-3-Clause"

    def check(self, name, text):
        with tempfile.TemporaryDirectory() as tree:
            path = os.path.join(tree, name)
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
            return run("spdx", tree).returncode

    def test_found(self):
        self.assertEqual(self.check("a.c", f"/* {self.LINE} */\n"), 0)
        self.assertEqual(self.check("run", f"#!/bin/sh\n# {self.LINE}\n"), 0)

    def test_missing(self):
        self.assertEqual(self.check("a.c", "int x;\n"), 1)
        self.assertEqual(self.check("a.h", "\n\n\n" + self.LINE), 1)
        self.assertEqual(self.check("run", "#!/bin/sh\nexit\n"), 1)
        self.assertEqual(self.check("CMakeLists.txt", "project(x)\n"), 1)


class Undefined(Tree):
    def check(self, allowed):
        sources = [self.write("a.c", "int b(void); int c(void);\n"
                              "int a(void); int a(void)"
                              "{ return b() + c(); }\n"),
                   self.write("b.c", "int b(void); int b(void)"
                              "{ return 0; }\n")]
        objects = [s[:-1] + "o" for s in sources]
        for source, obj in zip(sources, objects):
            subprocess.run(["cc", "-c", source, "-o", obj], check=True)
        allow = self.write("list", "# wanted\n" + allowed)
        return run("undefined", allow, *objects)

    def test_allowed(self):
        done = self.check("c # the C library's\n")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_beyond_the_list(self):
        done = self.check("")
        self.assertEqual(done.returncode, 1)
        self.assertIn("wants c,", done.stdout)


unittest.main()
