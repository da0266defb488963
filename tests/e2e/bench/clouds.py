"""The cloud drills of the comparison: what their figures mean, what their endpoints do when told,
and one short drill with nginx."""
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import types
import unittest
from pathlib import Path

from harness import main
from harness.wait import eventually

RUN = Path(__file__).resolve().parents[3] / "bench" / "peers" / "run.py"
PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"
sys.path.insert(0, str(RUN.parent))
import cloud_world                # noqa: E402
import clouds                     # noqa: E402
import recipes                    # noqa: E402


def samples_of(*rates, step=0.1):
    """Samples of two endpoints that see so many requests a second: (until, first, second), …"""
    found, now, seen = [(0.0, [0, 0])], 0.0, [0.0, 0.0]
    for until, *rate in rates:
        while now < until - step / 2:
            now += step
            seen = [a + b * step for a, b in zip(seen, rate)]
            found.append((now, [round(n) for n in seen]))
    return found


def method(failed=0, extra=0.0, clean=0.0, **failures):
    return {"failed": failed, "failures": failures, "longest_extra_ms": extra, "usual_ms": 20.0,
            "until_clean_ms": clean}


def said(get, post, failed=0, slices=()):
    return {"drill": {"methods": {"GET": get, "POST": post}, "in_flight": 3, "at_s": 2.0,
                      "failed": get["failed"] + post["failed"]},
            "duration_s": 6.0, "failed": failed, "generator": {"unsent": 0},
            "timeline": {"slices": [{"t_s": at, "failed": n} for at, n in slices]}}


class Figures(unittest.TestCase):
    def test_shares_are_taken_before_later_and_at_the_end(self):
        samples = samples_of((2, 300, 100), (4, 0, 400), (7, 100, 300))
        self.assertEqual(clouds.seen_between(samples, 1, 3), [300, 500])
        found = clouds.of_the_shares(samples, [0], broken=2, ended=7)
        self.assertAlmostEqual(found["share_before"], 0.75)
        self.assertAlmostEqual(found["share_later"], 0.25)      # from 4 to 5
        self.assertAlmostEqual(found["share_end"], 0.25)
        found = clouds.of_the_shares(samples, [0], broken=1, ended=7)
        self.assertAlmostEqual(found["share_later"], 0)
        self.assertNotIn("share_end", clouds.of_the_shares([(0, [5, 5]), (9, [5, 5])], [0], 2, 9))

    def test_when_an_endpoint_is_back(self):
        samples = samples_of((2, 100, 100), (3, 0, 200), (4, 50, 150), (7, 100, 100))
        back = clouds.back_after(samples, [0], broken=2, back=3, ended=7)
        # 80 % of a half, over half a second, of which some was at a quarter.
        self.assertGreater(back, 1.0)
        self.assertLess(back, 1.5)
        never = samples_of((2, 100, 100), (7, 10, 190))
        self.assertIsNone(clouds.back_after(never, [0], 2, 3, 7))

    def test_what_failed_after_the_return(self):
        breakage = types.SimpleNamespace(at=102.0, back_at=103.0)
        samples = [(at + 100, seen) for at, seen in samples_of((2, 9, 9), (3, 0, 9), (7, 9, 9))]
        run = said(method(), method(), slices=[(2.0, 7), (2.9, 1), (3.0, 2), (4.5, 1)])
        found = clouds.of_the_return(run, samples, [0], breakage, 107.0)
        self.assertEqual(found["failed_after_return"], 3)
        self.assertGreaterEqual(found["back_s"], 0.5)

    def test_when_packets_came_through_again_is_told_by_the_load(self):
        breakage = cloud_world.Blackhole([])
        breakage.told({"at_s": 2.0, "healed_s": 3.0}, 100.0)
        self.assertEqual((breakage.at, breakage.back_at), (102.0, 103.0))
        forever = cloud_world.Blackhole([])
        forever.told({"at_s": 2.0, "healed_s": None}, 100.0)
        self.assertEqual((forever.at, forever.back_at), (102.0, None))

    def test_who_gives_up_has_waited(self):
        found = clouds.of_the_drill(
            said(method(2, 5.0, None, timeout=2), method(4, 7.0, 30.0, reset=4), failed=7), 1, 1)
        self.assertEqual(found["get_extra_ms"], clouds.PATIENCE * 1000 - 20)
        self.assertEqual(found["post_extra_ms"], 7.0)
        self.assertEqual((found["clean"], found["clean_s"]), (0.0, 4.0))
        self.assertEqual((found["get_failed"], found["post_failed"]), (2, 4))
        self.assertEqual(found["failed_before"], 1)
        self.assertEqual(found["post_elsewhere"], 2)
        unknown = clouds.of_the_drill(said(method(clean=250.0), method(1)), None, 0)
        self.assertEqual((unknown["clean"], unknown["clean_s"]), (1.0, 0.25))
        self.assertNotIn("post_elsewhere", unknown)

    def test_drills_that_prove_nothing_are_complained_about(self):
        drill, calm = (types.SimpleNamespace(kind=kind) for kind in ("clouds", "calm"))
        good = {"in_flight": 1, "failed_before": 0}
        self.assertEqual(list(clouds.complaints(drill, "nginx", good)), [])
        for bad in ({"in_flight": 0}, {"failed_before": 2}):
            self.assertEqual(len(list(clouds.complaints(drill, "nginx", {**good, **bad}))), 1)
        self.assertEqual(list(clouds.complaints(calm, "nginx", {})), [])

    def test_capacity_is_what_all_can_do(self):
        self.assertAlmostEqual(clouds.capacity(), 2 * 2 * (1000 / 2 + 1000 / 8 + 1000 / 15))


class Configurations(unittest.TestCase):
    def test_every_key_is_written_for_who_has_it(self):
        values = {name: "127.0.1.1:1" for name in ("AWS1", "AWS2", "GCP1", "GCP2", "AZURE1",
                                                   "AZURE2")} | {"PORT": 1, "DIR": "/d"}
        text = (recipes.CONFIGS / "scrollgate" / "scrollgate.yaml").read_text()
        flags = {"clouds", "checks", "retry500", "adaptive"}
        full = recipes.render(text, flags, values)
        for key in ("health_check:", "retry_on: [ 500, 502, 503 ]", "balance: adaptive"):
            self.assertIn(key, full)
        plain = recipes.render(text, {"clouds"}, values)
        for key in ("health_check", "retry_on", "balance", "origin"):
            self.assertNotIn(key, plain)


class Endpoints(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="scrollgate-clouds-")
        self.addCleanup(folder.cleanup)
        self.origin = cloud_world.CloudOrigin(folder.name, None, cloud=0, at=0, slots=0)
        self.addCleanup(self.origin.stop)
        self.origin.wait_until_it_accepts()

    def ask(self, method="GET", path="/", body=None):
        client = self.connect()
        client.request(method, path, body)
        answer = client.getresponse()
        return answer.status, answer.read()

    def connect(self):
        client = http.client.HTTPConnection(self.origin.address, self.origin.port, timeout=30)
        self.addCleanup(client.close)
        return client

    def test_they_do_as_they_are_told(self):
        board = self.origin.board
        self.assertEqual(self.ask(), (200, b"x" * 1024))
        self.assertEqual(self.ask("POST", body=b"12")[0], 200)
        cloud_world.Errors([self.origin]).order("error_percent", 100)
        self.assertEqual(self.ask("POST", body=b"12")[0], 500)
        self.assertEqual(self.ask(path="/health")[0], 200)      # checks stay green
        self.assertEqual((board["gets"], board["posts"], board["posts_refused"], board["checks"]),
                         (1, 2, 1, 1))
        self.assertEqual(board.in_flight(), 0)

    def test_counts_outlive_a_kill(self):
        board, client = self.origin.board, self.connect()
        board["slow_factor"] = 1_000_000
        client.request("POST", "/", b"12")
        eventually(lambda: board["posts_in_flight"] == 1, "the request is being worked on")
        breakage = cloud_world.Kill([self.origin])
        breakage.strike()
        self.assertEqual((breakage.posts, breakage.unread), (1, 0))
        with self.assertRaises((OSError, http.client.HTTPException)):
            client.getresponse()
        board["slow_factor"] = 1
        self.origin.go()
        self.origin.wait_until_it_accepts()
        self.assertEqual(self.ask()[0], 200)
        self.assertEqual((board["gets"], board["posts"], board.in_flight()), (1, 1, 0))

    def test_what_the_frozen_were_sent_is_counted_when_they_thaw(self):
        breakage, client = cloud_world.Freeze([self.origin]), self.connect()
        client.connect()
        breakage.strike()
        client.request("POST", "/", b"12")
        for _ in range(2):
            self.connect().connect()        # silent ones that nobody accepts
        eventually(lambda: cloud_world.unread({self.origin.port}) == 1, "it lies there unread")
        self.assertEqual(self.origin.board.seen(), 0)
        eventually(lambda: breakage.settle() or breakage.posts == 1, "it is read and counted")
        breakage.settle()
        self.assertEqual(breakage.posts, 1)     # twice is once
        self.assertEqual(client.getresponse().status, 200)

    def test_the_frozen_thaw_by_themselves(self):
        breakage, client = cloud_world.Thaw([self.origin]), self.connect()
        self.addCleanup(breakage.settle)
        client.connect()
        breakage.strike()
        client.request("GET", "/")
        self.assertIsNone(breakage.back_at)
        self.assertEqual(client.getresponse().status, 200)      # only since it has thawed
        eventually(lambda: breakage.back_at is not None, "it says when it was back")
        self.assertGreater(breakage.back_at, breakage.at)


@unittest.skipIf(any(shutil.which(tool, path=PATH) is None for tool in ("nginx", "taskset")),
                 "needs nginx: ./dev bench installs it")
class Drill(unittest.TestCase):
    def test_one_with_nginx(self):
        with tempfile.TemporaryDirectory(prefix="scrollgate-clouds-") as folder:
            result = Path(folder) / "r.json"
            run = subprocess.run(
                [sys.executable, "-B", str(RUN), "--scrollgate", os.environ["SCROLLGATE_BIN"],
                 "--subjects", "nginx", "--rounds", "1", "--seconds", "1", "--rate", "100",
                 "--json", str(result), "clouds-flap"],
                env={**os.environ, "PATH": PATH}, capture_output=True, text=True, timeout=150)
            self.assertTrue(result.exists(), run.stdout + run.stderr)
            scenario = json.loads(result.read_text())["scenarios"]["clouds-flap"]
        figures = scenario["rounds"][0]["nginx"]
        self.assertGreater(figures["in_flight"], 0)
        self.assertGreater(figures["share_before"], 0)
        for name in ("get_failed", "post_failed", "get_extra_ms", "clean_s", "per_request",
                     "post_on_victims"):
            self.assertIn(name, figures)
        self.assertIn("GET failed", run.stdout)


if __name__ == "__main__":
    main()
