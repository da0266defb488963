"""Objects that carry a tag are purged while others are hit: how long the answer takes, and what the
hits see of it.
"""

import contextlib
import statistics
import threading
import time

import load
from errors import Failed
from result import Result

TAGS, OBJECTS = 10, 10_000
HITS = 10_000       # keys that are hit
RATE = 5000         # hits a second
FILLERS = 32        # connections that ask for what is to be purged


def purge(bench, scenario):
    """Each round: hits alone, then hits while one tag after the other is purged."""
    result = Result(scenario, "scrollgate-bench")
    try:
        generator = load.choose("scrollgate-bench", bench.options.scrollgate)
    except FileNotFoundError as error:
        result.cannot = dict.fromkeys(bench.options.subjects, str(error))
        return result
    for number, turn in bench.rounds(result):
        for name in bench.rotated_subjects(number):
            with result.turn_of(name), contextlib.ExitStack() as stack:
                origin = stack.enter_context(bench.origin())
                subject = result.start(stack, name, *bench.place(origin, scenario.flags))
                if subject:
                    turn[name] = _measure(bench, generator, subject)
    return result


def _measure(bench, generator, subject):
    seconds = max(bench.options.seconds, 4)
    job = load.Job(subject.url("/hit/1k/{n}"), seconds, bench.folder, bench.load_core, keys=HITS)
    load.fill_cache(job)
    _fill_tagged(bench, generator, subject)
    calm = generator.fixed_rate(job, RATE, "poisson")
    busy = {}
    loader = threading.Thread(
        target=lambda: busy.update(generator.fixed_rate(job, RATE, "poisson")))
    loader.start()
    try:
        time.sleep(seconds * 0.2)
        took = []
        for tag in range(TAGS):
            begun = time.monotonic()
            objects = subject.admin("POST", "cache/purge", {"tag": f"t{tag}"})["objects"]
            took.append((time.monotonic() - begun) * 1000)
            if objects < OBJECTS:
                raise Failed(f"{objects} objects of t{tag} were purged, not {OBJECTS}")
            time.sleep(seconds * 0.6 / TAGS)
    finally:
        loader.join()
    return {"purge_ms": statistics.median(took), "purge_most_ms": max(took),
            "failed": calm["failed"] + busy["failed"],
            **{"calm_" + name: calm[name] for name, _ in load.QUANTILES},
            **{name: busy[name] for name, _ in load.QUANTILES}}


def _fill_tagged(bench, generator, subject):
    paths = bench.folder / "tagged.urls"
    paths.write_text("".join(f"/tagged/t{tag}/{n}\n"
                             for tag in range(TAGS) for n in range(OBJECTS)))
    job = load.Job(subject.url("/"), 3600, bench.folder, bench.load_core, connections=FILLERS)
    answer = generator.whole_list(job, paths, TAGS * OBJECTS)
    if answer["failed"]:
        raise Failed(f"{answer['failed']} requests failed while the cache was filled")
