"""What RFC 9113 forbids, said frame by frame: refused as a stream or as a connection, and never
seen by an origin. rules_exact.py names the very codes, rules_hpack.py is RFC 7541."""
import struct
import threading

from harness import main
from harness.http2 import (ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, ENABLE_PUSH,
                           FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, GOAWAY, HEADERS,
                           INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, PADDED, PING, PRIORITY,
                           PROTOCOL_ERROR, PUSH_PROMISE, REFUSED_STREAM, RST_STREAM, SETTINGS,
                           WINDOW_UPDATE, frame, head_of, section)
from harness.http2_rules import RulesTest
from harness.origin import ok

GET = section(head_of())


class Rules(RulesTest):
    # -- 3.4, 4.1, 4.2: preface and frames
    def test_a_preface_that_goes_wrong(self):
        client = self.client(self.proxy).send(b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n" + bytes(100))
        while client.more():
            pass

    def test_a_first_frame_that_is_not_settings(self):
        self.ends(self.http2(first=frame(PING, 0, 0, bytes(8))), PROTOCOL_ERROR)

    def test_unknown_frames_and_flags_are_ignored(self):
        client = self.http2()
        client.frame(0x42, 0xff, 0, b"what?").frame(PING, 0xf0, 0, bytes(8))
        self.assertEqual(client.get2().status, 200)

    def test_a_frame_beyond_the_allowed_size(self):
        client = self.http2()
        stream = client.request("/", "POST", end=False)
        client.send(frame(DATA, 0, stream, bytes(16385)))
        self.breaks(client, stream, FRAME_SIZE_ERROR)

    # -- 4.3: field blocks
    def test_a_head_in_pieces_is_whole(self):
        client = self.http2()
        client.frame(HEADERS, END_STREAM, 1, GET[:7])
        client.frame(CONTINUATION, 0, 1, GET[7:30]).frame(CONTINUATION, 0, 1, b"")
        client.frame(CONTINUATION, END_HEADERS, 1, GET[30:])
        self.assertEqual(client.answer(1).status, 200)

    # -- 5.1: streams
    def test_more_streams_than_allowed_are_refused(self):
        client = self.http2()
        streams = [client.request("/", "POST", end=False) for _ in range(101)]
        client.data(streams[0], b"", end=True)             # our acknowledgement has not left yet
        self.assertEqual(client.answer(streams[0]).status, 200)
        self.assertEqual(client.answer(streams[100]).reset, REFUSED_STREAM)
        client.alive()                                      # now it has arrived
        more = [client.request("/", "POST", end=False) for _ in range(2)]
        self.breaks(client, more[-1], REFUSED_STREAM, PROTOCOL_ERROR)

    def test_windows_and_resets_of_a_stream_that_is_over_are_no_harm(self):
        client = self.http2()
        stream = client.request()
        client.answer(stream)
        client.window(stream, 5).reset_stream(stream).frame(PRIORITY, 0, stream, b"\0\0\0\0\1")
        self.assertTrue(client.alive())

    # -- 6: frames with their lengths and streams
    def test_lengths_of_frames(self):
        for kind, stream, size in ((PRIORITY, 1, 4), (RST_STREAM, 1, 3), (SETTINGS, 0, 5),
                                   (PING, 0, 7), (WINDOW_UPDATE, 0, 3), (GOAWAY, 0, 7)):
            client = self.http2()
            client.request("/", "POST", end=False)
            code = client.frame(kind, 0, stream, bytes(size)).end_code() \
                if kind != PRIORITY else client.frame(kind, 0, stream, bytes(size)).answer(1).reset
            self.assertEqual(code if code is not None else client.end_code(), FRAME_SIZE_ERROR,
                             f"frame type {kind}")

    def test_streams_of_frames(self):
        for kind, stream, payload in ((DATA, 0, b"x"), (HEADERS, 0, GET), (PRIORITY, 0, bytes(5)),
                                      (RST_STREAM, 0, bytes(4)), (SETTINGS, 1, b""),
                                      (PING, 1, bytes(8)), (GOAWAY, 1, bytes(8))):
            flags = END_HEADERS if kind == HEADERS else 0
            client = self.http2().frame(kind, flags, stream, payload)
            self.ends(client, PROTOCOL_ERROR)

    def test_padding_longer_than_its_frame(self):
        client = self.http2()
        stream = client.request("/", "POST", end=False)
        client.frame(DATA, PADDED | END_STREAM, stream, b"\x06abc")
        self.ends(client, PROTOCOL_ERROR)
        client = self.http2()
        client.frame(HEADERS, PADDED | END_HEADERS | END_STREAM, 1, b"\xff" + GET[:20])
        self.ends(client, PROTOCOL_ERROR)

    def test_values_of_settings(self):
        for key, value, code in ((ENABLE_PUSH, 2, PROTOCOL_ERROR),
                                 (INITIAL_WINDOW_SIZE, 1 << 31, FLOW_CONTROL_ERROR),
                                 (MAX_FRAME_SIZE, 16383, PROTOCOL_ERROR),
                                 (MAX_FRAME_SIZE, 1 << 24, PROTOCOL_ERROR)):
            self.ends(self.http2().frame(SETTINGS, 0, 0, struct.pack(">HI", key, value)), code)

    def test_an_acknowledgement_with_a_payload(self):
        self.ends(self.http2().frame(SETTINGS, ACK, 0, bytes(6)), FRAME_SIZE_ERROR)

    def test_unknown_settings_are_ignored_and_all_acknowledged(self):
        client = self.http2().frame(SETTINGS, 0, 0, struct.pack(">HI", 0x99, 1))
        self.assertTrue(client.until(
            lambda: len([f for f in client.frames if f[:2] == (SETTINGS, ACK)]) == 2))

    def test_a_push_by_a_client(self):
        client = self.http2()
        client.request("/", "POST", end=False)
        self.ends(client.frame(PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\2" + GET), PROTOCOL_ERROR)

    def test_pings_are_answered_with_what_they_brought(self):
        client = self.http2().frame(PING, 0, 0, b"12345678")
        self.assertTrue(client.until(lambda: (PING, ACK, 0, b"12345678") in client.frames))

    # -- 5.2, 6.9: windows
    def test_windows_that_grow_by_nothing_or_too_far(self):
        self.ends(self.http2().window(0, 0), PROTOCOL_ERROR)
        self.ends(self.http2().window(0, 0x7fffffff), FLOW_CONTROL_ERROR)
        for by in (0, 0x7fffffff):
            client = self.http2()
            stream = client.request("/", "POST", end=False)
            client.window(stream, by)
            self.breaks(client, stream, PROTOCOL_ERROR, FLOW_CONTROL_ERROR)

    def test_more_data_than_the_window_takes(self):
        def slow(conn):
            conn.head()
            conn.wait(self.done)
        self.done = threading.Event()
        self.addCleanup(self.done.set)
        self.peer.script = slow
        client = self.http2(polite=False)
        stream = client.request("/", "POST", end=False)
        client.send(frame(DATA, 0, stream, bytes(16384)) * 5)
        self.breaks(client, stream, FLOW_CONTROL_ERROR)
        self.peer.script = ok

    def test_a_window_of_one_byte_is_kept_to(self):
        client = self.http2(polite=False, first=frame(
            SETTINGS, 0, 0, struct.pack(">HI", INITIAL_WINDOW_SIZE, 1)))
        stream = client.request()
        self.assertTrue(client.until(lambda: client.answers.get(stream)
                                     and client.answers[stream].body))
        self.assertEqual(client.answers[stream].body, b"G")
        client.window(stream, 10)
        self.assertEqual(client.answer(stream).body, b"GET /")

    def test_a_window_below_zero_is_kept_to(self):
        client = self.http2(polite=False, first=frame(
            SETTINGS, 0, 0, struct.pack(">HI", INITIAL_WINDOW_SIZE, 1)))
        stream = client.request()
        client.until(lambda: client.answers.get(stream) and client.answers[stream].body)
        client.frame(SETTINGS, 0, 0, struct.pack(">HI", INITIAL_WINDOW_SIZE, 0))
        client.window(stream, 1)
        self.assertTrue(client.alive())
        self.assertEqual(client.answers[stream].body, b"G")
        client.window(stream, 10)
        self.assertEqual(client.answer(stream).body, b"GET /")

    # -- 8.2: fields
    def test_names_and_values_that_no_field_has(self):
        for name, value in (("X-Upper", "1"), ("x y", "1"), ("x:y", "1"), ("", "1"),
                            ("x", "a\r\nb: c"), ("x", "a\0b"), ("x", "a\nb"), ("x", " a"),
                            ("x", "a "), ("x\r\ny", "1"), ("x", b"\x7f")):
            self.refused(head_of("/", "GET", "site.test", (name, value)))

    def test_fields_of_a_connection(self):
        for name, value in (("connection", "close"), ("keep-alive", "1"), ("upgrade", "h2c"),
                            ("proxy-connection", "x"), ("transfer-encoding", "chunked"),
                            ("te", "gzip"), ("te", "trailers, deflate")):
            self.refused(head_of("/", "GET", "site.test", (name, value)))

    def test_te_trailers_is_fine(self):
        self.assertEqual(self.http2().get2("/", ("te", "trailers")).status, 200)

    # -- 8.3: pseudo fields
    def test_pseudo_fields_that_lack_or_come_twice(self):
        whole = head_of()
        for i in range(3):
            self.refused(whole[:i] + whole[i + 1:])
        for field in whole:
            self.refused(whole + [field])

    def test_pseudo_fields_behind_others_unknown_or_of_responses(self):
        self.refused(head_of()[:3] + [("x", "1"), (":authority", "site.test")])
        self.refused(head_of() + [(":what", "1")])
        self.refused(head_of() + [(":status", "200")])
        self.refused(head_of() + [(":protocol", "websocket")])

    def test_a_path_that_is_none(self):
        for path in ("", "a", "*", "http://site.test/", "/a b", "/a#b", "/\x7f"):
            self.refused(head_of(path))

    def test_schemes_that_are_not_http(self):
        self.refused([(":method", "GET"), (":scheme", "ftp"), (":path", "/"),
                      (":authority", "site.test")])

    def test_authorities_that_could_be_read_in_two_ways(self):
        for host in ("user@site.test", "site.test:", "site.test:0", "a,b", "[::1", "site test"):
            self.refused(head_of("/", "GET", host))
        self.refused(head_of("/", "GET", "site.test", ("host", "other.test")))
        self.refused(head_of("/", "GET", "site.test", ("host", "site.test"),
                             ("host", "site.test")))
        self.refused(head_of()[:3])

    def test_host_stands_in_for_authority(self):
        client = self.http2()
        answer = client.answer(client.open(head_of()[:3] + [("host", "site.test")]))
        self.assertEqual(answer.status, 200)
        self.assertEqual(self.peer.requests()[0].get("host"), "site.test")

    def test_connect_and_trace_are_not_served(self):
        self.refused([(":method", "CONNECT"), (":authority", "site.test:80")], 405)
        self.refused(head_of("/", "TRACE"), 405)

    # -- 8.1: messages
    def test_lengths_that_the_data_does_not_have(self):
        for length, body in (("2", b"abc"), ("4", b"abc"), ("1", b"")):
            client = self.http2()
            stream = client.request("/", "POST", "site.test", ("content-length", length), end=False)
            client.data(stream, body, end=True)
            self.resets(client, stream)
        self.refused(head_of("/", "POST", "site.test", ("content-length", "3")))

    def test_lengths_that_are_none(self):
        for lengths in (["3", "3"], ["+3"], ["x"], ["3, 3"], ["-1"], ["1" * 30]):
            self.refused(head_of("/", "POST", "site.test",
                                 *[("content-length", n) for n in lengths]))

    def test_trailers_with_pseudo_fields_or_without_the_end(self):
        client = self.http2()
        stream = client.request("/", "POST", end=False)
        client.open([(":path", "/x")], stream=stream)
        self.resets(client, stream)
        client = self.http2()
        stream = client.request("/", "POST", end=False)
        client.open([("x", "1")], end=False, stream=stream)
        self.breaks(client, stream, PROTOCOL_ERROR)

    # -- limits
    def test_heads_beyond_the_limits(self):
        client = self.http2()
        big = client.request("/", "GET", "site.test", *[(f"x{i}", "v" * 3000) for i in range(5)])
        self.assertEqual(client.answer(big).status, 200)
        block = section(head_of("/", "GET", "site.test", *[(f"x{i}", "v" * 3000)
                                                          for i in range(12)]))
        client.frame(HEADERS, END_STREAM, 3, block[:16000])
        client.frame(CONTINUATION, 0, 3, block[16000:32000])
        client.frame(CONTINUATION, END_HEADERS, 3, block[32000:])
        client.next = 5
        self.assertEqual(client.answer(3).status, 431)
        many = client.request("/", "GET", "site.test", *[("x", "1")] * 101)
        self.assertEqual(client.answer(many).status, 431)
        long = client.request("/" + "a" * 9000)
        self.assertEqual(client.answer(long).status, 414)
        self.assertTrue(client.alive())


if __name__ == "__main__":
    main()
