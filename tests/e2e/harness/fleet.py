"""FleetTest: nodes that share one Redis, a real one, and what the tests look at in it."""
import contextlib
import pathlib
import signal
import tempfile
import unittest

from .fleet_load import FleetLoad, Truth
from .redis import SERVER, Meddler, RedisServer, encoded
from .stored import StoredTest
from .wait import SCALE, eventually


class Redis(RedisServer):
    """The server, seen as bytes."""

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    def call(self, *words):
        """One command on a connection of its own."""
        with self.connected() as sock:
            sock.sendall(encoded(*words))
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

    def redis(self, *arguments, **options):
        redis = Redis(self.folder, *arguments, **options)
        self.addCleanup(redis.close)
        return redis

    def meddler(self, redis):
        """A way to it that does harm, and its URL."""
        meddler = Meddler(redis.port)
        self.addCleanup(meddler.close)
        return meddler, f"redis://127.0.0.1:{meddler.port}/0"

    def node(self, redis, script, cache=None, route=None, wait=True, **redis_keys):
        """A node in front of an origin that plays `script`, with `redis` (or a URL, or what else
        the configuration may say) behind."""
        where = redis if isinstance(redis, dict) else {
            "url": redis if isinstance(redis, str) else redis.url}
        tier = {**where, "timeout": self.timeout, **redis_keys}
        edge = self.edge(self.origin(script), cache={"memory": "64MiB", "redis": tier},
                         routes=[{"name": "all", "pools": ["main"], **(route or {}),
                                  "cache": {"enabled": True, **(cache or {})}}])
        if wait:
            self.wait_in_step(edge)
        return edge

    def fleet(self, redis, origin, count, **options):
        nodes = [self.node(redis, origin, **options) for _ in range(count)]
        self.wait_nodes(count, *nodes)
        return nodes

    def purge(self, edge, **wish):
        code, answer = self.call(edge, "POST", "/purge", wish)
        self.assertEqual(code, 200, answer)
        return answer

    def unsafe_requests(self, edge, count):
        """As many purges, each of a URL of its own; `count` in fifties."""
        with self.client(edge) as client:
            for i in range(0, count, 50):
                client.send(b"".join(b"POST /%d HTTP/1.1\r\nHost: site.test\r\n"
                                     b"Content-Length: 0\r\n\r\n" % k
                                     for k in range(i, i + 50)))
                for _ in range(50):
                    client.final()

    def fleet_of(self, where, count=2, targets=48, **redis_keys):
        """Nodes that know each other, and the truth of what they serve."""
        truth = Truth(targets)
        nodes = [self.node(where, truth.script, **redis_keys) for _ in range(count)]
        self.wait_nodes(count, *nodes)
        return truth, nodes

    @contextlib.contextmanager
    def under_load(self, truth, nodes, purges=True):
        """FleetLoad within the block. All answers must have been right, and no purge may be lost;
        the tier must be of use again at the end."""
        with FleetLoad(nodes, truth, purges) as load:
            load.more()
            yield load
            self.wait_in_step(*nodes)
            hits = sum(self.tier(node)["hits"] for node in nodes)
            if purges:
                eventually(lambda: load.wrong or hits < sum(self.tier(node)["hits"]
                                                            for node in nodes),
                           "answers come from Redis", 30)
        self.assertEqual(load.wrong[:5], [])
        load.settle()
        self.assertEqual(load.wrong[:5], [])

    def tier(self, edge):
        return edge.status()["cache"]["redis"]

    def wait_in_step(self, *edges):
        for edge in edges:
            eventually(lambda: self.tier(edge)["in_step"], "the node follows the log of purges")

    def wait_listening(self, node, on=True):
        eventually(lambda: self.tier(node)["listening"] is on, f"it listens: {on}")

    def both_ask(self, origin, first, second, target):
        """`first` asks the origin, `second` waits for it; their clients."""
        waits, asked = self.tier(second)["waits"], len(origin.asked)
        leader, waiter = self.client(first), self.client(second)
        leader.get(target)
        eventually(lambda: len(origin.asked) > asked, "the first one asks")
        waiter.get(target)
        eventually(lambda: self.tier(second)["waits"] > waits, "the second one waits")
        return leader, waiter

    def told(self, origin, first, second, target):
        """Whether `second`, which got the answer of `first`, was told to look for it."""
        before = self.tier(second)["waits_told"]
        origin.go.clear()
        leader, waiter = self.both_ask(origin, first, second, target)
        origin.go.set()
        leader.final()
        self.assert_from_redis(waiter.final())
        return self.tier(second)["waits_told"] > before

    def wait_nodes(self, count, *edges):
        for edge in edges:
            eventually(lambda: self.tier(edge)["nodes"] == count, f"{count} nodes are known")

    def wait_written(self, redis, count):
        eventually(lambda: len(redis.responses()) >= count, f"{count} responses in Redis")

    def assert_from_redis(self, answer):
        self.assertRegex(self.cache_status(answer), r"scrollgate; hit; ttl=\d+; detail=redis")
