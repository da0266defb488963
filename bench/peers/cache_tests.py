"""The npm package http-cache-tests: fetches it, runs it through a cache, counts what it says.

Its tests are required by the RFCs, or optimal (a cache may reuse, and would be slower without), or
they look how a cache behaves where neither way is wrong; those about Surrogate-Control, which is no
RFC, are a group of their own. A test that depends on
another one says nothing if that one failed; so its own result is not counted, as on the site of
these tests, cache-tests.fyi.
"""

import contextlib
import json
import subprocess
from pathlib import Path

import npm
from npm import Unavailable

PACKAGE = "http-cache-tests@0.4.5"
GROUPS = ("required", "optimal", "surrogate", "check")
RUNNER = Path(__file__).with_name("cache_tests.mjs")
PATIENCE = 180      # seconds for a run; it takes some 30, most of them pauses


def install(folder):
    """The package's folder below `folder`, where it is installed unless it is there. Raises
    Unavailable."""
    return npm.install(folder, PACKAGE)


class Suite(contextlib.ExitStack):
    """The tests' origin, listening on `port` until the `with` block ends; run() then tests the
    cache in front of it, once."""

    def __init__(self, package, port, only=()):
        super().__init__()
        command = ["node", RUNNER, package, str(port), *([",".join(only)] if only else [])]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.callback(self._end)
        if self.process.stdout.readline() != "ready\n":
            self._end()
            raise Unavailable(f"the tests' origin does not start: {self.process.stderr.read()}")

    def _end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def run(self, url):
        """The Scores of the cache at `url`."""
        said, errors = self.process.communicate(url + "\n", timeout=PATIENCE)
        if self.process.returncode:
            raise RuntimeError(f"the tests ended with {self.process.returncode}: {errors[-2000:]}")
        return Scores(**json.loads(said.splitlines()[-1]))


def group_of(test):
    """One of GROUPS."""
    return "surrogate" if "surrogate" in test["suite"].lower() else test["kind"]


class Scores:
    """tests: as the package lists them. results: id -> True, or [error, message]."""

    def __init__(self, tests, results):
        self.tests, self.results = {test["id"]: test for test in tests}, results

    def passed(self, name):
        """The test passed, and what it depends on did."""
        test = self.tests.get(name)
        return (test is not None and self.results.get(name) is True
                and all(self.passed(other) for other in test["depends_on"]))

    def ids(self, group):
        return [name for name, test in self.tests.items() if group_of(test) == group]

    def passes(self, group):
        return [name for name in self.ids(group) if self.passed(name)]

    def why_not(self, name):
        """One line about a test that did not pass."""
        result = self.results.get(name)
        if result is True:
            failed = [other for other in self.tests[name]["depends_on"] if not self.passed(other)]
            return f"depends on {', '.join(failed)}"
        return " ".join(map(str, result)) if result else "was not run"
