"""A fleet under load, with purges all the time, while its Redis is in trouble: every answer is the
right one, and none is older than a purge that was answered."""
import signal

from harness import main
from harness.fleet import FleetTest
from harness.fleet_load import FleetLoad
from harness.redis_sets import replicate
from harness.wait import eventually


class ServerInTrouble(FleetTest):
    def left_alone(self, *nodes):
        for node in nodes:
            eventually(lambda: self.tier(node)["state"] == "open" or not self.tier(node)["in_step"],
                       "Redis is left alone", 30)

    def refused(self, node):
        errors = self.tier(node)["errors"]
        eventually(lambda: self.tier(node)["errors"] > errors, "Redis refuses", 30)

    def test_nothing_at_all(self):
        truth, nodes = self.fleet_of(self.redis())
        with self.under_load(truth, nodes) as load:
            load.more(1000)
        self.assertEqual([self.tier(node)["failures"] for node in nodes], [0, 0])

    def test_killed_and_started_again(self):
        redis = self.redis()
        truth, nodes = self.fleet_of(redis)
        with self.under_load(truth, nodes) as load:
            for _ in range(2):
                redis.kill()
                self.left_alone(*nodes)
                load.more()
                redis.start()
                self.wait_in_step(*nodes)
                load.more()

    def test_frozen(self):
        redis = self.redis()
        truth, nodes = self.fleet_of(redis, timeout="50ms")
        with self.under_load(truth, nodes) as load:
            redis.freeze()
            try:
                load.more()
                self.left_alone(*nodes)
                load.more()
            finally:
                redis.thaw()
            self.wait_in_step(*nodes)
            load.more()

    def test_out_of_memory(self):
        redis = self.redis()
        truth, nodes = self.fleet_of(redis)
        with self.under_load(truth, nodes) as load:
            redis.call("CONFIG", "SET", "maxmemory", "1")
            self.refused(nodes[0])
            load.more()
            redis.call("CONFIG", "SET", "maxmemory", "0")
            load.more()

    def test_full_and_evicting(self):
        redis = self.redis("--maxmemory-policy", "volatile-lru")
        truth, nodes = self.fleet_of(redis)
        with self.under_load(truth, nodes) as load:
            used = int(dict(line.split(":", 1) for line in redis.ask("INFO", "memory").splitlines()
                            if ":" in line)["used_memory"])
            redis.call("CONFIG", "SET", "maxmemory", used)
            eventually(lambda: "evicted_keys:0\r" not in redis.ask("INFO", "stats"), "it evicts",
                       30)
            load.more(1000)
            # The streams, which stay, grow into what was left for values.
            redis.call("CONFIG", "SET", "maxmemory", "0")
        self.assertEqual(redis.call("EXISTS", "{scrollgate}:purges", "{scrollgate}:nodes"), 2)

    def test_a_replica_for_a_while(self):
        redis, master = self.redis(), self.redis()
        truth, nodes = self.fleet_of(redis)
        with self.under_load(truth, nodes) as load:
            replicate(redis, master.port)       # all that it had is gone
            self.refused(nodes[0])
            load.more()
            redis.ask("REPLICAOF", "NO", "ONE")
            self.wait_in_step(*nodes)
            load.more()

    def test_back_to_what_it_was_some_time_ago(self):
        """Restarted with what it had saved: everything that was purged since is there again, and
        the log knows nothing of it. Loading takes until it is told to be quick."""
        redis = self.redis()
        truth, nodes = self.fleet_of(redis)
        for target in truth.quiet:
            self.fetch(nodes[0], target)
        with self.under_load(truth, nodes) as load:
            self.wait_written(redis, len(truth.targets))
            redis.call("SAVE")
            load.purge(0, truth.quiet[0], by_tag=True)
            load.more()
            redis.kill()
            redis.command += ["--key-load-delay", "1000000",
                              "--loading-process-events-interval-bytes", "1024"]
            redis.start()
            eventually(lambda: "\nloading:1" in redis.ask("INFO", "persistence"), "it loads")
            load.more()
            redis.call("CONFIG", "SET", "key-load-delay", "0")
            eventually(lambda: "\nloading:0" in redis.ask("INFO", "persistence"), "it is there", 30)
            self.assertGreater(redis.call("DBSIZE"), 10)
            self.wait_in_step(*nodes)
            load.more()
        # Who comes later has nothing but what Redis says.
        later = self.node(redis, truth.script)
        FleetLoad([later], truth).settle()


class Stopped(FleetTest):
    def test_three_nodes_one_of_which_is_stopped_while_others_purge(self):
        truth, nodes = self.fleet_of(self.redis(), 3)
        with self.under_load(truth, nodes, purges=False) as load:
            nodes[2].signal(signal.SIGSTOP)
            try:
                made = [load.purge(i % 2, truth.targets[7 * i], by_tag=i > 1) for i in range(4)]
            finally:
                nodes[2].signal(signal.SIGCONT)
            self.assertEqual(made, [2, 2, 2, 2])
            self.wait_in_step(*nodes)
            self.assertEqual(load.purge(2, truth.targets[0]), 3)


class BadWay(FleetTest):
    """The way of one node to Redis does harm, the other one's does not."""

    def meddled(self, **redis_keys):
        redis = self.redis()
        meddler, url = self.meddler(redis)
        truth, (well,) = self.fleet_of(redis, 1)
        ill = self.node(url, truth.script, **redis_keys)
        self.wait_nodes(2, well, ill)
        return meddler, truth, [well, ill]

    def test_cut_again_and_again(self):
        meddler, truth, nodes = self.meddled()
        with self.under_load(truth, nodes) as load:
            for _ in range(10):
                meddler.cut()
                load.more(100)

    def test_slow(self):
        meddler, truth, nodes = self.meddled(timeout="50ms")
        with self.under_load(truth, nodes) as load:
            meddler.delay = 0.2
            eventually(lambda: self.tier(nodes[1])["state"] == "open", "Redis is left alone", 30)
            load.more()
            meddler.delay = 0.0

    def test_slow_now_and_then(self):
        meddler, truth, nodes = self.meddled(timeout="20ms")
        with self.under_load(truth, nodes) as load:
            for i in range(20):
                meddler.delay = 0.03 * (i % 2)
                load.more(50)
            meddler.delay = 0.0

    def test_cut_off_without_a_word(self):
        meddler, truth, nodes = self.meddled(timeout="50ms")
        with self.under_load(truth, nodes) as load:
            meddler.mute.set()
            eventually(lambda: not self.tier(nodes[1])["in_step"], "it follows no log")
            load.more()
            meddler.mute.clear()

    def test_garbled(self):
        meddler, truth, nodes = self.meddled()
        # Not with purges: a record of the log has no check of its own (decision 23).
        with self.under_load(truth, nodes, purges=False) as load:
            for i in range(10):
                meddler.garble = 0.002
                # So that it has to ask.
                self.call(nodes[1], "POST", "/purge", {"url": f"http://site.test/t/{i}"})
                load.more(50)
                meddler.garble = 0.0
                meddler.cut()
                load.more(50)


if __name__ == "__main__":
    main()
