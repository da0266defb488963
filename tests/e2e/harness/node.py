"""Programs of Node.js as peers of a test, with packages of npm.

A program is started with its package's folder and arguments; it answers each line of JSON on its
standard input with one on its standard output, and ends when its input does.
"""
import json
import pathlib
import subprocess
import sys
import unittest

from .process import BINARY, ROOT
from .wait import SCALE

sys.path.insert(0, str(ROOT / "bench" / "peers"))
import npm  # noqa: E402


def package(name):
    """The folder of "name@version", installed beside the binary. Skips if it cannot be had."""
    place = pathlib.Path(BINARY).resolve().parent / "npm" / name.rpartition("@")[0].lstrip("@")
    try:
        return npm.install(place, name)
    except npm.Unavailable as reason:
        print(f"SKIPPED, {name} cannot be had here: {reason}", flush=True)
        raise unittest.SkipTest(str(reason)) from None


class NodePeer:
    """One program that runs until close() or kill()."""

    def __init__(self, program, folder, *arguments):
        self.process = subprocess.Popen(
            ["node", str(program), str(folder), *map(str, arguments)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        self.said = self._next()

    def _next(self):
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"node ended with {self.process.wait(10)}")
        return json.loads(line)

    def ask(self, **what):
        """Its answer; fails if that is {"failed": why}."""
        self.process.stdin.write(json.dumps({**what, "scale": SCALE}) + "\n")
        self.process.stdin.flush()
        answer = self._next()
        if answer.get("failed"):
            raise AssertionError(answer["failed"])
        return answer

    def kill(self):
        """SIGKILL: its connections end without a word."""
        self.process.kill()
        self.close()

    def close(self):
        if self.process.stdin.closed:
            return
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
