"""A Redis that is frozen, killed, full, read-only, cut off or garbled hurts no request."""
import random
import time

from harness import main
from harness.fleet import FleetTest
from harness.stored import counting
from harness.wait import eventually


class Trouble(FleetTest):
    def fetch_all(self, edge, targets):
        """Each answer is the origin's own, whole; the slowest took so many seconds."""
        slowest = 0
        for target in targets:
            began = time.monotonic()
            answer = self.fetch(edge, target)
            slowest = max(slowest, time.monotonic() - began)
            self.assertEqual(answer.status, 200)
            self.assertTrue(answer.body.endswith(target.encode()), answer.body)
        return slowest

    def test_frozen(self):
        redis, origin = self.redis(), counting()
        edge = self.node(redis, origin, timeout="50ms")
        self.fetch_all(edge, ["/kept"])
        redis.freeze()
        try:
            self.fetch_all(edge, [f"/{i}" for i in range(30)])
            eventually(lambda: self.tier(edge)["state"] == "open" or not self.tier(edge)["in_step"],
                       "Redis is left alone")
            before = self.tier(edge)["failures"]
            self.fetch_all(edge, [f"/later/{i}" for i in range(30)])
            self.assert_hit(self.fetch(edge, "/kept"))      # memory answers all the time
            self.assertLessEqual(self.tier(edge)["failures"], before + 5)
        finally:
            redis.thaw()
        self.wait_in_step(edge)
        eventually(lambda: self.tier(edge)["state"] == "up", "it is used again")
        writes = self.tier(edge)["writes"]
        self.fetch_all(edge, ["/back"])
        eventually(lambda: self.tier(edge)["writes"] > writes, "and written to")

    def test_who_gets_no_answer_does_not_wait_for_a_lease_as_well(self):
        redis, origin = self.redis(), counting()
        edge = self.node(redis, origin, timeout="50ms")
        redis.freeze()
        try:
            self.fetch_all(edge, ["/a"])
        finally:
            redis.thaw()
        self.wait_in_step(edge)
        # It would have been taken now, and would stand for seconds.
        self.assertEqual([k for k in redis.keys() if k.endswith(":lease")], [])
        self.assertEqual(self.tier(edge)["leases"], 0)

    def test_a_reading_that_does_not_wait_is_not_asked_again_and_again(self):
        """Something in between, or a server that is not Redis, answers XREAD BLOCK at once."""
        origin, asked, urls, redises = counting(), [0, 0], [], [self.redis(), self.redis()]
        for i, redis in enumerate(redises):
            meddler, url = self.meddler(redis)

            def at_once(data, i=i):
                asked[i] += data.count(b"\r\nXREAD\r\n")
                return data.replace(b"\r\nBLOCK\r\n$3\r\n500\r\n", b"\r\nBLOCK\r\n$1\r\n1\r\n")
            meddler.change = at_once
            urls.append(url)
        edge = self.node(urls[0], origin, purge_log=urls[1:])
        eventually(lambda: self.tier(edge)["purge_logs"][0]["in_step"], "it follows both logs")
        nodes = "{scrollgate}:nodes"
        before, beats = list(asked), redises[0].call("XLEN", nodes)
        eventually(lambda: redises[0].call("XLEN", nodes) >= beats + 2, "two more beats of 2 s", 30)
        for more, was in zip(asked, before):
            self.assertLess(more - was, 100)
        self.assertTrue(self.tier(edge)["in_step"])
        other = self.node(redises[0], origin)
        self.call(other, "POST", "/purge", {"url": "http://site.test/x"})
        eventually(lambda: self.tier(edge)["heard"] == 1, "it hears of purges")

    def test_a_log_of_another_type_is_told_of_until_it_is_gone(self):
        redis, log = self.redis(), "{scrollgate}:purges"
        redis.call("SET", log, "x")
        edge = self.node(redis, counting(), wait=False)
        edge.wait_ready()
        edge.wait_stderr("the log of purges cannot be followed")
        self.assertTrue(self.tier(edge)["log_refuses"])
        _, answer = self.call(edge, "POST", "/purge", {"all": True})
        self.assertEqual(answer["nodes"], 1)
        self.assertEqual(self.tier(edge)["purges_waiting"], 1)
        redis.call("DEL", log)
        self.wait_in_step(edge)
        eventually(lambda: self.tier(edge)["purges_waiting"] == 0, "it is written")
        self.assertFalse(self.tier(edge)["log_refuses"])

    def test_what_lies_in_place_of_a_response_is_replaced(self):
        redis, origin = self.redis(), counting()
        first, second = self.node(redis, origin), self.node(redis, origin)
        self.fetch_all(first, ["/a"])
        self.wait_written(redis, 1)
        (name,) = redis.responses()
        redis.call("DEL", name)
        redis.call("LPUSH", name, "x")
        self.fetch_all(second, ["/a"])
        eventually(lambda: redis.call("TYPE", name) in ("string", b"string"), "it is one again")

    def test_killed_and_restarted(self):
        redis, origin = self.redis(), counting()
        edge = self.node(redis, origin)
        self.fetch_all(edge, ["/kept"])
        redis.kill()
        self.fetch_all(edge, [f"/{i}" for i in range(30)])
        self.assert_hit(self.fetch(edge, "/kept"))
        redis.start()
        self.wait_in_step(edge)
        # The memory of a fleet is not thrown away.
        self.assert_hit(self.fetch(edge, "/kept"))
        writes = self.tier(edge)["writes"]
        self.fetch_all(edge, ["/back"])
        eventually(lambda: self.tier(edge)["writes"] > writes, "it is written to")

    def test_not_there_at_the_start(self):
        redis, origin = self.redis(), counting()
        redis.kill()
        edge = self.node(redis, origin, wait=False)
        edge.wait_ready()
        self.fetch_all(edge, ["/a"])
        redis.start()
        self.wait_in_step(edge)

    def test_out_of_memory(self):
        redis, origin = self.redis(), counting()
        edge = self.node(redis, origin)
        self.fetch_all(edge, ["/before"])
        self.wait_written(redis, 1)
        redis.call("CONFIG", "SET", "maxmemory", "1")
        self.fetch_all(edge, [f"/{i}" for i in range(300)])
        eventually(lambda: self.tier(edge)["errors"] >= 1, "writes are refused")
        # Reads of the master and removals go on, and are no sign that it takes writes again.
        self.assertEqual(edge.stderr().count("takes no writes"), 1)
        redis.call("CONFIG", "SET", "maxmemory", "0")
        def written():
            self.fetch_all(edge, [f"/again/{random.random()}"])
            return len(redis.responses()) > 1
        eventually(written, "it is written again")

    def test_read_only(self):
        master, redis, origin = self.redis(), self.redis(), counting()
        edge = self.node(redis, origin)
        redis.call("REPLICAOF", "127.0.0.1", master.port)
        self.fetch_all(edge, [f"/{i}" for i in range(30)])
        redis.call("REPLICAOF", "NO", "ONE")
        self.wait_in_step(edge)
        def written():
            self.fetch_all(edge, [f"/again/{random.random()}"])
            return len(redis.responses()) >= 1
        eventually(written, "it is written again")

    def test_cut_off_again_and_again(self):
        redis, origin = self.redis(), counting()
        meddler, url = self.meddler(redis)
        edge = self.node(url, origin)
        for round_ in range(10):
            self.fetch_all(edge, [f"/{round_}/{i}" for i in range(5)])
            meddler.cut()
            self.fetch_all(edge, [f"/{round_}/cut/{i}" for i in range(5)])
        self.wait_in_step(edge)

    def test_garbled_answers_are_never_taken_for_responses(self):
        redis, origin = self.redis(), counting()
        meddler, url = self.meddler(redis)
        writer, reader = self.node(redis, origin), self.node(url, origin)
        targets = [f"/{i}" for i in range(100)]
        self.fetch_all(writer, targets)
        self.wait_written(redis, 100)
        meddler.garble = 0.002
        for i in range(0, 100, 10):
            self.fetch_all(reader, targets[i:i + 10])
            meddler.cut()
        meddler.garble = 0.0
        meddler.cut()
        self.wait_in_step(reader)

    def test_bytes_of_others_under_our_names_are_misses(self):
        redis, origin = self.redis(), counting()
        writer = self.node(redis, origin)
        targets = [f"/{i}" for i in range(10)]
        self.fetch_all(writer, targets)
        self.wait_written(redis, 10)
        names = redis.responses()
        values = {name: redis.call("GET", name) for name in names}
        spoilt = [b"", b"hello", values[names[2]][:50], values[names[3]] + b"x",
                  values[names[4]][:100] + b"\0" + values[names[4]][101:],
                  values[names[6]],                             # another key's
                  values[names[6]][:3] + b"\2" + values[names[6]][4:]]
        for name, value in zip(names, spoilt):
            redis.call("SET", name, value, "PX", 600_000)
        redis.call("DEL", names[7])
        redis.call("RPUSH", names[7], "not a string")
        reader = self.node(redis, origin)
        self.fetch_all(reader, targets)
        tier = self.tier(reader)
        self.assertEqual(tier["hits"], 2)
        # Each is looked at once, and once more by who has the lease to ask the origin.
        self.assertEqual(tier["foreign_keys"], 2)
        self.assertEqual(tier["failures"], 1)
        self.assertEqual(tier["unreadable"], {"foreign": 4, "version": 2, "cut": 4, "broken": 2})


if __name__ == "__main__":
    main()
