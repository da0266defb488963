"""Latency that tells the truth: the open loop, conditions, and being interrupted."""
import re
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
        # After 1.5 s one request is given up and another one sent, after 3 s it is too late.
        self.assertEqual(run.json["generator"]["unsent"], 98)
        self.assertEqual(run.json["failures"], {"timeout": 2})
        self.assertIn("98", run.stdout)

    def test_what_was_due_before_the_end_is_sent_behind_it(self):
        """The origin stands still across the end: those who came then would have waited, too."""
        def script(conn):
            conn.request()
            time.sleep(STALL * 1.3)         # the stall itself
            conn.answer(b"ok")
            while True:
                conn.request()
                conn.answer(b"ok")
        origin = self.origin(script)
        run = self.bench(f"http://{origin.address}/", "--rate", 10, "--arrivals", "even",
                         "-d", "1s", "-c", 1)
        self.assertEqual((run.json["completed"], run.json["failed"]), (10, 0))
        self.assertEqual(run.json["generator"]["unsent"], 0)
        self.assertEqual(len(origin.requests()), 10)
        self.assertGreater(run.json["latency_ms"]["p50"], STALL * 700)

    def test_a_steady_load_lasts_to_its_end(self):
        """Though the last request is answered before: a drill may break something later."""
        origin = self.origin()
        run = self.bench(f"http://{origin.address}/", "--rate", 1, "--arrivals", "even",
                         "-d", "1500ms", "-c", 2)
        self.assertEqual(run.json["completed"], 2)
        self.assertGreaterEqual(run.json["duration_s"], 1.5)
        self.assertLessEqual(run.json["rate"]["achieved"], 2 / 1.5)

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

    def test_time_without_answers_has_passed_too(self):
        """Ten answers at once, then none for two seconds: not as many a second."""
        def script(conn):
            for _ in range(10):
                conn.request()
                conn.answer(b"ok")
            conn.request()
            conn.until_closed()
        origin = self.origin(script)
        process = self.start(f"http://{origin.address}/", "-d", "10m", "-c", 1)
        while int(re.match(r" *(\d+)s ", process.stderr.readline())[1]) < 2:
            pass
        process.send_signal(signal.SIGINT)
        run = self.finish(process)
        self.assertEqual((run.code, run.json["completed"]), (130, 10))
        self.assertGreaterEqual(run.json["duration_s"], 2)
        self.assertLessEqual(run.json["rate"]["achieved"], 5)


if __name__ == "__main__":
    main()
