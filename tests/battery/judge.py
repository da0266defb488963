"""Plays one case through a proxy and says which outcome it had.

A lane is one listener of the proxy with one recording origin behind it; cases of a lane run one
after the other, so every byte that reaches the origin belongs to the case that is under way.
After each case a probe on a fresh connection must get its own answer: a response that slipped
into the wrong place, or a request that stayed behind, shows there.
"""
import pathlib
import socket
import sys
import time
from dataclasses import dataclass, field

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from harness import http1                                            # noqa: E402
from harness.client import RawClient                                 # noqa: E402
from harness.origin import PeerGone, RawOrigin                       # noqa: E402
from harness.wait import SCALE                                       # noqa: E402

PATIENCE = 5.0


@dataclass
class Verdict:
    case: object
    ok: bool = False
    danger: list = field(default_factory=list)
    seen: str = ""                  # what happened, in one line


class Lane:
    """One listener, one origin."""

    def __init__(self):
        self.origin = RawOrigin(self._script)
        self.messages = []              # well-formed requests of the current case
        self.broken = []                # why bytes at the origin were no request
        self.answer = None              # raw bytes of the current response case
        self.then = None                # None | "close" | "reset"
        self.partial_marks = {}
        self.probes = 0
        self.port = 0                   # of the proxy; set by whoever starts it

    # -- the origin's side
    def _script(self, conn):
        while True:
            try:
                request = conn.request()
            except http1.Malformed as problem:
                self.broken.append(str(problem))
                conn.until_closed()
                return
            if request.target.startswith("/probe"):
                self._echo(conn, request)
                continue
            self.messages.append(request)
            if self.answer is None or request.target.startswith("/after"):
                self._echo(conn, request)
                continue
            conn.send(self.answer)
            if self.then == "reset":
                time.sleep(0.02)        # the bytes should be read before the RST discards them
                conn.reset()
                return
            if self.then == "close":
                return

    @staticmethod
    def _echo(conn, request):
        text = f"{request.method} {request.target}".encode()
        conn.answer(b"" if request.method == "HEAD" else text, "200 OK", "X-Origin: yes")

    def begin(self):
        self.messages, self.broken = [], []
        self.partial_marks = {c.index: len(c.received) for c in list(self.origin.connections)}

    def partial(self):
        """Whether a connection holds bytes of this case that are no whole message."""
        return any(len(c.received) > max(c.at, self.partial_marks.get(c.index, 0))
                   for c in list(self.origin.connections))

    # -- the client's side
    def probe(self):
        """None if a plain request on a fresh connection gets its own answer."""
        self.probes += 1
        target = f"/probe-{self.probes}"
        try:
            with RawClient(self.port, patience=PATIENCE) as client:
                client.get(target, "h.test", "Connection: close")
                response = client.final()
                if response.status != 200 or response.body != f"GET {target}".encode():
                    return f"the probe got {response.status} {response.body[:80]!r}"
                client.expect_closed()
        except (OSError, AssertionError, http1.Malformed) as problem:
            return f"the probe failed: {problem}"
        return None


class Exchange:
    """The client's side of one case: what was read, and how it ended."""

    def __init__(self, lane, raw, methods, finals_wanted, fin=False, stop_early=True):
        self.finals, self.interims, self.garbage, self.cut = [], 0, "", None
        self.ended = "open"
        self.bytes = b""
        self.methods = list(methods)
        self.sock = socket.create_connection(("127.0.0.1", lane.port), PATIENCE * SCALE)
        self.wanted = finals_wanted
        self._send(raw)
        if fin:
            self._half_close()
        self._read(half_close_after=stop_early)

    def _send(self, raw):
        try:
            self.sock.sendall(raw)
        except OSError:
            pass                        # refused early: the answer says why

    def _half_close(self):
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def _read(self, half_close_after):
        closed = False
        end = time.monotonic() + PATIENCE * SCALE
        while time.monotonic() < end:
            self.sock.settimeout(max(0.01, end - time.monotonic()))
            try:
                data = self.sock.recv(65536)
            except TimeoutError:
                break
            except OSError:
                self.ended = "reset"
                break
            if not data:
                self.ended = "eof"
                break
            self.bytes += data
            self._parse(False)
            if len(self.finals) >= self.wanted and not closed and not self.garbage:
                if not half_close_after:
                    return
                closed = True
                self._half_close()
        self._parse(True)

    def _parse(self, eof):
        while self.bytes and not self.garbage:
            method = self.methods[0] if self.methods else "GET"
            try:
                parts = http1.take_response(self.bytes, method, eof and self.ended == "eof")
            except http1.Malformed as problem:
                self.garbage = str(problem)
                return
            if parts is None:
                if eof:
                    self._unfinished(method)
                return
            response, self.bytes = parts
            if response.status < 200:
                self.interims += 1
                continue
            if self.methods:
                self.methods.pop(0)
            self.finals.append(response)

    def _unfinished(self, method):
        try:
            head = http1.response_head(self.bytes, method)
        except http1.Malformed as problem:
            self.garbage = str(problem)
            return
        if head is None:
            self.garbage = f"unfinished head {self.bytes[:80]!r}"
        else:
            self.cut = head[0]

    def close(self):
        self.sock.close()

    @property
    def closed(self):
        return self.ended != "open"


def describe(exchange, lane):
    parts = [" ".join(str(r.status) for r in exchange.finals) or "no answer"]
    if exchange.cut:
        parts.append(f"cut {exchange.cut.status}")
    parts.append(exchange.ended)
    parts.append(f"origin {len(lane.messages)}" + ("+partial" if lane.partial() else ""))
    if exchange.garbage:
        parts.append(f"client read garbage: {exchange.garbage}")
    return ", ".join(parts)


def failed_checks(checks, message, trailers=True):
    """The checks that do not hold for a message."""
    failures = []
    for key, value in checks:
        if key in ("method", "target", "status"):
            actual = str(getattr(message, key))
            good = actual == value
        elif key == "host":
            actual = message.all("host")
            good = actual == [value]
        elif key == "body":
            actual = message.body.decode("latin-1")
            good = actual == value
        elif key == "notrailer":
            actual = [n.lower() for n, _ in message.trailers]
            good = not trailers or value not in actual
        else:
            name, colon, part = value.partition(":")
            actual = message.all(name)
            if key == "no":
                good = not any(part.lower() in v.lower() for v in actual) if colon else not actual
            else:
                good = part in actual
        if not good:
            failures.append(f"{key}={value} (is {actual!r})")
    return failures


def own(response):
    return response.get("x-origin") is None


def judge_request(lane, case):
    verdict = Verdict(case)
    lane.begin()
    passes = [o for o in case.outcomes if o.kind == "pass"]
    wanted = max([o.count + (1 if o.then else 0) for o in passes] or [1])
    first = case.raw.lstrip(b"\r\n").split(b" ", 1)[0]
    exchange = Exchange(lane, case.raw, ["HEAD"] if first == b"HEAD" else [],
                        wanted, "fin" in case.flags)
    exchange.close()
    probe = lane.probe()
    verdict.seen = describe(exchange, lane)
    notes = []
    for outcome in case.outcomes:
        failures = _request_failures(outcome, exchange, lane)
        if not failures:
            verdict.ok = True
            break
        notes += failures
    most = max([o.count for o in passes] or [0])
    if lane.broken:
        verdict.danger.append(f"malformed at the origin: {lane.broken[0]}")
    if len(lane.messages) > max(most, 1) and not (passes and "/ignored" in str(lane.messages)):
        verdict.danger.append(f"{len(lane.messages)} messages reached the origin: "
                              + ", ".join(f"{m.method} {m.target}" for m in lane.messages))
    if any("smuggled" in m.target for m in lane.messages):
        verdict.danger.append("the smuggled request reached the origin")
    if probe:
        verdict.danger.append(probe)
    if exchange.garbage:
        verdict.danger.append(f"malformed at the client: {exchange.garbage}")
    if verdict.danger:
        verdict.ok = False
    if not verdict.ok and notes:
        verdict.seen += "; " + "; ".join(notes)
    return verdict


def _request_failures(outcome, exchange, lane):
    count = outcome.count if outcome.kind == "pass" else 0
    failures = []
    if len(lane.messages) != count:
        failures.append(f"{len(lane.messages)} messages at the origin")
    if lane.partial() and not outcome.partial and not outcome.then:
        failures.append("an unfinished message at the origin")
    answers = exchange.finals
    if outcome.kind == "drop":
        if answers or not exchange.closed:
            failures.append("not dropped")
    elif outcome.kind in ("refused", "own"):
        if len(answers) != 1 or not own(answers[0]) or answers[0].status not in outcome.statuses:
            failures.append(f"answer is not one of {outcome.statuses}")
        if outcome.kind == "refused" and not exchange.closed:
            failures.append("connection not closed")
    else:
        finals = answers[:count]
        if len(finals) != count or any(own(r) or r.status != 200 for r in finals):
            failures.append("not answered by the origin")
        rest = answers[count:]
        if outcome.then:
            if len(rest) != 1 or rest[0].status not in outcome.then or not own(rest[0]):
                failures.append(f"no refusal {outcome.then} after it")
        elif rest:
            failures.append(f"{len(rest)} answers too many")
        if lane.messages:
            failures += failed_checks(outcome.checks, lane.messages[0])
    return failures


def judge_response(lane, case):
    verdict = Verdict(case)
    lane.begin()
    lane.answer = case.raw
    lane.then = next((f for f in ("close", "reset") if f in case.flags), None)
    method = case.flags.get("method", "GET")
    request = f"{method} /case HTTP/1.1\r\nHost: h.test\r\n\r\n".encode()
    exchange = Exchange(lane, request, [method], 1, stop_early=False)
    seen = describe(exchange, lane)
    follow = None
    if not exchange.closed and exchange.finals and not exchange.garbage:
        follow = _follow(exchange)
    elif exchange.closed and len(exchange.finals) > 1:
        verdict.danger.append(f"{len(exchange.finals)} answers to one request")
    exchange.close()
    lane.answer = None
    probe = lane.probe()
    verdict.seen = seen
    notes = []
    for outcome in case.outcomes:
        failures = _response_failures(outcome, exchange)
        if not failures:
            verdict.ok = True
            break
        notes += failures
    verdict.danger += [text for text in (probe, follow) if text]
    if exchange.garbage:
        verdict.danger.append(f"malformed at the client: {exchange.garbage}")
    if verdict.danger:
        verdict.ok = False
    if not verdict.ok and notes:
        verdict.seen += "; " + "; ".join(notes)
    return verdict


def _follow(exchange):
    """A second request on the same connection: None if it gets its own answer."""
    if exchange.finals[0].get("connection", "").lower() == "close":
        return None
    exchange.methods, exchange.wanted = ["GET"], len(exchange.finals) + 1
    before = len(exchange.finals)
    exchange._send(b"GET /after HTTP/1.1\r\nHost: h.test\r\n\r\n")
    exchange._read(half_close_after=True)
    answers = exchange.finals[before:]
    del exchange.finals[before:]
    if exchange.ended == "reset" and not answers:
        return None                     # closed while idle, as any server may
    if not answers:
        return None if exchange.ended == "eof" else "no answer to the next request"
    if len(answers) > 1 or answers[0].body != b"GET /after":
        return f"the next request got {answers[0].status} {answers[0].body[:80]!r}"
    return None


def _response_failures(outcome, exchange):
    failures = []
    if outcome.kind == "cut":
        if exchange.finals or not exchange.cut or not exchange.closed:
            failures.append("no visible cut")
        return failures
    if len(exchange.finals) != 1:
        return [f"{len(exchange.finals)} complete answers"]
    answer = exchange.finals[0]
    if outcome.kind == "refused":
        if answer.status not in outcome.statuses:
            failures.append(f"status {answer.status}")
        if b"X-Evil" in answer.raw_head or answer.body in (b"abc", b"evil"):
            failures.append("the origin's bytes in our own answer")
    else:
        if answer.status == 502:
            failures.append("502")
        failures += failed_checks(outcome.checks, answer)
    return failures
