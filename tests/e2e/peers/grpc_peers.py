"""Origins and clients of the npm package @grpc/grpc-js, with the proxy between them.

Cases stand in grpc_peer.mjs; skipped where the package cannot be had.
"""
import pathlib

from harness import EdgeTest, eventually, free_port, main
from harness.node import NodePeer, package
from harness.tls import TlsTest

PACKAGE = "@grpc/grpc-js@1.14.7"
PROGRAM = pathlib.Path(__file__).with_name("grpc_peer.mjs")


class Peers:
    @classmethod
    def setUpClass(cls):
        cls.folder_of_package = package(PACKAGE)

    def peer(self, *arguments):
        peer = NodePeer(PROGRAM, self.folder_of_package, *arguments)
        self.addCleanup(peer.close)
        return peer

    def run_case(self, name, **keys):
        """One case between one client and one origin; both, and the proxy."""
        origin = self.grpc_origin("one")
        proxy = self.proxy([origin], **keys)
        client = self.peer("client")
        self.ask(client, proxy, name)
        return proxy, origin

    def ask(self, client, proxy, name, **more):
        return client.ask(case=name, target=f"127.0.0.1:{proxy.port}", **self.more(), **more)


class Cases(Peers):
    def test_unary(self):
        proxy, origin = self.run_case("unary")
        seen = origin.ask()
        self.assertEqual(seen["calls"], 2)
        self.assertEqual(seen["last"]["te"] if "te" in seen["last"] else "trailers", "trailers")
        self.assertEqual([(line["status"], line["grpc_status"]) for line in proxy.log(2)],
                         [(200, 0)] * 2)
        self.assertEqual(proxy.metric("scrollgate_grpc_calls_total", 'status="ok"'), 2)

    def test_a_client_stream(self):
        self.run_case("clientStream")

    def test_a_server_stream(self):
        self.run_case("serverStream")

    def test_a_stream_each_way(self):
        self.run_case("bidi")

    def test_silent_streams(self):
        self.run_case("silence", timeouts={"client_body": "200ms", "upstream_body": "200ms"})

    def test_deadlines(self):
        _, origin = self.run_case("deadline")
        eventually(lambda: origin.ask()["cancelled"] == 1, "the origin's call is cancelled")

    def test_the_routes_deadline(self):
        proxy, origin = self.run_case("routesDeadline", routes=[
            {"name": "all", "pools": ["main"], "timeouts": {"request": "500ms"}}])
        eventually(lambda: origin.ask()["cancelled"] == 1, "the origin's call is cancelled")
        self.assertEqual(proxy.log(1)[0]["grpc_status"], 4)

    def test_cancel(self):
        proxy, origin = self.run_case("cancel")
        eventually(lambda: origin.ask()["cancelled"] == 1, "the origin's call is cancelled")
        line = proxy.log(1)[0]
        self.assertEqual((line["outcome"], line["grpc_status"]), ("client_closed", 1))

    def test_errors_without_a_message(self):
        proxy, _ = self.run_case("trailersOnly")
        self.assertEqual(proxy.log(1)[0]["grpc_status"], 5)

    def test_large_metadata(self):
        self.run_case("largeMetadata")

    def test_large_messages(self):
        self.run_case("largeMessages")


class Plain(Cases, EdgeTest):
    def grpc_origin(self, name):
        return self.peer("origin", name)

    def proxy(self, origins, **keys):
        endpoints = [f"127.0.0.1:{o.said['port']}" for o in origins]
        return self.edge(**{"pools": {"main": {"protocol": "h2c", "endpoints": endpoints}}, **keys})

    def more(self):
        return {}


class OverTls(Cases, TlsTest):
    def grpc_origin(self, name):
        issued = self.authority.issue("localhost", "DNS:localhost")
        return self.peer("origin", name, issued.certificate, issued.key)

    def proxy(self, origins, **keys):
        endpoints = [f"https://localhost:{o.said['port']}" for o in origins]
        return self.edge(**{
            "listeners": [self.listener()],
            "pools": {"main": {"protocol": "h2", "endpoints": endpoints,
                               "tls": {"ca": str(self.authority.certificate)}}}, **keys})

    def more(self):
        return {"ca": str(self.authority.certificate)}


class Failing(Peers, EdgeTest):
    """Two origins, of which one is tired or gone."""

    def more(self):
        return {}

    def two(self, failover=None, **pool):
        self.one, self.other = self.peer("origin", "one"), self.peer("origin", "other")
        self.client_of = self.peer("client")
        return self.edge(
            pools={"main": {"protocol": "h2c", **pool, "endpoints": [
                f"127.0.0.1:{o.said['port']}" for o in (self.one, self.other)]}},
            routes=[{"name": "all", "pools": ["main"], "balance": "round_robin",
                     "failover": failover or {}}])

    def test_an_origin_that_is_killed(self):
        proxy = self.two()
        self.ask(self.client_of, proxy, "open")
        carrying = next(o for o in (self.one, self.other) if o.ask()["calls"])
        carrying.kill()
        end = self.ask(self.client_of, proxy, "ends")
        self.assertEqual(end["code"], 14, end)
        got = self.ask(self.client_of, proxy, "count", count=20)
        self.assertEqual(got["codes"], {"0": 20})
        self.assertEqual(len(got["origins"]), 1)

    def test_nobody_is_there(self):
        proxy = self.edge(f"127.0.0.1:{free_port()}")
        got = self.ask(self.peer("client"), proxy, "count", count=2)
        self.assertEqual(got["codes"], {"14": 2})

    def test_calls_that_are_turned_down_are_retried_where_the_route_says_so(self):
        for failover, codes in (({}, {"0": 10, "14": 10}),
                                ({"retry_grpc": ["unavailable"], "budget": "100%"}, {"0": 20})):
            proxy = self.two(failover, outlier="off")
            self.one.ask(refuses=True)
            got = self.ask(self.client_of, proxy, "count", count=20)
            self.assertEqual(got["codes"], codes)
            self.assertEqual(got["origins"].get("other"), codes["0"])

    def test_health_by_grpc(self):
        proxy = self.two(health_check={"grpc": "test.Echo", "interval": "100ms"})

        def states():
            return {e["state"] for e in proxy.status()["pools"][0]["endpoints"]}

        eventually(lambda: self.one.ask()["checks"] > 2 and states() == {"in"}, "both serve")
        self.one.ask(serving="NOT_SERVING")
        eventually(lambda: len(states()) == 2, "one is out")
        why = [e["why"] for e in proxy.status()["pools"][0]["endpoints"] if e["why"]]
        self.assertTrue(any("NOT_SERVING" in text for text in why), why)
        got = self.ask(self.client_of, proxy, "count", count=20)
        self.assertEqual((got["codes"], got["origins"]), ({"0": 20}, {"other": 20}))
        self.one.ask(serving="SERVING")
        eventually(lambda: states() == {"in"}, "it is back")

    def test_a_service_that_nobody_knows(self):
        proxy = self.two(health_check={"grpc": "test.Nobody", "interval": "100ms"})
        eventually(lambda: any("not_found" in e["why"] for e in
                               proxy.status()["pools"][0]["endpoints"]), "the check fails")


if __name__ == "__main__":
    main()
