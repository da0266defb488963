"""A strict, independent reader of HTTP/1 messages (RFC 9110, RFC 9112).

It accepts one reading of every byte or raises Malformed. take_request() and take_response() work
on a growing buffer: they return (message, rest), or None while the message is incomplete.
"""
import re
from dataclasses import dataclass, field

TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
VALUE = re.compile(rb"[\t \x21-\x7e\x80-\xff]*\Z")
TARGET = re.compile(rb"(?:\*|[!$%&'()*+,\-./0-9:;=?@A-Z_a-z~\[\]|{}`^]+)\Z")
DECIMAL = re.compile(rb"(?:0|[1-9][0-9]{0,17})\Z")
_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_QUOTED = (rb'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]'
           rb'|\\[\t \x21-\x7e\x80-\xff])*"')
CHUNK = re.compile(rb"([0-9A-Fa-f]{1,16})((?:[ \t]*;[ \t]*" + _TOKEN + rb"(?:[ \t]*=[ \t]*(?:"
                   + _TOKEN + rb"|" + _QUOTED + rb"))?)*)\Z")
NO_BODY = (204, 304)


class Malformed(Exception):
    """Bytes that are no HTTP message, or more than one."""


@dataclass
class Message:
    version: str = ""
    fields: list = field(default_factory=list)      # [(name, value)] as on the wire
    body: bytes = b""
    trailers: list = field(default_factory=list)
    raw_head: bytes = b""
    framing: str = "none"                           # none | length | chunked | close

    def all(self, name):
        return [v for n, v in self.fields if n.lower() == name.lower()]

    def get(self, name, otherwise=None):
        values = self.all(name)
        return values[0] if values else otherwise

    def names(self):
        return [n.lower() for n, _ in self.fields]


@dataclass
class Request(Message):
    method: str = ""
    target: str = ""


@dataclass
class Response(Message):
    status: int = 0
    reason: str = ""


def _fields(lines):
    out = []
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not TOKEN.match(name):
            raise Malformed(f"field line {line!r}")
        if not VALUE.match(value):
            raise Malformed(f"control byte in value {line!r}")
        out.append((name.decode("latin-1"), value.strip(b" \t").decode("latin-1")))
    return out


def _head(buffer):
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    head, rest = buffer[:end], buffer[end + 4:]
    lines = head.split(b"\r\n")
    for line in lines:
        if b"\r" in line or b"\n" in line or b"\0" in line:
            raise Malformed(f"bare CR, bare LF or NUL in {line!r}")
    return lines, rest, buffer[:end + 4]


def _length(message):
    values = message.all("content-length")
    if not values:
        return None
    if len(values) > 1 or not DECIMAL.match(values[0].encode("latin-1")):
        raise Malformed(f"Content-Length {values!r}")
    return int(values[0])


def _coding(message):
    values = message.all("transfer-encoding")
    if not values:
        return False
    if len(values) > 1 or values[0].lower() != "chunked":
        raise Malformed(f"Transfer-Encoding {values!r}")
    if message.version != "1.1":
        raise Malformed("Transfer-Encoding on HTTP/1.0")
    if message.all("content-length"):
        raise Malformed("Transfer-Encoding and Content-Length")
    return True


def request_head(buffer):
    """(Request without body, rest) or None."""
    parts = _head(buffer)
    if parts is None:
        return None
    lines, rest, raw = parts
    start = lines[0].split(b" ")
    if len(start) != 3 or not TOKEN.match(start[0]) or not TARGET.match(start[1]):
        raise Malformed(f"request line {lines[0]!r}")
    if start[2] not in (b"HTTP/1.1", b"HTTP/1.0"):
        raise Malformed(f"version {start[2]!r}")
    request = Request(version=start[2][5:].decode(), fields=_fields(lines[1:]), raw_head=raw,
                      method=start[0].decode(), target=start[1].decode())
    hosts = request.all("host")
    if len(hosts) > 1 or (not hosts and request.version == "1.1"):
        raise Malformed(f"Host {hosts!r}")
    if _coding(request):
        request.framing = "chunked"
    elif _length(request) is not None:
        request.framing = "length"
    return request, rest


def response_head(buffer, method="GET"):
    """(Response without body, rest) or None."""
    parts = _head(buffer)
    if parts is None:
        return None
    lines, rest, raw = parts
    match = re.match(rb"HTTP/(1\.[01]) ([1-5][0-9][0-9]) ([\t \x21-\x7e\x80-\xff]*)\Z", lines[0])
    if not match:
        raise Malformed(f"status line {lines[0]!r}")
    response = Response(version=match[1].decode(), status=int(match[2]), raw_head=raw,
                        reason=match[3].decode("latin-1"), fields=_fields(lines[1:]))
    coded, length = _coding(response), _length(response)
    if response.status < 200 or response.status == 204:
        if coded or length is not None:
            raise Malformed(f"length on {response.status}")
    elif method == "HEAD" or response.status in NO_BODY:
        pass
    elif method == "CONNECT" and response.status < 300:
        pass
    else:
        response.framing = "chunked" if coded else "length" if length is not None else "close"
    return response, rest


def take_chunked(buffer):
    """(body, trailers, rest) or None."""
    body, at = [], 0
    while True:
        end = buffer.find(b"\r\n", at)
        if end < 0:
            if b"\n" in buffer[at:] or len(buffer) - at > 4096:
                raise Malformed(f"chunk line {buffer[at:at + 80]!r}")
            return None
        match = CHUNK.match(buffer[at:end])
        if not match:
            raise Malformed(f"chunk line {buffer[at:end]!r}")
        size, at = int(match[1], 16), end + 2
        if size == 0:
            break
        if len(buffer) < at + size + 2:
            return None
        if buffer[at + size:at + size + 2] != b"\r\n":
            raise Malformed("no CRLF after chunk data")
        body.append(buffer[at:at + size])
        at += size + 2
    lines = []
    while True:
        end = buffer.find(b"\r\n", at)
        if end < 0:
            return None
        line, at = buffer[at:end], end + 2
        if not line:
            return b"".join(body), _fields(lines), buffer[at:]
        if b"\r" in line or b"\n" in line:
            raise Malformed(f"trailer line {line!r}")
        lines.append(line)


def _take_body(message, rest, eof):
    if message.framing == "length":
        length = _length(message)
        if len(rest) < length:
            return None
        message.body, rest = rest[:length], rest[length:]
    elif message.framing == "chunked":
        parts = take_chunked(rest)
        if parts is None:
            return None
        message.body, message.trailers, rest = parts
    elif message.framing == "close":
        if not eof:
            return None
        message.body, rest = rest, b""
    return message, rest


def take_request(buffer):
    """(Request, rest) or None while it is incomplete."""
    parts = request_head(buffer)
    return None if parts is None else _take_body(*parts, eof=False)


def take_response(buffer, method="GET", eof=False):
    """(Response, rest) or None while it is incomplete. 1xx are responses of their own."""
    parts = response_head(buffer, method)
    return None if parts is None else _take_body(*parts, eof=eof)
