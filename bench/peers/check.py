"""Are the subjects given the same work, and do they do it? Looks at what reaches the origin from
each, what the client gets, what TLS they agree on, whether a second request is a cache hit, and
whether a lost origin is noticed. Everybody is judged so before being measured.
"""

import contextlib
import re
import socket
import ssl
import subprocess
import threading
import time

from errors import Failed, Unsupported, told
from scenarios import REAL_FIELDS
from subjects import Subject

# What is looked at together; the log of requests changes none of it.
TOGETHER = (frozenset(), frozenset({"cache"}), frozenset({"tls"}), frozenset({"h2c"}),
            frozenset({"tls", "h2"}), frozenset({"tls", "cache"}), frozenset({"h2c", "cache"}),
            frozenset({"tls", "h2", "cache"}), frozenset({"tls", "own", "resume"}),
            frozenset({"three"}), frozenset({"clouds"}))
SMALL = b"GET /small HTTP/1.1\r\nHost: market.example\r\n\r\n"
REAL_LINES = ["GET /real HTTP/1.1", "Host: market.example", *REAL_FIELDS, "", ""]
REAL = "\r\n".join(REAL_LINES).encode()
PATIENCE = 10       # seconds until a subject has noticed what there is to notice


class RecordingOrigin:
    """Answers every request with two bytes that may be cached, and keeps its head. One thread per
    connection; a connection is closed if the request asks for that."""

    def __init__(self):
        self.heads, self.connections, self.clients = [], 0, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                self.clients.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        data, first = b"", True
        with contextlib.suppress(OSError), client:
            while more := client.recv(65536):
                self.connections += first
                first = False
                data += more
                while b"\r\n\r\n" in data:
                    head, _, data = data.partition(b"\r\n\r\n")
                    self.heads.append(head.decode("latin-1"))
                    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
                                   b"Cache-Control: public, max-age=60\r\n\r\nok")
                    if re.search(rb"(?i)\r\nconnection: *close", head):
                        return

    def asked(self):
        """Requests of clients, without those of health checks."""
        return sum(" /health " not in head.split("\r\n")[0] for head in self.heads)

    def lose(self):
        """Nobody is here any more."""
        for each in (self.listener, *self.clients):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


def check(bench, names):
    """Prints all of it; returns 1 if somebody does not do what is measured."""
    print(f"the real request has {len(REAL)} bytes, {len(REAL_LINES) - 3} fields")
    worst = 0
    for name in names:
        print(f"\n{name}")
        for flags in TOGETHER:
            for line in judge(bench, name, flags, print):
                print(f"  WRONG: {line}")
                worst = 1
    return worst


def judge(bench, name, flags, say=lambda _line: None):
    """What `name`, configured with `flags`, does not do as it must before it may be measured, as
    lines; none if all is well, or if it cannot do it at all. `say` is told what was seen."""
    with contextlib.ExitStack() as stack:
        origins = [RecordingOrigin() for _ in range(6 if "clouds" in flags else 3)]
        for origin in origins:
            stack.callback(origin.lose)
        values = {**bench.values, **{key: origin.port for key, origin in
                                     zip(("ORIGIN", "ORIGIN2", "ORIGIN3"), origins)},
                  **{key: f"127.0.0.1:{origin.port}" for key, origin in
                     zip(("AWS1", "AWS2", "GCP1", "GCP2", "AZURE1", "AZURE2"), origins)}}
        try:
            subject = stack.enter_context(Subject(name, bench.folder, None, values, flags))
            return list(look_for(flags)(subject, origins, say))
        except Unsupported as error:
            say(f"  {' '.join(sorted(flags))}: {error}")
            return []
        except (OSError, AssertionError, Failed, subprocess.SubprocessError) as error:
            return [f"{name}: {' '.join(sorted(flags)) or 'plain'}: {told(error)}"]


def look_for(flags):
    """The function of (subject, origins, say) that yields complaints about a subject with these
    flags."""
    if flags & {"three", "clouds"}:
        return _several
    if flags & {"h2", "h2c"}:
        return _http2
    if "tls" in flags:
        return _tls
    return _hits if "cache" in flags else _pass


def _ask(client, request, body=b"ok"):
    """The head of the answer, which is whole and as the origin has given it."""
    client.sendall(request)
    answer = b""
    while not answer.endswith(b"\r\n\r\n" + body):
        more = client.recv(65536)
        assert more, f"the connection ended behind {answer!r}"
        answer += more
    assert answer.startswith(b"HTTP/1.1 200 "), answer
    return answer.decode("latin-1")


def _connect(subject, context=None, session=None):
    """Over TLS if the subject speaks it: as `context` has it, and going on from `session`."""
    plain = socket.create_connection(("127.0.0.1", subject.port), PATIENCE)
    if subject.scheme == "http":
        return plain
    try:
        return (context or _context(subject)).wrap_socket(plain, server_hostname="127.0.0.1",
                                                          session=session)
    except BaseException:
        plain.close()
        raise


def _context(subject, version=ssl.TLSVersion.TLSv1_3, protocols=("http/1.1",)):
    certificate = subject.values["RSA_CERT" if "rsa" in subject.flags else "CERT"]
    context = ssl.create_default_context(cafile=certificate)
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(protocols)
    return context


def _pass(subject, origins, say):
    origin = origins[0]
    with _connect(subject) as client:
        for _ in range(2):
            answer = _ask(client, REAL)
    sent, got = _names(REAL.decode()), _names(origin.heads[-1])
    say(f"  plain: {origin.connections} connection(s) for {len(origin.heads)} requests, "
        f"{len(origin.heads[-1]) + 4} bytes; {origin.heads[-1].splitlines()[0]}"
        f"\n    added:   {' '.join(sorted(got - sent))}"
        f"\n    removed: {' '.join(sorted(sent - got))}"
        f"\n    client is answered: {answer.splitlines()[0]}, fields "
        f"{' '.join(sorted(_names(answer)))}")
    if len(origin.heads) != 2:
        yield f"{subject.name}: the origin was asked {len(origin.heads)} times for 2 requests"
    if origin.connections != 1:
        yield f"{subject.name}: {origin.connections} connections to the origin for 2 requests"


def _names(head):
    return {line.split(":")[0].lower() for line in head.split("\r\n")[1:] if ":" in line}


def _hits(subject, origins, say):
    """A cache may need a moment until it is ready, or until an object is stored; then it has it."""
    origin = origins[0]
    end = time.monotonic() + PATIENCE
    asked = hits = 0
    with _connect(subject) as client:
        while hits < 3 and time.monotonic() < end:
            before = len(origin.heads)
            answer = _ask(client, SMALL)
            asked += 1
            hits = hits + 1 if len(origin.heads) == before else 0
            if hits == 0:
                time.sleep(0.02)
    say(f"  cache: {len(origin.heads)} of {asked} requests reached the origin; fields "
        f"{' '.join(sorted(_names(answer)))}")
    if hits < 3 or not origin.heads:
        yield (f"{subject.name}: no cache hits, the origin was asked {len(origin.heads)} times for "
               f"{asked} requests")


def _tls(subject, origins, say):
    """With `resume` the second connection has to go on from the first; else our load never offers
    a session, so that each handshake is a full one, whatever the subject would do."""
    own = "own" in subject.flags
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context, session = _context(subject, version), None
        for _ in range(2):
            with _connect(subject, context, session) as client:
                for _ in range(2):
                    _ask(client, SMALL, b"x" * 1024 if own else b"ok")
                session, reused = client.session, client.session_reused
                agreed, spoken, cipher = (client.selected_alpn_protocol(), client.version(),
                                          client.cipher())
        say(f"  {spoken}: {cipher[0]}, ALPN {agreed}, {'RESUMED' if reused else 'not resumed'}")
        if agreed == "h2":
            yield f"{subject.name}: {spoken} agrees on {agreed} by ALPN"
        if "resume" in subject.flags and not reused:
            yield f"{subject.name}: {spoken} does not resume sessions"
    if own and origins[0].heads:
        yield f"{subject.name}: asks the origin for what it should answer itself"
    if "cache" in subject.flags:
        yield from _hits(subject, origins, say)


def _http2(subject, origins, say):
    """All requests reach the origin, or, with a cache, none that comes later than a first few."""
    if "tls" in subject.flags:
        yield from _tls_of_http2(subject, say)
    cached = "cache" in subject.flags
    for _ in range(3 if cached else 1):     # a cache may need a moment
        before = origins[0].asked()
        done, protocol = _h2load(subject)
        asked = origins[0].asked() - before
        time.sleep(0.05 if cached else 0)
    say(f"  HTTP/2: {protocol}, {done} of 4 requests answered, {asked} reached the origin")
    if (done, asked) != (4, 0 if cached else 4):
        yield (f"{subject.name}: of 4 requests over HTTP/2 {done} were answered, {asked} reached "
               "the origin")


def _tls_of_http2(subject, say):
    with _connect(subject, _context(subject, protocols=["h2", "http/1.1"])) as client:
        agreed, spoken = client.selected_alpn_protocol(), client.version()
    say(f"  {spoken}: ALPN {agreed}")
    if (agreed, spoken) != ("h2", "TLSv1.3"):
        yield f"{subject.name}: agrees on {agreed} by ALPN over {spoken}"


def _h2load(subject):
    """Of four requests: how many were answered, and the protocol."""
    said = subprocess.run(["h2load", "-c1", "-m2", "-n4", subject.url("/small")],
                          capture_output=True, text=True, timeout=6 * PATIENCE).stdout
    done = re.search(r"(\d+) succeeded", said)
    protocol = re.search(r"^Application protocol: (\S+)", said, re.MULTILINE)
    return int(done[1]) if done else 0, protocol and protocol[1]


def _several(subject, origins, say):
    """All origins are asked, and one that is lost costs no request once that was noticed."""
    def answered(count):
        good = 0
        for _ in range(count):
            with contextlib.suppress(OSError, AssertionError), _connect(subject) as client:
                _ask(client, SMALL)
                good += 1
        return good

    end = time.monotonic() + PATIENCE       # health checks take their time
    while answered(1) == 0 and time.monotonic() < end:
        time.sleep(0.05)
    count = 10 * len(origins)
    first = answered(count)
    asked = [origin.asked() for origin in origins]
    origins[0].lose()
    while (after := answered(count)) < count and time.monotonic() < end:
        time.sleep(0.05)
    say(f"  {len(origins)} origins: {first} of {count} requests answered, by origin {asked}; "
        f"{after} of {count} when one was lost")
    if first < count:
        yield f"{subject.name}: only {first} of {count} requests were answered by sound origins"
    if 0 in asked:
        yield f"{subject.name}: of {len(origins)} origins one was not asked: {asked}"
    if after < count:
        yield f"{subject.name}: only {after} of {count} requests were answered when one was lost"
