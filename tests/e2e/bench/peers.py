"""The comparison with peers runs, is checked, and says what a subject cannot do."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
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

    def test_an_unknown_scenario_is_refused(self):
        run = self.compare("no-such-scenario")
        self.assertEqual(run.returncode, 2)
        self.assertIn("no-such-scenario", run.stderr)


if __name__ == "__main__":
    main()
