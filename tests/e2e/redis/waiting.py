"""Who waits for another node's fetch is told when it is over; nobody depends on being told."""
import threading

from harness import main
from harness.fleet import FleetTest
from harness.stored import held
from harness.wait import eventually


class Waiting(FleetTest):
    def pair(self, redis, origin, **keys):
        nodes = [self.node(redis, origin, **keys) for _ in range(2)]
        for node in nodes:
            self.wait_listening(node)
        return nodes

    def assert_is_told(self, origin, first, second, name):
        # It looks by itself, too, and may be the quicker one by chance.
        keys = iter(range(1000))
        eventually(lambda: self.told(origin, first, second, f"/{name}/{next(keys)}"), "it is told")

    def published(self, redis):
        stats = redis.call("INFO", "commandstats").decode()
        found = [line for line in stats.splitlines() if line.startswith("cmdstat_publish:")]
        return int(found[0].split("calls=")[1].split(",")[0]) if found else 0

    def leases(self, redis):
        return [key for key in redis.keys() if key.endswith(":lease")]

    def test_who_waits_is_told(self):
        redis, origin = self.redis(), held()
        first, second = self.pair(redis, origin)
        self.assert_is_told(origin, first, second, "a")
        self.assert_is_told(origin, second, first, "b")
        self.assertEqual(len(origin.asked), len(set(origin.asked)))
        eventually(lambda: self.leases(redis) == [], "leases are given back")

    def test_nothing_is_said_where_nobody_waits(self):
        redis, origin = self.redis(), held()
        first, second = self.pair(redis, origin)
        origin.go.set()
        for i in range(10):
            self.fetch(first, f"/alone/{i}")
        eventually(lambda: self.leases(redis) == [], "leases are given back")
        self.assertEqual(self.published(redis), 0)
        self.told(origin, first, second, "/x")
        eventually(lambda: self.published(redis) == 1, "it is said once")

    def test_what_is_not_stored_is_asked_for_again_by_who_is_told(self):
        redis, origin = self.redis(), held("no-store")
        first, second = self.pair(redis, origin)
        leader, waiter = self.both_ask(origin, first, second, "/x")
        origin.go.set()
        self.assertEqual([leader.final().body, waiter.final().body], [b"1", b"2"])

    def test_in_another_database_of_the_server(self):
        redis, origin = self.redis(), held()
        where = redis.url.removesuffix("/0") + "/3"
        first, second = self.pair(where, origin)
        self.assert_is_told(origin, first, second, "a")
        channels = redis.call("PUBSUB", "CHANNELS")
        self.assertEqual(channels, [b"{scrollgate}:freed:3"])

    def test_a_subscription_that_is_killed_while_somebody_waits(self):
        redis, origin = self.redis(), held()
        first, second = self.pair(redis, origin)
        leader, waiter = self.both_ask(origin, first, second, "/x")
        self.assertEqual(redis.call("CLIENT", "KILL", "TYPE", "pubsub"), 2)
        origin.go.set()
        leader.final()
        self.assert_from_redis(waiter.final())
        for node in (first, second):
            self.wait_listening(node)
        self.assert_is_told(origin, first, second, "again")

    def test_a_user_that_may_not_use_channels_looks_now_and_then(self):
        redis, origin = self.redis(users=["default on nopass ~* +@all resetchannels"]), held()
        nodes = [self.node(redis, origin) for _ in range(2)]
        self.assertFalse(self.told(origin, *nodes, "/x"))
        self.assertEqual([self.tier(node)["listening"] for node in nodes], [False, False])
        eventually(lambda: self.leases(redis) == [], "the lease is given back all the same")
        self.assertEqual(origin.asked, ["/x"])

    def test_a_user_that_may_do_what_the_manual_says_and_no_more(self):
        allowed = ("get set getrange setrange del unlink xadd xread xrange xrevrange zadd zrem "
                   "zcard zpopmin zrange zrangebyscore pexpire pttl eval evalsha script|load ping "
                   "publish subscribe select cluster|slots")
        redis = self.redis(users=["default on nopass ~* &* +@all", "edge on >word ~* &* -@all "
                                  + " ".join("+" + name for name in allowed.split())])
        url, origin = redis.url.replace("//", "//edge:word@"), held()
        first, second = self.pair(url, origin)
        self.assert_is_told(origin, first, second, "a")
        self.call(first, "POST", "/purge", {"tag": "red"})
        eventually(lambda: self.tier(second)["heard"] == 1, "purges are heard")
        denied = [line for line in redis.call("INFO", "errorstats").decode().splitlines()
                  if line.startswith("errorstat_NOPERM")]
        self.assertEqual(denied, [])

    def test_a_holder_that_dies_is_not_waited_for_long(self):
        redis, origin = self.redis(), held()
        first, second = self.pair(redis, origin)
        _, waiter = self.both_ask(origin, first, second, "/x")
        first.kill()
        eventually(lambda: len(origin.asked) == 2, "the second one asks for itself")
        origin.go.set()
        self.assertEqual(waiter.final().body, b"2")
        self.assertEqual(self.fetch(second, "/x").body, b"2")

    def each_gets_its_own(self, origin, leader, waiter):
        """Nobody waits for Redis, nor for the other node."""
        eventually(lambda: len(origin.asked) == 2, "the second one asks for itself")
        origin.go.set()
        self.assertEqual([leader.final().body, waiter.final().body], [b"1", b"2"])

    def test_redis_freezes_while_somebody_waits(self):
        redis, origin = self.redis(), held()
        first, second = self.pair(redis, origin, timeout="50ms")
        leader, waiter = self.both_ask(origin, first, second, "/x")
        redis.freeze()
        try:
            self.each_gets_its_own(origin, leader, waiter)
        finally:
            redis.thaw()
        for node in (first, second):
            self.wait_in_step(node)
            self.wait_listening(node)

    def test_redis_dies_and_comes_back(self):
        redis, origin = self.redis(), held()
        first, second = self.pair(redis, origin)
        leader, waiter = self.both_ask(origin, first, second, "/x")
        redis.kill()
        self.each_gets_its_own(origin, leader, waiter)
        self.wait_listening(second, False)
        redis.start()
        self.wait_in_step(first, second)
        for node in (first, second):
            self.wait_listening(node)
        self.assert_is_told(origin, first, second, "again")


class Late(FleetTest):
    def test_an_older_response_that_is_late_does_not_displace_a_younger_one(self):
        redis, slow = self.redis(), threading.Event()

        def origin(conn):
            while True:
                request = conn.request()
                origin.asked.append(request.target)
                number = len(origin.asked)
                conn.send(b"HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\n"
                          b"Content-Length: 2\r\n\r\n")
                if number == 1:
                    conn.wait(slow)
                conn.send(b"v%d" % number)
        origin.asked = []
        nodes = [self.node(redis, origin) for _ in range(3)]
        leader = self.client(nodes[0])
        leader.get("/x")
        eventually(lambda: origin.asked, "the first one asks")
        # It waits for half a second, then asks for itself, without the lease.
        self.assertEqual(self.fetch(nodes[1], "/x").body, b"v2")
        self.wait_written(redis, 1)
        writes = self.tier(nodes[0])["writes"]
        slow.set()
        self.assertEqual(leader.final().body, b"v1")
        eventually(lambda: self.tier(nodes[0])["writes"] > writes and
                   self.tier(nodes[0])["pending"] == 0, "it is written, or was to be")
        self.assertEqual(self.fetch(nodes[2], "/x").body, b"v2")
        self.assertEqual(len(origin.asked), 2)
        # A purge makes whatever knows of it the better one, and what is younger displaces it.
        self.call(nodes[1], "POST", "/purge", {"url": "http://site.test/x"})
        self.assertEqual(self.fetch(nodes[1], "/x").body, b"v3")
        eventually(lambda: b"v3" in redis.values(), "it is written")


if __name__ == "__main__":
    main()
