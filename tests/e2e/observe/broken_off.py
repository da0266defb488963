"""What the log counts of bodies that are broken off: the bytes that the client's socket has taken,
and so exactly those that the client still finds there."""
import struct

from harness import EdgeTest, main
from harness.http2 import INITIAL_WINDOW_SIZE, SETTINGS, Http2Client, frame

BIG = 16 * 1024 * 1024


def with_length(conn):
    conn.request()
    conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % BIG)
    conn.send(b"x" * BIG)


def in_chunks(conn):
    conn.request()
    conn.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(BIG // 65536):
        conn.send(b"10000\r\n" + b"x" * 65536 + b"\r\n")


def content_of_chunks(data):
    """How many bytes of content are in a chunked body that ends anywhere."""
    count = 0
    while b"\r\n" in data:
        line, data = data.split(b"\r\n", 1)
        size = int(line, 16)
        count += min(size, len(data))
        data = data[size + 2:]
    return count


class BrokenOff(EdgeTest):
    def broken_off(self, script):
        """A client takes nothing more for too long: what was counted, and what it finds."""
        edge = self.edge(self.origin(script), timeouts={"client_write": "500ms"})
        client = self.client(edge, receive_buffer=65536).get()
        client.head()
        line = edge.log(1)[0]
        self.assertEqual(line["outcome"], "client_stalled")
        return line["bytes_out"], client.rest()

    def test_a_spliced_body(self):
        counted, found = self.broken_off(with_length)
        self.assertEqual(counted, len(found))

    def test_a_copied_body(self):
        counted, found = self.broken_off(in_chunks)
        self.assertEqual(counted, content_of_chunks(found))

    def test_a_stream(self):
        edge = self.edge(self.origin(with_length), timeouts={"client_write": "500ms"})
        client = Http2Client(edge.port, polite=False, first=frame(
            SETTINGS, 0, 0, struct.pack(">HI", INITIAL_WINDOW_SIZE, 12_345)))
        self.addCleanup(client.close)
        answer = client.answer(client.request())
        self.assertIsNotNone(answer.reset)
        self.assertEqual(len(answer.body), 12_345)
        self.assertEqual(edge.log(1)[0]["bytes_out"], 12_345)


if __name__ == "__main__":
    main()
