"""Upgrade tunnels, as WebSocket uses them (RFC 9110 section 7.8)."""
import threading
import time

from harness import SCALE, EdgeTest, eventually, main

ASK = (b"GET /chat HTTP/1.1\r\nHost: site.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
       b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
SWITCH = (b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
          b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")


def echo(conn):
    conn.head()
    conn.send(SWITCH)
    while True:
        at = len(conn.received)
        conn.more()
        conn.send(conn.received[at:])


class Upgrade(EdgeTest):
    def tunnel(self, script=echo, ask=ASK, **keys):
        self.peer = self.origin(script)
        self.proxy = self.edge(self.peer, **keys)
        client = self.client(self.proxy).send(ask)
        response = client.response()
        self.assertEqual(response.status, 101)
        self.assertEqual(response.get("upgrade"), "websocket")
        self.assertEqual(response.get("connection").lower(), "upgrade")
        self.assertEqual(response.get("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        return client

    def test_bytes_flow_both_ways(self):
        client = self.tunnel()
        request = self.peer.requests()[0]
        self.assertEqual(request.get("upgrade"), "websocket")
        self.assertEqual(request.get("connection").lower(), "upgrade")
        self.assertEqual(request.get("sec-websocket-key"), "dGhlIHNhbXBsZSBub25jZQ==")
        for size in (1, 100, 70_000):
            data = bytes(range(256)) * (size // 256 + 1)
            client.send(data)
            self.assertEqual(client.exactly(len(data)), data)

    def test_bytes_right_behind_the_heads_are_not_lost(self):
        def script(conn):
            conn.head()
            conn.send(SWITCH + b"hello")
            conn.answer(conn.read(5))
        client = self.tunnel(script, ASK + b"early")
        self.assertEqual(client.exactly(5), b"hello")
        self.assertTrue(client.rest().endswith(b"early"))

    def test_the_clients_half_close_reaches_the_origin_and_not_the_other_way(self):
        def script(conn):
            conn.head()
            conn.send(SWITCH)
            conn.until_closed()
            conn.send(b"last words")
        client = self.tunnel(script)
        client.send(b"bye").half_close()
        self.assertEqual(client.rest(), b"last words")
        self.assertEqual(self.peer.connections[0].ended, "eof")

    def test_the_origins_half_close_reaches_the_client_and_not_the_other_way(self):
        heard = threading.Event()

        def script(conn):
            conn.head()
            conn.send(SWITCH)
            conn.half_close()
            conn.read(10)
            heard.set()
        client = self.tunnel(script)
        self.assertEqual(client.rest(), b"")
        client.send(b"last words")
        self.assertTrue(heard.wait(10))

    def test_a_reset_on_one_side_ends_the_other(self):
        client = self.tunnel()
        client.send(b"x")
        client.exactly(1)
        client.reset()
        self.peer.wait_ended()
        eventually(lambda: self.proxy.metric("scrollgate_connections", 'side="upstream"') == 0,
                   "the upstream connection is given back")

    def test_an_idle_tunnel_ends_and_a_busy_one_does_not(self):
        limit = 1.0
        client = self.tunnel(timeouts={"tunnel_idle": "1s"})
        started = time.monotonic()
        while time.monotonic() < started + 2.5 * limit:     # time itself is tested here
            client.send(b"x")
            self.assertEqual(client.exactly(1), b"x")
            time.sleep(0.2)
        quiet = time.monotonic()
        client.expect_closed()
        self.assertGreater(time.monotonic() - quiet, 0.5 * limit)
        self.assertLess(time.monotonic() - quiet, 6 * limit * SCALE)
        self.peer.wait_ended()

    def test_a_tunnel_is_one_log_line_when_it_ends(self):
        client = self.tunnel()
        client.send(b"12345")
        client.exactly(5)
        client.close()
        line = self.proxy.log(1)[0]
        self.assertEqual((line["status"], line["outcome"]), (101, "tunnel"))
        self.assertEqual((line["bytes_in"], line["bytes_out"]), (5, 5))

    def test_an_origin_that_declines_answers_as_usual(self):
        origin = self.origin()
        edge = self.edge(origin)
        client = self.client(edge).send(ASK)
        self.assertEqual(client.response().status, 200)
        self.assertEqual(client.get("/next").response().body, b"GET /next")

    def test_another_protocol_than_asked_for_is_502(self):
        def script(conn):
            conn.head()
            conn.send(SWITCH.replace(b"Upgrade: websocket", b"Upgrade: other"))
            conn.until_closed()
        edge = self.edge(self.origin(script))
        self.assertEqual(self.client(edge).send(ASK).response().status, 502)


if __name__ == "__main__":
    main()
