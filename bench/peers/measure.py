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
from pathlib import Path

import failover
import load
import machine
from crowd import idle_crowd
from scenarios import MIB
from subjects import Origin, Subject, Unsupported

RATE = 2000         # requests a second of the latency scenarios


def say(text):
    print(text, file=sys.stderr, flush=True)


class Result:
    """rounds: per round, subject -> figures. cannot: subject -> why it is not among them.
    complaints: lines about figures that are not what they should be."""

    def __init__(self, scenario):
        self.scenario, self.rounds, self.cannot, self.complaints = scenario, [], {}, []


class Bench:
    def __init__(self, options, folder, generator):
        self.options, self.folder, self.generator = options, Path(folder), generator
        usable = sorted(os.sched_getaffinity(0))
        self.proxy_core, self.load_core = usable[:2] if len(usable) > 1 else (None, None)
        self.values = {"BINARY": options.scrollgate}
        self._make_files()

    def _make_files(self):
        files = self.folder / "files"
        files.mkdir()
        for name, size in (("16k", 16 * 1024), ("1m", MIB), ("64m", 64 * MIB), ("upload", 1)):
            (files / name).write_bytes(os.urandom(min(size, MIB)) * max(size // MIB, 1))
        self.values["FILES"] = files
        key, cert, both = (self.folder / name for name in ("key.pem", "cert.pem", "both.pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
                        "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
                        "-keyout", key, "-out", cert], check=True, capture_output=True)
        both.write_bytes(cert.read_bytes() + key.read_bytes())
        self.values.update(KEY=key, CERT=cert, PEM=both)

    def run(self, scenario):
        """Measures one scenario; returns its Result."""
        return getattr(self, "_" + scenario.kind)(scenario)

    # --- subjects that take turns -------------------------------------------------------------

    def _origin(self):
        return Origin(self.folder, self.load_core, self.values["FILES"])

    def _start(self, name, origin, flags):
        return Subject(name, self.folder, self.proxy_core,
                       {**self.values, "ORIGIN": origin.port}, flags)

    def _job(self, scenario, url):
        body = self.values["FILES"] / "1m" if scenario.upload else None
        return load.Job(url, self.options.seconds, self.folder, self.load_core,
                        scenario.connections, scenario.fields, body, scenario.keys)

    def _turns(self, scenario, measure, direct=False):
        """Each round, measure(subject, job, origin) for every subject; with `direct` also for the
        origin itself."""
        result = Result(scenario)
        with contextlib.ExitStack() as stack:
            origin = stack.enter_context(self._origin())
            subjects = {"origin": origin} if direct else {}
            for name in self.options.subjects:
                try:
                    subjects[name] = stack.enter_context(self._start(name, origin, scenario.flags))
                except Unsupported as error:
                    result.cannot[name] = str(error)
            jobs = {n: self._job(scenario, s.url(scenario.path)) for n, s in subjects.items()}
            for name, job in jobs.items():
                self._warm_up(scenario, job, name != "origin")
            for number in range(self.options.rounds):
                say(f"{scenario.name}: round {number + 1}")
                result.rounds.append({n: measure(s, jobs[n], origin) for n, s in subjects.items()})
        return result

    def _warm_up(self, scenario, job, caches):
        short = load.Job(**{**job.__dict__, "seconds": 1})
        if scenario.fill and caches:
            load.fill_cache(job)
        if scenario.kind == "http2":
            load.http2(short)
        else:
            load.Wrk().closed(short)

    # --- kinds --------------------------------------------------------------------------------

    def _closed(self, scenario):
        loop = load.http2 if scenario.kind == "http2" else self.generator.closed
        result = None

        def measure(subject, job, origin):
            with Observed(subject, origin, self.proxy_core, job.seconds) as seen:
                answer = loop(job)
            return seen.figures(scenario, answer)

        result = self._turns(scenario, measure)
        result.complaints = [line for turn in result.rounds for name, figures in turn.items()
                             for line in complaints(scenario, name, figures)]
        return result

    _http2 = _closed

    def _latency(self, scenario):
        def measure(_subject, job, _origin):
            answer = self.generator.fixed_rate(job, RATE)
            return {"rate": answer["requests"] / answer["seconds"], "failed": answer["failed"],
                    **{name: answer[name] for name, _ in load.QUANTILES}}

        result = self._turns(scenario, measure, direct=True)
        for turn in result.rounds:
            direct = turn.pop("origin")
            for figures in turn.values():
                for name, _ in load.QUANTILES:
                    figures["added_" + name] = figures[name] - direct[name]
                    figures["direct_" + name] = direct[name]
        result.complaints = [f"{name}: {figures['failed']} requests failed"
                             for turn in result.rounds for name, figures in turn.items()
                             if figures["failed"]]
        return result

    def _idle(self, scenario):
        result = Result(scenario)
        for number in range(self.options.rounds):
            say(f"{scenario.name}: round {number + 1}")
            result.rounds.append({})
            for name in self.options.subjects:
                # A fresh one each time: memory is not given back.
                with self._origin() as origin, self._start(name, origin, scenario.flags) as subject:
                    url = subject.url(scenario.path)
                    load.Wrk().closed(load.Job(url, 1, self.folder, self.load_core))
                    before = subject.memory()
                    with idle_crowd(subject.port, scenario.path, self.options.idle) as crowd:
                        time.sleep(3)       # buffers go back, upstream connections settle
                        grown = subject.memory() - before
                        result.rounds[-1][name] = {"bytes_per_connection": grown / len(crowd),
                                                   "before_mib": before / MIB}
        return result

    def _failover(self, scenario):
        result = Result(scenario)
        for number in range(self.options.rounds):
            say(f"{scenario.name}: round {number + 1}")
            result.rounds.append({})
            for name in self.options.subjects:
                try:
                    figures = failover.drill(name, scenario, self.folder,
                                             (self.proxy_core, self.load_core), self.values,
                                             3 * self.options.seconds)
                except Unsupported as error:
                    result.cannot[name] = str(error)
                    continue
                result.rounds[-1][name] = figures
                if not figures["in_flight"]:
                    result.complaints.append(f"{name}: nothing was in flight on the lost origin")
                if figures["failed_before"]:
                    result.complaints.append(f"{name}: {figures['failed_before']} requests failed "
                                             "before anything was broken")
        return result

    def _generator(self, scenario):
        """wrk and scrollgate-bench against nginx alone, which has the proxy's core."""
        result = Result(scenario)
        generators = [load.Wrk()]
        try:
            generators.append(load.choose("scrollgate-bench", self.options.scrollgate))
        except FileNotFoundError as error:
            result.cannot["scrollgate-bench"] = f"not yet: {error}"
        with Origin(self.folder, self.proxy_core, self.values["FILES"]) as target:
            job = self._job(scenario, target.url(scenario.path))
            for number in range(self.options.rounds):
                say(f"{scenario.name}: round {number + 1}")
                result.rounds.append({})
                for generator in generators:
                    before = resource.getrusage(resource.RUSAGE_CHILDREN)
                    served = target.counts()[1]
                    answer = generator.closed(job)
                    served = target.counts()[1] - served - 1
                    after = resource.getrusage(resource.RUSAGE_CHILDREN)
                    cpu = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
                    requests = max(answer["requests"], 1)
                    result.rounds[-1][generator.name] = {
                        "rate": answer["requests"] / answer["seconds"],
                        "cpu_us": cpu * 1e6 / requests, "failed": answer["failed"],
                        **{name: answer[name] for name, _ in load.QUANTILES}}
                    if not requests <= served <= requests + job.connections:
                        result.complaints.append(f"{generator.name}: counted {requests} requests, "
                                                 f"nginx {served}")
        return result


class Observed:
    """What a subject uses and what reaches the origin while the `with` block runs."""

    def __init__(self, subject, origin, core, seconds):
        self.subject, self.origin, self.core = subject, origin, core
        # Late in the measurement, with all buffers in use.
        self.timer = threading.Timer(seconds * 0.7, self._look)
        self.memory = 0

    def _look(self):
        self.memory = self.subject.memory()

    def _now(self):
        everybody = 0 if self.core is None else machine.Cores.busy_s(self.core)
        return [time.monotonic(), self.subject.cpu_us() / 1e6, everybody]

    def __enter__(self):
        self.counts = self.origin.counts()
        self.before = self._now()
        self.timer.start()
        return self

    def __exit__(self, *_):
        self.used = [b - a for a, b in zip(self.before, self._now())]
        self.timer.cancel()
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
        return {"rate": units / answer["seconds"], "cpu_us": cpu * 1e6 / max(units, 1e-9),
                **{name: answer[name] for name, _ in load.QUANTILES if name in answer},
                "memory_mib": self.memory / MIB, "busy": cpu / elapsed,
                "others": max(everybody - cpu, 0) / elapsed if everybody else 0,
                "requests": answer["requests"], "failed": answer["failed"],
                "origin_requests": self.origin_requests,
                "origin_connections": self.origin_connections}


def complaints(scenario, name, figures):
    """What is wrong with the figures of a closed loop, in words."""
    at_once = scenario.connections
    if not figures["rate"]:
        yield f"{name}: nothing was answered"
        return
    if figures["failed"]:
        yield f"{name}: {figures['failed']} requests failed"
    answered, asked = figures["requests"], figures["origin_requests"]
    # Those under way at the end were asked for and never counted.
    if scenario.fill and asked > answered / 100 + at_once:
        yield f"{name}: no cache hits, the origin was asked {asked} times for {answered} requests"
    if not scenario.fill and not 0.99 * answered <= asked <= 1.01 * answered + at_once:
        yield f"{name}: the origin was asked {asked} times for {answered} requests"
    if figures["origin_connections"] > at_once * 4 + asked / 20:
        yield (f"{name}: {figures['origin_connections']} connections to the origin for {asked} "
               "requests, so they are not kept")
