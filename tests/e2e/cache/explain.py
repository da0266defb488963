"""explain: what a URL would get and why, from the running process, from the file alone, and in the
answer for a trusted client; what it says is what happens."""
from harness import main
from harness.cached import FRESH, Answer, Site
from harness.origin import ok
from harness.process import run_command
from harness.stored import StoredTest, counting


class Explain(StoredTest):
    def explained(self, edge, url):
        code, facts = self.call(edge, "GET", "/explain?url=" + url)
        self.assertEqual(code, 200, facts)
        return facts

    def test_it_agrees_with_cache_status(self):
        edge = self.cached_edge(counting())
        facts = self.explained(edge, "http://site.test/a")
        self.assertEqual(facts["answer"],
                         "from the origin (fwd=miss): nothing is stored for this key")
        self.assert_miss(self.fetch(edge, "/a"))
        facts = self.explained(edge, "site.test/a")
        self.assertIn("from the cache (hit; ttl=", facts["answer"])
        self.assertIn("lifetime 600 s - age ", facts["freshness"])
        self.assertIn("status 200, 4 bytes", facts["stored"])
        self.assert_hit(self.fetch(edge, "/a"))
        self.assertEqual(edge.status()["cache"]["misses"], 1)     # explaining is no use of it

    def test_it_agrees_whatever_the_request_says(self):
        def answer(request):
            if request.target == "/by-scheme":
                return Answer(FRESH, "Vary: X-Forwarded-Proto")
            return Answer(*(() if request.target == "/said-nothing" else (FRESH,)))
        edge = self.cached_edge(Site(answer).script,
                                {"default_ttl": "60s", "entries": True,
                                 "key": {"headers": ["X-Site"]}})
        for target in ("/a", "/said-nothing", "/by-scheme"):
            self.fetch(edge, target)
        self.command(edge, "cache", "set", "http://site.test/hand", "--value", "v", "--ttl", "1h")
        for target, *fields in (
                ("/a",), ("/said-nothing",), ("/said-nothing", "Cookie: a=1"),
                ("/said-nothing", "Authorization: b"), ("/hand", "Cache-Control: no-cache"),
                ("/hand", "Cache-Control: min-fresh=9999"), ("/by-scheme",),
                ("/a", 'If-Match: "x"'), ("/a", "If-Unmodified-Since: x"),
                ("/none", "Cache-Control: only-if-cached"),
                ("/a", "Connection: upgrade", "Upgrade: other"), ("/a", "X-Site: one"),
                ("/a", "Connection: X-Site", "X-Site: one")):
            with self.subTest(target, fields=fields):
                asked = [part for field in fields for part in ("-H", field)]
                _, out, _ = self.command(edge, "explain", "http://site.test" + target, *asked)
                answer = self.fetch(edge, target, *fields)
                self.assertEqual("from the cache (hit" in out,
                                 "; hit" in (answer.get("cache-status") or ""), out)
                self.assertEqual("status 504" in out, answer.status == 504)

    def test_route_key_rule_and_pools(self):
        edge = self.cached_edge(
            counting(), {"default_ttl": "1m", "key": {"query": {"ignore": ["utm_*"]},
                                                      "headers": ["X-Currency"]}},
            {"match": {"path_prefix": "/metadata"}, "rewrite": {"strip_prefix": "/metadata"}})
        facts = self.explained(edge, "http://site.test/metadata/1%3Fx%26utm_id=3")
        self.assertIn("all (routes[0]): it asks for path_prefix /metadata", facts["route"])
        facts = self.explained(edge, "http%3A%2F%2Fsite.test%2Fmetadata%2F1%3Fv%3D2%26utm_id%3D3")
        self.assertEqual(facts["forwarded"], "/1?v=2")
        self.assertIn("partition all, http, site.test, /1?v=2", facts["key"])
        self.assertIn("the headers x-currency count", facts["key"])
        self.assertIn("default_ttl 60s", facts["rule"])
        self.assertIn("main (weight 1) in", facts["pools"])
        self.assertIn("none", self.explained(edge, "http://site.test/elsewhere")["route"])
        code, answer = self.call(edge, "GET", "/explain?url=ftp://x/")
        self.assertEqual((code, answer["error"]), (400, "bad_url"))
        code, answer = self.call(edge, "GET", "/explain?url=/a")
        self.assertEqual(code, 400)
        self.assertIn("the host is missing", answer["message"])

    def test_the_command_asks_the_process_and_else_reads_the_file(self):
        edge = self.cached_edge(counting())
        self.fetch(edge, "/a")
        code, out, errors = self.command(edge, "explain", "http://site.test/a")
        self.assertEqual((code, errors), (0, ""))
        self.assertIn("answer     from the cache (hit; ttl=", out)
        self.assertIn("seen from  the running scrollgate at 127.0.0.1:", out)
        edge.stop()
        code, out, errors = self.command(edge, "explain", "http://site.test/a")
        self.assertEqual((code, errors), (0, ""))
        self.assertIn("key        partition all, http, site.test, /a", out)
        self.assertIn("alone: no running scrollgate was reached", out)
        self.assertNotIn("stored ", out)
        code, out, errors = self.command(edge, "explain", "ftp://site.test/a")
        self.assertEqual((code, out), (1, ""))
        self.assertIn("http or https", errors)
        self.assertEqual(run_command("explain", "-c", "/nowhere", "site.test/").returncode, 1)

    def test_a_trusted_client_is_told_with_the_answer(self):
        edge = self.cached_edge(counting(), trusted_proxies=["127.0.0.0/8"])
        ask = "X-Scrollgate-Explain: 1"
        answer = self.fetch(edge, "/a", ask)
        told = answer.all("x-scrollgate-explain")
        self.assertIn("route all", told)
        self.assertIn("key partition all, http, site.test, /a", told)
        self.assertTrue(told[-1].startswith("answer scrollgate; fwd=miss; stored"), told)
        told = self.fetch(edge, "/a", ask).all("x-scrollgate-explain")
        self.assertTrue(any(line.startswith("freshness lifetime 600 s - age ") for line in told))
        self.assertTrue(told[-1].startswith("answer scrollgate; hit; ttl="), told)
        self.assertEqual(self.fetch(edge, "/a").all("x-scrollgate-explain"), [])

    def test_the_wish_and_its_answer_end_at_this_hop(self):
        """No origin hears of it, and none can answer it in the proxy's place, stored or not."""
        origin = self.origin(counting("X-Scrollgate-Explain: answer forged"))
        cached = {"name": "all", "pools": ["main"], "cache": {"enabled": True}}
        edge = self.edge(origin, trusted_proxies=["127.0.0.0/8"], routes=[
            {"name": "bare", "match": {"path_prefix": "/bare"}, "pools": ["main"]}, cached])
        ask = "X-Scrollgate-Explain: 1"
        for target, route in (("/bare", "bare"), ("/a", "all"), ("/a", "all")):
            told = self.fetch(edge, target, ask).all("x-scrollgate-explain")
            self.assertEqual((told[0], "answer forged" in told), ("route " + route, False), told)
            self.assertEqual(self.fetch(edge, target).all("x-scrollgate-explain"), [])
        for request in origin.requests():
            self.assertEqual(request.all("x-scrollgate-explain"), [])

    def test_an_estimate_that_is_not_for_this_request(self):
        edge = self.cached_edge(ok, {"default_ttl": "10m"}, trusted_proxies=["127.0.0.0/8"])
        self.fetch(edge, "/a")
        answer = self.fetch(edge, "/a", "X-Scrollgate-Explain: 1", "Cookie: user=1")
        self.assertIn("fwd=bypass; detail=cookie", answer.get("cache-status"))
        self.assertIn(f"answer {answer.get('cache-status')}: the request had a cookie, and the "
                      "response gave no lifetime", answer.all("x-scrollgate-explain"))

    def lines(self, answer):
        """What X-Scrollgate-Explain says: the first word of each line and the rest of it."""
        return dict(line.split(" ", 1) for line in answer.all("x-scrollgate-explain"))

    def test_vary_is_named_with_its_values(self):
        edge = self.cached_edge(counting("Vary: Accept-Encoding, X-Kind"),
                                trusted_proxies=["127.0.0.0/8"])
        self.fetch(edge, "/a", "Accept-Encoding: gzip, br;q=0.9", "X-Kind: full")
        facts = self.explained(edge, "http://site.test/a")
        self.assertIn("fwd=vary-miss", facts["answer"])
        self.assertEqual(facts["vary"], "this request has accept-encoding (absent); x-kind (absent)"
                         "; stored for accept-encoding: br, gzip; x-kind: full")
        told = self.lines(
            self.fetch(edge, "/a", "Accept-Encoding: gzip", "X-Scrollgate-Explain: 1"))
        self.assertIn("this request has accept-encoding: gzip; x-kind (absent)", told["vary"])
        self.assertIn("stored for ", told["vary"])
        self.assertIn("fwd=vary-miss", told["answer"])

    def test_what_only_the_client_can_tell(self):
        edge = self.cached_edge(counting("Vary: Host, X-Forwarded-For"))
        self.fetch(edge, "/a")
        self.assert_hit(self.fetch(edge, "/a"))
        facts = self.explained(edge, "http://site.test/a")
        self.assertIn("depends on the client's address", facts["answer"])
        self.assertIn("x-forwarded-for: 127.0.0.1", facts["vary"])
        self.assertNotIn("host", facts["vary"].replace("forwarded-host", ""))

    def test_it_can_be_asked_with_the_headers_of_a_request(self):
        edge = self.cached_edge(counting("Vary: Accept-Encoding"), {"key": {"headers": ["X-Site"]}})
        browser = ("Accept-Encoding: gzip, deflate, br", "X-Site: one")
        self.fetch(edge, "/a", *browser)
        _, out, _ = self.command(edge, "explain", "http://site.test/a")
        self.assertIn("from the origin (fwd=miss)", out)
        _, out, _ = self.command(edge, "explain", "-H", browser[0], "--header", browser[1],
                                 "http://site.test/a")
        self.assertIn("from the cache (hit; ttl=", out)
        self.assertIn("x-site: one", out)
        self.assertIn("vary       accept-encoding: br, gzip", out)
        _, out, _ = self.command(edge, "explain", "http://site.test/a", "-H", browser[0],
                                 "-H", browser[1], "-H", "Cache-Control: no-cache")
        self.assertIn("from the origin (fwd=request)", out)
        for wrong in ("nothing", "Host: other.test", "X-A: 1\r\nX-B: 2"):
            code, out, errors = self.command(edge, "explain", "site.test/a", "-H", wrong)
            self.assertEqual((code, out), (1, ""))
            self.assertTrue(errors.startswith("scrollgate: "), errors)
        for query in ("&header=nothing", "&header=" + "a" * 20000, "&header=a%0d%0ab:%20c",
                      "&header=a:b" * 65, "&headers=a:b", "&url=site.test/"):
            code, _ = self.call(edge, "GET", "/explain?url=site.test/a" + query)
            self.assertIn(code, (400, 414, 431), query[:40])
        edge.stop()
        code, out, _ = self.command(edge, "explain", "-H", "X-Site: two", "http://site.test/a")
        self.assertEqual(code, 0)
        self.assertIn("x-site: two", out)

    def test_a_miss_tells_what_was_there_and_what_has_come(self):
        age = ["Age: 700"]

        def script(conn):
            while True:
                conn.request()
                conn.answer(b"x", "200 OK", "Cache-Control: max-age=600", 'ETag: "1"', *age)
                age.clear()
        edge = self.cached_edge(script, trusted_proxies=["127.0.0.0/8"])
        ask = "X-Scrollgate-Explain: 1"
        told = self.lines(self.fetch(edge, "/a", ask))
        self.assertNotIn("before", told)
        self.assertIn("stale for 100 s", told["freshness"])
        told = self.lines(self.fetch(edge, "/a", ask))
        self.assertIn("fwd=stale", told["answer"])
        self.assertRegex(told["before"], r"^lifetime 600 s - age 70\d s = stale for 10\d s$")
        self.assertEqual(told["freshness"].split(";")[0],
                         "lifetime 600 s - age 0 s = fresh for 600 s more")
        told = self.lines(self.fetch(edge, "/a", ask, "Cache-Control: no-cache"))
        self.assertIn("fwd=request", told["answer"])
        self.assertRegex(told["before"], r"^lifetime 600 s - age \d s = fresh for \d+ s more$")

    def test_own_answers_and_routes_without_a_cache_are_explained_too(self):
        edge = self.edge(self.origin(counting()), trusted_proxies=["127.0.0.0/8"], routes=[
            {"name": "bare", "match": {"path_prefix": "/bare"}, "pools": ["main"]},
            {"name": "away", "match": {"path_prefix": "/away"},
             "redirect": {"to": "https://site.test/"}},
            {"name": "all", "match": {"path_prefix": "/all"}, "pools": ["main"],
             "cache": {"enabled": True}}])
        ask = "X-Scrollgate-Explain: 1"
        self.assertEqual(self.lines(self.fetch(edge, "/bare", ask)),
                         {"route": "bare", "answer": "from the origin: the route has no cache"})
        told = self.lines(self.fetch(edge, "/away", ask))
        self.assertEqual(told["route"], "away")
        self.assertRegex(told["answer"], r"^30\d by itself: redirect$")
        told = self.lines(self.fetch(edge, "/all", ask, "Cache-Control: only-if-cached"))
        self.assertEqual(told["key"], "partition all, http, site.test, /all")
        self.assertRegex(told["answer"], r"^504 by itself: [a-z_]+; the cache: nothing is stored")
        self.assertEqual(self.lines(self.fetch(edge, "/none", ask)),
                         {"route": "none", "answer": "404 by itself: no_route"})
        for target in ("/bare", "/away", "/none"):
            self.assertEqual(self.fetch(edge, target).all("x-scrollgate-explain"), [])

    def test_others_are_not(self):
        edge = self.cached_edge(counting())
        answer = self.fetch(edge, "/a", "X-Scrollgate-Explain: 1")
        self.assertEqual(answer.all("x-scrollgate-explain"), [])


if __name__ == "__main__":
    main()
