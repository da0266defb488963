"""The load generators, each behind the same two questions: as much as possible (closed loop), or
at a fixed rate (open loop).

Every answer is a dict of figures: requests (that came back), failed, seconds, bytes (received),
p50_us, p99_us, p999_us. A figure that a generator cannot know is missing.
"""

import itertools
import json
import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from errors import Failed
from subjects import pinned

HERE = Path(__file__).resolve().parent
_runs = itertools.count()
QUANTILES = (("p50_us", 0.5), ("p99_us", 0.99), ("p999_us", 0.999))


@dataclass(frozen=True)
class Job:
    """What is asked of a generator. `{n}` in the URL is a number below `keys`, drawn evenly;
    `body` is a file that is posted; `core` where the generator is pinned, or None; `started` is
    called with its process id."""

    url: str
    seconds: float
    folder: Path
    core: int = None
    connections: int = 64
    streams: int = 1
    fields: tuple = ()
    body: Path = None
    keys: int = 1
    started: Callable = None


def run(job, command, fine=(0,)):
    """Runs the generator to its end, with one of the exit codes `fine`; what it says on stdout."""
    with subprocess.Popen([str(w) for w in pinned(job.core, command)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            if job.started:
                job.started(process.pid)
            said = process.communicate(timeout=job.seconds * 3 + 120)[0]
        except BaseException:
            process.kill()
            raise
    if process.returncode not in fine:
        raise Failed(f"{' '.join(map(str, command))}\nended with {process.returncode}: "
                     f"{said[-2000:]}")
    return said


class Wrk:
    """wrk for closed loops. It counts latency from the request's first byte, so the time of a
    handshake is not in it."""

    name = "wrk"

    def can(self, _url):
        return True

    def closed(self, job):
        command = ["wrk", "-t1", f"-c{job.connections}", f"-d{job.seconds}s", "--timeout", "60s"]
        for field in job.fields:
            command += ["-H", field]
        command += ["-s", HERE / "wrk.lua", job.url, "--", f"keys={job.keys}"]
        if job.body:
            command.append(f"body={job.body}")
        figures = json.loads(re.search(r"^JSON (.*)$", run(job, command), re.MULTILINE)[1])
        if "Connection: close" in job.fields:       # see above
            figures = _without_latency(figures)
        return figures

    def fixed_rate(self, job, rate):
        return h2load_row(job, rate)


class ScrollgateBench:
    """Our own load generator."""

    name = "scrollgate-bench"

    def __init__(self, binary):
        self.binary = binary

    def can(self, url):
        """Is one request to `url` answered? Not if it has no TLS yet, and `url` wants it."""
        command = [self.binary, url.replace("{n}", "0"), "-n", 1, "-c", 1, "--quiet",
                   "--insecure", "--expect-status", 200, "--fail-if", "errors>0"]
        return subprocess.run([str(w) for w in command], capture_output=True).returncode == 0

    def closed(self, job):
        return self._run(job, ())

    def handshakes(self, job, resume):
        """closed(), and how many handshakes there were: `handshakes`, of them `resumed`."""
        return self._run(job, ("--resume",) if resume else ())

    def fixed_rate(self, job, rate, arrivals="even", more=()):
        return self._run(job, ("--rate", rate, "--arrivals", arrivals, *more))

    def whole_list(self, job, urls, count, rate=None):
        """`count` requests for the paths in the file `urls`, in turn: as fast as answers come, or,
        with a rate, at random moments."""
        paced = ("--rate", rate, "--arrivals", "poisson") if rate else ()
        return self._run(job, ("--urls", urls, *paced), ("-n", count))

    def story(self, job, rate, more=()):
        """An open loop with random arrivals -> its JSON"""
        return self._told(job, ("--rate", rate, "--arrivals", "poisson", *more))

    def mixed(self, job, rate, patience_s, drill=()):
        """An open loop of which every fifth request is a POST, and what is not answered with 200
        within `patience_s` failed. `drill`: the arguments of a drill. -> its JSON"""
        out = job.folder / "mixed.json"
        command = [self.binary, *(["drill"] if drill else []), job.url, "-c", job.connections,
                   "-d", f"{job.seconds}s", "--workers", 1, "--quiet", "--json", out, "--rate",
                   rate, "--mix", "GET=80,POST=20", "--body", job.body, "--expect-status", 200,
                   "--by", "X-Cloud", "--timeout", f"{patience_s}s", *drill]
        run(job, command, (0, 1))       # 1: a drill that hit nothing, which its figures show
        return json.loads(out.read_text())

    def _run(self, job, more, span=None):
        said = self._told(job, more, span)
        latency = said["latency_ms"]
        good = said["statuses"].get("200", {"count": 0})["count"]
        return {"requests": good, "failed": said["failed"], "seconds": said["duration_s"],
                "bytes": said["bytes"]["in"], **said["tls"],
                "mean_us": latency["mean"] * 1000,
                **{name: latency[name[:-3]] * 1000 for name, _ in QUANTILES}}

    def _told(self, job, more, span=None):
        # Of its own: several may run at a time.
        out = job.folder / f"scrollgate-bench-{next(_runs)}.json"
        command = [self.binary, job.url, "-c", job.connections,
                   *(span or ("-d", f"{job.seconds}s")), "--workers", 1, "--quiet", "--json", out,
                   "--expect-status", 200, *more]
        for field in job.fields:
            command += ["-H", field]
        if job.body:
            command += ["-X", "POST", "--body", job.body]
        if "{n}" in job.url:
            command += ["--keys", job.keys]
        if job.url.startswith("https"):
            command.append("--insecure")
        run(job, command)
        said = json.loads(out.read_text())
        out.unlink()
        return said


def _without_latency(figures):
    return {name: value for name, value in figures.items() if name not in dict(QUANTILES)}


def choose(word, binary):
    """The generator that `--load` names; without a word, ours if it stands beside the proxy."""
    ours = Path(binary).with_name("scrollgate-bench") if binary else None
    if word is None:
        word = "scrollgate-bench" if ours and ours.exists() else "wrk"
    if word == "wrk":
        return Wrk()
    if ours is None or not ours.exists():
        raise FileNotFoundError("scrollgate-bench does not stand beside the scrollgate binary")
    return ScrollgateBench(ours)


# --- h2load -----------------------------------------------------------------------------------


def http2(job):
    """A closed loop over HTTP/2."""
    log = job.folder / "h2load.log"
    log.unlink(missing_ok=True)
    said = run(job, ["h2load", f"-c{job.connections}", f"-m{job.streams}", "-t1",
                     f"-D{job.seconds}", f"--log-file={log}", job.url.replace("{n}", "0")])
    times = sorted(took for _, status, took in _rows(log) if status == 200)
    counts = {word: int(n) for n, word in re.findall(r"(\d+) (failed|[345]xx)", said)}
    received = int(re.search(r"^traffic: \S+ \((\d+)\)", said, re.MULTILINE)[1])
    # What is under way at the end is in the count of 2xx, but has no time: it is not over.
    return {"requests": len(times), "seconds": job.seconds, "bytes": received,
            "failed": sum(counts.values()), **quantiles(times)}


def h2load_row(job, rate):
    """`rate` requests a second that do not wait for each other's answers.

    h2load paces a client by a 10 ms timer and fires all clients of one process together. So there
    is one process per 100 requests a second, started a fraction of 10 ms apart.
    """
    count = rate // 100
    logs = [job.folder / f"h2load-{i}.log" for i in range(count)]
    commands = [["h2load", "--h1", "-c1", "-t1", "--rps=100", f"-D{job.seconds + 1}",
                 f"--log-file={log}", *_addresses(job, i, count)] for i, log in enumerate(logs)]
    processes = []
    begin = time.monotonic()
    for i, command in enumerate(commands):
        logs[i].unlink(missing_ok=True)
        while time.monotonic() < begin + i * (0.02 + 0.01 / count):
            pass
        processes.append(subprocess.Popen(pinned(job.core, command), stdin=subprocess.DEVNULL,
                                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    for process in processes:
        process.wait()
    rows = [_rows(log) for log in logs]
    if not all(rows):
        raise Failed(f"h2load got no answer from {job.url}")
    first = max(row[0][0] for row in rows)     # all are running from here
    last = min(row[-1][0] for row in rows)     # to here
    seen = [entry for row in rows for entry in row if first <= entry[0] <= last]
    good = sorted(took for _, status, took in seen if status == 200)
    return {"requests": len(good), "seconds": (last - first) / 1e6, "bytes": 0,
            "failed": len(seen) - len(good), **quantiles(good)}


def _addresses(job, i, count):
    """The words that tell one h2load of a row what to ask for: many keys stand in a file."""
    if job.keys == 1:
        return [job.url.replace("{n}", "0")]
    file = job.folder / f"h2load-{i}.urls"
    # A stretch of the keys of its own that no earlier measurement has touched.
    start = next(_fresh_keys)
    file.write_text("".join(job.url.replace("{n}", str((start + n * count + i) % job.keys)) + "\n"
                            for n in range(int(job.seconds + 2) * 100)))
    return ["-i", str(file)]


def _counter(step):
    at = 0
    while True:
        yield at
        at += step


_fresh_keys = _counter(1000)


def fill_cache(job, http2=False):
    """Asks for every key twice, one after the other: afterwards a cache has them all, and in its
    fastest place."""
    file = job.folder / "fill.urls"
    file.write_text("".join(job.url.replace("{n}", str(n)) + "\n" for n in range(job.keys)))
    headers = [word for field in job.fields for word in ("-H", field)]
    for _ in range(2):
        run(job, ["h2load", *([] if http2 else ["--h1"]), "-c1", "-t1", f"-n{job.keys}", "-i", file,
                  *headers])


def _rows(log):
    """(start, status, microseconds) of every request."""
    return [tuple(map(int, line.split()[:3])) for line in log.read_text().splitlines()]


def quantiles(times):
    """Of sorted microseconds; empty if there are none."""
    return {name: times[min(int(len(times) * at), len(times) - 1)]
            for name, at in QUANTILES} if times else {}
