"""Persistent and pipelined client connections (RFC 9112 section 9.3)."""
import threading

from harness import EdgeTest, RawClient, main


class Persistent(EdgeTest):
    def test_many_requests_share_one_connection_each_way(self):
        origin = self.origin()
        edge = self.edge(origin)
        client = self.client(edge)
        for n in range(20):
            response = client.get(f"/{n}").response()
            self.assertEqual((response.status, response.body), (200, f"GET /{n}".encode()))
            self.assertIsNone(response.get("connection"))
        self.assertEqual(len(origin.connections), 1)

    def test_connection_close_is_answered_and_obeyed(self):
        edge = self.edge(self.origin())
        client = self.client(edge)
        response = client.get("/", "site.test", "Connection: close").response()
        self.assertEqual(response.status, 200)
        self.assertEqual(response.get("connection"), "close")
        client.expect_closed()

    def test_pipelined_requests_are_answered_in_order(self):
        edge = self.edge(self.origin())
        client = self.client(edge)
        requests = [f"GET /{n} HTTP/1.1\r\nHost: site.test\r\n\r\n" for n in range(50)]
        requests[10] = "POST /10 HTTP/1.1\r\nHost: site.test\r\nContent-Length: 3\r\n\r\nabc"
        requests[20] = ("POST /20 HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked"
                        "\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        client.send("".join(requests).encode())
        for n in range(50):
            method = "POST" if n in (10, 20) else "GET"
            self.assertEqual(client.response().body, f"{method} /{n}".encode())

    def test_a_pipelined_request_waits_for_the_one_before(self):
        release = threading.Event()

        def script(conn):
            while True:
                request = conn.request()
                if request.target == "/slow":
                    conn.wait(release)
                conn.answer(request.target.encode())
        origin = self.origin(script)
        edge = self.edge(origin)
        client = self.client(edge)
        client.get("/slow").get("/quick")
        origin.wait_requests(1)
        release.set()
        self.assertEqual(client.response().body, b"/slow")
        self.assertEqual(client.response().body, b"/quick")

    def test_hundred_pipelined_requests_do_not_starve_another_client(self):
        edge = self.edge(self.origin())
        greedy = self.client(edge)
        stop = threading.Event()

        def greed():
            batch = b"GET /greedy HTTP/1.1\r\nHost: site.test\r\n\r\n" * 100
            while not stop.is_set():
                greedy.send(batch)
                for _ in range(100):
                    greedy.response()
        thread = threading.Thread(target=greed)
        thread.start()
        try:
            other = self.client(edge)
            for n in range(50):
                self.assertEqual(other.get(f"/{n}").response().body, f"GET /{n}".encode())
        finally:
            stop.set()
            thread.join()

    def test_a_head_may_come_byte_by_byte(self):
        origin = self.origin()
        edge = self.edge(origin)
        client = self.client(edge)
        for byte in b"POST /drip HTTP/1.1\r\nHost: site.test\r\nContent-Length: 3\r\n\r\nabc":
            client.send(bytes([byte]))
        self.assertEqual(client.response().body, b"POST /drip")
        self.assertEqual(origin.requests()[0].body, b"abc")

    def test_clients_do_not_see_each_others_answers(self):
        edge = self.edge(self.origin(), workers=2)
        problems = []

        def visit(name):
            with RawClient(edge.port) as client:
                for n in range(40):
                    body = client.get(f"/{name}/{n}").response().body
                    if body != f"GET /{name}/{n}".encode():
                        problems.append(body)
        threads = [threading.Thread(target=visit, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(problems, [])


if __name__ == "__main__":
    main()
