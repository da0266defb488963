"""The Redis client against one real server: plain, over TLS with AUTH, and in all kinds of trouble.

No wrong answer, ever; whatever is wrong, a question is over by its deadline, and when Redis is left
alone at once.
"""
import os
import signal

from harness.redis import RedisTest
from harness import main
from harness.tls import Authority
from harness.wait import eventually


class One(RedisTest):
    def test_questions_and_answers(self):
        server = self.server()
        driver = self.driver(url=f"redis://127.0.0.1:{server.port}/2")
        self.assertTrue(driver.is_up())
        self.assertEqual(driver.ask("SET", "k", "value"), ("status", "OK"))
        self.assertEqual(driver.ask("GET", "k"), ("text", "value"))
        self.assertEqual(driver.ask("GET", "none"), ("nil", None))
        self.assertEqual(driver.ask("INCR", "k")[0], "error")
        self.assertIn("db2:keys=1", server.ask("INFO", "keyspace"))
        self.assertEqual(driver.stats()["pending"], 0)

    def test_a_name_is_resolved(self):
        server = self.server()
        driver = self.driver(url=f"redis://localhost:{server.port}")
        self.assertTrue(driver.is_up())

    def test_load_and_nothing_wrong(self):
        server = self.server()
        driver = self.driver(url=f"redis://127.0.0.1:{server.port}")
        self.assertTrue(driver.is_up())
        seen = driver.loaded(50, 50, lambda: driver.answers(5000))
        self.assertEqual((seen["wrong"], seen["errors"], seen["failed"]), (0, 0, 0))
        self.assertGreater(seen["found"], 0)
        self.assertEqual(driver.stats()["connects"], 1)

    def test_messages_are_heard_again_after_a_restart(self):
        server = self.server()
        driver = self.driver(url=f"redis://127.0.0.1:{server.port}")
        self.assertTrue(driver.is_up())
        self.assertEqual(driver.do("listen", "purges", "others"), {"listening": True})
        server.ask("PUBLISH", "purges", "one two")
        self.assertEqual(driver.line(), {"channel": "purges", "message": "one two"})
        server.kill()
        self.assertEqual(driver.line(), {"listening": False})
        server.start()
        self.assertEqual(driver.line(30), {"listening": True})
        server.ask("PUBLISH", "others", "three")
        self.assertEqual(driver.line(), {"channel": "others", "message": "three"})

    def test_a_blocking_read_waits_and_does_not_look_like_silence(self):
        server = self.server()
        driver = self.driver(url=f"redis://127.0.0.1:{server.port}")
        self.assertTrue(driver.is_up())
        driver.send("ask", 5000, "XREAD", "BLOCK", 1500, "STREAMS", "log", "$")
        self.assertEqual(driver.line(), {"kind": "nil"})
        driver.send("ask", 10000, "XREAD", "BLOCK", 9000, "STREAMS", "log", "$")
        eventually(lambda: "blocked_clients:1" in server.ask("INFO", "clients"), "it blocks")
        server.ask("XADD", "log", "*", "purge", "x")
        self.assertEqual(driver.line()["kind"], "array")
        self.assertEqual(driver.stats()["openings"], 0)


class Secured(RedisTest):
    def test_tls_with_user_and_password(self):
        authority = Authority(self.folder)
        identity = authority.issue("redis", "DNS:cache.test", "IP:127.0.0.1")
        server = self.server(tls=identity, users=["edge on >s3cret-1 ~* &* +@all", "default off"])
        keys = {"url": f"rediss://127.0.0.1:{server.port}", "username": "edge",
                "tls": {"ca": str(authority.certificate), "server_name": "cache.test"}}
        driver = self.driver(password="s3cret-1", **keys)
        self.assertTrue(driver.is_up())
        self.assertEqual(driver.ask("SET", "k", "v"), ("status", "OK"))
        for wrong in ({"password": "s3cret-2"},
                      {"password": "s3cret-1", "tls": {"ca": str(authority.certificate),
                                                       "server_name": "other.test"}},
                      {"password": "s3cret-1", "tls": {}}):
            driver = self.driver(**{**keys, **wrong})
            self.state_becomes(driver, "open")
            self.assertEqual(driver.ask("GET", "k"), ("failed", "connect_failed"))
            self.assertNotIn("s3cret", driver.told())

    def test_a_password_file_that_changes_reaches_live_connections(self):
        server = self.server("--requirepass", "old")
        server.password = "old"
        file = self.folder / "password"
        file.write_text("old\n")
        driver = self.driver(url=f"redis://127.0.0.1:{server.port}", password_file=str(file))
        self.assertTrue(driver.is_up())
        self.assertEqual(driver.do("look"), {"changed": False})
        server.ask("CONFIG", "SET", "requirepass", "new")
        server.password = "new"
        replacement = self.folder / "next"
        replacement.write_text("new\n")
        os.replace(replacement, file)
        self.assertEqual(driver.do("look"), {"changed": True})
        # Said on the connection that lives, not only on the next one.
        eventually(lambda: " cmd=auth " in server.ask("CLIENT", "LIST"), "AUTH was said")
        self.assertEqual(driver.stats()["connects"], 1)
        server.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        eventually(lambda: driver.stats()["connects"] == 2 and driver.is_up(), "it is back")
        self.assertEqual(driver.ask("PING"), ("status", "PONG"))


class InTrouble(RedisTest):
    """Each trouble under load: nothing wrong, and the client finds back by itself."""

    def under_load(self, driver, trouble):
        """What askers have seen while `trouble` took its course."""
        self.assertTrue(driver.is_up())
        seen = driver.loaded(50, 20, lambda: (driver.answers(), trouble()))
        self.assertEqual(seen["wrong"], 0)
        return seen

    def driven(self, server_or_meddler, **keys):
        return self.driver(url=f"redis://127.0.0.1:{server_or_meddler.port}", **keys)

    def test_killed_and_started_again(self):
        server = self.server()
        driver = self.driven(server)

        def trouble():
            server.kill()
            self.state_becomes(driver, "open")
            server.start()
            self.state_becomes(driver, "up")
            driver.answers()
        seen = self.under_load(driver, trouble)
        self.assertGreater(seen["failed"], 0)
        self.assertGreater(seen["found"], 0)
        self.assertEqual(driver.ask("PING"), ("status", "PONG"))

    def test_frozen(self):
        server = self.server()
        driver = self.driven(server, timeout="50ms")

        def trouble():
            self.stop(server)
            self.state_becomes(driver, "open")
            refused = driver.stats()["refused"]
            eventually(lambda: driver.stats()["refused"] > refused + 100, "nobody waits")
        self.under_load(driver, trouble)
        stats = driver.stats()
        self.assertEqual(stats["state"], "open")
        self.assertLessEqual(stats["pending"], 2)  # a probe's
        self.assertEqual(driver.ask("GET", "key:1", ms=60000), ("failed", "connect_failed"))
        server.signal(signal.SIGCONT)
        self.assertTrue(driver.is_up())

    def test_frozen_with_nobody_asking_but_once(self):
        server = self.server()
        driver = self.driven(server, timeout="20ms")
        self.assertTrue(driver.is_up())
        self.stop(server)
        self.assertEqual(driver.ask("GET", "k"), ("failed", "upstream_timeout"))
        self.state_becomes(driver, "open")

    def test_cut_off_without_a_word(self):
        meddler = self.meddler(self.server())
        driver = self.driven(meddler)

        def trouble():
            meddler.mute.set()
            self.state_becomes(driver, "open")
            meddler.mute.clear()
            self.state_becomes(driver, "up")
            driver.answers()
        self.under_load(driver, trouble)

    def test_too_slow_to_be_of_use(self):
        meddler = self.meddler(self.server())
        driver = self.driven(meddler, timeout="100ms")

        def trouble():
            meddler.delay = 0.3
            self.state_becomes(driver, "open")
        self.under_load(driver, trouble)
        # PING takes as long as everything else: it does not come back to be given up again.
        connects = driver.stats()["connects"]
        eventually(lambda: driver.stats()["connects"] > connects, "it is probed")
        self.assertEqual(driver.stats()["state"], "open")
        meddler.delay = 0.0
        self.assertTrue(driver.is_up(20000))

    def test_cut_again_and_again(self):
        meddler = self.meddler(self.server())
        driver = self.driven(meddler)

        def trouble():
            for times in range(1, 6):
                meddler.cut()
                eventually(lambda: driver.stats()["connects"] > times, "it connects again")
                driver.answers()
        seen = self.under_load(driver, trouble)
        self.assertGreater(seen["found"], 0)

    def test_out_of_memory_holds_writes_alone(self):
        server = self.server("--maxmemory", "100mb", "--maxmemory-policy", "noeviction")
        driver = self.driven(server)
        self.assertTrue(driver.is_up())
        self.assertEqual(driver.ask("SET", "k", "v"), ("status", "OK"))
        server.ask("CONFIG", "SET", "maxmemory", "1")
        for _ in range(20):
            kind, value = driver.ask("SET", "k", "w")
            self.assertEqual((kind, value.split()[0]), ("error", "OOM"))
            self.assertEqual(driver.ask("GET", "k"), ("text", "v"))
        self.assertGreater(driver.stats()["held"], 0)
        server.ask("CONFIG", "SET", "maxmemory", "100mb")
        eventually(lambda: driver.ask("SET", "k", "w") == ("status", "OK"), "writes go again")

    def test_read_only_holds_writes_alone(self):
        master, server = self.server(), self.server()
        driver = self.driven(server)
        self.assertTrue(driver.is_up())
        server.ask("REPLICAOF", "127.0.0.1", master.port)
        eventually(lambda: driver.ask("SET", "k", "v")[0] in ("error", "failed"), "a replica")
        server.ask("REPLICAOF", "NO", "ONE")
        eventually(lambda: driver.ask("SET", "k", "v") == ("status", "OK"), "writes go again")

    def test_a_script_that_keeps_it_busy(self):
        server = self.server("--busy-reply-threshold", "100")
        driver = self.driven(server, timeout="100ms")
        self.assertTrue(driver.is_up())
        self.assertEqual(driver.ask("EVAL", "repeat(tostring)(1)until(false)", 0, ms=2000),
                         ("failed", "upstream_reset"))
        self.state_becomes(driver, "open")
        eventually(lambda: driver.stats()["connects"] > 1, "it is probed")
        self.assertEqual(driver.stats()["state"], "open")


class Garbled(RedisTest):
    """Bytes are changed on the way: the client sees broken grammar and breaks the connection. What
    has the right grammar and wrong content only an entry's own check can find; that is the tier's.
    """

    def test_it_lives_and_comes_back(self):
        server = self.server()
        meddler = self.meddler(server)
        driver = self.driver(url=f"redis://127.0.0.1:{meddler.port}")
        self.assertTrue(driver.is_up())

        def trouble():
            meddler.garble = 0.002
            eventually(lambda: driver.stats()["connects"] > 5, "it breaks and comes back", 30)
        driver.loaded(50, 20, trouble)
        meddler.garble = 0.0
        meddler.cut()
        eventually(lambda: driver.ask("PING") == ("status", "PONG"), "it is back", 20)
        self.assertEqual(driver.stats()["pending"], 0)
        self.assertGreater(driver.stats()["connects"], 2)


if __name__ == "__main__":
    main()
