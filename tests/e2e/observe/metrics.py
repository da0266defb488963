"""/metrics: well-formed, bounded, and counting what happened."""
import shutil
import subprocess
import unittest

from harness import EdgeTest, eventually, free_port, main


class Metrics(EdgeTest):
    def setUp(self):
        self.peer = self.origin()
        self.proxy = self.edge(
            pools={"aws": {"provider": "aws", "region": "us-east-1",
                           "endpoints": [self.peer.address]},
                   "dead": {"provider": "gcp", "endpoints": [f"127.0.0.1:{free_port()}"]}},
            routes=[{"name": "gone", "match": {"path_prefix": "/gone"}, "pools": ["dead"]},
                    {"name": "main", "match": {"path_prefix": "/main"}, "pools": ["aws"]}])

    def wait(self, name, value, *labels):
        eventually(lambda: self.proxy.metric(name, *labels) == value,
                   f"{name}{labels} is {value}")

    def test_requests_are_counted_by_route_and_code(self):
        for _ in range(3):
            self.fetch(self.proxy, "/main")
        self.fetch(self.proxy, "/other")
        self.wait("scrollgate_requests_total", 3, 'route="main"', 'code="200"')
        self.wait("scrollgate_requests_total", 1, 'code="404"')
        self.wait("scrollgate_request_duration_seconds_count", 3, 'route="main"')

    def test_attempts_are_counted_by_pool_and_outcome(self):
        self.fetch(self.proxy, "/main")
        self.fetch(self.proxy, "/gone")
        self.wait("scrollgate_upstream_requests_total", 1, 'pool="aws"', 'provider="aws"',
                  'region="us-east-1"', 'outcome="ok"')
        self.wait("scrollgate_upstream_requests_total", 1, 'pool="dead"',
                  'outcome="connect_refused"')
        self.wait("scrollgate_upstream_duration_seconds_count", 1, 'pool="aws"')

    def test_connections_are_gauged(self):
        client = self.client(self.proxy)
        client.get("/main").response()
        self.wait("scrollgate_connections", 1, 'side="client"')
        self.wait("scrollgate_connections", 1, 'side="upstream"')
        client.close()
        self.wait("scrollgate_connections", 0, 'side="client"')

    def test_a_reload_forgets_no_count(self):
        self.fetch(self.proxy, "/main")
        self.wait("scrollgate_requests_total", 1, 'route="main"')
        self.assertEqual(self.proxy.reload()[0], 200)
        self.fetch(self.proxy, "/main")
        self.wait("scrollgate_requests_total", 2, 'route="main"')

    def test_strangers_cannot_make_series(self):
        self.fetch(self.proxy, "/main")
        self.wait("scrollgate_requests_total", 1, 'route="main"')
        before = len(self.proxy.metrics())
        for n in range(30):
            self.fetch(self.proxy, f"/main/{n}", host=f"h{n}.test", method=f"M{n}")
        self.wait("scrollgate_requests_total", 31, 'route="main"')
        self.assertEqual(len(self.proxy.metrics()), before)

    @unittest.skipUnless(shutil.which("promtool"), "needs promtool")
    def test_promtool_finds_nothing_wrong(self):
        self.fetch(self.proxy, "/main")
        self.fetch(self.proxy, "/gone")
        code, text, headers = self.proxy.admin("GET", "/metrics")
        self.assertEqual(code, 200)
        self.assertIn("text/plain", headers["Content-Type"])
        done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                              capture_output=True)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))


if __name__ == "__main__":
    main()
