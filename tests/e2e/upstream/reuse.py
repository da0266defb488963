"""Reuse of upstream connections: keep-alive, idle time, dead ones, requests that cannot be sent
twice."""
import socket
import struct
import threading
import time

from harness import EdgeTest, eventually, main
from harness.origin import raw, wait_until_passed

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Reuse(EdgeTest):
    def test_clients_share_a_connection_one_after_the_other(self):
        origin = self.origin()
        edge = self.edge(origin)
        for n in range(5):
            self.assertEqual(self.fetch(edge, f"/{n}").status, 200)
        self.assertEqual(len(origin.connections), 1)
        self.assertEqual(edge.log(5)[4]["connect_ms"], 0.0)

    def test_connection_close_of_the_origin_is_obeyed(self):
        origin = self.origin(raw(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")))
        edge = self.edge(origin)
        for _ in range(3):
            self.assertEqual(self.fetch(edge).status, 200)
        self.assertEqual(len(origin.connections), 3)
        self.assertEqual(origin.wait_ended(0), "eof")

    def test_upstream_idle_ends_a_connection(self):
        origin = self.origin()
        edge = self.edge(origin, timeouts={"upstream_idle": "1s"})
        self.assertEqual(self.fetch(edge).status, 200)
        self.assertEqual(origin.wait_ended(0), "eof")

    def test_the_origins_keep_alive_timeout_is_honoured(self):
        origin = self.origin(raw(OK.replace(b"\r\n\r\n", b"\r\nKeep-Alive: timeout=1\r\n\r\n")))
        edge = self.edge(origin)        # upstream_idle is 30 s
        self.assertEqual(self.fetch(edge).status, 200)
        self.assertEqual(origin.wait_ended(0), "eof")

    def test_a_connection_the_origin_closed_while_idle_is_not_used(self):
        once = raw(OK, "close")
        origin = self.origin(once)
        edge = self.edge(origin)
        for n in range(5):
            self.assertEqual(self.fetch(edge, method="POST", body=b"x").status, 200)
            eventually(lambda: edge.metric("scrollgate_connections", 'side="upstream"') == 0,
                       "the closed connection is noticed")
        line = edge.log(5)[4]
        self.assertEqual((line["attempts"], line["outcome"]), (1, "ok"))

    def dies_on_second(self, method, body=None):
        """The status of a second request, on whose connection the origin dies at once."""
        def script(conn):
            conn.request()
            conn.send(OK)
            if conn.index == 0:
                conn.head()
                conn.reset()
                return
            while True:
                conn.request()
                conn.send(OK)
        origin = self.origin(script)
        edge = self.edge(origin)
        client = self.client(edge)
        self.assertEqual(client.get("/first").response().status, 200)
        text = f"{method} /second HTTP/1.1\r\nHost: site.test\r\n"
        if body is not None:
            text += f"Content-Length: {len(body)}\r\n"
        client.send(text.encode() + b"\r\n" + (body or b""))
        response = client.response()
        return response.status, edge.log(2)[1], origin

    def test_a_replayable_request_is_sent_again_on_a_fresh_connection(self):
        status, line, origin = self.dies_on_second("GET")
        self.assertEqual(status, 200)
        self.assertEqual(len(origin.connections), 2)
        self.assertEqual(line["attempts"], 1)       # the retry cost none
        self.assertEqual(line["outcome"], "ok")

    def test_a_post_is_not_sent_twice(self):
        status, line, origin = self.dies_on_second("POST", b"pay")
        self.assertEqual(status, 502)
        self.assertEqual(line["outcome"], "upstream_reset")
        posts = [r for r in origin.requests() if r.method == "POST"]
        self.assertEqual(len(posts), 1)

    def test_only_one_fresh_connection_is_tried(self):
        def script(conn):
            conn.request()
            if conn.index == 0:
                conn.send(OK)
                conn.head()
            conn.reset()
        origin = self.origin(script)
        edge = self.edge(origin, routes=[
            {"name": "all", "pools": ["main"], "failover": {"max_attempts": 1}}])
        client = self.client(edge)
        self.assertEqual(client.get().response().status, 200)
        self.assertEqual(client.get().response().status, 502)
        self.assertEqual(len(origin.connections), 2)

    def test_a_post_takes_no_connection_that_was_idle_for_over_a_second(self):
        origin = self.origin()
        edge = self.edge(origin)
        self.assertEqual(self.fetch(edge, "/a").status, 200)
        rested = time.monotonic() + 1.3
        self.assertEqual(self.fetch(edge, "/b", method="POST", body=b"x").status, 200)
        self.assertEqual(len(origin.connections), 1)        # young enough
        wait_until_passed(max(rested, time.monotonic() + 1.3))      # time itself is tested here
        self.assertEqual(self.fetch(edge, "/c", method="POST", body=b"x").status, 200)
        self.assertEqual(len(origin.connections), 2)

    def test_bytes_after_a_complete_answer_end_the_connection(self):
        sent = threading.Event()

        def script(conn):
            while True:
                conn.request()
                conn.send(OK + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
                sent.set()
        origin = self.origin(script)
        edge = self.edge(origin)
        for _ in range(3):
            self.assertEqual(self.fetch(edge).body, b"ok")
        self.assertEqual(len(origin.connections), 3)
        origin.wait_ended(0)

    def test_bytes_on_an_idle_connection_end_it(self):
        late = threading.Event()

        def script(conn):
            conn.request()
            conn.send(OK)
            if conn.index == 0:
                conn.wait(late)
                conn.send(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
            conn.request()
            conn.send(OK)
        origin = self.origin(script)
        edge = self.edge(origin)
        self.assertEqual(self.fetch(edge).body, b"ok")
        late.set()
        origin.wait_ended(0)
        self.assertEqual(self.fetch(edge).status, 200)
        self.assertEqual(len(origin.connections), 2)

    def test_an_unread_request_body_ends_the_connection(self):
        def script(conn):
            conn.head()
            conn.answer(b"early")
            conn.until_closed()
        origin = self.origin(script)
        edge = self.edge(origin)
        client = self.client(edge)
        client.send(b"POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 100000\r\n\r\nabc")
        self.assertEqual(client.response().body, b"early")
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        origin.wait_ended(0)


if __name__ == "__main__":
    main()
