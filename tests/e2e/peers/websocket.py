"""Server and client of the npm package ws, with the proxy between them, plain and over TLS.

What is tested stands in websocket.mjs, one case each; skipped where the package cannot be had.
"""
import pathlib

from harness import EdgeTest, eventually, main
from harness.node import NodePeer, package
from harness.tls import TlsTest

PACKAGE = "ws@8.23.0"


class Cases:
    """One proxy and one pair of peers for each case."""

    @classmethod
    def setUpClass(cls):
        cls.folder_of_package = package(PACKAGE)

    def run_case(self, name, **keys):
        peer = NodePeer(pathlib.Path(__file__).with_suffix(".mjs"), self.folder_of_package)
        self.addCleanup(peer.close)
        proxy = self.proxy(f"127.0.0.1:{peer.said['port']}", **keys)
        peer.ask(case=name, url=self.url(proxy), **self.more())
        return proxy

    def test_subprotocols(self):
        self.run_case("subprotocols")

    def test_fragments(self):
        self.run_case("fragments")

    def test_large_messages(self):
        self.run_case("large")

    def test_binary_messages(self):
        self.run_case("binary")

    def test_text_messages(self):
        self.run_case("text")

    def test_pings_and_pongs(self):
        self.run_case("pings")

    def test_close_codes_both_ways(self):
        self.run_case("closes")

    def test_half_closes(self):
        self.run_case("halves")

    def test_abrupt_ends(self):
        proxy = self.run_case("ends")
        eventually(lambda: proxy.metric("scrollgate_tunnels") == 0, "no tunnel is left")

    def test_many_at_a_time(self):
        proxy = self.run_case("many")
        lines = proxy.log(200)
        self.assertEqual({(line["status"], line["outcome"]) for line in lines}, {(101, "tunnel")})

    def test_the_idle_limit(self):
        self.run_case("idle", timeouts={"tunnel_idle": "1s"})

    def test_an_upgrade_that_is_refused(self):
        proxy = self.run_case("refused")
        self.assertEqual(proxy.log(1)[0]["status"], 401)

    def test_compression(self):
        self.run_case("compression")


class Plain(Cases, EdgeTest):
    def proxy(self, origin, **keys):
        return self.edge(origin, **keys)

    def url(self, proxy):
        return f"ws://127.0.0.1:{proxy.port}"

    def more(self):
        return {}


class OverTls(Cases, TlsTest):
    def proxy(self, origin, **keys):
        return self.edge(origin, listeners=[self.listener()], **keys)

    def url(self, proxy):
        return f"wss://127.0.0.1:{proxy.port}"

    def more(self):
        return {"ca": str(self.authority.certificate)}


if __name__ == "__main__":
    main()
