#!/usr/bin/env python3
"""Compares Scrollgate with nginx, HAProxy, Varnish and Traffic Server on this machine.

One proxy on the first core; the origin and the load on the second. All subjects of a scenario stay
up and take turns, round after round, because a machine drifts within minutes: a ratio is taken
within each round, against the best peer of that round. CPU is user and system time of all
processes of a proxy, per request (or MiB, or handshake). In the tables below a figure stands its
range over the rounds.
"""

import argparse
import resource
import shutil
import sys
import tempfile
from pathlib import Path

import load
import machine
import report
import scenarios
from check import check
from measure import Bench, say
from recipes import NEEDED, PEERS


def options_from(arguments):
    names = "\n".join(f"  {s.name:16} {s.title}" for s in scenarios.ALL)
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0], formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"scenarios (also by the part of their names before a dash):\n{names}")
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="default: all")
    parser.add_argument("--scrollgate", metavar="FILE", help="the binary; without it, peers only")
    parser.add_argument("--subjects", metavar="NAME,…", help=f"of {', '.join(PEERS)}, scrollgate")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4, help="of each measurement (default 4)")
    parser.add_argument("--idle", type=int, default=10_000, help="idle connections (default 10000)")
    parser.add_argument("--load", choices=["scrollgate-bench", "wrk"],
                        help="load generator (default: scrollgate-bench if it is there)")
    parser.add_argument("--check", action="store_true",
                        help="only show what each subject sends to the origin, caches and agrees on")
    parser.add_argument("--json", metavar="FILE", help="write every round's figures there")
    parser.add_argument("--markdown", metavar="FILE", help="write README's table there")
    options = parser.parse_args(arguments)
    if min(options.rounds, options.seconds, options.idle) < 1:
        parser.error("--rounds, --seconds and --idle are at least 1")
    try:
        options.scenarios = scenarios.chosen(options.scenarios)
    except KeyError as error:
        parser.error(f"no such scenario: {error.args[0]}")
    missing = [tool for tool in NEEDED if shutil.which(tool) is None]
    if missing:
        parser.error(f"missing: {' '.join(missing)} (./dev bench installs them)")
    everybody = [*PEERS, *(["scrollgate"] if options.scrollgate else [])]
    wanted = options.subjects.split(",") if options.subjects else everybody
    if unknown := set(wanted) - set(everybody):
        parser.error(f"no such subject: {', '.join(sorted(unknown))}")
    options.subjects = [name for name in everybody if name in wanted]
    if options.scrollgate:
        options.scrollgate = Path(options.scrollgate).resolve()
    return options, parser


def raise_descriptor_limit(wanted=65_536):
    """For the idle crowd: HAProxy wants two per connection. Beyond the hard limit only root may."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    for limit in (max(hard, wanted), hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
            return
        except (ValueError, OSError):
            continue


def main(arguments):
    options, parser = options_from(arguments)
    raise_descriptor_limit()
    try:
        generator = load.choose(options.load, options.scrollgate)
    except FileNotFoundError as error:
        parser.error(f"--load: {error}")
    options.load_name = generator.name
    with tempfile.TemporaryDirectory(prefix="scrollgate-bench-") as folder:
        bench = Bench(options, folder, generator)
        if options.check:
            return check(bench, options.subjects)
        facts, versions = machine.describe(), machine.versions(options.scrollgate)
        facts["busy_before"] = round(machine.busy_share(), 3)
        say(", ".join(f"{key}: {value}" for key, value in facts.items()))
        say(", ".join(f"{name} {text}" for name, text in versions.items()))
        if facts["busy_before"] > 0.05:
            say(f"NOTE: the machine is {facts['busy_before']:.0%} busy with something else; "
                "do not believe these figures")
        results = []
        for scenario in options.scenarios:
            results.append(bench.run(scenario))
            print(report.table(results[-1]), flush=True)
    if options.json:
        Path(options.json).write_text(report.as_json(results, facts, versions, options))
    if options.markdown:
        Path(options.markdown).write_text(report.markdown(results, facts, versions, options))
    return 1 if any(result.complaints for result in results) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
