"""Fields that end at this hop, both ways (RFC 9110 section 7.6.1); dropped underscores."""
from harness import EdgeTest, main
from harness.origin import raw


class HopByHop(EdgeTest):
    def forwarded(self, *fields):
        """The request that the origin sees."""
        origin = self.origin()
        self.assertEqual(self.fetch(self.edge(origin), "/", *fields).status, 200)
        return origin.requests()[0]

    def answered(self, *fields):
        """The response that the client sees."""
        lines = "\r\n".join(["HTTP/1.1 200 OK", *fields, "Content-Length: 2"])
        edge = self.edge(self.origin(raw(lines.encode() + b"\r\n\r\nok")))
        return self.fetch(edge)

    def test_fields_of_this_hop_are_not_forwarded(self):
        request = self.forwarded("Connection: X-One, x-two", "X-One: 1", "X-Two: 2", "X-Three: 3",
                                 "Keep-Alive: timeout=5", "Proxy-Connection: keep-alive",
                                 "TE: gzip", "Upgrade: h2c", "HTTP2-Settings: AAAA")
        for name in ("x-one", "x-two", "keep-alive", "proxy-connection", "upgrade",
                     "http2-settings"):
            self.assertIsNone(request.get(name), name)
        self.assertEqual(request.get("x-three"), "3")
        self.assertNotIn("gzip", request.get("te", ""))

    def test_connection_cannot_remove_what_the_message_needs(self):
        request = self.forwarded(
            "Connection: Host, Content-Length, Transfer-Encoding, Cache-Control, Authorization, "
            "X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host, Cookie, Via",
            "Cache-Control: no-store", "Authorization: Basic eDp5", "Cookie: a=b",
            "Content-Length: 0")
        self.assertEqual(request.get("host"), "site.test")
        self.assertEqual(request.get("cache-control"), "no-store")
        self.assertEqual(request.get("authorization"), "Basic eDp5")
        self.assertEqual(request.get("cookie"), "a=b")
        self.assertEqual(request.get("x-forwarded-for"), "127.0.0.1")
        self.assertEqual(request.get("x-forwarded-proto"), "http")
        self.assertIsNotNone(request.get("via"))

    def test_fields_of_the_origins_hop_are_not_passed_on(self):
        response = self.answered("Connection: X-One", "X-One: 1", "X-Two: 2",
                                 "Keep-Alive: timeout=5", "Proxy-Connection: close",
                                 "Upgrade: h2c")
        for name in ("x-one", "keep-alive", "proxy-connection", "upgrade", "connection"):
            self.assertIsNone(response.get(name), name)
        self.assertEqual(response.get("x-two"), "2")

    def test_the_origins_connection_cannot_remove_what_caches_need(self):
        response = self.answered("Connection: Cache-Control, Set-Cookie, Content-Length",
                                 "Cache-Control: private", "Set-Cookie: a=b")
        self.assertEqual(response.get("cache-control"), "private")
        self.assertEqual(response.get("set-cookie"), "a=b")
        self.assertEqual(response.body, b"ok")

    def test_the_origins_close_is_not_the_clients(self):
        edge = self.edge(self.origin(raw(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", "close")))
        client = self.client(edge)
        for _ in range(3):
            response = client.get().response()
            self.assertEqual(response.body, b"ok")
            self.assertIsNone(response.get("connection"))

    def test_names_with_underscores_are_dropped(self):
        request = self.forwarded("X_Forwarded_For: 6.6.6.6", "Content_Length: 7", "A_B: 1",
                                 "A-B: 2")
        self.assertEqual([n for n in request.names() if "_" in n], [])
        self.assertEqual(request.get("a-b"), "2")

    def test_repeated_fields_keep_their_order(self):
        request = self.forwarded("X-A: 1", "X-B: 2", "x-a: 3", "Cookie: a=1", "Cookie: b=2")
        self.assertEqual(request.all("x-a"), ["1", "3"])
        self.assertEqual(request.all("cookie"), ["a=1", "b=2"])
        response = self.answered("Set-Cookie: a=1", "Set-Cookie: b=2")
        self.assertEqual(response.all("set-cookie"), ["a=1", "b=2"])


if __name__ == "__main__":
    main()
