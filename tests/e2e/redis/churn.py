"""Many keys come and go, and nothing of them stays in Redis.

SCROLLGATE_CHURN=500000 in the environment makes it a million; they are 50,000 twice otherwise.
"""
import os
import subprocess
import unittest

from harness import main
from harness.fleet import FleetTest
from harness.server import NGINX, start_nginx
from harness.wait import eventually, free_port

COUNT = int(os.environ.get("SCROLLGATE_CHURN", 50_000))
PATIENCE = 60 + COUNT / 1000
STREAMS = ["{scrollgate}:nodes", "{scrollgate}:purges"]


@unittest.skipUnless(NGINX, "nginx is not installed")
class Churn(FleetTest):
    def churned(self, life):
        """A node behind which so many keys have gone through Redis, each with two tags, and this
        Redis. `life` is Cache-Control's."""
        redis, port = self.redis(), free_port()
        start_nginx(self.addCleanup, self.folder, f"""
            daemon off; user root; worker_processes 1; pid {self.folder}/pid; error_log stderr;
            events {{ worker_connections 1024; }}
            http {{ access_log off; keepalive_requests 1000000; server {{ listen {port};
                location ~ "(?<group>[0-9])$" {{
                    add_header Cache-Control {life};
                    add_header Surrogate-Key "all group$group";
                    return 200 "$uri $uri $uri $uri $uri $uri $uri $uri"; }} }} }}
            """, port)
        edge = self.edge(f"127.0.0.1:{port}",
                         cache={"memory": "64MiB", "redis": {"url": redis.url,
                                                             "timeout": self.timeout}},
                         routes=[{"name": "all", "pools": ["main"],
                                  "cache": {"enabled": True, "stale_if_error": "none"}}])
        self.wait_in_step(edge)
        self.assertEqual(redis.keys(), STREAMS)
        self.before = self.used(redis)
        urls = self.folder / "urls"
        urls.write_text("".join(f"/{i}\n" for i in range(COUNT)))
        subprocess.run([os.environ["SCROLLGATE_BENCH_BIN"], f"http://127.0.0.1:{edge.port}/",
                        "--urls", urls, "-n", str(COUNT), "-c", "32", "--plain", "--quiet",
                        "--expect-status", "200", "--fail-if", "errors>0"],
                       check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        eventually(lambda: self.tier(edge)["pending"] == 0, "all is written")
        tier = self.tier(edge)
        # Under pressure it may drop some, and says so.
        self.assertGreater(tier["writes"], COUNT / 2)
        return edge, redis

    @staticmethod
    def used(redis):
        """Bytes that Redis has, but for its streams, whose length is bounded."""
        lines = redis.ask("INFO", "memory").splitlines()
        used = next(int(line[12:]) for line in lines if line.startswith("used_memory:"))
        return used - sum(redis.call("MEMORY", "USAGE", name, "SAMPLES", "0") for name in STREAMS)

    def assert_nothing_is_left(self, redis):
        eventually(lambda: redis.call("DBSIZE") == len(STREAMS), "all keys are gone", PATIENCE, 0.1)
        self.assertEqual(redis.keys(), STREAMS)
        slack = 1024 * 1024     # buffers of connections
        eventually(lambda: self.used(redis) < self.before + slack, "its memory is back", 30, 0.1)

    def test_what_expires(self):
        _, redis = self.churned("max-age=2")
        self.assert_nothing_is_left(redis)

    def test_what_is_purged_by_tag(self):
        edge, redis = self.churned("max-age=86400")
        self.assertGreater(redis.call("DBSIZE"), COUNT / 2)
        for digit in range(10):
            code, _ = self.call(edge, "POST", "/purge", {"tag": f"group{digit}"})
            self.assertEqual(code, 200)
        # Of the other tag a set is left, of names that nobody has any more; it is bounded.
        eventually(lambda: redis.call("DBSIZE") == len(STREAMS) + 1, "all responses are gone",
                   PATIENCE, 0.1)
        self.call(edge, "POST", "/purge", {"tag": "all"})
        self.assert_nothing_is_left(redis)


if __name__ == "__main__":
    main()
