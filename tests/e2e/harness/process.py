"""Scrollgate: the real binary with a configuration of its own, in a folder of its own.

The configuration is a dict, written as JSON, which is YAML. It always ends by pid: SIGTERM, drain,
exit 0; a sanitizer's report on stderr fails the test.
"""
import http.client
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import threading
import time

from .wait import PATIENCE, SCALE, eventually, free_port, signal_to

ROOT = pathlib.Path(__file__).resolve().parents[3]
BINARY = os.environ.get("SCROLLGATE_BIN", str(ROOT / "build" / "scrollgate"))
REPORTS = ("ERROR: AddressSanitizer", "runtime error:", "WARNING: ThreadSanitizer",
           "ERROR: LeakSanitizer", "Assertion `", "terminate called")


def run_command(*arguments, timeout=30, env=None, cwd=None):
    """Runs the binary to its end; a CompletedProcess with text output."""
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True,
                          timeout=timeout * SCALE, env={**os.environ, **(env or {})}, cwd=cwd)


class Scrollgate:
    def __init__(self, config, env=None, wrap=(), wait=True):
        self.folder = tempfile.TemporaryDirectory(prefix="scrollgate-e2e-")
        self.path = pathlib.Path(self.folder.name)
        self.file = self.path / "scrollgate.yaml"
        self.log_file = self.path / "access.log"
        self.token_file = self.path / "token"
        self.admin_port = free_port()
        self.config = {
            "admin": {"address": f"127.0.0.1:{self.admin_port}",
                      "token_file": str(self.token_file)},
            "access_log": {"path": str(self.log_file), "format": "json"},
            "workers": 1,
            **config,
        }
        self.config["timeouts"] = {"drain": "2s", **config.get("timeouts", {})}
        self.write()
        self.errors = b""
        self.process = subprocess.Popen(
            [*wrap, BINARY, "run", "-c", str(self.file)], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, **(env or {})})
        self.reader = threading.Thread(target=self._read_errors, daemon=True)
        self.reader.start()
        self.stopped = self.killed = False
        if wait:
            try:
                self.wait_ready()
            except BaseException:
                self.kill()
                raise

    def _read_errors(self):
        for line in self.process.stderr:
            self.errors += line

    @property
    def pid(self):
        return self.process.pid

    @property
    def port(self):
        return int(self.config["listeners"][0]["address"].rpartition(":")[2])

    # -- configuration
    def write(self, config=None, text=None):
        """Replaces the file (atomically); does not reload."""
        if config is not None:
            self.config = config
        new = self.file.with_suffix(".new")
        new.write_text(text if text is not None else json.dumps(self.config, indent=1) + "\n")
        new.rename(self.file)

    # -- life
    def wait_ready(self):
        def ready():
            if self.process.poll() is not None:
                self.reader.join(1)
                raise AssertionError(f"exited with {self.process.returncode}: "
                                     f"{self.errors.decode(errors='replace')}")
            try:
                return self.admin("GET", "/readyz")[0] == 200
            except OSError:
                return False
        eventually(ready, "/readyz answers 200", PATIENCE * 2)

    def signal(self, number):
        signal_to(self.process, number)

    def stop(self, patience=15):
        """SIGTERM; returns the exit status."""
        if not self.stopped:
            if self.process.poll() is None:
                self.signal(signal.SIGTERM)
        return self.wait_exit(patience)

    def wait_exit(self, patience=15):
        try:
            status = self.process.wait(patience * SCALE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("did not end after SIGTERM: " + self.stderr()[-2000:]) from None
        self.stopped = True
        self.reader.join(5)
        return status

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
            self.killed = True
        self.stopped = True
        self.reader.join(5)

    def close(self):
        """Ends the process if it runs; returns what a test must fail for, or nothing."""
        try:
            status = self.stop()
            text = self.stderr()
            for report in REPORTS:
                if report in text:
                    return f"{report} on stderr:\n{text[-6000:]}"
            return None if status == 0 or self.killed else f"exit status {status}: {text[-2000:]}"
        except AssertionError as problem:
            return str(problem)
        finally:
            if not self.reader.is_alive():          # else somebody still holds the other end
                self.process.stderr.close()
            self.folder.cleanup()

    # -- what it says
    def stderr(self):
        return self.errors.decode(errors="replace")

    def wait_stderr(self, text):
        eventually(lambda: text in self.stderr(), f"{text!r} on stderr")

    def log_text(self):
        try:
            return self.log_file.read_text()
        except FileNotFoundError:
            return ""

    def log(self, count):
        """Waits until `count` complete lines are there; returns them parsed."""
        def lines():
            text = self.log_text()
            return text.endswith("\n") and text.count("\n") >= count and text.splitlines()
        return [json.loads(line) for line in
                eventually(lines, f"{count} access log lines (have {self.log_text()!r})")]

    def admin(self, method, path, body=None, token=None, headers=None, host=None):
        """One request to the admin address: (status, text, headers)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port,
                                                timeout=2 * PATIENCE * SCALE)
        try:
            fields = dict(headers or {})
            if token is not None:
                fields["Authorization"] = f"Bearer {token}"
            if host is not None:
                fields["Host"] = host
            connection.request(method, path, body, fields)
            response = connection.getresponse()
            return response.status, response.read().decode(), dict(response.getheaders())
        finally:
            connection.close()

    def token(self):
        return self.token_file.read_text().strip()

    def status(self):
        code, text, _ = self.admin("GET", "/api/v1/status")
        assert code == 200, text
        return json.loads(text)

    def snapshot(self):
        return self.status()["snapshot"]["id"]

    def metrics(self):
        """All samples as {'name{labels}': value}."""
        out = {}
        for line in self.admin("GET", "/metrics")[1].splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                out[name] = float(value)
        return out

    def metric(self, prefix, *labels):
        """The sum of all samples of this name that carry all `labels` ('pool="a"')."""
        return sum(v for n, v in self.metrics().items()
                   if n.partition("{")[0] == prefix and all(x in n for x in labels))

    def reload(self):
        """Through the API: (status, parsed answer)."""
        code, text, _ = self.admin("POST", "/api/v1/reload", token=self.token())
        return code, json.loads(text)

    # -- what the kernel says
    def _proc(self, name):
        return pathlib.Path(f"/proc/{self.pid}/{name}").read_text()

    def rss(self):
        """Resident bytes."""
        return int(self._proc("statm").split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def cpu_ticks(self):
        parts = self._proc("stat").rpartition(")")[2].split()
        return int(parts[11]) + int(parts[12])

    def switches(self):
        """Voluntary context switches of all threads: how often anybody woke up."""
        total = 0
        for task in os.listdir(f"/proc/{self.pid}/task"):
            for line in self._proc(f"task/{task}/status").splitlines():
                if line.startswith("voluntary_ctxt_switches"):
                    total += int(line.split()[1])
        return total


def until(moment):
    """Lets real time pass: only where time itself is what is tested."""
    time.sleep(max(0.0, moment - time.monotonic()))
