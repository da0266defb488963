"""The tier in a cluster of six under load: slots move, masters die, and every answer is right."""
from harness import main
from harness.fleet import FleetTest
from harness.redis_sets import RedisCluster

LOG = "{scrollgate}:purges"


class InACluster(FleetTest):
    def setUp(self):
        super().setUp()
        self.cluster = RedisCluster(self.redis)
        where = {"url": self.cluster.nodes[0].url.removesuffix("/0"),
                 "nodes": [node.address for node in self.cluster.nodes[1:]]}
        self.truth, self.edges = self.fleet_of(where)

    def test_slots_that_move(self):
        with self.under_load(self.truth, self.edges) as load:
            source = self.cluster.master_of(LOG)
            masters = self.cluster.masters
            target = masters[(source + 1) % 3]
            # What is stored there, and the log of purges itself.
            slots = {self.cluster.slot_of(key) for key in masters[source].keys()}
            self.assertIn(self.cluster.slot_of(LOG), slots)
            self.assertGreater(len(slots), 5)
            for slot in slots:
                self.cluster.move_slot(slot, masters[source], target)
                load.more(30)
            self.assertEqual(target.call("EXISTS", LOG), 1)

    def test_masters_that_die(self):
        with self.under_load(self.truth, self.edges) as load:
            log = self.cluster.master_of(LOG)
            for index in ((log + 1) % 3, log):
                self.cluster.fail_over(index)
                self.wait_in_step(*self.edges)
                load.more()
        self.assertEqual(self.cluster.replicas[log].call("EXISTS", LOG), 1)


if __name__ == "__main__":
    main()
