"""Timeouts of the origin's side and the hard total, configured short, with what the client gets.
Here time itself is what is tested."""
import socket
import threading
import time

from harness import TimedTest, main
from harness.origin import raw

POST = b"POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 10\r\n\r\nabc"


class UpstreamTimeouts(TimedTest):
    def test_upstream_response_is_504(self):
        origin = self.origin(lambda conn: (conn.request(), conn.until_closed()))
        edge = self.edge(origin, timeouts={"upstream_response": "500ms"})
        client = self.client(edge).get()
        response = self.timed(client.response, 0.3)
        self.assertEqual(response.status, 504)
        self.assertEqual(self.outcome(edge), (504, "upstream_timeout"))
        origin.wait_ended()
        self.assertIsNone(response.get("connection"))       # the client did nothing wrong

    def test_a_route_has_its_own_upstream_response(self):
        origin = self.origin(lambda conn: (conn.request(), conn.until_closed()))
        edge = self.edge(origin, routes=[
            {"name": "all", "pools": ["main"], "timeouts": {"upstream_response": "500ms"}}])
        self.assertEqual(self.timed(lambda: self.fetch(edge).status, 0.3), 504)

    def test_upstream_response_starts_at_the_requests_last_byte(self):
        edge = self.edge(self.origin(), timeouts={"upstream_response": "500ms"})
        client = self.client(edge).send(POST)
        time.sleep(0.9)
        client.send(b"defghij")
        self.assertEqual(client.response().status, 200)

    def test_upstream_body_cuts(self):
        edge = self.edge(self.origin(lambda conn: (
            conn.request(), conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"),
            conn.until_closed())), timeouts={"upstream_body": "500ms"})
        client = self.client(edge).get()
        self.assertEqual(client.head().status, 200)
        self.assertEqual(self.timed(client.rest, 0.3), b"abc")
        self.assertEqual(self.outcome(edge), (200, "upstream_stalled"))

    def test_request_is_the_hard_total(self):
        def script(conn):
            conn.request()
            conn.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                conn.send(b"1\r\nx\r\n")
                time.sleep(0.05)
        edge = self.edge(self.origin(script), timeouts={"request": "1s"})
        client = self.client(edge).get()
        self.timed(client.rest, 0.6)
        self.assertEqual(edge.log(1)[0]["outcome"], "request_timeout")

    def test_request_before_the_head_is_504(self):
        origin = self.origin(lambda conn: (conn.request(), conn.until_closed()))
        edge = self.edge(origin, timeouts={"request": "500ms"})
        self.assertEqual(self.timed(lambda: self.fetch(edge).status, 0.3), 504)
        self.assertEqual(self.outcome(edge), (504, "request_timeout"))

    def test_connect_is_504_and_the_next_endpoint_comes_first(self):
        # A full accept queue: the kernel lets further connections hang.
        full = self.origin(listen=False)
        full.sock.listen(0)
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", full.port))
            self.addCleanup(filler.close)
        edge = self.edge(full, timeouts={"connect": "400ms"})
        self.assertEqual(self.timed(lambda: self.fetch(edge).status, 0.3), 504)
        self.assertEqual(self.outcome(edge), (504, "connect_timeout"))

    def test_none_switches_a_timeout_off(self):
        release = threading.Event()
        origin = self.origin(lambda conn: (conn.request(), conn.wait(release), conn.answer(b"x")))
        edge = self.edge(origin, timeouts={"upstream_response": "none", "request": "none"})
        client = self.client(edge).get()
        origin.wait_requests(1)
        release.set()
        self.assertEqual(client.response().status, 200)

    def test_a_timely_origin_is_not_hurt(self):
        edge = self.edge(self.origin(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")),
                         timeouts={"client_header": "500ms", "upstream_response": "500ms",
                                   "request": "1s", "client_idle": "5s"})
        client = self.client(edge)
        for _ in range(4):
            self.assertEqual(client.get().response().status, 200)
            time.sleep(0.5)         # no deadline of an earlier exchange may hit a later one


if __name__ == "__main__":
    main()
