"""One of three origins is lost under steady load: what do the clients see of it?"""

import contextlib
import json
import signal
import statistics
import subprocess
import sys
import time

from load import quantiles
from subjects import HERE, SlowOrigin, pinned

RATE = 500              # requests a second
STEADY = 2.0            # seconds before
CLEAN_MS = 100          # of extra latency: what takes longer is not clean
SIGNALS = {"kill": signal.SIGKILL, "freeze": signal.SIGSTOP}


def evaluate(rows, broken, ended):
    """rows of open_loop.py; when the origin was lost and when the load ended -> figures.

    Extra latency is what exceeds the median of the time before. `clean_s`: seconds from the loss to
    the answer of the last request that failed or took CLEAN_MS longer; if such still came in the
    last second, it is the whole time, and `clean` is 0. The quantiles are of all that ended after
    the loss.
    """
    usual = statistics.median(took for due, took, good in rows if due + took < broken)
    after = [row for row in rows if row[0] + row[1] >= broken]
    extra = [(took - usual) * 1000 for _, took, _ in after]
    bad = [due + took - broken for (due, took, good), more in zip(after, extra)
           if not good or more > CLEAN_MS]
    # Whether one is bad is known when it ends, but it was due before: that is what counts here.
    last_due = max((due for (due, _, good), more in zip(after, extra)
                    if not good or more > CLEAN_MS), default=broken)
    clean = last_due < ended - 1
    return {"failed": sum(not good for _, _, good in after),
            "extra_ms": max(extra), "slow": len(bad),
            "clean_s": max(bad, default=0.0) if clean else ended - broken,
            "clean": float(clean),
            "failed_before": sum(not good for due, took, good in rows if due + took < broken),
            "usual_ms": usual * 1000, **quantiles(sorted(took * 1e6 for _, took, _ in after))}


def drill(result, name, folder, proxy_core, load_core, values, seconds):
    """Starts three origins and the subject, breaks the first origin, returns the figures; None if
    the subject cannot do it, and `result` knows why."""
    with contextlib.ExitStack() as stack:
        origins = [stack.enter_context(SlowOrigin(folder, load_core)) for _ in range(3)]
        ports = {key: o.port for key, o in zip(("ORIGIN", "ORIGIN2", "ORIGIN3"), origins)}
        scenario = result.scenario
        subject = result.start(stack, name, folder, proxy_core, {**values, **ports},
                               scenario.flags)
        if subject is None:
            return None
        time.sleep(1)       # the first health checks
        cpu = subject.cpu_us()
        load = subprocess.Popen(
            pinned(load_core, [sys.executable, "-B", str(HERE / "open_loop.py"),
                               str(subject.port), str(RATE), str(STEADY + seconds)]),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        stack.callback(load.wait)
        stack.callback(load.kill)
        begin = time.monotonic()
        time.sleep(STEADY)
        in_flight = origins[0].in_flight()
        origins[0].signal(SIGNALS[scenario.fatal])
        broken = time.monotonic()
        rows = json.loads(load.communicate(timeout=seconds + 30)[0])["rows"]
        cpu, memory = subject.cpu_us() - cpu, subject.memory()
    return {**evaluate(rows, broken, begin + STEADY + seconds), "in_flight": in_flight,
            "rate": len(rows) / (STEADY + seconds), "cpu_us": cpu / len(rows),
            "memory_mib": memory / 2 ** 20}
