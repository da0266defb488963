"""A Redis, and nodes of one proxy in front of one origin: Scrollgate's share the Redis or go
without, those of others each have a cache of their own.
"""

import contextlib
import random
import re
import signal
import socket
import subprocess
import threading
import time
from dataclasses import dataclass

import load
import recipes
from corpus import SIZES, Collection
from errors import Failed
from subjects import Processes, Subject

PATIENCE = 20       # seconds for what has to happen before or after a measurement
DOCUMENTS, COLLECTIONS = 1000, 20
HOST = "market.example"     # whichever node is asked: it is part of what is asked for
NO_TIER = "no tier that nodes share: each node has a cache of its own"
WITHOUT = "without Redis"


def rounds_alone(bench, result):
    """The rounds of what no peer has anything like, as bench.rounds() has them."""
    result.cannot = {name: NO_TIER for name in bench.options.subjects if name != "scrollgate"}
    return bench.rounds(result) if "scrollgate" in bench.options.subjects else ()


class Redis(Processes):
    """A redis-server with nothing on disk; `address` may be all of a network that is its own."""

    def __init__(self, folder, core, address="127.0.0.1"):
        super().__init__("redis", folder, core, address)
        self.start(["redis-server", "--port", self.port, "--bind", self.address, "--save", "",
                    "--appendonly", "no", "--protected-mode", "no", "--dir", self.folder,
                    "--loglevel", "warning"])
        self.wait_until_it_accepts()

    def ask(self, *words):
        return subprocess.run(["redis-cli", "-p", str(self.port), *map(str, words)], check=True,
                              capture_output=True, text=True, timeout=PATIENCE).stdout.strip()

    def size(self):
        """Keys that it has."""
        return int(self.ask("DBSIZE"))

    def bytes_used(self):
        return int(re.search(r"^used_memory:(\d+)", self.ask("INFO", "memory"), re.MULTILINE)[1])


class Node(Subject):
    """A Scrollgate with a cache, and the tier if there is `redis`. `purge_logs`: URLs."""

    def __init__(self, bench, origin_port, redis=None, purge_logs=(), timeout="3ms"):
        values = {**bench.values, "ORIGIN": origin_port,
                  "REDIS": redis.port if redis else "", "REDIS_TIMEOUT": timeout,
                  "PURGE_LOGS": ", ".join(f'"{url}"' for url in purge_logs)}
        super().__init__("scrollgate", bench.folder, bench.proxy_core, values,
                         frozenset({"cache", "purge", *(["tier"] if redis else [])}))
        try:
            # Clients are let in before it is there, with its token.
            wait_until(self.is_administered, "the admin API answers")
            if redis:
                self.wait_in_step()
        except BaseException:
            self.stop()
            raise

    def is_administered(self):
        try:
            return bool(self.admin("GET", "status"))
        except OSError:
            return False

    def tier(self):
        return self.admin("GET", "status")["cache"]["redis"]

    def entries(self):
        return self.admin("GET", "status")["cache"]["entries"]

    def wait_in_step(self, nodes=1):
        wait_until(lambda: (tier := self.tier())["in_step"] and tier["nodes"] >= nodes,
                   f"a node follows the log of purges and knows {nodes}")

    def purge(self, **what):
        """The answer: how many objects and nodes."""
        return self.admin("POST", "cache/purge", what)


def restart(subject):
    """Once more as it was, after it was killed."""
    lines, environment = recipes.commands(subject.name, subject.flags, subject.values)
    subject.start(lines[0], environment.items())
    subject.wait_until_it_accepts()


def kill(subject):
    subject.signal(signal.SIGKILL)
    for process in subject.started:
        process.wait()


def wait_until(holds, what):
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise Failed(f"not within {PATIENCE} s: {what}")
        time.sleep(0.005)


# --- rows of a result ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """`name` in the results; a subject, with or without the tier."""

    name: str
    subject: str
    tier: bool = False


def rows_of(subjects):
    """Scrollgate twice, with its tier and without; all others once."""
    for name in subjects:
        if name == "scrollgate":
            yield Row("scrollgate with Redis", name, True)
            yield Row("scrollgate " + WITHOUT, name)
        else:
            yield Row(name, name)


class Fleet:
    """`count` nodes of a row in front of `origin`; they are there until `stack` unwinds. `redis` is
    None without the tier."""

    def __init__(self, bench, stack, row, origin, count=3):
        self.redis = None
        if row.tier:
            self.redis = stack.enter_context(Redis(bench.folder, bench.load_core))
        if row.subject == "scrollgate":
            made = (Node(bench, origin.port, self.redis) for _ in range(count))
        else:
            made = (Subject(row.subject, *bench.place(origin, frozenset({"cache", "collapse"})))
                    for _ in range(count))
        self.nodes = [stack.enter_context(node) for node in made]
        if row.tier:
            for node in self.nodes:
                node.wait_in_step(count)


def job_for(bench, node, connections=64, seconds=3600):
    """A Job whose paths stand in a list."""
    return load.Job(node.url("/"), seconds, bench.folder, bench.load_core, connections,
                    fields=(f"Host: {HOST}",))


# --- what is asked for --------------------------------------------------------------------------


class Tokens:
    """A thousand documents of 0.5 to 4 KiB at the origin, under as many paths as one likes: each
    list has paths that nobody has asked for."""

    def __init__(self, bench):
        self.bench, self.next = bench, DOCUMENTS
        folder = bench.values["FILES"] / "tokens"
        if not folder.exists():
            folder.mkdir()
            for number in range(DOCUMENTS):
                size = SIZES[number % 3]
                text = Collection(number % COLLECTIONS).token(number, size)
                (folder / f"{number:03}").write_text(text)

    def fresh(self, count):
        """A file with so many new paths, one per line."""
        first, self.next = self.next, self.next + count
        return self._written(f"fresh-{first}", range(first, self.next))

    def drawn(self, keys, count, seed):
        """A file with `count` draws of `keys` paths by Zipf's law, alike for equal seeds; and the
        numbers drawn."""
        weights = [1 / (rank + 1) for rank in range(keys)]
        numbers = random.Random(f"draw {seed}").choices(range(DOCUMENTS, DOCUMENTS + keys), weights,
                                                        k=count)
        return self._written(f"drawn-{keys}-{count}-{seed}", numbers), numbers

    def every(self, keys):
        """A file with what drawn() draws from, each once."""
        return self._written(f"every-{keys}", range(DOCUMENTS, DOCUMENTS + keys))

    def _written(self, name, numbers):
        file = self.bench.folder / (name + ".urls")
        file.write_text("".join(f"/token/{number}\n" for number in numbers))
        return file


# --- how long something is a hit ----------------------------------------------------------------


class Watch(threading.Thread):
    """Asks a node for `path` every millisecond; `missed_at` is when the first answer that was no
    hit had come. Before start() it has asked until it was one. `place`: a context to work in."""

    PACE = 0.001

    def __init__(self, port, path, place=contextlib.nullcontext):
        super().__init__()
        self.port, self.place, self.missed_at, self.over = port, place, None, threading.Event()
        self.request = f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
        with place():
            self.client = socket.create_connection(("127.0.0.1", port), PATIENCE)
        wait_until(self._is_hit, "a hit before the purge")

    def run(self):
        while not self.over.is_set():
            if not self._is_hit():
                self.missed_at = time.monotonic()
                return
            time.sleep(self.PACE)

    def close(self):
        self.over.set()
        if self.ident:
            self.join()
        self.client.close()

    def _is_hit(self):
        self.client.sendall(self.request)
        head, body = b"", b""
        while b"\r\n\r\n" not in head:
            head += self._more()
        head, _, body = head.partition(b"\r\n\r\n")
        length = int(re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)[1])
        while len(body) < length:
            body += self._more()
        return re.search(rb"(?i)\r\ncache-status:[^\r]*; *hit", head) is not None

    def _more(self):
        more = self.client.recv(65536)
        if not more:
            raise Failed("a node closed the connection that watches it")
        return more
