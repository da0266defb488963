"""Load on a fleet whose responses change and are purged all the time, and a judge of every answer.

Each answer must be the origin's own, whole, for the target that was asked for; and once a purge has
been answered, never older than what was purged, on no node that has made it.
"""
import json
import random
import threading

from .client import RawClient
from .wait import eventually

HOST = "site.test"


class Truth:
    """An origin that says which version of a target it gives. Every fourth target is long, every
    third varies, eight share a tag."""

    def __init__(self, count):
        self.targets = [f"/t/{i}" for i in range(count)]
        self.quiet = self.targets[-8:]      # the last tag's: only the test itself changes them
        self.lock = threading.Lock()
        self.versions = dict.fromkeys(self.targets, 0)
        self.asked = 0

    @staticmethod
    def number(target):
        return int(target.rpartition("/")[2])

    @classmethod
    def tag(cls, target):
        return f"tag{cls.number(target) // 8}"

    @classmethod
    def body(cls, target, version, kind):
        line = f"{target} {kind} version {version}\n"
        return (line * (1000 if cls.number(target) % 4 == 0 else 3)).encode()

    def change(self, targets):
        """They are other ones from now on; their versions."""
        with self.lock:
            for target in targets:
                self.versions[target] += 1
            return {target: self.versions[target] for target in targets}

    def script(self, conn):
        while True:
            request = conn.request()
            with self.lock:
                version = self.versions[request.target]
                self.asked += 1
            varies = ["Vary: X-Kind"] if self.number(request.target) % 3 == 0 else []
            kind = request.get("x-kind") if varies else "any"
            conn.answer(self.body(request.target, version, kind), "200 OK",
                        "Cache-Control: max-age=600", f"Surrogate-Key: {self.tag(request.target)}",
                        *varies)


class FleetLoad:
    """One client per node asks, another thread purges, from entering the block to leaving it."""

    def __init__(self, nodes, truth, purges=True):
        self.nodes, self.truth = nodes, truth
        self.wrong = []
        self.answers = self.purged = 0
        self.purges = purges
        # What a node may no longer give: anything older than this.
        self.floors = [dict.fromkeys(truth.targets, 0) for _ in nodes]
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self._guarded, args=(self._ask, i))
                        for i in range(len(nodes))]
        if purges:
            self.threads.append(threading.Thread(target=self._guarded, args=(self._purge_all,)))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def _guarded(self, work, *arguments):
        try:
            work(*arguments)
        except Exception as problem:
            self.wrong.append(repr(problem))

    # -- asking
    def _ask(self, i):
        dice = random.Random(i)
        with RawClient(self.nodes[i].port) as client:
            while not self.over.is_set():
                self._look(client, i, dice.choice(self.truth.targets), dice.choice("ab"))

    def _look(self, client, i, target, kind):
        """One question; the version that came."""
        floor = self.floors[i][target]
        answer = client.get(target, HOST, f"X-Kind: {kind}").final()
        kind = kind if self.truth.number(target) % 3 == 0 else "any"
        version = self._version(answer)
        if answer.status != 200 or answer.body != self.truth.body(target, version, kind):
            self.wrong.append((i, target, answer.status, answer.body[:200]))
        elif version < floor:
            self.wrong.append((i, target, f"{version} after {floor} was purged",
                               answer.get("cache-status")))
        self.answers += 1
        return version

    @staticmethod
    def _version(answer):
        try:
            return int(answer.body.split(b"\n", 1)[0].rpartition(b" ")[2])
        except ValueError:
            return -1

    # -- purging
    def _purge_all(self):
        dice = random.Random(99)
        while not self.over.is_set():
            target, i = dice.choice(self.truth.targets[:-8]), dice.randrange(len(self.nodes))
            self.purge(i, target, by_tag=dice.random() < 0.3)

    def purge(self, i, target, by_tag=False):
        """Changes what is at `target`, or has its tag, and purges it through node `i`; how many
        nodes have made it."""
        tag = self.truth.tag(target)
        those = [t for t in self.truth.targets if self.truth.tag(t) == tag] if by_tag else [target]
        versions = self.truth.change(those)
        wish = {"tag": tag} if by_tag else {"url": f"http://{HOST}{target}"}
        node = self.nodes[i]
        code, text, _ = node.admin("POST", "/api/v1/cache/purge", json.dumps(wish), node.token(),
                                   {"Content-Type": "application/json"})
        assert code == 200, text
        nodes = json.loads(text)["nodes"]
        # Who has not made it yet will; this one has.
        for floor in self.floors if nodes == len(self.nodes) else [self.floors[i]]:
            for each, version in versions.items():
                floor[each] = max(floor[each], version)
        self.purged += 1
        return nodes

    # -- what the test asks
    def more(self, count=300):
        """Waits until so many more answers have come, and some purges."""
        answers, purged = self.answers + count, self.purged + (3 if self.purges else 0)
        eventually(lambda: self.wrong or (self.answers >= answers and self.purged >= purged),
                   f"{count} more answers, and purges", 60)

    def settle(self):
        """No purge was lost: sooner or later every node gives every target as it is now. Behind the
        block."""
        now = self.truth.versions
        for i, node in enumerate(self.nodes):
            with RawClient(node.port) as client:
                for target in self.truth.targets:
                    for kind in "ab":
                        eventually(lambda: self._look(client, i, target, kind) == now[target],
                                   f"node {i} gives {target} as it is now")
