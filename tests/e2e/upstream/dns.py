"""Names of endpoints: TTLs, answers that fail, servers that die, sets that shrink, moves."""
import socket
import threading

from harness import EdgeTest, TimedTest, eventually, main
from harness.dns import AAAA, NXDOMAIN, SERVFAIL, FakeDns

QUICK = {"min_ttl": "100ms", "max_ttl": "300ms"}


class DnsTest(EdgeTest):
    def dns(self, ttl=0, **names):
        dns = FakeDns(ttl, **names)
        self.addCleanup(dns.stop)
        return dns

    def origins(self, count):
        """So many origins on 127.0.0.1, .2, … and one port."""
        first = self.origin()
        while not all(is_free(f"127.0.0.{n}", first.port) for n in range(2, count + 1)):
            first = self.origin()  # somebody's connection has the port on another address
        return [first] + [self.origin(port=first.port, host=f"127.0.0.{n}")
                          for n in range(2, count + 1)]

    def named(self, dns, port, times=None, **pool):
        """The proxy in front of app.test."""
        return self.edge(
            dns={**(times or QUICK), "servers": [dns.address]},
            pools={"main": {"endpoints": [f"app.test:{port}"], **pool}},
            routes=[{"name": "all", "pools": ["main"], "balance": "round_robin"}])

    def addresses(self, edge):
        endpoints = edge.status()["pools"][0]["endpoints"]
        return sorted(endpoint["address"].rpartition(":")[0] for endpoint in endpoints)

    def wait_addresses(self, edge, *ips):
        eventually(lambda: self.addresses(edge) == sorted(ips), f"the endpoints are {ips}")


def is_free(host, port):
    with socket.socket() as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


class Answers(DnsTest):
    def test_an_address_change_moves_the_traffic_without_a_failed_request(self):
        old, new = self.origins(2)
        dns = self.dns(app=["127.0.0.1"])
        edge = self.named(dns, old.port)
        self.wait_addresses(edge, "127.0.0.1")
        ended, statuses = threading.Event(), []

        def visitor():
            while not ended.is_set():
                statuses.append(self.fetch(edge).status)
        thread = threading.Thread(target=visitor)
        thread.start()
        try:
            old.wait_requests(20)
            dns.set(app=["127.0.0.2"])
            new.wait_requests(20)
            self.wait_addresses(edge, "127.0.0.2")
        finally:
            ended.set()
            thread.join()
        self.assertEqual(set(statuses), {200})
        before = len(old.requests())
        for _ in range(5):
            self.fetch(edge)
        self.assertEqual(len(old.requests()), before)
        edge.wait_stderr("pool main: app.test is now 127.0.0.2 (was 127.0.0.1)")

    def test_a_request_under_way_to_an_address_that_leaves_is_finished(self):
        release = threading.Event()

        def held(conn):
            conn.request()
            conn.wait(release)
            conn.answer(b"late")
        old = self.origin(held)
        self.origin(port=old.port, host="127.0.0.2")
        dns = self.dns(app=["127.0.0.1"])
        edge = self.named(dns, old.port)
        self.wait_addresses(edge, "127.0.0.1")
        client = self.client(edge).get()
        old.wait_requests(1)
        dns.set(app=["127.0.0.2"])
        self.wait_addresses(edge, "127.0.0.2")
        self.assertEqual(self.fetch(edge).status, 200)      # served by the other one meanwhile
        release.set()
        self.assertEqual(client.response().body, b"late")

    def test_failing_and_empty_answers_keep_the_last_good_set(self):
        origin = self.origin()
        dns = self.dns(app=["127.0.0.1"])
        edge = self.named(dns, origin.port)
        self.wait_addresses(edge, "127.0.0.1")
        for bad in (NXDOMAIN, SERVFAIL, []):
            dns.set(app=bad)
            dns.wait_asked(2)
            self.assertEqual(self.addresses(edge), ["127.0.0.1"])
            self.assertEqual(self.fetch(edge).status, 200)
        edge.wait_stderr("app.test does not resolve")
        dns.set(app=["127.0.0.1"])
        edge.wait_stderr("app.test resolves again")
        self.assertEqual(edge.stderr().count("does not resolve"), 1)

    def test_a_name_serves_while_its_other_kind_of_addresses_is_never_answered(self):
        (origin,) = self.origins(1)
        dns = self.dns(app=["127.0.0.1"])
        dns.silent_for = (AAAA,)
        edge = self.named(dns, origin.port)
        self.wait_addresses(edge, "127.0.0.1")
        edge.wait_stderr("IPv6 addresses of app.test do not resolve: no answer in time")
        self.assertEqual(self.fetch(edge).status, 200)

    def test_a_server_that_dies_and_returns(self):
        origins = self.origins(2)
        dns = self.dns(app=["127.0.0.1"])
        edge = self.named(dns, origins[0].port)
        self.wait_addresses(edge, "127.0.0.1")
        dns.stop()
        edge.wait_stderr("app.test does not resolve")
        self.assertEqual(self.fetch(edge).status, 200)
        dns.set(app=["127.0.0.1", "127.0.0.2"])
        dns.start()
        self.wait_addresses(edge, "127.0.0.1", "127.0.0.2")

    def test_a_set_that_loses_more_than_half_is_held_and_gets_what_is_new(self):
        origins = self.origins(5)
        dns = self.dns(app=[f"127.0.0.{n}" for n in range(1, 5)])
        edge = self.named(dns, origins[0].port, slow_start="0s")
        self.wait_addresses(edge, *(f"127.0.0.{n}" for n in range(1, 5)))
        dns.set(app=["127.0.0.5"])
        edge.wait_stderr("4 of 4 endpoints would leave at once by DNS; held")
        dns.wait_asked(3)
        self.wait_addresses(edge, *(f"127.0.0.{n}" for n in range(1, 6)))
        for _ in range(10):
            self.assertEqual(self.fetch(edge).status, 200)
        self.assertTrue(all(o.requests() for o in origins))
        dns.set(app=["127.0.0.1", "127.0.0.2"])             # half of what was there may leave
        self.wait_addresses(edge, "127.0.0.1", "127.0.0.2")

    def test_standbys_are_no_part_of_what_may_leave(self):
        origins = self.origins(4)
        dns = self.dns(app=[f"127.0.0.{n}" for n in range(1, 5)])
        edge = self.named(dns, origins[0].port,
                          standby=[f"127.0.0.{n}:{origins[0].port}" for n in range(5, 9)])
        everything = [f"127.0.0.{n}" for n in range(1, 9)]
        self.wait_addresses(edge, *everything)
        dns.set(app=["127.0.0.1"])
        edge.wait_stderr("3 of 8 endpoints would leave at once by DNS; held")
        dns.wait_asked(3)
        self.assertEqual(self.addresses(edge), everything)

    def test_a_reload_to_another_server_asks_it(self):
        origins = self.origins(2)
        dns, other = self.dns(app=["127.0.0.1"]), self.dns(app=["127.0.0.2"])
        dns.ttl = 3600
        edge = self.named(dns, origins[0].port, {"min_ttl": "1m", "max_ttl": "1h"})
        self.wait_addresses(edge, "127.0.0.1")
        edge.config["dns"]["servers"] = [other.address]
        edge.write()
        self.assertEqual(edge.reload()[0], 200)
        self.wait_addresses(edge, "127.0.0.2")
        self.assertEqual(self.fetch(edge).status, 200)

    def test_a_standby_is_listed(self):
        origins = self.origins(2)
        dns = self.dns(app=["127.0.0.1"], spare=["127.0.0.2"])
        edge = self.named(dns, origins[0].port, standby=[f"Spare.Test:{origins[0].port}"])
        self.wait_addresses(edge, "127.0.0.1", "127.0.0.2")


class TimeToLive(DnsTest, TimedTest):
    def asked_again(self, ttl, **times):
        """Seconds are counted from the first answer to the next question."""
        origin = self.origin()
        dns = self.dns(ttl, app=["127.0.0.1"])
        edge = self.named(dns, origin.port, times)
        self.wait_addresses(edge, "127.0.0.1")
        first = dns.asked()
        return lambda: eventually(lambda: dns.asked() > first, "the name is asked again")

    def test_an_answer_is_used_for_its_ttl(self):
        self.timed(self.asked_again(2, min_ttl="100ms", max_ttl="1m"), 1.0)

    def test_a_long_one_is_cut_to_max_ttl(self):
        self.timed(self.asked_again(3600, min_ttl="100ms", max_ttl="1s"), 0.2)

    def test_a_short_one_lasts_min_ttl(self):
        self.timed(self.asked_again(0, min_ttl="2s", max_ttl="1m"), 1.0)


if __name__ == "__main__":
    main()
