"""WebSocket to origins over HTTP/2: extended CONNECT (RFC 8441) where it is announced."""
import base64
import hashlib

from harness import main
from harness.http2 import Http2Client, settings
from harness.http2_origin import Http2Case
from harness.wait import eventually

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ANNOUNCED = settings(ENABLE_CONNECT_PROTOCOL=1)


def echo(http2):
    """Takes the tunnel, says everything back, and half-closes when the other side does."""
    request = http2.request(whole=False)
    http2.head(request.stream, 200, ("sec-websocket-protocol", "chat"))
    at = 0
    while not request.ended:
        http2.step()
        http2.data(request.stream, request.body[at:]) if len(request.body) > at else None
        at = len(request.body)
    http2.data(request.stream, b"bye", end=True)
    http2.until_closed()


class WebSocket(Http2Case):
    def ask(self, edge):
        client = self.client(edge)
        client.send(("GET /chat HTTP/1.1\r\nHost: site.test\r\nConnection: Upgrade\r\n"
                     f"Upgrade: websocket\r\nSec-WebSocket-Key: {KEY}\r\n"
                     "Sec-WebSocket-Version: 13\r\n\r\n").encode())
        return client

    def test_a_handshake_of_http1_becomes_an_extended_connect(self):
        origin = self.origin2(echo, first=ANNOUNCED)
        client = self.ask(self.edge2(origin))
        answer = client.head()
        self.assertEqual(answer.status, 101)
        accept = base64.b64encode(hashlib.sha1((KEY + GUID).encode()).digest()).decode()
        self.assertEqual(answer.get("sec-websocket-accept"), accept)
        self.assertEqual(answer.get("upgrade"), "websocket")
        self.assertEqual(answer.get("sec-websocket-protocol"), "chat")
        request = origin.connections[0].http2.heads[0]
        self.assertEqual([request.get(n) for n in (":method", ":protocol", ":path",
                                                   "sec-websocket-version", "sec-websocket-key")],
                         ["CONNECT", "websocket", "/chat", "13", None])
        for size in (1, 100, 40_000):
            client.send(b"x" * size)
            self.assertEqual(client.exactly(size), b"x" * size)
        client.half_close()
        self.assertEqual(client.rest(), b"bye")

    def test_http2_on_both_sides(self):
        origin = self.origin2(echo, first=ANNOUNCED)
        client = Http2Client(self.edge2(origin).port)
        self.addCleanup(client.close)
        stream = client.open([(":method", "CONNECT"), (":protocol", "websocket"),
                              (":scheme", "http"), (":path", "/chat"), (":authority", "site.test"),
                              ("sec-websocket-version", "13")], end=False)
        client.data(stream, b"hello")
        self.assertTrue(client.until(lambda: client.answers.get(stream) is not None
                                     and client.answers[stream].body == b"hello"))
        answer = client.answers[stream]
        self.assertEqual(answer.status, 200)
        client.data(stream, b"", end=True)
        self.assertEqual(client.answer(stream).body, b"hellobye")

    def test_an_origin_that_does_not_announce_it(self):
        origin = self.origin2(echo)
        edge = self.edge2(origin)
        self.assertEqual(self.ask(edge).final().status, 502)
        line = edge.log(1)[0]
        self.assertEqual(line["outcome"], "upgrade_unknown")
        self.assertEqual(origin.connections[0].http2.heads, [])

    def test_an_origin_that_refuses_the_tunnel(self):
        def script(http2):
            request = http2.request(whole=False)
            http2.answer(request.stream, b"no", 403)
            http2.until_closed()
        origin = self.origin2(script, first=ANNOUNCED)
        self.assertEqual(self.ask(self.edge2(origin)).final().status, 403)

    def test_a_client_that_vanishes_resets_its_stream(self):
        origin = self.origin2(echo, first=ANNOUNCED)
        client = self.ask(self.edge2(origin))
        self.assertEqual(client.head().status, 101)
        client.reset()
        request = origin.connections[0].http2.heads[0]
        eventually(lambda: request.reset is not None, "the stream is reset")


if __name__ == "__main__":
    main()
