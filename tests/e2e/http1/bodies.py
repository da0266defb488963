"""Bodies both ways: length-delimited, chunked, until close; lengths in our own decimal."""
import os
import threading

from harness import EdgeTest, main


class Bodies(EdgeTest):
    def test_a_request_body_with_length_arrives_unchanged(self):
        origin = self.origin()
        edge = self.edge(origin)
        body = os.urandom(300_000)
        self.assertEqual(self.fetch(edge, "/up", method="POST", body=body).status, 200)
        request = origin.requests()[0]
        self.assertEqual(request.get("content-length"), "300000")
        self.assertEqual(request.body, body)

    def test_a_chunked_request_body_arrives_unchanged(self):
        origin = self.origin()
        edge = self.edge(origin)
        parts = [os.urandom(n) for n in (1, 15, 4096, 70_000)]
        client = self.client(edge)
        client.send(b"PUT /up HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\r\n")
        for part in parts:
            client.send(b"%x;ext=1\r\n%s\r\n" % (len(part), part))
        client.send(b"0\r\n\r\n")
        self.assertEqual(client.response().status, 200)
        request = origin.requests()[0]
        self.assertEqual(request.body, b"".join(parts))
        self.assertNotIn(b"ext=1", origin.connections[0].received)

    def test_a_chunked_request_is_not_held_back(self):
        seen = threading.Event()

        def script(conn):
            conn.head()
            while b"first" not in conn.received:
                conn.more()
            seen.set()
            conn.until_closed()
        edge = self.edge(self.origin(script))
        client = self.client(edge)
        client.send(b"POST / HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\r\n"
                    b"5\r\nfirst\r\n")
        self.assertTrue(seen.wait(10), "the first chunk is forwarded before the last one came")

    def test_a_response_with_length_arrives_unchanged(self):
        body = os.urandom(1_000_000)
        edge = self.edge(self.origin(lambda conn: (conn.request(), conn.answer(body))))
        response = self.fetch(edge)
        self.assertEqual(response.get("content-length"), "1000000")
        self.assertTrue(response.body == body)

    def test_a_chunked_response_arrives_unchanged_and_not_held_back(self):
        release = threading.Event()
        body = os.urandom(100_000)

        def script(conn):
            while True:
                conn.request()
                conn.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
                conn.wait(release)
                conn.send(b"%x;x=y\r\n%s\r\n0\r\n\r\n" % (len(body), body))
        origin = self.origin(script)
        edge = self.edge(origin)
        client = self.client(edge).get()
        self.assertEqual(client.head().framing, "chunked")
        client.until(b"first")
        release.set()
        client.until(b"\r\n0\r\n\r\n")
        self.assertNotIn(b"x=y", client.buffer)
        self.assertIn(body[-1000:-10], client.buffer)

    def test_a_read_until_close_response_becomes_chunked_and_keeps_the_client(self):
        def script(conn):
            conn.request()
            conn.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhello ")
            conn.send(b"world")
        origin = self.origin(script)
        edge = self.edge(origin)
        client = self.client(edge)
        for _ in range(2):
            response = client.get().response()
            self.assertEqual((response.framing, response.body), ("chunked", b"hello world"))
        self.assertEqual(len(origin.connections), 2)

    def test_an_empty_chunked_body_stays_a_body(self):
        origin = self.origin()
        edge = self.edge(origin)
        client = self.client(edge)
        client.send(b"POST / HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\r\n"
                    b"0\r\n\r\n")
        self.assertEqual(client.response().status, 200)
        request = origin.requests()[0]
        self.assertEqual(request.body, b"")
        self.assertNotEqual(request.framing, "none")

    def test_an_empty_post_says_so(self):
        origin = self.origin()
        edge = self.edge(origin)
        self.assertEqual(self.fetch(edge, method="POST", body=b"").status, 200)
        self.assertEqual(origin.requests()[0].get("content-length"), "0")


if __name__ == "__main__":
    main()
