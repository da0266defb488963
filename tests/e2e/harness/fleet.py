"""FleetTest: nodes that share one Redis, a real one, and what the tests look at in it."""
import pathlib
import signal
import socket
import tempfile
import unittest

from .redis import SERVER, Meddler, RedisServer
from .stored import StoredTest
from .wait import PATIENCE, SCALE, eventually


class Redis(RedisServer):
    """The server, seen as bytes."""

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    def call(self, *words):
        """One command on a connection of its own."""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE * SCALE) as sock:
            parts = [w if isinstance(w, bytes) else str(w).encode() for w in words]
            sock.sendall(b"*%d\r\n" % len(parts)
                         + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
            return read_reply(sock.makefile("rb"))

    def keys(self, pattern="*"):
        """For tests only: nothing of the product ever asks so."""
        return sorted(key.decode() for key in self.call("KEYS", pattern))

    def responses(self):
        """Names of what was stored for a key: responses, markers, and what they vary by."""
        return [key for key in self.keys() if ":{" in key and not key.endswith(":lease")]

    def values(self):
        """Everything that is stored for keys, as bytes."""
        return b"".join(self.call("GET", key) or b"" for key in self.responses())

    def freeze(self):
        self.signal(signal.SIGSTOP)

    def thaw(self):
        self.signal(signal.SIGCONT)


def read_reply(file):
    line = file.readline().rstrip(b"\r\n")
    mark, rest = line[:1], line[1:]
    if mark == b"+":
        return rest.decode()
    if mark == b"-":
        raise OSError(rest.decode())
    if mark == b":":
        return int(rest)
    if mark == b"$":
        return None if rest == b"-1" else file.read(int(rest) + 2)[:-2]
    if mark == b"*":
        return None if rest == b"-1" else [read_reply(file) for _ in range(int(rest))]
    raise OSError(f"no reply: {line!r}")


@unittest.skipUnless(SERVER, "redis-server is not installed")
class FleetTest(StoredTest):
    # As patient as an overloaded machine needs; what tests time-outs says its own.
    timeout = f"{int(1000 * SCALE)}ms"

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="scrollgate-redis-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def redis(self, *options):
        redis = Redis(self.folder, *options)
        self.addCleanup(redis.close)
        return redis

    def meddler(self, redis):
        """A way to it that does harm, and its URL."""
        meddler = Meddler(redis.port)
        self.addCleanup(meddler.close)
        return meddler, f"redis://127.0.0.1:{meddler.port}/0"

    def node(self, redis, script, cache=None, route=None, wait=True, **redis_keys):
        """A node in front of an origin that plays `script`, with `redis` (or a URL) behind."""
        url = redis if isinstance(redis, str) else redis.url
        tier = {"url": url, "timeout": self.timeout, **redis_keys}
        edge = self.edge(self.origin(script), cache={"memory": "64MiB", "redis": tier},
                         routes=[{"name": "all", "pools": ["main"], **(route or {}),
                                  "cache": {"enabled": True, **(cache or {})}}])
        if wait:
            self.wait_in_step(edge)
        return edge

    def tier(self, edge):
        return edge.status()["cache"]["redis"]

    def wait_in_step(self, *edges):
        for edge in edges:
            eventually(lambda: self.tier(edge)["in_step"], "the node follows the log of purges")

    def wait_nodes(self, count, *edges):
        for edge in edges:
            eventually(lambda: self.tier(edge)["nodes"] == count, f"{count} nodes are known")

    def wait_written(self, redis, count):
        eventually(lambda: len(redis.responses()) >= count, f"{count} responses in Redis")

    def assert_from_redis(self, answer):
        self.assertRegex(self.cache_status(answer), r"scrollgate; hit; ttl=\d+; detail=redis")
