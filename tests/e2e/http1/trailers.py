"""Trailers: forwarded where allowed, capped, never mixed into the head (RFC 9110 section 6.5)."""
from harness import EdgeTest, main
from harness.origin import raw


class Trailers(EdgeTest):
    def upload(self, trailers, head=b""):
        origin = self.origin()
        edge = self.edge(origin)
        client = self.client(edge)
        client.send(b"POST / HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n" + head
                    + b"\r\n3\r\nabc\r\n0\r\n" + trailers + b"\r\n")
        return origin, client

    def test_request_trailers_go_through(self):
        origin, client = self.upload(b"X-Sum: 42\r\nX-More: yes\r\n", b"Trailer: X-Sum\r\n")
        self.assertEqual(client.response().status, 200)
        request = origin.requests()[0]
        self.assertEqual(request.body, b"abc")
        self.assertIsNone(request.get("x-sum"))
        self.assertIn(("x-sum", "42"), [(n.lower(), v) for n, v in request.trailers])

    def test_trailers_cannot_carry_what_belongs_in_the_head(self):
        origin, client = self.upload(
            b"Host: evil\r\nContent-Length: 9\r\nTransfer-Encoding: gzip\r\nAuthorization: x\r\n"
            b"X-Forwarded-For: 6.6.6.6\r\nConnection: close\r\nA_B: 1\r\nX-Ok: 1\r\n")
        status = client.response().status
        self.assertIn(status, (200, 400))
        if status == 200:
            names = [n.lower() for n, _ in origin.requests()[0].trailers]
            self.assertEqual(names, ["x-ok"])

    def test_too_many_trailers_are_refused(self):
        origin, client = self.upload(b"X-T: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 1000)
        self.assertIn(client.response().status, (400, 413, 431))
        origin.wait_ended()

    def test_response_trailers_go_to_a_client_that_takes_them(self):
        edge = self.edge(self.origin(raw(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n"
            b"0\r\nX-Sum: 42\r\nSet-Cookie: evil=1\r\n\r\n")))
        client = self.client(edge)
        response = client.get("/", "site.test", "TE: trailers", "Connection: TE").response()
        self.assertEqual(response.body, b"abc")
        names = [n.lower() for n, _ in response.trailers]
        self.assertEqual(names, ["x-sum"])
        self.assertIsNone(response.get("x-sum"))
        self.assertEqual(client.get().response().body, b"abc")

    def test_trailers_towards_http10_vanish(self):
        edge = self.edge(self.origin(raw(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: 1\r\n\r\n")))
        client = self.client(edge)
        client.send(b"GET / HTTP/1.0\r\nHost: site.test\r\n\r\n")
        self.assertEqual(client.response().body, b"abc")


if __name__ == "__main__":
    main()
