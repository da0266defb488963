"""PROXY protocol: headers that are believed, headers that are not, and headers that we send."""
import socket
import struct

from harness import RawClient, main
from harness.tls import TlsTest

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
V1 = b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n"
V2 = (SIGNATURE + b"\x21\x11\x00\x10" + socket.inet_aton("192.0.2.7") +
      socket.inet_aton("198.51.100.1") + struct.pack("!HH", 4711, 443) + b"\x04\x00\x01x")
LOCAL = SIGNATURE + b"\x20\x00\x00\x00"


def read_v2(conn):
    """(command, source, destination) of the header at the start."""
    head = conn.read(16)
    assert head[:12] == SIGNATURE, head
    body = conn.read(struct.unpack("!H", head[14:])[0])
    if head[12] & 15 == 0:
        return "local", None, None
    ports = struct.unpack("!HH", body[8:12])
    return "proxy", (socket.inet_ntoa(body[:4]), ports[0]), (socket.inet_ntoa(body[4:8]), ports[1])


class In(TlsTest):
    def edge_in(self, origin, trusted=("127.0.0.0/8",), tls=False, **keys):
        listener = self.listener(proxy_protocol="required")
        if not tls:
            listener["tls"] = "off"
        return self.edge(origin, listeners=[listener], trusted_proxies=list(trusted), **keys)

    def seen(self, edge, first, *fields):
        client = self.client(edge).send(first)
        self.assertEqual(client.get("/", "site.test", *fields).final().status, 200)

    def test_both_versions_tell_the_client(self):
        origin = self.origin()
        edge = self.edge_in(origin)
        for header in (V1, V2):
            self.seen(edge, header)
        for header in (LOCAL, b"PROXY UNKNOWN\r\n"):
            self.seen(edge, header)
        clients = [r.get("x-forwarded-for") for r in origin.requests()]
        self.assertEqual(clients, ["192.0.2.7"] * 2 + ["127.0.0.1"] * 2)
        self.assertEqual([line["client"] for line in edge.log(4)], clients)

    def test_a_header_in_pieces_and_with_the_request_behind_it(self):
        origin = self.origin()
        edge = self.edge_in(origin)
        for header in (V1, V2):
            client = self.client(edge)
            for i in range(len(header)):
                client.send(header[i:i + 1])
            self.assertEqual(client.get().final().status, 200)
            whole = self.client(edge).send(header + b"GET / HTTP/1.1\r\nHost: site.test\r\n\r\n")
            self.assertEqual(whole.final().status, 200)

    def test_what_the_client_claims_is_not_believed_by_its_proxys_word(self):
        origin = self.origin()
        self.seen(self.edge_in(origin), V1, "X-Forwarded-For: 203.0.113.9")
        self.assertEqual(origin.requests()[0].get("x-forwarded-for"), "192.0.2.7")

    def test_nor_is_that_of_a_client_whom_its_proxy_does_not_name(self):
        """The peer is one of trusted_proxies, but the fields are not its own words."""
        origin = self.origin()
        edge = self.edge_in(origin)
        claims = ("X-Forwarded-For: 203.0.113.9", "X-Client-Cert-Subject: CN=root")
        unspecified = SIGNATURE + b"\x21\x00\x00\x00"
        for header in (b"PROXY UNKNOWN\r\n", unspecified):
            self.seen(edge, header, *claims)
        self.seen(edge, LOCAL, *claims)                 # the proxy itself
        told = [(r.get("x-forwarded-for"), r.get("x-client-cert-subject"))
                for r in origin.requests()]
        self.assertEqual(told[:2], [("127.0.0.1", None)] * 2)
        self.assertEqual(told[2], ("203.0.113.9, 127.0.0.1", "CN=root"))

    def test_before_tls(self):
        origin = self.origin()
        edge = self.edge_in(origin, tls=True)
        for header in (V1, V2):
            client = self.tls_client(edge, first=header)
            self.assertEqual(client.get().final().status, 200)
        self.assertEqual(origin.requests()[1].get("x-real-ip"), "192.0.2.7")

    def test_without_a_header_nothing_is_served(self):
        edge = self.edge_in(self.origin())
        for first in (b"GET / HTTP/1.1\r\nHost: site.test\r\n\r\n", b"PROXY TCP4 a b 1 2\r\n",
                      SIGNATURE + b"\x21\x11\xff\xff", b"PROXY " + b"x" * 200):
            client = self.client(edge).send(first)
            self.assertEqual(client.rest(), b"")
        self.assertEqual(edge.metric("scrollgate_proxy_headers_refused_total"), 4)
        edge.wait_stderr("no PROXY header")

    def test_a_peer_that_is_not_trusted_is_not_even_heard(self):
        edge = self.edge_in(self.origin(), trusted=("192.0.2.0/24",))
        client = self.client(edge)
        self.assertEqual(client.rest(), b"")
        self.assertEqual(edge.metric("scrollgate_proxy_headers_refused_total"), 1)
        edge.wait_stderr("is not one of trusted_proxies")

    def test_limits_per_address_go_by_the_client(self):
        edge = self.edge_in(self.origin(), limits={"connections_per_ip": 1})
        first = self.client(edge).send(V1)
        self.assertEqual(first.get().final().status, 200)
        second = self.client(edge).send(V2)
        self.assertEqual(second.rest(), b"")


class Out(TlsTest):
    def edge_out(self, origin, version, **pool):
        return self.edge(pools={"main": {"endpoints": [origin.address],
                                         "proxy_protocol": version, **pool}})

    def test_version_1(self):
        said = []

        def script(conn):
            said.append(conn._take(lambda b: tuple(b.split(b"\r\n", 1)) if b"\r\n" in b else None))
            conn.request()
            conn.answer(b"ok")
            conn.until_closed()
        origin = self.origin(script)
        edge = self.edge_out(origin, "v1")
        client = RawClient(edge.port)
        self.addCleanup(client.close)
        port = client.sock.getsockname()[1]
        for _ in range(2):
            self.assertEqual(client.get().final().body, b"ok")
        header = f"PROXY TCP4 127.0.0.1 127.0.0.1 {port} {edge.port}".encode()
        self.assertEqual(said, [header, header])        # a connection of its own for each

    def test_version_2_and_checks_of_health(self):
        said = []

        def script(conn):
            said.append(read_v2(conn))
            conn.request()
            conn.answer(b"ok")
            conn.until_closed()
        origin = self.origin(script)
        edge = self.edge_out(origin, "v2", health_check={"path": "/", "interval": "100ms"})
        client = self.client(edge)
        port = client.sock.getsockname()[1]
        self.assertEqual(client.get().final().body, b"ok")
        origin.wait_requests(3)
        self.assertIn(("proxy", ("127.0.0.1", port), ("127.0.0.1", edge.port)), said)
        self.assertIn(("local", None, None), said)

    def test_the_clients_own_address_passes_through(self):
        said = []

        def script(conn):
            said.append(read_v2(conn))
            conn.request()
            conn.answer(b"ok")
        origin = self.origin(script)
        listener = self.listener(proxy_protocol="required")
        listener["tls"] = "off"
        edge = self.edge(listeners=[listener], trusted_proxies=["127.0.0.0/8"], pools={
            "main": {"endpoints": [origin.address], "proxy_protocol": "v2"}})
        client = self.client(edge).send(V1)
        self.assertEqual(client.get().final().body, b"ok")
        self.assertEqual(said[0][1], ("192.0.2.7", 4711))


if __name__ == "__main__":
    main()
