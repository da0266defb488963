"""What the bench tool counts is what the origin saw, and every kind of failure has its name."""
import hashlib
import resource
import threading
import unittest

from harness import free_port, main
from harness.bench import BenchTest
from harness.origin import ok, raw


def used(origin):
    """Connections that carried requests; one more was only tried."""
    return [c for c in origin.connections if c.requests]


class Counts(BenchTest):
    def test_counts_equal_the_origins_own(self):
        origin = self.origin()
        run = self.bench(f"http://{origin.address}/x", "-n", 500, "-c", 7)
        self.assertEqual(run.json["requests"], 500)
        self.assertEqual(run.json["completed"], 500)
        self.assertEqual(run.json["failed"], 0)
        self.assertEqual(run.json["statuses"]["200"]["count"], 500)
        self.assertEqual(len(origin.requests()), 500)
        self.assertEqual(len(used(origin)), 7)        # kept alive
        sent = sum(len(c.received) for c in used(origin))
        self.assertEqual(run.json["bytes"]["out"], sent)
        self.assertEqual(run.json["bytes"]["in"], 500 * len(
            b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nX-Origin: yes\r\n\r\nGET /x"))
        self.assertEqual(sum(s["completed"] for s in run.json["timeline"]["slices"]), 500)

    def test_a_run_by_time_waits_for_what_is_under_way(self):
        origin = self.origin()
        run = self.bench(f"http://{origin.address}/", "-d", "300ms", "-c", 5, "--workers", 2)
        self.assertEqual(run.json["completed"], len(origin.requests()))
        self.assertGreater(run.json["completed"], 0)
        self.assertEqual(run.json["workers"], 2)

    def test_an_open_loop_sends_what_is_due(self):
        origin = self.origin()
        run = self.bench(f"http://{origin.address}/", "-d", "1s", "-c", 20, "--rate", 200,
                         "--arrivals", "even")
        self.assertEqual(run.json["completed"], 200)
        self.assertEqual(len(origin.requests()), 200)
        self.assertEqual(run.json["rate"]["wanted"], 200)

    def test_fields_methods_and_body_go_out_as_asked(self):
        origin = self.origin()
        body = self.file("body", "payload")
        self.bench(f"http://{origin.address}/", "-n", 40, "-c", 2, "--mix", "GET=1,POST=1",
                   "--body", body, "-H", "X-A: b", "-H", "Host: other.test")
        posts = [r for r in origin.requests() if r.method == "POST"]
        gets = [r for r in origin.requests() if r.method == "GET"]
        self.assertEqual(len(posts) + len(gets), 40)
        self.assertTrue(posts and gets)
        for request in posts + gets:
            self.assertEqual(request.all("host"), ["other.test"])
            self.assertEqual(request.get("x-a"), "b")
        self.assertTrue(all(r.body == b"payload" for r in posts))
        self.assertTrue(all(r.get("content-length") is None for r in gets))

    def test_a_post_without_a_body_says_so(self):
        origin = self.origin()
        self.bench(f"http://{origin.address}/", "-n", 2, "-c", 1, "-X", "POST")
        self.assertEqual([r.get("content-length") for r in origin.requests()], ["0", "0"])

    def test_numbers_lists_and_groups(self):
        def script(conn):
            while True:
                request = conn.request()
                conn.answer(b"", "200 OK", f"X-Cloud: {request.target[1:2]}",
                            "Cache-Status: scrollgate; hit; ttl=5" if request.target == "/a"
                            else "Cache-Status: scrollgate; fwd=miss; stored")
        origin = self.origin(script)
        urls = self.file("urls", f"/a\n# nothing\nhttp://{origin.address}/b/{{n}}\n")
        run = self.bench(f"http://{origin.address}/", "-n", 60, "-c", 1, "--urls", urls,
                         "--keys", 3, "--by", "x-cloud")
        targets = [r.target for r in origin.requests()]
        self.assertEqual(targets[::2], ["/a"] * 30)
        self.assertEqual(set(targets[1::2]), {"/b/0", "/b/1", "/b/2"})
        self.assertEqual(run.json["cache"]["hit"]["count"], 30)
        self.assertEqual(run.json["cache"]["miss"]["count"], 30)
        self.assertEqual(run.json["groups"], {"by": "x-cloud", "completed": {"a": 30, "b": 30}})


class Replay(BenchTest):
    ROWS = "".join('{"time":"2026-11-24T04:00:%02d.000Z","method":"%s","path":"/%d","status":200}\n'
                   % (i, "POST" if i % 5 == 0 else "GET", i) for i in range(30))

    def test_rows_come_in_their_order(self):
        origin = self.origin()
        log = self.file("log", self.ROWS + "rubbish\n")
        run = self.bench(f"http://{origin.address}/", "--replay", log, "--speed", "max", "-c", 1)
        self.assertEqual([r.target for r in origin.requests()], [f"/{i}" for i in range(30)])
        self.assertEqual([r.method for r in origin.requests()][:6],
                         ["POST", "GET", "GET", "GET", "GET", "POST"])
        self.assertEqual(run.json["completed"], 30)
        self.assertIn("1 lines", run.stderr)

    def test_scaled_speed_keeps_the_order_and_ends_with_the_log(self):
        origin = self.origin()
        log = self.file("log", self.ROWS)
        run = self.bench(f"http://{origin.address}/", "--replay", log, "--speed", 60, "-c", 1)
        self.assertEqual([r.target for r in origin.requests()], [f"/{i}" for i in range(30)])
        self.assertGreaterEqual(run.json["duration_s"], 29 / 60)


class Framing(BenchTest):
    """Every legal end of a response is understood, and the connection kept or not as it says."""

    def run_against(self, data, then="keep", *more):
        origin = self.origin(raw(data, then))
        return origin, self.bench(f"http://{origin.address}/", "-n", 6, "-c", 1, *more)

    def expect_fine(self, data, then="keep", connections=1, *more):
        origin, run = self.run_against(data, then, *more)
        self.assertEqual((run.json["completed"], run.json["failed"]), (6, 0), run.stdout)
        self.assertEqual(len(used(origin)), connections)

    def test_chunked(self):
        self.expect_fine(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                         b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: v\r\n\r\n", "keep", 1,
                         "--expect-sha256", hashlib.sha256(b"abcde").hexdigest())

    def test_until_close(self):
        self.expect_fine(b"HTTP/1.1 200 OK\r\n\r\nbody", "close", 6, "--expect-length", 4)

    def test_close_is_honoured(self):
        self.expect_fine(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
                         "close", 6)

    def test_interim_heads(self):
        self.expect_fine(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                         b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    def test_no_body(self):
        self.expect_fine(b"HTTP/1.1 204 No Content\r\n\r\n", "keep", 1, "--expect-status", "204")
        self.expect_fine(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", "keep", 1, "-X", "HEAD")

    def test_large_body(self):
        size = 3_000_000
        self.expect_fine(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size,
                         "keep", 1, "--expect-length", size)


class Failures(BenchTest):
    def expect(self, kind, data, then="keep", *more, completed=0):
        origin = self.origin(raw(data, then))
        run = self.bench(f"http://{origin.address}/", "-n", 5, "-c", 1, *more)
        self.assertEqual(run.json["failures"], {kind: 5}, run.stdout)
        self.assertEqual(run.json["failed"], 5)
        self.assertEqual(run.json["completed"], completed)
        self.assertIn(kind.replace("_", " "), run.stdout.replace("_", " "))

    def test_truncated(self):
        self.expect("truncated", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "close")
        self.expect("truncated", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
                    "close")
        self.expect("truncated", b"HTTP/1.1 200 OK\r\nContent-Le", "close")

    def test_closed_and_reset(self):
        self.expect("closed", b"", "close")
        self.expect("reset", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "reset")

    def test_malformed(self):
        self.expect("malformed", b"NOT HTTP AT ALL\r\n\r\n")
        self.expect("malformed", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")

    def test_timeout(self):
        self.expect("timeout", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "keep",
                    "--timeout", "50ms")

    def test_not_as_expected(self):
        answer = b"HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nno"
        self.expect("unexpected_status", answer, "keep", "--expect-status", "200-299", completed=5)
        self.expect("wrong_length", answer, "keep", "--expect-length", 3, completed=5)
        self.expect("wrong_body", answer, "keep", "--expect-sha256", "0" * 64, completed=5)

    def test_refused_in_the_middle(self):
        """The first connections are answered, then nobody listens any more."""
        gone = threading.Event()

        def script(conn):
            if conn.index > 0:
                conn.request()
            else:
                return      # the first look, before the run
            origin.stop_listening()
            gone.set()
            conn.answer(b"bye", "200 OK", "Connection: close")
        origin = self.origin(script)
        run = self.bench(f"http://{origin.address}/", "-n", 4, "-c", 1)
        self.assertTrue(gone.is_set())
        self.assertEqual(run.json["failures"], {"refused": 3})
        self.assertEqual(run.json["completed"], 1)


class BadInput(BenchTest):
    def refused(self, *arguments, **options):
        run = self.finish(self.start(*arguments, **options))
        self.assertEqual(run.code, 2)
        self.assertEqual(run.stdout, "")
        self.assertEqual(len(run.stderr.splitlines()), 1, run.stderr)
        return run.stderr

    def test_one_line_and_exit_2(self):
        origin = self.origin(ok)
        url = f"http://{origin.address}/"
        self.assertIn("Connection refused", self.refused(f"http://127.0.0.1:{free_port()}/"))
        self.assertIn("http://", self.refused("127.0.0.1:80"))
        self.assertIn("no.such.name.invalid", self.refused("http://no.such.name.invalid/"))
        self.assertIn("--rate", self.refused(url, "--rate", 0))
        self.assertIn("--fail-if", self.refused(url, "--fail-if", "p98>5ms"))
        self.assertIn("/no/such/file", self.refused(url, "--body", "/no/such/file"))
        self.assertIn("/no/such", self.refused(url, "--html", "/no/such/page.html"))
        self.assertIn("port 0", self.refused("http://127.0.0.1:0/"))
        self.assertIn("--zipf", self.refused(url + "{n}", "--keys", 9, "--zipf", "nan"))
        self.assertIn("1e-06", self.refused(url, "--rate", "1e-12"))
        self.assertIn("URL", self.refused())
        self.assertEqual(origin.requests(), [])

    def test_a_connection_needs_a_descriptor(self):
        """The soft limit is raised; where the hard one forbids, that is said before the run."""
        origin = self.origin(ok)
        url = f"http://{origin.address}/"

        def few(hard):
            return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (60, hard))
        run = self.finish(self.start(url, "-n", 400, "-c", 200, preexec_fn=few(400)))
        self.assertEqual((run.code, run.json["completed"]), (0, 400), run.stderr)
        self.assertEqual(len(used(origin)), 200)
        line = self.refused(url, "-n", 400, "-c", 200, preexec_fn=few(250))
        self.assertIn("ulimit", line)
        self.assertIn("250", line)


if __name__ == "__main__":
    main()
