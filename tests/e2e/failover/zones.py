"""A zone fails as a whole while another zone of the same pool is well. The route is quiet: one
request at a time, so that nothing but failures drives anybody from the zone that is nearest."""
import time

from harness import EdgeTest, eventually, main
from harness.origin import ok

REQUESTS = 60


def failing(status):
    def script(conn):
        while conn.request():
            conn.answer(b"", f"{status} No")
    return script


def slow(conn):
    """As ok(), from so far away that no stall of ours is as long."""
    while True:
        conn.request()
        time.sleep(0.1)
        conn.answer(b"")


class Zones(EdgeTest):
    def asked(self, near, far, **route):
        """A client of the proxy, with three endpoints in our zone that are `near`, and one that is
        `far` in another, which is given, too."""
        origins = [self.origin(near) for _ in range(3)]
        well = self.origin(far)
        endpoints = [{"address": one.address, "zone": "a"} for one in origins]
        endpoints.append({"address": well.address, "zone": "b"})
        edge = self.edge(workers=1, self={"provider": "aws", "region": "r", "zone": "a"},
                         pools={"main": {"provider": "aws", "region": "r",
                                         "endpoints": endpoints}},
                         routes=[{"name": "all", "pools": ["main"], **route}])
        return self.client(edge), well

    def statuses(self, client):
        return [client.get(f"/{n}").final().status for n in range(REQUESTS)]

    def test_the_second_attempt_leaves_a_zone_that_turns_requests_away(self):
        client, _ = self.asked(failing(503), ok)
        self.assertEqual(self.statuses(client), [200] * REQUESTS)

    def test_so_it_does_where_only_near_ones_are_asked(self):
        client, _ = self.asked(failing(503), ok, nearness="strict")
        self.assertEqual(self.statuses(client), [200] * REQUESTS)

    def test_a_zone_with_errors_that_nobody_repeats_loses_its_share(self):
        client, well = self.asked(failing(500), ok)
        eventually(lambda: self.statuses(client).count(200) > REQUESTS / 2,
                   "most requests go to the other zone")

    def test_a_near_zone_that_is_well_is_stayed_with(self):
        """But for a request by which it is known how far the other is."""
        client, well = self.asked(ok, slow)
        self.assertEqual(self.statuses(client), [200] * REQUESTS)
        self.assertLessEqual(len(well.requests()), 2)


if __name__ == "__main__":
    main()
