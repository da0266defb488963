"""The shapes of a request line: absolute-form, OPTIONS *, methods, the leading CRLF."""
from harness import EdgeTest, main


class Targets(EdgeTest):
    def setUp(self):
        self.peer = self.origin()
        self.proxy = self.edge(self.peer)

    def send(self, text):
        client = self.client(self.proxy)
        client.send(text.replace("\n", "\r\n").encode("latin-1"))
        return client

    def test_absolute_form_is_forwarded_in_origin_form_with_its_host(self):
        client = self.send("GET http://other.test:81/a?b HTTP/1.1\nHost: other.test:81\n\n")
        self.assertEqual(client.response().status, 200)
        request = self.peer.requests()[0]
        self.assertEqual((request.target, request.all("host")), ("/a?b", ["other.test:81"]))

    def test_options_asterisk_stays(self):
        client = self.send("OPTIONS * HTTP/1.1\nHost: site.test\n\n")
        self.assertEqual(client.response().status, 200)
        self.assertEqual(self.peer.requests()[0].target, "*")

    def test_options_of_an_absolute_form_without_path_is_the_asterisk(self):
        client = self.send("OPTIONS http://site.test HTTP/1.1\nHost: site.test\n\n")
        self.assertEqual(client.response().status, 200)
        self.assertEqual(self.peer.requests()[0].target, "*")

    def test_trace_and_connect_are_refused(self):
        for line in ("TRACE / HTTP/1.1", "CONNECT site.test:443 HTTP/1.1"):
            self.assert_refused(self.send(f"{line}\nHost: site.test\n\n"), 405)
        self.assertEqual(self.peer.bytes_received(), 0)

    def test_unknown_methods_that_are_tokens_are_forwarded(self):
        for method in ("PROPFIND", "M-SEARCH", "X!#$", "purge"):
            client = self.send(f"{method} /m HTTP/1.1\nHost: site.test\n\n")
            self.assertEqual(client.response().body, f"{method} /m".encode())

    def test_one_leading_crlf_is_skipped(self):
        client = self.send("\nGET /a HTTP/1.1\nHost: site.test\n\n\nGET /b HTTP/1.1\n"
                           "Host: site.test\n\n")
        self.assertEqual(client.response().body, b"GET /a")
        self.assertEqual(client.response().body, b"GET /b")

    def test_an_unsupported_version_is_505(self):
        self.assert_refused(self.send("GET / HTTP/2.0\nHost: site.test\n\n"), 505)

    def test_own_errors_are_json_where_the_client_takes_it(self):
        client = self.send("TRACE / HTTP/1.1\nHost: site.test\nAccept: application/json\n\n")
        response = client.response()
        self.assertIn("application/json", response.get("content-type"))
        self.assertIn(b"method_refused", response.body)

    def test_own_errors_are_text_where_the_client_wants_text(self):
        edge = self.edge(pools={}, routes=[
            {"name": "one", "match": {"path_exact": "/one"}, "respond": {"status": 200}}])
        response = self.fetch(edge, "/two", "Accept: text/html, text/plain")
        self.assertEqual(response.status, 404)
        self.assertIn("text/plain", response.get("content-type"))


if __name__ == "__main__":
    main()
