"""Purges cross clouds although the tiers do not: each fleet has a Redis of its own."""
from harness import main
from harness.fleet import FleetTest
from harness.stored import counting
from harness.wait import eventually


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
        self.assertEqual(other.call("XLEN", "{scrollgate}:purges"), 3)

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


if __name__ == "__main__":
    main()
