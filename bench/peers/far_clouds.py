"""Three clouds far from each other, each in a network namespace with an origin, a Redis and a node
of its own; every node has the other clouds' Redis in its `purge_log`. How long until a purge made
in one of them is everywhere? The way between them is wan.py's.
"""

import contextlib
import fcntl
import os
import socket
import statistics
import struct
import subprocess
import sys
import time

from cloud_world import inside, own_network
from errors import Failed, Unsupported
from fleet_world import Node, Redis, Watch, rounds_alone, wait_until
from result import Result
from subjects import HERE, Origin

CLOUDS = 3
PURGES = 9          # per round, from one cloud after the other
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000
EVERYWHERE = "0.0.0.0"
URL = "http://market.example/hit/1k/{}"


def purge(bench, scenario):
    result = Result(scenario, "watched every millisecond")
    for number, turn in rounds_alone(bench, result):
        with result.turn_of("scrollgate"), contextlib.ExitStack() as stack:
            turn["scrollgate"] = figures = _measure(bench, stack, scenario.delay_ms, number)
            if abs(figures["way_ms"] - scenario.delay_ms) > 0.1 * scenario.delay_ms:
                result.complaints.append(f"there and back takes {figures['way_ms']:.1f} ms")
    return result


class Cloud:
    """A namespace of its own, number `at` from 1, with its end of the network."""

    def __init__(self, stack, at):
        self.at, self.address = at, f"10.80.{at}.1"
        with own_network():
            self.place = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            stack.callback(os.close, self.place)
            self.device = tun("wan")
            stack.callback(os.close, self.device)
            for words in (["addr", "add", f"{self.address}/16", "dev", "wan"],
                          ["link", "set", "wan", "up"]):
                subprocess.run(["ip", *words], check=True)

    def inside(self):
        """This thread, and what it starts, is there for a `with` block."""
        return inside(self.place)

    def start_redis(self, bench, stack):
        with self.inside():
            self.redis = stack.enter_context(Redis(bench.folder, bench.load_core, EVERYWHERE))
        self.url = f"redis://{self.address}:{self.redis.port}/0"

    def start_node(self, bench, stack, clouds):
        with self.inside():
            origin = stack.enter_context(
                Origin(bench.folder, bench.load_core, bench.values["FILES"]))
            others = [cloud.url for cloud in clouds if cloud is not self]
            self.node = stack.enter_context(Node(bench, origin.port, self.redis, others))

    def way_to(self, other):
        """Milliseconds there and back."""
        with self.inside():
            begun = time.monotonic()
            socket.create_connection((other.address, other.redis.port), 10).close()
            return (time.monotonic() - begun) * 1000

    def purge(self, **what):
        with self.inside():
            return self.node.purge(**what)

    def heard(self):
        with self.inside():
            return self.node.tier()["heard"]


def tun(name):
    """A TUN device in this thread's namespace, which is there until its descriptor is closed."""
    try:
        device = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
        fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    except OSError as error:
        raise Unsupported(f"a TUN device: {error}") from error
    return device


@contextlib.contextmanager
def links(clouds, delay_ms):
    """They reach each other meanwhile."""
    devices = [cloud.device for cloud in clouds]
    program = subprocess.Popen(
        [sys.executable, "-B", HERE / "wan.py", str(delay_ms / 2), ",".join(map(str, devices))],
        stdin=subprocess.PIPE, pass_fds=devices)
    try:
        yield
    finally:
        program.stdin.close()
        program.wait()


def _measure(bench, stack, delay_ms, number):
    clouds = [Cloud(stack, at + 1) for at in range(CLOUDS)]
    stack.enter_context(links(clouds, delay_ms))
    for cloud in clouds:
        cloud.start_redis(bench, stack)
    for cloud in clouds:
        cloud.start_node(bench, stack, clouds)
    # A first purge by each is everywhere: they know each other.
    for cloud in clouds:
        cloud.purge(url=URL.format("first"))
    wait_until(lambda: all(cloud.heard() >= CLOUDS - 1 for cloud in clouds),
               "the clouds hear of each other")
    answered, elsewhere = [], []
    for n in range(PURGES):
        with contextlib.ExitStack() as one:
            took, everywhere = _one(one, clouds, clouds[n % CLOUDS], f"{number}-{n}")
        answered.append(took)
        elsewhere.append(everywhere)
    return {"purge_ms": statistics.median(answered), "everywhere_ms": statistics.median(elsewhere),
            "everywhere_most_ms": max(elsewhere), "way_ms": clouds[0].way_to(clouds[1])}


def _one(stack, clouds, by, name):
    """Milliseconds until the answer, and until the last of all nodes has missed."""
    watches = [stack.enter_context(contextlib.closing(
        Watch(cloud.node.port, f"/hit/1k/{name}", cloud.inside))) for cloud in clouds]
    for watch in watches:
        watch.start()
    begun = time.monotonic()
    answer = by.purge(url=URL.format(name))
    answered = time.monotonic() - begun
    if answer["objects"] != 1:
        raise Failed(f"the purge was answered {answer}")
    wait_until(lambda: all(watch.missed_at for watch in watches), "the purge is everywhere")
    return answered * 1000, (max(watch.missed_at for watch in watches) - begun) * 1000
