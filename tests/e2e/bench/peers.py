"""The comparison with peers runs, is checked, and says what a subject cannot do."""
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import types
import unittest
import unittest.mock
from pathlib import Path

from harness import main

RUN = Path(__file__).resolve().parents[3] / "bench" / "peers" / "run.py"
TOOLS = ("nginx", "haproxy", "varnishd", "traffic_server", "wrk", "h2load", "openssl", "taskset")
# A haproxy that listens where its configuration says, and ends every connection; then itself.
HANGS_UP = f"""#!{sys.executable}
import re, socket, sys
if "-f" in sys.argv:
    port = int(re.search(r"bind 127[.]0[.]0[.]1:(\\d+)", open(sys.argv[-1]).read())[1])
    listener = socket.create_server(("127.0.0.1", port))
    for _ in range(COUNT):
        listener.accept()[0].close()
    print("no more", flush=True)
    sys.exit(7)
"""
PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"


class Keeper:
    """A server that answers one request on each of its first `count` connections and keeps those;
    all others it ends at once."""

    def __init__(self, count):
        self.count, self.kept = count, []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve)

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                client = self.listener.accept()[0]
                if len(self.kept) == self.count:
                    client.close()
                    continue
                client.recv(65536)
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                self.kept.append(client)

    def hang_up(self, count):
        for client in self.kept[:count]:
            client.close()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        for each in (self.listener, *self.kept):
            each.close()


@unittest.skipIf(any(shutil.which(tool, path=PATH) is None for tool in TOOLS),
                 "needs the peers: ./dev bench installs them")
class Peers(unittest.TestCase):
    def compare(self, *arguments, path=PATH):
        return subprocess.run(
            [sys.executable, "-B", str(RUN), "--scrollgate", os.environ["SCROLLGATE_BIN"],
             "--subjects", "nginx,scrollgate", "--rounds", "1", "--seconds", "1",
             *map(str, arguments)],
            env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=150)

    def test_figures_are_measured_written_and_shown(self):
        with tempfile.TemporaryDirectory(prefix="scrollgate-peers-") as folder:
            result, readme = Path(folder) / "r.json", Path(folder) / "README.md"
            readme.write_text("before\n<!-- figures -->\n<!-- /figures -->\nafter\n")
            run = self.compare("pass-small", "tls-pass", "--json", result, "--readme", readme)
            self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
            self.assertIn("CPU us/request", run.stdout)
            text = json.dumps(json.loads(result.read_text()))
            for word in ("pass-small", "scrollgate", "nginx", "versions"):
                self.assertIn(word, text)
            for scenario in ("pass-small", "tls-pass"):
                self.assertIn(f"| `{scenario}`", readme.read_text())
            self.assertTrue(readme.read_text().endswith("after\n"))
            self.assertNotIn("not yet", run.stdout)

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
            subject = types.SimpleNamespace(name="nobody", port=origins[0].port, scheme="http")
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

    def beside_a_bad_haproxy(self, scenario, connections):
        """What is said about a haproxy that ends each of so many connections, and then itself;
        nginx is measured all the same."""
        with tempfile.TemporaryDirectory(prefix="scrollgate-peers-") as folder:
            program = Path(folder) / "haproxy"
            program.write_text(HANGS_UP.replace("COUNT", str(connections)))
            program.chmod(0o755)
            run = self.compare(scenario, "--idle", 100, "--subjects", "nginx,haproxy",
                               path=f"{folder}:{PATH}")
        self.assertEqual(run.returncode, 1, run.stdout + run.stderr)
        self.assertNotIn("Traceback", run.stderr)
        self.assertIn(f"\n{scenario}: haproxy: ", run.stderr)
        self.assertRegex(run.stdout, r"\n  nginx +-?[0-9]")
        return run.stdout

    def test_who_dies_takes_nobody_along(self):
        said = self.beside_a_bad_haproxy("pass-small", 1)
        self.assertIn("WRONG: haproxy: failed in its start: ", said)
        self.assertIn("haproxy had ended with 7; it said: no more", said)

    def test_who_cannot_hold_the_crowd_says_so_in_its_row(self):
        said = self.beside_a_bad_haproxy("idle", 1_000_000)
        self.assertIn("HAProxy: cannot hold 100 idle connections: 0 were served, then ", said)

    def test_an_idle_crowd_is_held_or_it_is_said_how_much_of_it(self):
        sys.path.insert(0, str(RUN.parent))
        self.addCleanup(sys.path.remove, str(RUN.parent))
        import crowd
        from errors import Unsupported
        lost = "cannot hold 200 idle connections: "
        for keeps, words in ((200, None), (100, lost)):
            with Keeper(keeps) as server, unittest.mock.patch.object(crowd, "PACE", 0):
                try:
                    with crowd.idle_crowd(server.port, "/small", 200) as held:
                        held.still_there()
                        self.assertEqual(len(held.clients), 200)
                        server.hang_up(3)
                        with self.assertRaisesRegex(Unsupported, "3 were closed after"):
                            held.still_there()
                        self.assertIsNone(words)
                except Unsupported as error:
                    self.assertIsNotNone(words, error)
                    self.assertIn(words, str(error))

    def test_an_unknown_scenario_is_refused(self):
        run = self.compare("no-such-scenario")
        self.assertEqual(run.returncode, 2)
        self.assertIn("no-such-scenario", run.stderr)


if __name__ == "__main__":
    main()
