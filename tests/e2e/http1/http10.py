"""HTTP/1.0 clients and origins."""
from harness import EdgeTest, main
from harness.origin import raw


class Http10(EdgeTest):
    def test_a_client_gets_its_answer_and_the_end(self):
        origin = self.origin()
        edge = self.edge(origin)
        client = self.client(edge)
        client.send(b"GET /a HTTP/1.0\r\nHost: site.test\r\n\r\n")
        response = client.response()
        self.assertEqual((response.status, response.body), (200, b"GET /a"))
        client.expect_closed()
        self.assertEqual(origin.requests()[0].version, "1.1")

    def test_a_client_never_gets_chunks(self):
        edge = self.edge(self.origin(raw(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n"
            b"0\r\n\r\n")))
        client = self.client(edge)
        client.send(b"GET / HTTP/1.0\r\nHost: site.test\r\nConnection: keep-alive\r\n\r\n")
        response = client.response()
        self.assertIsNone(response.get("transfer-encoding"))
        self.assertEqual((response.framing, response.body), ("close", b"abcdef"))

    def test_a_client_may_ask_to_stay(self):
        edge = self.edge(self.origin())
        client = self.client(edge)
        for n in range(2):
            client.send(b"GET /%d HTTP/1.0\r\nHost: site.test\r\nConnection: keep-alive\r\n\r\n"
                        % n)
            response = client.response()
            self.assertEqual(response.body, b"GET /%d" % n)
            self.assertEqual(response.get("connection", "").lower(), "keep-alive")

    def test_an_origin_without_length_ends_by_closing(self):
        edge = self.edge(self.origin(raw(b"HTTP/1.0 200 OK\r\n\r\nhello", "close")))
        response = self.fetch(edge)
        self.assertEqual((response.version, response.body), ("1.1", b"hello"))

    def test_an_origin_with_length_is_not_asked_twice_on_one_connection(self):
        origin = self.origin(raw(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"))
        edge = self.edge(origin)
        client = self.client(edge)
        for _ in range(2):
            self.assertEqual(client.get().response().body, b"ok")
        self.assertEqual(len(origin.connections), 2)

    def test_an_origin_may_offer_to_stay(self):
        origin = self.origin(raw(
            b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok"))
        edge = self.edge(origin)
        client = self.client(edge)
        for _ in range(2):
            self.assertEqual(client.get().response().body, b"ok")
        self.assertEqual(len(origin.connections), 1)

    def test_via_names_the_received_version(self):
        origin = self.origin()
        edge = self.edge(origin)
        client = self.client(edge)
        client.send(b"GET / HTTP/1.0\r\nHost: site.test\r\n\r\n")
        client.response()
        self.assertTrue(origin.requests()[0].get("via").startswith("1.0 "))


if __name__ == "__main__":
    main()
