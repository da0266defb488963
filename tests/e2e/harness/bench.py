"""scrollgate-bench: runs it and reads what it says."""
import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from .origin import RawOrigin
from .wait import PATIENCE, SCALE

LIMIT = PATIENCE * 6 * SCALE


class Run:
    """A finished run."""

    def __init__(self, process, stdout, stderr, json_file):
        self.code, self.stdout, self.stderr = process.returncode, stdout, stderr
        text = json_file.read_text() if json_file.exists() else ""
        self.json = json.loads(text) if text else None


class BenchTest(unittest.TestCase):
    """A folder for files, and origins that are closed at the end."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="scrollgate-bench-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def origin(self, script=None, **options):
        origin = RawOrigin(script, **options) if script else RawOrigin(**options)

        def close():
            origin.close()
            self.assertEqual(origin.failures, [])
        self.addCleanup(close)
        return origin

    def start(self, *arguments, **options):
        """The process; stop it with finish(). Its JSON goes to a file of ours unless told where."""
        self.json_file = self.folder / "result.json"
        self.json_file.unlink(missing_ok=True)
        if "--json" not in arguments:
            arguments = (*arguments, "--json", self.json_file)
        process = subprocess.Popen(
            [os.environ["SCROLLGATE_BENCH_BIN"], *map(str, arguments)],
            **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
               "text": True, **options})
        self.addCleanup(self._end, process)
        return process

    @staticmethod
    def _end(process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def finish(self, process):
        stdout, stderr = process.communicate(timeout=LIMIT)
        return Run(process, stdout, stderr, self.json_file)

    def bench(self, *arguments, code=0):
        run = self.finish(self.start(*arguments))
        self.assertEqual(run.code, code, run.stdout + run.stderr)
        return run

    def file(self, name, content):
        path = self.folder / name
        path.write_text(content)
        return path
