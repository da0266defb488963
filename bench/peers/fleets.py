"""Three nodes: what their origin sees of a cold start, how soon one is itself again after a
restart, what clients see when one is killed, and how long a purge takes to be everywhere.
Scrollgate with and without its tier; the others, where they can, with a cache in each node.
"""

import contextlib
import json
import threading
import time
from dataclasses import replace

import load
from caches import MetadataOrigin
from errors import Failed
from fleet_world import (NO_TIER, Fleet, Node, Redis, Tokens, Watch, job_for, kill, restart,
                         rounds_alone, rows_of, wait_until)
from load import quantiles
from result import Result
from tier import FILLERS, open_loop

KEYS = 10_000           # paths, drawn by Zipf's law with exponent 1
COUNT = 3               # nodes
DELAY_MS = 5            # of the origin
COLD_RATE, COLD_REQUESTS = 1000, 2500   # per node: a second; in all per second of --seconds
RESTART_RATE = 4000     # requests a second of the restarted node
FORMER_S, RESTART_S = 3, 20     # seconds before, and until it is given up
WINDOW_S, BACK = 0.5, 0.9
LOST_RATE, LOST_S = 600, 3      # requests a second of all three; seconds before one is lost


def each_row(bench, result, measure):
    """Each round, measure(bench, stack, row, number of the round) for every row."""
    rows = list(rows_of(bench.options.subjects))
    for number, turn in bench.rounds(result):
        at = number % len(rows)
        for row in rows[at:] + rows[:at]:
            with result.turn_of(row.name), contextlib.ExitStack() as stack:
                turn[row.name] = figures = measure(bench, stack, row, number)
                if figures.get("failed"):
                    result.complaints.append(f"{row.name}: {figures['failed']} requests failed")
            if row.subject != "scrollgate":
                result.add_note(f"the others: {NO_TIER}")
    return result


def world(bench, stack, row):
    """An origin and a fleet."""
    origin = stack.enter_context(MetadataOrigin(bench.folder, bench.load_core, DELAY_MS))
    return origin, Fleet(bench, stack, row, origin, COUNT)


def generator_of(bench):
    return load.choose("scrollgate-bench", bench.options.scrollgate)


def in_parallel(calls):
    """What they return, each called in a thread of its own."""
    found = [None] * len(calls)

    def run(at):
        try:
            found[at] = calls[at]()
        except Exception as error:
            found[at] = error

    threads = [threading.Thread(target=run, args=(at,)) for at in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in found:
        if isinstance(each, Exception):
            raise each
    return found


# --- a cold start -------------------------------------------------------------------------------


def cold(bench, scenario):
    """All three begin empty, and at the same time."""
    return each_row(bench, Result(scenario, "scrollgate-bench"), _cold)


def _cold(bench, stack, row, number):
    origin, fleet = world(bench, stack, row)
    tokens, count = Tokens(bench), COLD_REQUESTS * bench.options.seconds
    lists = [tokens.drawn(KEYS, count, number * COUNT + at) for at in range(COUNT)]
    generator = generator_of(bench)
    answers = in_parallel([
        lambda node=node, paths=paths: generator.whole_list(
            job_for(bench, node), paths, count, COLD_RATE)
        for node, (paths, _) in zip(fleet.nodes, lists)])
    return {"origin_saw": origin.asked(), "asked": origin.asked() / (COUNT * count),
            "distinct": len(set().union(*(numbers for _, numbers in lists))),
            "failed": sum(answer["failed"] for answer in answers),
            "p50_us": max(answer["p50_us"] for answer in answers),
            "p99_us": max(answer["p99_us"] for answer in answers)}


# --- a restart ----------------------------------------------------------------------------------


def after_restart(bench, scenario):
    """One of three that have everything is killed and started again, and has its load at once."""
    return each_row(bench, Result(scenario, "scrollgate-bench"), _after_restart)


def _after_restart(bench, stack, row, number):
    origin, fleet = world(bench, stack, row)
    generator, node, tokens = generator_of(bench), fleet.nodes[0], Tokens(bench)
    every = tokens.every(KEYS)
    for each in fleet.nodes:
        generator.whole_list(job_for(bench, each, FILLERS), every, KEYS)
    if row.tier:
        wait_until(lambda: fleet.redis.size() >= 0.995 * KEYS, "the Redis is filled")

    def run(seconds, seed):
        paths, _ = tokens.drawn(KEYS, RESTART_RATE * seconds, seed)
        with contextlib.closing(Asked(origin)) as asked:
            job = replace(job_for(bench, node, seconds=seconds),
                          started=lambda _pid: asked.start())
            said = generator.story(job, RESTART_RATE, ("--urls", paths))
        return said["failed"], asked.samples

    former = hit_rate(run(FORMER_S, 2 * number)[1], 0, FORMER_S)
    kill(node)
    restart(node)
    failed, samples = run(RESTART_S, 2 * number + 1)
    return {"former": former, "failed": failed, "asked": 1 - hit_rate(samples, 0, RESTART_S),
            "first_hits": hit_rate(samples, 0, 1), **back_after(samples, BACK * former)}


class Asked(threading.Thread):
    """Looks from its start on, every PACE seconds, how often the origin was asked: `samples`."""

    PACE = 0.05

    def __init__(self, origin):
        super().__init__()
        self.origin, self.samples, self.over = origin, [(0.0, 0)], threading.Event()
        self.before = origin.asked()

    def run(self):
        begun = time.monotonic()
        while not self.over.wait(self.PACE):
            asked = self.origin.asked() - self.before
            self.samples.append((time.monotonic() - begun, asked))

    def close(self):
        self.over.set()
        self.join()


def hit_rate(samples, begin, end):
    """Part of the requests between two seconds that the origin heard nothing of."""
    first, last = (min(samples, key=lambda sample: abs(sample[0] - at)) for at in (begin, end))
    return 1 - (last[1] - first[1]) / (RESTART_RATE * (last[0] - first[0]))


def back_after(samples, wanted):
    """Seconds until WINDOW_S have begun as good as `wanted`; nothing if there were none."""
    for at, _ in samples:
        if at + WINDOW_S <= RESTART_S and hit_rate(samples, at, at + WINDOW_S) >= wanted:
            return {"former_s": at}
    return {}


# --- a lost edge --------------------------------------------------------------------------------


def edge_lost(bench, scenario):
    """One of three is killed while each has a third of the load; what it does not answer is asked
    of the next, as clients do whose name has three addresses."""
    return each_row(bench, Result(scenario, "open_loop.py"), _edge_lost)


def _edge_lost(bench, stack, row, number):
    origin, fleet = world(bench, stack, row)
    tokens, generator = Tokens(bench), generator_of(bench)
    after_s = max(bench.options.seconds, LOST_S)
    # Each has what its own clients ask for; so the two others do not have all of the third's.
    for at, node in enumerate(fleet.nodes):
        generator.whole_list(job_for(bench, node, FILLERS), tokens.drawn(KEYS, KEYS, at)[0], KEYS)
    paths, _ = tokens.drawn(KEYS, LOST_RATE * (LOST_S + after_s), 1000 + number)
    loader = open_loop(bench, stack, [node.port for node in fleet.nodes], LOST_RATE,
                       LOST_S + after_s, paths)
    time.sleep(LOST_S)
    asked = origin.asked()
    kill(fleet.nodes[number % COUNT])
    at = time.monotonic()
    said = json.loads(loader.communicate(timeout=after_s + 30)[0])
    after = [each for each in said["rows"] if each[0] + each[1] >= at]
    usual = quantiles(sorted(took for due, took, _ in said["rows"] if due + took < at))["p99_us"]
    return {"failed": sum(not good for _, _, good in said["rows"]), "again": said["again"],
            "again_share": said["again"] / len(after),
            "p99_us": quantiles(sorted(took for _, took, _ in after))["p99_us"] * 1e6,
            "extra_ms": max(max(took for _, took, _ in after) - usual, 0) * 1000,
            "asked": (origin.asked() - asked) / len(after)}


# --- a purge by tag -----------------------------------------------------------------------------

TAGGED = 10_000


def fleet_purge(bench, scenario):
    """TAGGED objects of one tag that three nodes have in memory and share in Redis."""
    result = Result(scenario, "watched every millisecond")
    for number, turn in rounds_alone(bench, result):
        with result.turn_of("scrollgate"), contextlib.ExitStack() as stack:
            turn["scrollgate"] = _purge(bench, stack, f"t{number}")
    return result


def _purge(bench, stack, tag):
    origin = stack.enter_context(bench.origin())
    redis = stack.enter_context(Redis(bench.folder, bench.load_core))
    # Filling them need not hurry; a purge has other deadlines.
    nodes = [stack.enter_context(Node(bench, origin.port, redis, timeout="1s"))
             for _ in range(COUNT)]
    for node in nodes:
        node.wait_in_step(COUNT)
    before = redis.size()
    paths = bench.folder / f"{tag}.urls"
    paths.write_text("".join(f"/tagged/{tag}/{n}\n" for n in range(TAGGED)))
    for node in nodes:
        generator_of(bench).whole_list(job_for(bench, node, FILLERS), paths, TAGGED)
    wait_until(lambda: redis.size() >= before + TAGGED, "the Redis has all of them")
    watches = [stack.enter_context(contextlib.closing(Watch(node.port, f"/tagged/{tag}/{at}")))
               for at, node in enumerate(nodes)]
    for watch in watches:
        watch.start()
    begun = time.monotonic()
    answer = nodes[0].purge(tag=tag)
    answered = time.monotonic() - begun
    wait_until(lambda: all(watch.missed_at for watch in watches), "nobody has them")
    everywhere = max(watch.missed_at for watch in watches) - begun
    # But for those that were asked for again meanwhile, and their tag.
    wait_until(lambda: redis.size() <= before + COUNT + 1, "the Redis has let go of them")
    reclaimed = time.monotonic() - begun
    if answer["objects"] < TAGGED or answer["nodes"] != COUNT:
        raise Failed(f"the purge of {TAGGED} objects on {COUNT} nodes was answered {answer}")
    return {"purge_ms": answered * 1000, "everywhere_ms": everywhere * 1000,
            "reclaimed_ms": reclaimed * 1000}
