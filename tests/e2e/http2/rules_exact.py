"""RFC 9113 to the letter: which code, for the stream or for the connection. What the standard
leaves open (a reset or an answer, one code of two) is in rules.py."""
import struct

from harness import main
from harness.http2 import (ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, FLOW_CONTROL_ERROR,
                           FRAME_SIZE_ERROR, GOAWAY, HEADERS, INITIAL_WINDOW_SIZE, NO_PRIORITIES,
                           PADDED, PING, PRIORITISED, PRIORITY, PROTOCOL_ERROR, RST_STREAM,
                           SETTINGS, STREAM_CLOSED, WINDOW_UPDATE, frame, head_of, section,
                           settings)
from harness.http2_rules import RulesTest
from harness.origin import ok

GET = section(head_of())
MORE = section([("x-more", "1")])
ALL = END_HEADERS | END_STREAM


def setting(*values):
    return b"".join(struct.pack(">HI", key, value) for key, value in values)


class Exact(RulesTest):
    def half_closed(self):
        """A client whose request on stream 1 is whole and not answered before tearDown."""
        def script(conn):
            conn.request()
            conn.until_closed()
        self.peer.script = script
        self.addCleanup(setattr, self.peer, "script", ok)
        client = self.http2()
        client.request()
        self.peer.wait_requests(1)
        return client

    def tearDown(self):
        self.peer.script = ok
        super().tearDown()

    def closed(self):
        """A client whose stream 1 was answered."""
        client = self.http2()
        self.assertEqual(client.get2().status, 200)
        return client

    def reset(self):
        """A client that has reset its stream 1."""
        client = self.http2()
        return client.reset_stream(client.request("/", "POST", end=False))

    # -- 3.4: the preface
    def test_the_first_frame_of_the_server_is_settings(self):
        client = self.http2()
        self.assertEqual(client.read_frame()[:3], (SETTINGS, 0, 0))

    # -- 4.1: undefined flags, the reserved bit
    def test_undefined_flags_of_every_type(self):
        client = self.http2()
        client.frame(HEADERS, END_HEADERS | 0x82, 1, section(head_of("/", "POST")))
        client.frame(DATA, 0xf6, 1, b"a").frame(WINDOW_UPDATE, 0xff, 1, b"\0\0\0\1")
        client.frame(SETTINGS, 0xfe, 0).frame(PRIORITY, 0xff, 1, bytes(4) + b"\1")
        client.frame(DATA, END_STREAM | 0x40, 1, b"b")
        self.assertEqual(client.answer(1).status, 200)
        self.assertEqual(self.peer.requests()[0].body, b"ab")

    def test_the_reserved_bit_of_every_type(self):
        client = self.http2()
        client.frame(HEADERS, END_HEADERS, 1 << 31 | 1, section(head_of("/", "POST")))
        client.frame(PING, 0, 1 << 31, bytes(8)).frame(SETTINGS, 0, 1 << 31)
        client.frame(WINDOW_UPDATE, 0, 1 << 31 | 1, b"\x80\0\0\1")
        client.frame(DATA, END_STREAM, 1 << 31 | 1, b"a")
        self.assertEqual(client.answer(1).status, 200)

    # -- 4.2: sizes
    def test_frames_of_the_largest_size(self):
        client = self.http2()
        stream = client.request("/", "POST", end=False)
        client.data(stream, b"x" * 16384, end=True)
        self.assertEqual(client.answer(stream).status, 200)
        self.assertEqual(len(self.peer.requests()[0].body), 16384)
        block = GET + section([("x", "v" * (16384 - len(GET) - 6))])
        self.assertEqual(len(block), 16384)
        self.assertEqual(client.answer(client.open(block)).status, 200)

    def test_frames_beyond_the_largest_size_that_touch_the_connection(self):
        for kind, flags, stream in ((HEADERS, ALL, 3), (CONTINUATION, END_HEADERS, 3),
                                    (SETTINGS, 0, 0), (GOAWAY, 0, 0), (0x42, 0, 0)):
            with self.subTest(kind=kind):
                client = self.http2()
                if kind == CONTINUATION:
                    client.frame(HEADERS, END_STREAM, 3, GET)
                self.ends(client.frame(kind, flags, stream, bytes(16386)), FRAME_SIZE_ERROR)

    def test_frames_that_cannot_hold_what_they_must(self):
        for kind, flags, payload in ((DATA, PADDED, b""), (HEADERS, ALL | PADDED, b""),
                                     (HEADERS, ALL | PRIORITISED, b"\0\0\0\0")):
            with self.subTest(kind=kind):
                client = self.http2()
                client.request("/", "POST", end=False)
                self.ends(client.frame(kind, flags, 1 if kind == DATA else 3, payload),
                          FRAME_SIZE_ERROR, PROTOCOL_ERROR)

    # -- 4.3, 6.2, 6.10: a field block is one piece
    def test_nothing_comes_between_the_frames_of_a_block(self):
        for begun in (frame(HEADERS, 0, 1, GET),
                      frame(HEADERS, 0, 1, GET) + frame(CONTINUATION, 0, 1, MORE)):
            for other in (frame(DATA, END_STREAM, 1, b"x"), frame(HEADERS, ALL, 1, GET),
                          frame(HEADERS, ALL, 3, GET), frame(PRIORITY, 0, 1, bytes(5)),
                          frame(PRIORITY, 0, 3, bytes(5)), frame(RST_STREAM, 0, 1, bytes(4)),
                          frame(SETTINGS), frame(PING, 0, 0, bytes(8)),
                          frame(WINDOW_UPDATE, 0, 0, b"\0\0\0\1"), frame(0x16, 0, 0, bytes(8)),
                          frame(CONTINUATION, END_HEADERS, 0, MORE),
                          frame(CONTINUATION, END_HEADERS, 3, MORE)):
                with self.subTest(other=other[3]):
                    self.ends(self.http2().send(begun + other), PROTOCOL_ERROR)

    def test_continuation_behind_a_block_that_is_whole(self):
        whole = frame(HEADERS, END_HEADERS, 1, section(head_of("/", "POST")))
        pieces = frame(HEADERS, 0, 1, GET) + frame(CONTINUATION, END_HEADERS, 1, MORE)
        for before in (whole, pieces, whole + frame(DATA, 0, 1, b"x"), b""):
            self.ends(self.http2().send(before + frame(CONTINUATION, END_HEADERS, 1, MORE)),
                      PROTOCOL_ERROR)

    # -- 5.1: states
    def test_frames_on_an_idle_stream(self):
        for kind, payload in ((DATA, b"x"), (RST_STREAM, bytes(4)), (CONTINUATION, MORE),
                              (WINDOW_UPDATE, b"\0\0\0\x64")):
            with self.subTest(kind=kind):
                self.ends(self.http2().frame(kind, END_HEADERS if kind == CONTINUATION else 0, 1,
                                             payload), PROTOCOL_ERROR)

    def test_frames_behind_the_end_of_a_request(self):
        for kind, flags, payload, codes in (
                (DATA, END_STREAM, b"x", (STREAM_CLOSED,)), (DATA, 0, b"", (STREAM_CLOSED,)),
                (HEADERS, ALL, GET, (STREAM_CLOSED,)), (HEADERS, ALL, MORE, (STREAM_CLOSED,)),
                (CONTINUATION, END_HEADERS, MORE, (STREAM_CLOSED, PROTOCOL_ERROR))):
            with self.subTest(kind=kind, payload=payload):
                client = self.half_closed()
                self.breaks(client.frame(kind, flags, 1, payload), 1, *codes)

    def test_what_is_allowed_behind_the_end_of_a_request(self):
        client = self.http2(polite=False, first=settings(INITIAL_WINDOW_SIZE=0))
        stream = client.request()
        client.frame(PRIORITY, 0, stream, bytes(4) + b"\xff").window(stream, 1)
        self.assertTrue(client.until(lambda: client.answers.get(stream)
                                     and client.answers[stream].body))
        client.reset_stream(stream)
        self.assertTrue(client.alive())

    def test_frames_on_a_stream_that_was_answered(self):
        for kind, flags, payload, codes in (
                (DATA, END_STREAM, b"x", (STREAM_CLOSED,)), (HEADERS, ALL, GET, (STREAM_CLOSED,)),
                (CONTINUATION, END_HEADERS, MORE, (STREAM_CLOSED, PROTOCOL_ERROR))):
            with self.subTest(kind=kind):
                self.ends(self.closed().frame(kind, flags, 1, payload), *codes)

    def test_frames_on_a_stream_that_its_client_has_reset(self):
        for kind, flags, payload, codes in (
                (DATA, END_STREAM, b"x", (STREAM_CLOSED,)), (HEADERS, ALL, GET, (STREAM_CLOSED,)),
                (CONTINUATION, END_HEADERS, MORE, (STREAM_CLOSED, PROTOCOL_ERROR))):
            with self.subTest(kind=kind):
                self.breaks(self.reset().frame(kind, flags, 1, payload), 1, *codes)

    def test_frames_that_cross_our_reset(self):
        """A stream that the server has reset still has frames under way, which count for nothing
        but the connection's window and the compression."""
        client = self.http2()
        stream = client.request("/", "POST", "site.test", ("content-length", "1"), end=False)
        client.data(stream, b"two")
        self.assertEqual(client.answer(stream).reset, PROTOCOL_ERROR)
        client.data(stream, b"x").window(stream, 1).reset_stream(stream)
        self.assertTrue(client.alive())

    # -- 5.1.1: numbers
    def test_numbers_that_are_even_or_do_not_grow(self):
        self.ends(self.http2().frame(HEADERS, ALL, 2, GET), PROTOCOL_ERROR)
        for earlier in (True, False):                       # answered, or still open
            client = self.http2()
            client.open(head_of("/", "GET" if earlier else "POST"), end=earlier, stream=5)
            if earlier:
                client.answer(5)
            self.ends(client.frame(HEADERS, ALL, 3, GET), PROTOCOL_ERROR)

    # -- 5.3: priorities of old
    def test_priorities_of_old_in_every_form(self):
        client = self.http2()
        for weight in (0, 255):
            client.frame(PRIORITY, 0, 1, bytes(4) + bytes([weight]))
        client.frame(PRIORITY, 0, 3, b"\x80\0\0\1\x10").frame(PRIORITY, 0, 7, b"\0\0\0\5\x10")
        stream = client.open(b"\x80\0\0\x09\x10" + GET, flags=END_HEADERS | PRIORITISED)
        self.assertEqual(client.answer(stream).status, 200)
        for stream in (1, 7, 9):                            # over, idle, idle
            client.frame(PRIORITY, 0, stream, bytes(4) + b"\x10")
        client.next = 7
        self.assertEqual(client.get2().status, 200)

    def test_a_stream_that_depends_on_itself(self):
        """An error in RFC 7540 (5.3.1). RFC 9113 5.3.2 has no dependencies, which we say with
        SETTINGS_NO_RFC7540_PRIORITIES (RFC 9218 2.1): a frame about nothing else is ignored."""
        client = self.http2().frame(PRIORITY, 0, 1, b"\0\0\0\1\x10")
        self.assertEqual(client.get2().status, 200)
        self.assertEqual(client.settings[NO_PRIORITIES], 1)
        client = self.http2().frame(HEADERS, ALL | PRIORITISED, 1, b"\0\0\0\1\x10" + GET)
        self.breaks(client, 1, PROTOCOL_ERROR)

    # -- 5.4.1: the end of a connection
    def test_a_goaway_tells_the_last_stream_and_the_connection_closes(self):
        client = self.closed()
        client.request("/", "POST", end=False)
        self.ends(client.frame(PING, 0, 3, bytes(8)), PROTOCOL_ERROR)
        self.assertEqual(client.last, 3)

    # -- 6.5: settings
    def test_settings_are_taken_in_their_order(self):
        client = self.http2(polite=False, first=frame(SETTINGS, 0, 0, setting(
            (INITIAL_WINDOW_SIZE, 100), (INITIAL_WINDOW_SIZE, 1))))
        stream = client.request()
        self.assertTrue(client.until(lambda: client.answers.get(stream)
                                     and client.answers[stream].body))
        self.assertTrue(client.alive())
        self.assertEqual(client.answers[stream].body, b"G")

    # -- 6.7: pings
    def test_an_answer_to_no_ping_is_not_answered(self):
        client = self.http2().frame(PING, ACK, 0, b"no-ping!")
        self.assertTrue(client.alive())
        self.assertNotIn(b"no-ping!", [payload for _, _, _, payload in client.frames])

    # -- 6.9: windows
    def test_a_window_of_a_stream_that_grows_by_nothing(self):
        client = self.http2()
        stream = client.request("/", "POST", end=False)
        client.window(stream, 0)
        self.breaks(client, stream, PROTOCOL_ERROR)

    def test_windows_beyond_their_largest_size(self):
        self.ends(self.http2().window(0, 0x7fffffff).window(0, 0x7fffffff), FLOW_CONTROL_ERROR)
        client = self.http2()
        stream = client.request("/", "POST", end=False)
        client.window(stream, 0x7fffffff).window(stream, 0x7fffffff)
        self.resets(client, stream, FLOW_CONTROL_ERROR)

    def test_a_setting_that_makes_a_window_too_large(self):
        """6.9.2 has it end the connection; nghttp2 ends each stream whose window it is."""
        client = self.http2()
        stream = client.request("/", "POST", end=False)
        client.window(stream, 0x7fffffff - 65535)
        client.send(settings(INITIAL_WINDOW_SIZE=0x7fffffff))
        self.breaks(client, stream, FLOW_CONTROL_ERROR)

    def test_a_setting_moves_the_windows_of_streams_that_are_open(self):
        client = self.http2(polite=False, first=settings(INITIAL_WINDOW_SIZE=0))
        stream = client.request()
        self.assertTrue(client.until(lambda: client.answers.get(stream)
                                     and client.answers[stream].fields))
        client.send(settings(INITIAL_WINDOW_SIZE=1))
        self.assertTrue(client.until(lambda: client.answers[stream].body))
        self.assertEqual(client.answers[stream].body, b"G")
        client.send(settings(INITIAL_WINDOW_SIZE=3)).window(stream, 0x100)
        self.assertEqual(client.answer(stream).body, b"GET /")

    def test_padding_takes_room_in_the_windows_and_gives_it_back(self):
        """6.1: all of a DATA frame counts; more of it goes through than one window holds."""
        client = self.http2()
        stream = client.request("/", "POST", end=False)
        self.assertTrue(client.alive())                     # the first settings are there

        def room():
            grown = sum(struct.unpack(">I", payload)[0] for kind, _, number, payload
                        in client.frames if (kind, number) == (WINDOW_UPDATE, stream))
            return client.settings[INITIAL_WINDOW_SIZE] + grown - sent
        sent = 0
        for _ in range(600):
            self.assertTrue(client.until(lambda: room() >= 257))
            client.frame(DATA, PADDED, stream, b"\xff" + b"x" + bytes(255))
            sent += 257
        client.data(stream, b"", end=True)
        self.assertEqual(client.answer(stream).status, 200)
        self.assertEqual(self.peer.requests()[0].body, b"x" * 600)

    def test_padded_heads_are_read(self):
        client = self.http2()
        client.frame(HEADERS, ALL | PADDED | PRIORITISED, 1, b"\5" + bytes(5) + GET + bytes(5))
        self.assertEqual(client.answer(1).status, 200)

    # -- 7: codes
    def test_codes_that_nobody_knows(self):
        client = self.http2()
        client.reset_stream(client.request("/", "POST", end=False), 0xff)
        self.assertTrue(client.alive())
        client = self.http2().frame(GOAWAY, 0, 0, struct.pack(">II", 0, 0xff) + b"why")
        self.assertIn(client.end_code(), (0, None))

    # -- 8.1, 8.2, 8.3: messages that are malformed are a stream error, PROTOCOL_ERROR
    def malformed(self, fields, *, trailers=None, body=None):
        client = self.http2()
        stream = client.open(fields, end=body is None and trailers is None)
        for piece in body or ():
            client.data(stream, piece, end=piece is body[-1] and trailers is None)
        if trailers is not None:
            client.open(trailers, stream=stream)
        self.resets(client, stream)
        self.assertEqual([r for r in self.peer.requests() if r.target != "/after"], [])

    def test_fields_that_make_a_request_malformed(self):
        for field in (("X-Upper", "1"), ("connection", "keep-alive"), ("keep-alive", "1"),
                      ("proxy-connection", "x"), ("transfer-encoding", "chunked"),
                      ("upgrade", "h2c"), ("te", "trailers, deflate"), (":what", "1"),
                      (":status", "200"), (":method", "GET"), (":scheme", "http"),
                      (":path", "/"), (":authority", "site.test")):
            with self.subTest(field=field):
                self.malformed(head_of() + [field])

    def test_pseudo_fields_that_lack_or_are_empty(self):
        for i in range(3):
            self.malformed(head_of()[:i] + head_of()[i + 1:])
            self.malformed(head_of()[:i] + [(head_of()[i][0], "")] + head_of()[i + 1:])

    def test_pseudo_fields_behind_others(self):
        for i in range(4):
            whole = head_of()
            late = whole.pop(i)
            self.malformed(whole + [("x-test", "ok"), late])

    def test_lengths_that_differ_from_the_data(self):
        # Two, so that no part of "t", "est" is a whole request, which the origin might answer.
        head = head_of("/", "POST", "site.test", ("content-length", "2"))
        self.malformed(head)
        self.malformed(head, body=[b"test"])
        self.malformed(head, body=[b"t", b"est"])

    def test_pseudo_fields_in_trailers(self):
        self.malformed(head_of("/", "POST"), trailers=[(":method", "GET"), ("x-test", "ok")])


if __name__ == "__main__":
    main()
