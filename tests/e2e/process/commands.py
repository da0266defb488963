"""The commands that end by themselves, and `proxy` and `demo`, which do not."""
import pathlib
import re
import signal
import subprocess
import tempfile
import urllib.request

from harness import SCALE, EdgeTest, eventually, free_port, main
from harness.process import BINARY, ROOT, run_command


class Commands(EdgeTest):
    def file(self, text):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        file = pathlib.Path(folder.name) / "edge.yaml"
        file.write_text(text)
        return str(file)

    def test_version(self):
        done = run_command("--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"\d+\.\d+\.\d+")

    def test_help_names_every_command(self):
        done = run_command("--help")
        self.assertEqual(done.returncode, 0)
        for name in ("run", "check", "proxy", "demo", "status", "reload", "scale", "drain",
                     "undrain", "fail"):
            self.assertIn(name, done.stdout)

    def test_an_unknown_command_is_an_error_on_stderr(self):
        done = run_command("fly")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("--help", done.stderr)

    def test_check_of_a_good_file_is_one_line(self):
        for name in sorted((ROOT / "config" / "examples").glob("*.yaml")):
            done = run_command("check", "-c", str(name))
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertEqual(len((done.stdout + done.stderr).strip().splitlines()), 1)

    def test_check_places_every_error(self):
        name = self.file("listeners:\n  - address: 127.0.0.1:80\npools:\n  aws:\n"
                         "    endpoints: [ '10.0.0.1:80' ]\n    limts: { pending: 5 }\n"
                         "timeouts: { connect: 5 }\nroutes:\n  - pools: [ awz ]\n")
        done = run_command("check", "-c", name)
        text = done.stdout + done.stderr
        self.assertEqual(done.returncode, 1)
        self.assertRegex(text, re.escape(name) + r":6:\d+: pools\.aws\.limts: .*did you mean")
        self.assertRegex(text, re.escape(name) + r":7:\d+: timeouts\.connect: ")
        self.assertRegex(text, re.escape(name) + r":9:\d+: routes\[0\]\.pools.*did you mean")

    def test_check_resolves_no_names(self):
        name = self.file("listeners: [ { address: '127.0.0.1:80' } ]\n"
                         "pools: { a: { endpoints: [ 'nowhere.invalid:80' ] } }\n"
                         "routes: [ { pools: [ a ] } ]\n")
        self.assertEqual(run_command("check", "-c", name).returncode, 0)

    def test_a_warning_is_said_once_and_called_so_once(self):
        name = self.file("listeners: [ { address: '127.0.0.1:80' } ]\n"
                         "pools: { a: { endpoints: [ '10.0.0.1:80' ] },\n"
                         "         b: { endpoints: [ '10.0.0.1:80' ] } }\n"
                         "routes: [ { pools: [ a ] } ]\n")
        done = run_command("check", "-c", name)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stderr.count("warning:"), 1, done.stderr)

    def test_values_that_cannot_be_are_refused_before_anybody_is_asked(self):
        for arguments, word in (
                (("fail", "main", "--for", ""), "--for: is empty"),
                (("fail", ""), "POOL: is empty"),
                (("drain", "", "x"), "POOL: is empty"),
                (("undrain", "main", ""), "ADDRESS: is empty"),
                (("scale", "2", "--pool", ""), "--pool: is empty"),
                (("scale", "nan"), "'nan' is not a number"),
                (("scale", "inf"), "'inf' is not a number"),
                (("scale", "1e400"), "'1e400' is not a number"),
                (("scale", "0x10"), "'0x10' is not a number"),
                (("scale", ""), "'' is not a number"),
                (("scale", "--pool", "main", "--active", "0x10"), "'0x10' is not a whole number"),
                (("scale", "--pool", "main", "--active", "2.5"), "'2.5' is not a whole number")):
            done = run_command(*arguments, "--admin", f"127.0.0.1:{free_port()}")
            self.assertEqual((done.returncode, done.stdout), (2, ""), arguments)
            self.assertIn(word, done.stderr)

    def test_status_speaks_of_the_running_one(self):
        edge = self.edge(self.origin())
        done = run_command("status", "-c", str(edge.file))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("main", done.stdout)

    def test_status_of_nobody_is_an_error(self):
        done = run_command("status", "--admin", f"127.0.0.1:{free_port()}")
        self.assertEqual(done.returncode, 1)
        self.assertIn("127.0.0.1", done.stderr)

    def start(self, *arguments):
        process = subprocess.Popen([BINARY, *arguments], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, bufsize=1)

        def finish():
            process.send_signal(signal.SIGTERM)
            try:
                status = process.wait(20 * SCALE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                status = "killed"
            process.stdout.close()
            process.stderr.close()
            self.assertEqual(status, 0)
        self.addCleanup(finish)
        return process

    def test_proxy_needs_no_file(self):
        origin, port = self.origin(), free_port()
        self.start("proxy", "--from", f"127.0.0.1:{port}", "--to", origin.address)

        def answers():
            try:
                return self.fetch(port, "/x").body == b"GET /x"
            except OSError:
                return False
        eventually(answers, "the proxy answers")

    def test_proxy_balances_over_several(self):
        origins, port = [self.origin(), self.origin()], free_port()
        self.start("proxy", "--from", f"127.0.0.1:{port}", "--to", origins[0].address,
                   origins[1].address)

        def answers():
            try:
                return self.fetch(port).status == 200
            except OSError:
                return False
        eventually(answers, "the proxy answers")
        for _ in range(19):
            self.fetch(port)
        counts = [len(o.requests()) for o in origins]       # the quicker one gets more
        self.assertEqual(sum(counts), 20)
        self.assertGreater(min(counts), 0)

    def test_demo_prints_its_url_first_and_answers_there(self):
        process = self.start("demo")
        text = ""
        while not (url := re.search(r"https?://\S+(?=\s)", text)):
            line = process.stdout.readline()
            self.assertTrue(line, "ended: " + text)
            text += line
        self.assertNotIn("\x1b", text)

        def answers():
            with urllib.request.urlopen(url[0], timeout=10) as response:
                return response.status == 200 and response.read()
        self.assertTrue(answers())

    def test_demo_config_can_be_checked(self):
        done = run_command("demo", "--print-config")
        self.assertEqual(done.returncode, 0)
        checked = run_command("check", "-c", self.file(done.stdout))
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        for cloud in ("aws", "gcp", "azure"):
            self.assertIn(cloud, done.stdout)


if __name__ == "__main__":
    main()
