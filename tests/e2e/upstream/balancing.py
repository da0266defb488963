"""Weights, Host modes and pool limits."""
import threading

from harness import EdgeTest, eventually, main

IN_TURN = {"name": "all", "pools": ["main"], "balance": "round_robin"}


class Balancing(EdgeTest):
    def test_round_robin_is_even(self):
        origins = [self.origin() for _ in range(3)]
        edge = self.edge(*origins, routes=[IN_TURN])
        client = self.client(edge)
        for _ in range(30):
            client.get().response()
        self.assertEqual([len(o.requests()) for o in origins], [10, 10, 10])

    def test_weights_of_endpoints_are_kept(self):
        one, three = self.origin(), self.origin()
        edge = self.edge(one, {"address": three.address, "weight": 3}, routes=[IN_TURN])
        client = self.client(edge)
        for _ in range(40):
            client.get().response()
        self.assertEqual((len(one.requests()), len(three.requests())), (10, 30))

    def test_weights_of_pools_are_kept(self):
        one, three = self.origin(), self.origin()
        edge = self.edge(pools={"one": {"endpoints": [one.address]},
                                "three": {"endpoints": [three.address]}},
                         routes=[{**IN_TURN, "pools": [
                             "one", {"name": "three", "weight": 3}]}])
        client = self.client(edge)
        for _ in range(40):
            client.get().response()
        self.assertEqual((len(one.requests()), len(three.requests())), (10, 30))

    def test_priority_one_rests_while_priority_zero_works(self):
        first, second = self.origin(), self.origin()
        edge = self.edge(pools={"first": {"endpoints": [first.address]},
                                "second": {"endpoints": [second.address]}},
                         routes=[{"name": "all", "pools": [
                             {"name": "second", "priority": 1}, "first"]}])
        for _ in range(10):
            self.fetch(edge)
        self.assertEqual((len(first.requests()), len(second.requests())), (10, 0))

    def host(self, mode, endpoint=None):
        origin = self.origin()
        address = endpoint.format(port=origin.port) if endpoint else origin.address
        pool = {"endpoints": [address]}
        if mode is not None:
            pool["host"] = mode
        edge = self.edge(pools={"main": pool})
        self.assertEqual(self.fetch(edge, host="site.test:81").status, 200)
        request = origin.requests()[0]
        self.assertEqual(request.get("x-forwarded-host"), "site.test:81")
        self.assertEqual(len(request.all("host")), 1)
        return request.get("host"), origin

    def test_host_client_is_the_default(self):
        self.assertEqual(self.host(None)[0], "site.test:81")
        self.assertEqual(self.host("client")[0], "site.test:81")

    def test_host_endpoint_is_its_name(self):
        host, origin = self.host("endpoint", "localhost:{port}")
        self.assertIn(host, ("localhost", f"localhost:{origin.port}"))

    def test_host_literal(self):
        self.assertEqual(self.host("app.example")[0], "app.example")


class PoolLimits(EdgeTest):
    def held(self, origins=1, **limits):
        """A proxy whose origins hold every answer until self.release."""
        self.release = threading.Event()

        def script(conn):
            while True:
                conn.request()
                conn.wait(self.release)
                conn.answer(b"ok")
        self.peers = [self.origin(script) for _ in range(origins)]
        self.peer = self.peers[0]
        return self.edge(pools={"main": {"endpoints": [peer.address for peer in self.peers],
                                         "limits": limits}}, routes=[IN_TURN])

    def test_a_connection_limit_makes_others_wait_their_turn(self):
        edge = self.held(connections=2)
        clients = [self.client(edge).get(f"/{n}") for n in range(6)]
        self.peer.wait_requests(2)
        self.release.set()
        for client in clients:
            self.assertEqual(client.response().status, 200)
        self.assertLessEqual(len(self.peer.connections), 2)

    def test_an_in_flight_limit_makes_others_wait_their_turn(self):
        edge = self.held(in_flight=1)
        clients = [self.client(edge).get(f"/{n}") for n in range(3)]
        self.peer.wait_requests(1)
        self.assertEqual(len(self.peer.requests()), 1)
        self.release.set()
        for client in clients:
            self.assertEqual(client.response().status, 200)

    def each_has_its_turn(self, edge):
        """Eight clients ask again and again until each was served three times."""
        served, over = [0] * 8, threading.Event()

        def ask(number):
            client = self.client(edge)
            while not over.is_set():
                served[number] += client.get("/").response().status == 200

        threads = [threading.Thread(target=ask, args=(n,)) for n in range(len(served))]
        for thread in threads:
            thread.start()
        try:
            eventually(lambda: min(served) >= 3, "each has its turn")
        finally:
            over.set()
            for thread in threads:
                thread.join()

    def test_nobody_starves_on_any_worker(self):
        def slow(conn):
            while True:
                conn.request()
                threading.Event().wait(0.02)        # that is how slow it is
                conn.answer(b"ok")
        for limit in ("in_flight", "connections"):
            with self.subTest(limit=limit):
                pool = {"endpoints": [self.origin(slow).address], "limits": {limit: 1}}
                self.each_has_its_turn(self.edge(pools={"main": pool}, routes=[IN_TURN],
                                                 workers=2))

    def test_the_limits_of_a_pool_are_of_all_its_endpoints(self):
        for limit in ("connections", "in_flight"):
            with self.subTest(limit=limit):
                edge = self.held(2, **{limit: 1})
                clients = [self.client(edge).get(f"/{n}") for n in range(4)]
                eventually(lambda: any(peer.requests() for peer in self.peers), "one is asked")
                self.assertEqual(sum(len(peer.requests()) for peer in self.peers), 1)
                self.release.set()
                for client in clients:
                    self.assertEqual(client.response().status, 200)

    def test_an_endpoint_at_its_limit_leaves_requests_to_the_others(self):
        for limit in ("connections", "in_flight"):
            with self.subTest(limit=limit):
                edge = self.held(2, endpoint={limit: 1})
                clients = [self.client(edge).get(f"/{n}") for n in range(4)]
                for peer in self.peers:
                    peer.wait_requests(1)
                    self.assertEqual(len(peer.requests()), 1)
                self.release.set()
                for client in clients:
                    self.assertEqual(client.response().status, 200)

    def test_an_idle_connection_to_another_endpoint_makes_room(self):
        for workers in (1, 2):
            with self.subTest(workers=workers):
                one, two = self.origin(), self.origin()
                edge = self.edge(
                    pools={"main": {"endpoints": [one.address, two.address],
                                    "limits": {"connections": 1}}},
                    routes=[IN_TURN], workers=workers)
                for _ in range(20):  # they come to either worker
                    self.assertEqual(self.fetch(edge).status, 200)
                self.assertTrue(one.requests() and two.requests())

    def test_beyond_pending_it_is_503(self):
        edge = self.held(connections=1, pending=1)
        first = self.client(edge).get("/first")
        self.peer.wait_requests(1)
        others = [self.client(edge).get(f"/{n}") for n in range(2)]
        eventually(lambda: len(edge.log_text().splitlines()) == 1, "one request is turned away")
        self.assertEqual((edge.log(1)[0]["status"], edge.log(1)[0]["outcome"]),
                         (503, "overloaded"))
        self.release.set()
        answers = sorted((c.response() for c in (first, *others)), key=lambda one: one.status)
        self.assertEqual([one.status for one in answers], [200, 200, 503])
        self.assertEqual(answers[2].get("retry-after"), "1")


if __name__ == "__main__":
    main()
