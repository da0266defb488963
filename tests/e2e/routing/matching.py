"""Which route a request gets: hosts, paths, methods, fields, query, listeners; first match wins."""
from harness import EdgeTest, free_port, main


def fixed(name, **match):
    return {"name": name, "match": match, "respond": {"status": 200, "body": name}}


class Matching(EdgeTest):
    def routes(self, *routes, **keys):
        self.proxy = self.edge(pools={}, routes=list(routes), **keys)

    def got(self, target="/", *fields, host="site.test", method="GET"):
        response = self.fetch(self.proxy, target, *fields, host=host, method=method)
        return response.body.decode() if response.status == 200 else response.status

    def test_by_host(self):
        self.routes(fixed("exact", host="a.example.com"), fixed("wild", host="*.example.com"),
                    fixed("apex", host="example.com"))
        self.assertEqual(self.got(host="a.example.com"), "exact")
        self.assertEqual(self.got(host="A.EXAMPLE.com:8080"), "exact")
        self.assertEqual(self.got(host="b.example.com"), "wild")
        self.assertEqual(self.got(host="example.com"), "apex")
        self.assertEqual(self.got(host="evilexample.com"), 404)
        self.assertEqual(self.got(host="other.test"), 404)

    def test_by_prefix_on_segment_borders(self):
        self.routes(fixed("api", path_prefix="/api"), fixed("slash", path_prefix="/dir/"))
        for path, name in (("/api", "api"), ("/api/", "api"), ("/api/x?y", "api"),
                           ("/api?x", "api"), ("/apix", 404), ("/API", 404), ("/", 404),
                           ("/dir/x", "slash")):
            self.assertEqual(self.got(path), name, path)

    def test_by_the_normalised_path(self):
        self.routes(fixed("admin", path_prefix="/admin"), fixed("rest"))
        for path in ("/admin", "/x/../admin", "/%61dmin", "/./admin/x", "/x/%2e%2e/admin",
                     "/admin/x/.."):
            self.assertEqual(self.got(path), "admin", path)
        self.assertEqual(self.got("/admin/.."), "rest")
        self.assertEqual(self.got("/admin/../other"), "rest")

    def test_by_exact_path(self):
        self.routes(fixed("one", path_exact="/one"))
        self.assertEqual(self.got("/one"), "one")
        self.assertEqual(self.got("/one?q=1"), "one")
        self.assertEqual(self.got("/one/"), 404)

    def test_by_regex(self):
        self.routes(fixed("token", path_regex="/nft/[0-9]+"))
        self.assertEqual(self.got("/nft/42"), "token")
        self.assertEqual(self.got("/nft/4x"), 404)
        self.assertEqual(self.got("/a/nft/42"), 404)

    def test_by_method(self):
        self.routes(fixed("read", methods=["GET", "HEAD"]), fixed("write", methods=["POST"]))
        self.assertEqual(self.got(), "read")
        self.assertEqual(self.got("/", "Content-Length: 0", method="POST"), "write")
        self.assertEqual(self.got(method="DELETE"), 404)

    def test_by_header(self):
        self.routes(fixed("beta", headers={"X-Beta": "1", "X-Two": "b"}), fixed("stable"))
        self.assertEqual(self.got("/", "x-beta: 1", "X-TWO: b"), "beta")
        self.assertEqual(self.got("/", "X-Beta: 1"), "stable")
        self.assertEqual(self.got("/", "X-Beta: 11", "X-Two: b"), "stable")

    def test_by_query(self):
        self.routes(fixed("two", query={"v": "2"}), fixed("rest"))
        self.assertEqual(self.got("/?v=2"), "two")
        self.assertEqual(self.got("/?a=b&v=2&c"), "two")
        self.assertEqual(self.got("/?v=22"), "rest")
        self.assertEqual(self.got("/?w=2"), "rest")
        self.assertEqual(self.got("/"), "rest")

    def test_by_listener(self):
        first, second = free_port(), free_port()
        self.routes(fixed("one", listener="one"), fixed("two", listener="two"),
                    listeners=[{"name": "one", "address": f"127.0.0.1:{first}"},
                               {"name": "two", "address": f"127.0.0.1:{second}"}])
        self.assertEqual(self.fetch(first).body, b"one")
        self.assertEqual(self.fetch(second).body, b"two")

    def test_the_first_match_wins(self):
        self.routes(fixed("long", path_prefix="/a/b"), fixed("short", path_prefix="/a"),
                    fixed("never", path_prefix="/a/c"))
        self.assertEqual(self.got("/a/b/c"), "long")
        self.assertEqual(self.got("/a/c"), "short")

    def test_no_route_is_404_and_keeps_the_connection(self):
        self.routes(fixed("one", path_exact="/one"))
        client = self.client(self.proxy)
        self.assertEqual(client.get("/none").response().status, 404)
        self.assertEqual(client.get("/one").response().status, 200)
        line = self.proxy.log(1)[0]
        self.assertEqual((line["status"], line["outcome"], line["route"]),
                         (404, "no_route", None))


if __name__ == "__main__":
    main()
