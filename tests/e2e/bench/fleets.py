"""The scenarios of a fleet and its Redis: what their figures mean, the load that goes on to the
next node, the links between far clouds, and one of them as a whole."""
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

from harness import main
from harness.network import needs_own_network

PEERS = Path(__file__).resolve().parents[3] / "bench" / "peers"
sys.path.insert(0, str(PEERS))
os.environ["PATH"] += ":/usr/sbin:/sbin"
import far_clouds                 # noqa: E402
import fleet_world                # noqa: E402
import fleets                     # noqa: E402
import report                     # noqa: E402
import scenarios                  # noqa: E402
import tier                       # noqa: E402

TOOLS = ("redis-server", "redis-cli", "nginx", "taskset", "openssl")


class Figures(unittest.TestCase):
    def test_what_happened_is_compared_with_the_time_before(self):
        rows = [(at / 100, 0.002, True) for at in range(200)]
        rows += [(2 + at / 100, 0.005 if 90 <= at < 95 else 0.002, True) for at in range(200)]
        rows.append((3.999, 0.009, False))
        found = tier.before_and_after(rows, 2.0)
        self.assertAlmostEqual(found["p99_us"], 2000)
        self.assertAlmostEqual(found["first_extra_us"], 3000)
        self.assertAlmostEqual(found["later_extra_us"], 0)
        self.assertAlmostEqual(found["extra_ms"], 7)
        self.assertEqual(found["failed"], 1)

    def test_a_node_is_back_when_the_origin_hears_as_little_as_before(self):
        rate = fleets.RESTART_RATE
        samples = [(at / 10, min(at, 50) / 10 * rate / 2) for at in range(201)]     # half, for 5 s
        self.assertAlmostEqual(fleets.hit_rate(samples, 0, 1), 0.5)
        self.assertAlmostEqual(fleets.hit_rate(samples, 6, 7), 1)
        back = fleets.back_after(samples, 0.9)["former_s"]
        self.assertGreater(back, 4.5)
        self.assertLess(back, 5.1)
        self.assertEqual(fleets.back_after(samples, 0.4), {"former_s": 0})
        hopeless = [(at / 10, at / 10 * rate) for at in range(201)]
        self.assertEqual(fleets.back_after(hopeless, 0.9), {})

    def test_draws_are_alike_for_equal_seeds_and_new_paths_are_new(self):
        with tempfile.TemporaryDirectory() as folder:
            files = Path(folder) / "files"
            files.mkdir()

            class Bench:
                values = {"FILES": files}
            Bench.folder = Path(folder)
            tokens = fleet_world.Tokens(Bench)
            one, other = (fleet_world.Tokens(Bench).drawn(100, 500, 7)[1] for _ in range(2))
            self.assertEqual(one, other)
            self.assertGreater(one.count(min(one)), 500 / 100)      # the first is drawn most
            lists = [tokens.fresh(10).read_text().split() for _ in range(2)]
            self.assertEqual(len(set(lists[0] + lists[1])), 20)
            # The origin has a document for each: its last three digits.
            for path in lists[0] + tokens.every(3).read_text().split():
                self.assertTrue((files / "tokens" / path[-3:]).exists(), path)

    def test_every_kind_has_its_columns(self):
        for scenario in scenarios.ALL:
            for columns in report.SHOWN[scenario.kind]:
                self.assertLessEqual(set(columns), set(report.FIGURES), scenario.name)


class Load(unittest.TestCase):
    def answer(self, listener):
        """Everybody, with what is asked for, until the listener is closed."""
        def serve(client):
            with client, contextlib.suppress(OSError):
                while head := client.recv(65536):
                    for line in head.split(b"\r\n\r\n")[:-1]:
                        self.asked.append(line.split(b" ")[1].decode())
                        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    def test_what_a_lost_node_does_not_answer_is_asked_of_the_next(self):
        self.asked = []
        with socket.create_server(("127.0.0.1", 0)) as listener, \
                socket.create_server(("127.0.0.1", 0)) as gone, \
                tempfile.NamedTemporaryFile("w") as paths:
            lost = gone.getsockname()[1]
            gone.close()
            paths.write("/a\n/b\n")
            paths.flush()
            threading.Thread(target=self.answer, args=(listener,), daemon=True).start()
            said = json.loads(subprocess.run(
                [sys.executable, "-B", PEERS / "open_loop.py",
                 f"{lost},{listener.getsockname()[1]}", "100", "1", paths.name],
                check=True, capture_output=True).stdout)
            listener.shutdown(socket.SHUT_RDWR)
        self.assertEqual(len(said["rows"]), 100)
        self.assertTrue(all(good for _, _, good in said["rows"]))
        self.assertEqual(said["again"], 50)
        self.assertEqual(sorted(self.asked), ["/a"] * 50 + ["/b"] * 50)


@needs_own_network
@unittest.skipUnless(os.access("/dev/net/tun", os.R_OK | os.W_OK), "needs TUN devices")
class Links(unittest.TestCase):
    def test_packets_take_their_time_and_arrive(self):
        with contextlib.ExitStack() as stack:
            clouds = [far_clouds.Cloud(stack, at) for at in (1, 2)]
            stack.enter_context(far_clouds.links(clouds, 400))
            with clouds[1].inside():
                listener = stack.enter_context(socket.create_server((clouds[1].address, 0)))
            begun = time.monotonic()
            with clouds[0].inside():
                client = stack.enter_context(
                    socket.create_connection(listener.getsockname(), 30))
            self.assertGreaterEqual(time.monotonic() - begun, 0.4)      # there and back
            server = stack.enter_context(listener.accept()[0])
            sent = os.urandom(50_000)
            threading.Thread(target=client.sendall, args=(sent,)).start()
            got = b""
            while len(got) < len(sent):
                got += server.recv(65536)
            self.assertEqual(got, sent)


@unittest.skipIf(any(shutil.which(tool) is None for tool in TOOLS), "needs " + ", ".join(TOOLS))
class AFleet(unittest.TestCase):
    def test_a_purge_is_watched_on_three_nodes(self):
        with tempfile.TemporaryDirectory(prefix="scrollgate-fleets-") as folder:
            result = Path(folder) / "r.json"
            run = subprocess.run(
                [sys.executable, "-B", str(PEERS / "run.py"), "--scrollgate",
                 os.environ["SCROLLGATE_BIN"], "--subjects", "nginx,scrollgate", "--rounds", "1",
                 "--seconds", "1", "--json", str(result), "fleet-purge"],
                capture_output=True, text=True, timeout=170)
            self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
            self.assertIn("everywhere after ms", run.stdout)
            self.assertIn("nginx: no tier that nodes share", run.stdout)
            figures = json.loads(result.read_text())["scenarios"]["fleet-purge"]["rounds"][0]
            self.assertEqual(set(figures["scrollgate"]),
                             {"purge_ms", "everywhere_ms", "reclaimed_ms"})


if __name__ == "__main__":
    main()
