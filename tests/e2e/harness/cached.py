"""CacheTest: the proxy with a cache in front of one origin that a function of the request plays."""
import collections
import re

from .case import EdgeTest

FRESH = "Cache-Control: max-age=600"
# Old enough to be stale on arrival, so that nobody has to wait until it is.
STALE = ("Cache-Control: max-age=10", "Age: 100")


class Answer:
    """What the origin says. Its body is followed by a number that no other answer has."""

    def __init__(self, *fields, status="200 OK", body="page"):
        self.fields, self.status, self.body = fields, status, body


class Site:
    """The origin behind the cache: answer(request) -> Answer, or bytes as they are and then the
    end."""

    def __init__(self, answer):
        self.answer, self.count = answer, 0
        self.seen = collections.Counter()       # (method, target) -> requests

    def script(self, conn):
        while True:
            request = conn.request()
            self.count += 1
            self.seen[request.method, request.target] += 1
            reply = self.answer(request)
            if isinstance(reply, bytes):
                conn.send(reply)
                return
            body = f"{reply.body} #{self.count}".encode()
            if reply.status.startswith(("204", "304")):
                lines = [f"HTTP/1.1 {reply.status}", *reply.fields]
                conn.send(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
            elif request.method == "HEAD":
                lines = [f"HTTP/1.1 {reply.status}", f"Content-Length: {len(body)}",
                         *reply.fields]
                conn.send(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
            else:
                conn.answer(body, reply.status, *reply.fields)

    def asked(self, target=None, method="GET"):
        """How often the origin was asked, for this target or in all."""
        return self.count if target is None else self.seen[method, target]


class CacheTest(EdgeTest):
    def site(self, answer, route=None, **cache):
        """Starts both; `answer` may be one Answer for all. `cache` are keys of the route's cache,
        `route` further ones of the route. Sets self.edge_; the Site."""
        site = Site(answer if callable(answer) else lambda _request: answer)
        origin = self.origin(site.script)
        self.edge_ = self.edge(origin, routes=[{
            "name": "all", "pools": ["main"], "cache": {"enabled": True, **cache},
            **(route or {})}])
        return site

    def get(self, target="/", *fields, **options):
        return self.fetch(self.edge_, target, *fields, **options)

    @staticmethod
    def status_of(response):
        """The parameters of our Cache-Status (RFC 9211) as a dict; a flag's value is True."""
        entry = response.get("cache-status").rpartition(", ")[2]
        name, *parameters = entry.split("; ")
        assert name == "scrollgate", entry
        return {key: value or True for key, _, value in (p.partition("=") for p in parameters)}

    def assert_hit(self, response, like=None):
        """From the cache; with the same body as the response `like`."""
        self.assertIn("hit", self.status_of(response), response.get("cache-status"))
        self.assertRegex(response.get("age", ""), r"\A\d+\Z")
        if like is not None:
            self.assertEqual(response.body, like.body)
        return response

    def assert_forwarded(self, response, why=None):
        """Asked of the origin for this client; `why` is the value of fwd."""
        status = self.status_of(response)
        self.assertNotIn("hit", status)
        if why is not None:
            self.assertEqual(status.get("fwd"), why, response.get("cache-status"))
        return response

    def assert_shared(self, first, second, **options):
        """The second of two equal requests is answered from the cache; requests are (target,
        *fields)."""
        like = self.get(*first, **options)
        self.assert_hit(self.get(*second, **options), like)

    def assert_apart(self, first, second):
        """Neither of two requests is answered with what the other one got, in either order."""
        bodies = [self.get(*each).body for each in (first, second, first, second)]
        self.assertNotEqual(bodies[0], bodies[1])
        self.assertTrue({bodies[0], bodies[2]}.isdisjoint({bodies[1], bodies[3]}), bodies)

    def assert_never_stored(self, *request, count=3, **options):
        """Each of several equal requests gets an answer of its own."""
        bodies = [self.get(*request, **options).body for _ in range(count)]
        self.assertEqual(len(set(bodies)), count, bodies)

    @staticmethod
    def number(response):
        """Of the answer, which the origin has counted."""
        return int(re.search(rb"#(\d+)\Z", response.body)[1])
