"""The npm package http-cache-tests against the cache: what passes may only become more.

cache_tests_accepted.json has the ids that pass. One of them that fails is a failure; new ones are
told, and `cache_tests.py --accept` writes them down. Skipped where the package cannot be had.
"""
import json
import os
import sys
import tempfile
import unittest
from pathlib import Path

from harness import free_port, main
from harness.process import BINARY, REPORTS, ROOT

sys.path.insert(0, str(ROOT / "bench" / "peers"))
import cache_tests as package  # noqa: E402
from subjects import Subject  # noqa: E402

ACCEPTED = Path(__file__).with_name("cache_tests_accepted.json")
# `check` asks how a cache behaves where neither way is wrong.
JUDGED = ("required", "optimal", "surrogate")


def scores():
    """Of the binary, with the settings of bench/peers/configs. Raises Unavailable."""
    folder = package.install(Path(BINARY).resolve().parent / "cache-tests")
    with tempfile.TemporaryDirectory(prefix="scrollgate-e2e-") as own:
        port = free_port()
        with package.Suite(folder, port) as suite, Subject(
                "scrollgate", own, None, {"BINARY": Path(BINARY).resolve(), "ORIGIN": port},
                frozenset({"cache", "conform"})) as subject:
            found = suite.run(subject.url(""))
            said = subject.output.read_text(errors="replace")
    for report in REPORTS:
        assert report not in said, said[-6000:]
    return found


def passes(found):
    return sorted(name for group in JUDGED for name in found.passes(group))


class CacheTests(unittest.TestCase):
    def test_what_is_accepted_still_passes(self):
        try:
            found = scores()
        except package.Unavailable as reason:
            print(f"SKIPPED, {package.PACKAGE} cannot be had here: {reason}", flush=True)
            self.skipTest(str(reason))
        accepted = json.loads(ACCEPTED.read_text())
        self.assertEqual(accepted["package"], package.PACKAGE)
        now = set(passes(found))
        for group in package.GROUPS:
            print(f"{group}: {len(found.passes(group))} of {len(found.ids(group))}")
        for name in sorted(now - set(accepted["passes"])):
            print(f"passes now, and is not accepted yet: {name}")
        lost = [f"{name}: {found.why_not(name) if name in found.tests else 'is gone'}"
                for name in accepted["passes"] if name not in now]
        self.assertEqual(lost, [], "\n".join(lost))


def accept():
    """Adds to the file what passes."""
    known = json.loads(ACCEPTED.read_text())["passes"] if ACCEPTED.exists() else []
    found = scores()
    ACCEPTED.write_text(json.dumps({"package": package.PACKAGE, "passes": sorted(
        {*known, *passes(found)})}, indent=1) + "\n")
    for group in JUDGED:
        for name in sorted(set(found.ids(group)) - set(found.passes(group))):
            print(f"{group}: {name}: {found.why_not(name)}")


if __name__ == "__main__":
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    if sys.argv[1:] == ["--accept"]:
        accept()
    else:
        main()
