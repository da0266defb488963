"""Expect: 100-continue: no body is read before the origin or the proxy said 100."""
from harness import EdgeTest, main

HEAD = (b"POST /up HTTP/1.1\r\nHost: site.test\r\nExpect: 100-continue\r\n"
        b"Content-Length: 5\r\n\r\n")


class Expect(EdgeTest):
    def test_the_origins_100_lets_the_body_through(self):
        def script(conn):
            conn.head()
            conn.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = conn.read(5)
            conn.answer(body)
        origin = self.origin(script)
        edge = self.edge(origin)
        client = self.client(edge).send(HEAD)
        self.assertEqual(client.response().status, 100)
        client.send(b"hello")
        self.assertEqual(client.response().body, b"hello")
        self.assertEqual(origin.connections[0].requests[0].get("expect").lower(), "100-continue")

    def test_the_origins_refusal_needs_no_body(self):
        def script(conn):
            conn.head()
            conn.answer(b"no", "417 Expectation Failed", "Connection: close")
            conn.until_closed()
        origin = self.origin(script)
        edge = self.edge(origin)
        client = self.client(edge).send(HEAD)
        response = client.response()
        self.assertEqual((response.status, response.body), (417, b"no"))
        # The body was neither sent nor asked for: nothing after the head may be taken as a request.
        self.assertEqual(response.get("connection"), "close")
        client.expect_closed()
        self.assertEqual(len(origin.connections[0].requests), 1)
        self.assertNotIn(b"hello", origin.connections[0].received)

    def test_a_client_that_does_not_wait_is_served(self):
        origin = self.origin()
        edge = self.edge(origin)
        client = self.client(edge).send(HEAD + b"hello")
        self.assertEqual(client.final().status, 200)
        self.assertEqual(origin.requests()[0].body, b"hello")

    def test_an_own_answer_needs_no_body(self):
        edge = self.edge(self.origin(), routes=[
            {"name": "fixed", "respond": {"status": 403, "body": "no"}}], pools={})
        client = self.client(edge).send(HEAD)
        response = client.response()
        self.assertEqual(response.status, 403)
        self.assertEqual(response.get("connection"), "close")
        client.expect_closed()

    def test_a_body_that_is_too_large_gets_413_instead_of_100(self):
        origin = self.origin()
        edge = self.edge(origin, limits={"body": "4B"})
        client = self.client(edge).send(HEAD)
        self.assert_refused(client, 413)
        self.assertEqual(origin.bytes_received(), 0)

    def test_an_unknown_expectation_gets_417(self):
        origin = self.origin()
        edge = self.edge(origin)
        client = self.client(edge)
        client.send(b"POST / HTTP/1.1\r\nHost: site.test\r\nExpect: magic\r\n"
                    b"Content-Length: 5\r\n\r\n")
        self.assert_refused(client, 417)
        self.assertEqual(origin.bytes_received(), 0)

    def test_an_http10_expectation_is_ignored(self):
        origin = self.origin()
        edge = self.edge(origin)
        client = self.client(edge)
        client.send(b"POST / HTTP/1.0\r\nHost: site.test\r\nExpect: 100-continue\r\n"
                    b"Content-Length: 5\r\n\r\nhello")
        self.assertEqual(client.response().status, 200)     # no interim answer to HTTP/1.0
        self.assertEqual(origin.requests()[0].body, b"hello")


if __name__ == "__main__":
    main()
