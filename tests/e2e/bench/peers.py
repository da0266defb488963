"""The comparison with peers runs, is checked, and says what a subject cannot do."""
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import types
import unittest
import unittest.mock
from pathlib import Path

from harness import main

RUN = Path(__file__).resolve().parents[3] / "bench" / "peers" / "run.py"
TOOLS = ("nginx", "haproxy", "varnishd", "traffic_server", "wrk", "h2load", "openssl", "taskset")
PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"


@unittest.skipIf(any(shutil.which(tool, path=PATH) is None for tool in TOOLS),
                 "needs the peers: ./dev bench installs them")
class Peers(unittest.TestCase):
    def compare(self, *arguments):
        return subprocess.run(
            [sys.executable, "-B", str(RUN), "--scrollgate", os.environ["SCROLLGATE_BIN"],
             "--subjects", "nginx,scrollgate", "--rounds", "1", "--seconds", "1",
             *map(str, arguments)],
            env={**os.environ, "PATH": PATH}, capture_output=True, text=True, timeout=150)

    def test_figures_and_what_is_missing(self):
        with tempfile.TemporaryDirectory(prefix="scrollgate-peers-") as folder:
            result, readme = Path(folder) / "r.json", Path(folder) / "README.md"
            readme.write_text("before\n<!-- figures -->\n<!-- /figures -->\nafter\n")
            run = self.compare("pass-small", "tls", "--json", result, "--readme", readme)
            self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
            self.assertIn("CPU us/request", run.stdout)
            text = json.dumps(json.loads(result.read_text()))
            for word in ("pass-small", "scrollgate", "nginx", "versions"):
                self.assertIn(word, text)
            self.assertIn("| `pass-small`", readme.read_text())
            self.assertTrue(readme.read_text().endswith("after\n"))
            self.assertIn("not yet", run.stdout)

    def test_who_does_other_work_is_found_out(self):
        """An origin that plays the proxy: it asks nobody else, keeps nothing, survives nothing."""
        sys.path.insert(0, str(RUN.parent))
        self.addCleanup(sys.path.remove, str(RUN.parent))
        import check
        for flags, words in (((), []), (("cache",), ["no cache hits"]),
                             (("three",), ["was not asked: [31, 0, 0]", "only 0 of 30"])):
            origins = [check.RecordingOrigin() for _ in range(3)]
            for origin in origins:
                self.addCleanup(origin.lose)
            subject = types.SimpleNamespace(name="nobody", port=origins[0].port)
            with unittest.mock.patch.object(check, "PATIENCE", 0.5):
                found = list(check.look_for(frozenset(flags))(subject, origins, lambda _line: None))
            self.assertEqual(len(found), len(words), found)
            for line, word in zip(found, words):
                self.assertIn(word, line)

    def test_an_origin_closes_if_it_is_asked_to(self):
        """Varnish's probes wait for the end of the connection."""
        sys.path.insert(0, str(RUN.parent))
        self.addCleanup(sys.path.remove, str(RUN.parent))
        from subjects import SlowOrigin
        with tempfile.TemporaryDirectory(prefix="scrollgate-peers-") as folder:
            with SlowOrigin(folder, None) as origin:
                with socket.create_connection(("127.0.0.1", origin.port), 10) as client:
                    client.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
                    self.assertTrue(client.recv(65536).startswith(b"HTTP/1.1 200"))
                    client.sendall(b"GET /health HTTP/1.1\r\nConnection: close\r\n\r\n")
                    answer = b""
                    while more := client.recv(65536):
                        answer += more
                    self.assertTrue(answer.startswith(b"HTTP/1.1 200"))

    def test_an_unknown_scenario_is_refused(self):
        run = self.compare("no-such-scenario")
        self.assertEqual(run.returncode, 2)
        self.assertIn("no-such-scenario", run.stderr)


if __name__ == "__main__":
    main()
