"""What the tier in Redis costs and gives on one node: a hit in memory, a hit in Redis and a miss
side by side; and what clients feel when its Redis stands still or dies.
"""

import contextlib
import json
import signal
import subprocess
import sys
import threading
import time

import load
from errors import Failed
from fleet_world import NO_TIER, WITHOUT, Node, Redis, Tokens, job_for, rounds_alone, wait_until
from load import quantiles
from result import Result
from subjects import HERE, Subject, pinned

PACE = 2000             # requests a second of `tier-latency`
CLOSED = 20_000         # new paths per second of `tier-throughput`
AGAIN = 4               # of hits in memory, which are quicker, so many times as many
FILLERS = 16            # connections that fill
TROUBLE_RATE = 500      # requests a second of the troubles
TROUBLE_S = 4           # seconds before, and at least after
STEPS = ("hit in memory", "hit in Redis", "miss")


def steps(bench, scenario):
    """Each round: paths that nobody knows are asked of a node that fills the Redis, then of another
    one, which finds them there, then of that once more, which has them in memory. Then a miss of
    its own, and one of a node without Redis; miss and hit of the others."""
    result = Result(scenario, "scrollgate-bench")
    with contextlib.ExitStack() as stack:
        run = Steps(bench, stack, result)
        for number, turn in bench.rounds(result):
            for name in bench.rotated_subjects(number):
                with result.turn_of(name):
                    if name == "scrollgate":
                        run.of_scrollgate(turn)
                    else:
                        run.of_other(name, turn)
    return result


class Steps:
    def __init__(self, bench, stack, result):
        self.bench, self.stack, self.result = bench, stack, result
        self.generator = load.choose("scrollgate-bench", bench.options.scrollgate)
        self.tokens, self.paced = Tokens(bench), result.scenario.name == "tier-latency"
        self.count = (PACE if self.paced else CLOSED) * bench.options.seconds
        self.origin = stack.enter_context(bench.origin())
        self.others, self.redis = {}, None
        if "scrollgate" in bench.options.subjects:
            self.redis = stack.enter_context(Redis(bench.folder, bench.load_core))
            # Each step is to be what it is called, also where Redis has to share a core with the
            # load and cannot answer within 3 ms.
            self.filler, self.reader, self.alone = map(stack.enter_context, (
                Node(bench, self.origin.port, self.redis, timeout="1s"),
                Node(bench, self.origin.port, self.redis, timeout="1s"),
                Node(bench, self.origin.port)))
            for node in (self.reader, self.alone):
                _warm_up(bench, node, self.tokens)

    def of_scrollgate(self, turn):
        known, new = self.tokens.fresh(self.count), self.tokens.fresh(self.count)
        self._fill(known)
        for step, node, paths in ((STEPS[1], self.reader, known), (STEPS[0], self.reader, known),
                                  (STEPS[2], self.reader, new),
                                  ("miss, " + WITHOUT, self.alone, new)):
            asked, found = self.origin.counts()[1], self.reader.tier()["hits"]
            figures = turn["scrollgate " + step] = self._measure(node, paths, step == STEPS[0])
            self._judge("scrollgate " + step, figures, asked, step.startswith(STEPS[2]))
            found = self.reader.tier()["hits"] - found
            if step == STEPS[1] and found < 0.99 * figures["requests"]:
                self.result.complaints.append(f"{step}: only {found} came from Redis")

    def of_other(self, name, turn):
        if name not in self.others:
            place = self.bench.place(self.origin, self.result.scenario.flags)
            self.others[name] = self.result.start(self.stack, name, *place)
            self.result.add_note(f"the others: {NO_TIER}")
        if (subject := self.others[name]) is None:
            return
        paths = self.tokens.fresh(self.count)
        for step in (STEPS[2], STEPS[0]):
            asked = self.origin.counts()[1]
            turn[f"{name} {step}"] = self._measure(subject, paths, step == STEPS[0])
            self._judge(f"{name} {step}", turn[f"{name} {step}"], asked, step == STEPS[2])

    def _fill(self, paths):
        before, bytes_before = self.redis.size(), self.redis.bytes_used()
        job = job_for(self.bench, self.filler, FILLERS)
        answer = self.generator.whole_list(job, paths, self.count)
        if answer["failed"]:
            raise Failed(f"{answer['failed']} requests failed while the Redis was filled")
        # What it is written behind; leases end by themselves.
        wait_until(lambda: self.redis.size() >= before + 0.995 * self.count, "the Redis is filled")
        if len(self.result.rounds) == 1:
            each = (self.redis.bytes_used() - bytes_before) / self.count
            sent = answer["bytes"] / answer["requests"]
            self.result.add_note(f"an answer of {sent:.0f} bytes takes {each:.0f} bytes of Redis")

    def _measure(self, subject, paths, hits):
        count = self.count * (AGAIN if hits and not self.paced else 1)
        before = busy_us(subject), self.redis and busy_us(self.redis), time.monotonic()
        answer = self.generator.whole_list(job_for(self.bench, subject), paths, count,
                                           PACE if self.paced else None)
        used, elapsed = busy_us(subject) - before[0], time.monotonic() - before[2]
        figures = {"rate": answer["requests"] / answer["seconds"], "cpu_us": used / count,
                   "busy": used / elapsed / 1e6, "per_core": count / used * 1e6,
                   "requests": answer["requests"], "failed": answer["failed"],
                   **{name: answer[name] for name, _ in load.QUANTILES}}
        if self.redis and subject in (self.reader, self.filler):
            figures["redis_us"] = (busy_us(self.redis) - before[1]) / count
        return figures

    def _judge(self, name, figures, asked, misses):
        asked = self.origin.counts()[1] - asked - 1     # the last question is one of them
        expected = figures["requests"] if misses else 0
        if figures["failed"]:
            self.result.complaints.append(f"{name}: {figures['failed']} requests failed")
        if abs(asked - expected) > 0.01 * figures["requests"]:
            self.result.complaints.append(
                f"{name}: the origin was asked {asked} times for {figures['requests']} requests")


def busy_us(processes):
    """Microseconds that they have run so far, by the scheduler's own clock."""
    return sum(processes.threads_ns().values()) / 1000


# --- a Redis in trouble -------------------------------------------------------------------------

TROUBLES = {"Redis frozen": signal.SIGSTOP, "Redis killed": signal.SIGKILL, "nothing": None}


def trouble(bench, scenario):
    """Every request is a miss: each is asked of Redis first. Rows: what happens to that."""
    result = Result(scenario, "open_loop.py")
    tokens = Tokens(bench)
    for number, turn in rounds_alone(bench, result):
        order = list(TROUBLES)
        for what in order[number % len(order):] + order[:number % len(order)]:
            name = f"scrollgate {what}"
            with result.turn_of(name), contextlib.ExitStack() as stack:
                turn[name] = figures = _trouble(bench, stack, tokens, TROUBLES[what])
                if figures["failed"]:
                    result.complaints.append(f"{name}: {figures['failed']} requests failed")
                if TROUBLES[what] and "open_ms" not in figures:
                    result.complaints.append(f"{name}: the breaker did not open")
    return result


def _trouble(bench, stack, tokens, number):
    after_s = max(bench.options.seconds, TROUBLE_S)
    origin = stack.enter_context(bench.origin())
    redis = stack.enter_context(Redis(bench.folder, bench.load_core))
    node = stack.enter_context(Node(bench, origin.port, redis))
    _warm_up(bench, node, tokens)
    paths = tokens.fresh(TROUBLE_RATE * (TROUBLE_S + after_s))
    loader = open_loop(bench, stack, [node.port], TROUBLE_RATE, TROUBLE_S + after_s, paths)
    time.sleep(TROUBLE_S)
    openings = node.tier()["openings"]
    if number:
        redis.signal(number)
    at = time.monotonic()
    opened = {}
    watch = threading.Thread(target=_watch_breaker, args=(node, openings, at, opened, after_s))
    watch.start()
    rows = json.loads(loader.communicate(timeout=after_s + 30)[0])["rows"]
    watch.join()
    redis.signal(signal.SIGCONT)
    return {**before_and_after(rows, at), **opened}


def _watch_breaker(node, openings, since, opened, seconds):
    while time.monotonic() < since + seconds - 0.5:
        tier = node.tier()
        if tier["openings"] > openings or tier["state"] == "open":
            opened["open_ms"] = (time.monotonic() - since) * 1000
            return
        time.sleep(0.005)


def before_and_after(rows, at):
    """rows of open_loop.py, and when it happened -> figures. Late is who took more than the p99
    before; extra what is beyond that p99. `first` is the second after, `later` what is due then."""
    usual = _p99_us(took for due, took, _ in rows if due + took < at)
    after = [row for row in rows if row[0] + row[1] >= at]
    longest = max(took for _, took, _ in after) * 1e6
    return {"p99_us": usual, "failed": sum(not good for _, _, good in rows),
            "first_extra_us": _p99_us(took for due, took, _ in after if due < at + 1) - usual,
            "later_extra_us": _p99_us(took for due, took, _ in after if due >= at + 1) - usual,
            "extra_ms": max(longest - usual, 0) / 1000}


def _p99_us(times):
    return quantiles(sorted(took * 1e6 for took in times))["p99_us"]


def _warm_up(bench, node, tokens):
    """Connections, dictionaries and the like are there."""
    generator = load.choose("scrollgate-bench", bench.options.scrollgate)
    generator.whole_list(job_for(bench, node, FILLERS), tokens.fresh(2000), 2000)


def open_loop(bench, stack, ports, rate, seconds, paths):
    """open_loop.py, under way; it says its rows when it ends."""
    words = [sys.executable, "-B", HERE / "open_loop.py", ",".join(map(str, ports)), rate, seconds,
             paths]
    loader = subprocess.Popen([str(word) for word in pinned(bench.load_core, words)],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    stack.callback(loader.wait)
    stack.callback(loader.kill)
    time.sleep(0.2)         # it is up
    return loader
