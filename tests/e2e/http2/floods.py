"""What costs a server more than its client: bounded per connection, counted, ended with
ENHANCE_YOUR_CALM; memory stays, and others are served."""
import struct
import threading

from harness import EdgeTest, eventually, main
from harness.http2 import (CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, HEADERS,
                           INITIAL_WINDOW_SIZE, PADDED, PING, PRIORITY, PRIORITY_UPDATE,
                           REFUSED_STREAM, RST_STREAM, SETTINGS, WINDOW_UPDATE, Http2Client, frame,
                           head_of, literal, number, section)
from harness.http2_origin import over_http2
from harness.wait import SANITIZED

MIB = 1024 * 1024
GET = section(head_of())
RESET = struct.pack(">I", 8)


class Floods(EdgeTest):
    def setUp(self):
        self.peer = self.origin()
        self.proxy = self.edge(self.peer)
        with Http2Client(self.proxy.port) as other:
            other.get2()
        self.before = self.proxy.rss()

    def http2(self, **options):
        client = Http2Client(self.proxy.port, **options)
        self.addCleanup(client.close)
        return client

    def flooded(self, client, kind):
        """The connection was ended for a flood of that kind, and the process is as it was."""
        self.assertEqual(client.end_code(), ENHANCE_YOUR_CALM)
        eventually(
            lambda: self.proxy.metric("scrollgate_http2_floods_total", f'kind="{kind}"') >= 1,
            f"a flood of {kind} is counted")
        self.calm()

    def calm(self):
        if not SANITIZED:
            self.assertLess(self.proxy.rss() - self.before, 64 * MIB)
        with Http2Client(self.proxy.port) as other:
            self.assertEqual(other.get2().status, 200)

    def pour(self, client, piece, times):
        """Sends until the other end has had enough."""
        try:
            for _ in range(times):
                client.send(piece)
        except ConnectionError:
            pass
        return client

    def test_rapid_reset(self):
        client = self.http2()
        piece = b"".join(frame(HEADERS, END_HEADERS | END_STREAM, n, GET)
                         + frame(RST_STREAM, 0, n, RESET) for n in range(1, 1001, 2))
        self.flooded(self.pour(client, piece, 1), "rapid_reset")
        self.assertLess(len(self.peer.requests()), 300)

    def test_made_you_reset(self):
        client = self.http2()
        piece = b"".join(frame(HEADERS, END_HEADERS, n, GET)
                         + frame(WINDOW_UPDATE, 0, n, b"\x7f\xff\xff\xff")
                         for n in range(1, 1001, 2))
        self.flooded(self.pour(client, piece, 1), "made_you_reset")

    def test_made_you_reset_in_other_ways(self):
        """More data than there should be, trailers that do not end, a target that is refused."""
        long = section(head_of("/", "POST", "site.test", ("content-length", "1")))
        for began, then in ((long, lambda n: frame(DATA, 0, n, b"two")),
                            (GET, lambda n: frame(HEADERS, END_HEADERS, n, literal("x", "1"))),
                            (section(head_of("*")), lambda n: b"")):
            piece = b"".join(frame(HEADERS, END_HEADERS, n, began) + then(n)
                             for n in range(1, 1001, 2))
            self.flooded(self.pour(self.http2(), piece, 1), "made_you_reset")

    def test_malformed_requests_again_and_again(self):
        client = self.http2()
        bad = section(head_of("/", "GET", "site.test", ("Upper", "1")))
        piece = b"".join(frame(HEADERS, END_HEADERS | END_STREAM, n, bad)
                         for n in range(1, 1001, 2))
        self.flooded(self.pour(client, piece, 1), "made_you_reset")

    def test_continuation_large(self):
        client = self.http2().frame(HEADERS, END_STREAM, 1, GET)
        piece = frame(CONTINUATION, 0, 1, literal("x", "v" * 16000))
        self.flooded(self.pour(client, piece, 80), "continuation")

    def test_continuation_empty(self):
        client = self.http2().frame(HEADERS, END_STREAM, 1, GET)
        self.flooded(self.pour(client, frame(CONTINUATION, 0, 1) * 100, 200), "continuation")

    def test_empty_data(self):
        client = self.http2()
        stream = client.request("/", "POST", end=False)
        self.flooded(self.pour(client, frame(DATA, 0, stream) * 100, 200), "empty_data")

    def test_data_of_nothing_but_padding(self):
        client = self.http2()
        stream = client.request("/", "POST", end=False)
        padding = frame(DATA, PADDED, stream, bytes([35]) + bytes(35))
        self.flooded(self.pour(client, padding * 100, 200), "empty_data")

    def test_padded_data_is_no_flood(self):
        client = self.http2()
        stream = client.request("/", "POST", end=False)
        for _ in range(2000):
            client.send(frame(DATA, PADDED, stream, bytes([8]) + b"x" + bytes(8)))
        client.send(frame(DATA, END_STREAM, stream, b"x"))
        self.assertEqual(client.answer(stream).status, 200)
        self.assertEqual(self.proxy.metric("scrollgate_http2_floods_total"), 0)

    def test_streams_beyond_a_limit_that_is_not_known_yet_are_no_flood(self):
        client = self.http2()
        streams = [client.request() for _ in range(400)]    # before anything is read
        for stream in streams:  # all, before one more: they are as many as may be open
            answer = client.answer(stream)
            self.assertIn((answer.status, answer.reset), ((200, None), (None, REFUSED_STREAM)))
        self.assertEqual(client.answer(streams[0]).status, 200)
        self.assertEqual(client.get2().status, 200)
        self.assertEqual(self.proxy.metric("scrollgate_http2_floods_total"), 0)

    def test_settings(self):
        one = frame(SETTINGS, 0, 0, struct.pack(">HI", INITIAL_WINDOW_SIZE, 70_000))
        self.flooded(self.pour(self.http2(polite=False), one * 100, 200), "settings")

    def test_ping(self):
        client = self.http2(polite=False)
        self.flooded(self.pour(client, frame(PING, 0, 0, bytes(8)) * 100, 200), "ping")

    def test_priority(self):
        for one in (frame(PRIORITY, 0, 1, b"\0\0\0\3\x10"),
                    frame(PRIORITY_UPDATE, 0, 0, b"\0\0\0\1u=1")):
            self.flooded(self.pour(self.http2(), one * 100, 200), "priority")

    def test_window_updates(self):
        one = frame(WINDOW_UPDATE, 0, 0, b"\0\0\0\1")
        self.flooded(self.pour(self.http2(), one * 100, 200), "window")

    def test_frames_of_unknown_types(self):
        self.flooded(self.pour(self.http2(), frame(0x42, 0, 0, b"x") * 100, 200), "unknown")

    def test_an_hpack_bomb(self):
        client = self.http2()
        big = b"\x40" + number(1, 7) + b"x" + number(4000, 7) + b"v" * 4000
        client.frame(HEADERS, END_HEADERS | END_STREAM, 1, GET + big)
        self.assertEqual(client.answer(1).status, 200)
        for stream in range(3, 103, 2):
            client.frame(HEADERS, END_HEADERS | END_STREAM, stream, GET + b"\xbe" * 12)
            self.assertEqual(client.answer(stream).status, 431)
        for stream in range(103, 203, 2):  # read no further than some multiple of the bound
            client.frame(HEADERS, END_HEADERS | END_STREAM, stream, GET + b"\xbe" * 16000)
            answer = client.answer(stream)
            self.assertEqual((answer.status, answer.reset), (None, ENHANCE_YOUR_CALM))
        client.frame(HEADERS, END_HEADERS | END_STREAM, 203, GET + b"\xbe")
        self.assertEqual(client.answer(203).status, 200)
        self.calm()
        line = self.proxy.log(102)[80]
        self.assertEqual((line["status"], line["outcome"]), (431, "header_too_large"))

    def test_hpack_bombs_again_and_again(self):
        client = self.http2()
        big = b"\x40" + number(1, 7) + b"x" + number(4000, 7) + b"v" * 4000
        client.frame(HEADERS, END_HEADERS | END_STREAM, 1, GET + big)
        piece = b"".join(frame(HEADERS, END_HEADERS | END_STREAM, n, GET + b"\xbe" * 4000)
                         for n in range(3, 1003, 2))
        self.flooded(self.pour(client, piece, 1), "made_you_reset")

    def test_a_bomb_of_cookie_crumbs(self):
        client = self.http2()
        crumb = b"\x40" + number(6, 7) + b"cookie" + number(300, 7) + b"c" * 300
        client.frame(HEADERS, END_HEADERS | END_STREAM, 1, GET + crumb + b"\xbe" * 95)
        self.assertIn(client.answer(1).status, (200, 431))
        self.calm()

    def test_windows_of_nothing(self):
        clients = []
        for _ in range(20):
            client = self.http2(polite=False, first=frame(
                SETTINGS, 0, 0, struct.pack(">HI", INITIAL_WINDOW_SIZE, 0)))
            for _ in range(100):
                client.request()
            clients.append(client)
        for client in clients:
            self.assertTrue(client.until(lambda c=client: sum(
                1 for answer in c.answers.values() if answer.fields) >= 90))
        self.calm()
        for client in clients:
            client.close()

    def test_uploads_that_nobody_takes(self):
        """The origin reads nothing of them: each stream stops at its window, others go on."""
        done = threading.Event()

        def script(conn):
            while conn.head().target != "/slow":
                conn.answer(b"ok")
            conn.wait(done)
        proxy = self.edge(self.origin(script, receive_buffer=4096))
        client = Http2Client(proxy.port)
        self.addCleanup(client.close)
        self.addCleanup(done.set)
        before = proxy.rss()
        for _ in range(8):
            stream = client.request("/slow", "POST", end=False)
            client.send(frame(DATA, 0, stream, bytes(16383)) * 4)
        self.assertEqual(client.get2("/quick").status, 200)
        if not SANITIZED:
            self.assertLess(proxy.rss() - before, 16 * MIB)

    def test_uploads_that_stall_stop_no_other(self):
        """As many as may be open, each up to its window: more than the connection's."""
        slow = self.origin(over_http2(lambda http2: http2.until_closed(), polite=False))
        quick = self.origin()
        proxy = self.edge(
            pools={"slow": {"protocol": "h2c", "endpoints": [slow.address]},
                   "quick": {"endpoints": [quick.address]}},
            routes=[{"match": {"path_prefix": "/slow"}, "pools": ["slow"]}, {"pools": ["quick"]}])
        client = Http2Client(proxy.port)
        self.addCleanup(client.close)
        sent = 0

        def room(stream, used):
            return 65535 - used + sum(
                int.from_bytes(payload, "big") for kind, _, of, payload in client.frames
                if kind == WINDOW_UPDATE and of == stream)

        def upload(stream, size, end=False):
            nonlocal sent
            for at in range(0, size, 8192):
                piece = min(8192, size - at)
                client.until(lambda: room(0, sent) >= piece and room(stream, at) >= piece)
                client.data(stream, bytes(piece), end and at + piece == size)
                sent += piece
        for _ in range(40):
            upload(client.request("/slow", "POST", end=False), 57344)
        stream = client.request("/quick", "POST", end=False)
        upload(stream, 30000, end=True)
        self.assertEqual(client.answer(stream).status, 200)

    def test_streams_broken_off_behind_their_heads_are_no_flood(self):
        """As downloads and gRPC calls are that somebody cancels; others on the connection go on."""
        def script(http2):
            while True:
                request = http2.request()
                http2.head(request.stream)
                http2.data(request.stream, b"first")
        origin = self.origin(over_http2(script))
        proxy = self.edge(pools={"main": {"protocol": "h2c", "endpoints": [origin.address]}})
        with Http2Client(proxy.port) as client:
            lasting = client.request("/lasting")
            for _ in range(1500):
                stream = client.request()
                client.until(lambda s=stream: s in client.answers and client.answers[s].body)
                client.reset_stream(stream)
            self.assertTrue(client.alive())
            self.assertIsNone(client.goaway)
            self.assertIsNone(client.answers[lasting].reset)
        self.assertEqual(proxy.metric("scrollgate_http2_floods_total"), 0)

    def test_a_busy_client_is_no_flood(self):
        """Window updates and pings for what we send, for a long time."""
        body = b"b" * 200_000

        def script(conn):
            while True:
                conn.request()
                conn.answer(body)
        proxy = self.edge(self.origin(script))
        with Http2Client(proxy.port) as client:
            for _ in range(200):
                self.assertEqual(len(client.get2().body), len(body))
                client.frame(PING, 0, 0, bytes(8))
            self.assertTrue(client.alive())
        self.assertEqual(proxy.metric("scrollgate_http2_floods_total"), 0)


if __name__ == "__main__":
    main()
