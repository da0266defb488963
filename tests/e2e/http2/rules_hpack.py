"""RFC 7541 over a connection: every way to say a field arrives as that field, and what no decoder
may take ends the connection with COMPRESSION_ERROR."""
from harness import main
from harness.http2 import (COMPRESSION_ERROR, END_HEADERS, END_STREAM, HEADERS, head_of, huffman,
                           number, section)
from harness.http2_rules import RulesTest

GET = section(head_of())
USER_AGENT = 58                                             # its place in the static table
KEPT, NOT_KEPT, NEVER = (6, 0x40), (4, 0), (4, 0x10)        # 6.2.1, 6.2.2, 6.2.3


def plain(text):
    return number(len(text), 7) + text.encode()


def packed(text):
    return number(len(huffman(text)), 7, 0x80) + huffman(text)


def resize(size):
    return number(size, 5, 0x20)


class Hpack(RulesTest):
    def ask(self, client, stream, block):
        """What the origin saw of a request with that field block."""
        before = {id(request) for request in self.peer.requests()}
        client.frame(HEADERS, END_HEADERS | END_STREAM, stream, block)
        self.assertEqual(client.answer(stream).status, 200)
        # It may have come on another connection than those before.
        return next(request for request in self.peer.requests() if id(request) not in before)

    def undecodable(self, block):
        client = self.http2()
        client.frame(HEADERS, END_HEADERS | END_STREAM, 1, block)
        self.ends(client, COMPRESSION_ERROR)
        self.assertEqual(self.peer.requests(), [])

    # -- 6.1, 2.3: indices
    def test_indexed_fields_of_the_static_table(self):
        # :method GET, :scheme http, :path /index.html, and accept-encoding gzip, deflate
        block = b"\x82\x86\x85" + number(1, 4) + plain("site.test") + b"\x90"
        request = self.ask(self.http2(), 1, block)
        self.assertEqual((request.method, request.target), ("GET", "/index.html"))
        self.assertEqual(request.get("accept-encoding"), "gzip, deflate")

    def test_an_indexed_field_without_a_value(self):
        self.assertEqual(self.ask(self.http2(), 1, GET + number(USER_AGENT, 7, 0x80))
                         .get("user-agent"), "")

    def test_index_zero_is_no_field(self):
        self.undecodable(GET + b"\x80")

    def test_indices_behind_the_end_of_the_tables(self):
        for block in (number(62, 7, 0x80), number(126, 7, 0x80), number(70, *KEPT) + plain("x"),
                      number(70, *NOT_KEPT) + plain("x"), number(70, *NEVER) + plain("x")):
            self.undecodable(GET + block)

    # -- 6.2: literals, and what becomes of them in the table
    def test_literals_in_every_form(self):
        for form in (KEPT, NOT_KEPT, NEVER):
            for text in (plain, packed):
                with self.subTest(form=form, text=text.__name__):
                    client = self.http2()
                    named = number(USER_AGENT, *form) + text("tester/1 (x)")
                    new = number(0, *form) + text("x-new") + text("a value")
                    request = self.ask(client, 1, GET + named + new)
                    self.assertEqual(request.get("user-agent"), "tester/1 (x)")
                    self.assertEqual(request.get("x-new"), "a value")

    def test_only_fields_with_indexing_are_in_the_table(self):
        client = self.http2()
        self.ask(client, 1, GET + number(0, *KEPT) + plain("x-a") + plain("1")
                 + number(0, *NOT_KEPT) + plain("x-b") + plain("2")
                 + number(0, *NEVER) + plain("x-c") + plain("3")
                 + number(0, *KEPT) + plain("x-d") + plain("4"))
        request = self.ask(client, 3, GET + b"\xbe\xbf" + number(63, *NOT_KEPT) + plain("5"))
        self.assertEqual([v for n, v in request.fields if n.lower() == "x-d"], ["4"])
        self.assertEqual([v for n, v in request.fields if n.lower() == "x-a"], ["1", "5"])
        client.frame(HEADERS, END_HEADERS | END_STREAM, 5, GET + b"\xc0")
        self.ends(client, COMPRESSION_ERROR)

    def test_the_table_of_a_refused_request_counts(self):
        """4.3 of RFC 9113: a field block is decoded even if its request is not served."""
        client = self.http2()
        bad = section(head_of()[:3] + [(":what", "1")])
        client.frame(HEADERS, END_HEADERS | END_STREAM, 1,
                     bad + number(0, *KEPT) + plain("x-kept") + plain("yes"))
        client.answer(1)
        self.assertEqual(self.ask(client, 3, GET + b"\xbe").get("x-kept"), "yes")

    def test_the_table_of_a_request_that_is_too_large_counts(self):
        client = self.http2()
        filler = section([("x", "v" * 100)]) * 101
        client.frame(HEADERS, END_HEADERS | END_STREAM, 1,
                     GET + filler + number(0, *KEPT) + plain("x-kept") + plain("yes"))
        self.assertEqual(client.answer(1).status, 431)
        self.assertEqual(self.ask(client, 3, GET + b"\xbe").get("x-kept"), "yes")

    # -- 4.2, 4.3, 4.4, 6.3: the size of the table
    def test_a_size_update_begins_a_block(self):
        client = self.http2()
        self.ask(client, 1, resize(0) + GET)
        self.ask(client, 3, resize(0) + resize(4096) + GET)
        kept = number(0, *KEPT) + plain("x-kept") + plain("yes")
        self.ask(client, 5, GET + kept)
        self.assertEqual(self.ask(client, 7, GET + b"\xbe").get("x-kept"), "yes")

    def test_a_size_update_evicts(self):
        client = self.http2()
        self.ask(client, 1, GET + number(0, *KEPT) + plain("x-kept") + plain("yes"))
        client.frame(HEADERS, END_HEADERS | END_STREAM, 3, resize(0) + resize(4096) + GET + b"\xbe")
        self.ends(client, COMPRESSION_ERROR)

    def test_a_field_larger_than_the_table_empties_it(self):
        client = self.http2()
        kept = number(0, *KEPT) + plain("x-kept") + plain("yes")
        large = number(0, *KEPT) + plain("x-large") + plain("v" * 4096)
        self.assertEqual(self.ask(client, 1, GET + kept + large).get("x-large"), "v" * 4096)
        client.frame(HEADERS, END_HEADERS | END_STREAM, 3, GET + b"\xbe")
        self.ends(client, COMPRESSION_ERROR)

    def test_a_size_update_behind_a_field(self):
        self.undecodable(GET + resize(1))
        self.undecodable(GET[:10] + GET[10:] + resize(4096) + GET)

    def test_a_size_beyond_the_setting(self):
        self.undecodable(resize(4097) + GET)
        self.undecodable(resize(1 << 31) + GET)

    # -- 5.1, 5.2: integers and strings
    def test_integers_without_an_end(self):
        for block in (b"\xff" + b"\xff" * 5 + b"\x0f", b"\xff" + b"\x80" * 40 + b"\x01",
                      b"\x00\x7f\xff\xff\xff\xff\xff\x0f"):
            self.undecodable(GET + block)

    def test_a_block_that_ends_within_a_field(self):
        for block in (b"\xff", b"\x00", b"\x00\x05x-n", b"\x00\x03x-n", b"\x00\x03x-n\x05abc"):
            self.undecodable(GET + block)

    def test_padding_of_more_than_seven_bits(self):
        """"a" is 00011 and three ones; an octet of ones is no symbol."""
        self.undecodable(GET + b"\x00" + plain("x-n") + b"\x82\x1f\xff")

    def test_padding_that_is_not_ones(self):
        self.undecodable(GET + b"\x00" + plain("x-n") + b"\x81\x18")

    def test_the_end_symbol_within_a_string(self):
        """Thirty ones are EOS."""
        for value in (b"\xff\xff\xff\xff", b"\x1f\xff\xff\xff\xfc", b"\xff\xff\xff\xfc\x7f"):
            self.undecodable(GET + b"\x00" + plain("x-n") + number(len(value), 7, 0x80) + value)

    def test_octets_in_huffman_code_are_checked_like_plain_ones(self):
        """8.2.1 of RFC 9113: no way around the rules for names and values."""
        for name, value in (("X-Upper", "1"), ("x y", "1"), ("x", "a\0b")):
            client = self.http2()
            client.frame(HEADERS, END_HEADERS | END_STREAM, 1,
                         GET + b"\x00" + packed(name) + packed(value))
            self.resets(client, 1)
        self.assertEqual(self.peer.requests(), [])


if __name__ == "__main__":
    main()
