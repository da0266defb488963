"""The tier in a cluster of six under load: slots move, masters die, and every answer is right."""
from harness import main
from harness.fleet import FleetTest
from harness.redis_sets import RedisCluster
from harness.stored import held
from harness.wait import eventually

LOG = "{scrollgate}:purges"


class InACluster(FleetTest):
    def setUp(self):
        super().setUp()
        self.cluster = RedisCluster(self.redis)
        self.where = {"url": self.cluster.nodes[0].url.removesuffix("/0"),
                      "nodes": [node.address for node in self.cluster.nodes[1:]]}

    def test_who_waits_hears_of_it_from_whichever_server_has_the_lease(self):
        origin = held()
        first, second = (self.node(self.where, origin) for _ in range(2))
        self.wait_listening(second)
        told, keys = set(), iter(range(1000))

        def all_masters():
            before = set(self.responses())
            if self.told(origin, first, second, f"/{next(keys)}"):
                told.update(map(self.cluster.master_of, set(self.responses()) - before))
            return len(told) == 3
        eventually(all_masters, "it hears from three masters", 30)

    def responses(self):
        return [key for master in self.cluster.masters for key in master.responses()]

    def test_slots_that_move(self):
        truth, edges = self.fleet_of(self.where)
        with self.under_load(truth, edges) as load:
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
        truth, edges = self.fleet_of(self.where)
        with self.under_load(truth, edges) as load:
            log = self.cluster.master_of(LOG)
            for index in ((log + 1) % 3, log):
                self.cluster.fail_over(index)
                self.wait_in_step(*edges)
                load.more()
        self.assertEqual(self.cluster.replicas[log].call("EXISTS", LOG), 1)


if __name__ == "__main__":
    main()
