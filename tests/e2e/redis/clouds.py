"""Purges cross clouds although the tiers do not: each fleet has a Redis of its own."""
import signal

from harness import main
from harness.fleet import FleetTest
from harness.stored import counting
from harness.wait import eventually

LOG = "{scrollgate}:purges"


class Clouds(FleetTest):
    def clouds(self, origin):
        """A node in each of two clouds: (Redis, node) twice."""
        redises = [self.redis(), self.redis()]
        nodes = [self.node(redises[i], origin, purge_log=[redises[1 - i].url]) for i in range(2)]
        return list(zip(redises, nodes))

    def test_a_purge_reaches_the_other_cloud_and_what_is_stored_does_not(self):
        origin = counting()
        (_, first), (other, second) = self.clouds(origin)
        self.fetch(first, "/x")
        self.assert_miss(self.fetch(second, "/x"))
        self.wait_written(other, 1)
        self.call(first, "POST", "/purge", {"url": "http://site.test/x"})
        eventually(lambda: self.tier(second)["heard"] == 1, "the other cloud hears of it")
        answer = self.fetch(second, "/x")
        self.assert_miss(answer)
        self.assertEqual(answer.body, b"3 /x")
        # And back, without an echo.
        self.call(second, "POST", "/purge", {"url": "http://site.test/x"})
        eventually(lambda: self.tier(first)["heard"] == 1, "so does the first one")
        self.assert_miss(self.fetch(first, "/x"))
        # The beginning of the log, and one record for each purge.
        self.assertEqual(other.call("XLEN", LOG), 3)

    def test_a_cloud_farther_away_than_a_request_may_wait(self):
        origin, near, other = counting(), self.redis(), self.redis()
        meddler, url = self.meddler(other)
        meddler.delay = 0.1
        first = self.node(near, origin, purge_log=[url], timeout="50ms")
        second = self.node(other, origin)
        self.call(first, "POST", "/purge", {"url": "http://site.test/x"})
        eventually(lambda: self.tier(second)["heard"] == 1, "the far cloud hears of it")
        self.call(second, "POST", "/purge", {"url": "http://site.test/x"})
        eventually(lambda: self.tier(first)["heard"] == 1, "and is heard")

    def test_a_cloud_that_was_away_hears_of_it_later(self):
        origin = counting()
        (_, first), (other, second) = self.clouds(origin)
        self.fetch(second, "/x")
        other.freeze()
        try:
            self.call(first, "POST", "/purge", {"url": "http://site.test/x"})
        finally:
            other.thaw()
        self.wait_in_step(second)
        eventually(lambda: self.tier(second)["heard"] >= 1, "it hears of the purge")
        self.assert_miss(self.fetch(second, "/x"))

    def test_the_other_clouds_redis_restarts_without_data(self):
        origin = counting()
        (near, first), (other, second) = self.clouds(origin)
        self.call(second, "POST", "/purge", {"url": "http://site.test/x"})
        eventually(lambda: self.tier(first)["heard"] == 1, "it is heard of")
        self.fetch(first, "/y")
        first.signal(signal.SIGSTOP)    # what it finds then is a log that has begun anew
        try:
            other.kill()
            eventually(lambda: self.tier(second)["state"] != "up", "it is seen that Redis has gone")
            self.call(second, "POST", "/purge", {"url": "http://site.test/z"})
            other.start()
            self.wait_in_step(second)
        finally:
            first.signal(signal.SIGCONT)
        eventually(lambda: self.tier(first)["purge_logs"][0]["position"] == other.call(
            "XREVRANGE", LOG, "+", "-", "COUNT", 1)[0][0].decode(), "the other log is read")
        self.call(first, "POST", "/purge", {"url": "http://site.test/last"})
        kinds = [dict(zip(words[::2], words[1::2]))[b"by"]
                 for _, words in near.call("XRANGE", LOG, "-", "+")]
        self.assertNotIn(b"a", kinds)
        self.assert_hit(self.fetch(first, "/y"))

    def test_a_purge_that_comes_back_by_another_cloud_first(self):
        """Two nodes of one cloud; the second one hears of the first one's purges from the other
        cloud long before its own log tells them. They are made once, and counted."""
        origin, near, other = counting(), self.redis(), self.redis()
        meddler, late = self.meddler(near)
        nodes = [self.node(where, origin, purge_log=[other.url]) for where in (near, late)]
        self.node(other, origin)
        self.assert_counted_once(nodes, meddler, near, other)

    def test_a_purge_that_comes_back_first_and_cannot_be_brought(self):
        """The second node has to make it at once; when its own log tells it, somebody waits for
        the number."""
        users = ["default on nopass ~* &* +@all", "reader on >pw ~* &* +@all"]
        origin, other = counting(), self.redis(users=users)
        near = self.redis(users=[users[0], users[1] + " -eval"])
        meddler, late = self.meddler(near)
        late = late.replace("//", "//reader:pw@")
        nodes = [self.node(where, origin, purge_log=[other.url]) for where in (near, late)]
        self.node(other, origin)
        self.assert_counted_once(nodes, meddler, near, other)

    def assert_counted_once(self, nodes, meddler, *redises):
        self.wait_nodes(2, *nodes)
        for node in nodes:
            eventually(lambda: self.tier(node)["purge_logs"][0]["in_step"], "it follows both")
        meddler.read_delay = 0.2
        before = [redis.call("XLEN", LOG) for redis in redises]
        for i in range(3):
            for node in nodes:
                self.fetch(node, f"/{i}")
            self.assertEqual(self.purge(nodes[0], url=f"http://site.test/{i}"),
                             {"objects": 2, "nodes": 2})
        self.assertEqual(self.tier(nodes[1])["heard"], 3)
        for node in nodes:
            eventually(lambda: self.tier(node)["purge_logs"][0]["heard"] == 3, "all came back")
        self.assertEqual([redis.call("XLEN", LOG) for redis in redises],
                         [count + 3 for count in before])
        self.assertEqual([self.tier(node)["heard"] for node in nodes], [0, 3])

    def test_a_purge_whose_record_is_lost_after_another_cloud_brought_it(self):
        """It stands in the log, and nobody has read it when it is lost: who brought it says it
        again."""
        origin, near, other = counting(), self.redis(), self.redis()
        meddler, late = self.meddler(near)
        first = self.node(late, origin, purge_log=[other.url])
        second = self.node(other, origin)
        for _ in range(2):
            self.fetch(first, "/x")
        meddler.deaf.set()
        self.call(second, "POST", "/purge", {"url": "http://site.test/x"})
        eventually(lambda: near.call("XLEN", LOG) == 2, "it is brought")
        last = near.call("XREVRANGE", LOG, "+", "-", "COUNT", 1)[0][0]
        near.call("XDEL", LOG, last)
        near.call("DEL", *near.keys("*seen*"))
        meddler.deaf.clear()
        meddler.cut()
        eventually(lambda: near.call("XLEN", LOG) == 2, "it is said again")
        eventually(lambda: self.tier(first)["heard"] == 1, "and made")
        self.assert_miss(self.fetch(first, "/x"))

    def test_the_own_redis_is_away(self):
        """Then the other cloud is told at once, and a neighbour makes what comes back."""
        origin = counting()
        near, other = self.redis(), self.redis()
        nodes = [self.node(near, origin, purge_log=[other.url]) for _ in range(2)]
        far = self.node(other, origin)
        for node in (*nodes, far):
            self.fetch(node, "/x")
        near.kill()
        eventually(lambda: self.tier(nodes[0])["state"] != "up", "it is seen that Redis has gone")
        self.call(nodes[0], "POST", "/purge", {"url": "http://site.test/x"})
        for node in (nodes[1], far):
            eventually(lambda: self.tier(node)["heard"] == 1, "it is heard")
            self.assert_miss(self.fetch(node, "/x"))
        near.start()
        self.wait_in_step(*nodes)
        eventually(lambda: near.call("XLEN", LOG) == 2, "the log begins anew, with one record")
        self.assertEqual(other.call("XLEN", LOG), 2)

    def test_a_cloud_that_refuses_what_is_said_is_told_of(self):
        other = self.redis(users=["default on nopass ~* &* +@all",
                                  "reader on >x ~* &* +ping +xread +xrange +xrevrange"])
        node = self.node(self.redis(), counting(),
                         purge_log=[f"redis://reader:x@127.0.0.1:{other.port}"])
        self.call(node, "POST", "/purge", {"url": "http://site.test/x"})
        node.wait_stderr(f"another cloud's log of purges, {LOG} at redis://127.0.0.1:{other.port}, "
                         "cannot be written: NOPERM")
        eventually(lambda: self.tier(node)["purge_logs"][0]["refuses"], "status tells of it")

    def test_a_cloud_with_another_prefix_shows(self):
        origin, near, other = counting(), self.redis(), self.redis()
        west = self.node(other, origin, prefix="west")
        east = self.node(near, origin, prefix="east", purge_log=[other.url])

        def log():
            return self.tier(east)["purge_logs"][0]

        def followed():
            return east.metric("scrollgate_redis_purge_log_followed", f'log="{other.url[:-2]}"')
        eventually(lambda: log()["in_step"] and not log()["followed"], "nobody follows it")
        # What is told there makes a log, which still nobody follows.
        self.call(east, "POST", "/purge", {"url": "http://site.test/x"})
        eventually(lambda: other.call("XLEN", "{east}:purges") == 1, "it is told")
        self.assertEqual((log()["followed"], followed(), self.tier(west)["heard"]), (False, 0, 0))
        self.assertIn("up, in step, no node follows it (prefix, database?), ",
                      self.command(east, "status")[1])
        east.wait_stderr("no node follows another cloud's {east}:purges")
        self.node(other, origin, prefix="east")
        eventually(lambda: log()["followed"] and followed() == 1, "somebody does")
        self.assertNotIn("no node follows", self.command(east, "status")[1])

    def test_the_state_of_the_other_log_is_shown(self):
        origin = counting()
        (_, first), (other, second) = self.clouds(origin)

        def log():
            return self.tier(first)["purge_logs"][0]

        def metric(name, *labels):
            return first.metric(f"scrollgate_redis_purge_log_{name}", f'log="{other.url[:-2]}"',
                                *labels)
        eventually(lambda: log()["in_step"], "it is read to its end")
        self.assertEqual((log()["url"], log()["state"]), (other.url[:-2], "up"))
        self.assertLess(log()["behind_s"], 5)
        self.call(second, "POST", "/purge", {"url": "http://site.test/x"})
        eventually(lambda: log()["heard"] == 1, "a purge is heard")
        self.assertEqual(log()["position"], other.call(
            "XREVRANGE", LOG, "+", "-", "COUNT", 1)[0][0].decode())
        self.assertLess(log()["position_age_s"], 60)
        self.assertEqual([metric("up"), metric("in_step"), metric("waiting"),
                          metric("purges_total", 'way="heard"')], [1, 1, 0, 1])
        self.assertLess(metric("position_age_seconds"), 60)
        shown = self.command(first, "status")[1]
        self.assertRegex(shown, rf"purge log {other.url[:-2]}: up, in step, last purge \d+ s ago, "
                                r"1 heard, 0 written, 0 wait")
        other.kill()
        self.call(first, "POST", "/purge", {"url": "http://site.test/y"})
        eventually(lambda: log()["state"] != "up" and not log()["in_step"], "it is away")
        self.assertEqual((log()["waiting"], metric("up"), metric("in_step")), (1, 0, 0))
        self.assertGreater(metric("behind_seconds"), 1)
        self.assertRegex(self.command(first, "status")[1],
                         rf"purge log {other.url[:-2]}: open, behind by \d+ s, .*, 1 wait")
        other.start()
        eventually(lambda: log()["in_step"] and log()["said"] == 1, "it is back")
        self.assertEqual((log()["waiting"], metric("waiting")), (0, 0))

    def test_what_cannot_be_read_of_the_other_log_purges_everything(self):
        origin = counting()
        (_, first), (other, second) = self.clouds(origin)
        self.fetch(first, "/x")
        self.assert_hit(self.fetch(first, "/x"))
        other.call("XADD", LOG, "*", "by", "u", "token", "t", "what",
                   "site.test/other", "v", "2", "check", "0")
        eventually(lambda: self.tier(first)["log_unreadable"]["broken"] == 1, "it is counted")
        eventually(lambda: self.tier(first)["heard"] == 1, "and made")
        self.assert_miss(self.fetch(first, "/x"))


if __name__ == "__main__":
    main()
