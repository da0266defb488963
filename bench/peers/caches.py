"""What is measured of caches besides a closed loop of hits: latency under half of the load that a
cache bears, metadata by Zipf's law, a stampede of misses, and conformance with the RFCs.

Each function takes the Bench and a scenario, and gives its Result.
"""

import contextlib
import sys
from dataclasses import replace
from pathlib import Path
from urllib.request import urlopen

import cache_tests
import load
import stampede
from errors import Failed, Unsupported
from result import Result
from subjects import HERE, Processes, free_port

TOKENS, ZIPF = 100_000, 1.0
METADATA_RATE = 2000        # requests a second
METADATA_S = 10             # seconds at least: after 20,000 requests six in ten are hits
NAMES = ("mean_us", "p50_us", "p99_us")


def half(bench, scenario):
    """First everybody shows what he can do at most, then has random arrivals at half of that.
    "direct" is the origin on the proxy's core, alike: what this machine does to anybody."""
    rates = {}

    def find_out(_scenario, generator, job):
        if generator.name != "scrollgate-bench":
            raise Failed("needs scrollgate-bench: h2load cannot pace so many requests")
        rates[job.url] = max(int(generator.closed(job)["requests"] / job.seconds / 2), 1)

    result = bench.turns(scenario, lambda generator, job: generator.fixed_rate(
        job, rates[job.url], "poisson"), "in place", warm_up=find_out)
    return bench.take_direct(result)


# --- metadata -----------------------------------------------------------------------------------


class MetadataOrigin(Processes):
    def __init__(self, folder, core, delay_ms):
        super().__init__("metadata-origin", folder, core)
        self.start([sys.executable, "-B", HERE / "metadata_origin.py", str(self.port),
                    str(delay_ms)])
        self.wait_until_it_accepts()

    def asked(self):
        with urlopen(f"http://127.0.0.1:{self.port}/asked", timeout=10) as answer:
            return int(answer.read())


def metadata(bench, scenario):
    """Each subject without its cache, with an empty one, and with one that has everything."""
    result = Result(scenario, "scrollgate-bench")
    try:
        generator = load.choose("scrollgate-bench", bench.options.scrollgate)
    except FileNotFoundError as error:
        result.cannot = dict.fromkeys(bench.options.subjects, str(error))
        return result
    for number, turn in bench.rounds(result):
        for name in bench.rotated_subjects(number):
            with result.turn_of(name), contextlib.ExitStack() as stack:
                origin = stack.enter_context(
                    MetadataOrigin(bench.folder, bench.load_core, scenario.delay_ms))
                run = MetadataRun(bench, generator, origin)
                figures = run.all_three(result, stack, name)
                if figures:
                    turn[name] = figures
                    result.complaints += _metadata_complaints(name, figures)
    return result


class MetadataRun:
    def __init__(self, bench, generator, origin):
        self.bench, self.generator, self.origin = bench, generator, origin
        self.requests = bench.folder / "tokens.urls"
        if not self.requests.exists():
            self.requests.write_text("".join(f"/token/{n}\n" for n in range(TOKENS)))

    def all_three(self, result, stack, name):
        """None if the subject cannot."""
        figures = {}
        for flags in (frozenset(), result.scenario.flags):
            subject = result.start(stack, name, self.bench.folder, self.bench.proxy_core,
                                   {**self.bench.values, "ORIGIN": self.origin.port}, flags)
            if subject is None:
                return None
            if flags:
                figures |= self._zipf(subject, "")
                self._warm(subject)
                figures |= self._zipf(subject, "warm_")
            else:
                figures |= self._zipf(subject, "off_")
            subject.stop()
        for prefix in ("", "warm_"):
            figures[prefix + "gain"] = figures["off_p50_us"] / figures[prefix + "p50_us"]
        return figures

    def _job(self, subject, path):
        return load.Job(subject.url(path), max(METADATA_S, self.bench.options.seconds),
                        self.bench.folder, self.bench.load_core, keys=TOKENS)

    def _zipf(self, subject, prefix):
        asked = self.origin.asked()
        answer = self.generator.fixed_rate(self._job(subject, "/token/{n}"), METADATA_RATE,
                                           "poisson", ("--zipf", ZIPF))
        asked = self.origin.asked() - asked
        return {prefix + "asked": asked / max(answer["requests"], 1),
                prefix + "failed": answer["failed"],
                **{prefix + name: answer[name] for name in NAMES}}

    def _warm(self, subject):
        job = replace(self._job(subject, "/"), seconds=3600)        # it ends with the list
        answer = self.generator.whole_list(job, self.requests, TOKENS)
        if answer["failed"]:
            raise Failed(f"{answer['failed']} requests failed while the cache was warmed")


def _metadata_complaints(name, figures):
    for prefix, what in (("off_", "without cache"), ("", "cold"), ("warm_", "warmed")):
        if figures[prefix + "failed"]:
            yield f"{name}: {what}: {figures[prefix + 'failed']} requests failed"
    if figures["off_asked"] < 0.99:
        yield f"{name}: without cache the origin was asked for {figures['off_asked']:.0%} only"
    if figures["warm_asked"] > 0.01:
        yield f"{name}: warmed, and the origin was asked for {figures['warm_asked']:.1%}"


# --- stampede, conformance ----------------------------------------------------------------------


def simultaneous(bench, scenario):
    """A thousand misses at once."""
    result = Result(scenario, "stampede.py")
    for number, turn in bench.rounds(result):
        for name in bench.rotated_subjects(number):
            with result.turn_of(name), contextlib.ExitStack() as stack:
                origin = stack.enter_context(stampede.HeldOrigin())
                subject = result.start(stack, name, *bench.place(origin, scenario.flags))
                if subject is None:
                    continue
                turn[name] = figures = stampede.measure(subject, origin)
                if figures["failed"]:
                    result.complaints.append(f"{name}: {figures['failed']} clients were not "
                                             "answered")
                if figures["second"] < 0.1:
                    result.complaints.append(f"{name}: one thread did the work alone")
    return result


def conformance(bench, scenario):
    """http-cache-tests; one round, because nothing of it is a matter of speed."""
    result = Result(scenario, cache_tests.PACKAGE)
    result.rounds.append({})
    binary = bench.options.scrollgate
    folder = (Path(binary).parent if binary else bench.folder) / "cache-tests"
    try:
        package = cache_tests.install(folder)
    except cache_tests.Unavailable as error:
        result.cannot = dict.fromkeys(bench.options.subjects, str(error))
        return result
    passes = {}
    for name in bench.options.subjects:
        with result.turn_of(name), contextlib.ExitStack() as stack:
            port = free_port("127.0.0.1")
            suite = stack.enter_context(cache_tests.Suite(package, port))
            subject = result.start(stack, name, bench.folder, None,
                                   {**bench.values, "ORIGIN": port}, scenario.flags)
            if subject is None:
                continue
            scores = suite.run(subject.url(""))
            result.rounds[0][name] = {group: len(scores.passes(group))
                                      for group in cache_tests.GROUPS}
            passes[name] = set(scores.passes("required"))
            totals = ", ".join(f"{len(scores.ids(group))} {group}"
                               for group in cache_tests.GROUPS)
            result.add_note(f"there are {totals}")
    if "scrollgate" in passes:
        others = set().union(*(passes[name] for name in passes if name != "scrollgate"))
        missing = set(scores.ids("required")) - passes["scrollgate"]
        result.add_note("required, passed by others alone: "
                        + (", ".join(sorted(missing & others)) or "none"))
        result.add_note("required, passed by nobody: "
                        + (", ".join(sorted(missing - others)) or "none"))
    return result
