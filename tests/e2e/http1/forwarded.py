"""X-Forwarded-*, Forwarded, X-Real-IP, from untrusted and trusted peers."""
from harness import EdgeTest, main

SENT = ("X-Forwarded-For: 203.0.113.7, 198.51.100.2", "X-Forwarded-Proto: https",
        "X-Forwarded-Host: outer.test", "X-Real-IP: 6.6.6.6", "Forwarded: for=6.6.6.6")


class Forwarded(EdgeTest):
    def seen(self, *fields, host="site.test", **keys):
        origin = self.origin()
        self.proxy = self.edge(origin, **keys)
        self.assertEqual(self.fetch(self.proxy, "/", *fields, host=host).status, 200)
        return origin.requests()[0]

    def test_an_untrusted_peers_claims_are_replaced(self):
        request = self.seen(*SENT)
        self.assertEqual(request.all("x-forwarded-for"), ["127.0.0.1"])
        self.assertEqual(request.all("x-forwarded-proto"), ["http"])
        self.assertEqual(request.all("x-forwarded-host"), ["site.test"])
        self.assertEqual(request.all("x-real-ip"), ["127.0.0.1"])
        self.assertNotIn("6.6.6.6", ",".join(request.all("forwarded")))
        self.assertEqual(self.proxy.log(1)[0]["client"], "127.0.0.1")

    def test_fields_are_set_where_none_came(self):
        request = self.seen(host="site.test:8080")
        self.assertEqual(request.all("x-forwarded-for"), ["127.0.0.1"])
        self.assertEqual(request.all("x-forwarded-host"), ["site.test:8080"])
        self.assertEqual(request.all("x-real-ip"), ["127.0.0.1"])

    def test_a_trusted_peers_claims_are_kept_and_extended(self):
        request = self.seen(*SENT, trusted_proxies=["127.0.0.0/8"])
        self.assertEqual(", ".join(request.all("x-forwarded-for")),
                         "203.0.113.7, 198.51.100.2, 127.0.0.1")
        self.assertEqual(request.all("x-forwarded-proto"), ["https"])
        self.assertEqual(request.all("x-forwarded-host"), ["outer.test"])

    def test_the_client_is_the_rightmost_untrusted_address(self):
        request = self.seen("X-Forwarded-For: 6.6.6.6, 203.0.113.7, 198.51.100.2",
                            trusted_proxies=["127.0.0.0/8", "198.51.100.0/24"])
        self.assertEqual(request.all("x-real-ip"), ["203.0.113.7"])
        self.assertEqual(self.proxy.log(1)[0]["client"], "203.0.113.7")

    def test_junk_in_a_trusted_list_is_no_client(self):
        self.seen("X-Forwarded-For: 203.0.113.7, <script>", trusted_proxies=["127.0.0.1/32"])
        self.assertEqual(self.proxy.log(1)[0]["client"], "127.0.0.1")


if __name__ == "__main__":
    main()
