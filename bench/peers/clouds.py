"""The cloud drills: three clouds of two endpoints under a steady load of GETs and POSTs, and
something happens to one cloud. scrollgate-bench loads and counts; the endpoints' own counts tell
where the requests went.
"""

import bisect
import contextlib
import time

import load
from cloud_world import (BREAKAGES, CLOUDS, PER_CLOUD, PERIOD, Blackhole, World, own_network,
                         trigger)
from errors import Failed, Unsupported
from subjects import Subject

STEADY = 2              # seconds before something happens
SETTLE = 0.5            # seconds for the first health checks
PATIENCE = 2            # seconds: a client that has no answer by then has given up
CONNECTIONS = 4000      # opened as needed: all that is due within PATIENCE may stand still
WINDOW = 1.0            # seconds over which a share is taken, a whole turn of what flaps
LATER = 2.0             # seconds after the start at which a share is taken
BACK = 0.8              # of its share before: then an endpoint is back

# Of `balance`: how many requests an endpoint works on at a time, and what of all that they then can
# do is asked of them.
SLOTS, UTILISATION = 2, 0.7
POLICIES = (("scrollgate", "adaptive"), ("scrollgate", "round_robin"),
            ("scrollgate", "least_requests"), ("haproxy", "least_requests"),
            ("haproxy", "round_robin"), ("nginx", "least_requests"))


def victim_of(number):
    """The cloud that round `number` happens to: each in its turn."""
    return (number + 1) % len(CLOUDS)


def capacity():
    """Requests a second that all endpoints can do with SLOTS."""
    return sum(PER_CLOUD * SLOTS * 1000 / delay for _, delay in CLOUDS)


# --- figures ----------------------------------------------------------------------------------


def seen_between(samples, begin, end):
    """What each endpoint has seen from `begin` to `end`, by the samples nearest to them."""
    times = [at for at, _ in samples]

    def nearest(moment):
        at = bisect.bisect_left(times, moment)
        near = [i for i in (at - 1, at) if 0 <= i < len(times)]
        return samples[min(near, key=lambda i: abs(times[i] - moment))][1]

    return [b - a for a, b in zip(nearest(begin), nearest(end))]


def share(samples, victims, begin, end):
    """The victims' share of what all endpoints have seen; None if they have seen nothing."""
    seen = seen_between(samples, begin, end)
    return sum(seen[v] for v in victims) / sum(seen) if sum(seen) else None


def back_after(samples, victims, broken, back, ended):
    """Seconds from `back` until the victims have BACK of their share before `broken` again, over
    half a WINDOW, which is the least that this can be; None if they do not."""
    usual = share(samples, victims, broken - WINDOW, broken)
    for moment, _ in samples:
        if moment - WINDOW / 2 < back or moment > ended:
            continue
        if (share(samples, victims, moment - WINDOW / 2, moment) or 0) >= BACK * usual:
            return moment - back
    return None


def of_the_run(said, seen):
    """Figures of any run: `said` by scrollgate-bench, `seen` requests by all endpoints."""
    latency = said["latency_ms"]
    return {"per_request": seen / max(said["requests"], 1), "rate": said["rate"]["achieved"],
            "mean_us": latency["mean"] * 1000,
            **{name: latency[name[:-3]] * 1000 for name, _ in load.QUANTILES}}


def of_the_drill(said, on_victims, unread):
    """Figures of what the clients felt. Extra latency is what exceeds the p99 of the time before.
    `clean_s`: as scrollgate-bench has it; if it was never clean, the whole time, and `clean` is 0.
    `on_victims`: POSTs that were on them, None if unknown; `unread`: requests on them besides that
    may be GETs or POSTs. `post_elsewhere`: POSTs that failed without such an excuse, at least.
    """
    drill = said["drill"]
    get, post = drill["methods"]["GET"], drill["methods"]["POST"]
    clean = get["until_clean_ms"]

    def extra(method):
        """Whoever gave up has waited that long, too."""
        gave_up = "timeout" in method["failures"]
        return max(method["longest_extra_ms"],
                   PATIENCE * 1000 - method["usual_ms"] if gave_up else 0)

    found = {"get_failed": get["failed"], "post_failed": post["failed"],
             "get_extra_ms": extra(get), "usual_ms": get["usual_ms"],
             "post_extra_ms": extra(post), "in_flight": drill["in_flight"],
             "clean_s": said["duration_s"] - drill["at_s"] if clean is None else clean / 1000,
             "clean": float(clean is not None),
             "failed_before": said["failed"] - drill["failed"],
             "unsent": said["generator"]["unsent"]}
    if on_victims is not None:
        found["post_on_victims"] = on_victims
        found["unread"] = unread
        found["post_elsewhere"] = max(post["failed"] - on_victims - unread, 0)
    return found


def of_the_shares(samples, victims, broken, ended):
    """The victims' share of the traffic before, LATER, and at the end."""
    shares = {"share_before": share(samples, victims, broken - WINDOW, broken),
              "share_later": share(samples, victims, broken + LATER, broken + LATER + WINDOW),
              "share_end": share(samples, victims, ended - WINDOW, ended)}
    return {name: value for name, value in shares.items() if value is not None}


def of_the_return(said, samples, victims, breakage, ended):
    """When the killed endpoint had its share back, and what failed after it was there again. The
    slice in which that happened counts: what failed in it may have failed for the kill."""
    returned = said["drill"]["at_s"] + breakage.back_at - breakage.at
    failed = sum(s["failed"] for s in said["timeline"]["slices"] if s["t_s"] >= returned)
    found = {"failed_after_return": failed}
    back = back_after(samples, victims, breakage.at, breakage.back_at, ended)
    if back is not None:
        found["back_s"] = back
    return found


# --- drills -----------------------------------------------------------------------------------


class Stage:
    """What all runs of one `bench` share. Raises FileNotFoundError without scrollgate-bench."""

    def __init__(self, bench):
        self.bench = bench
        self.generator = load.choose("scrollgate-bench", bench.options.scrollgate)

    def job(self, subject, seconds):
        return load.Job(subject.url("/"), seconds, self.bench.folder, self.bench.load_core,
                        CONNECTIONS, body=self.bench.values["FILES"] / "upload")

    def world(self, slots=0):
        return World(self.bench.folder, self.bench.load_core, slots)

    def place(self, world, flags):
        bench = self.bench
        return bench.folder, bench.proxy_core, {**bench.values, **world.values()}, flags

    def run(self, world, subject, job, rate, drill=()):
        """-> what scrollgate-bench said, and figures of the whole run."""
        time.sleep(SETTLE)
        cpu, seen = subject.cpu_us(), sum(world.seen())
        said = self.generator.mixed(job, rate, PATIENCE, drill)
        used, memory = subject.cpu_us() - cpu, subject.memory()
        figures = of_the_run(said, sum(world.seen()) - seen)
        return said, {**figures, "cpu_us": used / max(said["requests"], 1),
                      "memory_mib": memory / 2 ** 20, "behind": float(said["behind"])}


def drill(stage, result, name, number):
    """One drill in round `number`, which chooses the cloud that it happens to. None if the subject
    cannot do it, and `result` knows why."""
    cut_off = result.scenario.fatal in ("drop", "heal")
    network = own_network() if cut_off else contextlib.nullcontext()
    try:
        with network:
            return _drill(stage, result, name, number)
    except Unsupported as error:
        result.cannot[name] = str(error)
        return None


def _drill(stage, result, name, number):
    scenario, seconds = result.scenario, stage.bench.options.seconds
    with contextlib.ExitStack() as stack:
        world = stack.enter_context(stage.world())
        victims = world.of_cloud(victim_of(number), scenario.victims)
        breakage = BREAKAGES[scenario.fatal]([world.origins[v] for v in victims])
        subject = result.start(stack, name, *stage.place(world, scenario.flags))
        if subject is None:
            return None
        stack.callback(breakage.settle)
        port = stack.enter_context(trigger(breakage))
        how = (["--blackhole", breakage.victims[0].address] if isinstance(breakage, Blackhole) else
               ["--admin", f"http://127.0.0.1:{port}", "--fail", "victims"])
        if scenario.fatal == "heal":
            how += ["--for", f"{PERIOD}s"]
        begun, before = time.monotonic(), sum(world.seen())
        said, figures = stage.run(world, subject, stage.job(subject, STEADY + seconds),
                                  stage.bench.options.rate, [*how, "--at", f"{STEADY}s"])
        if said["drill"] is None:
            raise Failed("the drill did not take place")
        ended = begun + SETTLE + STEADY + seconds
        if isinstance(breakage, Blackhole):
            breakage.told(said["drill"], begun + SETTLE)
        samples = list(world.samples)
        breakage.settle()
        figures |= of_the_drill(said, breakage.posts, breakage.unread)
        # Once more: what is thawed has read what it was sent.
        figures["per_request"] = (sum(world.seen()) - before) / max(said["requests"], 1)
    if breakage.counts_tell:
        figures |= of_the_shares(samples, victims, breakage.at, ended)
    if breakage.back_at is not None:
        figures |= of_the_return(said, samples, victims, breakage, ended)
    return figures


def calm(stage, result, name):
    """Nothing breaks; the origins' own counts say how many requests there are of each."""
    with contextlib.ExitStack() as stack:
        world = stack.enter_context(stage.world())
        subject = result.start(stack, name, *stage.place(world, result.scenario.flags))
        return subject and _shared_out(stage, world, subject, stage.bench.options.rate)


def balance(stage, result, name, policy):
    """The same with bounded endpoints, at UTILISATION. In `result` it stands as "name policy"."""
    label = f"{name} {policy}"
    with contextlib.ExitStack() as stack:
        world = stack.enter_context(stage.world(SLOTS))
        place = stage.place(world, result.scenario.flags | {policy})
        try:
            subject = stack.enter_context(Subject(name, *place))
        except Unsupported as error:
            result.cannot[label] = str(error)
            return None
        return _shared_out(stage, world, subject, UTILISATION * capacity())


def _shared_out(stage, world, subject, rate):
    before = world.seen()
    said, figures = stage.run(world, subject, stage.job(subject, stage.bench.options.seconds), rate)
    seen = [now - then for now, then in zip(world.seen(), before)]
    for cloud, (name, _) in enumerate(CLOUDS):
        figures["share_" + name] = sum(seen[i] for i in world.of_cloud(cloud)) / max(sum(seen), 1)
    return {**figures, "failed": said["failed"], "unsent": said["generator"]["unsent"]}


def complaints(scenario, name, figures):
    """What makes the figures worthless, in words."""
    if scenario.kind != "clouds":
        return
    if not figures["in_flight"]:
        yield f"{name}: nothing was in flight on the victims"
    if figures["failed_before"] > 0:
        yield f"{name}: {figures['failed_before']} requests failed before anything happened"


def remark(result):
    """Adds to `result` what one must know to read the figures."""
    def about(text, holds):
        names = dict.fromkeys(name for turn in result.rounds for name, figures in turn.items()
                              if holds(figures))
        if names:
            result.add_note(f"{text} in some round: {', '.join(names)}")

    about("the load fell behind", lambda figures: figures["behind"])
    about("requests never left, all connections being busy,", lambda figures: figures["unsent"])
    about("not clean until the end", lambda figures: not figures.get("clean", 1))
    if result.scenario.fatal in ("return", "thaw", "heal"):
        about("its share was not back by the end", lambda figures: "back_s" not in figures)
    if result.scenario.kind == "balance":
        result.add_note(f"{UTILISATION * capacity():.0f} requests/s; each endpoint works on "
                        f"{SLOTS} at a time")
    if result.scenario.kind == "clouds":
        result.add_note("the cloud it happens to, by round: " + ", ".join(
            CLOUDS[victim_of(number)][0] for number in range(len(result.rounds))))
