"""The cache in the way of a request: what is answered from it, what is kept, and what is not."""
import threading

from harness import EdgeTest, eventually, main
from harness.origin import wait_until_passed
import time

CACHED = [{"name": "all", "pools": ["main"], "cache": {"enabled": True}}]


def replies(make):
    """A script: make(request) -> (status line, fields, body) for each request."""
    def script(conn):
        while True:
            request = conn.request()
            status, fields, body = make(request)
            if request.method == "HEAD" or status.startswith(("204", "304")):
                lines = [f"HTTP/1.1 {status}", *fields]
                if request.method == "HEAD":
                    lines.append(f"Content-Length: {len(body)}")
                conn.send(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
            else:
                conn.answer(body, status, *fields)
    return script


def fresh(body=b"hello", *fields):
    return replies(lambda request: ("200 OK", ["Cache-Control: max-age=60", *fields], body))


class Hits(EdgeTest):
    def site(self, script, **keys):
        origin = self.origin(script)
        return origin, self.edge(origin, **{"routes": CACHED, **keys})

    def status_of(self, response):
        return response.get("cache-status")

    def test_a_hit_follows_a_miss(self):
        origin, edge = self.site(fresh())
        first, second = self.fetch(edge), self.fetch(edge)
        self.assertEqual(self.status_of(first), "scrollgate; fwd=miss; stored")
        self.assertIsNone(first.get("age"))
        self.assertRegex(self.status_of(second), r"^scrollgate; hit; ttl=(59|60)$")
        self.assertIn(second.get("age"), ("0", "1"))
        self.assertEqual((second.status, second.body), (200, b"hello"))
        self.assertNotEqual(first.get("x-request-id"), second.get("x-request-id"))
        self.assertEqual(len(origin.requests()), 1)
        lines = edge.log(3)
        kinds = sorted(line.get("kind", "request") for line in lines)
        self.assertEqual(kinds, ["fill", "request", "request"])
        eventually(lambda: edge.metric("scrollgate_cache_requests_total", 'result="hit"') == 1,
                   "the hit is counted")

    def test_other_hosts_and_queries_are_other_objects(self):
        origin, edge = self.site(replies(lambda r: (
            "200 OK", ["Cache-Control: max-age=60"],
            f"{r.get('host')} {r.target}".encode())))
        for host, target in (("a.test", "/x"), ("b.test", "/x"), ("a.test", "/x?y"),
                             ("a.test", "/x?")):
            for _ in range(2):
                self.assertEqual(self.fetch(edge, target, host=host).body,
                                 f"{host} {target}".encode())
        self.assertEqual(len(origin.requests()), 4)
        self.assertEqual(self.fetch(edge, "/%78", host="A.TEST:80").body, b"a.test /x")
        self.assertEqual(len(origin.requests()), 4)

    def test_head_is_answered_from_a_stored_get(self):
        origin, edge = self.site(fresh())
        self.fetch(edge)
        head = self.fetch(edge, method="HEAD")
        self.assertEqual(head.get("content-length"), "5")
        self.assertIn("hit", self.status_of(head))
        self.assertEqual(len(origin.requests()), 1)

    def test_304_for_a_client_that_has_it(self):
        origin, edge = self.site(fresh(b"hello", 'ETag: "v1"',
                                       "Last-Modified: Thu, 01 Jan 2015 00:00:00 GMT"))
        self.fetch(edge)
        for field in ('If-None-Match: "v1"', "If-None-Match: *",
                      "If-Modified-Since: Thu, 01 Jan 2015 00:00:00 GMT"):
            response = self.fetch(edge, "/", field)
            self.assertEqual((response.status, response.body), (304, b""), field)
        self.assertEqual(self.fetch(edge, "/", 'If-None-Match: "v2"').status, 200)
        self.assertEqual(len(origin.requests()), 1)

    def test_ranges_of_a_stored_whole(self):
        origin, edge = self.site(fresh(b"0123456789", 'ETag: "v1"'))
        self.fetch(edge)
        part = self.fetch(edge, "/", "Range: bytes=2-5")
        self.assertEqual((part.status, part.body), (206, b"2345"))
        self.assertEqual(part.get("content-range"), "bytes 2-5/10")
        many = self.fetch(edge, "/", "Range: bytes=0-0,9-")
        self.assertEqual(many.status, 206)
        self.assertIn(b"Content-Range: bytes 9-9/10\r\n\r\n9\r\n--", many.body)
        self.assertEqual(self.fetch(edge, "/", "Range: bytes=10-").status, 416)
        self.assertEqual(self.fetch(edge, "/", "Range: bytes=0-1", 'If-Range: "v0"').status, 200)
        self.assertEqual(self.fetch(edge, "/", "Range: bytes=0-1", 'If-Range: "v1"').body, b"01")
        self.assertEqual(len(origin.requests()), 1)

    def test_206_of_an_origin_is_passed_on_and_not_stored(self):
        origin, edge = self.site(replies(lambda r: (
            ("206 Partial Content", ["Content-Range: bytes 0-1/10", "Cache-Control: max-age=60"],
             b"01") if r.get("range") else ("200 OK", ["Cache-Control: no-store"], b"0123456789"))))
        for _ in range(2):
            part = self.fetch(edge, "/", "Range: bytes=0-1")
            self.assertEqual((part.status, part.body), (206, b"01"))

    def test_vary_tells_variants_apart(self):
        origin, edge = self.site(replies(lambda r: (
            "200 OK", ["Cache-Control: max-age=60", "Vary: Accept-Encoding, X-Kind"],
            f"{r.get('accept-encoding')} {r.get('x-kind')}".encode())))
        bodies = [self.fetch(edge, "/", f"X-Kind: {kind}").body for kind in "abab"]
        self.assertEqual(bodies[:2], bodies[2:])
        self.assertNotEqual(bodies[0], bodies[1])
        self.assertEqual(len(origin.requests()), 2)
        spelled = [self.fetch(edge, "/", f"Accept-Encoding: {value}").body
                   for value in ("gzip, br", "br;q=1.0,gzip", "BR, GZIP")]
        self.assertEqual(len(set(spelled)), 1)
        self.assertEqual(len(origin.requests()), 3)

    def test_authorization_is_not_shared(self):
        origin, edge = self.site(replies(lambda r: (
            "200 OK", ["Cache-Control: max-age=60"], (r.get("authorization") or "none").encode())))
        self.assertEqual(self.fetch(edge, "/", "Authorization: Basic YQ==").body, b"Basic YQ==")
        self.assertEqual(self.fetch(edge, "/", "Authorization: Basic Yg==").body, b"Basic Yg==")
        self.assertEqual(self.fetch(edge).body, b"none")

    def test_public_may_be_shared_although_it_was_asked_with_authorization(self):
        origin, edge = self.site(fresh(b"all", "Cache-Control: public, max-age=60"))
        for _ in range(2):
            self.fetch(edge, "/", "Authorization: Basic YQ==")
        self.assertEqual(len(origin.requests()), 1)

    def test_set_cookie_is_not_stored(self):
        origin, edge = self.site(replies(lambda r: (
            "200 OK", ["Cache-Control: max-age=60", f"Set-Cookie: id={r.target}"], b"x")))
        for _ in range(2):
            self.assertEqual(self.fetch(edge, "/u").get("set-cookie"), "id=/u")
        self.assertEqual(len(origin.requests()), 2)

    def test_two_users_with_cookies_never_share_a_page_that_says_nothing(self):
        origin, edge = self.site(
            replies(lambda r: ("200 OK", [], (r.get("cookie") or "nobody").encode())),
            routes=[{"name": "all", "pools": ["main"],
                     "cache": {"enabled": True, "default_ttl": "60s"}}])
        for user in "abab":
            self.assertEqual(self.fetch(edge, "/", f"Cookie: u={user}").body, f"u={user}".encode())
        for _ in range(2):
            self.assertEqual(self.fetch(edge).body, b"nobody")
        self.assertEqual(len(origin.requests()), 5)

    def test_a_post_that_succeeds_invalidates(self):
        versions = iter(range(100))
        origin, edge = self.site(replies(lambda r: (
            "200 OK", ["Cache-Control: max-age=60"] if r.method == "GET" else [],
            str(next(versions)).encode())))
        self.assertEqual(self.fetch(edge, "/x").body, b"0")
        self.assertEqual(self.fetch(edge, "/x").body, b"0")
        post = self.fetch(edge, "/x", method="POST", body=b"")
        self.assertEqual(self.status_of(post), "scrollgate; fwd=method")
        self.assertEqual(self.fetch(edge, "/x").body, b"2")

    def test_stale_if_error(self):
        broken = threading.Event()

        def make(request):
            if broken.is_set():
                return "503 Service Unavailable", [], b"down"
            return "200 OK", ["Cache-Control: max-age=1, stale-if-error=60"], b"good"
        origin, edge = self.site(replies(make))
        self.assertEqual(self.fetch(edge).body, b"good")
        broken.set()
        wait_until_passed(time.monotonic() + 2.1)      # time itself is tested here
        response = self.fetch(edge)
        self.assertEqual((response.status, response.body), (200, b"good"))
        self.assertIn("fwd=stale; fwd-status=503", self.status_of(response))
        origin.close()
        response = self.fetch(edge)
        self.assertEqual((response.status, response.body), (200, b"good"))
        self.assertRegex(self.status_of(response), r"fwd=stale; ttl=-\d+; detail=")
        self.assertEqual(self.fetch(edge, "/other").status, 502)

    def test_a_stale_response_is_validated(self):
        def make(request):
            if request.get("if-none-match") == '"v1"':
                return "304 Not Modified", ['ETag: "v1"', "Cache-Control: max-age=60"], b""
            return "200 OK", ['ETag: "v1"', "Cache-Control: max-age=1"], b"good"
        origin, edge = self.site(replies(make))
        self.fetch(edge)
        wait_until_passed(time.monotonic() + 2.1)      # time itself is tested here
        response = self.fetch(edge)
        self.assertEqual((response.status, response.body), (200, b"good"))
        self.assertEqual(self.status_of(response),
                         "scrollgate; fwd=stale; fwd-status=304; ttl=60")
        self.assertIn("hit", self.status_of(self.fetch(edge)))
        self.assertEqual(len(origin.requests()), 2)

    def test_what_a_trusted_proxy_says_of_the_scheme_is_part_of_the_key(self):
        origin, edge = self.site(
            replies(lambda r: ("200 OK", ["Cache-Control: max-age=60"],
                               f"{r.get('x-forwarded-proto')} {r.get('x-forwarded-host')}"
                               .encode())),
            trusted_proxies=["127.0.0.1"])
        for _ in range(2):
            self.assertEqual(self.fetch(edge).body, b"http site.test")
            self.assertEqual(self.fetch(edge, "/", "X-Forwarded-Proto: https").body,
                             b"https site.test")
            self.assertEqual(self.fetch(edge, "/", "X-Forwarded-Host: evil.test").body,
                             b"http evil.test")
        self.assertEqual(len(origin.requests()), 3)
        odd = self.fetch(edge, "/", "X-Forwarded-Proto: gopher")
        self.assertEqual(self.status_of(odd), "scrollgate; fwd=bypass; detail=bad-authority")

    def test_own_errors_and_routes_without_a_cache_have_no_cache_status(self):
        origin = self.origin(fresh())
        edge = self.edge(origin, routes=[
            {"name": "cached", "match": {"path_prefix": "/c/"}, "pools": ["main"],
             "cache": {"enabled": True}},
            {"name": "plain", "pools": ["main"]}])
        self.assertIsNone(self.fetch(edge, "/p").get("cache-status"))
        refused = self.fetch(edge, "/c/x", "Cache-Control: only-if-cached")
        self.assertEqual(refused.status, 504)
        self.assertIsNone(refused.get("cache-status"))
        self.assertIsNotNone(self.fetch(edge, "/c/x").get("cache-status"))


if __name__ == "__main__":
    main()
