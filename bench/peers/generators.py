"""The load generators against each other: the same closed loop against nginx alone, which has the
proxy's core, while each generator has one core in its turn."""

import re
import resource
import statistics
import threading
from dataclasses import replace
from pathlib import Path

from errors import Failed
from load import QUANTILES

KIB = 1024


class Memory:
    """Looks at the resident memory of a generator at a quarter and near the end of its run."""

    def __init__(self, seconds):
        self.seconds, self.timers, self.looks = seconds, [], []

    def started(self, pid):
        for share in (0.25, 0.9):
            timer = threading.Timer(self.seconds * share, self._look, (pid,))
            timer.start()
            self.timers.append(timer)

    def _look(self, pid):
        try:
            text = Path(f"/proc/{pid}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return
        if found := re.search(r"^VmRSS:\s+(\d+) kB", text, re.MULTILINE):     # else a zombie
            self.looks.append(int(found[1]) * KIB)

    def figures(self):
        for timer in self.timers:
            timer.join()
        if len(self.looks) < 2:
            raise Failed("a load generator ended before its time")
        first, last = self.looks
        return {"memory_mib": last / KIB ** 2, "grown_kib": (last - first) / KIB}


def _cpu_s():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(generator, job, target):
    """One run -> its figures, and `served`: what nginx counted."""
    memory = Memory(job.seconds)
    cpu, served = _cpu_s(), target.counts()[1]
    answer = generator.closed(replace(job, started=memory.started))
    # The last question is one of those served.
    served, cpu = target.counts()[1] - served - 1, _cpu_s() - cpu
    requests = answer["requests"]
    return {"rate": requests / answer["seconds"], "cpu_us": cpu * 1e6 / max(requests, 1),
            "failed": answer["failed"], "requests": requests, "served": served,
            **memory.figures(), **{name: answer[name] for name, _ in QUANTILES}}


def complaints(turn, at_once):
    """About the figures of one round: generator -> figures."""
    for name, figures in turn.items():
        if not 0 <= figures["served"] - figures["requests"] <= at_once:
            yield (f"{name}: counted {figures['requests']} requests, nginx "
                   f"{figures['served']}")
        if figures["failed"]:
            yield f"{name}: {figures['failed']} requests failed"


def notes(rounds):
    """What the rounds prove, in words: the rate as a ratio within each round, and the memory."""
    both = [turn for turn in rounds if {"wrk", "scrollgate-bench"} <= turn.keys()]
    if not both:
        return
    found = [turn["scrollgate-bench"]["rate"] / turn["wrk"]["rate"] for turn in both]
    grown = max(turn["scrollgate-bench"]["grown_kib"] for turn in both)
    requests = min(turn["scrollgate-bench"]["requests"] for turn in both)
    yield (f"on one core scrollgate-bench drives {statistics.median(found):.2f} "
           f"[{min(found):.2f}..{max(found):.2f}] times the requests/s of wrk; its memory grew by "
           f"{grown:.0f} KiB from a quarter to the end of a run of {requests} requests")
