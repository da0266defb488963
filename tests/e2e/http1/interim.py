"""1xx answers: forwarded, and cut off when they never end (RFC 9110 section 15.2)."""
from harness import EdgeTest, main
from harness.origin import raw

FINAL = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Interim(EdgeTest):
    def test_103_and_102_are_forwarded_in_order(self):
        edge = self.edge(self.origin(raw(
            b"HTTP/1.1 102 Processing\r\n\r\n"
            b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n" + FINAL)))
        client = self.client(edge)
        for _ in range(2):
            client.get()
            self.assertEqual(client.response().status, 102)
            hints = client.response()
            self.assertEqual((hints.status, hints.get("link")), (103, "</a.css>; rel=preload"))
            self.assertEqual(client.response().body, b"ok")

    def test_an_http10_client_gets_no_interim_answer(self):
        edge = self.edge(self.origin(raw(b"HTTP/1.1 103 Early Hints\r\n\r\n" + FINAL)))
        client = self.client(edge)
        client.send(b"GET / HTTP/1.0\r\nHost: site.test\r\n\r\n")
        self.assertEqual(client.response().status, 200)

    def test_hop_by_hop_fields_of_an_interim_answer_stay_here(self):
        edge = self.edge(self.origin(raw(
            b"HTTP/1.1 103 Early Hints\r\nConnection: X-A\r\nX-A: 1\r\nLink: <b>\r\n\r\n"
            + FINAL)))
        hints = self.client(edge).get().response()
        self.assertEqual(hints.status, 103)
        self.assertIsNone(hints.get("x-a"))
        self.assertEqual(hints.get("link"), "<b>")

    def test_an_endless_row_is_cut_off(self):
        def script(conn):
            conn.request()
            while True:
                conn.send(b"HTTP/1.1 103 Early Hints\r\nLink: <c>\r\n\r\n")
        origin = self.origin(script)
        edge = self.edge(origin)
        client = self.client(edge).get()
        interims = 0
        while (response := client.response()).status < 200:
            interims += 1
            self.assertLess(interims, 100)
        self.assertEqual(response.status, 502)
        origin.wait_ended()
        self.assertEqual(edge.log(1)[0]["outcome"], "upstream_malformed")

    def test_101_that_nobody_asked_for_is_502(self):
        edge = self.edge(self.origin(raw(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")))
        self.assertEqual(self.fetch(edge).status, 502)


if __name__ == "__main__":
    main()
