"""Http2Origin: a scripted origin over HTTP/2, frames made by hand.

A script is a function of the connection, as for RawOrigin; `over_http2(script)` makes one of a
function of an Http2Connection, which has read the preface and sent its SETTINGS.
"""
import struct

from .case import EdgeTest
from .http2 import (ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING,
                    PREFACE, RST_STREAM, SETTINGS, WINDOW_UPDATE, Decoder, frame, section,
                    settings)
from .origin import PeerGone


class Request:
    """What came on one stream."""

    def __init__(self, stream):
        self.stream, self.fields, self.trailers = stream, [], []
        self.body, self.ended, self.reset = b"", False, None

    def get(self, name):
        return next((v for n, v in self.fields if n == name), None)

    @property
    def method(self):
        return self.get(":method")

    @property
    def path(self):
        return self.get(":path")


class Http2Connection:
    def __init__(self, conn, first=None, polite=True):
        self.conn, self.polite, self.decoder, self.block = conn, polite, Decoder(), b""
        self.streams, self.heads, self.pings, self.goaway = {}, [], 0, None
        self.settings, self.windows = {}, {}
        assert conn.read(len(PREFACE)) == PREFACE
        conn.send(settings() if first is None else first)

    # -- out
    def frame(self, kind, flags=0, stream=0, payload=b""):
        self.conn.send(frame(kind, flags, stream, payload))

    def head(self, stream, status=200, *fields, end=False):
        self.frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream,
                   section([(":status", str(status)), *fields]))

    def trailers(self, stream, *fields):
        self.frame(HEADERS, END_HEADERS | END_STREAM, stream, section(fields))

    def data(self, stream, payload=b"", end=False):
        self.frame(DATA, END_STREAM if end else 0, stream, payload)

    def answer(self, stream, body=b"", status=200, *fields):
        self.head(stream, status, ("content-length", str(len(body))), *fields, end=not body)
        for at in range(0, len(body), 16384):
            self.data(stream, body[at:at + 16384], at + 16384 >= len(body))

    def reset(self, stream, code):
        self.frame(RST_STREAM, 0, stream, struct.pack(">I", code))

    def go_away(self, last, code=0):
        self.frame(GOAWAY, 0, 0, struct.pack(">II", last, code))

    # -- in
    def step(self):
        """Takes one frame; its kind and stream."""
        start = self.conn.read(9)
        size = int.from_bytes(start[:3], "big")
        kind, flags, stream = struct.unpack(">BBI", start[3:])
        payload = self.conn.read(size)
        request = self.streams.get(stream)
        if kind in (HEADERS, CONTINUATION):
            self.block = payload if kind == HEADERS else self.block + payload
            if flags & END_HEADERS:
                fields = self.decoder.decode(self.block)
                if request is None:
                    request = self.streams[stream] = Request(stream)
                    request.fields = fields
                    self.heads.append(request)
                else:
                    request.trailers = fields
        elif kind == DATA and request is not None:
            request.body += payload
            if self.polite and payload:
                self.give(0, len(payload))
                self.give(stream, len(payload))
        elif kind == RST_STREAM and request is not None:
            request.reset = struct.unpack(">I", payload)[0]
        elif kind == SETTINGS and not flags & ACK:
            self.settings.update(struct.unpack(">HI", payload[i:i + 6])
                                 for i in range(0, len(payload), 6))
            self.frame(SETTINGS, ACK)
        elif kind == PING and not flags & ACK:
            self.pings += 1
            if self.polite:
                self.frame(PING, ACK, 0, payload)
        elif kind == GOAWAY:
            self.goaway = struct.unpack(">II", payload[:8])[1]
        elif kind == WINDOW_UPDATE:
            self.windows[stream] = self.windows.get(stream, 0) + int.from_bytes(payload, "big")
        if kind in (DATA, HEADERS) and flags & END_STREAM and request is not None:
            request.ended = True
        return kind, stream

    def give(self, stream, size):
        self.frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", size))

    def until(self, condition):
        while not condition():
            self.step()

    def request(self, whole=True):
        """The next request, to its end or only its head."""
        at = getattr(self, "taken", 0)
        self.until(lambda: len(self.heads) > at)
        self.taken = at + 1
        request = self.heads[at]
        if whole:
            self.until(lambda: request.ended or request.reset is not None)
        return request

    def until_closed(self):
        try:
            while True:
                self.step()
        except PeerGone:
            return self.conn.ended


def over_http2(script, **options):
    """The script of a RawOrigin; its connections have `http2` then."""
    def run(conn):
        conn.http2 = Http2Connection(conn, **options)
        script(conn.http2)
    return run


def ok2(http2):
    """Answers every request as it ends with a body that names what was asked for."""
    while True:
        request = http2.request()
        if request.reset is None:
            body = b"" if request.method == "HEAD" else f"{request.method} {request.path}".encode()
            http2.answer(request.stream, body, 200, ("x-origin", "yes"))


def requests2(origin):
    """All requests that a RawOrigin got over HTTP/2, by connection and arrival."""
    return [r for c in origin.connections if hasattr(c, "http2") for r in c.http2.heads]


class Http2Case(EdgeTest):
    """EdgeTest whose pool speaks HTTP/2 without TLS."""

    def origin2(self, script=ok2, **options):
        return self.origin(over_http2(script, **options))

    def edge2(self, *origins, pool=None, **keys):
        keys.setdefault("workers", 1)
        return self.edge(pools={"main": {"protocol": "h2c", **(pool or {}),
                                         "endpoints": [o.address for o in origins]}}, **keys)
