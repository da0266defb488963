"""gRPC streams in which nobody says anything for long: alive as long as both ends answer PINGs,
and not beyond tunnel_idle. What becomes of ends that do not is in the unit tests, where time is
moved by hand."""
import threading
import time

from harness import main
from harness.http2 import ACK, PING, Http2Client
from harness.http2_origin import Http2Case
from harness.wait import PATIENCE, SCALE

CALL = [("content-type", "application/grpc"), ("te", "trailers")]
MESSAGE = b"\0\0\0\0\5hello"
SHORT = {"client_body": "200ms", "upstream_body": "200ms"}
LONG = 1.5              # seconds, of a silence


class Silence(Http2Case):
    def begin(self, edge):
        """A stream with one message each way."""
        client = Http2Client(edge.port)
        self.addCleanup(client.close)
        stream = client.request("/chat.Chat/Talk", "POST", "site.test", *CALL, end=False)
        client.data(stream, MESSAGE)
        client.until(lambda: stream in client.answers and client.answers[stream].body == MESSAGE)
        return client, stream

    def test_a_stream_may_be_silent_both_ways(self):
        go_on = threading.Event()

        def script(http2):
            request = http2.request(whole=False)
            http2.until(lambda: request.body == MESSAGE)
            http2.head(request.stream, 200, ("content-type", "application/grpc"))
            http2.data(request.stream, MESSAGE)
            go_on.wait(PATIENCE * SCALE)
            http2.data(request.stream, MESSAGE)
            http2.until(lambda: request.ended)
            assert request.body == MESSAGE * 2, request.body
            http2.trailers(request.stream, ("grpc-status", "0"))
            http2.until_closed()
        edge = self.edge2(self.origin2(script), timeouts=SHORT)
        client, stream = self.begin(edge)
        client.sock.settimeout(0.05)
        silent_until = time.monotonic() + LONG
        while time.monotonic() < silent_until:
            try:
                client.read_frame()
            except TimeoutError:
                pass
        client.sock.settimeout(client.patience)
        self.assertTrue(any(kind == PING and not flags & ACK
                            for kind, flags, _, _ in client.frames))
        go_on.set()
        client.until(lambda: client.answers[stream].body == MESSAGE * 2)
        client.data(stream, MESSAGE, end=True)
        answer = client.answer(stream)
        self.assertEqual(answer.trailers, [("grpc-status", "0")])
        line = edge.log(1)[0]
        self.assertEqual((line["outcome"], line["grpc_status"]), ("ok", 0))
        self.assertGreater(line["duration_ms"], LONG * 1000)

    def test_but_not_for_ever(self):
        def script(http2):
            request = http2.request(whole=False)
            http2.head(request.stream, 200, ("content-type", "application/grpc"))
            http2.data(request.stream, MESSAGE)
            http2.until_closed()
        edge = self.edge2(self.origin2(script), timeouts=SHORT, routes=[
            {"name": "all", "pools": ["main"], "timeouts": {"tunnel_idle": "400ms"}}])
        client, stream = self.begin(edge)
        answer = client.answer(stream)
        self.assertEqual(dict(answer.trailers)["grpc-status"], "4")
        self.assertEqual(edge.log(1)[0]["outcome"], "request_timeout")
        self.assertTrue(client.alive())

    def test_others_are_not_that_patient(self):
        def script(http2):
            request = http2.request()
            http2.head(request.stream, 200)
            http2.data(request.stream, MESSAGE)
            http2.until_closed()
        edge = self.edge2(self.origin2(script), timeouts=SHORT)
        client = Http2Client(edge.port)
        self.addCleanup(client.close)
        self.assertIsNotNone(client.get2("/").reset)
        self.assertEqual(edge.log(1)[0]["outcome"], "upstream_stalled")


if __name__ == "__main__":
    main()
