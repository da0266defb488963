"""One cache for a fleet: what one node has stored the others find, and nothing that may not be."""
import hashlib
import json
import re

from harness import main
from harness.fleet import FleetTest
from harness.stored import counting
from harness.wait import eventually


def creature(target):
    return json.dumps({
        "name": f"Creature {target}", "external_url": f"https://creatures.example{target}",
        "image": f"ipfs://{hashlib.sha256(target.encode()).hexdigest()}/image.png",
        "attributes": [{"trait_type": kind, "value": f"{kind} of {target}"} for kind in
                       ("Background", "Body", "Eyes", "Hat", "Mouth")]}).encode()


def creatures(conn):
    """The script of an origin of pages that are alike."""
    while True:
        target = conn.request().target
        conn.answer(creature(target), "200 OK", "Cache-Control: max-age=600",
                    "Content-Type: application/json")


def needy(redis):
    """What was written packed with a dictionary."""
    values = [redis.call("GET", name) for name in redis.responses()]
    return [value for value in values if value and any(value[56:72])]


class Sharing(FleetTest):
    def test_what_one_node_has_stored_answers_on_the_others(self):
        redis, origin = self.redis(), counting("ETag: \"v1\"", "Surrogate-Key: red")
        first, second = self.node(redis, origin), self.node(redis, origin)
        answer = self.fetch(first, "/a?x=1")
        self.assert_miss(answer)
        self.wait_written(redis, 1)
        again = self.fetch(second, "/a?x=1")
        self.assert_from_redis(again)
        self.assertEqual(again.body, answer.body)
        self.assertEqual(again.get("etag"), '"v1"')
        self.assertRegex(again.get("age"), r"\A\d+\Z")
        # From now on it is in memory.
        self.assertEqual(self.cache_status(self.fetch(second, "/a?x=1")).count("detail"), 0)
        self.assertEqual(origin.asked, ["/a?x=1"])
        self.assertEqual(self.tier(second)["hits"], 1)
        self.assertEqual(second.metric("scrollgate_redis_lookups_total", 'result="hit"'), 1)

    def test_what_is_told_of_it(self):
        redis, origin = self.redis(), counting()
        edge = self.node(redis, origin)
        targets = [f"/{i}" for i in range(5)]
        for target in targets:
            self.fetch(edge, target)
        self.wait_written(redis, 5)
        other = self.node(redis, origin)
        for target in [*targets, "/new"]:
            self.fetch(other, target)
        eventually(lambda: self.tier(other)["pending"] == 0, "all is answered")
        tier = self.tier(other)
        told = ("hits", "misses", "failures", "writes", "leases", "dropped", "errors")
        self.assertEqual([tier[name] for name in told], [5, 1, 0, 1, 1, 0, 0])
        self.assertGreater(tier["bytes_read"], 5 * 88)
        self.assertGreater(tier["latency_us"]["p99"], 0)
        samples = other.metrics()
        self.assertEqual(samples['scrollgate_redis_lookups_total{result="miss"}'], 1)
        self.assertEqual(samples["scrollgate_redis_up"], 1)
        self.assertEqual(samples["scrollgate_redis_breaker_open"], 0)
        # How long all answers took, not only those to look-ups.
        count = samples["scrollgate_redis_duration_seconds_count"]
        self.assertGreaterEqual(count, 7)
        self.assertEqual(samples['scrollgate_redis_duration_seconds_bucket{le="+Inf"}'], count)
        self.assertGreater(samples["scrollgate_redis_duration_seconds_sum"], 0)
        code, out, _ = self.command(other, "status")
        self.assertEqual(code, 0)
        shown = redis.url.removesuffix("/0")
        self.assertIn(f"redis {shown}: up, 2 nodes, 5 hits of 6, 1 written", out)
        redis.kill()
        eventually(lambda: self.tier(other)["state"] == "open", "it is seen to be away")
        self.assertEqual(other.metrics()["scrollgate_redis_breaker_open"], 1)
        other.wait_stderr("is left alone")

    def test_bodies_that_need_a_dictionary(self):
        redis = self.redis()
        first, asked = self.node(redis, creatures), 0
        with self.client(first) as client:
            while not needy(redis):     # until it has learned one, and others can find it
                self.assertLess(asked, 5000)
                for _ in range(100):
                    self.assertEqual(client.get(f"/{asked}").final().status, 200)
                    asked += 1
        targets = [re.search(rb"site\.test\n(/\d+)", value)[1].decode() for value in needy(redis)]
        second = self.node(redis, creatures)
        for target in targets:
            self.assertEqual(self.fetch(second, target).body, creature(target))
        # The first of them has fetched the dictionary, for those behind it.
        self.assertGreaterEqual(self.tier(second)["no_dictionary"], 1)
        third = self.node(redis, creatures)
        self.fetch(third, targets[0])

        def found():
            answer = self.fetch(third, targets[-1])
            self.assertEqual(answer.body, creature(targets[-1]))
            return "hit" in self.cache_status(answer)
        eventually(found, "it answers")
        self.assertGreater(self.tier(second)["hits"] + self.tier(third)["hits"], 0)

        # Redis loses it, as under memory pressure: whoever writes what needs it says it again.
        dictionaries = redis.keys("*dictionary*")
        self.assertEqual(redis.call("DEL", *dictionaries), len(dictionaries))

        def said_again():
            nonlocal asked
            self.fetch(first, f"/{asked}")
            asked += 1
            return redis.keys("*dictionary*")
        eventually(said_again, "the dictionary is there again", seconds=30)

    def test_what_redis_cannot_take_at_once_is_dropped_and_counted(self):
        meddler, url = self.meddler(self.redis())
        edge = self.node(url, counting(), queue={"commands": 16}, timeout="10s")
        meddler.delay = 0.2
        clients = [self.client(edge).get(f"/{i}") for i in range(40)]
        for i, client in enumerate(clients):
            self.assertTrue(client.final().body.endswith(f" /{i}".encode()))
        tier = self.tier(edge)
        # Half of the queue is kept for questions.
        self.assertGreater(tier["dropped"], 0)
        self.assertGreater(tier["refused"], 0)
        self.assertEqual(tier["state"], "up")

    def test_a_restarted_node_has_its_hits_back(self):
        redis, origin = self.redis(), counting()
        edge = self.node(redis, origin)
        for i in range(20):
            self.fetch(edge, f"/{i}")
        self.wait_written(redis, 20)
        self.assertEqual(edge.stop(), 0)
        edge = self.node(redis, origin)
        for i in range(20):
            self.assert_from_redis(self.fetch(edge, f"/{i}"))
        self.assertEqual(len(origin.asked), 20)

    def test_bodies_of_all_sizes_come_whole(self):
        redis = self.redis()

        def script(conn):
            while True:
                size = int(re.search(r"\d+", conn.request().target)[0])
                conn.answer(b"".join(b"line %d\n" % i for i in range(size // 6 + 1))[:size],
                            "200 OK", "Cache-Control: max-age=60", "Content-Type: text/plain")
        first, second = self.node(redis, script), self.node(redis, script)
        sizes = [0, 1, 63, 1000, 9000, 65536, 65537, 200_000, 262_144]
        bodies = [self.fetch(first, f"/{size}").body for size in sizes]
        self.wait_written(redis, len(sizes))
        for size, body in zip(sizes, bodies):
            answer = self.fetch(second, f"/{size}")
            self.assert_from_redis(answer)
            self.assertEqual(answer.body, body)
        # Beyond redis.max_object it stays out.
        self.fetch(first, "/262145")
        eventually(lambda: self.tier(first)["too_large"] == 1, "it is counted")
        self.assertEqual(len(redis.responses()), len(sizes))

    def test_what_another_node_stored_and_is_too_long_here_does_not_fill_the_memory(self):
        redis, body = self.redis(), b"x" * 100_000

        def long(conn):
            while True:
                conn.request()
                conn.answer(body, "200 OK", "Cache-Control: max-age=600")
        first, second = self.node(redis, long), self.node(redis, long)
        for target in ("/long", "/other"):
            self.fetch(first, target)
        self.wait_written(redis, 2)
        second.config["cache"]["max_object"] = "64KiB"
        second.write()
        self.assertEqual(second.reload()[0], 200)
        for _ in range(2):
            answer = self.fetch(second, "/long")
            self.assertEqual(answer.body, body)
            self.assertNotIn("scrollgate; hit;", self.cache_status(answer))
        self.assertEqual(second.status()["cache"]["bytes_raw"], 0)
        self.assertGreaterEqual(self.tier(second)["no_room"], 1)
        second.config["cache"]["max_object"] = "1MiB"
        second.write()
        self.assertEqual(second.reload()[0], 200)
        self.assert_from_redis(self.fetch(second, "/other"))

    def test_a_short_lived_variant_does_not_hide_the_others(self):
        redis = self.redis()

        def script(conn):
            while True:
                short = conn.request().get("x-kind") == "short"
                conn.answer(b"x", "200 OK", "Vary: X-Kind",
                            f"Cache-Control: max-age={5 if short else 600}")
        first, second = [self.node(redis, script, cache={"stale_if_error": "none"})
                         for _ in range(2)]

        def names():
            """How long what the key varies by is kept, in seconds."""
            name, = (key for key in redis.responses() if key.endswith("}"))
            return redis.call("PTTL", name) / 1000
        self.fetch(first, "/v", "X-Kind: long")
        self.wait_written(redis, 2)
        self.assertGreater(names(), 300)
        self.fetch(second, "/v", "X-Kind: short")
        self.wait_written(redis, 3)
        self.assertGreater(names(), 300)
        self.assert_from_redis(self.fetch(second, "/v", "X-Kind: long"))

    def test_variants_are_told_apart(self):
        redis = self.redis()

        def script(conn):
            while True:
                request = conn.request()
                kind = request.get("x-kind") or "none"
                conn.answer(f"for {kind}".encode(), "200 OK", "Cache-Control: max-age=60",
                            "Vary: X-Kind, Accept-Encoding")
        first, second = self.node(redis, script), self.node(redis, script)
        for kind in ("one", "two"):
            self.fetch(first, "/v", f"X-Kind: {kind}")
        self.fetch(first, "/v")
        self.wait_written(redis, 4)         # three, and what they vary by
        for kind in ("two", "one"):
            answer = self.fetch(second, "/v", f"X-Kind: {kind}")
            self.assert_from_redis(answer)
            self.assertEqual(answer.body, f"for {kind}".encode())
        self.assertEqual(self.fetch(second, "/v").body, b"for none")
        other = self.fetch(second, "/v", "X-Kind: three")
        self.assertEqual(other.body, b"for three")
        self.assertNotIn("hit", self.cache_status(other))

    def test_hosts_schemes_partitions_and_chosen_lines_are_told_apart(self):
        redis = self.redis()

        def script(conn):
            while True:
                request = conn.request()
                conn.answer(f"{request.get('host')} {request.get('x-user') or ''}".encode(),
                            "200 OK", "Cache-Control: max-age=60")
        chosen = {"key": {"headers": ["X-User"]}}
        first, second = self.node(redis, script, chosen), self.node(redis, script, chosen)
        other = self.node(redis, script, {**chosen, "partition": "other"})
        self.fetch(first, "/p", "X-User: ann", host="a.test")
        self.wait_written(redis, 1)
        for answer in (self.fetch(second, "/p", "X-User: ann", host="b.test"),
                       self.fetch(second, "/p", "X-User: bob", host="a.test"),
                       self.fetch(second, "/p", host="a.test"),
                       self.fetch(other, "/p", "X-User: ann", host="a.test")):
            self.assert_miss(answer)
        self.assert_from_redis(self.fetch(second, "/p", "X-User: ann", host="a.test"))

    def test_what_is_private_never_gets_there(self):
        redis = self.redis()
        kinds = {"/private": ["Cache-Control: private, max-age=60"],
                 "/no-store": ["Cache-Control: no-store"],
                 "/cookie": ["Cache-Control: max-age=60", "Set-Cookie: id=secret"],
                 "/vary": ["Cache-Control: max-age=60", "Vary: *"],
                 "/nothing": [],
                 "/part": ["Cache-Control: max-age=60, private=\"X-Mine\"", "X-Mine: secret"]}

        def script(conn):
            while True:
                request = conn.request()
                public = request.target in ("/part", "/last")
                conn.answer(b"public" if public else b"secret", "200 OK",
                            *kinds.get(request.target, ["Cache-Control: max-age=60"]))
        edge = self.node(redis, script)
        for target in kinds:
            for _ in range(2):
                self.fetch(edge, target)
        self.fetch(edge, "/auth", "Authorization: Basic c2VjcmV0")
        self.fetch(edge, "/last")
        eventually(lambda: self.tier(edge)["writes"] >= 2, "the last one is written")
        eventually(lambda: self.tier(edge)["pending"] == 0, "and answered")
        self.assertNotIn(b"secret", redis.values())
        self.assertIn(b"public", redis.values())

    def test_a_marker_spares_the_other_nodes_the_wait(self):
        redis, origin = self.redis(), counting(cache_control="private")
        first, second = self.node(redis, origin), self.node(redis, origin)
        self.fetch(first, "/mine")
        self.wait_written(redis, 1)
        answer = self.fetch(second, "/mine")
        self.assertIn("detail=hit-for-miss", self.cache_status(answer))
        self.assertEqual(self.tier(second)["markers"], 1)

    def test_a_marker_does_not_hide_the_variants_that_a_node_has(self):
        redis = self.redis()

        def script(conn):
            while True:
                private = conn.request().get("x-private")
                conn.answer(b"x", "200 OK", "Vary: X-Lang",
                            "Cache-Control: " + ("private" if private else "max-age=600"))
        first, second = self.node(redis, script), self.node(redis, script)
        self.fetch(first, "/v", "X-Lang: a")
        self.wait_written(redis, 2)
        for name in redis.responses():      # as if Redis had evicted them
            redis.call("DEL", name)
        self.fetch(second, "/v", "X-Lang: a", "X-Private: 1")
        self.wait_written(redis, 1)
        self.fetch(first, "/v", "X-Lang: b", "X-Private: 1")
        self.assertEqual(self.tier(first)["markers"], 0)
        self.assert_hit(self.fetch(first, "/v", "X-Lang: a"))

    def test_a_stale_one_is_used_as_one_in_memory_would_be(self):
        redis = self.redis()
        failing = []

        def script(conn):
            while True:
                conn.request()
                if failing:
                    conn.answer(b"broken", "503 Service Unavailable")
                else:
                    conn.answer(b"good", "200 OK", "Cache-Control: max-age=1, stale-if-error=600",
                                "ETag: \"1\"")
        first, second = self.node(redis, script), self.node(redis, script)
        self.fetch(first, "/s")
        self.wait_written(redis, 1)
        failing.append(True)

        def stale():
            answer = self.fetch(second, "/s")
            self.assertEqual(answer.body, b"good")
            return "detail=stale-if-error" in self.cache_status(answer)
        eventually(stale, "the stale one stands in for the origin")

    def test_requests_that_want_the_origin_get_it(self):
        redis, origin = self.redis(), counting()
        first, second = self.node(redis, origin), self.node(redis, origin)
        self.fetch(first, "/n")
        self.wait_written(redis, 1)
        answer = self.fetch(second, "/n", "Cache-Control: no-cache")
        self.assertNotIn("hit", self.cache_status(answer))
        self.assertEqual(len(origin.asked), 2)

    def test_nothing_stays_in_redis_when_all_has_expired(self):
        redis = self.redis()
        origin = counting("Surrogate-Key: red blue", "Vary: X-Kind", cache_control="max-age=1")
        edge = self.node(redis, origin, {"stale_if_error": "none"})
        for i in range(50):
            self.fetch(edge, f"/{i}", "X-Kind: one")
        eventually(lambda: self.tier(edge)["pending"] == 0, "all is written")
        self.assertGreater(redis.call("DBSIZE"), 50)
        # What a key varies by is kept for a minute at least.
        for key in redis.keys():
            if not key.endswith((":purges", ":nodes")):
                left = redis.call("PTTL", key)
                self.assertTrue(-2 == left or 0 < left <= 60_000, (key, left))
        eventually(lambda: not [k for k in redis.keys() if ":tag:" in k], "no set of a tag is left")


if __name__ == "__main__":
    main()
