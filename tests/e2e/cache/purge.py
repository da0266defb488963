"""Purging by URL, prefix, tag and all: what is purged is asked for anew, all else stays."""
import threading

from harness import main
from harness.stored import StoredTest, counting
from harness.wait import eventually


class Purge(StoredTest):
    def fill(self, edge, *targets, host="site.test"):
        for target in targets:
            self.fetch(edge, target, host=host)
        for target in targets:
            self.assert_hit(self.fetch(edge, target, host=host))

    def purge(self, edge, **wish):
        code, answer = self.call(edge, "POST", "/purge", wish)
        self.assertEqual(code, 200, answer)
        self.assertEqual(answer["nodes"], 1)
        return answer["objects"]

    def test_a_url_is_purged_and_its_neighbours_stay(self):
        edge = self.cached_edge(counting())
        self.fill(edge, "/a", "/a?x=1", "/ab")
        self.assertEqual(self.purge(edge, url="http://SITE.test:80/./a"), 1)
        self.assert_miss(self.fetch(edge, "/a"))
        self.assert_hit(self.fetch(edge, "/a?x=1"))
        self.assert_hit(self.fetch(edge, "/ab"))
        self.assertEqual(self.purge(edge, url="site.test/ab"), 1)   # the scheme is optional
        self.assert_miss(self.fetch(edge, "/ab"))
        self.assertEqual(self.purge(edge, url="https://site.test/a"), 0)
        self.assert_hit(self.fetch(edge, "/a"))

    def test_all_variants_of_a_url_go(self):
        edge = self.cached_edge(counting("Vary: X-Kind"))
        for kind in ("one", "two"):
            self.fetch(edge, "/v", f"X-Kind: {kind}")
            self.assert_hit(self.fetch(edge, "/v", f"X-Kind: {kind}"))
        self.assertEqual(self.purge(edge, url="http://site.test/v"), 2)
        self.assert_miss(self.fetch(edge, "/v", "X-Kind: one"))

    def test_a_url_is_what_clients_ask_for_before_a_rewrite(self):
        edge = self.cached_edge(counting(), {"key": {"query": {"ignore": ["utm_*"]}}},
                                {"rewrite": {"strip_prefix": "/metadata"}})
        self.fill(edge, "/metadata/1.json?v=2")
        self.assertEqual(self.purge(edge, url="http://site.test/metadata/1.json?utm_id=9&v=2"), 1)
        self.assert_miss(self.fetch(edge, "/metadata/1.json?v=2"))

    def test_a_prefix(self):
        edge = self.cached_edge(counting())
        self.fill(edge, "/news/1", "/news/2?x", "/old/1")
        self.fill(edge, "/news/1", host="other.test")
        self.assertEqual(self.purge(edge, prefix="http://site.test/news/"), 2)
        self.assert_miss(self.fetch(edge, "/news/1"))
        self.assert_hit(self.fetch(edge, "/old/1"))
        self.assert_hit(self.fetch(edge, "/news/1", host="other.test"))

    def test_a_tag_and_all(self):
        edge = self.cached_edge(counting("Surrogate-Key: red blue"))
        self.fill(edge, "/1", "/2")
        self.assertEqual(self.purge(edge, tag="green"), 0)
        self.assertEqual(self.purge(edge, tag="blue"), 2)
        self.assert_miss(self.fetch(edge, "/1"))
        self.assertEqual(self.purge(edge, all=True), 1)
        self.assert_miss(self.fetch(edge, "/1"))
        self.assertEqual(edge.status()["cache"]["purged"], 3)

    def test_softly_purged_objects_stand_in_for_an_origin_that_fails(self):
        failing = threading.Event()

        def script(conn):
            while True:
                conn.request()
                if failing.is_set():
                    conn.answer(b"broken", "500 Internal Server Error")
                else:
                    conn.answer(b"good", "200 OK", "Cache-Control: max-age=600")
        edge = self.cached_edge(script, {"stale_if_error": "1h"})
        self.fill(edge, "/s")
        self.assertEqual(self.purge(edge, url="site.test/s", soft=True), 1)
        failing.set()
        answer = self.fetch(edge, "/s")
        self.assertEqual((answer.status, answer.body), (200, b"good"))
        self.assertNotIn("; hit", self.cache_status(answer))

    def test_a_fill_that_began_before_a_purge_does_not_survive_it(self):
        arrived, go = threading.Event(), threading.Event()

        def script(conn):
            while True:
                conn.request()
                arrived.set()
                conn.wait(go)
                conn.answer(b"old or new", "200 OK", "Cache-Control: max-age=600")
        edge = self.cached_edge(script)
        client = self.client(edge)
        client.send(b"GET /f HTTP/1.1\r\nHost: site.test\r\n\r\n")
        arrived.wait()
        eventually(lambda: edge.status()["cache"]["fills"] == 1, "the fill is under way")
        self.purge(edge, url="http://site.test/f")
        go.set()
        self.assertEqual(client.final().status, 200)
        self.assert_miss(self.fetch(edge, "/f"))

    def test_wrong_wishes_are_told(self):
        edge = self.cached_edge(counting())
        for body, words in (({}, "give one of"), ({"url": "site.test/", "tag": "a"}, "give one of"),
                            ({"url": "ftp://site.test/"}, "http or https"), ({"url": ""}, "empty"),
                            ({"all": False}, "only be true"), ({"urls": "x"}, "did you mean url"),
                            ({"tag": 1}, "must be a text"), ({"all": True, "soft": 1}, "soft"),
                            ({"tag": "x" * (16 * 1024 + 1)}, "more than 16384 bytes"),
                            ({"url": "http://site.test/#x"}, "fragment")):
            with self.subTest(words):
                code, answer = self.call(edge, "POST", "/purge", body)
                self.assertEqual(code, 400)
                self.assertIn(words, answer["message"])

    def test_the_command(self):
        edge = self.cached_edge(counting("Cache-Tag: red"))
        self.fill(edge, "/1", "/2")
        for wish, objects in ((["site.test/1"], "1 object"),
                              (["--tag", "red", "--soft"], "1 object"),
                              (["--prefix", "site.test"], "1 object"), (["--all"], "0 objects")):
            self.assertEqual(self.command(edge, "cache", "purge", *wish),
                             (0, f"{objects}, on 1 node\n", ""), wish)
        code, _, errors = self.command(edge, "cache", "purge", "ftp://x/")
        self.assertEqual(code, 1)
        self.assertIn("http or https", errors)


if __name__ == "__main__":
    main()
