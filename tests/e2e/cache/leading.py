#!/usr/bin/env python3
"""What the client of a fill's leader gets, and no other: interim responses and trailers."""
import threading

from harness.case import EdgeTest, main
from harness.wait import eventually


class Leading(EdgeTest):
    def setUp(self):
        self.gate = threading.Event()
        self.addCleanup(self.gate.set)

    def cached_edge(self, origin):
        return self.edge(origin, cache={"memory": "64MiB"},
                         routes=[{"name": "all", "pools": ["main"], "cache": {"enabled": True}}])

    def followed(self, edge, origin):
        """A leader that waits for the origin, and a follower that waits for the leader."""
        leader = self.client(edge).get("/x")
        origin.wait_requests(1)
        follower = self.client(edge).get("/x")
        eventually(lambda: edge.metric("scrollgate_cache_waiting") == 2, "both wait")
        return leader, follower

    def hinting(self, control):
        """Early hints, and when the gate is open again some, then the answer."""
        def script(conn):
            while True:
                conn.request()
                conn.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n")
                conn.wait(self.gate)
                conn.send(b"HTTP/1.1 103 Early Hints\r\nLink: </b.css>; rel=preload\r\n\r\n")
                conn.answer(b"page", "200 OK", control)
        return self.origin(script)

    def test_early_hints_come_before_the_answer_does(self):
        origin = self.hinting("Cache-Control: max-age=60")
        edge = self.cached_edge(origin)
        leader, follower = self.followed(edge, origin)
        hint = leader.response()
        self.assertEqual((hint.status, hint.get("link")), (103, "</a.css>; rel=preload"))
        self.gate.set()
        hint = leader.response()
        self.assertEqual((hint.status, hint.get("link")), (103, "</b.css>; rel=preload"))
        answer = leader.response()
        self.assertEqual((answer.status, answer.body), (200, b"page"))
        self.assertIsNone(answer.get("link"))
        self.assertEqual(follower.response().body, b"page")     # no 103 in front of it
        self.assertEqual(len(origin.requests()), 1)
        with self.client(edge).get("/x") as hit:
            self.assertEqual(hit.response().status, 200)

    def test_early_hints_of_what_is_private_reach_its_client(self):
        origin = self.hinting("Cache-Control: private")
        edge = self.cached_edge(origin)
        self.gate.set()
        client = self.client(edge).get("/x")
        self.assertEqual([client.response().status for _ in range(3)], [103, 103, 200])

    def test_a_client_that_has_left_hears_no_hints_and_ends_nothing(self):
        origin = self.hinting("Cache-Control: max-age=60")
        edge = self.cached_edge(origin)
        leader, follower = self.followed(edge, origin)
        self.assertEqual(leader.response().status, 103)
        leader.reset()
        eventually(lambda: edge.metric("scrollgate_cache_waiting") == 1, "the leader is gone")
        self.gate.set()
        self.assertEqual(follower.response().body, b"page")

    def trailing(self, control):
        def script(conn):
            while True:
                conn.request()
                conn.wait(self.gate)
                conn.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + control +
                          b"\r\n\r\n4\r\npage\r\n0\r\nServer-Timing: db;dur=53\r\n\r\n")
        return self.origin(script)

    def test_trailers_are_the_leaders_alone(self):
        origin = self.trailing(b"Cache-Control: max-age=60")
        edge = self.cached_edge(origin)
        leader, follower = self.followed(edge, origin)
        self.gate.set()
        first, second = leader.final(), follower.final()
        self.assertEqual((first.body, second.body), (b"page", b"page"))
        self.assertEqual([tuple(t) for t in first.trailers], [("Server-Timing", "db;dur=53")])
        self.assertEqual(second.trailers, [])
        hit = self.fetch(edge, "/x")
        self.assertEqual((hit.body, hit.trailers), (b"page", []))
        self.assertIn("; hit", hit.get("cache-status"))

    def test_trailers_of_what_is_private_reach_its_client(self):
        origin = self.trailing(b"Cache-Control: private")
        edge = self.cached_edge(origin)
        self.gate.set()
        for _ in range(2):      # the first one by a fill, the second one past the cache
            answer = self.fetch(edge, "/x")
            self.assertEqual([tuple(t) for t in answer.trailers], [("Server-Timing", "db;dur=53")])


if __name__ == "__main__":
    main()
