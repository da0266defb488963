"""A connection's life: back-pressure, patience, idleness, and the way to its end."""
import signal
import struct
import subprocess
import threading
import time

from harness import EdgeTest, free_port, main
from harness.http2 import (DATA, END_STREAM, GOAWAY, HEADERS, INITIAL_WINDOW_SIZE, NO_ERROR,
                           PRIORITY_UPDATE, SETTINGS, Http2Client, frame, head_of, section,
                           settings)
from harness.wait import SANITIZED

MIB = 1024 * 1024
GET = section(head_of())


class Life(EdgeTest):
    def http2(self, edge, **options):
        client = Http2Client(edge.port, **options)
        self.addCleanup(client.close)
        return client

    def held(self):
        """An origin that answers when self.release is set."""
        self.release = threading.Event()
        self.addCleanup(self.release.set)

        def script(conn):
            while True:
                conn.request()
                conn.wait(self.release)
                conn.answer(b"done")
        return self.origin(script)

    # -- the end
    def test_a_stop_says_goaway_and_finishes_what_it_has(self):
        origin = self.held()
        edge = self.edge(origin, timeouts={"drain": "30s"})
        client = self.http2(edge)
        stream = client.request()
        origin.wait_requests(1)
        edge.signal(signal.SIGTERM)
        self.assertTrue(client.until(lambda: client.goaway is not None))
        self.assertEqual((client.goaway, client.last), (NO_ERROR, 0x7fffffff))
        self.release.set()
        self.assertEqual(client.answer(stream).body, b"done")
        self.assertEqual(client.end_code(), NO_ERROR)
        self.assertEqual(client.last, stream)
        self.assertEqual(edge.wait_exit(), 0)

    def test_requests_that_cross_the_notice_are_served(self):
        origin = self.held()
        edge = self.edge(origin, timeouts={"drain": "30s"})
        client = self.http2(edge)
        first = client.request()
        origin.wait_requests(1)
        edge.signal(signal.SIGTERM)
        self.assertTrue(client.until(lambda: client.goaway is not None))
        second = client.request()
        self.release.set()
        for stream in (first, second):
            self.assertEqual(client.answer(stream).body, b"done")
        client.end_code()
        self.assertEqual(edge.wait_exit(), 0)

    def test_an_idle_connection_does_not_hold_up_a_stop(self):
        edge = self.edge(self.origin(), timeouts={"drain": "30s"})
        client = self.http2(edge)
        client.get2()
        self.assertEqual(edge.stop(patience=10), 0)
        self.assertEqual(client.end_code(), NO_ERROR)

    def test_a_client_that_says_goaway_still_gets_its_answers(self):
        origin = self.held()
        client = self.http2(self.edge(origin))
        stream = client.request()
        client.frame(GOAWAY, 0, 0, bytes(8))
        origin.wait_requests(1)
        self.release.set()
        self.assertEqual(client.answer(stream).body, b"done")

    def test_a_reload_that_takes_the_listener_away_says_goaway(self):
        origin = self.held()
        edge = self.edge(origin)
        busy, idle = self.http2(edge), self.http2(edge)
        stream = busy.request()
        origin.wait_requests(1)
        self.assertTrue(idle.alive())
        edge.write({**edge.config, "listeners": [
            {"name": "other", "address": f"127.0.0.1:{free_port()}"}]})
        self.assertEqual(edge.reload()[0], 200)
        for client in (busy, idle):
            self.assertTrue(client.until(lambda c=client: c.goaway is not None))
            self.assertEqual((client.goaway, client.last), (NO_ERROR, 0x7fffffff))
        self.assertEqual(idle.end_code(), NO_ERROR)
        self.release.set()
        self.assertEqual(busy.answer(stream).body, b"done")
        self.assertEqual(busy.end_code(), NO_ERROR)
        self.assertEqual(busy.last, stream)

    # -- time
    def test_an_idle_connection_ends_orderly(self):
        edge = self.edge(self.origin(), timeouts={"client_idle": "1s"})
        client = self.http2(edge)
        client.get2()
        self.assertEqual(client.end_code(), NO_ERROR)

    def test_pings_do_not_keep_an_idle_connection(self):
        edge = self.edge(self.origin(), timeouts={"client_idle": "2s"})
        client = self.http2(edge)
        client.get2()
        try:
            while client.alive():
                time.sleep(0.05)                            # time itself is tested here
        except ConnectionError:
            pass
        self.assertEqual(client.goaway, NO_ERROR)

    def test_a_head_that_never_ends_is_given_up(self):
        edge = self.edge(self.origin(), timeouts={"client_header": "500ms"})
        client = self.http2(edge)
        client.get2()
        client.frame(HEADERS, END_STREAM, 3, GET[:10])
        client.end_code()

    def test_a_body_that_stops_is_408(self):
        edge = self.edge(self.origin(), timeouts={"client_body": "300ms"})
        client = self.http2(edge)
        stream = client.request("/", "POST", end=False)
        client.data(stream, b"abc")
        answer = client.answer(stream)
        self.assertEqual(answer.status, 408)
        self.assertTrue(client.alive())

    def test_a_stream_whose_window_stays_shut_is_given_up_alone(self):
        edge = self.edge(self.origin(), timeouts={"client_write": "500ms"})
        client = self.http2(edge, polite=False, first=frame(
            SETTINGS, 0, 0, struct.pack(">HI", INITIAL_WINDOW_SIZE, 0)))
        stream = client.request()
        answer = client.answer(stream)
        self.assertIsNotNone(answer.reset)
        self.assertEqual(edge.log(1)[0]["outcome"], "client_stalled")
        self.assertTrue(client.alive())

    # -- back-pressure
    def test_a_slow_stream_stops_its_origin_and_no_other_stream(self):
        sent = []

        def script(conn):
            while True:
                if conn.request().target == "/quick":
                    conn.answer(b"quick")
                    continue
                conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (256 * MIB))
                for _ in range(1024):
                    conn.send(bytes(256 * 1024))
                    sent.append(1)
        origin = self.origin(script)
        edge = self.edge(origin)
        client = self.http2(edge, polite=False)
        client.window(0, 64 * MIB)
        slow = client.request("/slow")
        self.assertTrue(client.until(lambda: client.answers.get(slow)
                                     and len(client.answers[slow].body) >= 65_535))
        before = edge.rss()
        for _ in range(20):
            self.assertEqual(client.get2("/quick").body, b"quick")
        self.assertEqual(len(client.answers[slow].body), 65_535)
        if not SANITIZED:
            self.assertLess(edge.rss() - before, 4 * MIB)
        self.assertLess(len(sent), 64)
        client.reset_stream(slow)
        origin.wait_ended()

    def test_what_is_urgent_goes_first(self):
        """RFC 9218: by the request's own field, and by PRIORITY_UPDATE."""
        def script(conn):
            while True:
                conn.request()
                conn.answer(b"b" * 8000)
        edge = self.edge(self.origin(script))
        for update in (False, True):
            client = self.http2(edge, polite=False, first=settings(INITIAL_WINDOW_SIZE=0))
            later = [] if update else [("priority", "u=6")]
            sooner = [] if update else [("priority", "u=1")]
            streams = [client.request("/a", "GET", "site.test", *later),
                       client.request("/b", "GET", "site.test", *sooner)]
            if update:
                client.frame(PRIORITY_UPDATE, 0, 0, struct.pack(">I", streams[0]) + b"u=6")
                client.frame(PRIORITY_UPDATE, 0, 0, struct.pack(">I", streams[1]) + b"u=1")
            self.assertTrue(client.until(lambda c=client, s=streams: all(
                n in c.answers and c.answers[n].fields for n in s)))
            client.send(settings(INITIAL_WINDOW_SIZE=10_000))
            for stream in streams:
                client.answer(stream)
            order = [f[2] for f in client.frames if f[0] == DATA and f[3]]
            self.assertEqual(order[0], streams[1])

    def test_what_is_urgent_is_whole_before_the_rest_goes_on(self):
        """RFC 9218: between the pieces of a long body, too, nothing less urgent gets its turn."""
        size = MIB
        def script(conn):
            while True:
                conn.request()
                conn.answer(b"b" * size, "200 OK", "Cache-Control: max-age=60")
        origin = self.origin(script)
        edge = self.edge(origin, routes=[{"name": "all", "pools": ["main"],
                                          "cache": {"enabled": True}}])
        before = self.http2(edge)
        for path in ("/a", "/b"):
            before.get2(path)
        client = self.http2(edge, polite=False, first=settings(INITIAL_WINDOW_SIZE=0))
        later = client.request("/a", "GET", "site.test", ("priority", "u=6"))
        sooner = client.request("/b", "GET", "site.test", ("priority", "u=1"))
        self.assertTrue(client.until(lambda: all(
            n in client.answers and client.answers[n].fields for n in (later, sooner))))
        client.window(0, 4 * size)
        client.send(settings(INITIAL_WINDOW_SIZE=2 * size))
        for stream in (later, sooner):
            self.assertEqual(len(client.answer(stream).body), size)
        order = [f[2] for f in client.frames if f[0] == DATA and f[3]]
        self.assertEqual(set(order[:order.index(later)]), {sooner})
        self.assertNotIn(sooner, order[order.index(later):])

    def test_large_bodies_both_ways(self):
        def script(conn):
            while True:
                request = conn.request()
                conn.answer(request.body)
        edge = self.edge(self.origin(script))
        body = bytes(range(256)) * 8192
        done = subprocess.run(
            ["curl", "-sS", "--http2-prior-knowledge", "--data-binary", "@-", "-H", "Expect:",
             f"http://127.0.0.1:{edge.port}/"], input=body, capture_output=True, timeout=60)
        self.assertEqual(done.stderr, b"")
        self.assertEqual(done.stdout, body)

    def test_h2load_gets_every_answer(self):
        edge = self.edge(self.origin())
        done = subprocess.run(
            ["h2load", "-n", "2000", "-c", "8", "-m", "32", f"http://127.0.0.1:{edge.port}/"],
            capture_output=True, timeout=60, text=True)
        self.assertIn("2000 succeeded, 0 failed, 0 errored", done.stdout, done.stderr)


if __name__ == "__main__":
    main()
