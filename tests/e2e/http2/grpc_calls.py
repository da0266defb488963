"""gRPC calls through the pipeline, byte by byte: what they are told, when they end, what is asked
again. Real peers are in peers/grpc_peers.py."""
import re
import threading
import time

from harness import EdgeTest, eventually, free_port, main
from harness.http2 import NO_ERROR, Http2Client
from harness.http2_origin import over_http2, requests2

CALL = [("content-type", "application/grpc+proto"), ("te", "trailers")]
MESSAGE = b"\0\0\0\0\5hello"


def trailers_only(status, message="no"):
    """A script: each call is turned down at once."""
    def script(conn):
        while True:
            conn.request()
            conn.answer(b"", "200 OK", "Content-Type: application/grpc", f"grpc-status: {status}",
                        f"grpc-message: {message}")
    return script


def answers(*after, status="0"):
    """A script: each call is answered with a message and trailers, once `after` has been called."""
    def script(conn):
        while True:
            conn.request()
            for action in after:
                action(conn)
            conn.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/grpc\r\n"
                      b"Transfer-Encoding: chunked\r\n\r\na\r\n" + MESSAGE + b"\r\n0\r\n"
                      b"grpc-status: " + status.encode() + b"\r\n\r\n")
    return script


def until_closed(conn):
    conn.until_closed()


class GrpcCalls(EdgeTest):
    def http2(self, edge):
        client = Http2Client(edge.port)
        self.addCleanup(client.close)
        return client

    def call(self, edge, *more, path="/shop.Cart/Add", body=MESSAGE, client=None):
        """One call with one message; its answer."""
        client = client or self.http2(edge)
        stream = client.request(path, "POST", "site.test", *CALL, *more, end=False)
        client.data(stream, body, end=True)
        return client.answer(stream)

    def assert_told(self, answer, status, reason):
        """Only a head, which says how the call ended."""
        self.assertEqual((answer.status, answer.body, answer.trailers), (200, b"", []))
        self.assertTrue(answer.ended)
        self.assertEqual(answer.get("content-type"), "application/grpc")
        self.assertEqual(answer.get("grpc-status"), str(status))
        self.assertRegex(answer.get("grpc-message"),
                         f"^{reason}, request id {re.escape(answer.get('x-request-id'))}$")
        self.assertIsNone(answer.get("content-length"))

    def routes(self, **failover):
        return [{"name": "all", "pools": ["main"], "failover": failover}]

    # ---- our own errors
    def test_an_endpoint_that_is_not_there_is_unavailable(self):
        edge = self.edge(f"127.0.0.1:{free_port()}")
        self.assert_told(self.call(edge), 14, "connect_refused")
        line = edge.log(1)[0]
        self.assertEqual((line["status"], line["grpc_status"], line["outcome"]),
                         (200, 14, "connect_refused"))
        self.assertEqual(edge.metric("scrollgate_grpc_calls_total", 'route="all"',
                                     'status="unavailable"'), 1)

    def test_no_route_is_unimplemented(self):
        edge = self.edge(self.origin(), routes=[
            {"name": "all", "match": {"path_prefix": "/other"}, "pools": ["main"]}])
        self.assert_told(self.call(edge), 12, "no_route")

    def test_what_is_too_large_is_exhausted(self):
        edge = self.edge(self.origin(), limits={"body": "8B"})
        self.assert_told(self.call(edge, ("content-length", "10")), 8, "body_too_large")

    def test_a_path_that_is_refused_is_internal(self):
        edge = self.edge(self.origin())
        self.assert_told(self.call(edge, path="/a%00b"), 13, "bad_path")

    def test_others_are_told_in_http(self):
        edge = self.edge(f"127.0.0.1:{free_port()}")
        client = self.http2(edge)
        for kind in ("application/grpc-web", "application/grpc-web+proto", "application/json"):
            answer = client.answer(client.request("/", "POST", "site.test", ("content-type", kind)))
            self.assertEqual(answer.status, 502)
            self.assertIsNone(answer.get("grpc-status"))
        response = self.fetch(edge, "/", "Content-Type: application/grpc", method="POST", body=b"x")
        self.assertEqual(response.status, 502)
        self.assertNotIn("grpc_status", edge.log(4)[3])

    def test_an_answer_that_breaks_off_ends_with_trailers(self):
        def script(conn):
            conn.request()
            conn.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/grpc\r\n"
                      b"Transfer-Encoding: chunked\r\n\r\na\r\n" + MESSAGE + b"\r\n")
        edge = self.edge(self.origin(script))
        client = self.http2(edge)
        answer = self.call(edge, client=client)
        self.assertEqual((answer.status, answer.body), (200, MESSAGE))
        self.assertTrue(answer.ended)
        self.assertEqual(dict(answer.trailers)["grpc-status"], "14")
        self.assertTrue(dict(answer.trailers)["grpc-message"].startswith("upstream_truncated, "))
        self.assertEqual(edge.log(1)[0]["grpc_status"], 14)
        self.assertTrue(client.alive())

    # ---- what goes through
    def test_metadata_may_have_underscores(self):
        """Both ways, trailers included; but not what reads as a field of ours."""
        def script(http2):
            request = http2.request()
            http2.head(request.stream, 200, ("content-type", "application/grpc"))
            http2.data(request.stream, MESSAGE)
            http2.trailers(request.stream, ("grpc-status", "0"), ("trailer_key", "t"),
                           ("trace_bin-bin", "AAE="), ("content_type", "forged"))
            http2.until_closed()
        origin = self.origin(over_http2(script))
        edge = self.edge(pools={"main": {"protocol": "h2c", "endpoints": [origin.address]}},
                         routes=[{"name": "all", "pools": ["main"],
                                  "request_headers": {"set": {"X-Tenant": "a"}}}])
        answer = self.call(edge, ("user_id", "42"), ("trace_bin-bin", "AAE="),
                           ("x_forwarded_for", "6.6.6.6"), ("x_tenant", "b"),
                           ("x_client_cert_subject", "CN=root"))
        self.assertEqual(answer.trailers, [("grpc-status", "0"), ("trailer_key", "t"),
                                           ("trace_bin-bin", "AAE=")])
        fields = requests2(origin)[0].fields
        self.assertEqual([(n, v) for n, v in fields if "_" in n],
                         [("user_id", "42"), ("trace_bin-bin", "AAE=")])
        self.assertIn(("x-tenant", "a"), fields)

    def test_a_call_goes_through_and_is_counted(self):
        origin = self.origin(answers(status="9"))
        edge = self.edge(origin)
        answer = self.call(edge)
        self.assertEqual((answer.status, answer.body), (200, MESSAGE))
        self.assertEqual(dict(answer.trailers)["grpc-status"], "9")
        self.assertEqual(origin.requests()[0].body, MESSAGE)
        self.assertEqual(edge.log(1)[0]["grpc_status"], 9)
        self.assertEqual(edge.metric("scrollgate_grpc_calls_total",
                                     'status="failed_precondition"'), 1)

    def test_a_call_that_is_turned_down_goes_through(self):
        answer = self.call(self.edge(self.origin(trailers_only(14, "not %e2%98%83"))))
        self.assertEqual((answer.status, answer.get("grpc-status")), (200, "14"))
        self.assertEqual(answer.get("grpc-message"), "not %e2%98%83")

    def test_messages_go_both_ways_one_by_one(self):
        def script(conn):
            conn.head()
            conn.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/grpc\r\n"
                      b"Transfer-Encoding: chunked\r\n\r\n")
            for _ in range(20):
                at = len(conn.received)
                while not conn.received.endswith(MESSAGE + b"\r\n") or len(conn.received) == at:
                    conn.more()
                conn.send(b"a\r\n" + MESSAGE + b"\r\n")
            conn.send(b"0\r\ngrpc-status: 0\r\n\r\n")
            conn.until_closed()
        client = self.http2(self.edge(self.origin(script)))
        stream = client.request("/shop.Cart/Chat", "POST", "site.test", *CALL, end=False)
        self.assertTrue(client.until(lambda: client.answers.get(stream)
                                     and client.answers[stream].fields))
        answer = client.answers[stream]
        for i in range(1, 21):
            client.data(stream, MESSAGE)
            self.assertTrue(client.until(lambda n=i: answer.body == MESSAGE * n))
        self.assertTrue(client.answer(stream).ended)
        self.assertEqual(dict(answer.trailers), {"grpc-status": "0"})
        self.assertTrue(client.until(lambda: answer.reset is not None))
        self.assertEqual(answer.reset, NO_ERROR)

    # ---- deadlines
    def test_the_deadline_ends_a_call(self):
        origin = self.origin(answers(until_closed))
        edge = self.edge(origin)
        started = time.monotonic()
        self.assert_told(self.call(edge, ("grpc-timeout", "300m")), 4, "request_timeout")
        self.assertGreater(time.monotonic() - started, 0.25)
        origin.wait_ended()
        self.assertEqual(edge.log(1)[0]["grpc_status"], 4)

    def test_the_deadline_ends_a_call_that_is_being_answered(self):
        def script(conn):
            conn.request()
            conn.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/grpc\r\n"
                      b"Transfer-Encoding: chunked\r\n\r\na\r\n" + MESSAGE + b"\r\n")
            conn.until_closed()
        answer = self.call(self.edge(self.origin(script)), ("grpc-timeout", "300m"))
        self.assertEqual(answer.body, MESSAGE)
        self.assertEqual(dict(answer.trailers)["grpc-status"], "4")

    def test_a_deadline_that_is_over_asks_nobody(self):
        origin = self.origin(answers())
        edge = self.edge(origin)
        for over in ("0S", "00000000H", "1n"):
            self.assert_told(self.call(edge, ("grpc-timeout", over)), 4, "request_timeout")
        self.assertEqual(origin.connections, [])

    def test_the_routes_time_counts_if_it_is_less(self):
        edge = self.edge(self.origin(answers(until_closed)), routes=[
            {"name": "all", "pools": ["main"], "timeouts": {"request": "300ms"}}])
        self.assert_told(self.call(edge, ("grpc-timeout", "1H")), 4, "request_timeout")

    def test_the_origin_is_told_what_is_left(self):
        origin = self.origin(answers())
        edge = self.edge(origin, routes=[
            {"name": "all", "pools": ["main"], "timeouts": {"request": "20s"}}])
        for given, least, most in (("1H", 19e6, 20e6), ("5S", 4e6, 5e6), ("99999999H", 19e6, 20e6)):
            self.call(edge, ("grpc-timeout", given))
            told = origin.requests()[-1].get("grpc-timeout")
            self.assertRegex(told, "^[0-9]{7,8}u$")
            self.assertLess(int(told[:-1]), most)
            self.assertGreater(int(told[:-1]), least)
        self.call(edge)
        self.assertIsNone(origin.requests()[-1].get("grpc-timeout"))

    def test_a_malformed_deadline_is_refused(self):
        origin = self.origin(answers())
        edge = self.edge(origin)
        for wrong in ("1", "S", "1s", "-1S", "123456789S", "1.5S"):
            self.assert_told(self.call(edge, ("grpc-timeout", wrong)), 13, "bad_request")
        self.assertEqual(origin.requests(), [])

    def test_it_is_nothing_to_requests_that_are_no_calls(self):
        origin = self.origin()
        client = self.http2(self.edge(origin))
        self.assertEqual(client.get2("/", ("grpc-timeout", "0S")).status, 200)
        self.assertEqual(origin.requests()[0].get("grpc-timeout"), "0S")

    # ---- asked again
    def test_a_call_that_is_turned_down_is_asked_elsewhere_where_the_route_says_so(self):
        tired, well = self.origin(trailers_only(14)), self.origin(answers())
        for keys, wanted in (({"retry_grpc": ["unavailable"]}, {"0"}), ({}, {"0", "14"}),
                             ({"retry_grpc": ["resource_exhausted"]}, {"0", "14"})):
            edge = self.edge(tired, well, routes=[
                {"name": "all", "pools": ["main"], "balance": "round_robin", "failover": keys}],
                pools={"main": {"endpoints": [tired.address, well.address], "outlier": "off"}})
            seen = set()
            for _ in range(6):
                answer = self.call(edge)
                seen.add(dict(answer.trailers).get("grpc-status") or answer.get("grpc-status"))
            self.assertEqual(seen, wanted)
            attempts = {line["attempts"] for line in edge.log(6)}
            self.assertEqual(attempts, {1, 2} if wanted == {"0"} else {1})
        self.assertTrue(all(r.body == MESSAGE for r in tired.requests() + well.requests()))

    def test_the_first_answer_counts_if_all_turn_it_down(self):
        first, second = self.origin(trailers_only(14, "one")), self.origin(trailers_only(14, "two"))
        edge = self.edge(first, second, routes=self.routes(retry_grpc=["unavailable"]))
        answer = self.call(edge)
        self.assertEqual(answer.get("grpc-status"), "14")
        self.assertEqual(len(first.requests() + second.requests()), 2)

    def test_a_call_with_a_message_behind_is_not_asked_again(self):
        failing, other = self.origin(answers(status="14")), self.origin(answers(status="14"))
        edge = self.edge(failing, other, routes=self.routes(retry_grpc=["unavailable"]))
        self.assertEqual(dict(self.call(edge).trailers)["grpc-status"], "14")
        self.assertEqual(len(failing.requests() + other.requests()), 1)

    def test_a_body_beyond_replay_is_not_sent_again(self):
        tired, other = self.origin(trailers_only(14)), self.origin(trailers_only(14))
        edge = self.edge(tired, other,
                         routes=self.routes(retry_grpc=["unavailable"], replay="8B"))
        self.assertEqual(self.call(edge).get("grpc-status"), "14")
        self.assertEqual(len(tired.requests() + other.requests()), 1)

    def test_a_call_that_was_lost_is_not_sent_again(self):
        dying = [self.origin(lambda conn: (conn.request(), conn.reset())) for _ in range(2)]
        edge = self.edge(*dying, routes=self.routes(retry_grpc=["unavailable"]))
        self.assert_told(self.call(edge), 14, "upstream_reset")
        self.assertEqual(sum(len(o.requests()) for o in dying), 1)

    def test_who_turns_calls_down_is_ejected(self):
        tired, well = self.origin(trailers_only(14)), self.origin(answers())
        edge = self.edge(tired, well, routes=[
            {"name": "all", "pools": ["main"], "balance": "round_robin",
             "failover": {"retry_grpc": ["unavailable"], "budget": "100%"}}])

        def ejected():
            self.call(edge)
            return edge.metric("scrollgate_ejections_total", 'pool="main"') == 1
        eventually(ejected, "it is ejected")
        before = len(tired.requests())
        for _ in range(20):
            self.call(edge)
        self.assertLess(len(tired.requests()) - before, 10)     # by turns it would be 10

    def test_a_client_that_cancels_ends_the_call(self):
        asked = threading.Event()

        def script(conn):
            conn.request()
            asked.set()
            conn.until_closed()
        origin = self.origin(script)
        edge = self.edge(origin)
        client = self.http2(edge)
        stream = client.request("/shop.Cart/Add", "POST", "site.test", *CALL, end=False)
        client.data(stream, MESSAGE, end=True)
        self.assertTrue(asked.wait(10))
        client.reset_stream(stream)
        origin.wait_ended()
        line = edge.log(1)[0]
        self.assertEqual((line["status"], line["grpc_status"]), (499, 1))


if __name__ == "__main__":
    main()
