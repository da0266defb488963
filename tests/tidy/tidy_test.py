#!/usr/bin/env python3
"""The rules of tidy.py tried on small files: each finds what it is for, and lets good code pass."""

import tempfile
import unittest
from pathlib import Path

import tidy
from source import Source

HEAD = "// A room.\n"


def found(path, text, existing=()):
    """The names of the rules that a file breaks, in order of appearance, without repetition."""
    findings = tidy.check(Source(path, text), lambda name: name in existing)
    return list(dict.fromkeys(f.rule for f in findings))


def in_function(body):
    return HEAD + "void f() {\n" + body + "\n}\n"


class House(unittest.TestCase):
    def test_a_top_level_entry_that_the_drawing_lacks(self):
        self.assertEqual(found("src/x.cpp", HEAD), ["top-level"])
        self.assertEqual(found("NOTES.md", "notes\n"), ["top-level"])
        self.assertEqual(found("core/x.cpp", HEAD), [])

    def test_an_include_that_points_up_the_house(self):
        paths = {"config/model.hpp", "core/clock.hpp", "proxy/x.hpp", "cache/entry.hpp",
                 "balancer/policy.hpp"}
        for folder, header, expected in [
                ("core", "config/model.hpp", ["layering"]),
                ("core", "core/clock.hpp", []),
                ("config", "core/clock.hpp", []),
                ("config", "proxy/x.hpp", ["layering"]),
                ("balancer", "cache/entry.hpp", ["layering"]),
                ("cache", "balancer/policy.hpp", ["layering"]),
                ("health", "balancer/policy.hpp", []),
                ("health", "proxy/x.hpp", ["layering"]),
                ("bench", "config/model.hpp", ["layering"]),
                ("proxy", "proxy/x.hpp", []),
                ("tests", "proxy/x.hpp", [])]:
            text = f'{HEAD}#include "{header}"\n'
            with self.subTest(folder=folder, header=header):
                self.assertEqual(found(f"{folder}/y.cpp", text, paths), expected)

    def test_micro_benchmarks_see_the_proxy_and_nobody_sees_them(self):
        paths = {"proxy/x.hpp", "balancer/policy.hpp", "tests/x.hpp", "bench/micro/x.hpp"}
        for file, header, expected in [
                ("bench/micro/y.cpp", "proxy/x.hpp", []),
                ("bench/micro/y.cpp", "balancer/policy.hpp", []),
                ("bench/micro/y.cpp", "bench/micro/x.hpp", []),
                ("bench/micro/y.cpp", "tests/x.hpp", ["layering"]),
                ("bench/load/y.cpp", "bench/micro/x.hpp", ["layering"]),
                ("bench/load/y.cpp", "proxy/x.hpp", ["layering"])]:
            with self.subTest(file=file, header=header):
                self.assertEqual(found(file, f'{HEAD}#include "{header}"\n', paths), expected)

    def test_an_include_that_is_no_path_from_the_root(self):
        self.assertEqual(found("core/y.cpp", HEAD + '#include "clock.hpp"\n', {"core/clock.hpp"}),
                         ["include-path"])
        self.assertEqual(found("core/y.cpp", HEAD + '#include "core/gone.hpp"\n'),
                         ["include-path"])
        self.assertEqual(found("core/y.cpp", HEAD + '// #include "gone.hpp"\n'), [])

    def test_a_library_outside_of_its_room(self):
        for header, home in [("yaml-cpp/yaml.h", "config"), ("boost/beast/http.hpp", "core/http1"),
                             ("lz4.h", "cache"), ("xxhash.h", "cache"),
                             ("hiredis/hiredis.h", "cache"),
                             ("nghttp2/nghttp2.h", "core/http2"),
                             ("benchmark/benchmark.h", "bench/micro")]:
            text = f"{HEAD}#include <{header}>\n"
            with self.subTest(header=header):
                self.assertEqual(found("proxy/y.cpp", text), ["confined"])
                self.assertEqual(found("core/y.cpp", text), ["confined"])
                self.assertEqual(found(f"{home}/y.cpp", text), [])
                self.assertEqual(found("tests/unit/y.cpp", text), [])

    def test_a_file_that_is_too_long(self):
        self.assertEqual(found("core/x.cpp", HEAD + "int a;\n" * 499), [])
        self.assertEqual(found("core/x.cpp", HEAD + "int a;\n" * 500), ["file-size"])
        self.assertEqual(found("tests/battery/cases.txt", "case\n" * 900), [])

    def test_a_file_without_a_head(self):
        self.assertEqual(found("core/x.hpp", "#pragma once\n"), ["head-comment"])
        self.assertEqual(found("core/x.cpp", "int a;\n"), ["head-comment"])
        self.assertEqual(found("core/x.cpp", "int a;\n", {"core/x.hpp"}), [])
        self.assertEqual(found("tests/x.py", "a = 1\n"), ["head-comment"])
        self.assertEqual(found("tests/x.py", '"""A room."""\n'), [])
        self.assertEqual(found("dev", "#!/bin/bash\nset -e\n"), ["head-comment"])
        self.assertEqual(found("dev", "#!/bin/bash\n# A door.\n"), [])


class Text(unittest.TestCase):
    def test_a_wide_line(self):
        self.assertEqual(found("core/x.cpp", "// " + "é" * 97 + "\n"), [])
        self.assertEqual(found("core/x.cpp", "// " + "é" * 98 + "\n"), ["columns"])

    def test_white_space(self):
        self.assertEqual(found("core/x.cpp", HEAD + "\tint a;\n"), ["tab"])
        self.assertEqual(found("core/x.cpp", HEAD + "int a; \n"), ["trailing-space"])
        self.assertEqual(found("core/x.cpp", HEAD + "int a;"), ["final-newline"])
        self.assertEqual(found("core/x.cpp", HEAD + "int a;\n\n"), ["final-newline"])
        self.assertEqual(found("tests/golden/config/tab.yaml", "a:\n\tb: 1"), [])

    def test_unfinished_work(self):
        for word in ["TO" "DO", "FIX" "ME", "X" "XX", "for " "now", "a st" "ub",
                     "place" "holder", "not imple" "mented"]:
            with self.subTest(word=word):
                self.assertEqual(found("core/x.cpp", f"{HEAD}// this is {word}\n"), ["unfinished"])
        self.assertEqual(found("core/x.cpp", HEAD + 'auto s = "Not Imple' 'mented";\n'), [])
        self.assertEqual(found("core/x.cpp", HEAD + 'auto s = "/tmp/X' 'XXXXX";\n'), [])

    def test_a_trace_of_a_machine(self):
        for word in ["/wo" "rk/main", "shared/DE" "SIGN.md", "fa" "rm-x", "/tmp/" "b-x"]:
            with self.subTest(word=word):
                self.assertEqual(found("docs/x.md", f"see {word}\n"), ["machine"])


class Code(unittest.TestCase):
    def test_time_without_the_seam(self):
        for call in ["std::chrono::steady_clock::now()", "system_clock::now ()", "time(nullptr)",
                     "clock_gettime(CLOCK_MONOTONIC, &t)"]:
            text = in_function(f"    auto t = {call};")
            with self.subTest(call=call):
                self.assertEqual(found("core/x.cpp", text), ["clock"])
                self.assertEqual(found("core/clock.cpp", text), [])
                self.assertEqual(found("tests/unit/x.cpp", text), [])
        self.assertEqual(found("core/x.cpp", in_function("    auto t = clock_.now();")), [])
        self.assertEqual(found("core/x.cpp", HEAD + "// steady_clock::now() is not used\n"), [])

    def test_sleeping(self):
        for call in ["std::this_thread::sleep_for(1ms)", "usleep(10)", "sleep(1)"]:
            with self.subTest(call=call):
                self.assertEqual(found("core/x.cpp", in_function(f"    {call};")), ["sleep"])
        self.assertEqual(found("core/x.cpp", in_function("    sleep_until_next(); sleep();")), [])

    def test_a_long_function(self):
        body = "\n".join(["    a();"] * 68)
        self.assertEqual(found("core/x.cpp", in_function(body)), [])
        body += "\n    b();"
        self.assertEqual(found("core/x.cpp", in_function(body)), ["function-size"])
        method = ("namespace n {\nclass C {\n  public:\n    C() : a_{1}, b_(2) {\n" + body
                  + "\n}\n};\n}\n")
        self.assertEqual(found("core/x.cpp", HEAD + method), ["function-size"])
        table = "const int table[] = {\n" + "    1,\n" * 100 + "};\n"
        self.assertEqual(found("core/x.cpp", HEAD + table), [])
        many = "namespace n {\nclass C {\n" + "    void f(int) { g(\"{\"); }\n" * 100 + "};\n}\n"
        self.assertEqual(found("core/x.cpp", HEAD + many), [])
        python = '"""A room."""\n\n\ndef f():\n' + "    a()\n" * 70
        self.assertEqual(found("tests/x.py", python), ["function-size"])

    def test_a_coroutine_lambda_with_captures(self):
        bad = ["auto l = [&]() -> Task<void> { co_await x(); };",
               "run([this, a = 1] { co_return; });",
               "run([=](int n) mutable noexcept -> Task<int> { if (n) { co_return n; } });",
               "return [&] { co_yield 1; };"]
        good = ["run([](A& a) -> Task<void> { co_await a.x(); });",
                "run([&] { x(); });",
                "run([&] { go([](A& a) -> Task<void> { co_await a.x(); }); });",
                "a[i] = co_await x();",
                "[[maybe_unused]] auto y = co_await x();"]
        for line in bad:
            with self.subTest(line=line):
                self.assertEqual(found("core/x.cpp", in_function(line)), ["lambda-coroutine"])
        for line in good:
            with self.subTest(line=line):
                self.assertEqual(found("core/x.cpp", in_function(line)), [])

    def test_co_await_inside_a_conditional_expression(self):
        bad = ["auto v = a ? co_await x() : y;", "co_return co_await ok() ? 1 : 2;",
               "auto v = a ? b : f(co_await x());", "f(1, a == b ? c : co_await x());"]
        good = ["auto v = co_await x(a ? 1 : 2);", "auto v = co_await x(); auto w = a ? 1 : 2;",
                "f(a ? 1 : 2, co_await x());", 'auto v = co_await x("?");']
        for line in bad:
            with self.subTest(line=line):
                self.assertEqual(found("core/x.cpp", in_function(line)), ["conditional-await"])
        for line in good:
            with self.subTest(line=line):
                self.assertEqual(found("core/x.cpp", in_function(line)), [])

    @unittest.skipIf(tidy.clang_format() is None, "no clang-format 14 here")
    def test_formatting(self):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            (root / ".clang-format").write_text("BasedOnStyle: Google\n")
            (root / "good.cpp").write_text("int a = 1;\n")
            (root / "bad.cpp").write_text("int a;\nint  b=1;\n")
            places = [(f.path, f.line) for f in tidy.badly_formatted(root, tidy.files_of(root))]
            self.assertEqual(places, [("bad.cpp", 2)])


class Tree(unittest.TestCase):
    def test_an_untidy_tree_fails_and_a_tidy_one_passes(self):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            (root / "core").mkdir()
            (root / "build").mkdir()
            (root / "build" / "made.cpp").write_text("made by a tool\t")
            (root / "core" / "x.cpp").write_text(HEAD)
            self.assertEqual(tidy.main([folder]), 0)
            (root / "core" / "y.cpp").write_text("int y;\n")
            self.assertEqual(tidy.main([folder]), 1)

    def test_a_readme_whose_example_is_not_the_one_that_is_tested(self):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            (root / "config" / "examples").mkdir(parents=True)
            (root / "config" / "examples" / "three-clouds.yaml").write_text("a: 1\n")
            (root / "README.md").write_text("```yaml\na: 1\n```\n")
            self.assertEqual(list(tidy.readme_example(root)), [])
            (root / "README.md").write_text("```yaml\na: 2\n```\n")
            self.assertEqual([f.rule for f in tidy.readme_example(root)], ["example"])


if __name__ == "__main__":
    unittest.main()
