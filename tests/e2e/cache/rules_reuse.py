"""What a stored response answers, and when the origin is asked first: RFC 9111 section 4, and the
conditions and ranges of RFC 9110 sections 13 and 14.
"""
from harness import main
from harness.cached import FRESH, STALE, Answer, CacheTest, Site
from harness.http2 import Http2Client

ETAG = 'ETag: "one"'
MODIFIED = "Sun, 06 Nov 1994 08:49:37 GMT"


class Asked(CacheTest):
    """Directives of requests (5.2.1)."""

    def test_those_that_want_the_origin(self):
        self.site(Answer(FRESH, "Age: 5"))
        first = self.get()
        for field in ("Cache-Control: no-cache", "Cache-Control: max-age=0", "Pragma: no-cache",
                      "Cache-Control: min-fresh=100000"):
            with self.subTest(field):
                answer = self.get("/", field)
                self.assert_forwarded(answer, "request")
                self.assertNotEqual(answer.body, first.body)
                first = answer

    def test_those_that_are_content(self):
        self.site(Answer(FRESH))
        first = self.get()
        for field in ("Cache-Control: max-age=300", "Cache-Control: min-fresh=10",
                      "Cache-Control: max-stale", "Cache-Control: only-if-cached",
                      "Cache-Control: unknown=1", "Pragma: unknown"):
            with self.subTest(field):
                self.assert_hit(self.get("/", field), first)

    def test_only_if_cached_asks_nobody(self):
        site = self.site(Answer(FRESH))
        self.assertEqual(self.get("/", "Cache-Control: only-if-cached").status, 504)
        self.assertEqual(site.asked(), 0)

    def test_max_stale_accepts_what_has_expired(self):
        self.site(Answer(*STALE, ETAG))
        first = self.get()
        self.assertEqual(self.get("/", "Cache-Control: max-stale=1000").body, first.body)
        self.assertNotEqual(self.get("/", "Cache-Control: max-stale=1").body, first.body)

    def test_max_stale_does_not_beat_must_revalidate(self):
        self.site(Answer("Cache-Control: max-age=10, must-revalidate", "Age: 100", ETAG))
        first = self.get()
        self.assertNotEqual(self.get("/", "Cache-Control: max-stale").body, first.body)


class Varied(CacheTest):
    """Section 4.1."""

    def test_a_response_goes_to_those_who_would_have_got_it(self):
        self.site(lambda request: Answer(FRESH, "Vary: X-Kind", body=request.get("x-kind", "-")))
        self.assert_apart(("/", "X-Kind: a"), ("/", "X-Kind: b"))
        self.assert_apart(("/", "X-Kind: a"), ("/",))
        self.assert_shared(("/", "X-Kind: a"), ("/", "X-Kind: a", "X-More: 1"))
        self.assert_shared(("/",), ("/", "X-More: 1"))

    def test_spellings_of_accept_encoding_are_one(self):
        seen = []

        def answer(request):
            seen.append(request.get("accept-encoding"))
            return Answer(FRESH, "Vary: Accept-Encoding")
        site = self.site(answer)
        first = self.get("/", "Accept-Encoding: gzip, br")
        for value in ("br,gzip", "gzip;q=0.9, br;q=1.0", "deflate, gzip, br, identity", "GZIP, Br"):
            with self.subTest(value):
                self.assert_hit(self.get("/", f"Accept-Encoding: {value}"), first)
        self.assertNotEqual(self.get("/", "Accept-Encoding: gzip, br;q=0").body, first.body)
        self.assertEqual(site.asked(), 2)
        # What was compared is what the origin was told.
        self.assertNotIn("q=", "".join(seen))

    def test_the_names_count_of_the_response_that_is_there(self):
        """Later responses may vary by other fields (4.1)."""
        def answer(request):
            by = "X-A" if request.get("x-a") else "X-B"
            return Answer(FRESH, f"Vary: {by}", body=f"{request.get('x-a')} {request.get('x-b')}")
        self.site(answer)
        self.assertIn(b"1 None", self.get("/", "X-A: 1").body)
        self.assertIn(b"2 None", self.get("/", "X-A: 2").body)
        self.assertIn(b"None 1", self.get("/", "X-B: 1").body)
        self.assertIn(b"1 None", self.get("/", "X-A: 1").body)

    def test_lines_are_one_list(self):
        self.site(lambda request: Answer(FRESH, "Vary: X-Kind", body=",".join(
            request.all("x-kind"))))
        self.assert_apart(("/", "X-Kind: a", "X-Kind: b"), ("/", "X-Kind: b", "X-Kind: a"))

    def test_by_what_the_proxy_says_itself(self):
        site = self.site(Answer(FRESH, "Vary: X-Forwarded-Proto, X-Request-Id"))
        self.get()
        self.get()
        self.assertEqual(site.asked(), 2)       # no request id comes twice


class Validated(CacheTest):
    """Section 4.3."""

    def test_a_304_refreshes_what_is_stored(self):
        def answer(request):
            if request.get("if-none-match") == '"one"':
                return Answer(FRESH, ETAG, "X-New: yes", status="304 Not Modified")
            return Answer(*STALE, ETAG, "X-New: no")
        site = self.site(answer)
        first = self.get()
        second = self.get()
        self.assertEqual((second.status, second.body), (200, first.body))
        self.assertEqual(second.get("x-new"), "yes")
        self.assert_hit(self.get(), first)
        self.assertEqual(site.asked(), 2)

    def test_what_a_304_says_for_one_client_reaches_that_one_alone(self):
        def answer(request):
            if request.get("if-none-match") == '"one"':
                return Answer('Cache-Control: max-age=600, private="X-Token"', ETAG,
                              "X-Token: secret", status="304 Not Modified")
            return Answer(*STALE, ETAG)
        site = self.site(answer)
        first = self.get()
        second = self.get()
        self.assertEqual((second.status, second.body), (200, first.body))
        self.assertEqual(second.all("x-token"), ["secret"])
        third = self.assert_hit(self.get(), first)
        self.assertEqual(third.all("x-token"), [])
        self.assertEqual(site.asked(), 2)

    def test_what_the_route_tells_origins_is_not_the_clients_word(self):
        """A marker is ended, and HEAD refreshes, though each request has Authorization there."""
        private = [True]

        def answer(request):
            self.assertEqual(request.get("authorization"), "Basic eA==")
            if private[0]:
                return Answer("Cache-Control: private")
            return Answer(*(STALE if request.method == "GET" and request.target == "/head"
                            else (FRESH,)), ETAG)
        site = self.site(answer, {"request_headers": {"set": {"Authorization": "Basic eA=="}}})
        self.assert_forwarded(self.get())
        private[0] = False
        answers = [self.get() for _ in range(4)]
        self.assert_hit(answers[-1])
        self.get("/head")
        self.get("/head", method="HEAD")
        self.assert_hit(self.get("/head"))
        self.assertEqual(site.asked("/head"), 1)

    def test_vary_by_host_which_the_key_has(self):
        self.site(Answer(FRESH, "Vary: Host"))
        first = self.get()
        with Http2Client(self.edge_.port) as client:
            second = client.get2()
        self.assertEqual(second.body, first.body)
        self.assertIn("hit", second.get("cache-status"))

    def test_last_modified_will_do(self):
        def answer(request):
            if request.get("if-modified-since") == MODIFIED:
                return Answer(FRESH, status="304 Not Modified")
            return Answer(*STALE, f"Last-Modified: {MODIFIED}")
        self.site(answer)
        first = self.get()
        self.assertEqual(self.get().body, first.body)
        self.assert_hit(self.get(), first)

    def test_another_response_takes_its_place(self):
        site = self.site(Answer(*STALE, ETAG))
        first = self.get()
        second = self.assert_forwarded(self.get(), "stale")
        self.assertNotEqual(first.body, second.body)
        self.assertEqual(site.asked(), 2)

    def test_no_cache_is_validated_every_time(self):
        site = self.site(lambda request: Answer(
            "Cache-Control: no-cache, max-age=600", ETAG,
            status="304 Not Modified" if request.get("if-none-match") else "200 OK"))
        first = self.get()
        for count in (2, 3):
            self.assertEqual(self.get().body, first.body)
            self.assertEqual(site.asked(), count)

    def test_the_client_has_it_already(self):
        site = self.site(Answer(FRESH, ETAG, f"Last-Modified: {MODIFIED}"))
        whole = self.get()
        for field in ('If-None-Match: "one"', 'If-None-Match: "zero", W/"one"',
                      "If-None-Match: *", f"If-Modified-Since: {MODIFIED}"):
            with self.subTest(field):
                answer = self.assert_hit(self.get("/", field))
                self.assertEqual((answer.status, answer.body, answer.get("etag")),
                                 (304, b"", '"one"'))
        for field in ('If-None-Match: "two"', "If-Modified-Since: Sat, 05 Nov 1994 08:49:37 GMT",
                      "If-Modified-Since: when the moon stands high"):
            with self.subTest(field):
                self.assertEqual(self.get("/", field).body, whole.body)
        both = self.get("/", 'If-None-Match: "two"', f"If-Modified-Since: {MODIFIED}")
        self.assertEqual(both.status, 200)      # the date does not count then (13.1.3)
        self.assertEqual(site.asked(), 1)

    def test_a_miss_does_not_ask_for_the_client_s_condition(self):
        seen = []

        def answer(request):
            seen.extend(n for n in request.names() if n.startswith("if-") or n == "range")
            return Answer(FRESH, ETAG)
        self.site(answer)
        self.assertEqual(self.get("/", 'If-None-Match: "one"').status, 304)
        self.assertEqual(self.get("/other", "Range: bytes=0-1").status, 206)
        self.assertEqual(seen, [])


class Ranges(CacheTest):
    """RFC 9110 section 14, from a stored whole."""

    def ask(self, *fields):
        return self.assert_hit(self.get("/", *fields))

    def setUp(self):
        self.site(Answer(FRESH, ETAG, body="0123456789"))
        self.whole = self.get().body

    def test_one(self):
        size = len(self.whole)
        for text, part in (("0-0", self.whole[:1]), ("2-4", self.whole[2:5]),
                           ("5-", self.whole[5:]), ("-3", self.whole[-3:]),
                           ("0-99999", self.whole), ("-99999", self.whole)):
            with self.subTest(text):
                answer = self.ask(f"Range: bytes={text}")
                self.assertEqual((answer.status, answer.body), (206, part))
                self.assertTrue(answer.get("content-range").endswith(f"/{size}"))

    def test_several(self):
        answer = self.ask("Range: bytes=0-1,4-5")
        self.assertEqual(answer.status, 206)
        self.assertIn("multipart/byteranges", answer.get("content-type"))
        self.assertIn(b"\r\n\r\n01\r\n", answer.body)
        self.assertIn(b"\r\n\r\n45\r\n", answer.body)

    def test_none_that_is_there(self):
        answer = self.ask("Range: bytes=5000-")
        self.assertEqual((answer.status, answer.get("content-range")),
                         (416, f"bytes */{len(self.whole)}"))

    def test_what_is_no_range_is_ignored(self):
        for text in ("bytes=5-2", "bytes=a-b", "bytes=", "lines=0-1", "bytes=1", "bytes 0-1",
                     "bytes=99999999999999999999999-", "bytes=--1"):
            with self.subTest(text):
                answer = self.ask(f"Range: {text}")
                self.assertIn(answer.status, (200, 416))
                if answer.status == 200:
                    self.assertEqual(answer.body, self.whole)

    def test_a_thousand_ranges_are_no_attack(self):
        answer = self.ask("Range: bytes=" + ",".join(f"{i}-" for i in range(1000)))
        self.assertLess(len(answer.body), 100 * len(self.whole))
        self.assertIn(answer.status, (200, 206, 416))

    def test_if_range(self):
        self.assertEqual(self.ask("Range: bytes=0-1", 'If-Range: "one"').status, 206)
        for other in ('"two"', 'W/"one"', MODIFIED):
            self.assertEqual(self.ask("Range: bytes=0-1", f"If-Range: {other}").body, self.whole)


class Invalidated(CacheTest):
    """Section 4.4."""

    def test_by_methods_that_change_something(self):
        for method in ("POST", "PUT", "DELETE", "PATCH", "UNKNOWN"):
            with self.subTest(method):
                self.site(Answer(FRESH))
                first = self.get()
                self.get("/other")
                self.assertEqual(self.get(method=method, body=b"x").status, 200)
                self.assertNotEqual(self.get().body, first.body)
                self.assert_hit(self.get("/other"))

    def split(self, answer, cached, other):
        """A route with a cache that differs from the other by `cached` and `other`."""
        site = Site(answer)
        self.edge_ = self.edge(self.origin(site.script), routes=[
            {"name": "read", "pools": ["main"], "cache": {"enabled": True}, **cached},
            {"name": "write", "pools": ["main"], **other}])

    def test_on_whichever_route_they_come(self):
        reads = {"methods": ["GET", "HEAD"]}
        for cached, other, target in (
                ({"match": reads}, {}, "/a/b?c"),
                ({"match": {"headers": {"X-Kind": "1"}}}, {}, "/a/b?c"),
                ({"match": {"path_prefix": "/a", **reads}, "rewrite": {"strip_prefix": "/a"}},
                 {"match": {"path_prefix": "/a"}, "rewrite": {"strip_prefix": "/a"}}, "/a/b?c"),
                ({"match": {"host": "site.test", **reads}, "cache": {
                    "enabled": True, "key": {"query": {"ignore": ["utm_*"]}}}},
                 {"rewrite": {"regex": "/a/(.*)", "to": "/z/\\1"}}, "/a/b?c&utm_id=3")):
            with self.subTest(str(cached)):
                self.split(lambda request: Answer(FRESH, status="200 OK" if request.body != b"no"
                                                  else "409 No"), cached, other)
                first = self.get(target, "X-Kind: 1")
                self.get("/a/bb?c", "X-Kind: 1")
                self.get(target, method="POST", body=b"no")
                self.assert_hit(self.get(target, "X-Kind: 1"), first)
                self.assertEqual(self.get(target, method="POST", body=b"x").status, 200)
                self.assertNotEqual(self.get(target, "X-Kind: 1").body, first.body)
                self.assert_hit(self.get("/a/bb?c", "X-Kind: 1"))

    def test_location_of_another_route(self):
        self.split(lambda request: Answer(FRESH, *(["Location: /made/1"] * (
            request.method == "POST"))), {"match": {"path_prefix": "/made"}}, {})
        made, other = self.get("/made/1"), self.get("/made/2")
        self.get("/make", method="POST", body=b"x")
        self.assertNotEqual(self.get("/made/1").body, made.body)
        self.assert_hit(self.get("/made/2"), other)

    def test_not_by_failures_and_safe_ones(self):
        self.site(lambda request: Answer(FRESH, status="200 OK" if request.method == "GET"
                                         else "400 No"))
        first = self.get()
        self.get(method="POST", body=b"x")
        self.get(method="OPTIONS")
        self.assert_hit(self.get(), first)

    def test_location_too_if_it_is_of_the_same_site(self):
        self.site(lambda request: Answer(
            FRESH, *(["Location: /made", "Content-Location: http://else.test/far"]
                     if request.method == "POST" else [])))
        made, far = self.get("/made"), self.get("/far", host="else.test")
        self.get("/", method="POST", body=b"x")
        self.assertNotEqual(self.get("/made").body, made.body)
        self.assert_hit(self.get("/far", host="else.test"), far)


if __name__ == "__main__":
    main()
