#!/usr/bin/env python3
"""Stale responses (RFC 5861): one refresh in the background, and help when the origin fails.

The origin says with Age that its response has expired on the way, so that nobody has to wait."""
import threading

from harness.case import EdgeTest, main
from harness.wait import eventually


class Staleness(EdgeTest):
    def cached_edge(self, origin):
        return self.edge(origin, cache={"memory": "64MiB"},
                         routes=[{"name": "all", "pools": ["main"], "cache": {"enabled": True}}])

    def test_many_stale_hits_make_one_request_in_the_background(self):
        gate = threading.Event()
        self.addCleanup(gate.set)

        def script(conn):
            while True:
                conn.request()
                if len(origin.requests()) > 1:
                    conn.wait(gate)
                    conn.answer(b"new", "200 OK", "Cache-Control: max-age=60", 'ETag: "2"')
                else:
                    conn.answer(b"old", "200 OK", "Age: 5", 'ETag: "1"',
                                "Cache-Control: max-age=1, stale-while-revalidate=600")
        origin = self.origin(script)
        edge = self.cached_edge(origin)
        self.assertEqual(self.fetch(edge, "/x").body, b"old")
        for _ in range(20):
            self.assertEqual(self.fetch(edge, "/x").body, b"old")
        origin.wait_requests(2)
        gate.set()
        eventually(lambda: self.fetch(edge, "/x").body == b"new", "the refreshed response")
        self.assertEqual(len(origin.requests()), 2)

    def test_what_is_stale_is_used_when_the_origin_fails(self):
        def script(conn):
            while True:
                conn.request()
                if len(origin.requests()) > 1:
                    conn.answer(b"broken", "500 Internal Server Error")
                else:
                    conn.answer(b"old", "200 OK", "Age: 5", 'ETag: "1"',
                                "Cache-Control: max-age=1, stale-if-error=600")
        origin = self.origin(script)
        edge = self.cached_edge(origin)
        self.assertEqual(self.fetch(edge, "/x").body, b"old")
        response = self.fetch(edge, "/x")
        self.assertEqual((response.status, response.body), (200, b"old"))
        self.assertEqual(len(origin.requests()), 2)


if __name__ == "__main__":
    main()
