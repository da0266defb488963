"""Http2Client: frames made by hand (RFC 9113) over a RawClient, and just enough HPACK (RFC 7541) to
say anything, right or wrong, and to read what comes back."""
import struct

from .client import RawClient

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, \
    CONTINUATION = range(10)
PRIORITY_UPDATE = 16
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITISED = 0x1, 0x1, 0x4, 0x8, 0x20
NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED, \
    FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL, COMPRESSION_ERROR, CONNECT_ERROR, \
    ENHANCE_YOUR_CALM = range(12)
HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, \
    MAX_HEADER_LIST_SIZE, _, ENABLE_CONNECT_PROTOCOL, NO_PRIORITIES = range(1, 10)

STATIC = """:authority|:method GET|:method POST|:path /|:path /index.html|:scheme http|:scheme https
:status 200|:status 204|:status 206|:status 304|:status 400|:status 404|:status 500|accept-charset
accept-encoding gzip, deflate|accept-language|accept-ranges|accept|access-control-allow-origin|age
allow|authorization|cache-control|content-disposition|content-encoding|content-language
content-length|content-location|content-range|content-type|cookie|date|etag|expect|expires|from|host
if-match|if-modified-since|if-none-match|if-range|if-unmodified-since|last-modified|link|location
max-forwards|proxy-authenticate|proxy-authorization|range|referer|refresh|retry-after|server
set-cookie|strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate"""
TABLE = [tuple((line + " ").split(" ", 1)) for line in STATIC.replace("\n", "|").split("|")]
TABLE = [(name, value.strip()) for name, value in TABLE]

# The code is canonical: lengths tell it. Symbols that a head can hold.
LENGTHS = {5: "012aceiost", 6: " %-./3456789=A_bdfghlmnpru", 7: ":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz",
           8: "&*,;XZ", 10: "!\"()?", 11: "'+|", 12: "#>", 13: "\0$@[]~", 14: "^}", 15: "<`{"}


def _huffman_codes():
    codes, code, before = {}, 0, 5
    for length, symbols in sorted(LENGTHS.items()):
        code <<= length - before
        before = length
        for symbol in sorted(symbols):
            codes[(length, code)] = symbol
            code += 1
    return codes


CODES = _huffman_codes()


def huffman(text):
    """The octets of `text`, padded with ones, RFC 7541 section 5.2."""
    bits = "".join(f"{code:0{length}b}" for letter in text
                   for (length, code), symbol in CODES.items() if symbol == letter)
    bits += "1" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big") if bits else b""


def unhuffman(data):
    out, code, length = [], 0, 0
    for byte in data:
        for bit in range(7, -1, -1):
            code = code << 1 | byte >> bit & 1
            length += 1
            if (length, code) in CODES:
                out.append(CODES[(length, code)])
                code = length = 0
    assert length < 8, "a symbol that no head holds"
    return "".join(out)


class Decoder:
    """A field section's reader, with its dynamic table."""

    def __init__(self):
        self.dynamic = []
        self.most = 4096

    def entry(self, index):
        assert index > 0, "index 0"
        return TABLE[index - 1] if index <= len(TABLE) else self.dynamic[index - 62]

    def insert(self, field):
        self.dynamic.insert(0, field)
        while sum(len(n) + len(v) + 32 for n, v in self.dynamic) > self.most:
            self.dynamic.pop()

    def decode(self, block):
        fields, at = [], 0

        def integer(bits):
            nonlocal at
            mask = (1 << bits) - 1
            value = block[at] & mask
            at += 1
            if value < mask:
                return value
            shift = 0
            while True:
                byte = block[at]
                at += 1
                value += (byte & 127) << shift
                shift += 7
                if byte < 128:
                    return value

        def text():
            nonlocal at
            packed = block[at] & 0x80
            size = integer(7)
            data = block[at:at + size]
            at += size
            return unhuffman(data) if packed else data.decode("latin-1")

        while at < len(block):
            first = block[at]
            if first & 0x80:
                fields.append(self.entry(integer(7)))
            elif first & 0xe0 == 0x20:
                self.most = integer(5)
                while sum(len(n) + len(v) + 32 for n, v in self.dynamic) > self.most:
                    self.dynamic.pop()
            else:
                kept = bool(first & 0x40)
                index = integer(6 if kept else 4)
                name = self.entry(index)[0] if index else text()
                fields.append((name, text()))
                if kept:
                    self.insert(fields[-1])
        return fields


def number(value, bits, first=0):
    """An integer with a prefix of `bits`, RFC 7541 section 5.1."""
    mask = (1 << bits) - 1
    if value < mask:
        return bytes([first | value])
    out = [first | mask]
    value -= mask
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + [value])


def literal(name, value):
    """One field, in which nothing is compressed, indexed or checked."""
    name, value = (t if isinstance(t, bytes) else t.encode("latin-1") for t in (name, value))
    return b"\0" + number(len(name), 7) + name + number(len(value), 7) + value


def section(fields):
    return b"".join(literal(name, value) for name, value in fields)


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def settings(**values):
    """A SETTINGS frame: settings(INITIAL_WINDOW_SIZE=0)."""
    return frame(SETTINGS, payload=b"".join(
        struct.pack(">HI", globals()[name], value) for name, value in values.items()))


def head_of(path="/", method="GET", host="site.test", *more, scheme="http"):
    return [(":method", method), (":scheme", scheme), (":path", path), (":authority", host), *more]


class Answer:
    def __init__(self):
        self.interim, self.fields, self.trailers = [], [], []
        self.body, self.ended, self.reset = b"", False, None

    @property
    def status(self):
        return int(self.get(":status")) if self.fields else None

    def get(self, name):
        return next((v for n, v in self.fields if n == name), None)


class Http2Client(RawClient):
    """Speaks as it is told to; answers SETTINGS and PING, and gives windows back if `polite`."""

    def __init__(self, port, polite=True, first=None, **options):
        super().__init__(port, **options)
        self.polite, self.decoder, self.block = polite, Decoder(), None
        self.answers, self.frames, self.next = {}, [], 1
        self.settings, self.goaway, self.last, self.pings = {}, None, None, 0
        self.send(PREFACE + (settings() if first is None else first))

    # -- out
    def frame(self, kind, flags=0, stream=0, payload=b""):
        return self.send(frame(kind, flags, stream, payload))

    def open(self, fields, end=True, stream=None, flags=END_HEADERS):
        """Sends a head; the stream's number."""
        if stream is None:
            stream, self.next = self.next, self.next + 2
        block = fields if isinstance(fields, bytes) else section(fields)
        self.frame(HEADERS, flags | (END_STREAM if end else 0), stream, block)
        return stream

    def request(self, path="/", method="GET", host="site.test", *more, end=True):
        return self.open(head_of(path, method, host, *more), end)

    def data(self, stream, payload, end=False):
        return self.frame(DATA, END_STREAM if end else 0, stream, payload)

    def reset_stream(self, stream, code=CANCEL):
        return self.frame(RST_STREAM, 0, stream, struct.pack(">I", code))

    def window(self, stream, by):
        return self.frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", by))

    # -- in
    def read_frame(self):
        """The next frame (kind, flags, stream, payload); None at the end. A reset raises."""
        while len(self.buffer) < 9 or len(self.buffer) < 9 + int.from_bytes(self.buffer[:3], "big"):
            if not self.more():
                return None
        size = int.from_bytes(self.buffer[:3], "big")
        kind, flags, stream = struct.unpack(">BBI", self.buffer[3:9])
        payload, self.buffer = self.buffer[9:9 + size], self.buffer[9 + size:]
        self.frames.append((kind, flags, stream, payload))
        self._take(kind, flags, stream, payload)
        return self.frames[-1]

    def _take(self, kind, flags, stream, payload):
        answer = self.answers.setdefault(stream, Answer())
        if kind in (HEADERS, CONTINUATION):
            self.block = payload if kind == HEADERS else self.block + payload
            if flags & END_HEADERS:
                fields = self.decoder.decode(self.block)
                if answer.fields:
                    answer.trailers = fields
                elif dict(fields)[":status"].startswith("1"):
                    answer.interim.append(fields)
                else:
                    answer.fields = fields
        elif kind == DATA:
            answer.body += payload
            if self.polite and payload:
                self.send(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", len(payload))))
                if not flags & END_STREAM:
                    self.send(frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", len(payload))))
        elif kind == RST_STREAM:
            answer.reset = struct.unpack(">I", payload)[0]
        elif kind == GOAWAY:
            self.last, self.goaway = struct.unpack(">II", payload[:8])
        elif kind == SETTINGS and not flags & ACK:
            self.settings.update(struct.unpack(">HI", payload[i:i + 6])
                                 for i in range(0, len(payload), 6))
            if self.polite:
                self.frame(SETTINGS, ACK)
        elif kind == PING and not flags & ACK and self.polite:
            self.frame(PING, ACK, 0, payload)
        if kind in (DATA, HEADERS) and flags & END_STREAM:
            answer.ended = True

    def answer(self, stream):
        """Reads until the stream has ended or was reset, or the connection is no more."""
        answer = self.answers.setdefault(stream, Answer())
        while not answer.ended and answer.reset is None:
            if self.read_frame() is None:
                break
        return answer

    def until(self, condition):
        """Reads frames until `condition()`; False if the connection ends first."""
        while not condition():
            if self.read_frame() is None:
                return False
        return True

    def get2(self, path="/", *more):
        return self.answer(self.request(path, "GET", "site.test", *more))

    def end_code(self):
        """Reads to the end of the connection; the code of its GOAWAY, None if there was none."""
        try:
            while self.read_frame() is not None:
                pass
        except ConnectionError:
            pass
        return self.goaway

    def alive(self):
        """The connection still answers."""
        self.pings += 1
        asked = struct.pack(">Q", self.pings)
        self.frame(PING, 0, 0, asked)
        return self.until(lambda: (PING, ACK, 0, asked) in self.frames)
