"""Via, loops, X-Request-Id."""
import re

from harness import EdgeTest, main
from harness.origin import raw

SANE = re.compile(r"[0-9A-Za-z-]{16,}\Z")


class Via(EdgeTest):
    def test_via_is_added_both_ways_with_the_nodes_name(self):
        origin = self.origin(raw(
            b"HTTP/1.1 200 OK\r\nVia: 1.0 inner\r\nContent-Length: 2\r\n\r\nok"))
        edge = self.edge(origin, **{"self": {"node": "edge-7"}})
        response = self.fetch(edge, "/", "Via: 1.1 outer")
        self.assertEqual(", ".join(origin.requests()[0].all("via")), "1.1 outer, 1.1 edge-7")
        self.assertEqual(", ".join(response.all("via")), "1.0 inner, 1.1 edge-7")

    def test_a_random_node_name_is_there_by_default(self):
        origin = self.origin()
        edge = self.edge(origin)
        self.fetch(edge)
        self.assertEqual(origin.requests()[0].get("via"), f"1.1 {edge.status()['node']}")

    def test_via_can_be_switched_off_per_route(self):
        origin = self.origin()
        edge = self.edge(origin, routes=[{"name": "all", "pools": ["main"], "via": "off"}])
        response = self.fetch(edge)
        self.assertIsNone(response.get("via"))
        self.assertIsNone(origin.requests()[0].get("via"))

    def test_our_own_name_is_a_loop(self):
        origin = self.origin()
        edge = self.edge(origin, **{"self": {"node": "edge-7"}})
        response = self.fetch(edge, "/", "Via: 1.1 a, 1.1 edge-7, 1.1 b")
        self.assertEqual(response.status, 508)
        self.assertEqual(origin.bytes_received(), 0)
        self.assertEqual(edge.log(1)[0]["outcome"], "loop_detected")

    def test_eight_hops_are_a_loop_and_seven_are_not(self):
        origin = self.origin()
        edge = self.edge(origin)
        hops = [f"1.1 n{n}" for n in range(8)]
        self.assertEqual(self.fetch(edge, "/", "Via: " + ", ".join(hops[:4]),
                                    "Via: " + ", ".join(hops[4:])).status, 508)
        self.assertEqual(self.fetch(edge, "/", "Via: " + ", ".join(hops[:7])).status, 200)

    def test_a_real_loop_ends(self):
        outer = self.edge("127.0.0.1:1")
        outer.config["pools"]["main"]["endpoints"] = [f"127.0.0.1:{outer.port}"]
        outer.write()
        self.assertEqual(outer.reload()[0], 200)
        self.assertEqual(self.fetch(outer).status, 508)


class RequestId(EdgeTest):
    def both(self, *fields, **keys):
        origin = self.origin()
        edge = self.edge(origin, **keys)
        response = self.fetch(edge, "/", *fields)
        values = origin.requests()[0].all("x-request-id")
        self.assertEqual(len(values), 1)
        self.assertEqual(response.all("x-request-id"), values)
        self.assertEqual(edge.log(1)[0]["request_id"], values[0])
        return values[0]

    def test_an_id_is_made(self):
        self.assertRegex(self.both(), SANE)

    def test_an_untrusted_peers_id_is_replaced(self):
        self.assertNotEqual(self.both("X-Request-Id: mine"), "mine")

    def test_a_trusted_peers_id_is_kept(self):
        self.assertEqual(self.both("X-Request-Id: mine-1", trusted_proxies=["127.0.0.1/32"]),
                         "mine-1")

    def test_a_trusted_peers_odd_id_is_replaced(self):
        for odd in ("a b", "x" * 500, '"<script>"'):
            self.assertNotEqual(
                self.both(f"X-Request-Id: {odd}", trusted_proxies=["127.0.0.1/32"]), odd)

    def test_ids_differ(self):
        edge = self.edge(self.origin())
        client = self.client(edge)
        ids = {client.get().response().get("x-request-id") for _ in range(50)}
        self.assertEqual(len(ids), 50)

    def test_an_own_error_names_it(self):
        edge = self.edge(self.origin(), routes=[
            {"name": "one", "match": {"path_exact": "/one"}, "pools": ["main"]}])
        response = self.fetch(edge, "/other", "Accept: application/json")
        self.assertEqual(response.status, 404)
        self.assertIn(response.get("x-request-id").encode(), response.body)


if __name__ == "__main__":
    main()
