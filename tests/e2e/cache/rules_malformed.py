"""Nonsense from both sides: a right answer or a plain pass, the process stays up, nothing wrong is
stored.
"""
from harness import main
from harness.cached import FRESH, Answer, CacheTest
from harness.origin import raw

MODIFIED = "Sun, 06 Nov 1994 08:49:37 GMT"


class Directives(CacheTest):
    def test_what_contradicts_itself_is_not_kept(self):
        answers = {
            "/both": ["Cache-Control: no-store, max-age=600, public"],
            "/two-lines": ["Cache-Control: max-age=600", "Cache-Control: no-store"],
            "/words": ["Cache-Control: max-age=soon"],
            "/negative": ["Cache-Control: max-age=-600"],
            "/fraction": ["Cache-Control: max-age=1.5"],
            "/empty": ["Cache-Control: max-age="],
            "/no-value": ["Cache-Control: max-age"],
            "/hidden": ["Cache-Control: x=\"a, max-age=600\""],
            "/dashed": ["Cache-Control: x-max-age=600"],
            "/s-maxage-word": ["Cache-Control: max-age=600, s-maxage=soon"],
            "/date": ["Expires: tomorrow"],
            "/date-31": ["Date: Sun, 06 Nov 1994 08:49:37 GMT",
                         "Expires: Wed, 31 Feb 2094 08:49:37 GMT"],
            "/zone": ["Expires: Sun, 06 Nov 2094 08:49:37 CET"],
        }
        self.site(lambda request: Answer(*answers[request.target]))
        for target in answers:
            with self.subTest(target):
                self.assert_never_stored(target, count=2)

    def test_what_is_no_list_of_directives_is_not_kept(self):
        """Some of them are meant to forbid it; then no default_ttl makes up for that either."""
        for value in ("no-cache; no-store; must-revalidate", "private; max-age=600", "no store",
                      "private max-age=600", '"private"', "public no-store, max-age=600",
                      'private=",", max-age=600', 'x="a" no-store, max-age=600'):
            with self.subTest(value):
                self.site(Answer(f"Cache-Control: {value}"), default_ttl="10m")
                self.assert_never_stored("/", count=2)

    def test_the_shorter_of_two_counts(self):
        self.site(Answer("Cache-Control: max-age=600, max-age=0"))
        self.assert_never_stored("/", count=2)

    def test_unknown_and_odd_ones_do_no_harm(self):
        answers = {
            "/unknown": ["Cache-Control: max-age=600, community=\"UCI\", x"],
            "/commas": ["Cache-Control: ,,, max-age=600,,"],
            "/upper": ["Cache-Control: MAX-AGE=600, Public"],
            "/huge": ["Cache-Control: max-age=99999999999999999999999999"],
            "/zeros": ["Cache-Control: max-age=0000000000000000000600"],
            "/many": ["Cache-Control: max-age=600", *["Cache-Control: x"] * 50],
        }
        self.site(lambda request: Answer(*answers[request.target]))
        for target in answers:
            with self.subTest(target):
                self.assert_shared((target,), (target,))

    def test_an_open_quote_is_no_way_around_no_store(self):
        self.site(Answer("Cache-Control: max-age=600, x=\"", "Cache-Control: no-store"))
        self.assert_never_stored("/", count=2)

    def test_in_requests(self):
        site = self.site(Answer(FRESH))
        self.get()
        for value in ("max-age=soon", "max-stale=x", "min-fresh=", "x=\"", ",", "=", "\"",
                      "max-age=99999999999999999999999", "only-if-cached=1"):
            with self.subTest(value):
                self.assertEqual(self.get("/", f"Cache-Control: {value}").status, 200)
        self.assertGreaterEqual(site.asked(), 1)


class Ages(CacheTest):
    def test_absurd_ones(self):
        answers = {
            "/old": ["Age: 99999999999999999999999"],
            "/just-over": ["Age: 601"],
            "/first-counts": ["Age: 7200, 0"],
        }
        self.site(lambda request: Answer(FRESH, *answers[request.target]))
        for target in answers:
            with self.subTest(target):
                self.assert_never_stored(target, count=2)

    def test_those_that_are_none_do_not_count(self):
        self.site(lambda request: Answer(FRESH, f"Age: {request.target[1:]}"))
        for word in ("-5", "x", "1.5"):
            with self.subTest(word):
                first, second = self.get(f"/{word}"), self.get(f"/{word}")
                if "hit" in self.status_of(second):
                    self.assertEqual(first.body, second.body)
                    self.assertRegex(second.get("age"), r"\A\d{1,3}\Z")

    def test_a_date_of_another_century(self):
        self.site(lambda request: Answer(FRESH, f"Date: {MODIFIED}"))
        self.assert_never_stored("/", count=2)      # thirty years old, fresh for ten minutes
        self.site(lambda request: Answer(FRESH, "Date: Sun, 06 Nov 2094 08:49:37 GMT"))
        self.assertEqual(self.get().status, 200)
        self.assertEqual(self.get().status, 200)


class Floods(CacheTest):
    def test_vary_with_thousands_of_names(self):
        names = ", ".join(f"X-{i}" for i in range(2000))
        site = self.site(Answer(FRESH, f"Vary: {names}"))
        for _ in range(2):
            self.assertIn(self.get().status, (200, 502))
        self.assertGreaterEqual(site.asked(), 2)
        self.assertEqual(self.edge_.process.poll(), None)

    def test_vary_of_100_kib(self):
        names = ", ".join(f"X-Some-Long-Name-{i:05}" for i in range(4500))
        self.site(Answer(FRESH, f"Vary: {names}"))
        for _ in range(2):
            self.assertIn(self.get().status, (200, 502))
        self.assertEqual(self.edge_.process.poll(), None)

    def test_as_many_fields_as_are_let_in(self):
        self.site(Answer(FRESH, *[f"X-Field-{i}: {'v' * 200}" for i in range(80)]))
        first, second = self.get(), self.get()
        self.assertEqual((first.status, second.status), (200, 200))
        if "hit" in self.status_of(second):
            self.assertEqual([second.get(f"x-field-{i}") for i in range(80)], ["v" * 200] * 80)

    def test_more_fields_than_are_let_in(self):
        self.site(Answer(FRESH, *[f"X-Field-{i}: v" for i in range(5000)]))
        self.assertEqual({self.get().status for _ in range(2)}, {502})

    def test_tags_by_the_thousand(self):
        tags = " ".join(f"tag-{i}" for i in range(3000))
        self.site(Answer(FRESH, f"Surrogate-Key: {tags}"))
        self.assertEqual([self.get().status for _ in range(2)], [200, 200])

    def test_variants_without_end(self):
        self.site(lambda request: Answer(FRESH, "Vary: X-Kind", body=request.get("x-kind")))
        for i in range(300):
            self.assertIn(f"kind-{i} ".encode(), self.get("/", f"X-Kind: kind-{i}").body + b" ")
        self.assertIn(b"kind-299 ", self.get("/", "X-Kind: kind-299").body)

    def test_keys_longer_than_any(self):
        self.site(lambda request: Answer(FRESH))
        long = "/?" + "x" * 7000
        self.assertEqual([self.get(long).status for _ in range(2)], [200, 200])


class Liars(CacheTest):
    """Origins whose bodies are not as long as they say."""

    def lies(self, data):
        origin = self.origin(raw(data, "close"))
        self.edge_ = self.edge(origin, routes=[{
            "name": "all", "pools": ["main"], "cache": {"enabled": True}}])
        return origin

    def ends_badly(self):
        """True if the client is told: by an error, or by an answer that is cut short."""
        data = self.client(self.edge_).get().rest()
        return b" 502 " in data.split(b"\r\n", 1)[0] or (
            data.count(b"x") < 100 and not data.endswith(b"0\r\n\r\n"))

    def test_too_short_is_told_and_never_stored(self):
        for head in (b"Content-Length: 100\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n64\r\n"):
            with self.subTest(head):
                origin = self.lies(b"HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\n" + head
                                   + b"x" * 50)
                for count in (1, 2):
                    self.assertTrue(self.ends_badly())
                    self.assertGreaterEqual(len(origin.requests()), count)

    def test_what_follows_the_body_is_nobody_s_answer(self):
        origin = self.lies(b"HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\n"
                           b"Content-Length: 4\r\n\r\ngood"
                           b"HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\n"
                           b"Content-Length: 4\r\n\r\nevil")
        for target in ("/", "/other", "/"):
            self.assertEqual(self.get(target).body, b"good")
        self.assertEqual({r.target for r in origin.requests()}, {"/", "/other"})

    def test_two_lengths_are_refused_and_not_stored(self):
        origin = self.lies(b"HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: 4\r\n"
                           b"Content-Length: 5\r\n\r\ngoods")
        self.assertEqual([self.get().status for _ in range(2)], [502, 502])
        self.assertGreaterEqual(len(origin.requests()), 2)

    def test_a_body_that_ends_with_the_connection_may_be_kept_whole(self):
        self.lies(b"HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\n\r\neverything")
        self.assertEqual([self.get().body for _ in range(2)], [b"everything"] * 2)

    def test_a_304_that_nobody_asked_for(self):
        self.lies(b"HTTP/1.1 304 Not Modified\r\nCache-Control: max-age=600\r\n\r\n")
        self.assertIn(self.get().status, (304, 502))
        self.assertIn(self.get().status, (304, 502))

    def test_a_whole_that_says_it_is_a_part_is_cut_as_the_whole_that_it_is(self):
        self.site(Answer(FRESH, "Content-Range: bytes 0-3/10", body="0123456789"))
        self.get()
        for wanted in ("bytes=1-2", "bytes=1-2,5-6"):
            part = self.assert_hit(self.get("/", f"Range: {wanted}"))
            self.assertEqual(part.status, 206)
            self.assertNotIn("bytes 0-3/10", part.all("content-range"))
        self.assertEqual(self.get("/", "Range: bytes=1-2").body, b"12")

    def test_a_part_that_nobody_asked_for_is_not_the_whole(self):
        origin = self.lies(b"HTTP/1.1 206 Partial Content\r\nCache-Control: max-age=600\r\n"
                           b"Content-Range: bytes 0-3/9\r\nContent-Length: 4\r\n\r\npart")
        for _ in range(2):
            self.assertNotEqual(self.get().status, 200)
        self.assertGreaterEqual(len(origin.requests()), 2)


if __name__ == "__main__":
    main()
