"""A real redis-server for the tests of the tier, a client of a few lines, and a relay in between.

The server comes from Debian's package; it is started here on a free port, without a file, and
always ended by its pid.
"""
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import unittest

from .stored import StoredTest
from .wait import PATIENCE, SCALE, eventually, free_port

SERVER = shutil.which("redis-server")


class Redis:
    def __init__(self, *options, port=None):
        self.folder = tempfile.TemporaryDirectory(prefix="scrollgate-redis-")
        self.port = port or free_port()
        self.options = options
        self.process = None
        self.start()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self):
        self.process = subprocess.Popen(
            [SERVER, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
             "--appendonly", "no", "--dir", self.folder.name, "--loglevel", "warning",
             *self.options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(self.answers, "redis-server answers")

    def answers(self):
        try:
            return self.call("PING") == "PONG"
        except OSError:
            return False

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

    def values(self):
        """Everything that is stored for keys, as bytes."""
        return b"".join(self.call("GET", key) or b"" for key in self.responses())

    def responses(self):
        """Names of what was stored for a key: responses, markers, and what they vary by."""
        return [key for key in self.keys() if ":{" in key and not key.endswith(":lease")]

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()


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
        if rest == b"-1":
            return None
        data = file.read(int(rest) + 2)[:-2]
        return data
    if mark == b"*":
        return None if rest == b"-1" else [read_reply(file) for _ in range(int(rest))]
    raise OSError(f"no reply: {line!r}")


class Relay:
    """Stands between the proxy and Redis; `spoil(data)` changes what Redis says, None cuts."""

    def __init__(self, port):
        self.target = port
        self.spoil = lambda data: data
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.lock = threading.Lock()
        self.open = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    def _accept(self):
        while True:
            try:
                client, _ = self.sock.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                client.close()
                continue
            pair = (client, server)
            with self.lock:
                self.open.add(pair)
            ways = [threading.Thread(target=self._pump, args=(*ends, answers), daemon=True)
                    for ends, answers in ((pair, False), (pair[::-1], True))]
            threading.Thread(target=self._watch, args=(pair, ways), daemon=True).start()

    def _watch(self, pair, ways):
        for way in ways:
            way.start()
        for way in ways:
            way.join()
        with self.lock:
            self.open.discard(pair)
        for sock in pair:
            sock.close()

    def _pump(self, source, sink, answers):
        try:
            while data := source.recv(65536):
                data = self.spoil(data) if answers else data
                if data is None:
                    break
                sink.sendall(data)
        except OSError:
            pass
        self._end(source, sink)

    @staticmethod
    def _end(*socks):
        for sock in socks:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        """Ends what is open; new connections are taken."""
        with self.lock:
            for pair in self.open:
                self._end(*pair)

    def close(self):
        self._end(self.sock)
        self.sock.close()
        self.cut()


@unittest.skipIf(SERVER is None, "redis-server is not installed")
class FleetTest(StoredTest):
    """Nodes that share one Redis."""
    # As patient as an overloaded machine needs; what tests time-outs says its own.
    timeout = f"{int(1000 * SCALE)}ms"

    def redis(self, *options):
        redis = Redis(*options)
        self.addCleanup(redis.close)
        return redis

    def relay(self, redis):
        relay = Relay(redis.port)
        self.addCleanup(relay.close)
        return relay

    def node(self, redis, script, cache=None, route=None, wait=True, cache_keys=None, **redis_keys):
        """A node in front of an origin that plays `script`, with `redis` (or a URL) behind."""
        url = redis if isinstance(redis, str) else redis.url
        tier = {"url": url, "timeout": self.timeout, **redis_keys}
        edge = self.edge(self.origin(script),
                         cache={"memory": "64MiB", "redis": tier, **(cache_keys or {})},
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
