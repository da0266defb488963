"""For tests of what operators do to the cache: an origin whose answers count up, and the calls."""
import json
import threading
import urllib.parse

from .case import EdgeTest
from .process import run_command


def counting(*fields, cache_control="max-age=600"):
    """Answers "<n> <target>", n counting all requests; Cache-Control and `fields` with it."""
    asked = []

    def script(conn):
        while True:
            request = conn.request()
            asked.append(request.target)
            conn.answer(f"{len(asked)} {request.target}".encode(), "200 OK",
                        f"Cache-Control: {cache_control}", *fields)
    script.asked = asked
    return script


def held(cache_control="max-age=600"):
    """Answers "<n>" only when told to, by `go`."""
    asked, go = [], threading.Event()

    def script(conn):
        while True:
            request = conn.request()
            asked.append(request.target)
            number = len(asked)
            conn.wait(go)
            conn.answer(f"{number}".encode(), "200 OK", f"Cache-Control: {cache_control}")
    script.asked, script.go = asked, go
    return script


class StoredTest(EdgeTest):
    def cached_edge(self, script, cache=None, route=None, **keys):
        """A route "all" with a cache in front of an origin that plays `script`."""
        origin = self.origin(script)
        return self.edge(origin, routes=[{"name": "all", "pools": ["main"], **(route or {}),
                                          "cache": {"enabled": True, **(cache or {})}}], **keys)

    def call(self, edge, method, path, body=None):
        """One call to the admin API with the token: (status, parsed answer)."""
        code, text, _ = edge.admin(method, "/api/v1/cache" + path, token=edge.token(),
                                   body=None if body is None else json.dumps(body),
                                   headers={"Content-Type": "application/json"})
        return code, json.loads(text)

    def entries(self, url, **more):
        return "/entries?" + urllib.parse.urlencode({"url": url, **more},
                                                       quote_via=urllib.parse.quote)

    def command(self, edge, *arguments):
        done = run_command(*arguments, "-c", str(edge.file))
        return done.returncode, done.stdout, done.stderr

    def cache_status(self, answer):
        return answer.get("cache-status", "")

    def assert_hit(self, answer):
        self.assertIn("scrollgate; hit", self.cache_status(answer))

    def assert_miss(self, answer):
        self.assertIn("fwd=miss", self.cache_status(answer))
