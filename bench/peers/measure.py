"""How each kind of scenario is measured.

All subjects of a scenario stay up and take turns, round after round, because a machine drifts
within minutes. A measurement gives figures, name -> number; what they mean stands in report.py.
"""

import contextlib
import os
import resource
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import caches
import clouds
import failover
import far_clouds
import fleets
import generators
import load
import machine
import purging
import tier
from check import judge
from crowd import idle_crowd
from errors import Failed
from result import Result
from scenarios import MIB
from subjects import Origin

RATE = 2000         # requests a second of the latency scenarios
OWN_DESCRIPTORS = 64    # what the bench has open besides an idle crowd, at most
# The kinds that are measured in files of their own, each by a function of (bench, scenario).
ELSEWHERE = {"half": caches.half, "metadata": caches.metadata, "simultaneous": caches.simultaneous,
             "purge": purging.purge, "conformance": caches.conformance, "tier": tier.steps,
             "trouble": tier.trouble, "cold": fleets.cold, "restart": fleets.after_restart,
             "edge_lost": fleets.edge_lost, "fleet_purge": fleets.fleet_purge,
             "far_purge": far_clouds.purge}


def say(text):
    print(text, file=sys.stderr, flush=True)


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder, self.generator = options, Path(folder), options.generator
        usable = sorted(os.sched_getaffinity(0))
        self.proxy_core, self.load_core = usable[:2] if len(usable) > 1 else (None, None)
        self.values = {"BINARY": options.scrollgate}
        self.judged = {}        # (subject, flags): what check.judge() said
        self._make_files()
        if options.check or any("tls" in scenario.flags for scenario in options.scenarios):
            self._make_certificate()

    def _make_files(self):
        files = self.folder / "files"
        files.mkdir()
        for name, size in (("16k", 16 * 1024), ("1m", MIB), ("64m", 64 * MIB), ("upload", 1)):
            (files / name).write_bytes(os.urandom(min(size, MIB)) * max(size // MIB, 1))
        self.values["FILES"] = files

    def _make_certificate(self):
        """One of a P-256 key, and one of an RSA key, whose values begin with RSA_."""
        for kind, words in (("", ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]),
                            ("RSA_", ["rsa:2048"])):
            key, cert, both = (self.folder / f"{kind.lower()}{name}.pem"
                               for name in ("key", "cert", "both"))
            subprocess.run(["openssl", "req", "-x509", "-newkey", *words, "-nodes", "-days", "30",
                            "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
                            "-keyout", key, "-out", cert], check=True, capture_output=True)
            both.write_bytes(cert.read_bytes() + key.read_bytes())
            self.values.update({kind + "KEY": key, kind + "CERT": cert, kind + "PEM": both})

    def run(self, scenario):
        """Measures one scenario; returns its Result. Before that everybody is judged, once for all
        scenarios that are configured alike: figures of who does other work are WRONG."""
        wrong = []
        if scenario.kind != "generator":
            flags = scenario.flags - {"log"}
            for name in self.options.subjects:
                if (name, flags) not in self.judged:
                    self.judged[name, flags] = judge(self, name, flags)
                wrong += self.judged[name, flags]
        result = Result(scenario, self.generator.name)
        with result.turn_of("the bench"):       # what is no subject's fault, an origin's perhaps
            run = ELSEWHERE.get(scenario.kind)
            result = run(self, scenario) if run else getattr(self, "_" + scenario.kind)(scenario)
        result.complaints = wrong + result.complaints
        return result

    # --- subjects that take turns -------------------------------------------------------------

    def origin(self):
        return Origin(self.folder, self.load_core, self.values["FILES"])

    def place(self, origin, flags):
        """What a Subject is told besides its name."""
        return self.folder, self._core(flags), {**self.values, "ORIGIN": origin.port}, flags

    def _core(self, flags):
        """Where a proxy is pinned: two workers have the core of the load besides."""
        both = "two" in flags and self.proxy_core is not None
        return f"{self.proxy_core},{self.load_core}" if both else self.proxy_core

    def _alone(self, scenario):
        """The core that nobody but the proxy uses, if there is one."""
        return None if "two" in scenario.flags else self.proxy_core

    def rotated_subjects(self, number):
        return rotated(self.options.subjects, number)

    def _job(self, scenario, url):
        body = self.values["FILES"] / "1m" if scenario.upload else None
        return load.Job(url, self.options.seconds, self.folder, self.load_core,
                        scenario.connections, scenario.streams, scenario.fields, body,
                        scenario.keys)

    def rounds(self, result):
        """Counts the rounds, with a dict for the figures of each."""
        for number in range(self.options.rounds):
            say(f"{result.scenario.name}: round {number + 1}")
            result.rounds.append({})
            yield number, result.rounds[-1]

    def turns(self, scenario, loop, direct=False, warm_up=None):
        """Each round, loop(generator, job) with every subject; with `direct` also with the origin
        itself, whose figures are named so: where it is, or "in place": a second one where the
        proxies are. Before the first, warm_up(scenario, generator, job)."""
        result = Result(scenario, self.generator.name)
        with contextlib.ExitStack() as stack:
            origin = stack.enter_context(self.origin())
            subjects = {}
            for name in self.options.subjects:
                with result.turn_of(name):
                    subject = result.start(stack, name, *self.place(origin, scenario.flags))
                    if subject:
                        subjects[name] = subject
            if not subjects:
                return result
            if direct == "in place":
                subjects["origin"] = stack.enter_context(
                    Origin(self.folder, self._core(scenario.flags), self.values["FILES"]))
            elif direct:
                subjects["origin"] = origin
            jobs = {n: self._job(scenario, s.url(scenario.path)) for n, s in subjects.items()}
            generator = self._generator_for(result, [job.url for job in jobs.values()])
            for name, job in jobs.items():
                with step(result, subjects, name):
                    if scenario.fill and name != "origin":
                        load.fill_cache(job, scenario.kind == "http2")
                    (warm_up or self._warm_up)(scenario, generator, job)
            for number, turn in self.rounds(result):
                # Whoever comes first in one round comes last in the next.
                for name in rotated(list(subjects), number):
                    with step(result, subjects, name) as subject:
                        asked = subject if name == "origin" else origin
                        with Observed(subject, asked, self._alone(scenario),
                                      jobs[name].seconds) as o:
                            answer = loop(generator, jobs[name])
                        turn[name] = o.figures(scenario, answer)
        self._judge(result)
        return result

    def _generator_for(self, result, urls):
        """The chosen generator if it can load one of `urls`; wrk if not. h2load for HTTP/2: it is
        nobody's of those that are compared."""
        generator = self.generator
        if result.scenario.kind == "http2":
            result.load = "h2load"
        elif not any(map(generator.can, urls)):
            result.add_note(f"load by wrk: {generator.name} cannot do this yet")
            generator = load.Wrk()
            result.load = generator.name
        if "Connection: close" in result.scenario.fields and generator.name == "wrk":
            result.add_note("no latency: wrk counts it without the handshake")
        return generator

    def _warm_up(self, scenario, generator, job):
        short = replace(job, seconds=1)
        if scenario.kind == "http2":
            load.http2(short)
        elif scenario.kind == "latency":
            generator.fixed_rate(short, RATE)
        else:
            generator.closed(short)

    @staticmethod
    def _judge(result):
        for turn in result.rounds:
            for name, figures in turn.items():
                result.complaints += complaints(result.scenario, name, figures)
        others = max((figures["others"] for turn in result.rounds for figures in turn.values()),
                     default=0)
        if others > 0.05:
            result.add_note(f"others used up to {others:.0%} of the proxy's core meanwhile")

    # --- kinds --------------------------------------------------------------------------------

    def _closed(self, scenario):
        return self.turns(scenario, lambda generator, job: generator.closed(job))

    def _handshakes(self, scenario):
        resume = "resume" in scenario.flags
        if self.generator.name != "scrollgate-bench":
            raise Failed("only scrollgate-bench counts handshakes and resumes sessions")
        result = self.turns(scenario, lambda generator, job: generator.handshakes(job, resume))
        for turn in result.rounds:
            for name, figures in turn.items():
                result.complaints += handshake_complaints(scenario, name, figures)
        return result

    def _http2(self, scenario):
        return self.turns(scenario, lambda _generator, job: load.http2(job))

    def _latency(self, scenario):
        return self.take_direct(self.turns(
            scenario, lambda generator, job: generator.fixed_rate(job, RATE), True))

    @staticmethod
    def take_direct(result):
        """Turns the origin's own figures into what each of the others adds to them."""
        for turn in result.rounds:
            direct = turn.pop("origin", {})
            for figures in turn.values():
                for name, _ in load.QUANTILES:
                    if name in figures and name in direct:
                        figures["added_" + name] = figures[name] - direct[name]
                        figures["direct_" + name] = direct[name]
        return result

    def _idle(self, scenario):
        result = Result(scenario, self.generator.name)
        room = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - OWN_DESCRIPTORS
        if self.options.idle > room:
            raise Failed(f"the limit of open descriptors (ulimit -n) leaves room for {room} idle "
                         f"connections, not for {self.options.idle}")
        for _number, turn in self.rounds(result):
            for name in self.options.subjects:
                # A fresh one each time: memory is not given back.
                with result.turn_of(name), contextlib.ExitStack() as stack:
                    origin = stack.enter_context(self.origin())
                    subject = result.start(stack, name, *self.place(origin, scenario.flags))
                    if subject:
                        turn[name] = self._crowd(scenario, subject)
        return result

    def _crowd(self, scenario, subject):
        url = subject.url(scenario.path)
        self.generator.closed(load.Job(url, 1, self.folder, self.load_core))
        before = subject.memory()
        certificate = subject.values["CERT"] if "tls" in scenario.flags else None
        with idle_crowd(subject.port, scenario.path, self.options.idle, certificate) as crowd:
            time.sleep(3)       # buffers go back, upstream connections settle
            after = subject.memory()
            crowd.still_there()
        return {"bytes_per_connection": (after - before) / crowd.count,
                "before_mib": before / MIB, "memory_mib": after / MIB}

    def _failover(self, scenario):
        result = Result(scenario, "open_loop.py")
        for _number, turn in self.rounds(result):
            for name in self.options.subjects:
                figures = None
                with result.turn_of(name):
                    figures = failover.drill(result, name, self.folder, self.proxy_core,
                                             self.load_core, self.values, 3 * self.options.seconds)
                if figures is None:
                    continue
                turn[name] = figures
                if not figures["in_flight"]:
                    result.complaints.append(f"{name}: nothing was in flight on the lost origin")
                if figures["failed_before"]:
                    result.complaints.append(f"{name}: {figures['failed_before']} requests failed "
                                             "before anything was broken")
        return result

    def _clouds(self, scenario):
        return self._on_clouds(scenario, self.options.subjects, clouds.drill)

    def _calm(self, scenario):
        return self._on_clouds(scenario, self.options.subjects,
                               lambda stage, result, name, _number:
                               clouds.calm(stage, result, name))

    def _balance(self, scenario):
        """Its subjects are policies of some of them."""
        policies = {f"{name} {policy}": (name, policy) for name, policy in clouds.POLICIES
                    if name in self.options.subjects}
        return self._on_clouds(scenario, list(policies),
                               lambda stage, result, label, _number:
                               clouds.balance(stage, result, *policies[label]))

    def _on_clouds(self, scenario, names, run):
        """Each round, run(stage, result, name, number of the round) for every name."""
        result = Result(scenario, "scrollgate-bench")
        try:
            stage = clouds.Stage(self)
        except FileNotFoundError as error:
            result.cannot = dict.fromkeys(names, str(error))
            return result
        for number, turn in self.rounds(result):
            for name in rotated(names, number):
                figures = None
                with result.turn_of(name):
                    figures = run(stage, result, name, number)
                if figures is None:
                    continue
                turn[name] = figures
                result.complaints += clouds.complaints(scenario, name, figures)
        clouds.remark(result)
        return result

    def _generator(self, scenario):
        result = Result(scenario, "both")
        both = [load.Wrk()]
        try:
            both.append(load.choose("scrollgate-bench", self.options.scrollgate))
        except FileNotFoundError as error:
            result.cannot["scrollgate-bench"] = str(error)
        with Origin(self.folder, self.proxy_core, self.values["FILES"]) as target:
            job = self._job(scenario, target.url(scenario.path))
            for number, turn in self.rounds(result):
                for generator in rotated(both, number):
                    with result.turn_of(generator.name):
                        turn[generator.name] = generators.measure(generator, job, target)
                result.complaints += generators.complaints(turn, job.connections)
        result.notes += generators.notes(result.rounds)
        return result


def rotated(things, number):
    at = number % max(len(things), 1)
    return things[at:] + things[:at]


@contextlib.contextmanager
def step(result, subjects, name):
    """The `with` block does something with one of the subjects that stay up. If it fails, `result`
    knows, and the subject is ended and no longer one of them."""
    subject = subjects.get(name)
    with result.turn_of(name):
        try:
            yield subject
            return
        except Exception as error:
            subject.explain(error)
            subjects.pop(name).stop()
            raise


class Observed:
    """What a subject uses and what reaches the origin while the `with` block runs."""

    def __init__(self, subject, origin, core, seconds):
        self.subject, self.origin, self.core = subject, origin, core
        # Late in the measurement, with all buffers in use.
        self.timer = threading.Timer(seconds * 0.7, self._look)
        self.memory = 0

    def _look(self):
        with contextlib.suppress(OSError):      # it has just ended, and the load will notice
            self.memory = self.subject.memory()

    def _now(self):
        everybody = 0 if self.core is None else machine.Cores.busy_s(self.core)
        return [time.monotonic(), self.subject.cpu_us() / 1e6, everybody]

    def __enter__(self):
        self.counts = self.origin.counts()
        self.before = self._now()
        self.timer.start()
        return self

    def __exit__(self, _kind, error, _trace):
        self.timer.cancel()
        if error:
            return
        self.used = [b - a for a, b in zip(self.before, self._now())]
        self.timer.join()
        connections, requests = (b - a for a, b in zip(self.counts, self.origin.counts()))
        # The last question is one of either.
        self.origin_connections, self.origin_requests = connections - 1, requests - 1

    def figures(self, scenario, answer):
        elapsed, cpu, everybody = self.used
        units = answer["requests"]
        if scenario.unit == "MiB":
            sent = answer["requests"] * scenario.upload
            units = (sent or answer["bytes"]) / MIB
        found = {"rate": units / answer["seconds"], "memory_mib": self.memory / MIB,
                 "busy": cpu / elapsed,
                 "others": max(everybody - cpu, 0) / elapsed if everybody else 0,
                 "requests": answer["requests"], "failed": answer["failed"],
                 "origin_requests": self.origin_requests,
                 "origin_connections": self.origin_connections,
                 **{name: answer[name] for name in ("handshakes", "resumed") if name in answer}}
        if units:
            found["cpu_us"] = cpu * 1e6 / units
            found |= {name: answer[name] for name, _ in load.QUANTILES if name in answer}
        return found


def handshake_complaints(scenario, name, figures):
    """A handshake of the right kind for every request, but for the first of each connection."""
    requests, shaken = figures["requests"], figures["handshakes"]
    if not requests <= shaken <= requests + scenario.connections:
        yield f"{name}: {shaken} handshakes for {requests} requests"
    resumed = figures["resumed"]
    wanted = shaken - scenario.connections if "resume" in scenario.flags else 0
    if not wanted <= resumed <= (shaken if wanted else 0):
        yield f"{name}: of {shaken} handshakes {resumed} went on from a session"


def complaints(scenario, name, figures):
    """What is wrong with the figures of a loop, in words."""
    at_once = scenario.connections * scenario.streams
    if not figures["rate"]:
        yield f"{name}: nothing was answered"
        return
    if figures["failed"]:
        yield f"{name}: {figures['failed']} requests failed"
    answered, asked = figures["requests"], figures["origin_requests"]
    hits = (scenario.fill or "own" in scenario.flags) and name != "origin"
    # Those under way at the end were asked for and never counted.
    if hits and asked > answered / 100 + at_once:
        yield f"{name}: no cache hits, the origin was asked {asked} times for {answered} requests"
    if not hits and not 0.99 * answered <= asked <= 1.01 * answered + at_once:
        yield f"{name}: the origin was asked {asked} times for {answered} requests"
    if figures["origin_connections"] > at_once * 4 + asked / 20:
        yield (f"{name}: {figures['origin_connections']} connections to the origin for {asked} "
               "requests, so they are not kept")
