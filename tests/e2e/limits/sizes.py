"""Each size limit of the contract with its status."""
from harness import EdgeTest, main
from harness.origin import raw


class Sizes(EdgeTest):
    def test_header_bytes_is_431(self):
        origin = self.origin()
        edge = self.edge(origin, limits={"header_bytes": "4KiB"})
        self.assertEqual(self.fetch(edge, "/", "X: " + "a" * 3000).status, 200)
        client = self.client(edge).get("/", "site.test", "X: " + "a" * 5000)
        self.assert_refused(client, 431)
        self.assertEqual(len(origin.requests()), 1)
        self.assertEqual(edge.log(2)[1]["outcome"], "header_too_large")

    def test_header_bytes_may_be_raised(self):
        edge = self.edge(self.origin(), limits={"header_bytes": "128KiB"})
        self.assertEqual(self.fetch(edge, "/", "X: " + "a" * 100_000).status, 200)

    def test_an_endless_head_is_refused_before_its_end(self):
        edge = self.edge(self.origin(), limits={"header_bytes": "4KiB"})
        client = self.client(edge).send(b"GET / HTTP/1.1\r\nX: " + b"a" * 10_000)
        self.assert_refused(client, 431)

    def test_header_count_is_431(self):
        edge = self.edge(self.origin(), limits={"headers": 10})
        self.assertEqual(self.fetch(edge, "/", *["A: 1"] * 9).status, 200)
        client = self.client(edge).get("/", "site.test", *["A: 1"] * 10)
        self.assert_refused(client, 431)

    def test_uri_bytes_is_414(self):
        edge = self.edge(self.origin(), limits={"uri_bytes": "100B"})
        self.assertEqual(self.fetch(edge, "/" + "a" * 99).status, 200)
        client = self.client(edge).get("/" + "a" * 100)
        self.assert_refused(client, 414)
        self.assertEqual(edge.log(2)[1]["outcome"], "uri_too_long")

    def test_body_with_length_is_413_and_nothing_is_forwarded(self):
        origin = self.origin()
        edge = self.edge(origin, limits={"body": "1000B"})
        self.assertEqual(self.fetch(edge, method="POST", body=b"x" * 1000).status, 200)
        client = self.client(edge)
        client.send(b"POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 1001\r\n\r\n")
        self.assert_refused(client, 413)
        self.assertEqual(len(origin.requests()), 1)

    def test_a_chunked_body_is_413_once_it_is_too_long(self):
        origin = self.origin()
        edge = self.edge(origin, limits={"body": "1000B"})
        client = self.client(edge)
        client.send(b"POST / HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\r\n"
                    b"3e8\r\n" + b"x" * 1000 + b"\r\n1\r\nx\r\n0\r\n\r\n")
        self.assert_refused(client, 413)
        self.assertEqual(origin.requests(), [])

    def test_a_large_answer_head_is_502(self):
        edge = self.edge(self.origin(raw(
            b"HTTP/1.1 200 OK\r\nX: " + b"a" * 40_000 + b"\r\nContent-Length: 0\r\n\r\n")))
        self.assertEqual(self.fetch(edge).status, 502)


if __name__ == "__main__":
    main()
