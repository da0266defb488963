"""Where results go: what cannot be written is told, and standard output holds one thing."""
import json

from harness import main
from harness.bench import BenchTest


class Lost(BenchTest):
    """/dev/full takes nothing."""

    def lost(self, *arguments, **options):
        run = self.finish(self.start(*arguments, **options))
        self.assertEqual(run.code, 1, run.stderr)
        self.assertEqual(len(run.stderr.splitlines()), 1, run.stderr)
        self.assertIn("No space left", run.stderr)
        return run

    def full(self):
        full = open("/dev/full", "w", encoding="utf-8")
        self.addCleanup(full.close)
        return full

    def test_a_full_disk_is_told(self):
        origin = self.origin()
        arguments = (f"http://{origin.address}/", "-n", 5, "-c", 1, "-q")
        run = self.lost(*arguments, stdout=self.full())
        self.assertEqual(run.json["completed"], 5)          # the rest is there
        run = self.lost(*arguments, "--html", "/dev/full")
        self.assertEqual(run.json["completed"], 5)
        self.assertIn("/dev/full", run.stderr)
        run = self.lost(*arguments, "--json", "/dev/full")
        self.assertIn("/dev/full", run.stderr)
        self.assertIn("status 200", run.stdout)

    def test_help_is_a_result_too(self):
        self.lost("--help", stdout=self.full())
        self.lost("--version", stdout=self.full())


class Dash(BenchTest):
    def test_json_on_standard_output(self):
        origin = self.origin()
        run = self.finish(self.start(f"http://{origin.address}/", "-n", 5, "-c", 1, "--json", "-",
                                     cwd=self.folder))
        self.assertEqual(run.code, 0, run.stderr)
        self.assertEqual(json.loads(run.stdout)["completed"], 5)
        self.assertIn("status 200", run.stderr)             # the table
        self.assertFalse((self.folder / "-").exists())

    def test_a_page_on_standard_output(self):
        origin = self.origin()
        run = self.finish(self.start(f"http://{origin.address}/", "-n", 5, "-c", 1, "--html", "-",
                                     cwd=self.folder))
        self.assertEqual(run.code, 0, run.stderr)
        self.assertTrue(run.stdout.startswith("<!DOCTYPE html>"), run.stdout[:80])
        self.assertTrue(run.stdout.endswith("</html>\n"), run.stdout[-80:])
        self.assertEqual(run.json["completed"], 5)

    def test_only_one_of_them(self):
        run = self.finish(self.start("http://127.0.0.1:1/", "--json", "-", "--html", "-"))
        self.assertEqual(run.code, 2)
        self.assertEqual(len(run.stderr.splitlines()), 1, run.stderr)


if __name__ == "__main__":
    main()
