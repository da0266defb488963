"""TLS listeners: which certificate, which version, which protocol; and what is no TLS."""
import ctypes
import socket
import ssl
import subprocess

from harness import eventually, free_port, main
from harness.http2 import Http2Client, head_of
from harness.tls import TlsTest, openssl


class KeyUpdates:
    """A client that can say KeyUpdate (RFC 8446 4.6.3), which Python's ssl cannot."""

    def __init__(self, port):
        self.ssl = ssl_ = ctypes.CDLL("libssl.so.3")
        for name in ("TLS_client_method", "SSL_CTX_new", "SSL_new", "BIO_s_mem", "BIO_new"):
            getattr(ssl_, name).restype = ctypes.c_void_p
        self.context = ctypes.c_void_p(ssl_.SSL_CTX_new(ctypes.c_void_p(ssl_.TLS_client_method())))
        self.handle = ctypes.c_void_p(ssl_.SSL_new(self.context))
        self.sock = socket.create_connection(("127.0.0.1", port))
        self.sock.settimeout(None)
        ssl_.SSL_set_fd(self.handle, self.sock.fileno())
        assert ssl_.SSL_connect(self.handle) == 1

    def say(self, asks_back):
        """False: the connection is gone."""
        self.ssl.SSL_key_update(self.handle, int(asks_back))
        return self.ssl.SSL_do_handshake(self.handle) == 1

    def packed(self, count):
        """The records of so many, not sent; nothing is, from then on, but by `sock`."""
        bio = ctypes.c_void_p(self.ssl.BIO_new(ctypes.c_void_p(self.ssl.BIO_s_mem())))
        self.ssl.SSL_set0_wbio(self.handle, bio)
        for _ in range(count):
            assert self.say(False)
        room = ctypes.create_string_buffer(64 * count)
        got = self.ssl.BIO_read(bio, room, len(room))
        return room.raw[:got]

    def get(self):
        """One request; the first bytes of the answer."""
        request = b"GET / HTTP/1.1\r\nHost: site.test\r\n\r\n"
        self.ssl.SSL_write(self.handle, request, len(request))
        room = ctypes.create_string_buffer(4096)
        got = self.ssl.SSL_read(self.handle, room, len(room))
        return room.raw[:max(got, 0)]

    def close(self):
        self.ssl.SSL_free(self.handle)
        self.ssl.SSL_CTX_free(self.context)
        self.sock.close()


class Messages(TlsTest):
    """What TLS itself says costs keys and answers: a little is free, and no more."""

    def visit(self, edge):
        client = KeyUpdates(edge.port)
        self.addCleanup(client.close)
        return client

    def test_new_keys_now_and_then_are_nobodys_trouble(self):
        edge = self.edge(self.origin(), listeners=[self.listener()])
        client = self.visit(edge)
        for asks_back in (False, True) * 3:
            self.assertTrue(client.say(asks_back))
            self.assertTrue(client.get().startswith(b"HTTP/1.1 200"))
        self.assertEqual(edge.metric("scrollgate_tls_floods_total"), 0)

    def test_new_keys_without_end_end_the_connection(self):
        edge = self.edge(self.origin(), listeners=[self.listener()])
        for count, asks_back in enumerate((False, True), 1):
            client = self.visit(edge)
            sent = 0
            while sent < 1_000_000 and client.say(asks_back):
                sent += 1
            self.assertLess(sent, 1_000_000)
            eventually(lambda: edge.metric("scrollgate_tls_floods_total") == count, "counted")
            self.assertEqual(self.tls_client(edge).get().final().status, 200)


    def test_nor_do_they_hide_behind_the_ends_of_what_comes_at_a_time(self):
        """Each piece ends within the head of a record."""
        edge = self.edge(self.origin(), listeners=[self.listener()])
        client = self.visit(edge)
        count, together = 4000, 500
        data = client.packed(count)
        size = len(data) // count
        pieces = range(4, len(data), together * size)
        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for begin, end in zip((0, *pieces), pieces):
                client.sock.sendall(data[begin:end])
        except ConnectionError:
            pass
        eventually(lambda: edge.metric("scrollgate_tls_floods_total") == 1, "counted")


class Certificates(TlsTest):
    def shown(self, edge, name, context=None):
        client = self.tls_client(edge, context, name)
        names = client.sock.getpeercert()["subjectAltName"]
        return {value for _, value in names}

    def test_the_name_picks_exactly_by_wildcard_or_the_default(self):
        origin = self.origin()
        site = self.authority.issue("site.test", "DNS:site.test")
        wild = self.authority.issue("wild", "DNS:*.wild.test", "DNS:wild.test")
        edge = self.edge(origin, listeners=[self.listener(site, wild)])
        self.assertEqual(self.shown(edge, "site.test"), {"site.test"})
        self.assertEqual(self.shown(edge, "SITE.test"), {"site.test"})
        self.assertEqual(self.shown(edge, "a.wild.test"), {"*.wild.test", "wild.test"})
        self.assertEqual(self.shown(edge, "wild.test"), {"*.wild.test", "wild.test"})
        context = self.authority.context()
        context.check_hostname = False
        self.assertEqual(self.shown(edge, "a.b.wild.test", context), {"site.test"})
        self.assertEqual(self.shown(edge, "nobody.test", context), {"site.test"})
        self.assertEqual(self.shown(edge, None, context), {"site.test"})

    def test_rsa_and_ecdsa_side_by_side(self):
        both = [self.authority.issue("site.test", "DNS:site.test", kind=kind, file=kind)
                for kind in ("ec", "rsa")]
        edge = self.edge(self.origin(), listeners=[self.listener(*both)])

        def cipher(name):
            context = self.authority.context(newest=ssl.TLSVersion.TLSv1_2)
            context.set_ciphers(name)
            return self.tls_client(edge, context).sock.cipher()[0]
        for kind in ("ECDSA", "RSA"):
            name = f"ECDHE-{kind}-AES128-GCM-SHA256"
            self.assertEqual(cipher(name), name)

    def test_a_wildcard_of_the_other_kind_stands_beside_an_exact_name(self):
        for exact, wild in (("ec", "rsa"), ("rsa", "ec")):
            both = [self.authority.issue("exact", "DNS:www.wild.test", kind=exact, file="exact"),
                    self.authority.issue("wild", "DNS:*.wild.test", kind=wild, file="wild")]
            edge = self.edge(self.origin(), listeners=[self.listener(*both)])
            for kind, names in ((exact, {"www.wild.test"}), (wild, {"*.wild.test"})):
                context = self.authority.context(newest=ssl.TLSVersion.TLSv1_2)
                auth = {"ec": "ECDSA", "rsa": "RSA"}[kind]
                context.set_ciphers(f"ECDHE-{auth}-AES128-GCM-SHA256")
                self.assertEqual(self.shown(edge, "www.wild.test", context), names)
            self.assertEqual(self.shown(edge, "other.wild.test"), {"*.wild.test"})

    def test_the_chain_is_sent_and_requests_are_https(self):
        origin = self.origin()
        edge = self.edge(origin, listeners=[self.listener()])
        client = self.tls_client(edge).get("/a")
        self.assertEqual(client.final().body, b"GET /a")
        self.assertEqual(origin.requests()[0].get("x-forwarded-proto"), "https")
        self.assertEqual(client.get("/b").final().body, b"GET /b")

    def test_a_staple_is_given_to_whoever_asks(self):
        site = self.authority.issue("site.test", "DNS:site.test")
        listener = self.listener(site)
        listener["tls"]["certificates"][0]["ocsp"] = str(self.authority.ocsp_answer(site))
        edge = self.edge(self.origin(), listeners=[listener])
        said = openssl("s_client", "-connect", f"127.0.0.1:{edge.port}", "-servername",
                       "site.test", "-status").decode()
        self.assertIn("OCSP Response Status: successful", said)
        self.assertIn("Cert Status: good", said)


class Versions(TlsTest):
    def test_intermediate_has_12_and_13_and_nothing_older(self):
        edge = self.edge(self.origin(), listeners=[self.listener()])
        for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"),
                              (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
            context = self.authority.context(newest=version)
            self.assertEqual(self.tls_client(edge, context).sock.version(), name)
        old = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{edge.port}", "-tls1_1",
             "-cipher", "ALL:@SECLEVEL=0"], stdin=subprocess.DEVNULL, capture_output=True)
        self.assertNotEqual(old.returncode, 0)
        self.assertIn(b"alert protocol version", old.stderr)

    def test_modern_is_13_alone(self):
        edge = self.edge(self.origin(), listeners=[self.listener(tls={"profile": "modern"})])
        self.assertEqual(self.tls_client(edge).sock.version(), "TLSv1.3")
        with self.assertRaises(ssl.SSLError):
            self.tls_client(edge, self.authority.context(newest=ssl.TLSVersion.TLSv1_2))

    def test_alpn_agrees_or_refuses(self):
        edge = self.edge(self.origin(), listeners=[self.listener()])

        def agreed(*offered):
            context = self.authority.context(alpn=offered)
            return self.tls_client(edge, context).sock.selected_alpn_protocol()
        self.assertEqual(agreed("http/1.1", "h2"), "h2")
        self.assertEqual(agreed("http/1.1"), "http/1.1")
        self.assertIsNone(agreed())
        with self.assertRaisesRegex(ssl.SSLError, "(?i)no.application.protocol"):
            agreed("ftp")

    def test_no_renegotiation(self):
        edge = self.edge(self.origin(), listeners=[self.listener()])
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{edge.port}", "-tls1_2", "-servername",
             "site.test"], input=b"R\n", capture_output=True, timeout=60)
        self.assertIn(b"no renegotiation", done.stderr)

    def test_curl_speaks_both_versions_of_http(self):
        edge = self.edge(self.origin(), listeners=[self.listener()])
        for option, version in (("--http1.1", "1.1"), ("--http2", "2")):
            done = subprocess.run(
                ["curl", "-sS", option, "--cacert", str(self.authority.certificate), "--resolve",
                 f"site.test:{edge.port}:127.0.0.1", "-w", " %{http_version}",
                 f"https://site.test:{edge.port}/x"], capture_output=True, text=True, timeout=60)
            self.assertEqual(done.stdout, f"GET /x {version}", done.stderr)


class Misdirected(TlsTest):
    def test_a_host_that_the_certificate_is_not_for(self):
        site = self.authority.issue("site.test", "DNS:site.test", "DNS:also.test")
        other = self.authority.issue("other.test", "DNS:other.test")
        edge = self.edge(self.origin(), listeners=[self.listener(site, other)])

        def status(name, host, context=None):
            return self.tls_client(edge, context, name).get("/", host).final().status
        self.assertEqual(status("site.test", "site.test"), 200)
        self.assertEqual(status("site.test", "SITE.test:443"), 200)
        self.assertEqual(status("site.test", "site.test."), 200)
        self.assertEqual(status("site.test", "also.test.:443"), 200)
        self.assertEqual(status("site.test", "also.test"), 200)
        self.assertEqual(status("site.test", "other.test"), 421)
        blind = self.authority.context()
        blind.check_hostname = False
        self.assertEqual(status("nobody.test", "nobody.test", blind), 200)
        self.assertEqual(status("nobody.test", "other.test", blind), 421)
        self.assertEqual(status(None, "other.test", blind), 200)
        self.assertEqual(edge.log(6)[5]["outcome"], "misdirected")

    def test_a_browser_that_shares_its_connection_is_told_by_421_and_goes_on(self):
        """RFC 9113 9.1.1: connections are used for other hosts over HTTP/2."""
        site = self.authority.issue("site.test", "DNS:site.test", "DNS:also.test")
        other = self.authority.issue("other.test", "DNS:other.test")
        edge = self.edge(self.origin(), listeners=[self.listener(site, other)])
        client = self.http2_client(edge)
        for host, status in (("also.test", 200), ("other.test", 421), ("site.test", 200)):
            stream = client.open(head_of("/", "GET", host, scheme="https"))
            self.assertEqual(client.answer(stream).status, status)


class NoTls(TlsTest):
    def test_plain_http_on_a_tls_port_is_told_so(self):
        edge = self.edge(self.origin(), listeners=[self.listener()])
        for method in ("GET", "OPTIONS", "DELETE"):
            response = self.fetch(edge, "/x", method=method)
            self.assertEqual(response.status, 400)
            self.assertIn(b"https://site.test", response.body)
        self.assertEqual(edge.log(1)[0]["outcome"], "plain_http_on_tls_port")

    def test_http2_in_clear_on_a_tls_port_is_told_so_and_not_served(self):
        origin = self.origin()
        edge = self.edge(origin, listeners=[self.listener()])
        client = Http2Client(edge.port)
        self.addCleanup(client.close)
        answer = client.get2("/x")
        self.assertEqual(answer.status, 400)
        self.assertIn(b"https://site.test", answer.body)
        self.assertEqual(edge.log(1)[0]["outcome"], "plain_http_on_tls_port")
        self.assertEqual(origin.requests(), [])

    def test_tls_on_a_plain_port_is_closed_and_logged(self):
        edge = self.edge(self.origin())
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.tls_client(edge)
        self.assertEqual(edge.log(1)[0]["outcome"], "tls_on_plain_port")

    def test_garbage_in_a_handshake_ends_it_and_others_are_served(self):
        edge = self.edge(self.origin(), listeners=[self.listener()])
        huge = b"\x01\x04\x00\x00" + bytes(0x40000)       # a ClientHello of 256 KiB, well framed
        huge = b"".join(b"\x16\x03\x01\x40\x00" + huge[at:at + 0x4000]
                        for at in range(0, 0x40000, 0x4000))
        garbage = (huge, b"\x16\x03\x01\x00\x05hello", b"\x16\x03\x01\xff\xff" + b"x" * 70000,
                   b"\x16" * 100, b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc" + b"\0" * 16380)
        for bytes_ in garbage:
            client = self.client(edge)
            try:
                client.send(bytes_)
                client.half_close()
            except OSError:
                pass                    # it has been closed already
            client.rest()
        eventually(lambda: edge.metric("scrollgate_tls_handshakes_total", 'result="failed"') >= 5,
                   "failures are counted")
        self.assertEqual(self.tls_client(edge).get().final().status, 200)
        edge.wait_stderr("TLS handshake failed")

    def test_half_open_handshakes_are_bounded_in_time(self):
        edge = self.edge(self.origin(), listeners=[self.listener()],
                         timeouts={"handshake": "300ms"})
        silent, half = self.client(edge), self.client(edge)
        half.send(b"\x16\x03\x01\x02\x00\x01")
        silent.expect_closed()
        half.rest()
        eventually(lambda: edge.metric("scrollgate_tls_handshakes_total", 'result="late"') == 2,
                   "both are counted")
        self.assertEqual(edge.metric("scrollgate_handshakes_open"), 0)

    def test_a_client_that_has_said_nothing_holds_up_no_stop(self):
        edge = self.edge(self.origin(), listeners=[self.listener()],
                         timeouts={"handshake": "5m", "drain": "1h"})
        silent = self.client(edge)
        eventually(lambda: edge.metric("scrollgate_handshakes_open") == 1, "it is there")
        self.assertEqual(edge.stop(), 0)
        silent.expect_closed()

    def test_half_open_handshakes_are_bounded_in_number(self):
        edge = self.edge(self.origin(), listeners=[self.listener()])
        crowd = [socket.create_connection(("127.0.0.1", edge.port)) for _ in range(1100)]
        self.addCleanup(lambda: [one.close() for one in crowd])
        self.assertEqual(self.tls_client(edge).get().final().status, 200)
        self.assertLessEqual(edge.metric("scrollgate_handshakes_open"), 1024)
        self.assertGreaterEqual(
            edge.metric("scrollgate_tls_handshakes_total", 'result="shed"'), 76)


class Routes(TlsTest):
    def test_hsts_is_said_over_https_alone(self):
        tls = self.listener()
        plain = {"name": "plain", "address": f"127.0.0.1:{free_port()}"}
        edge = self.edge(self.origin(), listeners=[tls, plain], routes=[
            {"name": "all", "pools": ["main"],
             "hsts": {"max_age": "30d", "include_subdomains": True}}])
        port = int(plain["address"].rpartition(":")[2])
        secure = self.tls_client(edge).get().final()
        self.assertEqual(secure.get("strict-transport-security"),
                         "max-age=2592000; includeSubDomains")
        self.assertIsNone(self.fetch(port).get("strict-transport-security"))
        self.assertIsNone(self.fetch(port, "/", "X-Forwarded-Proto: https")
                          .get("strict-transport-security"))

    def test_hsts_is_said_to_who_came_to_a_trusted_proxy_over_https(self):
        edge = self.edge(self.origin(), trusted_proxies=["127.0.0.1"], routes=[
            {"name": "all", "pools": ["main"], "hsts": {"max_age": "30d"}}])
        for scheme, said in (("https", "max-age=2592000"), ("http", None)):
            response = self.fetch(edge, "/", f"X-Forwarded-Proto: {scheme}")
            self.assertEqual(response.get("strict-transport-security"), said)

    def test_redirect_to_https_by_listener_and_by_route(self):
        tls = self.listener(name="tls")
        plain = {"name": "plain", "address": f"127.0.0.1:{free_port()}", "https_redirect": 8443}
        other = {"name": "other", "address": f"127.0.0.1:{free_port()}"}
        edge = self.edge(self.origin(), listeners=[tls, plain, other], routes=[
            {"name": "all", "pools": ["main"], "https_redirect": "on"}])

        def location(listener):
            port = int(listener["address"].rpartition(":")[2])
            response = self.fetch(port, "/a?b", host="site.test:80")
            return response.status, response.get("location")
        self.assertEqual(location(plain), (308, "https://site.test:8443/a?b"))
        self.assertEqual(location(other), (308, "https://site.test/a?b"))
        for listener in (plain, other):  # HTTP/1.0 may name no host
            client = self.client(int(listener["address"].rpartition(":")[2]))
            response = client.send(b"GET /a HTTP/1.0\r\n\r\n").final()
            self.assertEqual((response.status, response.get("location")), (400, None))
        self.assertEqual(self.tls_client(edge).get().final().status, 200)

    def test_no_redirect_where_a_trusted_proxy_had_https(self):
        edge = self.edge(self.origin(), trusted_proxies=["127.0.0.0/8"], routes=[
            {"name": "all", "pools": ["main"], "https_redirect": "on"}])
        self.assertEqual(self.fetch(edge, "/").status, 308)
        self.assertEqual(self.fetch(edge, "/", "X-Forwarded-Proto: https").status, 200)


if __name__ == "__main__":
    main()
