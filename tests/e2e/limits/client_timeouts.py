"""Timeouts of the client's side, configured short, with what the client gets. Here time itself is
what is tested."""
import threading

from harness import TimedTest, main

POST = b"POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 10\r\n\r\nabc"


def flood(conn):
    """Sends more than anybody takes."""
    conn.request()
    conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
    while True:
        conn.send(b"x" * 65536)


class ClientTimeouts(TimedTest):
    def test_client_header_is_408(self):
        edge = self.edge(self.origin(), timeouts={"client_header": "500ms"})
        client = self.client(edge).send(b"GET / HTTP/1.1\r\nHost: si")
        self.timed(lambda: self.assert_refused(client, 408), 0.3)
        self.assertEqual(self.outcome(edge), (408, "client_header_timeout"))

    def test_client_header_is_the_time_of_the_whole_head(self):
        edge = self.edge(self.origin(), timeouts={"client_header": "800ms"})
        client = self.client(edge).send(b"GET / HTTP/1.1\r\n")
        stop = threading.Event()

        def drip():
            while not stop.wait(0.1):
                try:
                    client.send(b"X: y\r\n")
                except OSError:
                    return
        thread = threading.Thread(target=drip)
        thread.start()
        try:
            self.assertEqual(self.timed(lambda: client.response().status, 0.5), 408)
        finally:
            stop.set()
            thread.join()

    def test_client_idle_closes_silently(self):
        edge = self.edge(self.origin(), timeouts={"client_idle": "1s"})
        client = self.client(edge)
        client.get().response()
        self.timed(client.expect_closed, 0.4)
        self.assertEqual(len(edge.log(1)), 1)

    def test_client_body_is_408(self):
        origin = self.origin(lambda conn: (conn.head(), conn.until_closed()))
        edge = self.edge(origin, timeouts={"client_body": "500ms"})
        client = self.client(edge).send(POST)
        self.timed(lambda: self.assert_refused(client, 408), 0.3)
        self.assertEqual(self.outcome(edge), (408, "client_body_timeout"))
        origin.wait_ended()

    def test_a_client_that_takes_nothing_is_dropped(self):
        origin = self.origin(flood)
        edge = self.edge(origin, timeouts={"client_write": "1s"})
        self.client(edge, receive_buffer=4096).get()
        self.timed(origin.wait_ended, 0.4, 9)
        self.assertEqual(edge.log(1)[0]["outcome"], "client_stalled")

    def test_the_whole_time_ends_also_while_a_client_takes_nothing(self):
        origin = self.origin(flood)
        edge = self.edge(origin, timeouts={"request": "1s", "client_write": "1h"})
        self.client(edge, receive_buffer=4096).get()
        self.timed(origin.wait_ended, 0.4, 9)
        self.assertEqual(edge.log(1)[0]["outcome"], "request_timeout")

    def test_a_connection_that_never_says_a_word_is_closed_silently(self):
        edge = self.edge(self.origin(), timeouts={"client_header": "500ms", "client_idle": "1s"})
        self.timed(self.client(edge).expect_closed, 0.2)
        self.assertEqual(edge.log_text(), "")


if __name__ == "__main__":
    main()
