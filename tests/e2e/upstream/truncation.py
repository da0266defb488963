"""A body that the origin cuts short is cut short for the client, too, and visibly."""
from harness import EdgeTest, main
from harness.origin import raw


class Truncation(EdgeTest):
    def cut(self, answer, then="close"):
        """What the client reads, after a head with status 200."""
        self.proxy = self.edge(self.origin(raw(answer, then)))
        client = self.client(self.proxy).get()
        head = client.head()
        self.assertEqual(head.status, 200)
        body = client.rest()
        line = self.proxy.log(1)[0]
        self.assertEqual((line["status"], line["outcome"]), (200, "upstream_truncated"))
        return head, body

    def test_of_a_length(self):
        head, body = self.cut(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
        self.assertEqual((head.get("content-length"), body), ("100", b"abc"))

    def test_of_chunks(self):
        _, body = self.cut(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        self.assertIn(b"abc", body)
        self.assertNotIn(b"0\r\n\r\n", body)

    def test_inside_a_chunk(self):
        _, body = self.cut(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nabc")
        self.assertNotIn(b"0\r\n\r\n", body)

    def test_of_malformed_chunks(self):
        _, body = self.cut(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
                           b"zz\r\nevil\r\n0\r\n\r\n", "keep")
        self.assertNotIn(b"0\r\n\r\n", body)
        self.assertNotIn(b"evil", body)

    def test_towards_http10_the_length_tells(self):
        edge = self.edge(self.origin(raw(
            b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", "close")))
        client = self.client(edge)
        client.send(b"GET / HTTP/1.0\r\nHost: site.test\r\n\r\n")
        self.assertEqual(client.head().get("content-length"), "100")
        self.assertEqual(client.rest(), b"abc")

    def test_of_chunks_towards_http10_is_a_reset(self):
        # Without a length the end of the stream would look like the end of the body.
        edge = self.edge(self.origin(raw(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "close")))
        client = self.client(edge)
        client.send(b"GET / HTTP/1.0\r\nHost: site.test\r\n\r\n")
        client.head()
        client.rest()
        self.assertTrue(client.was_reset)


if __name__ == "__main__":
    main()
