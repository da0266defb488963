"""The Redis client against sets of real servers: a cluster that changes under load, and sentinels.

Answers are never wrong while slots move and masters die; what fails, fails for a while.
"""
from harness import main
from harness.redis import RedisTest
from harness.redis_sets import SLOTS, RedisCluster, replicate, start_sentinel, wait_master
from harness.wait import eventually, free_port


class ClusterTest(RedisTest):
    def setUp(self):
        super().setUp()
        self.cluster = RedisCluster(self.server)
        self.nodes = self.cluster.nodes

    def driven(self, **keys):
        driver = self.driver(url=f"redis://127.0.0.1:{self.nodes[0].port}", **keys)
        self.assertTrue(driver.is_up())
        masters = 6 if keys.get("read_from") == "replica" else 3
        eventually(lambda: driver.stats()["nodes_up"] == masters, "it knows the nodes")
        return driver

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
        slots = [self.cluster.slot_of(f"key:{i}") for i in range(30)]
        mine = [slot for slot in slots if slot < SLOTS // 3]
        self.assertGreater(len(mine), 2)

        def move():
            for slot in mine:
                self.cluster.move_slot(slot, self.nodes[0], self.nodes[1])
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
            self.cluster.fail_over(1)
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
        replicate(second, first.port)
        sentinel = start_sentinel(self.server, first)
        driver = self.driver(sentinel={
            "master": "mymaster",
            "nodes": [f"127.0.0.1:{free_port()}", sentinel.address]})
        self.assertTrue(driver.is_up())
        self.assertEqual(driver.ask("SET", "k", "v"), ("status", "OK"))

        def die():
            driver.answers()
            first.kill()
            wait_master(second)
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
