"""The cache behind TLS: what is one connection's is neither stored nor asked for on its account."""
from harness import free_port, main
from harness.cached import FRESH, Answer, Site
from harness.tls import TlsTest

HSTS = "strict-transport-security"
SUBJECT = "x-client-cert-subject"


class CachedTlsTest(TlsTest):
    def site(self, *fields, route=None, tls=(), **cache):
        """An edge with a cache, a listener over TLS and a plain one, for site.test; the origin
        answers with `fields`. Sets self.edge_, self.plain, self.origin_."""
        self.origin_ = self.origin(Site(lambda _request: Answer(FRESH, *fields)).script)
        plain = {"name": "plain", "address": f"127.0.0.1:{free_port()}"}
        self.plain = int(plain["address"].rpartition(":")[2])
        self.edge_ = self.edge(self.origin_, listeners=[self.listener(tls=tls), plain], routes=[
            {"name": "all", "pools": ["main"], "cache": {"enabled": True, **cache},
             **(route or {})}])

    def get(self, *fields, context=None, target="/"):
        return self.tls_client(self.edge_, context).get(target, "site.test", *fields).final()

    def told(self):
        """The subjects that the origin was told, in order."""
        return [request.get(SUBJECT) for request in self.origin_.requests()]


class Hsts(CachedTlsTest):
    ROUTE = {"hsts": {"max_age": "30d"}}

    @staticmethod
    def values(response):
        return response.all(HSTS)

    def test_it_is_the_routes_on_misses_and_hits_and_only_over_tls(self):
        self.site(route=self.ROUTE)
        miss, hit = self.get(), self.get()
        self.assertEqual(miss.body, hit.body)
        self.assertIn("hit", hit.get("cache-status"))
        self.assertEqual([self.values(miss), self.values(hit)], [["max-age=2592000"]] * 2)
        part = self.get("Range: bytes=0-1")
        self.assertEqual((part.status, self.values(part)), (206, ["max-age=2592000"]))
        self.assertEqual(self.values(self.fetch(self.plain)), [])

    def test_an_origins_own_is_replaced_on_misses_and_hits(self):
        self.site("Strict-Transport-Security: max-age=1", route=self.ROUTE)
        for _ in range(2):
            self.assertEqual(self.values(self.get()), ["max-age=2592000"])
        self.assertEqual(len(self.origin_.requests()), 1)

    def test_an_origins_own_is_stored_where_the_route_has_none(self):
        self.site("Strict-Transport-Security: max-age=1")
        for _ in range(2):
            self.assertEqual(self.values(self.get()), ["max-age=1"])
        self.assertEqual(len(self.origin_.requests()), 1)


class Keys(CachedTlsTest):
    def test_http_and_https_are_told_apart(self):
        self.site()
        secure, plain = self.get(), self.fetch(self.plain)
        self.assertNotEqual(secure.body, plain.body)
        self.assertEqual(self.get().body, secure.body)
        self.assertEqual(self.fetch(self.plain).body, plain.body)
        self.assertEqual([request.get("x-forwarded-proto") for request in self.origin_.requests()],
                         ["https", "http"])


class ClientCertificates(CachedTlsTest):
    def people(self):
        return [self.authority.context(shows=self.authority.issue(name))
                for name in ("ann", "bob")]

    def with_subjects(self, *fields, **cache):
        self.site(*fields, tls={"client_ca": str(self.authority.certificate),
                                "client_auth": "optional"}, **cache)

    def test_a_fill_for_all_tells_no_subject_whatever_vary_says(self):
        for vary in ((), ("Vary: X-Client-Cert-Subject",)):
            self.with_subjects(*vary)
            ann, bob = self.people()
            first = self.get(context=ann)
            self.assertEqual(self.get(context=bob).body, first.body)
            self.assertEqual(self.get().body, first.body)
            self.assertEqual(self.told(), [None])

    def test_what_passes_the_cache_tells_it(self):
        self.with_subjects()
        ann, _ = self.people()
        client = self.tls_client(self.edge_, ann)
        client.send(b"POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 0\r\n"
                    b"Connection: close, X-Client-Cert-Subject\r\n\r\n")
        self.assertEqual(client.final().status, 200)
        self.assertEqual(self.told(), ["CN=ann"])

    def test_a_subject_in_the_key_is_the_true_one(self):
        self.with_subjects(key={"headers": ["X-Client-Cert-Subject"]})
        ann, bob = self.people()
        bodies = [self.get(context=one).body for one in (ann, bob)]
        self.assertEqual(len(set(bodies)), 2)
        self.assertEqual([self.get(context=one).body for one in (ann, bob)], bodies)
        forged = "X-Client-Cert-Subject: CN=ann"
        self.assertNotIn(self.get(forged).body, bodies)
        self.assertEqual(self.get(forged, context=bob).body, bodies[1])
        self.assertEqual(self.told(), ["CN=ann", "CN=bob", None])


if __name__ == "__main__":
    main()
