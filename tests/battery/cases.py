"""Reads the battery: raw messages with the outcomes that are due, as data.

    [class]
    name: outcome | outcome ; flag flag      # any of the outcomes is right
        a line, sent with CRLF
        --                                   # the empty line that ends a head
        |bytes without a line end

Lines are indented by four spaces. Escapes are Python's: \\r \\n \\t \\x00; {text*count} repeats.

Outcomes of requests
    400,505            own answer with one of these; closed; nothing reaches the origin
    400 partial        the same, but the origin may have seen an unfinished beginning
    drop [partial]     closed without an answer
    own 200,204        own answer; nothing reaches the origin; the connection may stay
    pass [N] [checks]  the origin sees exactly N (1) well-formed messages and each is answered;
                       the checks are made on the first
    pass N then 400    N messages pass, then a refusal
Outcomes of responses
    502                own answer, nothing of the origin's is seen
    pass [checks]      the client reads exactly one well-formed final response
    cut                the client sees the body end too early
Checks: method= target= host= status= body= no=name no=name:part has=name:value notrailer=name
Flags: fin (half-close after sending), close | reset (the origin ends), method=HEAD
"""
import pathlib
import re
import shlex
from dataclasses import dataclass, field

HERE = pathlib.Path(__file__).resolve().parent
REPEAT = re.compile(r"\{([^{}]*)\*(\d+)\}")


@dataclass
class Outcome:
    kind: str                       # refused | drop | own | pass | cut
    statuses: tuple = ()
    partial: bool = False
    count: int = 1
    then: tuple = ()                # statuses of the refusal after `count` messages
    checks: list = field(default_factory=list)      # [(key, value)]


@dataclass
class Case:
    group: str
    name: str
    text: str                       # the outcomes as written
    outcomes: list
    flags: dict
    raw: bytes = b""


def _statuses(word):
    return tuple(int(s) for s in word.split(","))


def _unescape(text):
    return text.encode("latin-1").decode("unicode_escape")


def parse_outcome(text):
    words = shlex.split(text, posix=True) if '"' in text else text.split()
    first, rest = words[0], words[1:]
    if first == "cut":
        return Outcome("cut")
    if first == "drop":
        return Outcome("drop", partial="partial" in rest)
    if first == "own":
        return Outcome("own", _statuses(rest[0]))
    if first != "pass":
        return Outcome("refused", _statuses(first), "partial" in rest)
    outcome = Outcome("pass")
    if rest and rest[0].isdigit():
        outcome.count = int(rest.pop(0))
    if rest and rest[0] == "then":
        outcome.then = _statuses(rest[1])
        rest = rest[2:]
    for word in rest:
        key, equals, value = word.partition("=")
        if not equals or key not in ("method", "target", "host", "status", "body", "no", "has",
                                     "notrailer"):
            raise ValueError(f"unknown check {word!r}")
        outcome.checks.append((key, _unescape(value) if key == "body" else value))
    return outcome


def _line(text):
    if text == "--":
        return b"\r\n"
    end = b"\r\n"
    if text.startswith("|"):
        text, end = text[1:], b""
    while REPEAT.search(text):
        text = REPEAT.sub(lambda m: m[1] * int(m[2]), text, count=1)
    joined = _unescape(text).encode("latin-1")
    return joined + end


def load(name):
    """All cases of `name` ("requests" or "responses")."""
    cases, group, names = [], "", set()
    for number, line in enumerate((HERE / f"{name}.cases").read_text().splitlines(), 1):
        if line.startswith("    "):
            text = line[4:]
            if text.startswith("{") and text.endswith("}") and "\\r\\n*" in text:
                text = "|" + text           # a repeated row of whole lines brings its own CRLF
            cases[-1].raw += _line(text)
        elif line.startswith("["):
            group = line.strip("[]")
        elif line.strip() and not line.startswith("#"):
            title, colon, rest = line.partition(": ")
            outcomes, _, flags = rest.partition(" ; ")
            if not colon or (group, title) in names:
                raise ValueError(f"{name}.cases:{number}: {line!r}")
            names.add((group, title))
            cases.append(Case(group, title, outcomes.strip(),
                              [parse_outcome(o) for o in outcomes.split(" | ")],
                              dict((f.split("=", 1) + [True])[:2] for f in flags.split())))
    return cases
