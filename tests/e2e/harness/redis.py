"""Real Redis servers, a client of ours in front of them, and what stands between and does harm."""
import json
import os
import pathlib
import queue
import random
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

from .server import listens
from .wait import PATIENCE, SCALE, eventually, free_port, signal_to

SERVER = shutil.which("redis-server")
DRIVER = os.environ.get("REDIS_DRIVER_BIN")


class RedisServer:
    """A redis-server with nothing on disk, in a folder of its own."""

    def __init__(self, folder, *arguments, sentinel=False, tls=None, users=()):
        self.port = free_port()
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=folder))
        self.password = None         # or "user password"
        self.tls = tls
        listening = (["--port", "0", "--tls-port", self.port, "--tls-cert-file", tls.certificate,
                      "--tls-key-file", tls.key, "--tls-auth-clients", "no",
                      "--tls-ca-cert-file", tls.certificate] if tls else ["--port", self.port])
        self.command = [SERVER, *listening, "--bind", "127.0.0.1", "--dir", self.folder,
                        "--daemonize", "no", "--loglevel", "warning"]
        if sentinel:
            # A sentinel rewrites its file.
            file = self.folder / "sentinel.conf"
            file.write_text(f"port {self.port}\nbind 127.0.0.1\ndir {self.folder}\n"
                            + "\n".join(arguments) + "\n")
            self.command = [SERVER, file, "--sentinel"]
        else:
            if users:
                file = self.folder / "redis.conf"
                file.write_text("".join(f"user {user}\n" for user in users))
                self.command.insert(1, file)
            self.command += ["--save", "", "--appendonly", "no", *arguments]
        self.process = None
        self.start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def start(self):
        self.process = subprocess.Popen(list(map(str, self.command)), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(lambda: listens(self.port), f"redis listens on {self.port}")

    def signal(self, number):
        signal_to(self.process, number)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE)

    def close(self):
        self.kill()

    def connected(self):
        """A connection of its own, authenticated."""
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE * SCALE)
        if self.tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            sock = context.wrap_socket(sock)
        if self.password:
            sock.sendall(encoded("AUTH", *self.password.split(" ")))
            reply(sock.makefile("rb"))
        return sock

    def ask(self, *words):
        """One command, by a reader of RESP of our own."""
        with self.connected() as sock:
            sock.sendall(encoded(*words))
            return reply(sock.makefile("rb"))


def encoded(*words):
    parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)


def reply(file):
    line = file.readline().rstrip(b"\r\n").decode(errors="replace")
    kind, rest = line[:1], line[1:]
    if kind == "$":
        size = int(rest)
        if size < 0:
            return None
        return file.read(size + 2)[:-2].decode(errors="replace")
    if kind == "*":
        return [reply(file) for _ in range(max(int(rest), 0))]
    if kind == ":":
        return int(rest)
    if kind == "-":
        raise RuntimeError(rest)
    return rest


class Driver:
    """The client of ours; see tests/tools/redis_driver.cpp."""

    def __init__(self, folder, **redis):
        file = pathlib.Path(tempfile.mkdtemp(dir=folder)) / "scrollgate.yaml"
        file.write_text(json.dumps({
            "listeners": [{"address": "127.0.0.1:8080"}],
            "pools": {"main": {"endpoints": ["127.0.0.1:8081"]}},
            "routes": [{"pools": ["main"]}],
            "admin": "off",
            "cache": {"redis": redis}}))
        self.log = open(file.parent / "log", "w+b")
        self.process = subprocess.Popen([DRIVER, file], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.log)
        self.lines = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line))
        self.lines.put(None)

    def send(self, *words):
        self.process.stdin.write((" ".join(map(str, words)) + "\n").encode())
        self.process.stdin.flush()

    def line(self, seconds=PATIENCE):
        """The next line that it has said."""
        try:
            said = self.lines.get(timeout=seconds * SCALE)
        except queue.Empty:
            raise AssertionError("the driver says nothing; its log: " + self.told()) from None
        if said is None:
            raise AssertionError("the driver has ended; its log: " + self.told())
        return said

    def do(self, *words, seconds=PATIENCE):
        self.send(*words)
        return self.line(seconds)

    def ask(self, *words, ms=0):
        """Kind and value of the answer."""
        answer = self.do("ask", ms, *words)
        return answer["kind"], answer.get("value")

    def is_up(self, ms=10000):
        return self.do("up", ms, seconds=ms / 1000 + PATIENCE)["up"]

    def stats(self):
        return self.do("stats")

    def answers(self, count=200):
        """Waits until so many more questions were answered."""
        enough = self.stats()["answered"] + count
        eventually(lambda: self.stats()["answered"] >= enough, f"{count} answers", 30)

    def loaded(self, keys, askers, meanwhile=None):
        """What askers see from now on, while something happens, or for a while."""
        self.send("load", keys, askers)
        (meanwhile or self.answers)()
        return self.do("done")

    def told(self):
        self.log.flush()
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def close(self):
        """Its end; what was wrong with it, or nothing."""
        if self.process.poll() is None:
            self.process.stdin.close()
        try:
            code = self.process.wait(PATIENCE * SCALE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            code = "hung"
        self.reader.join(PATIENCE)
        self.process.stdout.close()
        problem = None if code == 0 else f"the driver ended with {code}: {self.told()}"
        self.log.close()
        return problem


class Meddler:
    """A way to a server that can be cut, be mute, be slow, or change bytes at random. New
    connections go where `to_port` says by then."""

    def __init__(self, to_port):
        self.to_port = to_port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.mute = threading.Event()
        self.deaf = threading.Event()  # nobody who has asked by XREAD on it hears anything
        self.withhold = None         # told what is asked; true: its answers do not come
        self.delay = 0.0             # seconds that answers take longer
        self.read_delay = 0.0        # likewise, of connections that have asked by XREAD
        self.change = lambda data: data     # what goes to the server in place of what was asked
        self.garble = 0.0            # bytes changed, per byte
        self.asked = lambda data: None      # is told what goes to the server
        self.dice = random.Random(1)
        self.pairs = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.to_port))
            except OSError:
                near.close()
                continue
            self.pairs.append((near, far))
            threading.Thread(target=self._pair, args=(near, far), daemon=True).start()

    def _pair(self, near, far):
        marks = threading.Event(), threading.Event()
        back = threading.Thread(target=self._carry, args=(far, near, True, *marks), daemon=True)
        back.start()
        self._carry(near, far, False, *marks)
        back.join()
        near.close()
        far.close()

    def _carry(self, source, sink, answers, reads, withheld):
        try:
            while data := source.recv(65536):
                if not answers and b"\r\nXREAD\r\n" in data:
                    reads.set()
                if not answers and self.withhold and self.withhold(data):
                    withheld.set()
                if self.mute.is_set() or (answers and (
                        withheld.is_set() or (reads.is_set() and self.deaf.is_set()))):
                    continue
                if not answers:
                    self.asked(data)
                    data = self.change(data)
                if answers and self.delay:
                    time.sleep(self.delay)
                if answers and reads.is_set() and self.read_delay:
                    time.sleep(self.read_delay)
                if answers and self.garble:
                    changed = bytearray(data)
                    for i in range(len(changed)):
                        if self.dice.random() < self.garble:
                            changed[i] = self.dice.randrange(256)
                    data = bytes(changed)
                sink.sendall(data)
        except OSError:
            pass
        for each in (source, sink):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        """All connections end now, with whatever is on the way."""
        pairs, self.pairs = self.pairs, []
        for pair in pairs:
            for each in pair:
                try:
                    each.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut()


@unittest.skipUnless(SERVER, "redis-server is not installed")
class RedisTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="scrollgate-redis-")
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def server(self, *arguments, **options):
        server = RedisServer(self.folder, *arguments, **options)
        self.addCleanup(server.close)
        return server

    def driver(self, **redis):
        # What is tested is not how fast this machine is.
        driver = Driver(self.folder, **{"timeout": "500ms", **redis})

        def finish():
            problem = driver.close()
            if problem:
                self.fail(problem)
        self.addCleanup(finish)
        return driver

    def meddler(self, server):
        meddler = Meddler(server.port)
        self.addCleanup(meddler.close)
        return meddler

    def stop(self, server):
        server.signal(signal.SIGSTOP)
        self.addCleanup(server.signal, signal.SIGCONT)

    def state_becomes(self, driver, state, seconds=PATIENCE):
        return eventually(lambda: (s := driver.stats())["state"] == state and s,
                          f"the client is {state}", seconds)
