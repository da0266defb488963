"""SIGTERM: says so while still accepting, then drains; nobody is reset."""
import re
import shutil
import signal
import subprocess
import threading
import time
import unittest

from harness import EdgeTest, RawClient, eventually, main


class Drain(EdgeTest):
    def held(self):
        """An origin that answers when self.release is set."""
        self.release = threading.Event()

        def script(conn):
            while True:
                conn.request()
                conn.wait(self.release)
                conn.answer(b"done")
        return self.origin(script)

    def test_it_ends_at_once_when_idle(self):
        edge = self.edge(self.origin(), timeouts={"drain": "30s"})
        client = self.client(edge)
        client.get().response()
        started = time.monotonic()
        self.assertEqual(edge.stop(), 0)
        self.assertLess(time.monotonic() - started, 5)
        client.expect_closed()

    def test_a_request_under_way_gets_its_answer(self):
        origin = self.held()
        edge = self.edge(origin, timeouts={"drain": "30s"})
        client = self.client(edge).get()
        origin.wait_requests(1)
        edge.signal(signal.SIGTERM)
        edge.wait_stderr("drain")
        self.release.set()
        response = client.response()
        self.assertEqual((response.status, response.body), (200, b"done"))
        self.assertEqual(response.get("connection"), "close")
        client.expect_closed()
        self.assertEqual(edge.wait_exit(), 0)
        self.assertEqual(edge.log(1)[0]["outcome"], "ok")

    def test_drain_delay_still_accepts_and_says_close(self):
        edge = self.edge(self.origin(), timeouts={"drain_delay": "2s", "drain": "5s"})
        client = self.client(edge)
        client.get().response()
        edge.signal(signal.SIGTERM)
        eventually(lambda: edge.admin("GET", "/readyz")[0] == 503, "/readyz says 503")
        self.assertEqual(edge.admin("GET", "/healthz")[0], 200)
        with RawClient(edge.port) as late:
            response = late.get().response()
            self.assertEqual((response.status, response.get("connection")), (200, "close"))
            late.expect_closed()
        response = client.get().response()
        self.assertEqual((response.status, response.get("connection")), (200, "close"))
        self.assertEqual(edge.wait_exit(), 0)

    def test_after_drain_what_is_left_is_cut(self):
        origin = self.held()
        edge = self.edge(origin, timeouts={"drain": "1s"})
        client = self.client(edge).get()
        origin.wait_requests(1)
        started = time.monotonic()
        edge.signal(signal.SIGTERM)
        self.assertEqual(edge.wait_exit(), 0)
        self.assertGreater(time.monotonic() - started, 0.7)
        client.rest()
        self.release.set()

    def test_a_second_sigterm_does_not_hurt(self):
        edge = self.edge(self.origin(), timeouts={"drain_delay": "1s"})
        edge.signal(signal.SIGTERM)
        edge.wait_stderr("drain")
        edge.signal(signal.SIGTERM)
        self.assertEqual(edge.wait_exit(), 0)

    def test_sigint_drains_too(self):
        edge = self.edge(self.origin())
        edge.signal(signal.SIGINT)
        self.assertEqual(edge.wait_exit(), 0)

    @unittest.skipUnless(shutil.which("wrk"), "needs wrk")
    def test_with_wrk_running_there_is_not_one_reset(self):
        edge = self.edge(self.origin(), workers=2,
                         timeouts={"drain_delay": "1500ms", "drain": "5s"})
        # The load ends inside drain_delay: every connection must see answers with
        # `Connection: close`, which wrk follows by connecting anew, and no error.
        load = subprocess.Popen(["wrk", "-t1", "-c16", "-d2s", f"http://127.0.0.1:{edge.port}/"],
                                stdout=subprocess.PIPE, text=True)
        origin_busy = time.monotonic() + 1.0
        time.sleep(max(0.0, origin_busy - time.monotonic()))
        edge.signal(signal.SIGTERM)
        output = load.communicate(timeout=30)[0]
        self.assertEqual(edge.wait_exit(), 0)
        self.assertNotIn("Socket errors", output, output)
        self.assertNotIn("Non-2xx", output, output)
        self.assertGreater(int(re.search(r"(\d+) requests in", output)[1]), 20)

    def test_a_row_of_requests_ends_cleanly(self):
        edge = self.edge(self.origin(), workers=2,
                         timeouts={"drain_delay": "300ms", "drain": "5s"})
        problems, served = [], [0]

        def visit():
            try:
                while True:
                    with RawClient(edge.port) as client:
                        while True:
                            response = client.get().response()
                            if response.status != 200:
                                problems.append(response.status)
                            served[0] += 1
                            if response.get("connection") == "close":
                                break
            except ConnectionRefusedError:
                pass                                # the listener is gone: the end
            except (OSError, AssertionError) as problem:
                problems.append(repr(problem))
        threads = [threading.Thread(target=visit) for _ in range(4)]
        for thread in threads:
            thread.start()
        eventually(lambda: served[0] > 50 or problems, "clients are served")
        edge.signal(signal.SIGTERM)
        for thread in threads:
            thread.join()
        self.assertEqual(problems, [])
        self.assertEqual(edge.wait_exit(), 0)


if __name__ == "__main__":
    main()
