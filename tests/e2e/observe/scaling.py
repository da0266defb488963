"""Operators scale, drain and fail while requests flow: by API and command, seen in status, metrics
and log, kept over a reload, and without a failed request."""
import json
import threading

from harness import EdgeTest, RawClient, eventually, main
from harness.dns import FakeDns
from harness.process import run_command
from harness.wait import PATIENCE

OWN = "10s"                     # far longer than a test lasts


class Held:
    """A script that answers /slow only when `go` is set, and the rest at once."""

    def __init__(self):
        self.go, self.arrived = threading.Event(), threading.Event()

    def __call__(self, conn):
        while True:
            if conn.request().target == "/slow":
                self.arrived.set()
                conn.wait(self.go)
            conn.answer(b"here")


class Scaling(EdgeTest):
    def change(self, edge, method, path, body=None):
        """One change through the API: (status, parsed answer)."""
        code, text, _ = edge.admin(method, "/api/v1" + path, token=edge.token(),
                                   body=None if body is None else json.dumps(body),
                                   headers={"Content-Type": "application/json"})
        return code, json.loads(text)

    def command(self, edge, *arguments):
        done = run_command(*arguments, "-c", str(edge.file))
        return done.returncode, done.stdout, done.stderr

    def pool(self, edge, name="main"):
        return next(p for p in edge.status()["pools"] if p["name"] == name)

    def endpoint(self, edge, origin):
        return next(e for p in edge.status()["pools"] for e in p["endpoints"]
                    if e["address"] == origin.address)

    def spread(self, edge, count=40):
        for _ in range(count):
            self.assertEqual(self.fetch(edge).status, 200)

    def grown(self, edge, origin):
        """Waits until requests reach the origin (again)."""
        before = len(origin.requests())
        eventually(lambda: self.fetch(edge).status == 200 and len(origin.requests()) > before,
                   f"requests at {origin.address}")

    def standbys(self, workers=2, **pool):
        active, first, second = self.origin(), self.origin(), self.origin()
        edge = self.edge(workers=workers, pools={"main": {"endpoints": [active.address],
                                         "standby": [first.address, second.address],
                                         "slow_start": "off", **pool}})
        return edge, active, first, second

    # -- scale

    def test_standbys_are_scaled_in_by_factor_and_number_and_out_again(self):
        edge, active, first, second = self.standbys()
        self.spread(edge)
        self.assertEqual(first.requests() + second.requests(), [])
        self.assertEqual(self.endpoint(edge, first)["state"], "standby")
        self.assertEqual(self.change(edge, "POST", "/pools/main/scale", {"factor": 2.0}),
                         (200, {"wanted": 2, "in_service": 2, "pending": 0,
                                "why": "scaled by 2 from 1"}))
        self.grown(edge, first)
        self.assertEqual(second.requests(), [])
        self.assertEqual(self.change(edge, "POST", "/pools/main/scale", {"active": 3})[0], 200)
        self.grown(edge, second)
        pool = self.pool(edge)
        self.assertEqual((pool["active"], pool["standby"]), (3, 0))
        self.assertEqual(edge.metric("scrollgate_pool_endpoints", 'kind="active"'), 3)
        edge.wait_stderr(f"{second.address} is in (was standby): scaled in")
        self.assertEqual(self.change(edge, "POST", "/scale", {"factor": 1})[0], 200)
        self.assertEqual(self.endpoint(edge, first)["state"], "standby")
        before = len(first.requests()), len(second.requests())
        self.spread(edge)
        self.assertEqual((len(first.requests()), len(second.requests())), before)

    def test_a_connection_to_each_standby_is_ready_for_its_first_request(self):
        edge, _, first, second = self.standbys(workers=1)
        for standby in (first, second):
            standby.wait_connections(1)
        self.assertEqual(self.change(edge, "POST", "/pools/main/scale", {"active": 2})[0], 200)
        self.grown(edge, first)
        self.assertEqual(len(first.connections), 1)
        self.assertEqual(second.requests(), [])

    def test_202_when_standbys_run_out(self):
        edge, _, _, second = self.standbys()
        code, answer = self.change(edge, "POST", "/scale", {"factor": 5})
        self.assertEqual(code, 202)
        self.assertEqual([answer[k] for k in ("wanted", "in_service", "pending")], [5, 3, 2])
        self.assertEqual(answer["pools"]["main"]["pending"], 2)
        self.grown(edge, second)
        self.assertEqual(self.pool(edge)["scale"]["pending"], 2)
        self.assertEqual(edge.metric("scrollgate_pool_endpoints", 'kind="pending"'), 2)

    def test_scale_by_command(self):
        edge, _, first, _ = self.standbys()
        self.assertEqual(self.command(edge, "scale", "2"), (
            0, "pool main: 2 in service, 2 wanted: scaled by 2 from 1\n", ""))
        self.grown(edge, first)
        code, out, err = self.command(edge, "scale", "--pool", "main", "--active", "4")
        self.assertEqual((code, err), (0, "scrollgate: standbys have run out: 1 more is wanted\n"))
        self.assertIn("3 in service, 4 wanted", out)
        self.assertEqual(self.command(edge, "scale")[0], 2)
        self.assertEqual(self.command(edge, "scale", "--active", "4")[0], 2)
        self.assertEqual(self.command(edge, "scale", "2", "--pool", "main", "--active", "2")[0], 2)
        code, out, err = self.command(edge, "scale", "0")
        self.assertEqual((code, out), (1, ""))
        self.assertTrue(err.startswith("scrollgate: factor must be more than 0"), err)

    def test_capacity_that_the_webhook_brings_is_not_multiplied_again(self):
        origins = [self.origin()]
        origins += [self.origin(port=origins[0].port, host=f"127.0.0.{n}") for n in range(2, 6)]
        told = self.origin()
        dns = FakeDns(app=["127.0.0.1", "127.0.0.2"])
        self.addCleanup(dns.stop)
        edge = self.edge(dns={"min_ttl": "100ms", "max_ttl": "100ms", "servers": [dns.address]},
                         pools={"main": {"endpoints": [f"app.test:{origins[0].port}"],
                                         "webhook": f"http://{told.address}/scale?key=s3cret"}})
        eventually(lambda: self.pool(edge)["active"] == 2, "its names")
        self.assertEqual(self.change(edge, "POST", "/pools/main/scale", {"factor": 2}),
                         (202, {"wanted": 4, "in_service": 2, "pending": 2,
                                "why": "scaled by 2 from 2; 2 more wanted than there are"}))
        edge.wait_stderr("pool main: 2 endpoints in service (were 2), 4 wanted: scaled by 2")
        told.wait_requests(1)           # the first word: nothing was said of the start
        dns.set(app=[f"127.0.0.{n}" for n in range(1, 5)])
        told.wait_requests(2)
        edge.wait_stderr("pool main: 4 endpoints in service (were 2), 4 wanted: scaled by 2")
        self.assertEqual([self.pool(edge)["scale"][k] for k in ("wanted", "in_service", "pending")],
                         [4, 4, 0])
        self.assertEqual(self.change(edge, "POST", "/pools/main/scale", {"factor": 2})[1]["wanted"],
                         4)
        self.assertEqual(self.change(edge, "POST", "/pools/main/scale", {"factor": 1})[1]["wanted"],
                         2)
        told.wait_requests(3)
        self.assertEqual({(r.method, r.target) for r in told.requests()},
                         {("POST", "/scale?key=s3cret")})
        self.assertEqual(len(told.requests()), 3)

    def test_what_stands_in_a_dependencys_query_is_shown_nowhere(self):
        origin = self.origin()
        urls = [f"http://{origin.address}/up?key={key}s3cret" for key in "ab"]
        edge = self.edge(pools={"main": {"endpoints": [origin.address], "depends_on": urls}})
        eventually(lambda: {"/up?key=as3cret", "/up?key=bs3cret"} <=
                   {r.target for r in origin.requests()}, "both are asked")
        self.assertEqual([d["url"] for d in self.pool(edge)["depends_on"]],
                         [f"http://{origin.address}/up?(hidden)",
                          f"http://{origin.address}/up?(hidden-2)"])
        origin.close()
        edge.wait_stderr("up?(hidden) is gone")
        edge.wait_stderr("up?(hidden-2) is gone")
        for path in ("/metrics", "/api/v1/status", "/api/v1/config"):
            code, text, _ = edge.admin("GET", path, token=edge.token())
            self.assertEqual(code, 200, path)
            self.assertNotIn("s3cret", text)
        self.assertNotIn("s3cret", self.command(edge, "status")[1])
        self.assertNotIn("s3cret", edge.stderr())

    # -- drain

    def test_drain_finishes_what_is_under_way_and_sends_nothing_new(self):
        script = Held()
        leaving, other = self.origin(script), self.origin()
        edge = self.edge(leaving, other, routes=[{"name": "all", "pools": ["main"],
                                                  "balance": "round_robin",
                                                  "failover": {"hedge": "off"}}])
        slow = self.client(edge)
        away = f"/endpoints/main/{other.address}"      # so that the first request goes to the one
        self.assertEqual(self.change(edge, "POST", away + "/drain")[0], 200)
        slow.get("/slow")
        self.assertTrue(script.arrived.wait(PATIENCE))
        self.assertEqual(self.change(edge, "POST", away + "/undrain")[0], 200)
        path = f"/endpoints/main/{leaving.address.replace(':', '%3A')}"
        self.assertEqual(self.change(edge, "POST", path + "/drain"),
                         (200, {"pool": "main", "address": leaving.address, "state": "drained",
                                "why": "an operator has drained it"}))
        before = len(leaving.requests())
        self.spread(edge)
        self.assertEqual(len(leaving.requests()), before)
        endpoint = self.endpoint(edge, leaving)
        self.assertEqual((endpoint["state"], endpoint["in_flight"]), ("drained", 1))
        script.go.set()
        self.assertEqual(slow.response().body, b"here")
        eventually(lambda: self.endpoint(edge, leaving)["in_flight"] == 0, "it is empty")
        self.assertEqual(self.change(edge, "POST", path + "/undrain")[0], 200)
        self.grown(edge, leaving)
        self.assertEqual(self.change(edge, "POST", path + "/undrain")[0], 409)

    def test_drain_by_command(self):
        leaving, other = self.origin(), self.origin()
        edge = self.edge(leaving, other)
        code, out, err = self.command(edge, "drain", "main", leaving.address)
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(out, f"pool main: {leaving.address} is drained: an operator has drained "
                              "it\n")
        self.spread(edge)
        self.assertEqual(leaving.requests(), [])
        self.assertEqual(self.command(edge, "undrain", "main", leaving.address)[0], 0)
        self.grown(edge, leaving)
        code, _, err = self.command(edge, "undrain", "main", leaving.address)
        self.assertEqual(code, 1)
        self.assertIn("is not drained", err)

    def test_an_ipv6_endpoint_is_named_in_brackets(self):
        leaving, other = self.origin(host="::1"), self.origin()
        edge = self.edge(leaving, other)
        for path in (f"[::1]:{leaving.port}", f"%5B0:0::1%5D:{leaving.port}"):
            code, answer = self.change(edge, "POST", f"/endpoints/main/{path}/drain")
            self.assertEqual((code, answer["address"]), (200, leaving.address))
        self.assertEqual(self.command(edge, "undrain", "main", leaving.address)[0], 0)

    # -- fail

    def clouds(self):
        near, far = self.origin(), self.origin()
        edge = self.edge(pools={"near": {"endpoints": [near.address], "slow_start": "off"},
                                "far": {"endpoints": [far.address]}},
                         routes=[{"name": "all", "pools": ["near", {"name": "far",
                                                                    "priority": 1}]}])
        return edge, near, far

    def test_a_failed_pool_gives_all_to_the_other_and_comes_back_by_itself(self):
        edge, near, far = self.clouds()
        self.spread(edge)
        self.assertEqual(far.requests(), [])
        code, answer = self.change(edge, "POST", "/pools/near/fail", {"for": "1s"})
        self.assertEqual((code, answer["state"], answer["for"]), (200, "failed", "1s"))
        before = len(near.requests())
        self.assertEqual(self.fetch(edge).status, 200)
        self.assertEqual(len(far.requests()), 1)
        self.assertEqual(len(near.requests()), before)
        self.grown(edge, near)
        edge.wait_stderr(f"{near.address} is in (was failed)")
        self.assertEqual(self.pool(edge, "near")["state"], "in")
        self.assertEqual({line["status"] for line in edge.log(42)}, {200})

    def test_no_request_fails_while_clouds_are_failed_and_put_back(self):
        edge, near, far = self.clouds()
        done, wrong = threading.Event(), []

        def flow():
            with RawClient(edge.port) as client:
                while not done.is_set():
                    response = client.get().final()
                    if response.status != 200:
                        wrong.append(response.status)
        threads = [threading.Thread(target=flow) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            for pool, other in (("near", far), ("far", near), ("near", far)):
                self.assertEqual(self.change(edge, "POST", f"/pools/{pool}/fail")[0], 200)
                other.wait_requests(len(other.requests()) + 20)
                self.assertEqual(self.change(edge, "DELETE", f"/pools/{pool}/fail")[0], 200)
        finally:
            done.set()
            for thread in threads:
                thread.join()
        self.assertEqual(wrong, [])

    def test_a_failure_without_end_is_ended(self):
        edge, near, far = self.clouds()
        self.assertEqual(self.change(edge, "POST", "/pools/near/fail")[0], 200)
        self.spread(edge)
        self.assertEqual((len(near.requests()), len(far.requests())), (0, 40))
        self.assertEqual(self.endpoint(edge, near)["state"], "failed")
        code, answer = self.change(edge, "DELETE", "/pools/near/fail")
        self.assertEqual((code, answer["state"]), (200, "in"))
        self.grown(edge, near)
        self.assertEqual(self.change(edge, "DELETE", "/pools/near/fail")[0], 409)

    def test_fail_by_command(self):
        edge, near, far = self.clouds()
        self.assertEqual(self.command(edge, "fail", "near", "--for", OWN), (
            0, "pool near is failed: an operator has failed it, for 10s\n", ""))
        self.spread(edge, 5)
        self.assertEqual((len(near.requests()), len(far.requests())), (0, 5))
        code, out, _ = self.command(edge, "status")
        self.assertEqual(code, 0)
        self.assertRegex(out, r"near +other +- +failed ")
        self.assertEqual(self.command(edge, "fail", "near", "--end")[0], 0)
        self.grown(edge, near)
        self.assertEqual(self.command(edge, "fail", "near", "--end", "--for", OWN)[0], 2)
        code, _, err = self.command(edge, "fail", "naer")
        self.assertEqual((code, err), (
            1, "scrollgate: there is no pool 'naer' (did you mean near?); there are: near, far\n"))

    # -- what lasts, and what is seen

    def test_everything_survives_a_reload(self):
        edge, active, first, second = self.standbys()
        self.assertEqual(self.change(edge, "POST", "/pools/main/scale", {"active": 3})[0], 200)
        self.assertEqual(
            self.change(edge, "POST", f"/endpoints/main/{active.address}/drain")[0], 200)
        self.assertEqual(edge.reload()[0], 200)
        before = len(active.requests())
        self.grown(edge, first)
        self.grown(edge, second)
        self.assertEqual(len(active.requests()), before)
        self.assertEqual(self.change(edge, "POST", "/pools/main/fail", {"for": OWN})[0], 200)
        self.assertEqual(edge.reload()[0], 200)
        self.assertEqual(self.fetch(edge).status, 503)
        self.assertEqual(self.pool(edge)["state"], "failed")

    def test_panic_is_said_once_and_shown(self):
        origin = self.origin(lambda conn: None)
        edge = self.edge(pools={"main": {"endpoints": [origin.address], "outlier": {
            "ejection": OWN}}})
        origin.stop_listening()
        for _ in range(2):
            self.assertEqual(self.fetch(edge).status, 502)
        edge.wait_stderr("route all: panic: nothing is well; tried are all that are ejected or "
                         "unhealthy: 1")
        self.assertTrue(edge.status()["routes"][0]["panic"])
        self.assertEqual(edge.metric("scrollgate_route_panic", 'route="all"'), 1)
        self.assertEqual(edge.metric("scrollgate_ejections_total", 'pool="main"',
                                     'reason="refused"'), 1)
        endpoint = self.endpoint(edge, origin)
        self.assertEqual([endpoint[k] for k in ("state", "score", "ejections")],
                         ["ejected", 0, 1])
        self.assertIn("panic", self.command(edge, "status")[1])
        reborn = self.origin(port=origin.port)
        self.grown(edge, reborn)
        edge.wait_stderr("route all: the panic is over; endpoints that are in: 1")
        self.assertEqual(edge.stderr().count("panic: nothing"), 1)
        # The log is written before what was looked at is published.
        eventually(lambda: not edge.status()["routes"][0]["panic"], "no panic in status")

    def test_status_and_metrics_show_what_was_measured(self):
        origin = self.origin()
        edge = self.edge(pools={"main": {"endpoints": [origin.address],
                                         "depends_on": [f"tcp://{origin.address}"]}})
        self.spread(edge, 10)
        eventually(lambda: self.pool(edge)["share"] == 1, "its share")
        eventually(lambda: edge.status()["availability"]["1h"] is not None, "availability")
        pool, endpoint = self.pool(edge), self.endpoint(edge, origin)
        self.assertEqual((pool["state"], pool["score"]), ("in", 1))
        self.assertEqual([d["up"] for d in pool["depends_on"]], [True])
        self.assertEqual((endpoint["state"], endpoint["score"], endpoint["requests"]),
                         ("in", 1, 10))
        self.assertEqual(set(endpoint["parts"]),
                         {"check", "success", "latency", "ramp", "dependency"})
        self.assertGreater(endpoint["latency_ms"]["p99"], 0)
        self.assertEqual(endpoint["availability"]["1h"], 1)
        route = edge.status()["routes"][0]
        self.assertEqual((route["name"], route["hedges"], route["panic"]), ("all", 0, False))
        self.assertGreater(route["budget"], 0)
        labels = 'pool="main"', f'endpoint="{origin.address}"'
        self.assertEqual(edge.metric("scrollgate_endpoint_score", *labels), 1)
        self.assertEqual(edge.metric("scrollgate_endpoint_requests_total", *labels), 10)
        self.assertEqual(edge.metric("scrollgate_dependency_up"), 1)
        self.assertGreater(edge.metric("scrollgate_endpoint_latency_seconds", *labels,
                                       'figure="p99"'), 0)
        self.assertGreater(edge.metric("scrollgate_retry_budget", 'route="all"'), 0)

    # -- who may, and what is wrong

    def test_bad_input_is_refused_and_changes_nothing(self):
        edge, active, _, _ = self.standbys()
        scale, drain = "/pools/main/scale", f"/endpoints/main/{active.address}/drain"
        for path, body, status in (
                (scale, {"factor": 0}, 400), (scale, {"factor": "2"}, 400),
                (scale, {"active": 0}, 400), (scale, {"active": 10 ** 6}, 400), (scale, {}, 400),
                (scale, {"factor": 1e9}, 400), (scale, {"factor": 2, "active": 2}, 400),
                (scale, {"fctor": 2}, 400), (scale, [], 400), ("/scale", {"active": 2}, 400),
                ("/pools/main/fail", {"for": "soon"}, 400), (drain, {"now": 1}, 400),
                ("/pools/mian/scale", {"factor": 2}, 404), ("/pools/mian/fail", {}, 404),
                ("/endpoints/main/10.9.9.9:80/drain", {}, 404),
                ("/endpoints/mian/10.9.9.9:80/drain", {}, 404),
                ("/endpoints/main/%zz/drain", {}, 404), (scale, {"x": "y" * 20000}, 413)):
            code, answer = self.change(edge, "POST", path, body)
            self.assertEqual(code, status, (path, body))
            self.assertTrue(answer["message"])
        self.assertEqual(self.change(edge, "DELETE", "/pools/main/fail")[0], 409)
        self.assertEqual(self.change(edge, "GET", "/pools/main/fail")[0], 405)
        self.assertIn(active.address, self.change(
            edge, "POST", "/endpoints/main/10.9.9.9:80/drain")[1]["message"])
        self.assertEqual(self.pool(edge)["scale"]["why"], "as configured")

    def test_changes_need_token_host_and_origin(self):
        edge = self.edge(self.origin())
        path = "/api/v1/pools/main/fail"
        self.assertEqual(edge.admin("POST", path)[0], 401)
        self.assertEqual(edge.admin("DELETE", path, token="wrong")[0], 401)
        self.assertEqual(edge.admin("POST", path, token=edge.token(), host="evil.test")[0], 403)
        self.assertEqual(edge.admin("POST", path, token=edge.token(),
                                    headers={"Origin": "http://evil.test"})[0], 403)
        eventually(lambda: self.pool(edge)["state"] == "in", "it is in, as it was")


if __name__ == "__main__":
    main()
