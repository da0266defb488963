"""One origin request for a cold key of the whole fleet; no node ever depends on it."""
import re
import signal
import threading

from harness import main
from harness.fleet import FleetTest
from harness.stored import counting, held
from harness.wait import eventually


class Collapsing(FleetTest):
    def test_nodes_wait_for_the_one_that_asks(self):
        redis, origin = self.redis(), held()
        nodes = [self.node(redis, origin) for _ in range(3)]
        clients = [self.client(node) for node in nodes]
        clients[0].get("/cold")
        eventually(lambda: origin.asked, "the first one asks")
        for client in clients[1:]:
            client.get("/cold")
        for node in nodes[1:]:
            eventually(lambda: self.tier(node)["waits"] == 1, "it waits for the first one")
        origin.go.set()
        answers = [client.final() for client in clients]
        self.assertEqual([answer.body for answer in answers], [b"1"] * 3)
        self.assertEqual(origin.asked, ["/cold"])
        for answer in answers[1:]:
            self.assert_from_redis(answer)
        # What is asked with the lease is no other miss.
        self.assertEqual(self.tier(nodes[0])["misses"], 1)
        eventually(lambda: not [k for k in redis.keys() if k.endswith(":lease")],
                   "the lease is given back")

    def test_the_lease_and_the_second_look_are_one_round_trip(self):
        redis, origin = self.redis(), counting()
        meddler, url = self.meddler(redis)
        edge = self.node(url, origin)
        lease = re.compile(rb"\r\nSET\r\n\$\d+\r\n[^\r]*:lease\r\n(?!.*\r\nGET\r\n)", re.S)
        meddler.withhold = lease.search     # who waits for its answer before it looks waits in vain
        self.assert_miss(self.fetch(edge, "/cold"))
        tier = self.tier(edge)
        self.assertEqual((tier["leases"], tier["failures"], tier["misses"]), (1, 0, 1))

    def test_answers_that_are_probably_for_one_alone_wait_for_nobody(self):
        redis, origin = self.redis(), held()
        nodes = [self.node(redis, origin) for _ in range(2)]
        clients = [self.client(node) for node in nodes]
        for i, client in enumerate(clients):
            client.get("/mine", "site.test", f"Authorization: Basic {i}")
            eventually(lambda: len(origin.asked) == i + 1, "it asks for itself")
        self.assertEqual([k for k in redis.keys() if k.endswith(":lease")], [])
        self.assertEqual([self.tier(node)["waits"] for node in nodes], [0, 0])
        origin.go.set()
        for client in clients:
            client.final()

    def test_a_private_answer_ends_the_wait_with_its_head(self):
        redis, go, ended = self.redis(), threading.Event(), threading.Event()
        self.addCleanup(ended.set)

        def script(conn):
            conn.request()
            script.asked.append("/cold")
            if len(script.asked) == 1:
                conn.wait(go)
                conn.send(b"HTTP/1.1 200 OK\r\nCache-Control: private\r\n"
                          b"Content-Length: 8\r\n\r\nhalf")
                conn.wait(ended)
                conn.send(b"done")
            else:
                conn.answer(b"mine", "200 OK", "Cache-Control: private")
        script.asked = []
        first, second = self.node(redis, script), self.node(redis, script)
        leader, waiter = self.both_ask(script, first, second, "/cold")
        go.set()
        self.assertEqual(waiter.final().body, b"mine")
        self.assertEqual(self.tier(second)["waits_won"], 1)     # it was told so, by a marker
        ended.set()
        self.assertEqual(leader.final().body, b"halfdone")

    def test_nobody_waits_for_long_for_one_that_died(self):
        redis, origin = self.redis(), held()
        first, second = self.node(redis, origin), self.node(redis, origin)
        client = self.client(first)
        client.get("/cold")
        eventually(lambda: origin.asked, "the first one asks")
        first.signal(signal.SIGSTOP)
        try:
            other = self.client(second)
            other.get("/cold")
            eventually(lambda: len(origin.asked) == 2, "the second one asks for itself")
            origin.go.set()
            self.assertEqual(other.final().body, b"2")
        finally:
            first.signal(signal.SIGCONT)
        client.final()

    def test_a_lease_whose_answer_came_too_late_is_given_back(self):
        redis, origin = self.redis(), held()
        meddler, url = self.meddler(redis)
        node = self.node(url, origin, timeout="100ms")

        def asked(data):
            if b"NX" in data:
                meddler.delay = 0.3
        meddler.asked = asked
        client = self.client(node)
        client.get("/cold")
        eventually(lambda: origin.asked, "it asks without a lease")
        self.assertEqual(self.tier(node)["leases"], 0)
        meddler.asked, meddler.delay = lambda data: None, 0
        eventually(lambda: self.tier(node)["pending"] == 0, "the answer has come")
        self.assertEqual(len([k for k in redis.keys() if k.endswith(":lease")]), 1)
        origin.go.set()
        client.final()
        self.wait_written(redis, 1)
        eventually(lambda: self.tier(node)["pending"] == 0, "all is said")
        # It would stand there for seconds.
        self.assertEqual([k for k in redis.keys() if k.endswith(":lease")], [])

    def test_a_lease_that_somebody_else_has_is_not_given_back(self):
        redis, origin = self.redis(), held()
        node = self.node(redis, origin)
        client = self.client(node)
        client.get("/cold")
        eventually(lambda: origin.asked, "it asks")
        lease, = [k for k in redis.keys() if k.endswith(":lease")]
        redis.call("SET", lease, "another", "PX", 60_000)
        origin.go.set()
        client.final()
        eventually(lambda: self.tier(node)["pending"] == 0, "all is said")
        self.assertEqual(redis.call("GET", lease), b"another")

    def test_one_node_refreshes_what_is_stale(self):
        redis, origin = self.redis(), held("max-age=1, stale-while-revalidate=600")
        origin.go.set()
        nodes = [self.node(redis, origin) for _ in range(3)]
        for node in nodes:
            self.fetch(node, "/s")
        self.assertEqual(len(origin.asked), 1)
        origin.go.clear()

        def refreshed():
            self.fetch(nodes[0], "/s")
            return len(origin.asked) == 2
        eventually(refreshed, "the first one refreshes it")
        for node in nodes[1:]:
            answer = self.fetch(node, "/s")
            self.assertEqual(answer.body, b"1")
        origin.go.set()
        for node in nodes[1:]:
            eventually(lambda: self.fetch(node, "/s").body == b"2", "it gets the new one")
        self.assertEqual(len(origin.asked), 2)


if __name__ == "__main__":
    main()
