"""Who is asked, in front of processes: exact shares, priorities, keys, cookies; and what is never
put out."""
import collections

from harness import eventually, main
from harness.clouds import CloudTest, Load


class Balance(CloudTest):
    def setUp(self):
        super().setUp()
        self.aws, self.gcp = self.cloud("aws"), self.cloud("gcp")

    def ask(self, edge, count=1, *fields):
        """So many requests, one after the other; how many each endpoint answered."""
        served = collections.Counter()
        client = self.client(edge)
        for _ in range(count):
            response = client.get("/", "site.test", *fields).final()
            self.assertEqual(response.status, 200)
            served[response.get("x-origin")] += 1
        return served

    def test_a_split_is_exact_though_one_pool_is_slower(self):
        for origin in self.gcp:
            origin.behave(delay=0.02)
        edge = self.edge_of(aws=self.aws, gcp=self.gcp, route={
            "pools": [{"name": "aws", "split": "10%"}, {"name": "gcp", "split": "90%"}],
            "failover": {"hedge": "off"}})
        served = self.ask(edge, 200)
        self.assertEqual(served["aws1"] + served["aws2"], 20, served)
        self.assertEqual(served["gcp1"] + served["gcp2"], 180, served)

    def test_the_second_priority_rests_until_the_first_is_lost(self):
        # Hedges and raced connects go elsewhere when this machine stalls.
        edge = self.edge_of(aws=self.aws, gcp=self.gcp, route={
            "pools": ["aws", {"name": "gcp", "priority": 1}],
            "failover": {"hedge": "off", "connect_race": "off"}})
        with Load(edge) as load:
            load.more(500)
            self.assertEqual([o.seen() for o in self.gcp], [0, 0])
            for origin in self.aws:
                origin.kill()
            for origin in self.gcp:
                self.wait_seen(origin, 50)
            load.stop()
            self.assertEqual(load.failed(), [])

    def test_a_key_stays_with_its_endpoint_over_a_reload(self):
        edge = self.edge_of(aws=self.aws, gcp=self.gcp, route={
            "balance": "consistent_hash", "hash": {"header": "X-User"},
            "failover": {"hedge": "off"}})      # by which a slow machine may ask a second one
        keys = [f"user-{n}" for n in range(64)]     # none of four places is left out by chance

        def places():
            found = {}
            for key in keys:
                served = self.ask(edge, 3, f"X-User: {key}")
                self.assertEqual(len(served), 1, key)
                found[key] = next(iter(served))
            return found
        before = places()
        self.assertEqual(set(before.values()), {o.name for o in self.aws + self.gcp})
        snapshot = edge.snapshot()
        edge.write({**edge.config, "limits": {"headers": 50}})
        self.assertEqual(edge.reload()[0], 200)
        self.assertGreater(edge.snapshot(), snapshot)
        self.assertEqual(places(), before)

    def test_a_cookie_keeps_a_client_with_its_endpoint_until_that_is_lost(self):
        edge = self.edge_of(aws=self.aws, gcp=self.gcp,
                            route={"sticky": {"cookie": "seat"}, "balance": "round_robin"})
        everybody = {o.name: o for o in self.aws + self.gcp}
        first = self.fetch(edge)
        cookie = first.get("set-cookie").partition(";")[0]
        self.assertTrue(cookie.startswith("seat="), cookie)
        home = first.get("x-origin")
        self.assertEqual(self.ask(edge, 40, f"Cookie: {cookie}"), {home: 40})
        self.assertEqual(set(self.ask(edge, 8)), set(everybody))
        self.assertIsNone(self.fetch(edge, "/", f"Cookie: {cookie}").get("set-cookie"))
        everybody[home].kill()
        moved = self.fetch(edge, "/", f"Cookie: {cookie}")
        self.assertEqual(moved.status, 200)
        self.assertNotEqual(moved.get("x-origin"), home)
        fresh = moved.get("set-cookie").partition(";")[0]
        self.assertEqual(self.ask(edge, 20, f"Cookie: {fresh}"), {moved.get("x-origin"): 20})

    def test_a_session_leaves_a_home_that_alone_gives_only_errors(self):
        """Also where nobody ejects it."""
        edge = self.edge_of(aws=self.aws, pool={"outlier": "off"},
                            route={"sticky": {"cookie": "seat"}})
        self.ask(edge, 60)
        first = self.fetch(edge)
        cookie = "Cookie: " + first.get("set-cookie").partition(";")[0]
        home = next(o for o in self.aws if o.name == first.get("x-origin"))
        home.behave(errors=1)

        def moved():
            for _ in range(5):      # that others do better is to be seen
                self.fetch(edge)
            answer = self.fetch(edge, "/", cookie)
            return answer.status == 200 and answer.get("set-cookie") is not None
        eventually(moved, "another home is given")

    def test_without_outlier_detection_nobody_is_ejected(self):
        """Though one endpoint refuses and another one gives nothing but errors."""
        edge = self.edge_of(aws=self.aws, gcp=self.gcp, pool={"outlier": "off"}, route={
            "balance": "round_robin", "failover": {"retry_on": [500], "budget": "100%"}})
        with Load(edge) as load:
            self.aws[0].kill()
            self.aws[1].behave(errors=1)
            load.more(1000)
            self.assertEqual({e["state"] for p in edge.status()["pools"]
                              for e in p["endpoints"]}, {"in"})
            self.assertGreater(self.endpoint(edge, self.aws[0])["failures"], 2)
            load.stop()
            self.assertEqual(load.failed(), [])
        self.assertEqual(edge.metric("scrollgate_ejections_total"), 0)
        self.assertNotIn("ejected", edge.stderr())


if __name__ == "__main__":
    main()
