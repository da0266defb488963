"""Pull back-pressure: a slow client or a slow origin never grows memory."""
import threading
import unittest

from harness import EdgeTest, eventually, main
from harness.wait import SANITIZED

MIB = 1024 * 1024
LARGE = 1024 * MIB
GROWTH = MIB                # per connection
BLOCK = b"m" * (256 * 1024)


@unittest.skipIf(SANITIZED, "a sanitizer's memory is its own")
class Memory(EdgeTest):
    def pour(self, conn):
        """Answers with LARGE bytes as fast as they are taken."""
        conn.request()
        conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LARGE)
        for _ in range(LARGE // len(BLOCK)):
            conn.send(BLOCK)
            self.poured += len(BLOCK)

    def warm(self, edge):
        """Resident bytes after buffers of every kind were used once."""
        self.fetch(edge, "/warm", method="POST", body=b"w" * MIB)
        return edge.rss()

    def test_a_fast_download_is_flat(self):
        self.poured = 0

        def script(conn):
            request = conn.request()
            if request.target == "/warm":
                conn.answer(b"w" * MIB, "200 OK", "Connection: close")
                return
            conn.at = 0
            conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LARGE)
            for _ in range(LARGE // len(BLOCK)):
                conn.send(BLOCK)
        edge = self.edge(self.origin(script))
        before = self.warm(edge)
        client = self.client(edge).get()
        client.head()
        self.assertEqual(client.drain(LARGE), LARGE)
        self.assertLess(edge.rss() - before, GROWTH)

    def test_a_client_that_reads_slowly_stops_the_origin(self):
        self.poured = 0

        def script(conn):
            if conn.index == 0:
                conn.request()
                conn.answer(b"w" * MIB, "200 OK", "Connection: close")
                return
            self.pour(conn)
        origin = self.origin(script)
        edge = self.edge(origin)
        before = self.warm(edge)
        clients = [self.client(edge, receive_buffer=16 * 1024).get() for _ in range(4)]
        for client in clients:
            client.head()
        last = [-1]

        def stopped():
            now, last[0] = last[0] == self.poured and self.poured > 0, self.poured
            return now
        eventually(stopped, "the origin is held back", step=0.3)
        self.assertLess(self.poured, LARGE)         # of four times that
        self.assertLess(edge.rss() - before, len(clients) * GROWTH)
        self.assertEqual(clients[0].drain(LARGE), LARGE)

    def test_an_origin_that_stops_reading_stops_the_client(self):
        release = threading.Event()
        done = threading.Event()

        def script(conn):
            request = conn.head()
            length = int(request.get("content-length"))
            if request.target != "/warm":
                conn.swallow(MIB)
                conn.wait(release, 60)
                length -= MIB
            conn.swallow(length)
            conn.answer(b"ok", "200 OK", "Connection: close")
        origin = self.origin(script, receive_buffer=64 * 1024)
        edge = self.edge(origin)
        before = self.warm(edge)
        client = self.client(edge)
        sent = [0]

        def upload():
            client.send(b"POST /up HTTP/1.1\r\nHost: site.test\r\nContent-Length: %d\r\n\r\n"
                        % LARGE)
            for _ in range(LARGE // len(BLOCK)):
                client.sock.sendall(BLOCK)
                sent[0] += len(BLOCK)
            done.set()
        client.sock.settimeout(60)
        thread = threading.Thread(target=upload)
        thread.start()
        try:
            last = [-1]

            def stopped():
                now, last[0] = last[0] == sent[0] and sent[0] > MIB, sent[0]
                return now
            eventually(stopped, "the client is held back", step=0.3)
            self.assertFalse(done.is_set())
            self.assertLess(edge.rss() - before, GROWTH)
        finally:
            release.set()
            thread.join()
        self.assertEqual(client.response().body, b"ok")
        self.assertLess(edge.rss() - before, GROWTH)

    def test_chunked_both_ways_is_flat(self):
        def script(conn):
            request = conn.head()
            if request.target == "/warm":
                conn.swallow(MIB)
                conn.answer(b"w" * MIB, "200 OK", "Connection: close")
                return
            conn.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            chunk = b"40000\r\n" + BLOCK + b"\r\n"
            for _ in range(LARGE // 4 // len(BLOCK)):
                conn.send(chunk)
            conn.send(b"0\r\n\r\n")
        edge = self.edge(self.origin(script))
        before = self.warm(edge)
        client = self.client(edge).get()
        self.assertEqual(client.head().framing, "chunked")
        tail, total = b"", 0
        while not tail.endswith(b"\r\n0\r\n\r\n"):
            data = client.buffer or client.sock.recv(MIB)
            client.buffer = b""
            self.assertTrue(data)
            total += len(data)
            tail = (tail + data)[-16:]
        self.assertGreater(total, LARGE // 4)
        self.assertLess(edge.rss() - before, GROWTH)


if __name__ == "__main__":
    main()
