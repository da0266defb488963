"""Limits of connections, and running out of file descriptors."""
import resource
import time

from harness import EdgeTest, RawClient, eventually, main


class Connections(EdgeTest):
    def try_get(self, edge):
        """The status of one exchange on a new connection; None if it was shed."""
        try:
            with RawClient(edge.port) as client:
                return client.get().response().status
        except (ConnectionError, AssertionError):
            return None

    def test_connections_sheds_the_newest(self):
        edge = self.edge(self.origin(), limits={"connections": 5})
        held = [self.client(edge) for _ in range(5)]
        for client in held:
            self.assertEqual(client.get().response().status, 200)
        self.assertIn(self.try_get(edge), (None, 503))
        for client in held:
            self.assertEqual(client.get().response().status, 200)
        held[0].close()
        eventually(lambda: self.try_get(edge) == 200, "a place becomes free")

    def test_connections_per_ip_counts_each_client(self):
        edge = self.edge(self.origin(), limits={"connections_per_ip": 2})
        held = [self.client(edge) for _ in range(2)]
        for client in held:
            self.assertEqual(client.get().response().status, 200)
        self.assertIn(self.try_get(edge), (None, 503))
        other = self.client(edge, source="127.0.0.2")
        self.assertEqual(other.get().response().status, 200)
        held[0].close()
        eventually(lambda: self.try_get(edge) == 200, "a place becomes free")

    def test_out_of_descriptors_keeps_serving(self):
        origin = self.origin()
        edge = self.edge(origin, limits={"connections": 100_000},
                         wrap=["prlimit", "--nofile=160:160"])
        first = self.client(edge)
        self.assertEqual(first.get("/warm").response().status, 200)
        flood = []
        for _ in range(300):
            try:
                flood.append(RawClient(edge.port))
            except OSError:
                break
        self.addCleanup(lambda: [c.close() for c in flood])
        for n in range(20):
            self.assertEqual(first.get(f"/{n}").response().status, 200)
        self.assertEqual(edge.admin("GET", "/healthz")[0], 200)
        ticks, started = edge.cpu_ticks(), time.monotonic()
        time.sleep(1.0)                     # accept() must not spin while it fails
        used = (edge.cpu_ticks() - ticks) / 100 / (time.monotonic() - started)
        self.assertLess(used, 0.5)
        edge.wait_stderr("descriptor")
        self.assertLess(edge.stderr().count("descriptor"), 20)      # once per second
        for client in flood:
            client.close()
        eventually(lambda: self.try_get(edge) == 200, "new clients are served again")

    def test_connections_are_given_back(self):
        edge = self.edge(self.origin())
        self.fetch(edge)
        before = edge.descriptors()
        for _ in range(50):
            self.fetch(edge)
        eventually(lambda: edge.descriptors() <= before, "descriptors are back")
        eventually(lambda: edge.metric("scrollgate_connections", 'side="client"') == 0,
                   "client connections are counted down")


if __name__ == "__main__":
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    main()
