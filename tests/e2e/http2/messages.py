"""Requests and responses over HTTP/2 without TLS: both ways through the pipeline."""
import subprocess
import tempfile
import threading

from harness import EdgeTest, main
from harness.http2 import (DATA, ENABLE_CONNECT_PROTOCOL, END_STREAM, MAX_CONCURRENT_STREAMS,
                           NO_ERROR, PROTOCOL_ERROR, Http2Client, settings)
from harness.origin import raw


def chunked_echo(conn):
    while True:
        request = conn.request()
        conn.answer(request.body, "200 OK")


class Messages(EdgeTest):
    def http2(self, edge, **options):
        client = Http2Client(edge.port, **options)
        self.addCleanup(client.close)
        return client

    def test_a_get_is_answered(self):
        origin = self.origin()
        edge = self.edge(origin)
        client = self.http2(edge)
        answer = client.get2("/a?b=c", ("x-own", "1"))
        self.assertEqual((answer.status, answer.body), (200, b"GET /a?b=c"))
        request = origin.requests()[0]
        self.assertEqual(request.target, "/a?b=c")
        self.assertEqual(request.get("host"), "site.test")
        self.assertEqual(request.get("x-own"), "1")
        self.assertTrue(request.get("via").startswith("2 "))
        self.assertEqual(edge.log(1)[0]["version"], "2")
        self.assertEqual(client.settings[MAX_CONCURRENT_STREAMS], 100)
        self.assertEqual(client.settings[ENABLE_CONNECT_PROTOCOL], 1)

    def test_a_preface_in_pieces_is_one(self):
        edge = self.edge(self.origin())
        client = self.client(edge)
        for piece in (b"P", b"RI * HT", b"TP/2.0\r", b"\n\r\nSM\r\n", b"\r\n"):
            client.send(piece)
        client.send(settings())
        while len(client.buffer) < 9:
            self.assertTrue(client.more())
        self.assertEqual(client.buffer[3], 4)

    def test_many_streams_share_a_connection(self):
        origin = self.origin()
        client = self.http2(self.edge(origin))
        streams = [client.request(f"/{i}") for i in range(50)]
        for stream in streams:
            self.assertEqual(client.answer(stream).body[:5], b"GET /")

    def test_a_body_with_and_without_a_length(self):
        for length in (True, False):
            origin = self.origin(chunked_echo)
            client = self.http2(self.edge(origin))
            more = [("content-length", "9")] if length else []
            stream = client.request("/", "POST", "site.test", *more, end=False)
            client.data(stream, b"abc").data(stream, b"").data(stream, b"defghi", end=True)
            self.assertEqual(client.answer(stream).body, b"abcdefghi")
            framed = origin.requests()[0].get("content-length" if length else "transfer-encoding")
            self.assertEqual(framed, "9" if length else "chunked")

    def test_padding_is_not_content(self):
        origin = self.origin(chunked_echo)
        client = self.http2(self.edge(origin))
        stream = client.request("/", "POST", end=False)
        client.frame(DATA, 0x8 | END_STREAM, stream, b"\x05abc" + bytes(5))
        self.assertEqual(client.answer(stream).body, b"abc")

    def test_trailers_go_both_ways(self):
        def script(conn):
            self.request = conn.request()
            conn.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n"
                      b"X-Sum: 42\r\nSet-Cookie: evil=1\r\n\r\n")
        origin = self.origin(script)
        client = self.http2(self.edge(origin))
        stream = client.request("/", "POST", end=False)
        client.data(stream, b"abc")
        client.open([("x-check", "7"), ("authorization", "x")], stream=stream)
        answer = client.answer(stream)
        self.assertEqual(answer.body, b"abc")
        self.assertEqual(answer.trailers, [("x-sum", "42")])
        self.assertEqual([(n.lower(), v) for n, v in self.request.trailers], [("x-check", "7")])

    def test_heads_without_a_body_are_one_frame(self):
        for method, head, status in (("HEAD", b"200 OK\r\nContent-Length: 5", 200),
                                     ("GET", b"204 No Content", 204),
                                     ("GET", b"304 Not Modified\r\nETag: \"a\"", 304)):
            client = self.http2(self.edge(self.origin(raw(b"HTTP/1.1 " + head + b"\r\n\r\n"))))
            answer = client.answer(client.request("/", method))
            self.assertEqual((answer.status, answer.body), (status, b""))
            self.assertEqual(answer.get("content-length"), "5" if method == "HEAD" else None)
            self.assertFalse([f for f in client.frames if f[0] == DATA])

    def test_interim_heads_are_passed_on(self):
        client = self.http2(self.edge(self.origin(raw(
            b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n"
            b"Content-Length: 2\r\n\r\nok"))))
        answer = client.get2()
        self.assertEqual(answer.status, 200)
        self.assertIn((":status", "103"), answer.interim[0])

    def test_expect_100_continue_is_answered(self):
        client = self.http2(self.edge(self.origin(chunked_echo)))
        stream = client.request("/", "POST", "site.test", ("expect", "100-continue"), end=False)
        self.assertTrue(client.until(lambda: stream in client.answers
                                     and client.answers[stream].interim))
        client.data(stream, b"abc", end=True)
        answer = client.answer(stream)
        self.assertEqual(answer.body, b"abc")

    def test_cookie_crumbs_are_joined(self):
        origin = self.origin()
        client = self.http2(self.edge(origin))
        client.get2("/", ("cookie", "a=1"), ("x-b", "c"), ("cookie", "d=2"))
        self.assertEqual(origin.requests()[0].get("cookie"), "a=1; d=2")

    def test_cookie_crumbs_count_as_one_field(self):
        origin = self.origin()
        edge = self.edge(origin)
        crumbs = [("cookie", f"c{i}=v{i}") for i in range(150)]
        self.assertEqual(self.http2(edge).get2("/", *crumbs).status, 200)
        self.assertEqual(origin.requests()[0].get("cookie"), "; ".join(v for _, v in crumbs))
        others = [(f"x-{i}", "1") for i in range(101)]
        self.assertEqual(self.http2(edge).get2("/", *others).status, 431)

    def test_a_body_is_whole_with_its_length_wherever_its_end_is(self):
        """END_STREAM in an empty frame behind the answer: the origin's connection stays."""
        origin = self.origin()
        edge = self.edge(origin)
        client = self.http2(edge)
        length = ("content-length", "5")
        for _ in range(5):
            stream = client.request("/", "POST", "site.test", length, end=False)
            client.data(stream, b"hello")
            self.assertEqual(client.answer(stream).status, 200)
            client.data(stream, b"", end=True)
            self.assertTrue(client.alive())
        self.assertEqual(len(origin.connections), 1)
        stream = client.request("/", "POST", "site.test", length, end=False)
        client.data(stream, b"hello!")
        self.assertEqual(client.answer(stream).reset, PROTOCOL_ERROR)
        self.assertEqual(client.get2().status, 200)
        self.assertEqual([request.body for request in origin.requests()][:5], [b"hello"] * 5)

    def test_a_method_that_expects_content_says_that_there_is_none(self):
        origin = self.origin()
        client = self.http2(self.edge(origin))
        for method in ("POST", "PUT", "PATCH", "GET", "DELETE"):
            self.assertEqual(client.answer(client.request("/", method)).status, 200)
        # A connect that is raced makes two connections: the order of requests is not known.
        self.assertEqual({r.method: r.get("content-length") for r in origin.requests()},
                         {"POST": "0", "PUT": "0", "PATCH": "0", "GET": None, "DELETE": None})

    def test_fields_of_a_connection_do_not_come_back(self):
        client = self.http2(self.edge(self.origin(raw(
            b"HTTP/1.1 200 OK\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n"
            b"Content-Length: 2\r\n\r\nok"))))
        names = [n for n, _ in client.get2().fields]
        self.assertEqual(names, [n.lower() for n in names])
        self.assertFalse({"connection", "x-hop", "keep-alive", "transfer-encoding"} & set(names))

    def test_a_response_that_is_cut_short_is_reset(self):
        client = self.http2(self.edge(self.origin(raw(
            b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "close"))))
        answer = client.get2()
        self.assertEqual(answer.body, b"abc")
        self.assertFalse(answer.ended)
        self.assertIsNotNone(answer.reset)
        self.assertTrue(client.alive())

    def test_an_early_answer_ends_the_upload_without_an_error(self):
        edge = self.edge(self.origin(), routes=[
            {"name": "all", "respond": {"status": 200, "body": "enough"}}])
        client = self.http2(edge)
        stream = client.request("/", "POST", end=False)
        client.data(stream, b"x" * 100)
        answer = client.answer(stream)
        self.assertEqual(answer.body, b"enough")
        self.assertTrue(client.until(lambda: answer.reset is not None))
        self.assertEqual(answer.reset, NO_ERROR)

    def test_an_early_answer_without_a_body_is_not_lost(self):
        edge = self.edge(self.origin(), routes=[
            {"name": "all", "redirect": {"to": "https://other.test{uri}"}}])
        client = self.http2(edge)
        stream = client.request("/a", "POST", end=False)
        answer = client.answer(stream)
        self.assertEqual(answer.get("location"), "https://other.test/a")
        self.assertTrue(answer.ended)
        self.assertTrue(client.until(lambda: answer.reset is not None))
        self.assertEqual(answer.reset, NO_ERROR)

    def test_a_client_that_resets_ends_its_attempt(self):
        asked = threading.Event()

        def script(conn):
            conn.request()
            asked.set()
            conn.until_closed()
        origin = self.origin(script)
        edge = self.edge(origin)
        client = self.http2(edge)
        stream = client.request()
        self.assertTrue(asked.wait(10))
        client.reset_stream(stream)
        origin.wait_ended()
        self.assertEqual(edge.log(1)[0]["status"], 499)
        self.assertTrue(client.alive())

    def test_curl_and_http1_meet_on_one_port(self):
        edge = self.edge(self.origin())
        self.assertEqual(self.fetch(edge).status, 200)
        for method in ("GET", "HEAD"):
            with tempfile.NamedTemporaryFile() as out:
                done = subprocess.run(
                    ["curl", "-sS", "--http2-prior-knowledge", "-o", out.name, "-w",
                     "%{http_version} %{http_code}", *(["-I"] if method == "HEAD" else []),
                     f"http://127.0.0.1:{edge.port}/"], capture_output=True, timeout=30, text=True)
            self.assertEqual((done.stdout, done.stderr), ("2 200", ""))


if __name__ == "__main__":
    main()
