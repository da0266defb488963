"""Latency that tells the truth: the open loop, conditions, and being interrupted."""
import signal
import threading
import time

from harness import main
from harness.bench import BenchTest
from harness.wait import SANITIZED, eventually

STALL = 1.0


class OpenLoop(BenchTest):
    def test_a_stall_shows_in_the_tail_though_few_requests_met_it(self):
        """The origin stands still for a second once. Four connections meet it, of some hundred
        requests; the requests that should have left meanwhile waited, too."""
        count, lock, until = [0], threading.Lock(), [0.0]

        def script(conn):
            while True:
                conn.request()
                with lock:
                    count[0] += 1
                    if count[0] == 400:
                        until[0] = time.monotonic() + STALL
                left = until[0] - time.monotonic()
                if left > 0:
                    time.sleep(left)        # the stall itself
                conn.answer(b"ok")
        origin = self.origin(script)
        run = self.bench(f"http://{origin.address}/", "--rate", 300, "--arrivals", "even",
                         "-d", "4s", "-c", 4)
        corrected, plain = run.json["latency_ms"], run.json["uncorrected_ms"]
        self.assertGreater(corrected["p99"], STALL * 1000 * 0.8)
        self.assertGreater(corrected["max"], STALL * 1000 * 0.99)
        if not SANITIZED:
            self.assertLess(plain["p99"], STALL * 1000 * 0.5)
        self.assertIn("corrected", run.stdout)
        self.assertIn("uncorrected", run.stdout)
        self.assertEqual(run.json["completed"], 1200)

    def test_a_closed_loop_has_one_latency(self):
        origin = self.origin()
        run = self.bench(f"http://{origin.address}/", "-n", 50, "-c", 2)
        self.assertEqual(run.json["latency_ms"], run.json["uncorrected_ms"])
        self.assertNotIn("uncorrected", run.stdout)

    def test_what_could_not_leave_is_counted_and_marked(self):
        def script(conn):
            conn.request()
            conn.until_closed()
        origin = self.origin(script)
        run = self.bench(f"http://{origin.address}/", "--rate", 100, "--arrivals", "even",
                         "-d", "1s", "-c", 1, "--timeout", "1500ms")
        self.assertTrue(run.json["behind"])
        self.assertEqual(run.json["generator"]["unsent"], 99)
        self.assertEqual(run.json["failures"], {"timeout": 1})
        self.assertIn("99", run.stdout)

    def test_a_ramp_goes_up(self):
        origin = self.origin()
        run = self.bench(f"http://{origin.address}/", "--ramp", "50:150:50", "-d", "1500ms",
                         "--arrivals", "even", "-c", 8)
        self.assertEqual(run.json["completed"], 25 + 50 + 75)


class Conditions(BenchTest):
    def test_exit_codes(self):
        origin = self.origin()
        url = f"http://{origin.address}/"
        self.bench(url, "-n", 5, "--fail-if", "errors>0", "--fail-if", "p99>1h")
        run = self.bench(url, "-n", 5, "--fail-if", "errors>0", "--fail-if", "p99>0us", code=1)
        self.assertIn("p99>0us", run.stderr)
        self.assertNotIn("errors>0", run.stderr)
        self.assertEqual(run.json["completed"], 5)


class Interrupted(BenchTest):
    def test_what_was_measured_so_far_is_printed(self):
        origin = self.origin()
        process = self.start(f"http://{origin.address}/", "-d", "10m", "-c", 2)
        eventually(lambda: len(origin.requests()) > 100, "some requests")
        process.send_signal(signal.SIGINT)
        run = self.finish(process)
        self.assertEqual(run.code, 130)
        self.assertTrue(run.json["interrupted"])
        self.assertGreater(run.json["completed"], 90)
        self.assertEqual(run.json["failed"], 0)
        self.assertIn("interrupted", run.stdout.lower())


if __name__ == "__main__":
    main()
