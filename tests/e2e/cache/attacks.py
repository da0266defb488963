"""Cache poisoning and cache deception, class by class: what one client sends is never another
one's answer, and no page of a user is kept because of how its address is spelled.
"""
from harness import main
from harness.cached import FRESH, Answer, CacheTest, Site

# Fields that some framework lets change the page, and that are in no key (Kettle 2018, 2020).
UNKEYED = {
    "X-Original-URL": "/evil", "X-Rewrite-URL": "/evil", "X-Host": "evil.test",
    "X-Forwarded-Server": "evil.test", "X-Forwarded-Host": "evil.test",
    "X-Forwarded-Scheme": "nothttps", "X-Forwarded-Port": "1", "X-Forwarded-Prefix": "/evil",
    "X-HTTP-Method-Override": "POST", "X-Method-Override": "POST", "X-HTTP-Method": "POST",
    "X-Forwarded-Proto": "nothttps", "Forwarded": "host=evil.test", "X-Real-IP": "6.6.6.6",
    "X-Forwarded-For": "6.6.6.6", "X-Scheme": "nothttps", "X-Script-Name": "/evil",
    "X-Original-Path": "/evil", "X-Override-URL": "/evil", "X-Matched-Path": "/evil",
    "X_Forwarded_Host": "evil.test", "X-Invoke-Query": "evil", "X-Now-Route-Matches": "1=evil",
    "X-Original-Forwarded-Host": "evil.test", "X-Forwarded-Authority": "evil.test",
    "X-Forward-Host": "evil.test", "X-Real-Host": "evil.test", "X-Request-URI": "/evil",
    "X-Forwarded-URL": "/evil",
}


def echo(request):
    """A page of everything that might be reflected."""
    fields = " ".join(f"{name}={value}" for name, value in request.fields)
    return Answer(FRESH, body=f"{request.method} {request.target} {fields} {request.body!r}")


class Poisoning(CacheTest):
    def test_fields_that_are_in_no_key_reach_no_origin(self):
        self.site(echo)
        for name, value in UNKEYED.items():
            with self.subTest(name):
                target = f"/{name}"
                self.get(target, f"{name}: {value}")
                seen = self.get(target)
                self.assertNotIn(b"evil", seen.body)
                self.assertNotIn(b"6.6.6.6", seen.body)
                self.assertNotIn(b"nothttps", seen.body)
                self.assertNotIn(b"Override=", seen.body)

    def test_what_is_in_the_key_is_passed(self):
        self.site(echo, key={"headers": ["X-Host"]})
        self.assert_apart(("/", "X-Host: a.test"), ("/", "X-Host: b.test"))
        self.assertIn(b"a.test", self.get("/", "X-Host: a.test").body)

    def test_what_connection_takes_away_is_in_no_key(self):
        self.site(echo, key={"headers": ["X-Tenant"]})
        bare = self.get("/", "X-Tenant: victim", "Connection: X-Tenant")
        self.assertNotIn(b"X-Tenant", bare.body)
        seen = self.get("/", "X-Tenant: victim")
        self.assertIn(b"X-Tenant=victim", seen.body)
        self.assert_hit(self.get("/"), bare)
        self.assert_hit(self.get("/", "Connection: close, x-tenant", "X-Tenant: other"), bare)

    def test_what_connection_takes_away_leads_to_no_route(self):
        site = Site(echo)
        edge = self.edge(self.origin(site.script), routes=[
            {"name": "beta", "match": {"headers": {"X-Beta": "1"}}, "pools": ["main"],
             "cache": {"enabled": True, "partition": "beta"}},
            {"name": "all", "pools": ["main"], "cache": {"enabled": True}}])
        self.fetch(edge, "/", "X-Beta: 1", "Connection: X-Beta")
        self.assertIn(b"X-Beta=1", self.fetch(edge, "/", "X-Beta: 1").body)
        self.assertNotIn(b"X-Beta", self.fetch(edge, "/").body)

    def test_a_get_with_a_body_is_not_the_page(self):
        site = self.site(echo)
        self.get("/fat", body=b"evil=1")
        self.assertNotIn(b"evil", self.get("/fat").body)
        self.assertIn(b"evil", self.get("/fat", body=b"evil=1").body)
        self.assertEqual(site.asked("/fat"), 3)

    def test_a_head_with_a_body_is_not_the_page(self):
        self.site(echo)
        self.get("/", method="HEAD", body=b"evil=1")
        self.assertNotIn(b"evil", self.get("/").body)

    def test_host_is_part_of_the_key(self):
        self.site(echo)
        self.assertIn(b"evil.test", self.get(host="evil.test").body)
        self.assertNotIn(b"evil", self.get().body)
        self.assertIn(b"evil.test:81", self.get(host="evil.test:81").body)
        self.assertNotIn(b"evil.test:81", self.get(host="evil.test").body)

    def test_spellings_of_a_host_are_one(self):
        site = self.site(Answer(FRESH))
        first = self.get(host="site.test")
        for spelled in ("SITE.test", "site.test:80", "Site.Test:80"):
            with self.subTest(spelled):
                self.assert_hit(self.get(host=spelled), first)
        self.assertEqual(site.asked(), 1)
        self.assertNotEqual(self.get(host="site.test:8080").body, first.body)

    def test_absolute_form_is_what_counts(self):
        self.site(echo)
        good = self.get("/page")
        poisoned = self.get("http://evil.test/page", host="site.test")
        self.assertNotEqual(poisoned.body, good.body)
        self.assertEqual(self.get("/page").body, good.body)
        self.assertEqual(self.get("http://site.test/page").body, good.body)

    def test_line_feeds_do_not_leave_a_part_of_the_key(self):
        self.site(echo)
        self.assert_apart(("/a%0Ahttp%0Asite.test",), ("/a",))
        self.assertEqual(self.get("/a", "X: 1\r\n 2").status, 400)

    def test_errors_are_not_kept_for_others(self):
        """CPDoS: a request that only the origin refuses must not take the page away."""
        def answer(request):
            if request.get("x-bad") or request.method != "GET":
                return Answer(status="400 Bad Request")
            return Answer(FRESH)
        self.site(answer, default_ttl="10m")
        self.assertEqual(self.get("/", "X-Bad: 1").status, 400)
        self.assertEqual(self.get("/").status, 200)

    def test_oversized_requests_are_not_kept_for_others(self):
        self.site(Answer(FRESH))
        self.assertEqual(self.get("/", "X-Big: " + "x" * 40_000).status, 431)
        self.assertEqual(self.get("/").status, 200)


class Cloaking(CacheTest):
    """One parser sees a parameter where the other sees none."""

    def setUp(self):
        self.site(lambda request: Answer(FRESH, body=request.target),
                  key={"query": {"ignore": ["utm_*", "fbclid"]}})

    def test_ignored_ones_neither_count_nor_are_told(self):
        first = self.get("/?a=1&utm_source=evil&b=2")
        self.assertNotIn(b"evil", first.body)
        for target in ("/?a=1&b=2", "/?a=1&b=2&utm_medium=x", "/?fbclid=9&a=1&b=2"):
            self.assert_hit(self.get(target), first)

    def test_a_semicolon_separates_nothing(self):
        """Ruby on Rails took `utm_content=1;a=evil` for two parameters."""
        self.get("/?a=good&utm_content=1;a=evil")
        self.assertNotIn(b"evil", self.get("/?a=good").body)
        self.assert_apart(("/?a=1;utm_source=2",), ("/?a=1",))

    def test_encoded_names_are_what_they_say(self):
        self.assertNotIn(b"evil", self.get("/?a=1&%75tm_source=evil").body)
        self.assertNotIn(b"evil", self.get("/?a=1").body)
        self.assert_apart(("/?utm%5Fx=1&a=2",), ("/?xutm_x=1&a=2",))

    def test_encoded_separators_are_none(self):
        self.assert_apart(("/?a=1%26utm_source=2",), ("/?a=1",))
        self.assert_apart(("/?a%3D1",), ("/?a=1",))

    def test_a_name_that_only_begins_alike_counts(self):
        self.assert_apart(("/?fbclidx=1",), ("/",))
        self.assert_apart(("/?a=utm_source=1",), ("/?a=",))
        self.assert_apart(("/?utm=1",), ("/",))

    def test_case_and_order_count(self):
        self.assert_apart(("/?A=1",), ("/?a=1",))
        self.assert_apart(("/?a=1&b=2",), ("/?b=2&a=1",))
        self.assert_apart(("/?",), ("/?a",))

    def test_nothing_left_of_the_query(self):
        first = self.get("/x?utm_source=1")
        self.assertIn(first.body.split()[0], (b"/x", b"/x?"))

    def test_a_second_value_is_not_hidden_by_an_ignored_one(self):
        self.assertIn(b"a=evil", self.get("/?a=1&utm_x=&a=evil").body)
        self.assertNotIn(b"evil", self.get("/?a=1&utm_x=").body)


class Deception(CacheTest):
    """A user is led to an address at which his own page is kept for everybody."""

    def account(self, request):
        """As a framework that ignores what follows its route."""
        return Answer("Content-Type: text/html", body=f"secret of {request.get('cookie')}")

    def test_a_page_that_looks_like_a_file(self):
        self.site(self.account, default_ttl="10m")
        for target in ("/account/x.css", "/account;x.css", "/account%2Fx.css", "/account/..%2fx.js",
                       "/account%3Fx.png", "/account%23x.ico", "/static/..%2faccount"):
            with self.subTest(target):
                answer = self.get(target, "Cookie: victim")
                self.assertIn(answer.status, (200, 400))
                self.assertNotIn(b"victim", self.get(target).body)

    def test_paths_that_lead_elsewhere_have_the_key_of_where_they_lead(self):
        site = self.site(lambda request: Answer(FRESH, body=request.target))
        first = self.get("/static/../account")
        self.assertIn(b"/account", first.body)
        self.assert_hit(self.get("/account"), first)
        self.assertEqual(site.asked("/account"), 1)
        for odd in ("/static/%2e%2e/account", "/static/.%2E/account", "/./account"):
            with self.subTest(odd):
                self.assertEqual(self.get(odd).body, first.body)

    def test_encoded_slashes_are_not_slashes(self):
        self.site(lambda request: Answer(FRESH, body=request.target))
        self.assert_apart(("/a%2Fb",), ("/a/b",))
        self.assert_apart(("/a/b",), ("/a//b",))
        self.assert_apart(("/a;b",), ("/a",))

    def test_private_pages_at_any_address(self):
        self.site(lambda request: Answer("Cache-Control: private, max-age=600",
                                         body=f"secret of {request.get('cookie')}"))
        self.get("/account.css", "Cookie: victim")
        self.assertNotIn(b"victim", self.get("/account.css").body)

    def test_who_is_authorized_is_not_kept(self):
        self.site(lambda request: Answer(FRESH, body=request.get("authorization", "nobody")))
        self.get("/api/me.json", "Authorization: Bearer victim")
        self.assertNotIn(b"victim", self.get("/api/me.json").body)


class Routes(CacheTest):
    def two(self, **second):
        """Two routes by a header, to different origins."""
        sites = [self.origin(script) for script in (
            self.page("first"), self.page("second"))]
        self.edge_ = self.edge(
            pools={"one": {"endpoints": [sites[0].address]},
                   "two": {"endpoints": [sites[1].address]}},
            routes=[{"name": "one", "pools": ["one"], "match": {"headers": {"X-Beta": "1"}},
                     "cache": {"enabled": True}},
                    {"name": "two", "pools": ["two"], "cache": {"enabled": True, **second}}])

    @staticmethod
    def page(word):
        def script(conn):
            while True:
                conn.request()
                conn.answer(word.encode(), "200 OK", FRESH)
        return script

    def test_two_routes_never_share_an_object(self):
        self.two()
        for _ in range(2):
            self.assertEqual(self.get("/", "X-Beta: 1").body, b"first")
            self.assertEqual(self.get("/").body, b"second")

    def test_a_partition_cannot_be_named_from_outside(self):
        self.two()
        self.get("/", "X-Beta: 1")
        for field in ("X-Partition: one", "Cache-Key: one", "Surrogate-Key: one"):
            self.assertEqual(self.get("/", field).body, b"second")

    def test_chosen_headers_and_cookies_are_kept_apart(self):
        self.site(echo, key={"headers": ["X-A", "X-B"], "cookies": ["a", "b"]})
        self.assert_apart(("/1", "X-A: 1"), ("/1", "X-B: 1"))
        self.assert_apart(("/2", "X-A: 1\tx-b: 2"), ("/2", "X-A: 1", "X-B: 2"))
        self.assert_apart(("/3", "X-A: "), ("/3", "X-A: x"))
        self.assert_apart(("/4", "Cookie: a=1"), ("/4", "Cookie: b=1"))
        self.assert_apart(("/5", "Cookie: a=1; b=2"), ("/5", "Cookie: a=1"))

    def test_a_chosen_cookie_counts_however_it_is_spelled(self):
        """Frameworks trim names, fold their case, or take a comma for the end of a cookie."""
        self.site(echo, key={"cookies": ["currency"]})
        for i, cookie in enumerate(("currency =eur", "currency\t=eur", "CURRENCY=eur",
                                    "x=1, currency=eur", "x=1;currency=eur")):
            self.assert_apart((f"/{i}", f"Cookie: {cookie}"), (f"/{i}",))


class TrustedPeers(CacheTest):
    """Behind a load balancer that is believed, what it says of the request counts."""

    def test_the_scheme_that_the_origin_is_told(self):
        def answer(request):
            if request.get("x-forwarded-proto") == "https":
                return Answer(FRESH, body="the page")
            return Answer(FRESH, "Location: https://site.test/", status="301 Moved")
        site = self.site(answer)
        config = self.edge_.config
        config["trusted_proxies"] = ["127.0.0.1/32"]
        self.edge_.write(config)
        self.assertEqual(self.edge_.reload()[0], 200)
        for _ in range(2):
            self.assertEqual(self.get("/", "X-Forwarded-Proto: http").status, 301)
            self.assertEqual(self.get("/", "X-Forwarded-Proto: https").status, 200)
        self.assertEqual(site.asked(), 2)

    def test_the_host_that_the_origin_is_told(self):
        self.site(echo)
        config = self.edge_.config
        config["trusted_proxies"] = ["127.0.0.1/32"]
        self.edge_.write(config)
        self.assertEqual(self.edge_.reload()[0], 200)
        self.assert_apart(("/", "X-Forwarded-Host: a.test"), ("/", "X-Forwarded-Host: b.test"))
        self.assert_apart(("/", "X-Forwarded-Host: a.test"), ("/",))
        # What the key takes for the same thing, the origin is told as the same thing.
        for fields in (["X-Forwarded-Host: SITE.test:80"], ["X-Forwarded-Host: "],
                       ["X-Forwarded-Proto: HTTP"]):
            with self.subTest(fields):
                target = f"/{fields[0][-3:].strip()}"
                page = self.get(target, *fields)
                self.assertIn(b"X-Forwarded-Host=site.test ", page.body)
                self.assertIn(b"X-Forwarded-Proto=http ", page.body)
                self.assert_hit(self.get(target), page)


if __name__ == "__main__":
    main()
