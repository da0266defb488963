"""What a person sees while a run goes on: a picture on a terminal, plain lines elsewhere."""
import json
import os
import re

from harness import main
from harness.bench import LIMIT, BenchTest
from harness.terminal import Terminal
from harness.wait import eventually


class TerminalTest(BenchTest):
    def run_on(self, terminal, *arguments, **options):
        """A run of ten minutes unless told otherwise."""
        if "-d" not in arguments and "-n" not in arguments:
            arguments = (*arguments, "-d", "10m")
        self.target = self.origin()
        process = terminal.start(
            [os.environ["SCROLLGATE_BENCH_BIN"], f"http://{self.target.address}/item/{{n}}",
             "--keys", 7, "-c", 2, "--rate", 200, *arguments], **options)
        self.addCleanup(self._end, process)
        return process

    def sees(self, terminal, pattern):
        return eventually(lambda: re.search(pattern, terminal.text()), f"{pattern} on the terminal")

    def end(self, terminal, process, code):
        terminal.type("\x03")
        self.assertEqual(process.wait(LIMIT), code)
        terminal.close()
        self.assertEqual(terminal.unknown, set())


class LiveView(TerminalTest):
    def test_the_picture_is_drawn_in_place_and_goes_away(self):
        terminal = Terminal()
        process = self.run_on(terminal)
        self.sees(terminal, r"status   200 \d\d\d")
        seen = terminal.text()
        self.assertTrue(seen.startswith(f"http://{self.target.address}/item/{{n}}\n"), seen)
        self.assertRegex(seen, r"\n[▏▎▍▌▋▊▉█]?·+ +\d%  \d+\.\ds of 10m00s\n")
        self.assertRegex(seen, r"\nrate     \d+/s of 200/s wanted\n")
        self.assertRegex(seen, r"\nlatency  p50 \S+  p90 \S+  p99 \S+  max \S+\n")
        self.assertRegex(seen, r"\nfailed   0\n")
        self.sees(terminal, r"\d [3-9]\d\d\nfailed")       # it goes on ...
        self.assertEqual(terminal.text().count("latency"), 1)   # ... in place
        self.end(terminal, process, 130)
        left = terminal.text()
        self.assertTrue(left.startswith("scrollgate-bench "), left)
        self.assertNotIn("█", left)
        self.assertNotIn("^C", left)
        self.assertIn("INTERRUPTED", left)
        self.assertRegex(left, r"\n  status 200 +\d+")

    def test_a_run_that_ends_by_itself_leaves_the_table_alone(self):
        terminal = Terminal()
        process = self.run_on(terminal, "-d", "900ms")
        self.assertEqual(process.wait(LIMIT), 0)
        terminal.close()
        self.assertIn("█", terminal.output)
        self.assertTrue(terminal.text().startswith("scrollgate-bench "), terminal.text())
        self.assertNotIn("█", terminal.text())

    def test_a_window_may_change(self):
        terminal = Terminal(columns=110)
        process = self.run_on(terminal)
        self.sees(terminal, r"status   200 \d\d")
        terminal.resize(columns=41, rows=6)
        before = len(terminal.so_far())
        eventually(lambda: terminal.so_far().count("\x1b[J", before) > 2, "new pictures")
        picture = terminal.so_far().split("\x1b[J")[-2]
        lines = re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", picture).split("\n")
        self.assertLessEqual(max(len(line.strip("\r")) for line in lines), 40, picture)
        self.assertEqual(len(lines), 5 + 1, picture)        # and the cursor's own
        self.end(terminal, process, 130)

    def test_the_result_goes_elsewhere(self):
        """Standard output is a file: the picture is on the terminal, the file has no codes."""
        terminal = Terminal()
        with open(self.folder / "out", "w+", encoding="utf-8") as out:
            process = self.run_on(terminal, stdout=out)
            self.sees(terminal, r"status   200 \d\d")
            self.end(terminal, process, 130)
            out.seek(0)
            table = out.read()
        self.assertEqual(terminal.text(), "")
        self.assertIn("status 200", table)
        self.assertNotIn("\x1b", table)

    def test_no_colours_if_they_are_not_wanted(self):
        terminal = Terminal()
        process = self.run_on(terminal, env={"NO_COLOR": "1"})
        self.sees(terminal, r"status   200 \d\d")
        self.end(terminal, process, 130)
        self.assertNotRegex(terminal.output, r"\x1b\[[0-9;]*m")


class PlainLines(TerminalTest):
    LINE = (r"^ +\d+s  \d+(\.\d+)?/s of 200/s wanted  p50 \S+  p99 \S+  failed 0$")

    def test_on_a_terminal_if_asked_for_or_if_it_is_dumb(self):
        for options, env in [(["--plain"], {}), ([], {"TERM": "dumb"})]:
            with self.subTest(env):
                terminal = Terminal()
                process = self.run_on(terminal, *options, env=env)
                eventually(lambda: "wanted" in terminal.text(), "a line")
                self.assertRegex(terminal.text().splitlines()[0], self.LINE)
                self.end(terminal, process, 130)
                self.assertNotIn("\x1b", terminal.output)
                self.assertIn("status 200", terminal.text())

    def test_quiet_is_quiet(self):
        terminal = Terminal()
        process = self.run_on(terminal, "--quiet", "-d", "1500ms")
        self.assertEqual(process.wait(LIMIT), 0)
        terminal.close()
        self.assertTrue(terminal.text().startswith("scrollgate-bench "), terminal.text())

    def test_through_pipes(self):
        origin = self.origin()
        run = self.bench(f"http://{origin.address}/", "--rate", 200, "-c", 2, "-d", "2500ms")
        lines = run.stderr.splitlines()
        self.assertIn(len(lines), (1, 2, 3))        # about one per second
        for line in lines:
            self.assertRegex(line, self.LINE)
        self.assertNotIn("\x1b", run.stdout + run.stderr)
        quiet = self.bench(f"http://{origin.address}/", "-q", "-d", "1200ms", "-c", 2)
        self.assertEqual(quiet.stderr, "")

    def test_who_stops_reading_does_not_stop_the_run(self):
        origin = self.origin()
        process = self.start(f"http://{origin.address}/", "-n", 300, "-c", 2, "--rate", 200)
        process.stdout.close()
        process.stderr.close()
        self.assertEqual(process.wait(LIMIT), 0)
        self.assertEqual(json.loads(self.json_file.read_text())["completed"], 300)


if __name__ == "__main__":
    main()
