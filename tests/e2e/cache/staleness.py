#!/usr/bin/env python3
"""Stale responses (RFC 5861): one refresh in the background, and help when the origin fails.

The origin says with Age that its response has expired on the way, so that nobody has to wait."""
import threading

from harness.case import EdgeTest, main
from harness.wait import eventually


class Staleness(EdgeTest):
    def cached_edge(self, origin, pool=None, **cache):
        return self.edge(
            cache={"memory": "64MiB"},
            pools={"main": {"endpoints": [origin.address], **(pool or {})}},
            routes=[{"name": "all", "pools": ["main"], "cache": {"enabled": True, **cache},
                     "failover": {"hedge": "off"}}])

    def stalling(self, control):
        """An origin that gives a stale response once and holds every other answer until the gate
        opens; /healthz is answered at once, well while `healthy` is set."""
        gate, healthy = threading.Event(), threading.Event()
        self.addCleanup(gate.set)
        healthy.set()
        asked = []

        def script(conn):
            while True:
                request = conn.request()
                if request.target == "/healthz":
                    conn.answer(b"", "200 OK" if healthy.is_set() else "503 Ill")
                    continue
                asked.append(request.method)
                if len(asked) > 1:
                    conn.wait(gate)
                    conn.answer(b"new", "200 OK", "Cache-Control: max-age=60", 'ETag: "2"')
                else:
                    conn.answer(b"old", "200 OK", "Age: 5", 'ETag: "1"', control)
        origin = self.origin(script)
        return origin, gate, healthy, asked

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

    def test_a_slow_origin_is_answered_for_and_its_answer_is_stored_when_it_comes(self):
        origin, gate, _, asked = self.stalling("Cache-Control: max-age=1")
        edge = self.cached_edge(origin, stale_if_slow="50ms", stale_if_error="none")
        self.assertEqual(self.fetch(edge, "/x").body, b"old")
        response = self.fetch(edge, "/x")
        self.assertEqual((response.status, response.body), (200, b"old"))
        self.assertIn("fwd=stale", response.get("cache-status"))
        self.assertIn("detail=slow", response.get("cache-status"))
        head = self.fetch(edge, "/x", method="HEAD")
        self.assertEqual((head.status, head.get("content-length")), (200, "3"))
        self.assertIn("detail=slow", head.get("cache-status"))
        gate.set()
        eventually(lambda: self.fetch(edge, "/x").body == b"new", "the late answer is stored")
        self.assertEqual(asked, ["GET", "GET"])

    def test_must_revalidate_waits_for_a_slow_origin(self):
        origin, gate, _, asked = self.stalling("Cache-Control: max-age=1, must-revalidate")
        edge = self.cached_edge(origin, stale_if_slow="50ms")
        self.assertEqual(self.fetch(edge, "/x").body, b"old")
        client = self.client(edge).get("/x")
        eventually(lambda: len(asked) == 2, "the origin is asked")
        self.assertTrue(client.quiet(0.2))
        gate.set()
        self.assertEqual(client.final().body, b"new")

    def test_stale_at_once_while_all_pools_are_known_to_be_down(self):
        check = {"path": "/healthz", "interval": "50ms", "timeout": "500ms"}
        origin, gate, healthy, asked = self.stalling("Cache-Control: max-age=1")
        edge = self.cached_edge(origin, {"health_check": check}, stale_if_error="10m")

        def panic():
            return edge.status()["routes"][0]["panic"]
        self.assertEqual(self.fetch(edge, "/x").body, b"old")
        healthy.clear()
        eventually(panic, "the only endpoint is found to be down")
        # The origin is asked behind the answers, once, and does not answer.
        for method in ("GET", "GET", "HEAD"):
            response = self.fetch(edge, "/x", method=method)
            self.assertEqual((response.status, response.get("content-length")), (200, "3"))
            self.assertIn("fwd=stale", response.get("cache-status"))
            self.assertIn("detail=down", response.get("cache-status"))
        eventually(lambda: len(asked) > 1, "the origin is asked")
        self.assertEqual(asked, ["GET", "GET"])
        healthy.set()
        gate.set()
        eventually(lambda: self.fetch(edge, "/x").body == b"new", "the pool is back")

    def test_what_may_not_be_stale_waits_for_pools_that_are_down(self):
        check = {"path": "/healthz", "interval": "50ms", "timeout": "500ms"}
        origin, gate, healthy, asked = self.stalling("Cache-Control: max-age=1, must-revalidate")
        edge = self.cached_edge(origin, {"health_check": check}, stale_if_error="10m")
        self.assertEqual(self.fetch(edge, "/x").body, b"old")
        healthy.clear()
        eventually(lambda: edge.status()["routes"][0]["panic"], "the endpoint is down")
        client = self.client(edge).get("/x")
        eventually(lambda: len(asked) == 2, "the origin is asked")
        self.assertTrue(client.quiet(0.1))
        gate.set()
        self.assertEqual(client.final().body, b"new")

    def test_what_is_hot_is_refreshed_before_it_expires_however_fast_the_origin(self):
        """Of some thousand requests, one of which would come first after each expiry."""
        def script(conn):
            while True:
                conn.request()
                conn.answer(b"x", "200 OK", "Cache-Control: max-age=4")
        origin = self.origin(script)
        edge = self.cached_edge(origin)
        client = self.client(edge)
        missed = 0
        while len(origin.requests()) < 3:
            client.get("/x")
            missed += "; hit" not in client.final().get("cache-status")
        self.assertEqual(missed, 1)


if __name__ == "__main__":
    main()
