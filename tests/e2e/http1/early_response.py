"""A final answer while the request body still flows (RFC 9112 section 9.5)."""
from harness import EdgeTest, main

HEAD = b"POST /up HTTP/1.1\r\nHost: site.test\r\nContent-Length: 10000000\r\n\r\n"


class EarlyResponse(EdgeTest):
    def test_the_answer_arrives_before_the_body_is_complete(self):
        def script(conn):
            conn.head()
            conn.read(5)
            conn.answer(b"enough", "413 Content Too Large", "Connection: close")
            conn.until_closed()
        origin = self.origin(script)
        edge = self.edge(origin)
        client = self.client(edge).send(HEAD + b"start")
        response = client.response()
        self.assertEqual((response.status, response.body), (413, b"enough"))
        self.assertEqual(response.get("connection"), "close")
        origin.wait_ended()

    def test_the_answer_survives_an_origin_that_closes_at_once(self):
        def script(conn):
            conn.head()
            conn.answer(b"denied", "403 Forbidden", "Connection: close")
        edge = self.edge(self.origin(script))
        for _ in range(5):
            client = self.client(edge).send(HEAD + b"x" * 1000)
            response = client.response()
            self.assertEqual((response.status, response.body), (403, b"denied"))

    def test_a_client_that_goes_on_sending_still_reads_the_answer(self):
        def script(conn):
            conn.head()
            conn.answer(b"enough", "400 Bad Request", "Connection: close")
            conn.until_closed()
        edge = self.edge(self.origin(script))
        client = self.client(edge).send(HEAD)
        for _ in range(10):
            client.send(b"x" * 20_000)
        response = client.response()
        self.assertEqual((response.status, response.body), (400, b"enough"))

    def test_a_body_that_completes_in_time_keeps_the_connection(self):
        def script(conn):
            while True:
                request = conn.head()
                conn.answer(b"early")
                conn.read(int(request.get("content-length")))
        edge = self.edge(self.origin(script))
        client = self.client(edge)
        client.send(b"POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 3\r\n\r\nabc")
        self.assertEqual(client.response().body, b"early")


if __name__ == "__main__":
    main()
