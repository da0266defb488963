"""Three clouds of two endpoints each, how they are broken, and what is seen of them meanwhile."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

from board import Board
from errors import Unsupported
from subjects import HERE, Processes

CLOUDS = (("aws", 2), ("gcp", 8), ("azure", 15))    # name, milliseconds of service
PER_CLOUD = 2
PERIOD = 1.0        # seconds: of a flapping endpoint, and until a killed one returns
CLONE_NEWNET = 0x40000000


class CloudOrigin(Processes):
    def __init__(self, folder, core, cloud, at, slots):
        self.cloud, self.slots = CLOUDS[cloud], slots
        super().__init__(f"{self.cloud[0]}-{at}", folder, core, f"127.0.{cloud + 1}.1")
        self.board = Board(self.folder / "board")
        self.go()

    def go(self):
        name, delay = self.cloud
        self.start([sys.executable, "-B", HERE / "cloud_origin.py", self.address, self.port, name,
                    delay, self.slots, self.folder / "board"])

    def kill(self):
        self.signal(signal.SIGKILL)
        self.started[-1].wait()

    def freeze(self):
        self.signal(signal.SIGSTOP)
        os.waitpid(self.started[-1].pid, os.WUNTRACED)


class World:
    """All endpoints, running until the `with` block ends. `slots`: how many requests each works on
    at a time, 0 without limit. A thread notes what they have seen every 50 ms:
    samples = [(seconds on the monotonic clock, [requests seen by each so far]), …]"""

    def __init__(self, folder, core, slots=0):
        self.origins, self.samples, self.over = [], [], threading.Event()
        self.thread = threading.Thread(target=self._watch)
        try:
            for cloud in range(len(CLOUDS)):
                for at in range(PER_CLOUD):
                    self.origins.append(CloudOrigin(folder, core, cloud, at, slots))
            for origin in self.origins:
                origin.wait_until_it_accepts()
        except BaseException:
            self._stop()
            raise
        self.thread.start()

    def values(self):
        """Where they are, as the configurations call them: AWS1, AWS2, GCP1, …"""
        return {f"{o.cloud[0].upper()}{at % PER_CLOUD + 1}": f"{o.address}:{o.port}"
                for at, o in enumerate(self.origins)}

    def of_cloud(self, cloud, count=PER_CLOUD):
        """The numbers of the first `count` endpoints of a cloud."""
        return list(range(cloud * PER_CLOUD, cloud * PER_CLOUD + count))

    def seen(self):
        return [origin.board.seen() for origin in self.origins]

    def _watch(self):
        while not self.over.wait(0.05):
            self.samples.append((time.monotonic(), self.seen()))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self._stop()

    def _stop(self):
        for origin in self.origins:
            origin.stop()


# --- what breaks ------------------------------------------------------------------------------


def unread(ports):
    """How many connections to these ports hold a request that nobody has read."""
    count = 0
    with open("/proc/thread-self/net/tcp") as table:
        for line in table.readlines()[1:]:
            _, local, _, state, queues = line.split()[:5]
            listening = state == "0A"       # its queue is one of connections
            count += (not listening and int(local.split(":")[1], 16) in ports
                      and int(queues.split(":")[1], 16) > 1)      # 1: the connection's end
    return count


class Breakage:
    """Breaks `victims` at strike(); settle(), called when the load
    is over, ends what goes on; it may be called again. `at`: when it broke.
    `posts`: how many POSTs were on the victims and may have failed for it, None if nobody knows.
    `unread`: requests that lay unread in their sockets when they were killed, GETs or POSTs.
    `counts_tell`: do the victims still count what they are sent? `back_at`: of those that come
    back by themselves, when they can answer again, or None."""

    counts_tell, back_at = True, None

    def __init__(self, victims):
        self.victims, self.at, self.posts, self.unread = victims, None, 0, 0

    def strike(self):
        self.at = time.monotonic()
        self.strike_now()

    def in_flight(self):
        return sum(victim.board.in_flight() for victim in self.victims)

    def settle(self):
        pass

    def order(self, name, value):
        for victim in self.victims:
            victim.board[name] = value

    def count(self, name):
        return sum(victim.board[name] for victim in self.victims)

    def kill(self):
        """All victims at once, as a cloud is lost."""
        self.unread += unread({victim.port for victim in self.victims})
        for victim in self.victims:
            victim.signal(signal.SIGKILL)
        for victim in self.victims:
            victim.kill()
        self.posts += self.count("posts_in_flight")


class Nothing(Breakage):
    """The control: what the machine itself adds to a run of the same shape."""

    def strike_now(self):
        pass


class Kill(Breakage):
    counts_tell = False     # they have seen nothing since, whoever tries to ask them

    def strike_now(self):
        self.kill()


class Freeze(Breakage):
    counts_tell = False

    def strike_now(self):
        for victim in self.victims:
            victim.freeze()
        self.without = self.count("posts_in_flight") - self.count("posts")

    def settle(self):
        """Thawed, they read what was sent to them meanwhile: then it is counted."""
        if self.at is None:
            return
        for victim in self.victims:
            victim.signal(signal.SIGCONT)
        end, ports = time.monotonic() + 2, {victim.port for victim in self.victims}
        while unread(ports) and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(0.05)        # from read to counted
        self.posts = self.without + self.count("posts")


class Errors(Breakage):
    """500 for half of the requests."""

    def strike_now(self):
        self.order("error_percent", 50)

    def settle(self):
        self.posts = self.count("posts_refused")


class Slow(Breakage):
    def strike_now(self):
        self.posts = self.count("posts_in_flight")
        self.order("slow_factor", 20)


class Later(Breakage):
    """Goes on in a thread of its own, which ends soon after `over` is set."""

    def __init__(self, victims):
        super().__init__(victims)
        self.over, self.thread = threading.Event(), threading.Thread(target=self.go_on)

    def strike_now(self):
        self.kill()
        self.thread.start()

    def settle(self):
        self.over.set()
        if self.at is not None:
            self.thread.join()


class Flap(Later):
    """Killed and started again every second."""

    def go_on(self):
        while not self.over.is_set():
            for victim in self.victims:
                victim.go()
            if not self.over.wait(PERIOD):
                self.kill()


class Return(Later):
    """Killed, and back after a second."""

    def go_on(self):
        if self.over.wait(PERIOD):
            return
        for victim in self.victims:
            victim.go()
        for victim in self.victims:
            victim.wait_until_it_accepts()
        self.back_at = time.monotonic()


class Thaw(Later):
    """Frozen for a second. What POSTs it was sent meanwhile it answers late: nobody counts them."""

    counts_tell = False

    def strike_now(self):
        for victim in self.victims:
            victim.freeze()
        self.posts = None
        self.thread.start()

    def go_on(self):
        self.over.wait(PERIOD)
        for victim in self.victims:
            victim.signal(signal.SIGCONT)
        self.back_at = time.monotonic()


class Blackhole(Breakage):
    """Broken by scrollgate-bench itself. What was sent to the victims never arrives, so nobody can
    say how many POSTs there were among it."""

    counts_tell = False

    def __init__(self, victims):
        super().__init__(victims)
        self.posts = None

    def told(self, drill, start):
        """`drill`: what scrollgate-bench said of it, having started at `start`."""
        self.at = start + drill["at_s"]
        if drill["healed_s"] is not None:
            self.back_at = start + drill["healed_s"]


BREAKAGES = {"nothing": Nothing, "kill": Kill, "freeze": Freeze, "drop": Blackhole,
             "errors": Errors, "slow": Slow, "flap": Flap, "return": Return, "thaw": Thaw,
             "heal": Blackhole}


@contextlib.contextmanager
def trigger(breakage):
    """The two questions of an admin API that `scrollgate-bench drill --fail victims` asks, so that
    the drill strikes at its moment and knows how much it hit. Its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.answer(b'{"pools": [{"name": "victims", "endpoints": [{"in_flight": %d}]}]}'
                        % breakage.in_flight())

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            breakage.strike()
            self.answer(b"{}")

        def do_DELETE(self):
            self.answer(b"{}")

        def answer(self, body):
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# --- a network of its own ---------------------------------------------------------------------


@contextlib.contextmanager
def own_network():
    """What the block starts, threads included, lives in a network namespace of its own. Raises
    Unsupported if that is not allowed."""
    libc = ctypes.CDLL(None, use_errno=True)
    with _way_back(libc):
        if libc.unshare(CLONE_NEWNET) != 0:
            raise Unsupported(f"a network namespace: {os.strerror(ctypes.get_errno())} (root may)")
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        yield


@contextlib.contextmanager
def inside(namespace):
    """The same in a namespace that there is: a descriptor."""
    libc = ctypes.CDLL(None, use_errno=True)
    with _way_back(libc):
        if libc.setns(namespace, CLONE_NEWNET) != 0:
            raise Unsupported(f"a network namespace: {os.strerror(ctypes.get_errno())}")
        yield


@contextlib.contextmanager
def _way_back(libc):
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield
    finally:
        back = libc.setns(home, CLONE_NEWNET)
        os.close(home)
        if back != 0:
            raise SystemExit("there is no way back from the network namespace")
