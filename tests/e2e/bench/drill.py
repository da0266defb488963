"""Drills: a part of the system breaks under load, and the report says what it did to whom."""
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import unittest

from harness import Scrollgate, free_port, main
from harness.bench import BenchTest
from harness.wait import eventually

# An origin as a process of its own that can be killed: name, address, port.
ORIGIN = textwrap.dedent("""
    import http.server, sys
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        def do_GET(self):
            self.send_response(200)
            self.send_header("X-Cloud", sys.argv[1])
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")
        def log_message(self, *_):
            pass
    class Server(http.server.ThreadingHTTPServer):
        request_queue_size = 512
    server = Server((sys.argv[2], int(sys.argv[3])), Handler)
    print("ready", flush=True)
    server.serve_forever()
""")


class Drills(BenchTest):
    def cloud(self, name, address="127.0.0.1"):
        port = free_port()
        process = subprocess.Popen([sys.executable, "-c", ORIGIN, name, address, str(port)],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)

        def end():
            process.kill()
            process.communicate()
        self.addCleanup(end)
        self.assertEqual(process.stdout.readline(), "ready\n")
        return process, f"{address}:{port}"

    def edge(self, **pools):
        edge = Scrollgate({
            "listeners": [{"name": "plain", "address": f"127.0.0.1:{free_port()}"}],
            "pools": {name: {"endpoints": [address]} for name, address in pools.items()},
            "routes": [{"name": "all", "pools": list(pools)}],
        })
        self.addCleanup(edge.close)
        return edge

    def drill(self, edge, *arguments, code=0):
        return self.bench("drill", f"http://127.0.0.1:{edge.port}/", "-d", "1500ms", "--at",
                          "500ms", "--rate", 300, "-c", 40, "--by", "x-cloud", *arguments,
                          code=code)

    def test_kill(self):
        (victim, aws), (_, gcp) = self.cloud("aws"), self.cloud("gcp")
        run = self.drill(self.edge(aws=aws, gcp=gcp), "--kill", victim.pid)
        drill = run.json["drill"]
        self.assertEqual(victim.wait(10), -signal.SIGKILL)
        self.assertGreater(drill["in_flight"], 0)
        self.assertEqual(drill["failed"], 0)
        self.assertEqual(run.json["failed"], 0)
        last = [s for s in run.json["timeline"]["slices"] if s["completed"]][-1]
        self.assertEqual(set(last["groups"]), {"gcp"})
        self.assertIn("drill", run.stdout)

    def test_stop_is_mended(self):
        (victim, aws), (_, gcp) = self.cloud("aws"), self.cloud("gcp")
        run = self.drill(self.edge(aws=aws, gcp=gcp), "--stop", victim.pid, "--for", "300ms")
        self.assertGreater(run.json["drill"]["in_flight"], 0)
        self.assertIsNone(victim.poll())
        self.assertEqual(run.json["failed"], 0)
        last = [s for s in run.json["timeline"]["slices"] if s["completed"]][-1]
        self.assertIn("aws", last["groups"])

    def test_a_drill_that_hits_nothing_fails(self):
        (_, aws), (idle, _) = self.cloud("aws"), self.cloud("gcp")
        run = self.drill(self.edge(aws=aws), "--kill", idle.pid, code=1)
        self.assertEqual(run.json["drill"]["in_flight"], 0)
        self.assertIn("nothing", run.stderr)

    def test_what_cannot_be_broken(self):
        _, aws = self.cloud("aws")
        url = f"http://{aws}/"
        for arguments, word in [(["--kill", 1], "process"), (["--kill", os.getpid()], "port"),
                                (["--kill", 4_000_000], "4000000"), ([], "one of"),
                                (["--kill", 2, "--stop", 3], "one of"),
                                (["--blackhole", "name.test"], "name.test"),
                                (["--blackhole", "127.0.0.2"], "namespace"),
                                (["--fail", "aws"], "--admin")]:
            run = self.finish(self.start("drill", url, *arguments))
            self.assertEqual(run.code, 2, arguments)
            self.assertEqual(len(run.stderr.splitlines()), 1, run.stderr)
            self.assertIn(word, run.stderr)


@unittest.skipUnless(os.geteuid() == 0 and shutil.which("nft") and
                     subprocess.run(["unshare", "-n", "true"], stderr=subprocess.DEVNULL)
                     .returncode == 0, "needs root, nft and network namespaces")
class Blackhole(Drills):
    def test_packets_vanish_and_come_back(self):
        """Everything runs inside a network namespace of its own; this test re-runs itself there."""
        if os.environ.get("IN_NAMESPACE") != "yes":
            inside = subprocess.run(
                ["unshare", "-n", sys.executable, "-B", __file__,
                 "Blackhole.test_packets_vanish_and_come_back"],
                env={**os.environ, "IN_NAMESPACE": "yes"}, capture_output=True, text=True)
            self.assertEqual(inside.returncode, 0, inside.stdout + inside.stderr)
            return
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        (_, aws), (_, gcp) = self.cloud("aws", "127.0.0.2"), self.cloud("gcp")
        run = self.drill(self.edge(aws=aws, gcp=gcp), "--blackhole", aws, "--for", "300ms")
        self.assertGreater(run.json["drill"]["in_flight"], 0)
        self.assertGreater(run.json["drill"]["longest_after_ms"], 290)
        self.assertEqual(run.json["failed"], 0)
        tables = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True).stdout
        eventually(lambda: "scrollgate" not in tables, "the rules are gone")


for name in [n for n in vars(Drills) if n.startswith("test_")]:
    setattr(Blackhole, name, None)      # only its own


if __name__ == "__main__":
    main()
