"""Sets of real Redis servers: a cluster whose slots move and whose masters die, and sentinels."""
from .wait import eventually, free_port

SLOTS = 16384


class RedisCluster:
    """Three masters with a replica each. `start(*arguments)` gives a RedisServer."""

    def __init__(self, start):
        # By default the nodes' own port is 10,000 above the clients', where there may be none.
        buses = [free_port() for _ in range(6)]
        self.nodes = [start("--cluster-enabled", "yes", "--cluster-node-timeout", "2000",
                            "--cluster-replica-validity-factor", "0",
                            "--cluster-port", bus) for bus in buses]
        self.masters, self.replicas = self.nodes[:3], self.nodes[3:]
        for i, master in enumerate(self.masters):
            first, last = SLOTS * i // 3, SLOTS * (i + 1) // 3 - 1
            master.ask("CLUSTER", "ADDSLOTSRANGE", first, last)
        eventually(lambda: self._acquainted(buses), "all know each other", 60)
        for master, replica in zip(self.masters, self.replicas):
            eventually(lambda: self._replicate(master, replica), "a replica", 30)
        eventually(lambda: all("cluster_state:ok" in n.ask("CLUSTER", "INFO")
                               for n in self.nodes), "the cluster is well", 30)
        eventually(lambda: all("master_link_status:up" in n.ask("INFO", "replication")
                               for n in self.replicas), "replicas follow", 30)
        eventually(lambda: all([len(s) for s in n.ask("CLUSTER", "SLOTS")] == [4, 4, 4]
                               for n in self.nodes), "all know who follows whom", 30)

    def _acquainted(self, buses):
        """On a busy machine a handshake may take too long: both then forget each other."""
        known = self.nodes[0].ask("CLUSTER", "NODES")
        for other, bus in zip(self.nodes[1:], buses[1:]):
            if f":{other.port}@" not in known:
                self.nodes[0].ask("CLUSTER", "MEET", "127.0.0.1", other.port, bus)
        return all(n.ask("CLUSTER", "NODES").count("connected") >= 6 for n in self.nodes)

    @staticmethod
    def _replicate(master, replica):
        try:
            return replica.ask("CLUSTER", "REPLICATE", master.ask("CLUSTER", "MYID")) == "OK"
        except RuntimeError:
            return False  # not known there yet

    def slot_of(self, key):
        return self.nodes[0].ask("CLUSTER", "KEYSLOT", key)

    def master_of(self, key):
        """The index of the master that had the key at first."""
        return next(i for i in range(3) if self.slot_of(key) < SLOTS * (i + 1) // 3)

    @staticmethod
    def move_slot(slot, source, target):
        """As redis-cli --cluster reshard does."""
        source_id, target_id = source.ask("CLUSTER", "MYID"), target.ask("CLUSTER", "MYID")
        target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", source_id)
        source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", target_id)
        while keys := source.ask("CLUSTER", "GETKEYSINSLOT", slot, 10):
            source.ask("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys)
        for node in (target, source):
            node.ask("CLUSTER", "SETSLOT", slot, "NODE", target_id)

    def fail_over(self, index):
        """Kills a master and waits until its replica has taken over."""
        self.masters[index].kill()
        wait_master(self.replicas[index], 60)


def wait_master(server, seconds=30):
    def is_master():
        try:
            return "role:master" in server.ask("INFO", "replication")
        except OSError:     # it lets go of its clients as it is promoted
            return False
    eventually(is_master, "it is the master", seconds)


def replicate(replica, port):
    """`replica` follows who listens there, and has all that is there."""
    replica.ask("REPLICAOF", "127.0.0.1", port)
    eventually(lambda: "master_link_status:up" in replica.ask("INFO", "replication"), "it follows")


def start_sentinel(start, master, name="mymaster"):
    """A sentinel, enough by itself for a failover, that knows `master` and its one replica."""
    sentinel = start(f"sentinel monitor {name} 127.0.0.1 {master.port} 1",
                     f"sentinel down-after-milliseconds {name} 500",
                     f"sentinel failover-timeout {name} 3000", sentinel=True)
    eventually(lambda: len(sentinel.ask("SENTINEL", "REPLICAS", name)) == 1,
               "the sentinel knows the replica", 30)
    return sentinel
