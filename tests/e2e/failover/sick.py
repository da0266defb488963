"""A cloud is sick, not gone: errors under green checks, slowness, coming and going; or all of them
are. And what must not be mistaken for it: a report that takes its time."""
import threading

from harness import SCALE, eventually, main
from harness.clouds import SAMPLES, CloudTest, Load

GREEN = {"health_check": {"path": "/healthz", "interval": "100ms", "timeout": f"{int(5 * SCALE)}s"}}
AGAIN = {"failover": {"retry_on": [500, 502, 503]}}


class Sick(CloudTest):
    def setUp(self):
        super().setUp()
        self.aws, self.gcp = self.cloud("aws"), self.cloud("gcp")

    def load(self, edge, **options):
        return self.enterContext(Load(edge, **options))

    def test_half_of_the_answers_are_errors_while_the_checks_are_green(self):
        edge = self.edge_of(aws=self.aws, gcp=self.gcp, pool=GREEN, route=AGAIN)
        load = self.load(edge)
        load.more(SAMPLES)
        for victim in self.aws:
            victim.behave(errors=2)
        for victim in self.aws:
            self.wait_state(edge, victim, "ejected", "of its attempts succeed")
            edge.wait_stderr(f"{victim.address} is ejected (was in): ")
        load.more(200)
        for victim in self.aws:
            victim.behave(errors=0)
        for victim in self.aws:
            self.wait_state(edge, victim, "in")
            self.wait_seen(victim, 3)
        load.stop()
        self.assertEqual(load.failed(), [])
        self.assertNotIn("is unhealthy", edge.stderr())
        self.assertGreaterEqual(edge.metric("scrollgate_ejections_total", 'pool="aws"'), 2)
        for reason in ("server_errors", "success_rate"):
            self.assertEqual(edge.metric("scrollgate_ejections_total", 'pool="gcp"',
                                         f'reason="{reason}"'), 0)
        self.assertIn(2, {line["attempts"] for line in edge.log(len(load.answers))})

    def test_an_endpoint_that_is_twenty_times_slower_is_known_and_loses_nothing(self):
        edge = self.edge_of(aws=self.aws, gcp=self.gcp)
        load = self.load(edge)
        load.more(SAMPLES)
        self.aws[0].behave(delay=0.08)
        before = self.aws[0].seen()
        load.more(SAMPLES)
        eventually(lambda: self.endpoint(edge, self.aws[0])["latency_ms"]["ewma"] > 8,
                   "status shows the slowness")
        load.more(SAMPLES)
        self.assertLess(self.aws[0].seen() - before, 2 * SAMPLES / 10)      # equal shares: 4
        self.aws[0].behave(delay=0.004)
        self.wait_seen(self.aws[0], 50)
        load.stop()
        self.assertEqual(load.failed(), [])

    def test_an_endpoint_that_comes_and_goes(self):
        edge = self.edge_of(aws=self.aws, gcp=self.gcp)
        load, over = self.load(edge), threading.Event()
        load.more(SAMPLES)
        for _ in range(5):
            self.aws[0].kill()
            over.wait(0.3)          # that is how it flaps
            self.aws[0].start()
            over.wait(0.3)
        self.wait_state(edge, self.aws[0], "in")
        self.wait_seen(self.aws[0], 3)
        load.stop()
        self.assertEqual(load.failed(), [])
        refusals = [edge.metric("scrollgate_ejections_total", f'pool="{pool}"', 'reason="refused"')
                    for pool in ("aws", "gcp")]
        self.assertGreaterEqual(refusals[0], 1)
        self.assertEqual(refusals[1], 0)

    def assert_nobody_is_blamed(self, edge, broken):
        """All of its answers were 500, from everybody, and asked for again in vain."""
        everybody = self.aws + self.gcp
        self.assertEqual([self.endpoint(edge, o)["state"] for o in everybody], ["in"] * 4)
        broken.stop()
        self.assertEqual(edge.metric("scrollgate_ejections_total"), 0)
        self.assertEqual({a[1] for a in broken.answers}, {500})
        self.assertEqual({a[2] for a in broken.answers}, {o.name for o in everybody})
        lines = [line for line in edge.log(len(broken.answers)) if line["path"] == "/broken"]
        self.assertEqual({(line["status"], line["outcome"]) for line in lines}, {(500, "ok")})
        self.assertIn(2, {line["attempts"] for line in lines})

    def test_an_error_that_all_give_ejects_nobody_and_is_passed_on(self):
        edge = self.edge_of(aws=self.aws, gcp=self.gcp, route=AGAIN)
        broken = self.load(edge, path="/broken")
        broken.more(6 * SAMPLES)
        self.assert_nobody_is_blamed(edge, broken)

    def test_nor_if_it_begins_all_of_a_sudden(self):
        edge = self.edge_of(aws=self.aws, gcp=self.gcp, route=AGAIN)
        calm = self.load(edge)
        calm.more(SAMPLES)
        calm.stop()
        broken = self.load(edge, path="/broken")
        broken.more(3 * SAMPLES)
        self.assert_nobody_is_blamed(edge, broken)

    def test_nor_if_only_one_of_two_pages_is_broken(self):
        edge = self.edge_of(aws=self.aws, gcp=self.gcp)
        calm = self.load(edge)
        calm.more(SAMPLES)
        broken = self.load(edge, path="/broken")
        broken.more(4 * SAMPLES)
        broken.stop()
        calm.stop()
        self.assertEqual(calm.failed(), [])
        self.assertEqual(edge.metric("scrollgate_ejections_total"), 0)

    def test_errors_of_a_whole_subset_are_not_taken_for_everybodys(self):
        """Nobody asks the others of a large pool, so a few requests have to find out."""
        cloud = self.cloud("big", 8)
        edge = self.edge_of(big=cloud, pool={"subset": 2})
        load = self.load(edge)
        load.more(SAMPLES)
        own = [origin for origin in cloud if origin.seen()]
        self.assertEqual(len(own), 2)
        for origin in own:
            origin.behave(errors=1)
        eventually(lambda: {a[1] for a in load.answers[-200:]} == {200}, "only good answers")
        load.stop()
        self.assertLessEqual(sum(origin.seen() > 0 for origin in cloud), 5)

    def test_when_all_checks_fail_all_are_tried_and_it_is_said(self):
        pool = {"health_check": {"path": "/sick", "interval": "20ms", "timeout": "5s",
                                 "expect": "204"}}
        edge = self.edge_of(aws=self.aws, gcp=self.gcp, pool=pool)
        edge.wait_stderr("route all: panic: nothing is well")
        eventually(lambda: edge.metric("scrollgate_route_panic", 'route="all"') == 1, "the metric")
        eventually(lambda: edge.status()["routes"][0]["panic"], "panic in the status")
        self.assertEqual({e["state"] for p in edge.status()["pools"] for e in p["endpoints"]},
                         {"unhealthy"})
        load = self.load(edge, path="/page")
        for origin in self.aws + self.gcp:
            self.wait_seen(origin, 3, "GET /page")
        load.stop()
        self.assertEqual(load.failed(), [])
        edge.write({**edge.config, "pools": {
            name: {**pool, "health_check": {"path": "/healthz", "interval": "20ms",
                                            "timeout": "5s"}}
            for name, pool in edge.config["pools"].items()}})
        self.assertEqual(edge.reload()[0], 200)
        edge.wait_stderr("route all: the panic is over")
        eventually(lambda: edge.metric("scrollgate_route_panic", 'route="all"') == 0, "the metric")

    def test_when_all_are_dead_it_is_panic_and_the_first_that_returns_serves(self):
        edge = self.edge_of(aws=self.aws, gcp=self.gcp)
        load = self.load(edge, gets=2)
        load.more(100)
        for origin in self.aws + self.gcp:
            origin.kill()
        edge.wait_stderr("route all: panic: nothing is well")
        eventually(lambda: edge.status()["routes"][0]["panic"], "panic in the status")
        self.gcp[1].start()
        self.wait_seen(self.gcp[1], 50)
        edge.wait_stderr("route all: the panic is over")
        load.stop()
        self.assertEqual({a[1] for a in load.failed()} - {502, 503}, set())
        self.assertEqual(load.answers[-1][1:], (200, "gcp2"))

    def test_a_slow_report_on_a_fast_route_ends_well(self):
        edge = self.edge_of(aws=self.aws, gcp=self.gcp)
        load = self.load(edge)
        load.more(SAMPLES)
        reports = self.load(edge, gets=2, posts=2, path="/report")
        reports.more(8)
        reports.stop()
        load.stop()
        self.assertEqual(reports.failed("GET") + reports.failed("POST") + load.failed(), [])
        lines = [line for line in edge.log(len(load.answers)) if line["path"] == "/report"]
        self.assertEqual({line["status"] for line in lines}, {200})
        self.assertEqual({line["attempts"] for line in lines if line["method"] == "POST"}, {1})

    def test_one_slow_answer_does_not_exile_an_endpoint(self):
        """adaptive goes by a peak that falls slowly; its share is back soon nevertheless."""
        edge = self.edge_of(aws=self.aws, gcp=self.gcp)
        load = self.load(edge)
        load.more(SAMPLES)
        self.assertEqual(self.fetch(edge, "/report", method="POST", body=b"x").status, 200)
        place = next(o for o in self.aws + self.gcp if o.seen("POST"))
        self.wait_state(edge, place, "in")
        self.wait_seen(place, 20)
        load.stop()
        self.assertEqual(load.failed(), [])


if __name__ == "__main__":
    main()
