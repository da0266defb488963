#!/usr/bin/env python3
"""Concurrent misses make one request to the origin (issue 5, point 4), on all workers; whoever
cannot share what comes goes on its own at once."""
import threading

from harness.case import EdgeTest, main
from harness.wait import eventually

FRESH = "Cache-Control: max-age=60"
BODY = b"shared " * 3000


class Collapsing(EdgeTest):
    def cached_edge(self, *origins, workers=2, **cache):
        return self.edge(*origins, workers=workers, cache={"memory": "64MiB", **cache},
                         routes=[{"name": "all", "pools": ["main"], "cache": {"enabled": True}}])

    def gate(self):
        """An event that is set at the end in any case, so that no script waits longer."""
        gate = threading.Event()
        self.addCleanup(gate.set)
        return gate

    def waiting(self, edge, count):
        eventually(lambda: edge.metric("scrollgate_cache_waiting") == count,
                   f"{count} requests wait for a fill")

    def clients(self, edge, count, *fields):
        clients = [self.client(edge) for _ in range(count)]
        for client in clients:
            client.get("/x", "site.test", *fields)
        return clients

    def held(self, *fields, body=BODY):
        """An origin that holds its first head back until the gate opens, and the gate."""
        gate = self.gate()

        def script(conn):
            while True:
                conn.request()
                conn.wait(gate)
                conn.answer(body, "200 OK", *fields)
        return self.origin(script), gate

    def test_a_thousand_misses_on_two_workers_make_one_request(self):
        origin, gate = self.held(FRESH)
        edge = self.cached_edge(origin)
        clients = self.clients(edge, 1000)
        self.waiting(edge, 1000)
        # A connection stays with the worker that the kernel has given it to.
        here = [edge.metric("scrollgate_worker_connections", f'worker="{n}"') for n in (0, 1)]
        self.assertEqual(sum(here), 1000)
        self.assertGreater(min(here), 0, here)
        gate.set()
        for client in clients:
            response = client.final()
            self.assertEqual((response.status, response.body), (200, BODY))
        self.assertEqual(len(origin.requests()), 1)
        self.assertIn("; hit", self.fetch(edge, "/x").get("cache-status"))

    def test_followers_say_collapsed(self):
        origin, gate = self.held(FRESH)
        edge = self.cached_edge(origin)
        clients = self.clients(edge, 10)
        self.waiting(edge, 10)
        gate.set()
        words = [client.final().get("cache-status") for client in clients]
        self.assertEqual(sum("collapsed" in w for w in words), 9, words)
        self.assertTrue(all("fwd=miss" in w for w in words), words)

    def test_the_leader_leaves_and_the_others_are_served(self):
        origin, gate = self.held(FRESH)
        edge = self.cached_edge(origin)
        leader = self.clients(edge, 1)[0]
        origin.wait_requests(1)
        followers = self.clients(edge, 5)
        self.waiting(edge, 6)
        leader.reset()
        self.waiting(edge, 5)
        gate.set()
        for follower in followers:
            self.assertEqual(follower.final().body, BODY)
        self.assertEqual(len(origin.requests()), 1)

    def test_a_private_response_sends_followers_on_their_own(self):
        origin, gate = self.held("Cache-Control: private")
        edge = self.cached_edge(origin)
        clients = self.clients(edge, 5)
        self.waiting(edge, 5)
        gate.set()
        for client in clients:
            self.assertEqual(client.final().body, BODY)
        self.assertEqual(len(origin.requests()), 5)
        self.assertIn("detail=hit-for-miss", self.fetch(edge, "/x").get("cache-status"))
        self.assertEqual(len(origin.requests()), 6)

    def test_a_refusal_is_waited_for_once(self):
        """A 404 that is not stored: then nobody waits for another's, but a good one is stored."""
        gates = {"1": self.gate(), "2": self.gate(), "3": self.gate()}

        def script(conn):
            while True:
                turn = conn.request().get("x-turn")
                conn.wait(gates[turn])
                if turn == "3":
                    conn.answer(BODY, "200 OK", FRESH)
                else:
                    conn.answer(b"no", "404 Not Found")
        origin = self.origin(script)
        edge = self.cached_edge(origin)
        clients = self.clients(edge, 5, "X-Turn: 1")
        self.waiting(edge, 5)
        self.assertEqual(len(origin.wait_requests(1)), 1)
        gates["1"].set()
        for client in clients:
            self.assertEqual(client.final().status, 404)
        self.assertEqual(len(origin.requests()), 5)
        clients = self.clients(edge, 5, "X-Turn: 2")
        origin.wait_requests(10)                # all at once, while none has its answer
        gates["2"].set()
        for client in clients:
            self.assertEqual(client.final().status, 404)
        last = self.clients(edge, 2, "X-Turn: 3")
        origin.wait_requests(12)
        gates["3"].set()
        for client in last:
            self.assertEqual(client.final().body, BODY)
        self.assertIn("; hit", self.fetch(edge, "/x", "X-Turn: 1").get("cache-status"))
        self.assertEqual(len(origin.requests()), 12)

    def speaking(self):
        """An origin that answers in the client's language, and waits for the gate that is open."""
        gates = [self.gate()]

        def script(conn):
            while True:
                language = conn.request().get("accept-language")
                conn.wait(gates[-1])
                conn.answer(language.encode(), "200 OK", FRESH, "Vary: Accept-Language")
        return self.origin(script), gates

    def asking(self, edge, count, *languages):
        return {language: self.clients(edge, count, f"Accept-Language: {language}")
                for language in languages}

    def assert_answered(self, clients):
        for language, them in clients.items():
            self.assertEqual([c.final().body for c in them], [language.encode()] * len(them))

    def test_two_variants_make_two_requests_however_many_wait(self):
        origin, gates = self.speaking()
        edge = self.cached_edge(origin)
        clients = self.asking(edge, 100, "fr", "de")
        self.waiting(edge, 200)
        self.assertEqual(len(origin.requests()), 1)     # nobody knows of the variants yet
        gates[0].set()
        self.assert_answered(clients)
        self.assertEqual(len(origin.requests()), 2)

        # All has expired, and what it varies by is known: both at once.
        self.outdate(edge)
        # Then others of what is stored: likewise.
        for languages, requests in ((("de", "fr"), 4), (("it", "es"), 6)):
            gates.append(self.gate())
            clients = self.asking(edge, 100, *languages)
            self.waiting(edge, 200)
            self.assertEqual(len(origin.wait_requests(requests)), requests)
            gates[-1].set()
            self.assert_answered(clients)
        self.assertEqual(len(origin.requests()), 6)

    def test_a_truncated_response_is_seen_by_all_and_never_stored(self):
        gate = self.gate()

        def script(conn):
            conn.request()
            conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nCache-Control: max-age=60\r\n"
                      b"\r\nonly this")
            conn.wait(gate)
        origin = self.origin(script)
        edge = self.cached_edge(origin)
        clients = self.clients(edge, 3)
        for client in clients:      # who has nothing of it yet may get a 502 instead
            client.until(b"only this")
        gate.set()
        for client in clients:
            with self.assertRaises((AssertionError, ConnectionError)):
                client.final()
        origin.script = lambda conn: (conn.request(), conn.answer(b"whole", "200 OK", FRESH))
        response = self.fetch(edge, "/x")
        self.assertEqual(response.body, b"whole")
        self.assertIn("fwd=miss", response.get("cache-status"))

    def test_what_breaks_off_at_once_is_whole_for_nobody(self):
        gate = self.gate()

        def script(conn):
            conn.request()
            conn.wait(gate)
            conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nCache-Control: max-age=60\r\n"
                      b"\r\nonly this")
        edge = self.cached_edge(self.origin(script))
        clients = self.clients(edge, 3)
        self.waiting(edge, 3)
        gate.set()
        for client in clients:
            try:
                self.assertEqual(client.final().status, 502)
            except (AssertionError, ConnectionError):
                self.assertTrue(client.eof or client.buffer.startswith(b"HTTP/1.1 200"))

    def test_beyond_max_object_it_goes_on_as_a_pass(self):
        size = 512 * 1024
        middle = self.gate()

        def script(conn):
            while True:
                conn.request()
                conn.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                          b"Cache-Control: max-age=60\r\n\r\n")
                for _ in range(8):
                    conn.send(b"%x\r\n" % (size // 8) + b"x" * (size // 8) + b"\r\n")
                conn.wait(middle)
                conn.send(b"0\r\n\r\n")
        origin = self.origin(script)
        edge = self.cached_edge(origin, max_object="256KiB")
        clients = self.clients(edge, 2)
        origin.wait_requests(1)
        middle.set()
        for client in clients:
            self.assertEqual(client.final().body, b"x" * size)
        before = len(origin.requests())
        self.assertNotIn("; hit", self.fetch(edge, "/x").get("cache-status"))
        self.assertEqual(len(origin.requests()), before + 1)


if __name__ == "__main__":
    main()
