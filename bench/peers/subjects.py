"""The servers that are compared: starting them from their templates, pinning them, reading their
CPU time and memory.

Every process is started in the foreground in a session of its own, and ended with its group.
"""

import os
import resource
import signal
import socket
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TICKS = os.sysconf("SC_CLK_TCK")

# What the access log costs is part of pass-log; each writes to a file as its manual advises.
LOGS = {
    "nginx": {False: {"LOG": "off"},
              True: {"LOG": "@DIR@/nginx.log combined buffer=64k flush=1s"}},
    "haproxy": {False: {"LOG": "", "GLOBAL_LOG": ""},
                True: {"LOG": "option httplog\n    log global",
                       "GLOBAL_LOG": "log stdout format raw daemon"}},
    "scrollgate": {False: {"LOG": "off"}, True: {"LOG": "json"}},
    "origin": {False: {}, True: {}},
}
TEMPLATES = {"nginx": "nginx.conf", "haproxy": "haproxy.cfg", "scrollgate": "scrollgate.yaml",
             "origin": "origin.conf"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Subject:
    """One running server. `core` is where it is pinned, or None."""

    def __init__(self, name, folder, core, origin_port=0, log=False, binary=None):
        self.name, self.port = name, free_port()
        values = {"PORT": self.port, "ORIGIN": origin_port, "BODY": "x" * 1024,
                  "USER": "user root;" if os.geteuid() == 0 else "", **LOGS[name][log],
                  "MAXCONN": resource.getrlimit(resource.RLIMIT_NOFILE)[0] * 3 // 4,
                  "DIR": folder}
        text = (HERE / (TEMPLATES[name] + ".tmpl")).read_text()
        for key, value in values.items():
            text = text.replace(f"@{key}@", str(value))
        # Not by their suffixes alone: several scenarios may share the folder.
        config = Path(folder) / f"{self.port}-{TEMPLATES[name]}"
        config.write_text(text)
        command = {"nginx": ["nginx", "-p", folder, "-c", config],
                   "origin": ["nginx", "-p", folder, "-c", config],
                   "haproxy": ["haproxy", "-db", "-f", config],
                   "scrollgate": [binary, "run", "-c", config]}[name]
        if core is not None:
            command = ["taskset", "-c", str(core), *command]
        self.output = Path(folder) / f"{name}-{self.port}.out"
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen([str(part) for part in command],
                                            stdin=subprocess.DEVNULL, stdout=output,
                                            stderr=subprocess.STDOUT, start_new_session=True)
        self._wait_until_it_accepts()

    def _wait_until_it_accepts(self):
        end = time.monotonic() + 10
        while time.monotonic() < end and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        self.stop()
        raise SystemExit(f"{self.name} does not listen. It said:\n"
                         f"{self.output.read_text(errors='replace')[-2000:]}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def pids(self):
        """The process and all of its descendants."""
        found, todo = [], [self.process.pid]
        while todo:
            pid = todo.pop()
            found.append(pid)
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                todo += [int(child) for child in task.read_text().split()]
        return found

    def cpu_us(self):
        """Microseconds of user and system time so far, over all processes."""
        total = 0
        for pid in self.pids():
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        return total * 1e6 / TICKS

    def memory(self, which="VmRSS"):
        """Resident bytes over all processes; VmHWM for the most there has been."""
        total = 0
        for pid in self.pids():
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith(which + ":"):
                    total += int(line.split()[1]) * 1024
        return total
