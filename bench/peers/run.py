#!/usr/bin/env python3
"""Compares Scrollgate with nginx, HAProxy, Varnish and Traffic Server on this machine.

One proxy on the first core; the origin and the load on the second. All subjects of a scenario stay
up and take turns, round after round, because a machine drifts within minutes: a ratio is taken
within each round, against the best peer of that round. CPU is user and system time of all
processes of a proxy, per request (or MiB, or handshake). Where the proxy's core is not fully busy
("core %"), the load's core set the rate: then read the CPU time, not the rate. In the tables the
range over the rounds stands below each figure. What a subject cannot do is said, not left out.
The configurations are in bench/peers/configs. It ends with 1 if a figure is WRONG: requests failed,
or the origin saw something else than what the scenario is about.
"""

import argparse
import os
import resource
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import load
import machine
import report
import scenarios
from check import check
from measure import Bench, say
from recipes import PEERS

EXAMPLES = """
examples:
  ./dev bench pass hit                  the scenarios whose names begin so
  ./dev bench --check                   is everybody given the same work?
  ./dev bench --json build/bench.json   all of it, some two hours; written after every scenario
  ./dev bench --from build/bench.json --readme README.md
                                        that again as README's table, between its figures marks
"""


def make_parser():
    names = "\n".join(f"  {s.name:16} {s.title}" for s in scenarios.ALL)
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"scenarios (also by the part of their names before a dash):\n{names}\n{EXAMPLES}")
    add = parser.add_argument
    add("scenarios", nargs="*", metavar="SCENARIO", help="default: all")
    add("--scrollgate", metavar="FILE",
        help="the binary (./dev bench gives it); without, peers only")
    add("--subjects", metavar="NAME,…", help=f"of {', '.join(PEERS)}, scrollgate (default: all)")
    add("--rounds", type=int, default=3, help="in each of them everybody has a turn (default 3)")
    add("--seconds", type=int, default=4,
        help="of each measurement; of a cloud drill, from when something breaks (default 4)")
    add("--idle", type=int, default=10_000, help="idle connections (default 10000)")
    add("--rate", type=int, default=1500,
        help="requests a second of the cloud drills (default 1500)")
    add("--load", choices=["scrollgate-bench", "wrk"],
        help="load generator (default: scrollgate-bench if it stands beside the proxy's binary); "
             "HTTP/2 is always loaded by h2load")
    add("--check", action="store_true",
        help="only show what each subject sends to the origin, caches, agrees on and survives, and "
             "judge it, as is done before everything that is measured")
    add("--from", metavar="FILE", action="append", dest="earlier",
        help="measure nothing, show what --json wrote; may be repeated, of a scenario that is in "
             "several files the last counts")
    add("--json", metavar="FILE", help="write every round's figures, versions and machine there")
    add("--markdown", metavar="FILE", help="write README's table there")
    add("--readme", metavar="FILE", help="replace the table between the figures marks of this file")
    return parser


def tools_for(options):
    """The programs besides the subjects that the scenarios need."""
    needed = {"nginx", "taskset"}
    for scenario in options.scenarios:
        if "tls" in scenario.flags or options.check:
            needed |= {"openssl", "wrk"}
        if options.check:
            needed.add("h2load")
        if scenario.kind == "generator" or options.generator.name == "wrk":
            needed.add("wrk")
        if scenario.fatal in ("drop", "heal"):
            needed |= {"ip", "nft"}
        if scenario.kind in report.OWN_TABLES and scenario.kind != "balance":
            needed |= {"redis-server", "redis-cli", "ip"}
        if scenario.fill or scenario.kind == "http2" or (
                scenario.kind == "latency" and options.generator.name == "wrk"):
            needed.add("h2load")
    return needed


def options_from(arguments):
    parser = make_parser()
    options = parser.parse_args(arguments)
    if min(options.rounds, options.seconds, options.idle, options.rate) < 1:
        parser.error("--rounds, --seconds, --idle and --rate are at least 1")
    try:
        options.scenarios = scenarios.chosen(options.scenarios)
    except KeyError as error:
        parser.error(f"no such scenario: {error.args[0]}")
    everybody = [*PEERS, *(["scrollgate"] if options.scrollgate else [])]
    wanted = options.subjects.split(",") if options.subjects else everybody
    if unknown := set(wanted) - set(everybody):
        parser.error(f"no such subject: {', '.join(sorted(unknown))}")
    options.subjects = [name for name in everybody if name in wanted]
    if options.scrollgate:
        options.scrollgate = Path(options.scrollgate).resolve()
        if shutil.which(options.scrollgate) is None:
            parser.error(f"--scrollgate: there is no program {options.scrollgate}")
    for name in (options.json, options.markdown, options.readme):
        if name and not Path(name).resolve().parent.is_dir():
            parser.error(f"there is no folder for {name}")
    if options.readme:
        try:
            report.between_marks(Path(options.readme).read_text(), "")
        except (OSError, ValueError) as error:
            parser.error(f"--readme {options.readme}: {error}")
    if not options.earlier:
        choose_tools(parser, options)
    return options, parser


def choose_tools(parser, options):
    try:
        options.generator = load.choose(options.load, options.scrollgate)
    except FileNotFoundError as error:
        parser.error(f"--load: {error}")
    missing = [tool for tool in sorted(tools_for(options)) if shutil.which(tool) is None]
    if missing:
        parser.error(f"missing: {' '.join(missing)} (./dev bench installs them)")


def raise_descriptor_limit(wanted=65_536):
    """For the idle crowd: HAProxy wants two per connection. Beyond the hard limit only root may."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    for limit in (max(hard, wanted), hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
            return
        except (ValueError, OSError):
            continue


def facts_of(options):
    """Machine, versions and options, as JSON has them."""
    facts = {"machine": {**machine.describe(), "busy_before": round(machine.busy_share(), 3)},
             "versions": machine.versions(options.scrollgate),
             "options": {"rounds": options.rounds, "seconds": options.seconds,
                         "idle": options.idle, "rate": options.rate,
                         "load": options.generator.name}}
    say(", ".join(f"{key}: {value}" for key, value in facts["machine"].items()))
    say(", ".join(f"{name} {text}" for name, text in facts["versions"].items()))
    if facts["machine"]["busy_before"] > 0.05:
        say(f"NOTE: the machine is {facts['machine']['busy_before']:.0%} busy with something else; "
            "do not believe these figures")
    return facts


def measured(options):
    """Measures, and shows and writes what came out after every scenario."""
    raise_descriptor_limit()
    # So that everything that was started ends with us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    results = []
    with tempfile.TemporaryDirectory(prefix="scrollgate-bench-") as folder:
        bench = Bench(options, folder)
        if options.check:
            return check(bench, options.subjects)
        facts = facts_of(options)
        if bench.load_core is not None:
            os.sched_setaffinity(0, {bench.load_core})
        for scenario in options.scenarios:
            results.append(bench.run(scenario))
            print(report.table(results[-1]), flush=True)
            write(options, results, facts)
    return 1 if any(result.complaints for result in results) else 0


def write(options, results, facts):
    if options.json:
        Path(options.json).write_text(report.as_json(results, facts))
    if options.markdown:
        Path(options.markdown).write_text(report.markdown(results, facts))
    if options.readme:
        page = Path(options.readme)
        page.write_text(report.between_marks(page.read_text(), report.markdown(results, facts)))


def main(arguments):
    # Where Debian has nginx and its kin; users who are not root may not look there.
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    options, parser = options_from(arguments)
    if not options.earlier:
        return measured(options)
    try:
        results, facts = report.from_json(Path(name).read_text() for name in options.earlier)
    except (OSError, ValueError, LookupError) as error:
        parser.error(f"--from: {error}")
    for result in results:
        print(report.table(result))
    write(options, results, facts)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
