"""The Redis client against sets of real servers: a cluster that changes under load, and sentinels.

Answers are never wrong while slots move and masters die; what fails, fails for a while.
"""
from harness import main
from harness.redis import RedisTest
from harness.wait import eventually, free_port

SLOTS = 16384


class ClusterTest(RedisTest):
    """Three masters with a replica each."""

    def setUp(self):
        super().setUp()
        # By default the nodes' own port is 10,000 above the clients', where there may be none.
        buses = [free_port() for _ in range(6)]
        self.nodes = [self.server("--cluster-enabled", "yes", "--cluster-node-timeout", "2000",
                                  "--cluster-replica-validity-factor", "0",
                                  "--cluster-port", bus) for bus in buses]
        masters = self.nodes[:3]
        for other, bus in zip(self.nodes[1:], buses[1:]):
            self.nodes[0].ask("CLUSTER", "MEET", "127.0.0.1", other.port, bus)
        for i, master in enumerate(masters):
            first, last = SLOTS * i // 3, SLOTS * (i + 1) // 3 - 1
            master.ask("CLUSTER", "ADDSLOTSRANGE", first, last)
        eventually(lambda: all(n.ask("CLUSTER", "NODES").count("connected") >= 6
                               for n in self.nodes), "all know each other", 60)
        for master, replica in zip(masters, self.nodes[3:]):
            eventually(lambda: self.replicate(master, replica), "a replica", 30)
        eventually(lambda: all("cluster_state:ok" in n.ask("CLUSTER", "INFO")
                               for n in self.nodes), "the cluster is well", 30)
        eventually(lambda: all("master_link_status:up" in n.ask("INFO", "replication")
                               for n in self.nodes[3:]), "replicas follow", 30)
        eventually(lambda: all([len(s) for s in n.ask("CLUSTER", "SLOTS")] == [4, 4, 4]
                               for n in self.nodes), "all know who follows whom", 30)

    @staticmethod
    def replicate(master, replica):
        try:
            return replica.ask("CLUSTER", "REPLICATE", master.ask("CLUSTER", "MYID")) == "OK"
        except RuntimeError:
            return False  # not known there yet

    def driven(self, **keys):
        driver = self.driver(url=f"redis://127.0.0.1:{self.nodes[0].port}", **keys)
        self.assertTrue(driver.is_up())
        masters = 6 if keys.get("read_from") == "replica" else 3
        eventually(lambda: driver.stats()["nodes_up"] == masters, "it knows the nodes")
        return driver

    def move_slot(self, slot, source, target):
        """As redis-cli --cluster reshard does."""
        source_id, target_id = source.ask("CLUSTER", "MYID"), target.ask("CLUSTER", "MYID")
        target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", source_id)
        source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", target_id)
        while keys := source.ask("CLUSTER", "GETKEYSINSLOT", slot, 10):
            source.ask("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys)
        for node in (target, source):
            node.ask("CLUSTER", "SETSLOT", slot, "NODE", target_id)

    def test_keys_are_where_they_belong(self):
        driver = self.driven()
        seen = driver.loaded(200, 20, lambda: driver.answers(3000))
        self.assertEqual((seen["wrong"], seen["errors"], seen["failed"]), (0, 0, 0))
        self.assertEqual(driver.stats()["redirects"], 0)
        for master in self.nodes[:3]:
            self.assertGreater(master.ask("DBSIZE"), 20)

    def test_slots_that_move_under_load(self):
        driver = self.driven()
        driver.loaded(30, 20)
        slots = [int(self.nodes[0].ask("CLUSTER", "KEYSLOT", f"key:{i}")) for i in range(30)]
        mine = [slot for slot in slots if slot < SLOTS // 3]
        self.assertGreater(len(mine), 2)

        def move():
            for slot in mine:
                self.move_slot(slot, self.nodes[0], self.nodes[1])
                driver.answers()
        seen = driver.loaded(30, 20, move)
        self.assertEqual((seen["wrong"], seen["failed"]), (0, 0))
        stats = driver.stats()
        self.assertGreater(stats["redirects"], 0)
        # What moved is known: nothing is sent on any more.
        driver.loaded(30, 20)
        self.assertEqual(driver.stats()["redirects"], stats["redirects"])

    def test_a_master_that_dies_under_load(self):
        driver = self.driven()

        def die():
            driver.answers()
            self.nodes[1].kill()
            eventually(lambda: "role:master" in self.nodes[4].ask("INFO", "replication"),
                       "its replica takes over", 60)
            eventually(lambda: driver.stats()["nodes_up"] == 3, "three masters again", 60)
            driver.answers()
        seen = driver.loaded(200, 20, die)
        self.assertEqual(seen["wrong"], 0)
        self.assertGreater(seen["failed"], 0)
        seen = driver.loaded(200, 20, lambda: driver.answers(1000))
        self.assertEqual((seen["wrong"], seen["failed"]), (0, 0))
        self.assertGreater(self.nodes[4].ask("DBSIZE"), 0)

    def test_reads_from_replicas(self):
        driver = self.driven(read_from="replica")
        self.assertEqual(driver.ask("SET", "k", "v"), ("status", "OK"))
        eventually(lambda: driver.ask("GET", "k") == ("text", "v"), "the replica has it")
        gets = sum("cmdstat_get:" in n.ask("INFO", "commandstats") for n in self.nodes[:3])
        self.assertEqual(gets, 0)
        self.assertEqual(driver.stats()["redirects"], 0)


class SentinelTest(RedisTest):
    def test_a_failover_is_followed(self):
        first, second = self.server(), self.server()
        second.ask("REPLICAOF", "127.0.0.1", first.port)
        eventually(lambda: "master_link_status:up" in second.ask("INFO", "replication"), "follows")
        sentinels = [self.server(
            f"sentinel monitor mymaster 127.0.0.1 {first.port} 1",
            "sentinel down-after-milliseconds mymaster 500",
            "sentinel failover-timeout mymaster 3000", sentinel=True) for _ in range(1)]
        eventually(lambda: len(sentinels[0].ask("SENTINEL", "REPLICAS", "mymaster")) == 1,
                   "the sentinel knows the replica", 30)
        driver = self.driver(sentinel={
            "master": "mymaster",
            "nodes": [f"127.0.0.1:{free_port()}", *(s.address for s in sentinels)]})
        self.assertTrue(driver.is_up())
        self.assertEqual(driver.ask("SET", "k", "v"), ("status", "OK"))

        def die():
            driver.answers()
            first.kill()
            eventually(lambda: "role:master" in second.ask("INFO", "replication"), "failover", 30)
            self.state_becomes(driver, "up", 30)
            driver.answers()
        self.assertEqual(driver.loaded(50, 10, die)["wrong"], 0)
        self.assertEqual(driver.ask("SET", "k", "w"), ("status", "OK"))
        self.assertEqual(second.ask("GET", "k"), "w")

    def test_no_sentinel_at_all(self):
        driver = self.driver(sentinel={"master": "mymaster", "nodes": [f"127.0.0.1:{free_port()}"]})
        self.state_becomes(driver, "open")
        self.assertEqual(driver.ask("GET", "k"), ("failed", "connect_failed"))


if __name__ == "__main__":
    main()
