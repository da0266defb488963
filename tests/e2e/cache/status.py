"""What the cache does is seen: in the status, in the metrics, in the table for people."""
import threading

from harness import main
from harness.stored import StoredTest, counting
from harness.wait import eventually


class Seen(StoredTest):
    def test_counts_of_the_cache_and_its_routes(self):
        edge = self.cached_edge(counting())
        for target in ("/a", "/a", "/a", "/b"):
            self.fetch(edge, target)
        self.fetch(edge, "/a", method="POST", body=b"x")
        eventually(lambda: edge.status()["cache"]["passes"] == 1, "the POST is counted")
        status = edge.status()
        cache = status["cache"]
        self.assertEqual({k: cache[k] for k in ("hits", "misses", "stale", "passes", "writes")},
                         {"hits": 2, "misses": 2, "stale": 0, "passes": 1, "writes": 2})
        self.assertEqual(cache["hit_rate"], 0.5)
        self.assertGreater(cache["byte_hit_rate"], 0)
        self.assertEqual(cache["purged"], 1)       # the POST
        self.assertEqual(status["routes"][0]["cache"],
                         {"hits": 2, "misses": 2, "stale": 0, "passes": 1})
        self.assertEqual(cache["capacity"], 512 * 1024 * 1024)
        self.assertGreater(cache["bytes"], 0)
        self.assertEqual(status["memory"]["cache"], cache["bytes"])
        self.assertIsNone(cache["redis"])

    def test_a_route_without_a_cache_has_no_counts(self):
        edge = self.edge(self.origin())
        self.fetch(edge)
        status = edge.status()
        self.assertIsNone(status["routes"][0]["cache"])
        self.assertIsNone(status["cache"]["hit_rate"])
        self.assertEqual(status["cache"]["miss_ratio_curve"], [])

    def test_requests_that_wait_for_one_fill(self):
        go = threading.Event()

        def script(conn):
            while True:
                conn.request()
                conn.wait(go)
                conn.answer(b"one", "200 OK", "Cache-Control: max-age=600")
        edge = self.cached_edge(script)
        clients = [self.client(edge) for _ in range(5)]
        for client in clients:
            client.send(b"GET /w HTTP/1.1\r\nHost: site.test\r\n\r\n")
        eventually(lambda: edge.metric("scrollgate_cache_waiting") == 5, "five wait")
        self.assertEqual(edge.metric("scrollgate_cache_fills"), 1)
        go.set()
        for client in clients:
            self.assertEqual(client.final().body, b"one")
        eventually(lambda: edge.status()["cache"]["collapsed"] == 4, "four were collapsed")
        self.assertEqual(edge.metric("scrollgate_cache_waiting"), 0)

    def test_lookups_are_timed_and_the_curve_is_there(self):
        edge = self.cached_edge(counting())
        client = self.client(edge)
        for i in range(256):
            client.send(f"GET /{i % 8} HTTP/1.1\r\nHost: site.test\r\n\r\n".encode())
            client.final()
        cache = edge.status()["cache"]
        self.assertGreater(cache["lookup_us"]["p50"], 0)
        self.assertGreaterEqual(cache["lookup_us"]["p99"], cache["lookup_us"]["p50"])
        all_of_them = edge.metric("scrollgate_cache_lookup_seconds_count")
        self.assertGreater(all_of_them, 0)
        self.assertEqual(edge.metric("scrollgate_cache_lookup_seconds_bucket", 'le="+Inf"'),
                         all_of_them)
        self.assertGreater(edge.metric("scrollgate_cache_lookup_seconds_sum"), 0)
        self.assertEqual([p["times"] for p in cache["miss_ratio_curve"]], [0.5, 1, 2, 4])
        self.assertEqual(edge.metric("scrollgate_cache_entries"), 8)
        self.assertEqual(edge.metric("scrollgate_cache_writes_total"), 8)
        self.assertGreater(edge.metric("scrollgate_cache_bytes"), 0)
        self.assertEqual(edge.metric("scrollgate_cache_requests_total", 'result="hit"'), 248)
        code, out, errors = self.command(edge, "status")
        self.assertEqual((code, errors), (0, ""))
        self.assertIn("cache: 8 objects, ", out)
        self.assertIn("hit rate 96.9%", out)
        self.assertIn("more memory does not pay", out)
        self.assertRegex(out, r"ROUTE +REQUESTS +HITS +STALE +MISSES +PASSES")


if __name__ == "__main__":
    main()
