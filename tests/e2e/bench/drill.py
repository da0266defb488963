"""Drills: a part of the system breaks under load, and the report says what it did to whom."""
import http.client
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

from harness import Scrollgate, free_port, main
from harness.bench import BenchTest
from harness.network import inside_own_network, needs_nft, needs_own_network
from harness.wait import eventually

# An origin as a process of its own that can be killed: name, address, port, and the method whose
# requests it reads and never answers.
ORIGIN = textwrap.dedent("""
    import http.server, sys, threading
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        def do_GET(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.command == sys.argv[4]:
                threading.Event().wait()
            # In one write: a process that is lost between head and body has begun its answer, and
            # nobody may ask for it again.
            head = "HTTP/1.1 200 OK\\r\\nX-Cloud: %s\\r\\nContent-Length: 2" % sys.argv[1]
            self.wfile.write((head + "\\r\\n\\r\\nok").encode())
        do_POST = do_GET
        def log_message(self, *_):
            pass
    class Server(http.server.ThreadingHTTPServer):
        request_queue_size = 512
    server = Server((sys.argv[2], int(sys.argv[3])), Handler)
    print("ready", flush=True)
    server.serve_forever()
""")


def stopped(process):
    """Whether SIGSTOP has halted it."""
    text = Path(f"/proc/{process.pid}/stat").read_text()
    return text.rpartition(")")[2].split()[0] == "T"


class Drills(BenchTest):
    def cloud(self, name, address="127.0.0.1", holds="nothing"):
        port = free_port()
        process = subprocess.Popen([sys.executable, "-c", ORIGIN, name, address, str(port), holds],
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
            # What is drilled here is the drill: the victim's share shall come back at once.
            "pools": {name: {"endpoints": [address], "outlier": "off", "slow_start": "0s"}
                      for name, address in pools.items()},
            "routes": [{"name": "all", "pools": list(pools), "balance": "round_robin"}],
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
        last = [s for s in run.json["timeline"]["slices"] if s["completed"]][-5:]
        self.assertTrue(any("aws" in s["groups"] for s in last), last)

    def test_methods_are_told_apart(self):
        """POSTs that the victim has read may not be repeated: they fail. GETs do not."""
        (victim, aws), (_, gcp) = self.cloud("aws", holds="POST"), self.cloud("gcp")
        run = self.drill(self.edge(aws=aws, gcp=gcp), "--kill", victim.pid,
                         "--mix", "GET=80,POST=20")
        drill = run.json["drill"]
        get, post = drill["methods"]["GET"], drill["methods"]["POST"]
        self.assertEqual((get["failed"], get["failures"]), (0, {}))
        self.assertGreater(post["failed"], 0)
        self.assertEqual(post["failures"], {"unexpected_status": post["failed"]})
        self.assertEqual(drill["failed"], post["failed"])
        self.assertGreater(drill["in_flight"], 0)
        for method in (get, post):
            self.assertGreater(method["requests"], method["failed"])
        self.assertAlmostEqual(get["longest_extra_ms"],
                               max(0, get["longest_after_ms"] - get["usual_ms"]), 2)
        self.assertIn(f"POST unexpected_status {post['failed']}", run.stdout)
        self.assertRegex(run.stdout, r"\n +POST +\d+ +%d " % post["failed"])

    def test_requests_that_are_being_worked_on_count(self):
        """All that were sent were read long ago, so nothing waits in the kernel. Three are due
        before the kill and none behind it: while the kernel closes what a dead process had open,
        connections go before the listener, which takes new ones until then, only to reset them."""
        victim, address = self.cloud("slow", holds="GET")
        run = self.bench("drill", f"http://{address}/", "-d", "1500ms", "-c", 3, "--rate", 2,
                         "--arrivals", "even", "--at", "1400ms", "--kill", victim.pid)
        self.assertEqual(run.json["drill"]["in_flight"], 3)
        self.assertEqual(run.json["requests"], 3)
        failures = run.json["drill"]["methods"]["GET"]["failures"]
        self.assertEqual(failures.get("closed", 0) + failures.get("reset", 0), 3)

    def test_a_drill_that_hits_nothing_fails(self):
        """A connection that is open and idle is no request."""
        (_, aws), (idle, gcp) = self.cloud("aws"), self.cloud("gcp")
        kept = http.client.HTTPConnection(gcp)
        self.addCleanup(kept.close)
        kept.request("GET", "/")
        self.assertEqual(kept.getresponse().read(), b"ok")
        run = self.drill(self.edge(aws=aws), "--kill", idle.pid, code=1)
        self.assertEqual(run.json["drill"]["in_flight"], 0)
        self.assertIn("nothing", run.stderr)

    def stopping(self):
        """A drill that has just stopped its victim, which would stay so for minutes."""
        victim, address = self.cloud("aws")
        run = self.start("drill", f"http://{address}/", "-d", "5m", "--at", "200ms", "-c", 4,
                         "--by", "x-cloud", "--stop", victim.pid)
        eventually(lambda: stopped(victim), "the victim halts")
        return victim, run

    def test_ctrl_c_mends(self):
        victim, process = self.stopping()
        process.send_signal(signal.SIGINT)
        run = self.finish(process)
        self.assertEqual(run.code, 130)
        self.assertFalse(stopped(victim))
        self.assertTrue(run.json["interrupted"])

    def test_even_sigkill_mends(self):
        victim, process = self.stopping()
        process.kill()
        process.wait()
        eventually(lambda: not stopped(victim), "the victim goes on")

    def test_a_pool_is_failed_through_the_admin_api(self):
        _, aws = self.cloud("aws")
        asked, lock = [], threading.Lock()

        def script(conn):
            request = conn.request()
            with lock:
                asked.append((request.method, request.target, request.get("authorization"),
                              request.body))
            endpoints = [{"in_flight": 2}, {"in_flight": 1}]
            conn.answer(json.dumps({"pools": [{"name": "gcp", "endpoints": []},
                                              {"name": "aws", "endpoints": endpoints}]}).encode())
        admin = self.origin(script)
        run = self.bench("drill", f"http://{aws}/", "-d", "1s", "--at", "300ms", "-c", 4, "--by",
                         "x-cloud", "--fail", "aws", "--for", "250ms", "--admin",
                         f"http://{admin.address}", "--token-file", self.file("token", "s3cret\n"))
        self.assertEqual(run.json["drill"]["in_flight"], 3)
        self.assertEqual(run.json["drill"]["what"], "fail pool aws")
        self.assertIsNotNone(run.json["drill"]["healed_s"])
        bearer = "Bearer s3cret"
        self.assertEqual(asked, [("GET", "/api/v1/status", bearer, b"")] * 2 + [
            ("POST", "/api/v1/pools/aws/fail", bearer, b'{"for": "250ms"}'),
            ("DELETE", "/api/v1/pools/aws/fail", bearer, b"")])
        run = self.finish(self.start("drill", f"http://{aws}/", "--fail", "azure", "--admin",
                                     f"http://{admin.address}"))
        self.assertEqual(run.code, 2)
        self.assertIn("azure", run.stderr)

    def test_an_admin_api_that_refuses_is_told(self):
        _, aws = self.cloud("aws")

        def script(conn):
            request = conn.request()
            status = {"pools": [{"name": "aws", "endpoints": [{"in_flight": 1}]}]}
            conn.answer(json.dumps(status).encode(),
                        "401 Unauthorized" if request.method == "POST" else "200 OK")
        admin = self.origin(script)
        run = self.bench("drill", f"http://{aws}/", "-d", "600ms", "--at", "200ms", "-c", 4, "--by",
                         "x-cloud", "--fail", "aws", "--admin", f"http://{admin.address}", code=1)
        self.assertIn("401 (--token-file?)", run.stderr)
        self.assertIsNone(run.json["drill"])

    def test_what_cannot_be_broken(self):
        _, aws = self.cloud("aws")
        url = f"http://{aws}/"
        for arguments, word in [(["--kill", 1], "process"), (["--kill", os.getpid()], "port"),
                                (["--kill", 4_000_000], "4000000"), ([], "one of"),
                                (["--kill", 2, "--stop", 3], "one of"),
                                (["--blackhole", "name.test"], "name.test"),
                                (["--blackhole", "127.0.0.2"], "namespace"),
                                (["--fail", "aws"], "--admin"),
                                (["--kill", 2, "--ramp", "1:3:1"], "--ramp"),
                                (["--kill", 2, "--for", "1s"], "--for")]:
            run = self.finish(self.start("drill", url, *arguments))
            self.assertEqual(run.code, 2, arguments)
            self.assertEqual(len(run.stderr.splitlines()), 1, run.stderr)
            self.assertIn(word, run.stderr)


@needs_own_network
@needs_nft
class Blackhole(Drills):
    def test_packets_vanish_and_come_back(self):
        if not inside_own_network(self):
            return
        _, aws = self.cloud("aws", "127.0.0.2")
        run = self.bench("drill", f"http://{aws}/", "-d", "1500ms", "--at", "500ms", "-c", 4,
                         "--by", "x-cloud", "--blackhole", aws, "--for", "300ms")
        self.assertGreater(run.json["drill"]["in_flight"], 0)
        self.assertGreater(run.json["drill"]["longest_extra_ms"], 200)   # of 300, whoever is asked
        self.assertEqual(run.json["failed"], 0)
        tables = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True).stdout
        self.assertNotIn("scrollgate", tables)

    def test_even_sigkill_brings_packets_back(self):
        if not inside_own_network(self):
            return
        _, aws = self.cloud("aws", "127.0.0.2")
        process = self.start("drill", f"http://{aws}/", "-d", "5m", "--at", "200ms", "-c", 4,
                             "--by", "x-cloud", "--blackhole", aws)

        def dug():
            return b"scrollgate" in subprocess.run(["nft", "list", "tables"],
                                                   capture_output=True).stdout
        eventually(dug, "packets vanish")
        process.kill()
        process.wait()
        eventually(lambda: not dug(), "the rules are gone")

    def test_without_nft_there_is_one_line(self):
        if not inside_own_network(self):
            return
        _, aws = self.cloud("aws")
        run = self.finish(self.start("drill", f"http://{aws}/", "--blackhole", aws,
                                     env={**os.environ, "PATH": str(self.folder)}))
        self.assertEqual(run.code, 2)
        self.assertEqual(len(run.stderr.splitlines()), 1, run.stderr)
        self.assertRegex(run.stderr, r"nft \(package nftables\).*No such file")


for name in [n for n in vars(Drills) if n.startswith("test_")]:
    setattr(Blackhole, name, None)      # only its own


if __name__ == "__main__":
    main()
