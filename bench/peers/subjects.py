"""The servers that are compared: starting them, pinning them, reading their CPU time and memory.

Every process is started in the foreground in a session of its own, in a folder of its own, and
ended by its id together with what it has started.
"""

import itertools
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import Request, urlopen

import recipes
from errors import Failed, Unsupported

HERE = Path(__file__).resolve().parent
TICKS = os.sysconf("SC_CLK_TCK")

_given = set()     # ports that may not be listened on yet


def free_port(address):
    while True:
        with socket.socket() as probe:
            probe.bind((address, 0))
            port = probe.getsockname()[1]
        if port not in _given:
            _given.add(port)
            return port


def pinned(core, command):
    return command if core is None else ["taskset", "-c", str(core), *command]


class Processes:
    """Some processes that make one server. `core` is where they are pinned, or None."""

    made = itertools.count()  # a port comes again in a long run, a folder does not

    def __init__(self, name, folder, core, address="127.0.0.1"):
        self.name, self.core, self.address, self.port = name, core, address, free_port(address)
        self.folder = Path(folder) / f"{name}-{next(self.made)}"
        self.folder.mkdir()
        self.output = self.folder / "output"
        self.started = []

    def start(self, command, environment=()):
        with open(self.output, "ab") as output:
            self.started.append(subprocess.Popen(
                [str(word) for word in pinned(self.core, command)], stdin=subprocess.DEVNULL,
                stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
                env={**os.environ, **dict(environment)}))

    def wait_until_it_accepts(self):
        end = time.monotonic() + 20
        while time.monotonic() < end and self.started[-1].poll() is None:
            try:
                socket.create_connection((self.address, self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        self.stop()
        raise Failed(f"it does not listen on {self.address}:{self.port}; {self.last_words()}")

    def __enter__(self):
        return self

    def __exit__(self, _kind, error, _trace):
        if error:
            self.explain(error)
        self.stop()

    def explain(self, error):
        """Adds to `error` if one of the processes has ended by itself, which may be the reason."""
        for process in self.started:
            if process.poll() is not None:
                error.add_note(f"{self.name} had ended with {process.returncode}; "
                               f"{self.last_words()}")

    def last_words(self):
        said = self.output.read_text(errors="replace").strip()
        return f"it said: {said[-2000:]}" if said else "it said nothing"

    def signal(self, number):
        """To all processes, those first that could start others."""
        for pid in self.pids():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def stop(self):
        # Stopped first, so that nobody starts a child again that was just ended.
        self.signal(signal.SIGSTOP)
        self.signal(signal.SIGKILL)
        for process in self.started:
            process.wait()

    def pids(self):
        """The processes and all of their descendants."""
        found, todo = [], [p.pid for p in self.started if p.poll() is None]
        while todo:
            pid = todo.pop(0)
            found.append(pid)
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                try:
                    todo += [int(child) for child in task.read_text().split()]
                except (FileNotFoundError, ProcessLookupError):
                    pass
        return found

    def cpu_us(self):
        """Microseconds of user and system time so far, over all processes."""
        total = 0
        for pid in self.pids():
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        return total * 1e6 / TICKS

    def threads_ns(self):
        """Nanoseconds that each thread has run so far, over all processes."""
        ran = {}
        for pid in self.pids():
            for task in Path(f"/proc/{pid}/task").iterdir():
                try:
                    ran[task.name] = int((task / "schedstat").read_text().split()[0])
                except (FileNotFoundError, ProcessLookupError):
                    pass
        return ran

    def memory(self):
        """Resident bytes over all processes; a page that several share counts once."""
        total = 0
        for pid in self.pids():
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += int(re.search(r"^Pss: +(\d+) kB", text, re.MULTILINE)[1]) * 1024
        return total


class Subject(Processes):
    """One proxy or the origin, configured by its recipe with `flags`.

    `values` must have ORIGIN (ORIGIN2 and ORIGIN3 for the flag `three`; AWS1 to AZURE2 for
    `clouds`), CERT, KEY and PEM (`tls`), FILES (origin) and BINARY (scrollgate). Raises
    Unsupported.
    """

    def __init__(self, name, folder, core, values, flags=frozenset()):
        super().__init__(name, folder, core)
        values = {**values, "PORT": self.port, "ADMIN": free_port("127.0.0.1")}
        support = recipes.support(name, flags, self.folder, values)
        if support.why_not:
            raise Unsupported(support.why_not)
        self.flags, self.without = support.flags, support.without
        values = recipes.write_configuration(name, self.folder, self.flags, values)
        lines, environment = recipes.commands(name, self.flags, values)
        self.values, self.scheme = values, values["SCHEME"]
        self.start(lines[0], environment.items())
        self.wait_until_it_accepts()
        for line in lines[1:]:
            self.start(line)
        if name == "scrollgate" and flags & {"h2", "h2c"} and not self._speaks_http2():
            self.stop()
            raise Unsupported("not yet: HTTP/2")

    def url(self, path):
        return f"{self.scheme}://127.0.0.1:{self.port}{path}"

    def admin(self, method, what, body=None):
        """A call of Scrollgate's admin API (flag `purge`): the answer."""
        request = Request(f"http://127.0.0.1:{self.values['ADMIN']}/api/v1/{what}",
                          None if body is None else json.dumps(body).encode(),
                          {"Content-Type": "application/json", "Authorization":
                           "Bearer " + (self.folder / "token").read_text().strip()}, method=method)
        with urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def _speaks_http2(self):
        """Does it answer the HTTP/2 preface with a SETTINGS frame, or agree on h2 by ALPN?"""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as plain:
                if self.scheme == "https":
                    context = ssl.create_default_context(cafile=self.values["CERT"])
                    context.set_alpn_protocols(["h2"])
                    with context.wrap_socket(plain, server_hostname="127.0.0.1") as client:
                        return client.selected_alpn_protocol() == "h2"
                plain.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5))
                return plain.recv(9)[3:4] == b"\x04"
        except OSError:
            return False


class Origin(Subject):
    """The nginx behind all of them."""

    def __init__(self, folder, core, files):
        super().__init__("origin", folder, core, {"FILES": files})

    def counts(self):
        """(connections accepted, requests served) so far, this question included."""
        with urlopen(self.url("/origin-status"), timeout=10) as answer:
            found = re.search(r"\n *(\d+) (\d+) (\d+)", answer.read().decode())
        return int(found[1]), int(found[3])


class SlowOrigin(Processes):
    """One of the three behind a failover: every answer takes a while, so that there are requests
    under way when it dies."""

    def __init__(self, folder, core):
        super().__init__("slow-origin", folder, core)
        self.start([sys.executable, "-B", HERE / "slow_origin.py", str(self.port)])
        self.wait_until_it_accepts()

    def in_flight(self):
        with urlopen(f"http://127.0.0.1:{self.port}/in-flight", timeout=5) as answer:
            return int(answer.read())
