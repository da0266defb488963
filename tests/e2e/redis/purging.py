"""A purge reaches every node, those too that were away, and nothing that it covers comes back."""
import signal
import threading
import time

from harness import main
from harness.fleet import FleetTest
from harness.stored import counting
from harness.wait import eventually

LOG = "{scrollgate}:purges"


class Purging(FleetTest):
    def test_each_kind_of_purge_reaches_all_nodes(self):
        redis, origin = self.redis(), counting("Surrogate-Key: red")
        nodes = self.fleet(redis, origin, 3)
        for wish in ({"url": "http://site.test/a/1"}, {"prefix": "site.test/a/"}, {"tag": "red"},
                     {"all": True}):
            for node in nodes:
                self.fetch(node, "/a/1")
            before = len(origin.asked)
            self.wait_written(redis, 1)
            answer = self.purge(nodes[1], **wish)
            self.assertEqual(answer, {"objects": 3, "nodes": 3}, wish)
            first = self.fetch(nodes[0], "/a/1")
            self.assert_miss(first)
            self.assertEqual(len(origin.asked), before + 1, wish)
            eventually(lambda: "hit" in self.cache_status(self.fetch(nodes[2], "/a/1")),
                       "the new one is shared")

    def test_a_graceful_stop_writes_what_was_purged_before(self):
        redis, count = self.redis(), 200
        meddler, url = self.meddler(redis)
        meddler.delay = 0.01
        node = self.node(url, counting(), timeout="500ms")
        self.wait_in_step(node)
        before = redis.call("XLEN", LOG)
        with self.client(node) as client:
            client.send(b"".join(
                b"POST /%d HTTP/1.1\r\nHost: site.test\r\nContent-Length: 0\r\n\r\n" % k
                for k in range(count)))
            for _ in range(count):
                self.assertEqual(client.final().status, 200)
            node.signal(signal.SIGTERM)
        self.assertEqual(node.wait_exit(), 0)
        self.assertEqual(redis.call("XLEN", LOG) - before, count)

    def test_a_graceful_stop_says_which_purges_are_lost(self):
        redis = self.redis()
        node = self.node(redis, counting(), timeout="500ms")
        self.wait_in_step(node)
        redis.freeze()
        self.fetch(node, "/x", method="POST", body=b"x")
        node.signal(signal.SIGTERM)
        self.assertEqual(node.wait_exit(), 0)
        self.assertIn("lost, so that nodes there keep what they cover: 1 to "
                      f"redis://127.0.0.1:{redis.port}\n", node.stderr())
        redis.thaw()

    def test_what_others_have_is_counted(self):
        redis, origin = self.redis(), counting("Surrogate-Key: red")
        nodes = self.fleet(redis, origin, 3)
        for target in ("/1", "/2", "/3"):
            self.fetch(nodes[1], target)
        self.wait_written(redis, 3)
        self.fetch(nodes[2], "/1")
        self.assertEqual(self.purge(nodes[0], url="http://site.test/2"),
                         {"objects": 1, "nodes": 3})
        self.assertEqual(self.purge(nodes[0], tag="red"), {"objects": 3, "nodes": 3})
        self.assertEqual(self.purge(nodes[0], tag="red"), {"objects": 0, "nodes": 3})

    def test_purges_are_answered_while_many_wait_for_redis(self):
        redis, origin = self.redis(), counting()
        edge, = self.fleet(redis, origin, 1)
        redis.call("CONFIG", "SET", "maxmemory", "1")
        for i in range(100):
            self.assertEqual(self.purge(edge, url=f"http://site.test/{i}")["nodes"], 1)
        redis.call("CONFIG", "SET", "maxmemory", "0")
        eventually(lambda: self.tier(edge)["said"] == 100, "all are said", 30)

    def test_what_is_purged_is_not_found_in_redis_either(self):
        redis, origin = self.redis(), counting()
        first, second = self.fleet(redis, origin, 2)
        self.fetch(first, "/x")
        self.wait_written(redis, 1)
        self.purge(first, url="http://site.test/x")
        self.assert_miss(self.fetch(second, "/x"))
        self.assertGreaterEqual(self.tier(second)["purged"], 1)

    def test_a_purge_of_a_tag_that_a_response_had_before_leaves_it_in_redis(self):
        redis, asked = self.redis(), []

        def script(conn):
            while True:
                asked.append(conn.request().target)
                tag = "red" if len(asked) == 1 else "blue"
                conn.answer(tag.encode(), "200 OK", "Cache-Control: max-age=600",
                            f"Surrogate-Key: {tag}")
        nodes = self.fleet(redis, script, 2)
        for tag in ("red", "blue"):
            self.assertEqual(self.fetch(nodes[0], "/x").body, tag.encode())
            eventually(lambda: tag.encode() in redis.values(), "it is shared")
            if tag == "red":
                self.purge(nodes[0], url="http://site.test/x")
        sets = redis.keys("scrollgate:tag:*")
        self.assertEqual(len(sets), 2)
        self.purge(nodes[0], tag="red")
        eventually(lambda: redis.keys("scrollgate:tag:*") != sets, "the tag's set is gone")
        self.assertEqual(self.fetch(nodes[1], "/x").body, b"blue")
        self.assertEqual(len(asked), 2)
        self.purge(nodes[0], tag="blue")
        eventually(lambda: not redis.responses(), "it has gone by its own tag")

    def test_what_was_made_after_a_purge_by_tag_stays_in_redis(self):
        redis, origin = self.redis(), counting("Surrogate-Key: red")
        meddler, url = self.meddler(redis)
        near, far = self.node(redis, origin), self.node(url, origin)
        self.wait_nodes(2, near, far)
        for target in ("/x", "/y"):
            self.fetch(near, target)
        self.wait_written(redis, 2)
        meddler.delay = 0.3
        purging = threading.Thread(target=self.purge, args=(far,), kwargs={"tag": "red"})
        purging.start()
        eventually(lambda: self.fetch(near, "/x").body == b"3 /x", "the purge is heard")
        eventually(lambda: b"3 /x" in redis.values(), "and the new one is written")
        eventually(lambda: self.tier(far)["reclaimed"] > 0, "what was purged goes")
        purging.join()
        self.assertEqual(self.tier(far)["reclaimed"], 1)
        self.assertIn(b"3 /x", redis.values())

    def test_what_is_made_while_others_go_hides_none_of_them(self):
        """Its name stands in another place of the tag's set by then."""
        redis, origin = self.redis(), counting("Surrogate-Key: red")
        meddler, url = self.meddler(redis)
        near, far = self.node(redis, origin), self.node(url, origin)
        self.wait_nodes(2, near, far)
        for i in range(60):
            self.fetch(near, f"/{i}")
        self.wait_written(redis, 60)
        (tags,) = redis.keys("scrollgate:tag:*")
        eventually(lambda: redis.call("ZCARD", tags) == 60, "all have the tag")
        (first,) = redis.call("ZRANGE", tags, 0, 0)
        before, seen = redis.call("ZSCORE", tags, first), []

        def asked(data):
            if b"RANGE\r\n" in data and tags.encode() in data and not seen:
                seen.append("range")
                eventually(lambda: self.fetch(near, "/0").body == b"61 /0", "it is made anew")
                eventually(lambda: redis.call("ZSCORE", tags, first) != before, "and written")
                redis.call("ZADD", tags, 0, first)
            elif b"ZREM\r\n" in data and "remove" not in seen:
                seen.append("remove")
                redis.call("ZADD", tags, 9e15, first)
        meddler.asked = asked
        self.purge(far, tag="red")
        eventually(lambda: redis.responses() == [first.decode()], "all but that one have gone")
        self.assertEqual(seen, ["range", "remove"])

    def test_a_node_that_was_away_hears_of_it_when_it_is_back(self):
        redis, origin = self.redis(), counting()
        first, second = self.fleet(redis, origin, 2)
        for target in ("/x", "/y"):
            self.fetch(first, target)
            self.fetch(second, target)
        second.signal(signal.SIGSTOP)
        try:
            answer = self.purge(first, url="http://site.test/x")
            self.assertEqual(answer["nodes"], 1)
        finally:
            second.signal(signal.SIGCONT)
        self.wait_in_step(second)
        eventually(lambda: self.tier(second)["heard"] >= 1, "it has heard of the purge")
        self.assert_miss(self.fetch(second, "/x"))
        self.assert_hit(self.fetch(second, "/y"))

    def test_a_node_that_is_started_later_knows_what_was_purged(self):
        redis, origin = self.redis(), counting()
        first, = self.fleet(redis, origin, 1)
        self.fetch(first, "/x")
        self.fetch(first, "/y")
        self.wait_written(redis, 2)
        self.purge(first, url="http://site.test/x")
        second = self.node(redis, origin)
        self.assert_miss(self.fetch(second, "/x"))
        self.assert_from_redis(self.fetch(second, "/y"))

    def test_an_unsafe_request_counts_on_all_nodes(self):
        redis, origin = self.redis(), counting()
        first, second = self.fleet(redis, origin, 2)
        for node in (first, second):
            self.fetch(node, "/thing")
        self.wait_written(redis, 1)
        self.fetch(first, "/thing", method="POST", body=b"new")
        # At once where it went through, though Redis still has the old one.
        self.assert_miss(self.fetch(first, "/thing"))
        eventually(lambda: self.tier(second)["heard"] >= 1, "the other one has heard")
        self.assertNotEqual(self.fetch(second, "/thing").body, b"1 /thing")

    def test_unsafe_requests_are_told_where_a_get_is_cached(self):
        redis, origin = self.redis(), counting()
        cached = {"pools": ["main"], "cache": {"enabled": True}}
        tier = {"url": redis.url, "timeout": self.timeout}
        edges = [self.edge(self.origin(origin), cache={"memory": "64MiB", "redis": tier}, routes=[
            {"name": "api", "pools": ["main"], "match": {"path_prefix": "/api"}},
            {"name": "read", "match": {"methods": ["GET", "HEAD"]}, **cached},
            {"name": "write", "pools": ["main"]}]) for _ in range(2)]
        self.wait_nodes(2, *edges)
        first, second = edges
        old = self.fetch(second, "/thing").body     # the first one knows nothing of it
        self.wait_written(redis, 1)
        for _ in range(3):
            self.assertEqual(self.fetch(first, "/api/do", method="POST", body=b"x").status, 200)
        self.assertEqual(self.fetch(first, "/thing", method="POST", body=b"new").status, 200)
        self.assert_miss(self.fetch(first, "/thing"))
        eventually(lambda: self.tier(second)["heard"] >= 1, "the other one has heard")
        self.assertNotEqual(self.fetch(second, "/thing").body, old)
        self.assertEqual(self.tier(second)["heard"], 1)     # in order: nothing came before it

    def test_a_purge_while_redis_is_away_is_told_when_it_is_back(self):
        redis, origin = self.redis(), counting()
        first, second = self.fleet(redis, origin, 2)
        self.fetch(first, "/x")
        self.fetch(second, "/x")
        redis.kill()
        eventually(lambda: self.tier(first)["state"] != "up", "it is seen that Redis has gone")
        self.assertEqual(self.purge(first, url="http://site.test/x")["nodes"], 1)
        self.assert_miss(self.fetch(first, "/x"))
        self.assert_hit(self.fetch(second, "/x"))
        redis.start()
        eventually(lambda: self.tier(second)["heard"] >= 1, "the other node hears of it")
        self.assertNotEqual(self.fetch(second, "/x").body, b"1 /x")

    def test_a_record_that_cannot_be_read_purges_everything_and_is_counted(self):
        redis, origin = self.redis(), counting()
        nodes = self.fleet(redis, origin, 2)
        log = "{scrollgate}:purges"
        self.purge(nodes[0], url="http://site.test/y")
        written = redis.call("XREVRANGE", log, "+", "-", "COUNT", 1)[0][1]
        garbled = [b"site.test/z" if word == b"site.test/y" else word for word in written]
        self.assertNotEqual(written, garbled)
        for why, words in (("broken", garbled),
                           ("version", ["by", "?", "v", "99", "check", "of another kind"]),
                           ("foreign", ["something", "else"])):
            old = {self.fetch(node, "/x").body for node in nodes}
            for node in nodes:
                self.assert_hit(self.fetch(node, "/x"))
            redis.call("XADD", log, "*", *words)
            for node in nodes:
                eventually(lambda: self.tier(node)["log_unreadable"][why] == 1, f"{why} is counted")
                self.assertNotIn(self.fetch(node, "/x").body, old)
                self.assertEqual(node.metric("scrollgate_redis_log_unreadable_total",
                                             f'why="{why}"'), 1)
                self.assertIn("cannot be read", node.stderr())
        # They follow the log as before.
        answer = self.purge(nodes[0], url="http://site.test/x")
        self.assertEqual(answer["nodes"], 2)

    def test_a_record_of_an_older_release_is_made_as_it_says(self):
        redis, origin = self.redis(), counting()
        edge, = self.fleet(redis, origin, 1)
        for target in ("/x", "/y"):
            self.fetch(edge, target)
        redis.call("XADD", "{scrollgate}:purges", "*", "by", "u", "token", "t",
                   "what", "site.test/x")
        eventually(lambda: self.tier(edge)["log_unchecked"] == 1, "it is counted")
        self.assert_hit(self.fetch(edge, "/y"))
        self.assert_miss(self.fetch(edge, "/x"))
        self.assertEqual(sum(self.tier(edge)["log_unreadable"].values()), 0)

    def test_more_purges_than_may_wait_purge_all_on_the_other_nodes(self):
        redis, origin = self.redis(), counting()
        first, second = self.fleet(redis, origin, 2)
        for node in (first, second):
            self.fetch(node, "/x")
        redis.freeze()
        try:
            self.unsafe_requests(first, 4200)
            eventually(lambda: self.tier(first)["unsaid"] >= 4096, "they are given up")
        finally:
            redis.thaw()
        eventually(lambda: "hit" not in self.cache_status(self.fetch(second, "/x")),
                   "the other node purges everything")
        self.wait_in_step(first)
        eventually(lambda: self.tier(first)["pending"] == 0, "all is said")
        # What it has not purged itself stays in its memory.
        self.assert_hit(self.fetch(first, "/x"))

    def test_ten_thousand_objects_of_one_tag_on_three_nodes(self):
        redis, origin = self.redis(), counting("Surrogate-Key: many")
        nodes = self.fleet(redis, origin, 3)
        # The first node asks the origin, the others find it in Redis.
        for node in nodes:
            with self.client(node) as client:
                for i in range(0, 10_000, 50):
                    client.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: site.test\r\n\r\n" % k
                                         for k in range(i, i + 50)))
                    for _ in range(50):
                        client.final()
        began = time.monotonic()
        answer = self.purge(nodes[0], tag="many")
        took = time.monotonic() - began
        self.assertEqual(answer, {"objects": 30_000, "nodes": 3})
        print(f"10,000 objects of one tag on three nodes: {took * 1000:.0f} ms")
        self.assert_miss(self.fetch(nodes[1], "/77"))
        # Redis gets its memory back, behind the answer.
        eventually(lambda: len(redis.responses()) <= 1, "what was purged leaves Redis", 60)


if __name__ == "__main__":
    main()
