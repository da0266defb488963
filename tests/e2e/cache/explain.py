"""explain: what a URL would get and why, from the running process, from the file alone, and in the
answer for a trusted client; what it says is what happens."""
from harness import main
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

    def test_an_estimate_that_is_not_for_this_request(self):
        edge = self.cached_edge(ok, {"default_ttl": "10m"}, trusted_proxies=["127.0.0.0/8"])
        self.fetch(edge, "/a")
        answer = self.fetch(edge, "/a", "X-Scrollgate-Explain: 1", "Cookie: user=1")
        self.assertIn("fwd=bypass; detail=cookie", answer.get("cache-status"))
        self.assertIn(f"answer {answer.get('cache-status')}: the request had a cookie, and the "
                      "response gave no lifetime", answer.all("x-scrollgate-explain"))

    def test_others_are_not(self):
        edge = self.cached_edge(counting())
        answer = self.fetch(edge, "/a", "X-Scrollgate-Explain: 1")
        self.assertEqual(answer.all("x-scrollgate-explain"), [])


if __name__ == "__main__":
    main()
