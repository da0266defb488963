"""What a route does: forward the normalised path, rewrite, redirect, respond, change fields."""
from harness import EdgeTest, main
from harness.origin import raw


class Paths(EdgeTest):
    def seen(self, target, **route):
        """The target that the origin sees."""
        origin = self.origin()
        edge = self.edge(origin, routes=[{"name": "all", "pools": ["main"], **route}])
        self.assertEqual(self.fetch(edge, target).status, 200)
        self.assertEqual(edge.log(1)[0]["path"], target)
        return origin.requests()[0].target

    def test_the_normalised_form_is_forwarded(self):
        self.assertEqual(self.seen("/a/../b/%7euser/%c3%a9?q=%7e/../"),
                         "/b/~user/%C3%A9?q=%7e/../")

    def test_raw_path_forwards_the_bytes_as_received(self):
        self.assertEqual(self.seen("/b/%7euser/./x?q", raw_path=True), "/b/%7euser/./x?q")

    def test_strip_prefix(self):
        rule = {"match": {"path_prefix": "/api"}, "rewrite": {"strip_prefix": "/api"}}
        self.assertEqual(self.seen("/api/v1?q=1", **rule), "/v1?q=1")
        self.assertEqual(self.seen("/api", **rule), "/")
        self.assertEqual(self.seen("/api?q", **rule), "/?q")

    def test_regex_rewrite(self):
        rule = {"rewrite": {"regex": "/old/(.*)", "to": "/new/\\1"}}
        self.assertEqual(self.seen("/old/x/y?q=1", **rule), "/new/x/y?q=1")
        self.assertEqual(self.seen("/other", **rule), "/other")


class Redirects(EdgeTest):
    def location(self, to, target="/a/b?c=d", status=None):
        rule = {"to": to} if status is None else {"to": to, "status": status}
        edge = self.edge(pools={}, routes=[{"name": "all", "redirect": rule}])
        response = self.fetch(edge, target)
        self.assertEqual(edge.log(1)[0]["outcome"], "redirect")
        return response.status, response.get("location")

    def test_the_default_is_308(self):
        self.assertEqual(self.location("https://{host}{uri}"), (308, "https://site.test/a/b?c=d"))

    def test_another_status_and_parts(self):
        self.assertEqual(self.location("{scheme}://new.test{path}?x&{query}", status=302),
                         (302, "http://new.test/a/b?x&c=d"))


class Responds(EdgeTest):
    def test_a_fixed_answer(self):
        edge = self.edge(pools={}, routes=[
            {"name": "robots", "match": {"path_exact": "/robots.txt"},
             "respond": {"status": 200, "body": "User-agent: *\n"}},
            {"name": "gone", "respond": {"status": 410}}])
        response = self.fetch(edge, "/robots.txt")
        self.assertEqual((response.status, response.body), (200, b"User-agent: *\n"))
        self.assertIn("text/plain", response.get("content-type"))
        self.assertEqual(self.fetch(edge, "/x").status, 410)
        self.assertEqual(edge.log(1)[0]["outcome"], "respond")

    def test_head_and_request_bodies_are_fine(self):
        edge = self.edge(pools={}, routes=[
            {"name": "all", "respond": {"status": 200, "body": "hello"}}])
        client = self.client(edge)
        client.send(b"HEAD / HTTP/1.1\r\nHost: site.test\r\n\r\n")
        head = client.response("HEAD")
        self.assertEqual((head.get("content-length"), head.body), ("5", b""))
        client.send(b"POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 3\r\n\r\nabc")
        self.assertEqual(client.response().body, b"hello")

    def test_the_connection_stays(self):
        edge = self.edge(pools={}, routes=[
            {"name": "all", "respond": {"status": 200, "body": "hello"}}])
        client = self.client(edge)
        for _ in range(3):
            self.assertEqual(client.get().response().body, b"hello")


class HeaderRules(EdgeTest):
    def test_request_fields(self):
        origin = self.origin()
        edge = self.edge(origin, routes=[
            {"name": "all", "pools": ["main"], "request_headers": {
                "set": {"X-Set": "new"}, "add": {"X-Add": "more"}, "remove": ["X-Gone"]}}])
        self.fetch(edge, "/", "X-Set: old", "X-Set: older", "X-Add: first", "X-Gone: 1")
        request = origin.requests()[0]
        self.assertEqual(request.all("x-set"), ["new"])
        self.assertEqual(request.all("x-add"), ["first", "more"])
        self.assertEqual(request.all("x-gone"), [])

    def test_response_fields(self):
        edge = self.edge(self.origin(raw(
            b"HTTP/1.1 200 OK\r\nServer: secret/1\r\nX-Set: old\r\nX-Add: first\r\n"
            b"Content-Length: 2\r\n\r\nok")), routes=[
                {"name": "all", "pools": ["main"], "response_headers": {
                    "set": {"X-Set": "new"}, "add": {"X-Add": "more"}, "remove": ["Server"]}}])
        response = self.fetch(edge)
        self.assertEqual(response.all("x-set"), ["new"])
        self.assertEqual(response.all("x-add"), ["first", "more"])
        self.assertIsNone(response.get("server"))
        self.assertEqual(response.body, b"ok")

    def test_defaults_are_merged_under_every_route(self):
        edge = self.edge(pools={}, defaults={"route": {"response_headers": {"set": {"X-D": "1"}}}},
                         routes=[{"name": "all", "respond": {"status": 200}}])
        self.assertEqual(self.fetch(edge).get("x-d"), "1")


if __name__ == "__main__":
    main()
