#!/usr/bin/env python3
"""A fill that began before a purge does not survive it (issue 5, point 6)."""
import json
import threading

from harness.case import EdgeTest, main

FRESH = "Cache-Control: max-age=60"


class PurgingRaces(EdgeTest):
    def setUp(self):
        self.old = threading.Event()
        self.addCleanup(self.old.set)
        self.asked = 0

        def script(conn):
            while True:
                conn.request()
                self.asked += 1
                first = self.asked == 1
                if first:
                    conn.wait(self.old)
                conn.answer(b"old" if first else b"new", "200 OK", FRESH, "Surrogate-Key: t")
        self.site = self.origin(script)
        self.proxy = self.edge(
            self.site, cache={"memory": "64MiB"},
            routes=[{"name": "all", "pools": ["main"], "cache": {"enabled": True}}])

    def overtaken_by(self, wish):
        early = self.client(self.proxy).get("/x")
        self.site.wait_requests(1)
        code, text, _ = self.proxy.admin("POST", "/api/v1/cache/purge", json.dumps(wish),
                                         token=self.proxy.token(),
                                         headers={"Content-Type": "application/json"})
        self.assertEqual(code, 200, text)
        # Who comes after the purge does not join what began before it.
        self.assertEqual(self.fetch(self.proxy, "/x").body, b"new")
        self.old.set()
        self.assertEqual(early.final().body, b"old")
        self.assertEqual(self.fetch(self.proxy, "/x").body, b"new")
        self.assertEqual(len(self.site.requests()), 2)

    def test_an_unsafe_request_on_a_route_without_a_cache(self):
        routes = self.proxy.config["routes"]
        editor = {"name": "editor", "match": {"headers": {"X-Editor": "1"}}, "pools": ["main"]}
        self.proxy.write({**self.proxy.config, "routes": [editor, *routes]})
        self.assertEqual(self.proxy.reload()[0], 200)
        early = self.client(self.proxy).get("/x")
        self.site.wait_requests(1)
        self.fetch(self.proxy, "/x", "X-Editor: 1", method="POST", body=b"x")
        self.assertEqual(self.fetch(self.proxy, "/x").body, b"new")
        self.old.set()
        self.assertEqual(early.final().body, b"old")
        self.assertEqual(self.fetch(self.proxy, "/x").body, b"new")

    def test_an_unsafe_request_while_no_route_has_a_cache(self):
        self.old.set()
        cached = self.proxy.config
        self.assertEqual(self.fetch(self.proxy, "/x").body, b"old")
        self.proxy.write({**cached, "routes": [{"name": "all", "pools": ["main"]}]})
        self.assertEqual(self.proxy.reload()[0], 200)
        self.fetch(self.proxy, "/x", method="POST", body=b"x")
        self.proxy.write(cached)
        self.assertEqual(self.proxy.reload()[0], 200)
        self.assertEqual(self.fetch(self.proxy, "/x").body, b"new")

    def test_a_purge_of_everything(self):
        self.overtaken_by({"all": True})

    def test_a_purge_of_the_url(self):
        self.overtaken_by({"url": "http://site.test/x"})

    def test_a_purge_of_a_tag(self):
        self.overtaken_by({"tag": "t"})


if __name__ == "__main__":
    main()
