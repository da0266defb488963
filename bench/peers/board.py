"""The board of one origin of the cloud drills: numbers in a file that the origin and the bench both
map. Whoever reads it learns what an origin has seen even when that is dead or frozen, and the bench
tells an origin by it how to behave.

Each slot has one writer: the origin the counts, the bench `error_percent` and `slow_factor`. An
origin that is started again goes on counting, and has nothing in flight.
"""

import mmap
from pathlib import Path

COUNTS = ("gets", "posts", "gets_in_flight", "posts_in_flight", "posts_refused", "checks")
ORDERS = ("error_percent", "slow_factor")
SLOTS = {name: at for at, name in enumerate(COUNTS + ORDERS)}
WIDTH = 8       # bytes of a slot


class Board:
    """`board["gets"]`, read and written. Raises KeyError for an unknown slot."""

    def __init__(self, file):
        path = Path(file)
        if not path.exists():
            path.write_bytes(bytes(WIDTH * len(SLOTS)))
        with open(path, "r+b") as opened:
            self.slots = memoryview(mmap.mmap(opened.fileno(), 0)).cast("q")

    def __getitem__(self, name):
        return self.slots[SLOTS[name]]

    def __setitem__(self, name, value):
        self.slots[SLOTS[name]] = value

    def add(self, name, count):
        self.slots[SLOTS[name]] += count

    def seen(self):
        """Requests of clients so far, without checks."""
        return self["gets"] + self["posts"]

    def in_flight(self):
        return self["gets_in_flight"] + self["posts_in_flight"]
