"""Active checks take an endpoint out and back; nothing is checked unless asked for; a dependency
that dies lowers its pool's share and empties nothing."""
import resource
import threading

from harness import EdgeTest, eventually, main
from harness.origin import ok

CHECK = {"path": "/healthz", "interval": "20ms", "timeout": "5s"}


class Sick:
    """A script whose /healthz says what `well` says."""

    def __init__(self):
        self.well = threading.Event()
        self.well.set()

    def __call__(self, conn):
        while True:
            request = conn.request()
            healthy = request.target != "/healthz" or self.well.is_set()
            conn.answer(b"here", "200 OK" if healthy else "500 Sick")


def served(origin):
    """How many requests of clients it had."""
    return sum(r.target != "/healthz" for r in origin.requests())


def checks(origin):
    return [r for r in origin.requests() if r.target == "/healthz"]


class Health(EdgeTest):
    def test_a_check_takes_an_endpoint_out_and_back(self):
        sick = Sick()
        first, second = self.origin(sick), self.origin()
        edge = self.edge(pools={"main": {"endpoints": [first.address, second.address],
                                         "health_check": CHECK, "slow_start": "off"}})
        sick.well.clear()
        edge.wait_stderr(f"{first.address} is unhealthy (was in): its checks fail: status 500")
        before = served(first), served(second)
        for _ in range(20):
            self.assertEqual(self.fetch(edge).status, 200)
        self.assertEqual((served(first), served(second)), (before[0], before[1] + 20))
        sick.well.set()
        edge.wait_stderr(f"{first.address} is in (was unhealthy): its checks pass")
        eventually(lambda: self.fetch(edge).status == 200 and served(first) > before[0],
                   "requests at the endpoint that is back")

    def test_a_check_is_one_request_on_a_kept_connection_with_the_endpoints_name(self):
        origin = self.origin()
        self.edge(pools={"main": {"endpoints": [origin.address], "health_check": CHECK}})
        seen = origin.wait_requests(5)
        self.assertEqual({(r.method, r.target) for r in seen}, {("GET", "/healthz")})
        self.assertEqual({r.get("host") for r in seen}, {origin.address})
        self.assertEqual(len(origin.connections), 1)

    def test_an_endpoint_that_dies_is_found_and_one_that_is_reborn_is_found_again(self):
        first, second = self.origin(), self.origin()
        edge = self.edge(pools={"main": {"endpoints": [first.address, second.address],
                                         "health_check": {"tcp": True, "interval": "20ms"},
                                         "slow_start": "off"}})
        first.close()
        edge.wait_stderr(f"{first.address} is unhealthy")
        for _ in range(10):
            self.assertEqual(self.fetch(edge).status, 200)
        reborn = self.origin(port=first.port)
        edge.wait_stderr(f"{first.address} is in (was unhealthy)")
        eventually(lambda: self.fetch(edge).status == 200 and reborn.requests(),
                   "requests at the endpoint that is back")

    def test_when_all_checks_fail_requests_are_still_tried(self):
        sick = Sick()
        origin = self.origin(sick)
        edge = self.edge(pools={"main": {"endpoints": [origin.address], "health_check": CHECK}})
        sick.well.clear()
        edge.wait_stderr("is unhealthy")
        self.assertEqual(self.fetch(edge).status, 200)

    def test_nothing_is_checked_unless_asked_for_and_standbys_are(self):
        plain, checked, standby = self.origin(), self.origin(), self.origin()
        edge = self.edge(
            pools={"main": {"endpoints": [plain.address]},
                   "other": {"endpoints": [checked.address], "standby": [standby.address],
                             "health_check": CHECK}},
            routes=[{"name": "other", "match": {"path_prefix": "/other"}, "pools": ["other"]},
                    {"name": "all", "pools": ["main"]}])
        eventually(lambda: len(checks(checked)) > 10 and len(checks(standby)) > 10, "checks")
        self.assertEqual(len(plain.connections), 0)
        for _ in range(10):
            self.assertEqual(self.fetch(edge, "/other").status, 200)
        self.assertEqual((served(checked), served(standby)), (10, 0))

    def test_a_dependency_that_dies_lowers_its_pool_and_empties_nothing(self):
        near, far, database = self.origin(), self.origin(), self.origin(lambda conn: conn.head())
        edge = self.edge(
            pools={"near": {"endpoints": [near.address],
                            "depends_on": [f"tcp://{database.address}"]},
                   "far": {"endpoints": [far.address]}},
            routes=[{"name": "alone", "match": {"path_prefix": "/alone"}, "pools": ["near"]},
                    {"name": "all", "pools": ["near", "far"]}])
        database.close()
        edge.wait_stderr(f"pool near: its dependency tcp://{database.address} is gone")
        for n in range(60):
            self.assertEqual(self.fetch(edge, f"/{n}").status, 200)
        self.assertLess(len(near.requests()), 25)
        self.assertEqual(self.fetch(edge, "/alone").status, 200)
        reborn = self.origin(ok, port=database.port)
        edge.wait_stderr("is back")
        self.assertTrue(reborn.connections)

    def test_running_out_of_descriptors_is_no_failure_of_an_endpoint(self):
        origin = self.origin()
        edge = self.edge(pools={"main": {"endpoints": [origin.address],
                                         "depends_on": [f"tcp://{origin.address}"],
                                         "health_check": {"tcp": True, "interval": "20ms"}}})
        eventually(lambda: len(origin.connections) > 3, "checks")
        pid, kind = edge.pid, resource.RLIMIT_NOFILE
        before = resource.prlimit(pid, kind)
        resource.prlimit(pid, kind, (3, before[1]))
        edge.wait_stderr("could not be checked: connect: Too many open files")
        resource.prlimit(pid, kind, before)
        count = len(origin.connections)
        eventually(lambda: len(origin.connections) > count + 3, "checks again")
        self.assertNotIn("is unhealthy", edge.stderr())
        self.assertNotIn("is gone", edge.stderr())
        self.assertEqual(edge.stderr().count("could not be checked"), 1)

    def test_checks_follow_a_reload(self):
        origin = self.origin()
        edge = self.edge(pools={"main": {"endpoints": [origin.address], "health_check": CHECK}})
        origin.wait_requests(3)
        pools = {"main": {"endpoints": [origin.address],
                          "health_check": {**CHECK, "path": "/other"}}}
        edge.write({**edge.config, "pools": pools})
        self.assertEqual(edge.reload()[0], 200)
        eventually(lambda: any(r.target == "/other" for r in origin.requests()), "the new check")


if __name__ == "__main__":
    main()
