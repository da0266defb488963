"""What is wrong with a Redis is in the log: each reason, once."""
from harness import main
from harness.fleet import FleetTest
from harness.stored import counting
from harness.wait import eventually, free_port

RIGHTS = "~* &* +@all"


class Told(FleetTest):
    def guarded(self, *users):
        redis = self.redis(users=[*users, "default off", f"watch on >watch {RIGHTS}"])
        redis.password = "watch watch"
        return redis

    def test_another_reason_of_the_same_absence(self):
        """A token that has expired shows only when somebody connects anew."""
        redis = self.guarded(f"edge on >first {RIGHTS}")
        where = {"url": f"redis://127.0.0.1:{redis.port}"}
        edge = self.node(where, counting(), username="edge", password="first")
        redis.ask("ACL", "SETUSER", "edge", "<first", ">second")
        redis.ask("CLIENT", "KILL", "USER", "edge")
        edge.wait_stderr("is left alone: ")
        edge.wait_stderr("is still away: AUTH refused: ")
        redis.ask("ACL", "SETUSER", "edge", ">first")
        edge.wait_stderr("answers again")

    def test_a_command_that_rules_forbid(self):
        redis = self.guarded(f"edge on >word {RIGHTS} -get")
        where = {"url": f"redis://127.0.0.1:{redis.port}"}
        edge = self.node(where, counting(), username="edge", password="word")
        for target in ("/a", "/b", "/c"):
            self.assertEqual(self.fetch(edge, target).status, 200)
        edge.wait_stderr("refuses a command: NOPERM ")
        self.assertEqual(edge.stderr().count("refuses a command"), 1)

    def test_a_full_redis(self):
        redis = self.redis("--maxmemory-policy", "noeviction")
        edge = self.node(redis, counting())
        redis.call("CONFIG", "SET", "maxmemory", "1")
        edge.wait_stderr("this node is there cannot be written to its log: OOM")
        read = self.reads_of(redis)
        eventually(lambda: self.reads_of(redis) > read + 5, "the log is read on", 30)
        self.assertEqual(edge.stderr().count("OOM"), 2)     # and "takes no writes"
        self.assertNotIn("stays unused", edge.stderr())
        self.assertTrue(self.tier(edge)["in_step"])
        redis.call("CONFIG", "SET", "maxmemory", "0")
        edge.wait_stderr("the log takes what this node says again")

    @staticmethod
    def reads_of(redis):
        stats = redis.call("INFO", "commandstats").decode()
        return int(stats.partition("cmdstat_xread:calls=")[2].partition(",")[0] or 0)

    def test_what_sentinels_say(self):
        redis, nobody = self.redis(), free_port()
        sentinel = self.redis(f"sentinel monitor mymaster 127.0.0.1 {redis.port} 1", sentinel=True)
        for master, node, said in (
                ("wrong", sentinel.address, "it knows no master of this name"),
                ("mymaster", f"127.0.0.1:{redis.port}", "ERR unknown command"),
                ("mymaster", f"127.0.0.1:{nobody}", "Connection refused")):
            where = {"sentinel": {"master": master, "nodes": [node]}}
            edge = self.node(where, counting(), wait=False)
            edge.wait_stderr(f"no sentinel knows where the master is; {node}: {said}")


if __name__ == "__main__":
    main()
