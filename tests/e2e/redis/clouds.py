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
