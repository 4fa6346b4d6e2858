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
        self.allows("trusted/rt/a.c", '"trusted/rt/rt.h"')
        self.forbids("trusted/rt/a.c", '"rt.h"')
        self.write("trusted/rt/a.c", "")
        self.write("examples/one/one.h", "")
        self.allows("examples/one/a.c", '"one.h"')
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
        self.forbids("trusted/report/a.c", '"trusted/sys/sys.h"')

    def test_nobody_includes_the_machine(self):
        self.forbids("host/a.c", '"machine/model/model.h"')
        self.forbids("image/a.c", "<machine/model/model.h>")

    def test_machine(self):
        self.forbids("machine/trap/a.c", '"common/wire.h"')
        self.forbids("machine/linux/a.c", '"edmm/err.h"')
        self.forbids("machine/model/a.c", '"machine/linux/drv.h"')

    def test_cli(self):
        self.write("cli/run/run.h", "/* empty */\n")
        self.write("cli/config/config.h", "/* empty */\n")
        self.allows("cli/a.c", '"cli/run/run.h"')
        self.allows("cli/run/a.c", '"cli/config/config.h"')
        self.forbids("cli/machine/a.c", '"cli/run/run.h"')
        self.forbids("cli/config/a.c", '"cli/run/run.h"')

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


class Comments(unittest.TestCase):
    def check(self, text):
        with tempfile.TemporaryDirectory() as tree:
            with open(os.path.join(tree, "a.c"), "w", encoding="utf-8") as f:
                f.write(text)
            return run("comments", tree)

    def test_sound(self):
        sound = ("/*\n * a\n *\tb\n *\n * *c* d\n **/\n"
                 'const char *s = "/*\\\n *x";\n// /*\n'
                 "void f(int *p)\n{\n\t*p = 1; /* e */\n\t*p = '\"';\n}\n")
        done = self.check(sound)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_scar(self):
        done = self.check("int x;\n/*\n * a line\n *of two\n */\n")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("a.c:4: *of two", done.stdout)


class Walk(Tree):
    WORDS = ("### Words with one meaning\n\n| word | means | at |\n"
             "|---|---|---|\n| page | a page | `host/a.c:page` |\n")
    ROWS = ("## Where to change what\n\n| to change | at |\n|---|---|\n"
            "| a page | `host/a.c:page` |\n")
    ATTACKS = ("## Defended\n\n| | attack |\n|---|---|\n"
               "| I1 | `host/a.c:page` |\n")
    SOURCE = ("/* old(); */\nstruct page {\n\tint x;\n};\n\n"
              "#define LIST(X) \\\n\tX(row, 1)\n"
              "enum { \n\tONE,\n};\n\n"
              "static int add(int a)\n{\n\treturn called(a);\n}\n")

    def walk(self, steps):
        self.write("host/a.c", self.SOURCE)
        self.write("host/b.S", "start:\n\tnop\n")
        self.write("docs/walk.md", steps)
        self.write("docs/architecture.md", self.WORDS)
        self.write("CONTRIBUTING.md", self.ROWS)
        self.write("docs/security.md", self.ATTACKS)
        return run("walk", self.tree)

    def sound(self, steps):
        done = self.walk(steps)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def broken(self, steps, what):
        done = self.walk(steps)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn(what, done.stdout)

    def test_there(self):
        self.sound("1. `host/a.c:add`, then\n   `host/b.S:start`\n"
                   "2. `host/a.c:row` and `host/a.c:ONE`, in `host/a.c`\n")

    def test_not_there(self):
        self.broken("1. `host/c.c:add`\n", "docs/walk.md:1: there is no host/c.c")
        self.broken("1. `host/a.c:gone`\n", "host/a.c does not define gone")
        self.broken("1. `host/a.c:add`, `host/c.c`\n", "there is no host/c.c")

    def test_used_is_not_defined(self):
        self.broken("1. `host/a.c:called`\n", "does not define called")
        self.broken("1. `host/a.c:old`\n", "does not define old")

    def test_every_step_names_a_place(self):
        self.broken("1. `host/a.c:add`\n2. magic\n",
                    "docs/walk.md:2: names no place")
        self.broken("1. `host/a.c:add`\n3. `host/a.c:add`\n", "is step 2")
        self.broken("no step\n", "no list")

    def test_every_attack_names_a_test(self):
        self.ATTACKS += "| I2 | hope |\n"
        self.broken("1. `host/a.c:add`\n", "docs/security.md:6: names no place")

    def test_every_row_names_a_place(self):
        self.write("docs/more.md", "")
        self.ROWS += "| a verb | somewhere |\n"
        self.broken("1. `host/a.c:add`\n", "CONTRIBUTING.md:6: names no place")


class Words(Tree):
    def found(self, what, **files):
        for name, text in files.items():
            self.write(name.replace("__", "/") + ".c", text)
        done = run("words", self.tree)
        self.assertEqual(done.returncode, bool(what), done.stdout + done.stderr)
        self.assertIn(what, done.stdout)

    def test_sound(self):
        self.found("", host__a="static int emm_a(void)\n{\n}\n",
                   trusted__emm__b="struct one {\n\tint x;\n};\n"
                   "int emm_b(void)\n{\n}\n", tests__a="struct one {\n};\n")

    def test_file_twice(self):
        self.found("so is host/a.c called", host__a="", image__a="")

    def test_type_twice(self):
        self.found("one is a type of host/a.c", host__a="struct one {\n};\n",
                   image__b="enum one {\n\tX,\n};\n")

    def test_strange_prefix(self):
        self.found("emm_a has the prefix of trusted/emm/",
                   host__a="int emm_a(void)\n{\n}\n")

    def test_explained_twice(self):
        self.write("docs/architecture.md", "## Words\n\n| word | meaning |\n"
                   "|---|---|\n| a, b | x |\n| b | y |\n")
        self.found("docs/architecture.md:6: b, again")


class Exports(Tree):
    def check(self, listed, *prefix):
        source = self.write("a.c", "int a_one(void); int b_two(void);\n"
                            "int a_one(void) { return 0; }\n"
                            "int b_two(void) { return a_one(); }\n"
                            "static int c; int *d(void); "
                            "int *d(void) { return &c; }\n")
        obj = source[:-1] + "o"
        subprocess.run(["cc", "-c", source, "-o", obj], check=True)
        return run("exports", self.write("list", listed), obj, *prefix)

    def test_listed(self):
        done = self.check("# all\na_one\nb_two # second\nd\n")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.check("a_one\n", "a_").returncode, 0)

    def test_more_and_less(self):
        done = self.check("a_one\nd\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn("gives b_two,", done.stdout)
        done = self.check("a_one\na_gone\n", "a_")
        self.assertEqual(done.returncode, 1)
        self.assertIn("lacks a_gone of", done.stdout)


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
