"""How a client goes: FIN is a half-close and gets its answer, a reset cancels the work."""
import threading

from harness import EdgeTest, eventually, main


class Closing(EdgeTest):
    def slow(self, answer=b"late"):
        """An origin that answers when released."""
        self.release = threading.Event()

        def script(conn):
            while True:
                conn.request()
                while not self.release.is_set() and conn.ended is None:
                    conn.sock.settimeout(0.02)
                    try:
                        conn.more()
                    except TimeoutError:
                        continue
                conn.sock.settimeout(30)
                conn.answer(answer)
        return self.origin(script)

    def test_a_fin_after_the_request_still_gets_the_answer(self):
        origin = self.slow()
        edge = self.edge(origin)
        client = self.client(edge).get("/a").half_close()
        origin.wait_requests(1)
        self.release.set()
        self.assertEqual(client.response().body, b"late")
        client.expect_closed()

    def test_a_fin_after_pipelined_requests_gets_all_answers(self):
        edge = self.edge(self.origin())
        client = self.client(edge).get("/a").get("/b").get("/c").half_close()
        for name in (b"/a", b"/b", b"/c"):
            self.assertEqual(client.response().body, b"GET " + name)
        client.expect_closed()

    def test_a_fin_after_a_body_gets_the_answer(self):
        edge = self.edge(self.origin())
        client = self.client(edge)
        client.send(b"POST /p HTTP/1.1\r\nHost: site.test\r\nContent-Length: 3\r\n\r\nabc")
        self.assertEqual(client.half_close().response().body, b"POST /p")

    def test_a_reset_cancels_the_upstream_work(self):
        origin = self.slow()
        edge = self.edge(origin)
        client = self.client(edge).get("/a")
        origin.wait_requests(1)
        client.reset()
        origin.wait_ended()
        line = edge.log(1)[0]
        self.assertEqual((line["status"], line["outcome"]), (499, "client_closed"))

    def test_a_reset_in_a_download_cancels_it(self):
        def script(conn):
            conn.request()
            conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
            while True:
                conn.send(b"x" * 65536)
        origin = self.origin(script)
        edge = self.edge(origin)
        client = self.client(edge).get("/a")
        client.head()
        client.reset()
        origin.wait_ended()
        self.assertEqual(edge.log(1)[0]["outcome"], "client_closed")

    def test_a_reset_in_an_upload_cancels_it(self):
        origin = self.origin(lambda conn: (conn.head(), conn.until_closed()))
        edge = self.edge(origin)
        client = self.client(edge)
        client.send(b"POST /p HTTP/1.1\r\nHost: site.test\r\nContent-Length: 1000\r\n\r\nabc")
        origin.wait_connections(1)
        eventually(lambda: origin.requests(), "the head at the origin")
        client.reset()
        origin.wait_ended()
        self.assertEqual(edge.log(1)[0]["outcome"], "client_closed")

    def test_a_fin_inside_a_body_is_no_request(self):
        origin = self.origin(lambda conn: (conn.head(), conn.until_closed()))
        edge = self.edge(origin)
        client = self.client(edge)
        client.send(b"POST /p HTTP/1.1\r\nHost: site.test\r\nContent-Length: 1000\r\n\r\nabc")
        eventually(lambda: origin.requests(), "the head at the origin")
        client.half_close()
        origin.wait_ended()
        self.assertEqual(edge.log(1)[0]["outcome"], "client_closed")

    def test_an_idle_client_that_leaves_is_no_exchange(self):
        edge = self.edge(self.origin())
        client = self.client(edge)
        client.get("/a").response()
        client.close()
        with self.client(edge) as other:
            other.get("/b").response()
        self.assertEqual([line["path"] for line in edge.log(2)], ["/a", "/b"])


if __name__ == "__main__":
    main()
