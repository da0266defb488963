"""HTTP/2 towards origins: messages both ways over shared connections."""
import hashlib
import threading

from harness import eventually, main
from harness.client import RawClient
from harness.http2 import (CANCEL, INTERNAL_ERROR, MAX_CONCURRENT_STREAMS, REFUSED_STREAM,
                           Http2Client, settings)
from harness.http2_origin import Http2Case, ok2, requests2


class Messages(Http2Case):
    def test_a_get_goes_and_comes(self):
        origin = self.origin2()
        edge = self.edge2(origin)
        answer = self.fetch(edge, "/a?b=c", "X-Own: 1")
        self.assertEqual((answer.status, answer.body), (200, b"GET /a?b=c"))
        self.assertEqual(answer.get("x-origin"), "yes")
        self.assertTrue(answer.get("via").startswith("2 "))
        request = requests2(origin)[0]
        self.assertEqual([request.get(n) for n in (":method", ":scheme", ":authority", ":path")],
                         ["GET", "http", "site.test", "/a?b=c"])
        self.assertEqual((request.get("x-own"), request.get("te")), ("1", "trailers"))
        for name in ("host", "connection", "transfer-encoding", "upgrade"):
            self.assertIsNone(request.get(name))
        self.assertTrue(request.ended)

    def test_requests_share_a_connection_one_after_the_other(self):
        origin = self.origin2()
        edge = self.edge2(origin)
        for n in range(5):
            self.assertEqual(self.fetch(edge, f"/{n}").status, 200)
        self.assertEqual(len(origin.connections), 1)
        self.assertEqual(edge.metric("scrollgate_connections", 'side="upstream"'), 1)

    def test_many_at_a_time_share_a_connection(self):
        together = threading.Event()

        def script(http2):
            http2.until(lambda: len(http2.heads) >= 40)
            together.set()      # before anybody is answered
            for request in reversed(http2.heads):
                http2.answer(request.stream, request.path.encode())
            http2.until_closed()
        origin = self.origin2(script)
        edge = self.edge2(origin)
        client = Http2Client(edge.port)
        self.addCleanup(client.close)
        streams = [client.request(f"/{i}") for i in range(40)]
        for i, stream in enumerate(streams):
            self.assertEqual(client.answer(stream).body, f"/{i}".encode())
        self.assertTrue(together.is_set())
        self.assertEqual(len(origin.connections), 1)

    def test_a_body_goes_up_with_and_without_a_length(self):
        def script(http2):
            while True:
                request = http2.request()
                http2.answer(request.stream, hashlib.sha256(request.body).digest())
        origin = self.origin2(script)
        edge = self.edge2(origin)
        body = bytes(range(256)) * 2000          # more than any window
        self.assertEqual(self.fetch(edge, method="POST", body=body).body,
                         hashlib.sha256(body).digest())
        client = self.client(edge)
        client.send(b"POST / HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\r\n"
                    b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n")
        self.assertEqual(client.final("POST").body, hashlib.sha256(b"abcdefg").digest())
        first, second = requests2(origin)
        self.assertEqual(first.get("content-length"), str(len(body)))
        self.assertIsNone(second.get("content-length"))

    def test_a_long_body_comes_down(self):
        body = bytes(range(256)) * 20_000        # 5 MB

        def script(http2):
            request = http2.request()
            http2.head(request.stream, 200)
            sent = 0
            while sent < len(body):
                room = min(65_535 + http2.windows.get(0, 0),
                           http2.settings.get(4, 65_535) + http2.windows.get(request.stream, 0))
                while sent < min(room, len(body)):
                    part = body[sent:min(sent + 16384, room)]
                    http2.data(request.stream, part)
                    sent += len(part)
                if sent < len(body):
                    http2.step()
            http2.data(request.stream, b"", end=True)
            http2.until_closed()
        self.assertEqual(self.fetch(self.edge2(self.origin2(script))).body, body)

    def test_head_and_204_have_no_body(self):
        def script(http2):
            while True:
                request = http2.request()
                if request.method == "HEAD":
                    http2.head(request.stream, 200, ("content-length", "10"), end=True)
                else:
                    http2.head(request.stream, 204, end=True)
        edge = self.edge2(self.origin2(script))
        client = self.client(edge)
        client.send(b"HEAD / HTTP/1.1\r\nHost: site.test\r\n\r\n")
        answer = client.response("HEAD")
        self.assertEqual((answer.status, answer.get("content-length")), (200, "10"))
        self.assertEqual(client.get().response().status, 204)

    def test_trailers_go_both_ways(self):
        def script(http2):
            request = http2.request()
            http2.head(request.stream, 200)
            http2.data(request.stream, b"abc")
            http2.trailers(request.stream, ("x-sum", "42"), ("set-cookie", "evil=1"))
            http2.until_closed()
        origin = self.origin2(script)
        client = Http2Client(self.edge2(origin).port)
        self.addCleanup(client.close)
        stream = client.request("/", "POST", end=False)
        client.data(stream, b"body")
        client.open([("x-checked", "yes")], end=True, stream=stream)
        answer = client.answer(stream)
        self.assertEqual((answer.body, answer.trailers), (b"abc", [("x-sum", "42")]))
        self.assertEqual(requests2(origin)[0].trailers, [("x-checked", "yes")])

    def test_early_hints_are_passed_on(self):
        def script(http2):
            request = http2.request()
            http2.head(request.stream, 103, ("link", "</a>"))
            http2.answer(request.stream, b"x")
            http2.until_closed()
        client = self.client(self.edge2(self.origin2(script)))
        hints = client.get().response()
        self.assertEqual((hints.status, hints.get("link")), (103, "</a>"))
        self.assertEqual(client.response().body, b"x")

    def test_expect_waits_for_the_origins_100(self):
        def script(http2):
            request = http2.request(whole=False)
            http2.head(request.stream, 100)
            http2.until(lambda: request.ended)
            http2.answer(request.stream, request.body)
            http2.until_closed()
        client = self.client(self.edge2(self.origin2(script)))
        client.send(b"POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 3\r\n"
                    b"Expect: 100-continue\r\n\r\n")
        self.assertEqual(client.response().status, 100)
        client.send(b"abc")
        self.assertEqual(client.response().body, b"abc")

    def test_an_answer_before_the_requests_end_ends_both(self):
        def script(http2):
            request = http2.request(whole=False)
            http2.answer(request.stream, b"no", 403)
            http2.until(lambda: request.reset is not None)
            self.code = request.reset
            http2.until_closed()
        origin = self.origin2(script)
        edge = self.edge2(origin)
        client = self.client(edge)
        client.send(b"POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 1000000\r\n\r\nabc")
        self.assertEqual(client.response().status, 403)
        eventually(lambda: hasattr(self, "code"), "the stream is reset")
        self.assertEqual(self.code, CANCEL)

    def test_a_client_that_leaves_takes_its_stream_with_it_alone(self):
        gone = threading.Event()

        def script(http2):
            request = http2.request()
            http2.until(lambda: request.reset is not None)
            gone.set()
            ok2(http2)
        origin = self.origin2(script)
        edge = self.edge2(origin)
        client = self.client(edge)
        client.get("/slow")
        eventually(lambda: requests2(origin), "the request is there")
        client.reset()
        self.assertTrue(gone.wait(10))
        self.assertEqual(self.fetch(edge, "/next").body, b"GET /next")
        self.assertEqual(len(origin.connections), 1)


class Broken(Http2Case):
    def test_a_reset_in_the_body_is_an_abort_and_never_stored(self):
        def script(http2):
            while True:
                request = http2.request()
                http2.head(request.stream, 200, ("cache-control", "max-age=60"))
                http2.data(request.stream, b"half")
                self.assertTrue(self.seen.wait(10))
                self.seen.clear()
                http2.reset(request.stream, INTERNAL_ERROR)
        self.seen = threading.Event()
        origin = self.origin2(script)
        edge = self.edge2(origin, routes=[
            {"name": "all", "pools": ["main"], "cache": {"enabled": True}}])
        for _ in range(2):
            with RawClient(edge.port) as client:
                client.get().until(b"half")
                self.seen.set()
                self.assertNotIn(b"0\r\n\r\n", client.rest())
        self.assertEqual(len(requests2(origin)), 2)
        self.assertEqual({line["outcome"] for line in edge.log(2)}, {"upstream_truncated"})

    def test_a_reset_before_the_head_lets_a_get_be_repeated_and_no_post(self):
        def script(http2):
            while True:
                request = http2.request()
                http2.reset(request.stream, INTERNAL_ERROR)
        bad, good = self.origin2(script), self.origin2()
        edge = self.edge2(bad, good, routes=[
            {"name": "all", "pools": ["main"], "balance": "round_robin"}])
        self.assertEqual([self.fetch(edge).status for _ in range(2)], [200, 200])
        self.assertEqual({self.fetch(edge, method="POST", body=b"x").status for _ in range(2)},
                         {200, 502})
        posts = [r for o in (bad, good) for r in requests2(o) if r.method == "POST"]
        self.assertEqual(len(posts), 2)

    def test_a_refused_post_is_sent_again(self):
        def script(http2):
            refused = http2.request()
            http2.reset(refused.stream, REFUSED_STREAM)
            ok2(http2)
        origin = self.origin2(script)
        edge = self.edge2(origin)
        answer = self.fetch(edge, "/pay", method="POST", body=b"pay")
        self.assertEqual((answer.status, answer.body), (200, b"POST /pay"))
        self.assertEqual([r.body for r in requests2(origin)], [b"pay", b"pay"])
        self.assertEqual(edge.log(1)[0]["outcome"], "ok")

    def test_an_endpoint_that_takes_no_request_loses_its_traffic(self):
        def script(http2):
            while True:
                request = http2.request()
                http2.reset(request.stream, REFUSED_STREAM)
        bad, good = self.origin2(script), self.origin2()
        edge = self.edge2(bad, good, routes=[
            {"name": "all", "pools": ["main"], "balance": "round_robin",
             "failover": {"replay": "100B"}}])
        post = {"method": "POST", "body": b"x" * 200}   # not kept: what is refused fails
        out = "is ejected (was in): took none of"

        def asks_until_it_is_out():
            self.fetch(edge, **post)
            return out in edge.stderr()
        eventually(asks_until_it_is_out, "ten refusals in a row eject")
        self.assertEqual({self.fetch(edge, **post).status for _ in range(20)}, {200})

    def test_what_is_always_refused_is_a_503(self):
        def script(http2):
            while True:
                request = http2.request()
                http2.reset(request.stream, REFUSED_STREAM)
        edge = self.edge2(self.origin2(script))
        self.assertEqual(self.fetch(edge).status, 503)
        self.assertEqual(edge.log(1)[0]["outcome"], "upstream_refused")

    def test_goaway_lets_what_was_taken_end_and_sends_the_rest_elsewhere(self):
        def script(http2):
            if http2.conn.index > 0:
                return ok2(http2)
            first = http2.request()
            http2.until(lambda: len(http2.heads) >= 3)
            http2.go_away(first.stream)
            http2.answer(first.stream, b"the first")
            http2.until_closed()
        origin = self.origin2(script)
        client = Http2Client(self.edge2(origin).port)
        self.addCleanup(client.close)
        first = client.request("/1")
        eventually(lambda: requests2(origin), "the first request")
        rest = [client.request(f"/{n}", "POST", end=False) for n in (2, 3)]
        for stream in rest:
            client.data(stream, b"x", end=True)
        self.assertEqual(client.answer(first).body, b"the first")
        self.assertEqual(sorted(client.answer(s).body for s in rest), [b"POST /2", b"POST /3"])
        self.assertEqual(len(origin.connections), 2)
        # Windows that it gives back for what it refused may cross our end: a reset then.
        self.assertIn(origin.wait_ended(0), ("eof", "reset"))

    def test_an_origin_that_does_not_speak_http2(self):
        origin = self.origin()                   # HTTP/1.1

        def script(conn):
            conn.more()
            conn.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        origin.script = script
        edge = self.edge2(origin)
        self.assertEqual(self.fetch(edge).status, 502)
        self.assertEqual(edge.log(1)[0]["outcome"], "upstream_malformed")

    def test_a_killed_origin_is_followed_by_the_next(self):
        dying, other = self.origin2(), self.origin2()
        edge = self.edge2(dying, other, routes=[
            {"name": "all", "pools": ["main"], "balance": "round_robin"}])
        for _ in range(4):
            self.assertEqual(self.fetch(edge).status, 200)
        dying.close()
        for _ in range(6):
            self.assertEqual(self.fetch(edge).status, 200)


class Bounds(Http2Case):
    def test_one_stream_at_a_time(self):
        def script(http2):
            running = 0
            while True:
                request = http2.request()
                self.assertEqual(len([r for r in http2.heads if not getattr(r, "done", False)]), 1)
                running = max(running, 1)
                http2.answer(request.stream, request.path.encode())
                request.done = True
        origin = self.origin2(script, first=settings(MAX_CONCURRENT_STREAMS=1))
        edge = self.edge2(origin, pool={"limits": {"connections": 2}})
        client = Http2Client(edge.port)
        self.addCleanup(client.close)
        streams = [client.request(f"/{i}") for i in range(12)]
        for i, stream in enumerate(streams):
            self.assertEqual(client.answer(stream).body, f"/{i}".encode())
        self.assertLessEqual(len(origin.connections), 2)

    def test_a_slow_client_stops_neither_others_nor_grows_memory(self):
        body = b"x" * 16384

        def script(http2):
            sent = {}
            while True:
                http2.step()
                for request in http2.heads:
                    if request.path == "/quick" and request.ended and request.stream not in sent:
                        sent[request.stream] = 0
                        http2.answer(request.stream, b"quick")
                    elif request.path == "/slow" and request.reset is None:
                        room = (http2.settings.get(4, 65_535)
                                + http2.windows.get(request.stream, 0))
                        while sent.setdefault(request.stream, -1) < 0:
                            http2.head(request.stream, 200)
                            sent[request.stream] = 0
                        total = 65_535 + http2.windows.get(0, 0) - sum(sent.values())
                        while sent[request.stream] + len(body) <= room and total >= len(body):
                            http2.data(request.stream, body)
                            sent[request.stream] += len(body)
                            total -= len(body)
                self.sent = sent
        origin = self.origin2(script)
        edge = self.edge2(origin)
        slow = [self.client(edge) for _ in range(8)]
        for client in slow:
            client.get("/slow")
        eventually(lambda: len(requests2(origin)) == 8, "the slow ones are there")
        for _ in range(20):
            self.assertEqual(self.fetch(edge, "/quick").body, b"quick")
        self.assertEqual(len(origin.connections), 1)
        for count in self.sent.values():         # a window, and what the sockets have taken
            self.assertLess(count, 16 << 20)

    def test_upstream_idle_ends_a_connection(self):
        origin = self.origin2()
        edge = self.edge2(origin, timeouts={"upstream_idle": "1s"})
        self.assertEqual(self.fetch(edge).status, 200)
        self.assertEqual(origin.wait_ended(0), "eof")
        self.assertEqual(origin.connections[0].http2.goaway, 0)
        eventually(lambda: edge.metric("scrollgate_connections", 'side="upstream"') == 0,
                   "the gauge says so")

    def test_a_reload_breaks_nothing(self):
        def script(http2):
            request = http2.request()
            if http2.conn.index == 0:
                http2.head(request.stream, 200)
                http2.data(request.stream, b"half ")
                self.go_on.wait(10)
                http2.data(request.stream, b"whole", end=True)
                http2.until_closed()
            http2.answer(request.stream, b"new")
            http2.until_closed()
        self.go_on = threading.Event()
        origin = self.origin2(script)
        edge = self.edge2(origin)
        client = self.client(edge)
        client.get()
        eventually(lambda: requests2(origin), "the request is there")
        edge.reload()
        self.go_on.set()
        self.assertEqual(client.final().body, b"half whole")


if __name__ == "__main__":
    main()
