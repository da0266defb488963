"""Clouds that are lost: origins as processes of their own, and load that notes who answered."""
import json
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from .case import EdgeTest
from .client import RawClient
from .wait import eventually, free_port, signal_to

PROGRAM = Path(__file__).with_name("origin_program.py")
# Load's clients need 200 ms for so many answers at least. A worker knows after 100 what is usual,
# looks for it every 100 ms, and does not hedge before.
SAMPLES = 500


class OriginProcess:
    """One endpoint; origin_program.py says how it can behave. It keeps its port when it is started
    again, and then behaves well."""

    def __init__(self, name, folder, address="127.0.0.1"):
        self.name, self.ip, self.port = name, address, free_port()
        self.address = f"{address}:{self.port}"
        self.seen_file = Path(folder) / name
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, "-BSE", PROGRAM, self.name, self.ip, str(self.port), self.seen_file],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._hear("ready")
        return self

    def _hear(self, word):
        line = self.process.stdout.readline().strip()
        assert line == word, f"{self.name} says {line!r} for {word!r}"

    def behave(self, **orders):
        self.process.stdin.write(json.dumps(orders) + "\n")
        self.process.stdin.flush()
        self._hear("done")

    def kill(self):
        if self.process is not None:
            self.process.kill()         # takes one that is frozen, too
            self.process.communicate()
            self.process = None

    def freeze(self):
        signal_to(self.process, signal.SIGSTOP)

    def thaw(self):
        signal_to(self.process, signal.SIGCONT)

    def seen(self, kind=None):
        """How many requests it has read; or lines that begin so, as origin_program.py says."""
        lines = self.seen_file.read_text().splitlines() if self.seen_file.exists() else []
        return sum(line.startswith(kind or ("GET", "POST")) for line in lines)


class Load:
    """Clients that ask one request after the other, from entering the block to leaving it.
    `gets` and `posts`: how many clients of either kind. answers = [(method, status or what went
    wrong, who answered), …]"""

    def __init__(self, edge, gets=8, posts=0, path="/"):
        self.edge, self.path, self.answers = edge, path, []
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self._ask, args=(method,))
                        for method in ["GET"] * gets + ["POST"] * posts]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Waits until each client has had its last answer."""
        self.over.set()
        for thread in self.threads:
            thread.join()

    def _ask(self, method):
        body = "pay" if method == "POST" else ""
        message = (f"{method} {self.path} HTTP/1.1\r\nHost: site.test\r\n"
                   f"Content-Length: {len(body)}\r\n\r\n{body}").encode()
        client = None
        while not self.over.is_set():
            try:
                client = client or RawClient(self.edge.port)
                response = client.send(message).final(method)
                answer = response.status, response.get("x-origin")
                again = response.get("connection") != "close"
            except (OSError, AssertionError) as problem:
                answer, again = (repr(problem), None), False
            self.answers.append((method, *answer))
            if client and not again:
                client.close()
                client = None
        if client:
            client.close()

    def more(self, count):
        """Waits until so many more answers have come."""
        enough = len(self.answers) + count
        eventually(lambda: len(self.answers) >= enough, f"{count} more answers")

    def failed(self, method="GET"):
        return [a for a in self.answers if a[0] == method and a[1] != 200]


class CloudTest(EdgeTest):
    """EdgeTest in front of processes."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="scrollgate-origins-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def cloud(self, name, count=2, address="127.0.0.1", start=True):
        """`count` endpoints: name1, name2, …"""
        made = [OriginProcess(f"{name}{n + 1}", self.folder, address) for n in range(count)]
        for one in made:
            self.addCleanup(one.kill)
            if start:
                one.start()
        return made

    def edge_of(self, /, pool=None, route=None, workers=1, **clouds):
        """The proxy in front of `clouds`, each a list of OriginProcess and a pool of one route;
        `pool` and `route` are merged into each. An endpoint that was out is back soon: what is
        tested is not how long that takes."""
        soon = {"outlier": {"ejection": "500ms"}, "slow_start": "0s"}
        return self.edge(
            workers=workers,
            pools={name: {"endpoints": [one.address for one in ones], **soon, **(pool or {})}
                   for name, ones in clouds.items()},
            routes=[{"name": "all", "pools": list(clouds), **(route or {})}])

    # -- what the proxy says of an endpoint
    def endpoint(self, edge, origin):
        return next(e for p in edge.status()["pools"] for e in p["endpoints"]
                    if e["address"] == origin.address)

    def wait_state(self, edge, origin, state, why=""):
        """Waits until status gives the endpoint this state, for a reason with these words."""
        def reached():
            shown = self.endpoint(edge, origin)
            return shown["state"] == state and why in shown["why"]
        eventually(reached, f"{origin.name} is {state}: {why}")

    def wait_seen(self, origin, count, kind=None):
        """Waits until it has read so many requests (of this kind) more."""
        enough = origin.seen(kind) + count
        eventually(lambda: origin.seen(kind) >= enough, f"{count} more requests at {origin.name}")
