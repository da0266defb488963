"""Redis loses purges that it has confirmed: whoever may have missed one does not serve what it
covers."""
import contextlib
import signal

from harness import main
from harness.fleet import FleetTest
from harness.stored import counting
from harness.wait import eventually

LOG = "{scrollgate}:purges"


class LostLog(FleetTest):
    def knowing_fleet(self, redis):
        """Two nodes that have a place in the log, and /x and /y in memory; `seconds`: the second
        one's connections to Redis."""
        origin = counting()
        first = self.node(redis, origin)
        others = self.connections(redis)
        second = self.node(redis, origin)
        self.wait_nodes(2, first, second)
        self.seconds = self.connections(redis) - others
        self.purge(first, url="http://site.test/before")
        for node in (first, second):
            self.fetch(node, "/x")
            self.fetch(node, "/y")
            self.assert_hit(self.fetch(node, "/x"))
        return first, second

    def connections(self, redis):
        return {word[3:] for word in redis.call("CLIENT", "LIST").decode().split()
                if word.startswith("id=")}

    @contextlib.contextmanager
    def stopped(self, first, second):
        """The second node stands still, and has not read of the last purge, that of /x."""
        second.signal(signal.SIGSTOP)
        try:
            # It waits for the next record, so that is on its way to it.
            for target in ("/next", "/x"):
                self.fetch(first, target, method="POST", body=b"")
            eventually(lambda: self.tier(first)["pending"] == 0, "both are said")
            yield
        finally:
            second.signal(signal.SIGCONT)

    def assert_gone(self, node, target):
        """What was stored before is served no more, sooner or later."""
        eventually(lambda: not self.fetch(node, target).body.startswith(b"1 "),
                   f"{target} is asked for again")

    def test_a_log_that_is_lost_voids_what_was_stored_before(self):
        redis, origin = self.redis(), counting()
        first, second = self.fleet(redis, origin, 2)
        self.fetch(first, "/x")
        self.wait_written(redis, 1)
        redis.call("DEL", "{scrollgate}:purges")
        # Nodes that are connected go on; who comes anew cannot know what was purged.
        third = self.node(redis, origin)
        self.wait_in_step(third)
        self.assert_miss(self.fetch(third, "/x"))

    def test_a_log_that_was_cut_off_meanwhile_purges_the_memory(self):
        redis, origin = self.redis(), counting()
        first, second = self.fleet(redis, origin, 2)
        self.fetch(first, "/x")
        self.fetch(second, "/x")
        second.signal(signal.SIGSTOP)
        try:
            self.purge(first, url="http://site.test/x")
            self.purge(first, url="http://site.test/y")
            # As if a great many more had come.
            redis.call("XTRIM", "{scrollgate}:purges", "MAXLEN", 1)
            redis.call("CLIENT", "KILL", "TYPE", "normal")
        finally:
            second.signal(signal.SIGCONT)
        eventually(lambda: "more was purged" in second.stderr(), "it says so")
        self.assert_miss(self.fetch(second, "/x"))

    def test_a_log_that_is_cut_off_in_front_of_a_node_purges_the_memory(self):
        redis, origin = self.redis(), counting()
        edge, = self.fleet(redis, origin, 1)
        self.purge(edge, url="http://site.test/before")     # a place in the log
        self.fetch(edge, "/x")
        self.assert_hit(self.fetch(edge, "/x"))
        # More than one reading brings, and the first of them gone before it is read.
        redis.call("EVAL", """
            for i = 1, 2000 do
                local what = i == 1 and 'site.test/x' or 'site.test/other/' .. i
                redis.call('XADD', KEYS[1], '*', 'by', 'u', 'token', 'token' .. i, 'what', what)
            end
            redis.call('XTRIM', KEYS[1], 'MAXLEN', 700)""", 1, "{scrollgate}:purges")
        eventually(lambda: "more was purged" in edge.stderr(), "it says so")
        self.wait_in_step(edge)
        self.assert_miss(self.fetch(edge, "/x"))

    def test_all_is_lost_while_a_node_stood_still(self):
        """It notices by what the other one says of itself: the log is as empty as it was."""
        redis = self.redis()
        first, second = self.knowing_fleet(redis)
        with self.stopped(first, second):
            redis.call("FLUSHALL")
        self.assert_gone(second, "/x")

    def test_all_is_lost_while_a_node_stood_still_and_more_is_purged(self):
        redis = self.redis()
        first, second = self.knowing_fleet(redis)
        with self.stopped(first, second):
            redis.call("FLUSHALL")
            self.fetch(first, "/z", method="POST", body=b"")
        self.assert_gone(second, "/x")

    def test_all_is_lost_while_a_node_was_away(self):
        """It begins the log anew, which tells the other one to say again what it purged."""
        redis = self.redis()
        first, second = self.knowing_fleet(redis)
        with self.stopped(first, second):
            redis.call("FLUSHALL")
            for connection in self.seconds:
                redis.call("CLIENT", "KILL", "ID", connection)
        eventually(lambda: "it begins anew" in second.stderr(), "it has lost its place")
        self.assert_gone(second, "/x")
        self.assert_hit(self.fetch(second, "/y"))       # only what was purged

    def test_a_log_that_was_emptied_while_a_node_was_away(self):
        """The stream is there, and goes on behind where the node was."""
        redis = self.redis()
        first, second = self.knowing_fleet(redis)
        with self.stopped(first, second):
            redis.call("XTRIM", LOG, "MAXLEN", 0)
            redis.call("CLIENT", "KILL", "TYPE", "normal")
        self.wait_in_step(first, second)
        self.assert_gone(second, "/x")

    def test_a_restart_without_data_leaves_memories_as_they_are(self):
        """A purge waits meanwhile, and is said only when the log has begun anew."""
        redis = self.redis()
        first, second = self.knowing_fleet(redis)
        for i in range(4):
            redis.kill()
            eventually(lambda: self.tier(first)["state"] != "up", "it is seen that Redis has gone")
            self.fetch(first, f"/waits/{i}", method="POST", body=b"")
            heard = self.tier(second)["heard"]
            redis.start()
            self.wait_in_step(first, second)
            eventually(lambda: self.tier(second)["heard"] > heard, "the purge is heard of")
            for node in (first, second):
                self.assert_hit(self.fetch(node, "/y"))

    def test_purges_that_nobody_remembers_are_lost(self):
        """More than a node can say again."""
        redis = self.redis()
        first, second = self.knowing_fleet(redis)
        with self.stopped(first, second):
            self.unsafe_requests(first, 4200)
            eventually(lambda: self.tier(first)["pending"] == 0, "all is said")
            redis.call("FLUSHALL")
            redis.call("CLIENT", "KILL", "TYPE", "normal")
        self.assert_gone(second, "/x")


if __name__ == "__main__":
    main()
