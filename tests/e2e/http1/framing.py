"""Answers without a body: HEAD, 204, 205, 304 (RFC 9112 section 6.3)."""
from harness import EdgeTest, main
from harness.origin import raw


class Framing(EdgeTest):
    def twice(self, answer, method="GET", then="keep"):
        """Two exchanges on one client connection: the second shows that the first was framed."""
        edge = self.edge(self.origin(raw(answer, then)))
        client = self.client(edge)
        out = []
        for _ in range(2):
            client.send(f"{method} / HTTP/1.1\r\nHost: site.test\r\n\r\n".encode())
            out.append(client.response(method))
        self.assertEqual(out[0].status, out[1].status)
        self.assertEqual(client.buffer, b"")
        return out[0]

    def test_head_keeps_content_length_and_has_no_body(self):
        response = self.twice(b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n", "HEAD")
        self.assertEqual(response.get("content-length"), "1234")

    def test_head_of_a_chunked_resource_has_no_body(self):
        self.twice(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HEAD")

    def test_head_without_any_length_has_no_body(self):
        self.twice(b"HTTP/1.1 200 OK\r\nX: y\r\n\r\n", "HEAD")

    def test_204_has_neither_body_nor_length(self):
        response = self.twice(b"HTTP/1.1 204 No Content\r\n\r\n")
        self.assertEqual(response.status, 204)
        self.assertIsNone(response.get("content-length"))
        self.assertIsNone(response.get("transfer-encoding"))

    def test_304_keeps_its_length_and_has_no_body(self):
        response = self.twice(
            b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 99\r\n\r\n')
        self.assertEqual(response.status, 304)
        self.assertEqual(response.get("etag"), '"a"')

    def test_304_without_length_has_no_body(self):
        self.assertEqual(self.twice(b"HTTP/1.1 304 Not Modified\r\n\r\n").body, b"")

    def test_205_ends_at_once(self):
        response = self.twice(b"HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n")
        self.assertEqual((response.status, response.body), (205, b""))

    def test_an_error_status_keeps_its_body(self):
        response = self.twice(b"HTTP/1.1 500 Oh\r\nContent-Length: 3\r\n\r\nwhy")
        self.assertEqual((response.status, response.body), (500, b"why"))


if __name__ == "__main__":
    main()
