"""WebSocket by extended CONNECT (RFC 8441), to an origin that knows the handshake of RFC 6455."""
import base64
import hashlib
import threading

from harness import EdgeTest, main
from harness.http2 import Http2Client

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
ASK = [(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/chat"),
       (":authority", "site.test"), ("sec-websocket-version", "13"),
       ("sec-websocket-protocol", "chat")]


def switch(conn, salt=""):
    """Takes the handshake and agrees."""
    key = conn.head().get("sec-websocket-key") + GUID + salt
    accept = base64.b64encode(hashlib.sha1(key.encode()).digest())
    conn.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
              b"Sec-WebSocket-Accept: " + accept + b"\r\nSec-WebSocket-Protocol: chat\r\n\r\n")


def echo(conn):
    switch(conn)
    while True:
        at = len(conn.received)
        conn.more()
        conn.send(conn.received[at:])


class WebSocket(EdgeTest):
    def tunnel(self, script=echo, **keys):
        self.peer = self.origin(script)
        self.proxy = self.edge(self.peer, **keys)
        client = Http2Client(self.proxy.port)
        self.addCleanup(client.close)
        self.stream = client.open(ASK, end=False)
        return client

    def answer(self, client):
        self.assertTrue(client.until(lambda: client.answers.get(self.stream)
                                     and client.answers[self.stream].fields))
        return client.answers[self.stream]

    def test_the_handshake_is_that_of_http1_on_the_other_side(self):
        client = self.tunnel()
        answer = self.answer(client)
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.get("sec-websocket-protocol"), "chat")
        for name in ("sec-websocket-accept", "upgrade", "connection", "transfer-encoding"):
            self.assertIsNone(answer.get(name))
        request = self.peer.requests()[0]
        self.assertEqual((request.method, request.target), ("GET", "/chat"))
        self.assertEqual(request.get("upgrade"), "websocket")
        self.assertEqual(request.get("connection").lower(), "upgrade")
        self.assertEqual(request.get("sec-websocket-version"), "13")
        self.assertEqual(len(base64.b64decode(request.get("sec-websocket-key"), validate=True)), 16)
        self.assertIsNone(request.get("transfer-encoding"))

    def test_bytes_flow_both_ways_beside_other_streams(self):
        client = self.tunnel()
        answer = self.answer(client)
        for size in (1, 100, 16_000):
            client.data(self.stream, b"x" * size)
            want = len(answer.body) + size
            self.assertTrue(client.until(lambda w=want: len(answer.body) >= w))
        self.peer.script = lambda conn: (conn.request(), conn.answer(b"beside"))
        self.assertEqual(client.get2().body, b"beside")
        client.data(self.stream, b"end")
        self.assertTrue(client.until(lambda: answer.body.endswith(b"end")))

    def test_half_closes_are_passed_on(self):
        def script(conn):
            switch(conn)
            conn.until_closed()
            conn.send(b"last words")
        client = self.tunnel(script)
        self.answer(client)
        client.data(self.stream, b"bye", end=True)
        self.assertEqual(client.answer(self.stream).body, b"last words")
        self.assertTrue(client.answers[self.stream].ended)
        self.assertEqual(self.peer.connections[0].ended, "eof")
        self.assertEqual(self.proxy.log(1)[0]["outcome"], "tunnel")

    def test_the_origins_half_close_is_the_streams(self):
        heard = threading.Event()

        def script(conn):
            switch(conn)
            conn.half_close()
            conn.read(10)
            heard.set()
        client = self.tunnel(script)
        self.assertTrue(client.answer(self.stream).ended)
        client.data(self.stream, b"last words")
        self.assertTrue(heard.wait(10))

    def test_a_reset_ends_the_other_side(self):
        client = self.tunnel()
        self.answer(client)
        client.reset_stream(self.stream)
        self.peer.wait_ended()
        self.assertTrue(client.alive())

    def test_an_origin_that_declines_answers_as_usual(self):
        def script(conn):
            conn.head()
            conn.answer(b"no", "403 Forbidden")
        client = self.tunnel(script)
        answer = client.answer(self.stream)
        self.assertEqual((answer.status, answer.body), (403, b"no"))

    def test_a_wrong_answer_to_the_key_is_502(self):
        client = self.tunnel(lambda conn: switch(conn, "wrong"))
        self.assertEqual(client.answer(self.stream).status, 502)

    def test_a_success_that_is_no_upgrade_is_none_for_the_client(self):
        def script(conn):
            conn.head()
            conn.answer(b"a page")
        client = self.tunnel(script)
        self.assertEqual(client.answer(self.stream).status, 502)
        # Anybody can ask for it anywhere: it is held against no endpoint.
        for _ in range(9):
            self.assertEqual(client.answer(client.open(ASK, end=False)).status, 502)
        endpoint = self.proxy.status()["pools"][0]["endpoints"][0]
        self.assertEqual((endpoint["state"], endpoint["failures"]), ("in", 0))

    def test_an_answer_of_our_own_opens_no_tunnel(self):
        edge = self.edge(self.origin(), routes=[
            {"name": "all", "respond": {"status": 200, "body": "closed today"}}])
        with Http2Client(edge.port) as client:
            self.assertEqual(client.answer(client.open(ASK, end=False)).status, 502)
            self.assertEqual(client.get2().status, 200)


if __name__ == "__main__":
    main()
