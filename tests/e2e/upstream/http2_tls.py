"""Which version is spoken to an endpoint: ALPN, prior knowledge, what `check` says to nonsense."""
import pathlib
import ssl
import tempfile

from harness import free_port, main
from harness.http2_origin import ok2, over_http2, requests2
from harness.origin import ok
from harness.process import run_command
from harness.tls import TlsTest


class Versions(TlsTest):
    def alpn_origin(self, *protocols):
        """An origin over TLS that agrees to these, and speaks what was agreed."""
        issued = self.authority.issue("app", "DNS:app.test")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(issued.certificate, issued.key)
        if protocols:
            context.set_alpn_protocols(list(protocols))
        agreed = []

        def script(conn):
            try:
                conn.sock = context.wrap_socket(conn.sock, server_side=True)
            except (ssl.SSLError, ConnectionError):
                return
            agreed.append(conn.sock.selected_alpn_protocol())
            (over_http2(ok2) if agreed[-1] == "h2" else ok)(conn)
        origin = self.origin(script)
        origin.agreed = agreed
        return origin

    def edge_to(self, origin, protocol, **pool):
        tls = {"ca": str(self.authority.certificate), "server_name": "app.test"}
        return self.edge(workers=1, pools={"main": {
            "endpoints": [f"https://{origin.address}"], "tls": tls, "protocol": protocol, **pool}})

    def test_h2_over_tls(self):
        origin = self.alpn_origin("h2", "http/1.1")
        edge = self.edge_to(origin, "h2")
        for n in range(3):
            self.assertEqual(self.fetch(edge, f"/{n}").body, f"GET /{n}".encode())
        self.assertEqual(origin.agreed, ["h2"])
        self.assertEqual(requests2(origin)[0].get(":scheme"), "https")

    def test_h2_is_demanded(self):
        for protocols in (["http/1.1"], []):
            origin = self.alpn_origin(*protocols)
            edge = self.edge_to(origin, "h2")
            self.assertEqual(self.fetch(edge).status, 502)
            self.assertEqual(edge.log(1)[0]["outcome"], "connect_failed")
            self.assertEqual(origin.requests(), [])

    def test_auto_speaks_what_is_agreed(self):
        for protocols, spoken in ((["h2", "http/1.1"], "h2"), (["http/1.1"], "http/1.1"),
                                  ([], None)):
            origin = self.alpn_origin(*protocols)
            edge = self.edge_to(origin, "auto")
            for n in range(3):
                self.assertEqual(self.fetch(edge, f"/{n}").body, f"GET /{n}".encode())
            self.assertEqual(origin.agreed, [spoken])

    def test_auto_without_tls_is_http1(self):
        origin = self.origin()
        edge = self.edge(pools={"main": {"endpoints": [origin.address], "protocol": "auto"}})
        self.assertEqual(self.fetch(edge).status, 200)
        self.assertEqual(len(origin.requests()), 1)

    def test_an_upgrade_goes_over_http1_where_there_is_a_choice(self):
        origin = self.alpn_origin("h2", "http/1.1")
        edge = self.edge_to(origin, "auto")
        self.assertEqual(self.fetch(edge, "/first").body, b"GET /first")
        self.assertEqual(self.fetch(edge, "/ws", "Connection: upgrade",
                                    "Upgrade: websocket").body, b"GET /ws")
        self.assertEqual(origin.agreed, ["h2", "http/1.1"])

    def test_check_refuses_what_cannot_be(self):
        def said(pool, more=""):
            with tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder) / "file.yaml"
                path.write_text(f"listeners: [ {{ address: \"127.0.0.1:{free_port()}\" }} ]\n"
                                f"pools: {{ app: {{ {pool} }} }}\n"
                                f"routes: [ {{ pools: [ app ] }} ]\n{more}")
                done = run_command("check", "-c", str(path))
                return done.returncode, done.stderr + done.stdout
        for pool, hint in (
                ("protocol: h2, endpoints: [ \"10.0.0.1:80\" ]", "protocol: h2c"),
                ("protocol: h2c, endpoints: [ \"https://app.example\" ]", "protocol: h2 "),
                ("protocol: h2c, proxy_protocol: v1, endpoints: [ \"10.0.0.1:80\" ]",
                 "needs protocol: http1"),
                ("protocol: h3, endpoints: [ \"10.0.0.1:80\" ]", "h3")):
            code, text = said(pool)
            self.assertEqual(code, 1, text)
            self.assertIn(hint, text)
        for pool in ("protocol: h2, endpoints: [ \"https://app.example\" ]",
                     "protocol: h2c, endpoints: [ \"10.0.0.1:80\" ]",
                     "protocol: auto, endpoints: [ \"10.0.0.1:80\", \"https://app.example\" ]"):
            self.assertEqual(said(pool)[0], 0, said(pool)[1])


if __name__ == "__main__":
    main()
