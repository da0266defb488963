#!/usr/bin/env python3
"""Compares Scrollgate with nginx and HAProxy as reverse proxies on this machine.

One proxy process on core 0; the origin (nginx) and the load on core 1. All subjects of a scenario
stay up and take turns, round after round, because a machine drifts within minutes: a ratio is taken
within each round, against the best peer of that round, and the table shows the median of the rounds
with [lowest..highest]. CPU is user and system time of all processes of a proxy, per request.
"""

import argparse
import contextlib
import json
import os
import resource
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import load
from check import check
from subjects import Subject

MIB = 1024 * 1024
PEERS = ["nginx", "haproxy"]
# path, request fields, whether bytes rather than requests are the unit
CLOSED = {"pass-small": ("/small", (), False), "pass-real": ("/real", load.REAL_FIELDS, False),
          "pass-log": ("/real", load.REAL_FIELDS, False), "body-1m": ("/1m", (), True),
          "body-64m": ("/64m", (), True)}
SCENARIOS = [*CLOSED, "idle", "latency"]


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        two = len(os.sched_getaffinity(0)) >= 2
        self.proxy_core, self.load_core = (0, 1) if two else (None, None)
        self.origin = Subject("origin", folder, self.load_core)

    def start(self, name, log=False):
        return Subject(name, self.folder, self.proxy_core, self.origin.port, log,
                       self.options.scrollgate)

    def turns(self, scenario, names, measure, log=False):
        """rounds x names -> figures; all stay up, each gets a short warm-up first."""
        path, fields, _ = CLOSED.get(scenario, ("/small", (), False))
        rounds, subjects = [], {}
        with contextlib.ExitStack() as stack:
            for name in names:
                subjects[name] = self.origin
                if name != "origin":
                    subjects[name] = stack.enter_context(self.start(name, log))
                load.wrk(subjects[name].port, path, self.load_core, 1, 64, fields)
            for number in range(self.options.rounds):
                print(f"{scenario}: round {number + 1}", file=sys.stderr)
                rounds.append({n: measure(s) for n, s in subjects.items()})
        return rounds

    def closed(self, scenario):
        path, fields, by_bytes = CLOSED[scenario]

        def measure(subject):
            accepted, served = load.origin_counts(self.origin)
            before = subject.cpu_us()
            result = load.wrk(subject.port, path, self.load_core, self.options.seconds, 64, fields)
            cpu = subject.cpu_us() - before
            connections, requests = (b - a for a, b in zip((accepted, served),
                                                           load.origin_counts(self.origin)))
            units = result["bytes"] / MIB if by_bytes else result["requests"]
            return {"cpu_us": cpu / max(units, 1e-9), "rate": units / result["seconds"],
                    "p50_us": result["p50"], "p99_us": result["p99"], "failed": result["failed"],
                    "peak_mib": subject.memory("VmHWM") / MIB,
                    # Below 1 somebody answers by itself; many connections: no keep-alive.
                    "origin_requests": (requests - 1) / max(result["requests"], 1),
                    "origin_connections": connections - 1}

        return self.turns(scenario, self.options.subjects, measure, scenario == "pass-log")

    def idle(self):
        rounds = []
        for number in range(self.options.rounds):
            print(f"idle: round {number + 1}", file=sys.stderr)
            rounds.append({})
            for name in self.options.subjects:
                # A fresh one each time: memory is not given back.
                with self.start(name) as subject:
                    load.wrk(subject.port, "/small", self.load_core, 1)
                    before = subject.memory()
                    with load.idle_crowd(subject.port, "/small", self.options.idle) as crowd:
                        time.sleep(3)           # buffers go back, upstream connections settle
                        grown = subject.memory() - before
                        rounds[-1][name] = {"bytes_per_connection": grown / len(crowd),
                                            "before_mib": before / MIB}
        return rounds

    def latency(self):
        def measure(subject):
            result = load.open_loop(subject.port, "/small", self.load_core, self.options.seconds,
                                    self.folder)
            return {"p50_us": result["p50"], "p99_us": result["p99"], "failed": result["failed"],
                    "rate": result["requests"] / result["seconds"]}

        rounds = self.turns("latency", ["origin", *self.options.subjects], measure)
        for turn in rounds:
            direct = turn.pop("origin")
            for figures in turn.values():
                figures["added_p50_us"] = figures["p50_us"] - direct["p50_us"]
                figures["added_p99_us"] = figures["p99_us"] - direct["p99_us"]
        return rounds


RATIOS = {"idle": ["bytes_per_connection"], "latency": ["added_p50_us", "added_p99_us"]}


def show(scenario, rounds):
    """Prints the scenario's table; one line per subject and figure."""
    print(f"\n{scenario}" + (" (per MiB)" if CLOSED.get(scenario, (0, 0, False))[2] else ""))
    for figure in next(iter(rounds[0].values())):
        for name in rounds[0]:
            values = [turn[name][figure] for turn in rounds]
            line = (f"  {figure:22} {name:10} {statistics.median(values):12.1f}"
                    f"  [{min(values):.1f}..{max(values):.1f}]")
            peers = [p for p in PEERS if p in rounds[0]]
            if figure in RATIOS.get(scenario, ["cpu_us"]) and peers and name not in peers:
                best = [min(turn[p][figure] for p in peers) for turn in rounds]
                ratios = [v / b for v, b in zip(values, best) if b > 0]
                if ratios:
                    line += (f"   x {statistics.median(ratios):.2f} of the best peer"
                             f"  [{min(ratios):.2f}..{max(ratios):.2f}]")
            print(line)


def options_from(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO",
                        help=f"default: all of {' '.join(SCENARIOS)}")
    parser.add_argument("--scrollgate", metavar="FILE", help="the binary; without it, peers only")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4, help="of each measurement (default 4)")
    parser.add_argument("--idle", type=int, default=10_000, help="idle connections (default 10000)")
    parser.add_argument("--check", action="store_true",
                        help="only show what each subject sends to the origin")
    parser.add_argument("--json", metavar="FILE", help="write every round's figures there")
    options = parser.parse_args(arguments)
    unknown = set(options.scenarios) - set(SCENARIOS)
    if unknown:
        parser.error(f"no such scenario: {' '.join(sorted(unknown))}")
    options.scenarios = options.scenarios or SCENARIOS
    needed = ["nginx", "haproxy", "wrk", "h2load"]
    missing = [tool for tool in needed if shutil.which(tool) is None]
    if missing:
        parser.error(f"missing: {' '.join(missing)} (./dev bench installs them)")
    options.subjects = PEERS + (["scrollgate"] if options.scrollgate else [])
    return options


def raise_descriptor_limit(wanted=65_536):
    """For the idle crowd: HAProxy wants two per connection. Beyond the hard limit only root may."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    for limit in (max(hard, wanted), hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
            return
        except (ValueError, OSError):
            continue


def main(arguments):
    options = options_from(arguments)
    raise_descriptor_limit()
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        if options.check:
            return check(options, folder)
        files = Path(folder) / "files"
        files.mkdir()
        for name, size in [("1m", MIB), ("64m", 64 * MIB)]:
            (files / name).write_bytes(os.urandom(MIB) * (size // MIB))
        bench = Bench(options, folder)
        with bench.origin:
            for scenario in options.scenarios:
                run = getattr(bench, scenario, None)
                figures[scenario] = run() if run else bench.closed(scenario)
                show(scenario, figures[scenario])
    if options.json:
        Path(options.json).write_text(json.dumps(figures, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
