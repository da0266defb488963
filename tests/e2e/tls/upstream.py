"""TLS to endpoints: names, trust, pins, certificates of ours, sessions, health checks."""
import base64
import hashlib
import ssl
import time

from harness import eventually, main
from harness.origin import ok
from harness.process import run_command
from harness.tls import TlsTest, openssl


class Upstream(TlsTest):
    def tls_origin(self, issued, script=ok, asks=False):
        """An origin over TLS, and what each handshake has settled."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(issued.certificate, issued.key)
        if asks:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.authority.certificate)
        names, shaken = [], []
        context.sni_callback = lambda sock, name, ctx: names.append(name)

        def behind(conn):
            try:
                conn.sock = context.wrap_socket(conn.sock, server_side=True)
            except (ssl.SSLError, ConnectionError):
                return
            shaken.append((conn.sock.session_reused, conn.sock.getpeercert()))
            script(conn)
        origin = self.origin(behind)
        origin.names, origin.shaken = names, shaken
        return origin

    def edge_to(self, origin, name="app.test", **pool):
        tls = {"ca": str(self.authority.certificate), "server_name": name, **pool.pop("tls", {})}
        tls = {key: value for key, value in tls.items() if value is not None}
        return self.edge(pools={"main": {"endpoints": [f"https://{origin.address}"], "tls": tls,
                                         **pool}})

    def test_a_request_over_tls_with_the_name_that_was_asked_for(self):
        origin = self.tls_origin(self.authority.issue("app", "DNS:app.test"))
        edge = self.edge_to(origin)
        client = self.client(edge)
        for _ in range(3):
            self.assertEqual(client.get("/x").final().body, b"GET /x")
        self.assertEqual(origin.names, ["app.test"])
        self.assertEqual(len(origin.connections), 1)
        self.assertEqual(edge.status()["pools"][0]["tls"], "verified")

    def test_an_address_is_verified_as_one(self):
        origin = self.tls_origin(self.authority.issue("app", "IP:127.0.0.1"))
        self.assertEqual(self.fetch(self.edge_to(origin, None)).status, 200)

    def test_another_name_or_another_authority_is_refused(self):
        other = type(self.authority)(self.folder)
        for issued in (self.authority.issue("app", "DNS:other.test"),
                       other.issue("app", "DNS:app.test")):
            origin = self.tls_origin(issued)
            edge = self.edge_to(origin)
            self.assertEqual(self.fetch(edge).status, 502)
            self.assertEqual(edge.log(1)[0]["outcome"], "connect_failed")
            self.assertEqual(origin.requests(), [])
            self.assertRegex(edge.stderr(), f"pool main: no TLS with {origin.address} .*: "
                             "certificate verify failed: [a-z]")

    def test_why_there_is_no_tls_is_told_once_per_second(self):
        origin = self.tls_origin(self.authority.issue("app", "DNS:other.test"))
        edge = self.edge_to(origin)
        started = time.monotonic()
        for _ in range(20):
            self.assertEqual(self.fetch(edge).status, 502)
        took = time.monotonic() - started
        said = edge.stderr().count("no TLS with")
        self.assertGreater(said, 0)
        self.assertLessEqual(said, took + 1)

    def test_the_systems_authorities_do_not_know_ours(self):
        origin = self.tls_origin(self.authority.issue("app", "DNS:app.test"))
        self.assertEqual(self.fetch(self.edge_to(origin, tls={"ca": None})).status, 502)

    def pin_of(self, issued):
        public = openssl("x509", "-in", issued.certificate, "-noout", "-pubkey")
        path = self.folder / "public.pem"
        path.write_bytes(public)
        der = openssl("pkey", "-pubin", "-in", path, "-outform", "der")
        return "sha256//" + base64.b64encode(hashlib.sha256(der).digest()).decode()

    def test_a_pinned_key_and_no_other(self):
        stranger = type(self.authority)(self.folder)
        right, wrong = stranger.issue("a", "DNS:x.test"), stranger.issue("b", "DNS:x.test")
        origin = self.tls_origin(right)
        edge = self.edge_to(origin, tls={"pin": self.pin_of(right)})
        self.assertEqual(self.fetch(edge).status, 200)
        self.assertEqual(edge.status()["pools"][0]["tls"], "pinned")
        edge = self.edge_to(origin, tls={"pin": self.pin_of(wrong)})
        self.assertEqual(self.fetch(edge).status, 502)

    def test_verify_false_is_loud(self):
        origin = self.tls_origin(type(self.authority)(self.folder).issue("a", "DNS:x.test"))
        edge = self.edge_to(origin, tls={"verify": False})
        self.assertEqual(self.fetch(edge).status, 200)
        edge.wait_stderr("ANYBODY")
        self.assertEqual(edge.status()["pools"][0]["tls"], "unverified")
        self.assertEqual(edge.metric("scrollgate_pool_tls_unverified", 'pool="main"'), 1)
        shown = run_command("status", "-c", str(edge.file)).stdout
        self.assertIn("its TLS is NOT VERIFIED (tls.verify: false)", shown)

    def test_our_certificate_is_shown(self):
        origin = self.tls_origin(self.authority.issue("app", "DNS:app.test"), asks=True)
        own = self.authority.issue("edge")
        edge = self.edge_to(origin, tls={"cert": str(own.certificate), "key": str(own.key)})
        self.assertEqual(self.fetch(edge).status, 200)
        self.assertIn((("commonName", "edge"),), origin.shaken[0][1]["subject"])

    def test_sessions_go_on(self):
        def once(conn):
            conn.request()
            conn.answer(b"ok", "200 OK", "Connection: close")
        origin = self.tls_origin(self.authority.issue("app", "DNS:app.test"), once)
        edge = self.edge_to(origin)
        client = self.client(edge)
        for _ in range(3):
            self.assertEqual(client.get().final().status, 200)
        self.assertEqual([reused for reused, _ in origin.shaken], [False, True, True])

    def test_checks_of_health_are_over_tls(self):
        origin = self.tls_origin(self.authority.issue("app", "DNS:app.test"))
        edge = self.edge_to(origin, health_check={"path": "/healthz", "interval": "100ms"})
        origin.wait_requests(2)
        self.assertEqual(origin.requests()[0].target, "/healthz")
        eventually(lambda: edge.status()["pools"][0]["endpoints"][0]["state"] == "in",
                   "the endpoint is in")


if __name__ == "__main__":
    main()
