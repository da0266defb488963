"""A master that dies takes with it what its replica had not yet: purges that were said to it, too.

Redis replicates behind its answers. Whoever has said a purge that is lost so says it again, and
what was stored before counts no more.
"""
import signal

from harness import main
from harness.fleet import FleetTest
from harness.redis_sets import replicate, start_sentinel, wait_master
from harness.stored import counting
from harness.wait import eventually

LOG = "{scrollgate}:purges"


class BySentinel(FleetTest):
    def test_under_load(self):
        self.fails_over()

    def test_under_load_with_reads_from_replicas(self):
        self.fails_over(read_from="replica")

    def fails_over(self, **redis_keys):
        first, second = self.redis(), self.redis()
        replicate(second, first.port)
        sentinel = start_sentinel(self.redis, first)
        where = {"sentinel": {"master": "mymaster", "nodes": [sentinel.address]}}
        truth, nodes = self.fleet_of(where, **redis_keys)
        with self.under_load(truth, nodes) as load:
            first.kill()
            wait_master(second)
            self.wait_in_step(*nodes)
            load.more()
            first.start()       # the sentinel makes it a replica
            eventually(lambda: "role:slave" in first.ask("INFO", "replication"), "it follows", 30)
            load.more()


class LostPurge(FleetTest):
    """Two nodes reach a master through a way of theirs, which leads to its replica later."""

    def setUp(self):
        super().setUp()
        self.master, self.replica = self.redis(), self.redis()
        self.link, _ = self.meddler(self.master)        # from the replica
        self.way, url = self.meddler(self.master)       # from the nodes
        self.script = counting()
        self.here, self.away = self.node(url, self.script), self.node(url, self.script)
        self.wait_nodes(2, self.here, self.away)
        self.fetch(self.here, "/x")
        self.fetch(self.away, "/x")
        replicate(self.replica, self.link.port)
        self.wait_written(self.replica, 1)

    def lose(self):
        """The master dies, and its replica is the master."""
        self.master.kill()
        self.replica.ask("REPLICAOF", "NO", "ONE")
        self.way.to_port = self.replica.port

    def purge_and_lose(self):
        """A purge that neither the other node nor the replica has heard of."""
        self.link.mute.set()
        self.away.signal(signal.SIGSTOP)
        try:
            code, answer = self.call(self.here, "POST", "/purge", {"url": "http://site.test/x"})
            self.assertEqual((code, answer["nodes"]), (200, 1))
            self.assertEqual(self.master.call("XLEN", LOG), 2)
            self.assertEqual(self.replica.call("XLEN", LOG), 1)
            self.lose()
        finally:
            self.away.signal(signal.SIGCONT)

    def assert_mended(self):
        eventually(lambda: self.tier(self.away)["heard"] >= 1, "the other node hears of it", 30)
        self.wait_in_step(self.here, self.away)
        self.assertNotEqual(self.fetch(self.away, "/x").body, b"1 /x")
        # Nor does one that comes later get it from Redis, which has it still.
        later = self.node(self.replica, self.script)
        self.assertNotEqual(self.fetch(later, "/x").body, b"1 /x")

    def test_one_that_was_read_back(self):
        self.purge_and_lose()
        self.here.wait_stderr("the log of purges was lost")
        self.assert_mended()

    def test_one_that_was_not_read_back_yet(self):
        # What the node has read last stands in the replica's log, too: nothing seems to be missing.
        self.way.deaf.set()
        self.purge_and_lose()
        self.way.deaf.clear()
        self.assert_mended()
        self.assertNotIn("the log of purges was lost", self.here.stderr())


if __name__ == "__main__":
    main()
