"""What is under way goes on through a reload: downloads, uploads, tunnels, keep-alive clients."""
import threading

from harness import EdgeTest, free_port, main
from harness.http2 import NO_ERROR, Http2Client

SWITCH = (b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
          b"\r\n")


class Continuity(EdgeTest):
    def replace_pool(self, edge, *origins):
        edge.config["pools"] = {"other": {"endpoints": [o.address for o in origins]}}
        edge.config["routes"] = [{"name": "new", "pools": ["other"]}]
        edge.write()
        self.assertEqual(edge.reload()[0], 200)

    def test_a_download_goes_on(self):
        release = threading.Event()

        def script(conn):
            conn.request()
            conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + b"a" * 100_000)
            conn.wait(release)
            conn.send(b"b" * 100_000)
        first, second = self.origin(script), self.origin()
        edge = self.edge(first)
        client = self.client(edge).get()
        client.head()
        self.assertEqual(client.exactly(100_000), b"a" * 100_000)
        self.replace_pool(edge, second)
        release.set()
        self.assertEqual(client.exactly(100_000), b"b" * 100_000)
        self.assertEqual(client.get("/next").response().body, b"GET /next")
        self.assertEqual(len(second.requests()), 1)

    def test_a_pool_that_gets_another_address_is_one_line_with_both(self):
        first, second = self.origin(), self.origin()
        edge = self.edge(first)
        self.assertEqual(edge.reload()[0], 200)
        self.assertNotIn("endpoints are now", edge.stderr())    # nothing has changed
        edge.config["pools"] = {"main": {"endpoints": [second.address]}}
        edge.write()
        self.assertEqual(edge.reload()[0], 200)
        edge.wait_stderr(f"pool main: endpoints are now {second.address} (were {first.address})")

    def test_an_upload_goes_on(self):
        first, second = self.origin(), self.origin()
        edge = self.edge(first)
        client = self.client(edge)
        client.send(b"POST /up HTTP/1.1\r\nHost: site.test\r\nContent-Length: 10\r\n\r\n12345")
        first.wait_connections(1)
        self.replace_pool(edge, second)
        client.send(b"67890")
        self.assertEqual(client.response().status, 200)
        self.assertEqual(first.requests()[0].body, b"1234567890")

    def test_a_tunnel_goes_on(self):
        def script(conn):
            conn.head()
            conn.send(SWITCH)
            while True:
                conn.send(conn.read(5))
        first, second = self.origin(script), self.origin()
        edge = self.edge(first)
        client = self.client(edge).get("/", "site.test", "Connection: Upgrade",
                                       "Upgrade: websocket")
        self.assertEqual(client.response().status, 101)
        self.replace_pool(edge, second)
        for _ in range(3):
            client.send(b"hello")
            self.assertEqual(client.exactly(5), b"hello")

    def test_an_idle_client_is_kept_and_gets_the_new_routes(self):
        first, second = self.origin(), self.origin()
        edge = self.edge(first)
        client = self.client(edge)
        self.assertEqual(client.get("/a").response().status, 200)
        self.replace_pool(edge, second)
        self.assertEqual(client.get("/b").response().status, 200)
        self.assertEqual([r.target for r in second.requests()], ["/b"])

    def test_unchanged_endpoints_keep_their_connections(self):
        origin = self.origin()
        edge = self.edge(origin)
        self.fetch(edge)
        for _ in range(3):
            self.assertEqual(edge.reload()[0], 200)
            self.assertEqual(self.fetch(edge).status, 200)
        self.assertEqual(len(origin.connections), 1)

    def test_a_listener_comes_and_goes_while_others_work(self):
        edge = self.edge(self.origin())
        client = self.client(edge)
        self.assertEqual(client.get().response().status, 200)
        extra = free_port()
        edge.config["listeners"].append({"name": "extra", "address": f"127.0.0.1:{extra}"})
        edge.write()
        self.assertEqual(edge.reload()[0], 200)
        kept = self.client(extra)
        self.assertEqual(kept.get().response().status, 200)
        edge.config["listeners"].pop()
        edge.write()
        self.assertEqual(edge.reload()[0], 200)
        with self.assertRaises(ConnectionRefusedError):
            self.client(extra)
        kept.expect_closed()
        self.assertEqual(client.get().response().status, 200)

    def test_clients_of_a_listener_that_goes_are_told_and_served_to_the_end(self):
        release = threading.Event()
        self.addCleanup(release.set)

        def script(conn):
            while True:
                if conn.request().target == "/held":
                    conn.wait(release)
                conn.answer(b"done")
        origin, extra = self.origin(script), free_port()
        edge = self.edge(origin, listeners=[
            {"name": name, "address": f"127.0.0.1:{port}"}
            for name, port in (("plain", free_port()), ("extra", extra))])
        stays, one, two = self.client(edge), self.client(extra), Http2Client(extra)
        self.addCleanup(two.close)
        one.get("/held")
        stream = two.request("/held")
        origin.wait_requests(2)
        edge.config["listeners"].pop()
        edge.write()
        self.assertEqual(edge.reload()[0], 200)
        self.assertTrue(two.until(lambda: two.goaway is not None))
        release.set()
        self.assertEqual(two.answer(stream).body, b"done")
        self.assertEqual(two.end_code(), NO_ERROR)
        response = one.response()
        self.assertEqual((response.body, response.get("connection")), (b"done", "close"))
        one.expect_closed()
        self.assertIsNone(stays.get().response().get("connection"))

    def test_a_listener_that_cannot_be_bound_changes_nothing(self):
        taken = self.origin()
        edge = self.edge(self.origin())
        before = edge.snapshot()
        edge.config["listeners"].append({"name": "extra", "address": taken.address})
        edge.write()
        code, answer = edge.reload()
        self.assertGreaterEqual(code, 400)
        self.assertIn(str(taken.port), str(answer))
        self.assertEqual(edge.snapshot(), before)
        self.assertEqual(self.fetch(edge).status, 200)


if __name__ == "__main__":
    main()
