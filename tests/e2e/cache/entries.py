"""Objects put, read and taken out by hand: by URL and by bare key, and never where a route does not
allow it."""
from harness import main
from harness.process import run_command
from harness.stored import StoredTest, counting
from harness.wait import eventually


class Entries(StoredTest):
    def put(self, edge, url, body, kind="text/plain", ttl="1h"):
        code, text, _ = edge.admin("PUT", "/api/v1/cache" + self.entries(url, ttl=ttl), body=body,
                                   token=edge.token(), headers={"Content-Type": kind})
        return code, text

    def test_a_url_is_served_as_it_was_put(self):
        origin = counting()
        edge = self.cached_edge(origin, {"entries": True})
        code, text = self.put(edge, "http://site.test/a?b=1&c=2", b"by hand", "application/x-thing")
        self.assertEqual(code, 201, text)
        answer = self.fetch(edge, "/a?b=1&c=2")
        self.assertEqual((answer.status, answer.body), (200, b"by hand"))
        self.assertEqual(answer.get("content-type"), "application/x-thing")
        self.assert_hit(answer)
        tag = answer.get("etag")
        self.assertEqual(self.fetch(edge, "/a?b=1&c=2", f"If-None-Match: {tag}").status, 304)
        self.assertEqual(origin.asked, [])
        code, text, headers = edge.admin("GET", "/api/v1/cache" +
                                         self.entries("http://site.test/a?b=1&c=2"))
        self.assertEqual((code, text), (200, "by hand"))
        self.assertEqual(self.call(edge, "DELETE", self.entries("http://site.test/a?b=1&c=2")),
                         (200, {"objects": 1}))
        self.assert_miss(self.fetch(edge, "/a?b=1&c=2"))

    def test_a_bare_key_is_served_below_cache(self):
        origin = counting()
        edge = self.cached_edge(origin, {"entries": True})
        code, text = self.put(edge, "nft/one two", b"x" * 100_000)
        self.assertEqual(code, 201, text)
        self.assertIn("/_cache/nft/one%20two", text)
        self.assertEqual(self.fetch(edge, "/_cache/nft/one%20two").body, b"x" * 100_000)
        self.assertEqual(self.fetch(edge, "/_cache/nft/one%20two", host="other.test").status, 200)
        self.assertEqual(self.call(edge, "DELETE", self.entries("nft/one two"))[0], 200)
        self.assertEqual(self.fetch(edge, "/_cache/nft/one%20two").status, 404)
        self.assertEqual(self.call(edge, "DELETE", self.entries("nft/one two"))[0], 404)
        self.assertEqual(origin.asked, [])

    def test_a_url_below_cache_is_a_bare_key(self):
        origin = counting()
        edge = self.cached_edge(origin, {"entries": True, "partition": "_cache"})
        url = "http://site.test/_cache/k"
        self.assertEqual(self.put(edge, url, b"by hand")[0], 201)
        for host in ("site.test", "other.test"):
            self.assertEqual(self.fetch(edge, "/_cache/k", host=host).body, b"by hand")
        self.assertEqual(edge.admin("GET", "/api/v1/cache" + self.entries("k"))[:2],
                         (200, "by hand"))
        self.assertIn("set by hand", self.command(edge, "explain", url)[1])
        self.assertEqual(self.call(edge, "POST", "/purge", {"url": url})[1]["objects"], 1)
        self.assertEqual(self.fetch(edge, "/_cache/k").status, 404)
        self.assertEqual(self.put(edge, "k", b"again")[0], 201)
        self.assertEqual(self.call(edge, "DELETE", self.entries(url)), (200, {"objects": 1}))
        self.assertEqual(self.fetch(edge, "/_cache/k").status, 404)
        self.assertEqual(origin.asked, [])

    def test_a_path_that_is_rewritten_into_cache_is_no_bare_key(self):
        origin = counting()
        edge = self.cached_edge(origin, {"entries": True},
                                {"rewrite": {"strip_prefix": "/x"}})
        self.put(edge, "k", b"by hand")
        self.assertEqual(self.fetch(edge, "/_cache/k").body, b"by hand")
        self.assertNotEqual(self.fetch(edge, "/x/_cache/k").body, b"by hand")
        self.assertEqual(origin.asked, ["/_cache/k"])

    def test_nothing_is_set_or_served_where_the_route_does_not_allow_it(self):
        edge = self.cached_edge(counting())
        for url in ("http://site.test/a", "key"):
            code, text = self.put(edge, url, b"evil")
            self.assertEqual(code, 409, text)
            self.assertIn("entries: true", text)
        self.assert_miss(self.fetch(edge, "/a"))

    def test_what_was_set_is_not_served_once_the_route_forbids_it(self):
        edge = self.cached_edge(counting(), {"entries": True})
        self.put(edge, "http://site.test/a", b"by hand")
        self.put(edge, "key", b"by hand")
        self.assertEqual(self.fetch(edge, "/a").body, b"by hand")
        edge.config["routes"][0]["cache"]["entries"] = False
        edge.write()
        code, answer = edge.reload()
        self.assertEqual(code, 200, answer)
        eventually(lambda: self.fetch(edge, "/a").body != b"by hand", "the worker has adopted it")
        self.assertNotEqual(self.fetch(edge, "/a").body, b"by hand")
        self.assertNotEqual(self.fetch(edge, "/_cache/key").body, b"by hand")

    def test_wrong_calls_are_told(self):
        edge = self.cached_edge(counting(), {"entries": True})
        for path, words in ((self.entries("http://site.test/"), "ttl is missing"),
                            (self.entries("http://site.test/", ttl="soon"), "ttl:"),
                            (self.entries("", ttl="1h"), "url is missing"),
                            ("/entries?url=http://site.test/?a=1&b=2&ttl=1h", "%26"),
                            (self.entries("ftp://site.test/", ttl="1h"), "http or https")):
            with self.subTest(path):
                code, text, _ = edge.admin("PUT", "/api/v1/cache" + path, body=b"x",
                                           token=edge.token())
                self.assertEqual(code, 400, text)
                self.assertIn(words, text)
        self.assertEqual(edge.admin("PUT", "/api/v1/cache" + self.entries("k", ttl="1h"),
                                    body=b"x")[0], 401)
        self.assertEqual(edge.admin("GET", "/api/v1/cache" + self.entries("k"))[0], 404)

    def test_the_commands(self):
        edge = self.cached_edge(counting(), {"entries": True})
        self.assertEqual(self.command(edge, "cache", "set", "greeting", "--value", "hello",
                                      "--ttl", "90s"),
                         (0, "/_cache/greeting: 5 bytes for 90 s\n", ""))
        answer = self.fetch(edge, "/_cache/greeting")
        self.assertEqual((answer.body, answer.get("content-type")),
                         (b"hello", "text/plain; charset=utf-8"))
        self.assertEqual(self.command(edge, "cache", "get", "greeting"), (0, "hello", ""))
        self.assertEqual(self.command(edge, "cache", "rm", "greeting"), (0, "1 object\n", ""))
        code, out, errors = self.command(edge, "cache", "get", "greeting")
        self.assertEqual((code, out), (1, ""))
        self.assertIn("nothing is stored", errors)
        file = edge.path / "one.json"
        file.write_text("{}")
        url = "http://site.test/one.json"
        self.assertEqual(self.command(edge, "cache", "set", url, str(file), "--ttl", "1h")[0], 0)
        self.assertEqual(self.fetch(edge, "/one.json").get("content-type"), "application/json")
        self.assertEqual(run_command("cache", "set", "k", "--ttl", "1h").returncode, 2)


if __name__ == "__main__":
    main()
