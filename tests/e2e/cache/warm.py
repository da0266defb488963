"""Warming: jobs by API and command, sets at start that readiness waits for and that are fetched
again before they expire, and the URLs in most demand over a restart."""
import re
import threading

from harness import main
from harness.process import BINARY
from harness.stored import StoredTest, counting, held
from harness.terminal import Terminal
from harness.wait import eventually


class Warm(StoredTest):
    def ready(self, edge):
        return edge.admin("GET", "/readyz")[0]

    def urls(self, *targets):
        return [f"http://site.test{target}" for target in targets]

    def test_a_job_fetches_what_clients_then_find(self):
        origin = counting()
        edge = self.cached_edge(origin)
        code, answer = self.call(edge, "POST", "/warm", {"urls": self.urls("/1", "/2", "/3")})
        self.assertEqual((code, answer["total"]), (202, 3))
        path = f"/warm/{answer['job']}"
        eventually(lambda: self.call(edge, "GET", path)[1]["state"] == "done", "the job is done")
        job = self.call(edge, "GET", path)[1]
        self.assertEqual((job["stored"], job["not_stored"], job["failed"]), (3, 0, 0), job)
        for target in ("/1", "/2", "/3"):
            self.assert_hit(self.fetch(edge, target))
        self.assertEqual(sorted(origin.asked), ["/1", "/2", "/3"])

    def test_a_job_goes_at_its_rate(self):
        origin = counting()
        edge = self.cached_edge(origin)
        code, answer = self.call(edge, "POST", "/warm",
                                 {"urls": self.urls(*(f"/{i}" for i in range(50))), "rate": 0.001})
        self.assertEqual(code, 202)
        eventually(lambda: len(origin.asked) == 1, "the first is fetched")
        self.fetch(edge, "/other")
        self.assertEqual(len(origin.asked), 2)      # the job's first, and this one
        job = self.call(edge, "GET", f"/warm/{answer['job']}")[1]
        self.assertEqual((job["state"], job["done"]), ("running", 1))

    def test_variants_by_coding_are_fetched_for_those_who_usually_ask(self):
        asked = []

        def script(conn):
            while True:
                request = conn.request()
                asked.append(request.target)
                coding = (request.get("accept-encoding") or "none").partition(",")[0]
                vary = () if request.target == "/plain" else ("Vary: Accept-Encoding",)
                conn.answer(coding.encode(), "200 OK", "Cache-Control: max-age=60", *vary)
        edge = self.cached_edge(script)
        code, out, errors = self.command(edge, "cache", "warm", *self.urls("/x", "/plain"))
        self.assertEqual((code, errors), (0, ""))
        self.assertTrue(out.endswith("2/2: 2 stored, 0 not stored, 0 failed\n"), out)
        self.assertEqual(sorted(asked), ["/plain"] + 4 * ["/x"])
        for field, coding in (((), b"none"), (("Accept-Encoding: gzip",), b"gzip"),
                              (("Accept-Encoding: gzip, deflate, br",), b"br"),
                              (("Accept-Encoding: gzip, deflate, br, zstd",), b"br")):
            answer = self.fetch(edge, "/x", *field)
            self.assert_hit(answer)
            self.assertEqual(answer.body, coding)
            self.assert_hit(self.fetch(edge, "/plain", *field))
        self.assertEqual(len(asked), 5)

    def test_what_cannot_be_stored_is_told(self):
        edge = self.cached_edge(counting(cache_control="no-store"))
        code, out, errors = self.command(edge, "cache", "warm", *self.urls("/1"), "--rate", "50")
        self.assertEqual(code, 0, errors)
        self.assertIn("1/1: 0 stored, 1 not stored, 0 failed", out)
        self.assertIn("http://site.test/1: ", errors)
        code, answer = self.call(edge, "POST", "/warm", {"urls": ["nothing at all"]})
        self.assertEqual((code, answer["error"]), (400, "bad_url"))
        for body, words in (({}, "urls must be"), ({"urls": [1]}, "must be a text"),
                            ({"urls": self.urls("/"), "rate": 0}, "rate")):
            code, answer = self.call(edge, "POST", "/warm", body)
            self.assertEqual(code, 400)
            self.assertIn(words, answer["message"])
        self.assertEqual(self.call(edge, "GET", "/warm/999")[0], 404)

    def test_what_a_client_is_asking_for_is_not_taken_for_stored(self):
        script = held(cache_control="private")
        edge = self.cached_edge(script)
        with self.client(edge) as client:
            client.send(b"GET /1 HTTP/1.1\r\nHost: site.test\r\n\r\n")
            eventually(lambda: script.asked == ["/1"], "the client's request is under way")
            code, answer = self.call(edge, "POST", "/warm", {"urls": self.urls("/1")})
            self.assertEqual(code, 202)
            eventually(lambda: len(script.asked) == 2, "it is asked for by the job itself")
            script.go.set()

        def done():
            job = self.call(edge, "GET", f"/warm/{answer['job']}")[1]
            return job if job["state"] == "done" else None
        job = eventually(done, "the job is done")
        self.assertEqual((job["stored"], job["not_stored"]), (0, 1))

    def test_the_command_takes_a_file_and_waits(self):
        origin = counting()
        edge = self.cached_edge(origin)
        file = edge.path / "urls"
        file.write_text("# two\nhttp://site.test/a\n\n  site.test/b  \n")
        code, out, errors = self.command(edge, "cache", "warm", "--file", str(file))
        self.assertEqual((code, errors), (0, ""))
        self.assertTrue(out.endswith("2/2: 2 stored, 0 not stored, 0 failed\n"), out)
        self.assert_hit(self.fetch(edge, "/b"))
        code, out, errors = self.command(edge, "cache", "warm", "--file", str(edge.path / "none"))
        self.assertEqual(code, 1)
        self.assertIn("cannot be read", errors)

    def test_on_a_terminal_a_bar_fills_in_place(self):
        go = threading.Event()

        def script(conn):
            while True:
                request = conn.request()
                if request.target != "/1":
                    conn.wait(go)
                conn.answer(request.target.encode(), "200 OK", "Cache-Control: max-age=600")
        edge = self.cached_edge(script)
        terminal = Terminal()
        process = terminal.start([BINARY, "cache", "warm", "-c", edge.file,
                                  *self.urls("/1", "/2")])
        eventually(lambda: re.search(r"^\[#{15} {15}\] 1/2  1 stored, 0 not stored, 0 failed$",
                                     terminal.text(), re.M), "half of the bar")
        go.set()
        self.assertEqual(process.wait(60), 0)
        terminal.close()
        self.assertEqual(terminal.unknown, set())
        self.assertEqual(terminal.text(),
                         f"[{'#' * 30}] 2/2  2 stored, 0 not stored, 0 failed")

    def test_readiness_waits_for_what_is_warmed_at_start(self):
        go = threading.Event()

        def script(conn):
            while True:
                request = conn.request()
                conn.wait(go)
                conn.answer(request.target.encode(), "200 OK", "Cache-Control: max-age=600")
        origin = self.origin(script)
        edge = self.edge(origin, wait=False,
                         routes=[{"name": "all", "pools": ["main"], "cache": {"enabled": True}}],
                         cache={"warm": [{"urls": self.urls("/1", "/2")}], "warm_deadline": "1h"})
        origin.wait_requests(2)
        self.assertEqual(self.ready(edge), 503)
        self.assertEqual(edge.status()["state"], "starting")
        go.set()
        edge.wait_ready()
        self.assert_hit(self.fetch(edge, "/1"))

    def test_readiness_waits_no_longer_than_the_deadline(self):
        def script(conn):
            conn.request()
            conn.until_closed()
        edge = self.edge(
            self.origin(script),
            routes=[{"name": "all", "pools": ["main"], "cache": {"enabled": True}}],
            cache={"warm": [{"urls": self.urls("/1")}], "warm_deadline": "50ms"})
        self.assertEqual(self.ready(edge), 200)

    def test_readiness_waits_for_an_origin_that_fails_for_a_moment(self):
        well = threading.Event()

        def script(conn):
            while True:
                request = conn.request()
                if well.is_set():
                    conn.answer(request.target.encode(), "200 OK", "Cache-Control: max-age=600")
                else:
                    conn.answer(b"", "503 Not Yet")
        origin = self.origin(script)
        edge = self.edge(origin, wait=False, routes=self.ROUTES, cache={
            "warm": [{"urls": self.urls("/1"), "refresh": False}], "warm_deadline": "1h"})
        origin.wait_requests(2)
        self.assertEqual(self.ready(edge), 503)
        _, out, errors = self.command(edge, "cache", "warm", *self.urls("/2"))
        self.assertIn("1/1: 0 stored, 0 not stored, 1 failed", out)
        self.assertIn("http://site.test/2: the origin answered 503", errors)
        well.set()
        edge.wait_ready()
        self.assert_hit(self.fetch(edge, "/1"))
        self.assertRegex(edge.stderr(), "site.test/1.*: the origin answered 503")

    def test_readiness_waits_for_nothing_that_nobody_can_be_asked_for(self):
        file = self.edge(self.origin()).path / "urls"
        file.write_bytes(b"\xff\0\nno url\nhttp://other.test/\n" + self.urls("/1")[0].encode())
        edge = self.edge(
            self.origin(counting()),
            routes=[{**route, "match": {"host": "site.test"}} for route in self.ROUTES],
            cache={"hottest": {"file": str(file), "count": 9}, "warm": [{"file": str(file)}],
                   "warm_deadline": "1h"})
        self.assert_hit(self.fetch(edge, "/1"))
        edge.wait_stderr("fetches for a set have failed")

    def test_a_reload_makes_nobody_unready(self):
        origin = held()
        edge = self.edge(self.origin(origin), routes=self.ROUTES, cache={"warm_deadline": "1h"})
        self.assertEqual(self.ready(edge), 200)
        edge.config["cache"]["warm"] = [{"urls": self.urls("/1")}]
        edge.write()
        self.assertEqual(edge.reload()[0], 200)
        eventually(lambda: origin.asked == ["/1"], "the new set is being fetched")
        self.assertEqual(self.ready(edge), 200)
        origin.go.set()

    def test_sets_are_fetched_again_before_they_expire(self):
        origin = counting(cache_control="max-age=1")
        edge = self.edge(self.origin(origin),
                         routes=[{"name": "all", "pools": ["main"], "cache": {"enabled": True}}],
                         cache={"warm": [{"urls": self.urls("/1")}]})
        eventually(lambda: len(origin.asked) >= 3, "fetched again, and again", seconds=15)
        self.assertEqual(set(origin.asked), {"/1"})
        self.assertEqual(edge.status()["cache"]["misses"], 0)

    def test_a_set_that_a_reload_leaves_alone_is_not_fetched_again(self):
        origin = counting()
        edge = self.edge(self.origin(origin),
                         routes=[{"name": "all", "pools": ["main"], "cache": {"enabled": True}}],
                         cache={"warm": [{"urls": self.urls("/1")}]})
        edge.config["cache"]["warm"].append({"urls": self.urls("/2")})
        edge.write()
        self.assertEqual(edge.reload()[0], 200)
        eventually(lambda: "/2" in origin.asked, "the new set is fetched")
        self.assertEqual(origin.asked, ["/1", "/2"])

    ROUTES = [{"name": "all", "pools": ["main"], "cache": {"enabled": True}}]

    def test_a_set_whose_file_is_gone_stays_as_it_was(self):
        origin = counting(cache_control="max-age=1")
        edge = self.edge(self.origin(origin), routes=self.ROUTES)
        urls = edge.path / "urls"
        urls.write_text("\n".join(self.urls("/1")))
        edge.config["cache"] = {"warm": [{"file": str(urls)}]}
        edge.write()
        edge.reload()
        eventually(lambda: origin.asked, "it is fetched")
        urls.unlink()
        self.assertEqual(edge.reload()[0], 200)
        edge.wait_stderr("the set stays as it was")
        count = len(origin.asked)
        eventually(lambda: len(origin.asked) > count + 1, "it is fetched again", seconds=15)

    def test_what_a_reload_gives_another_key_is_fetched_again(self):
        origin = counting()
        edge = self.edge(self.origin(origin), routes=[dict(self.ROUTES[0])],
                         cache={"warm": [{"urls": self.urls("/1")}]})
        self.assertEqual(origin.asked, ["/1"])
        edge.config["routes"][0]["cache"] = {"enabled": True, "partition": "other"}
        edge.write()
        self.assertEqual(edge.reload()[0], 200)
        eventually(lambda: len(origin.asked) == 2, "it is fetched again")

    def test_a_variant_that_expires_before_the_others_is_fetched_again(self):
        asked = []

        def script(conn):
            while True:
                request = conn.request()
                coding = request.get("accept-encoding") or ""
                asked.append(coding)
                conn.answer(b"x", "200 OK", "Vary: Accept-Encoding",
                            f"Cache-Control: max-age={2 if coding else 600}")
        self.edge(self.origin(script), routes=self.ROUTES,
                  cache={"warm": [{"urls": self.urls("/1")}]})
        eventually(lambda: sum("gzip" in coding for coding in asked) >= 6, "again, and again",
                   seconds=20)

    def lines_of(self, file):
        return [line for line in file.read_text().splitlines() if not line.startswith("#")]

    def hottest_of(self, origin, targets):
        """An edge that begins to fetch what was hottest before, and its file."""
        folder = self.edge(self.origin()).path
        file = folder / "hottest"
        file.write_text("\n".join(self.urls(*targets)))
        edge = self.edge(self.origin(origin), routes=self.ROUTES, wait=False,
                         cache={"hottest": {"file": str(file), "count": len(targets)}})
        return edge, file

    def test_the_hottest_are_not_forgotten_before_they_are_fetched(self):
        targets = [f"/{n}" for n in range(4000)]
        origin = counting()
        edge, file = self.hottest_of(origin, targets)
        eventually(lambda: origin.asked, "the first of them is fetched")
        edge.stop()
        self.assertEqual(len(self.lines_of(file)), len(targets))

    def test_a_reload_goes_on_with_the_hottest(self):
        targets = [f"/{n}" for n in range(300)]
        origin = counting()
        edge, _ = self.hottest_of(origin, targets)
        eventually(lambda: origin.asked, "the first of them is fetched")
        self.assertEqual(edge.reload()[0], 200)
        eventually(lambda: len(set(origin.asked)) == len(targets), "and all the others")

    def test_the_hottest_urls_are_remembered_over_a_restart(self):
        origin = counting()
        edge = self.edge(self.origin(origin), routes=[
            {"name": "all", "pools": ["main"], "rewrite": {"strip_prefix": "/site"},
             "cache": {"enabled": True}}])
        hottest = edge.path / "hottest"
        edge.config["cache"] = {"hottest": {"file": str(hottest), "count": 2}}
        edge.write()
        edge.reload()
        for target, times in (("/site/hot", 9), ("/site/warm", 5), ("/site/cold", 1)):
            for _ in range(times):
                self.fetch(edge, target)
        edge.stop()
        lines = self.lines_of(hottest)
        self.assertEqual(len(lines), 2, lines)
        self.assertIn("http://site.test/site/hot", lines)
        again = counting()
        second = self.edge(self.origin(again), routes=edge.config["routes"],
                           cache={"hottest": {"file": str(hottest), "count": 2}})
        eventually(lambda: "/hot" in again.asked, "the hottest is fetched at start")
        self.assert_hit(self.fetch(second, "/site/hot"))

    def test_the_hottest_are_those_that_were_asked_for_most_not_those_that_were_used_at_all(self):
        origin = counting()
        edge = self.cached_edge(origin)
        hottest = edge.path / "hottest"
        edge.config["cache"] = {"hottest": {"file": str(hottest), "count": 10}}
        edge.write()
        edge.reload()
        client = self.client(edge)
        used = [f"/used/{n}" for n in range(200)] * 7       # all that eviction can tell apart
        most = [f"/most/{n}" for n in range(5)] * 300
        for target in used + most:
            client.get(target)
            client.final()
        edge.stop()
        lines = [line for line in hottest.read_text().splitlines() if not line.startswith("#")]
        self.assertEqual(len(lines), 10)
        self.assertEqual(sorted(lines[:5]), [f"http://site.test/most/{n}" for n in range(5)])


if __name__ == "__main__":
    main()
