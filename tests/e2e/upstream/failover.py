"""When an endpoint cannot be reached, the next one is tried at once; when none can, the client
hears so."""
import contextlib
import ssl
import threading

from harness import EdgeTest, free_port, main
from harness.origin import ok, raw
from harness.tls import TlsTest


class Failover(EdgeTest):
    def test_a_refused_connection_moves_on_to_the_next_endpoint(self):
        origin = self.origin()
        edge = self.edge(f"127.0.0.1:{free_port()}", origin)
        for n in range(10):
            self.assertEqual(self.fetch(edge, f"/{n}").status, 200)
            self.assertEqual(self.fetch(edge, f"/{n}", method="POST", body=b"x").status, 200)
        lines = edge.log(20)
        self.assertIn(2, [line["attempts"] for line in lines])
        self.assertEqual({line["upstream"] for line in lines}, {origin.address})

    def test_a_body_is_sent_whole_to_the_second_endpoint(self):
        origin = self.origin()
        edge = self.edge(f"127.0.0.1:{free_port()}", origin)
        body = b"z" * 200_000
        for _ in range(4):
            self.assertEqual(self.fetch(edge, method="POST", body=body).status, 200)
        self.assertTrue(all(r.body == body for r in origin.requests()))

    def test_the_next_pool_takes_over(self):
        origin = self.origin()
        edge = self.edge(pools={"dead": {"endpoints": [f"127.0.0.1:{free_port()}"]},
                                "alive": {"endpoints": [origin.address]}},
                         routes=[{"name": "all", "pools": [
                             "dead", {"name": "alive", "priority": 1}]}])
        self.assertEqual(self.fetch(edge).status, 200)
        line = edge.log(1)[0]
        self.assertEqual((line["pool"], line["attempts"]), ("alive", 2))

    def test_all_endpoints_dead_is_an_answer(self):
        edge = self.edge(f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}")
        client = self.client(edge)
        for _ in range(2):
            self.assertIn(client.get().response().status, (502, 503))

    def test_max_attempts_bounds_the_tries(self):
        broken = [self.origin(lambda conn: (conn.request(), conn.reset())) for _ in range(5)]
        edge = self.edge(*broken, routes=[
            {"name": "all", "pools": ["main"], "failover": {"max_attempts": 2}}])
        self.assertEqual(self.fetch(edge).status, 502)
        self.assertEqual(edge.log(1)[0]["attempts"], 2)
        self.assertEqual(sum(len(o.requests()) for o in broken), 2)

    def test_a_name_that_does_not_resolve_does_not_stop_the_start(self):
        origin = self.origin()
        edge = self.edge(origin, pools={
            "main": {"endpoints": ["nowhere.invalid:80", origin.address]}})
        for _ in range(4):
            self.assertEqual(self.fetch(edge).status, 200)

    def test_only_names_that_do_not_resolve_is_503(self):
        edge = self.edge("nowhere.invalid:80")
        response = self.fetch(edge, "/", "Accept: application/json")
        self.assertEqual(response.status, 503)
        self.assertNotIn(b"nowhere", response.body)

    def test_localhost_is_resolved(self):
        origin = self.origin()
        edge = self.edge(f"localhost:{origin.port}")
        self.assertEqual(self.fetch(edge).status, 200)

    def test_a_get_survives_an_endpoint_that_dies_before_its_answer(self):
        broken = self.origin(lambda conn: (conn.request(), conn.reset()))
        whole = self.origin()
        edge = self.edge(broken, whole)
        for _ in range(6):
            self.assertEqual(self.fetch(edge).status, 200)

    def test_a_post_does_not_move_on_once_it_was_sent(self):
        broken = self.origin(lambda conn: (conn.request(), conn.reset()))
        whole = self.origin()
        edge = self.edge(broken, whole)
        statuses = [self.fetch(edge, method="POST", body=b"pay").status for _ in range(6)]
        self.assertEqual(sorted(set(statuses)), [200, 502])
        self.assertEqual(len(broken.requests()), statuses.count(502))
        self.assertEqual(len(whole.requests()), statuses.count(200))

    def test_an_origins_error_status_is_passed_on(self):
        edge = self.edge(self.origin(raw(
            b"HTTP/1.1 500 Oh\r\nContent-Length: 3\r\n\r\nwhy")))
        response = self.fetch(edge)
        self.assertEqual((response.status, response.body), (500, b"why"))

    def test_a_retry_that_nobody_is_left_for_costs_nothing(self):
        origin = self.origin(raw(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"))
        edge = self.edge(origin, routes=[{"name": "all", "pools": ["main"],
                                          "failover": {"budget": "0%"}}])
        client = self.client(edge)
        for _ in range(150):
            self.assertEqual(client.get().final().status, 503)
        self.assertEqual(edge.status()["routes"][0]["budget"], 100)

    def test_a_dead_endpoint_under_load_costs_no_request(self):
        first, second = self.origin(), self.origin()
        # In turn: a busy machine may make the first so slow that adaptive hardly asks it.
        edge = self.edge(first, second, routes=[
            {"name": "all", "pools": ["main"], "balance": "round_robin"}])
        problems = []

        def visit():
            for _ in range(30):
                try:
                    status = self.fetch(edge).status
                except (OSError, AssertionError) as problem:
                    status = repr(problem)
                if status != 200:
                    problems.append(status)
        threads = [threading.Thread(target=visit) for _ in range(4)]
        for thread in threads:
            thread.start()
        first.wait_requests(20)
        first.close()
        for thread in threads:
            thread.join()
        self.assertEqual(problems, [])



class Raced(TlsTest):
    def test_who_lost_a_race_is_asked_when_the_winner_fails(self):
        """Its handshake was slow, and nothing was asked of it."""
        issued = self.authority.issue("origin", "IP:127.0.0.1")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(issued.certificate, issued.key)
        failed = threading.Event()

        def over_tls(script):
            def secured(conn):
                with contextlib.suppress(OSError):      # the one that was called off
                    conn.sock = context.wrap_socket(conn.sock, server_side=True)
                    script(conn)
            return secured

        def resets(conn):
            conn.request()
            failed.set()
            conn.reset()

        def slow(conn):
            conn.wait(failed)
            over_tls(ok)(conn)
        for scripts in ((slow, over_tls(resets)), (over_tls(resets), slow)):
            failed.clear()
            origins = [self.origin(script) for script in scripts]
            edge = self.edge(
                pools={"main": {"endpoints": [f"https://{o.address}" for o in origins],
                                "tls": {"ca": str(self.authority.certificate)}}},
                routes=[{"name": "all", "pools": ["main"], "balance": "round_robin"}])
            self.assertEqual(self.fetch(edge).status, 200)


if __name__ == "__main__":
    main()
