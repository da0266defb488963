"""bench/README.md names every option that there is, and every key of the JSON."""
import re
import subprocess
import sys
from pathlib import Path

from harness import main
from harness.bench import BenchTest

MANUAL = (Path(__file__).resolve().parents[3] / "bench" / "README.md").read_text()
# A server that nobody asks.
IDLE = """
import socket, time
listener = socket.create_server(("127.0.0.1", 0))
print("ready", flush=True)
time.sleep(600)
"""
# Objects whose keys are names that differ from run to run.
NAMED = {"failures", "statuses", "cache", "methods", "completed", "shares", "classes", "groups"}


def keys_of(value, inside=""):
    """Every key of `value`, but for names."""
    if isinstance(value, list):
        for element in value:
            yield from keys_of(element, inside)
    elif isinstance(value, dict):
        for key, element in value.items():
            if inside not in NAMED:
                yield key
            yield from keys_of(element, key)


def unnamed(words):
    """Those that stand nowhere in the manual's inline code."""
    prose = re.sub(r"```.*?```", "", MANUAL, flags=re.DOTALL)
    named = set(re.findall(r"[\w-]+", " ".join(re.findall(r"`([^`\n]+)`", prose))))
    return sorted(set(words) - named)


class Manual(BenchTest):
    def test_options(self):
        for arguments in (["--help"], ["drill", "--help"]):
            run = self.finish(self.start(*arguments))
            self.assertEqual(run.code, 0)
            options = re.findall(r"^  (-[\w,-]+)", run.stdout, re.MULTILINE)
            self.assertGreater(len(options), 20)
            self.assertEqual(unnamed(",".join(options).split(",")), [])

    def test_keys(self):
        origin = self.origin()
        victim = subprocess.Popen([sys.executable, "-c", IDLE], stdout=subprocess.PIPE, text=True)

        def end():
            victim.kill()
            victim.communicate()
        self.addCleanup(end)
        self.assertEqual(victim.stdout.readline(), "ready\n")
        url = f"http://{origin.address}/"
        # A victim without connections: a drill of which nothing is proved still has its keys.
        drill = self.bench("drill", url, "--stop", victim.pid, "-d", "1300ms", "--at", "100ms",
                           "--by", "x-origin", code=1)
        ramp = self.bench(url, "--ramp", "100:200:100", "-d", "400ms", "--by", "x-origin")
        self.assertIsNotNone(drill.json["drill"])
        self.assertEqual(len(ramp.json["steps"]), 2)
        for run in (drill, ramp):
            self.assertEqual(unnamed(keys_of(run.json)), [])


if __name__ == "__main__":
    main()
