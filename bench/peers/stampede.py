"""Many clients ask for one thing that no cache has yet, and the origin takes its time: how many of
them does it see?
"""

import contextlib
import re
import selectors
import socket
import threading
import time

CLIENTS = 1000
REQUEST = b"GET /stampede HTTP/1.1\r\nHost: market.example\r\n\r\n"
BODY = b"x" * 1024
RESPONSE = (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1024\r\n"
            b"Cache-Control: public, max-age=3600\r\n\r\n" + BODY)
QUIET = 1.0         # seconds without another request at the origin until it answers
PATIENCE = 20       # seconds for all answers


class HeldOrigin:
    """Answers nothing until release(), then everything at once. A context manager."""

    def __init__(self):
        self.asked, self.held, self.waiting = 0, True, []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.port = self.listener.getsockname()[1]
        self.doorbell, self.bell = socket.socketpair()
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self._ring(b"e")
        self.thread.join()

    def release(self):
        self._ring(b"r")

    def _ring(self, word):
        self.bell.send(word)

    def _serve(self):
        with contextlib.ExitStack() as stack, selectors.DefaultSelector() as selector:
            for each in (self.listener, self.doorbell, self.bell):
                stack.enter_context(each)
            selector.register(self.listener, selectors.EVENT_READ)
            selector.register(self.doorbell, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fileobj is self.listener:
                        client = stack.enter_context(self.listener.accept()[0])
                        selector.register(client, selectors.EVENT_READ)
                    elif key.fileobj is self.doorbell:
                        if self.doorbell.recv(1) == b"e":
                            return
                        self.held = False
                    elif not self._read(key.fileobj):
                        selector.unregister(key.fileobj)
                while not self.held and self.waiting:
                    with contextlib.suppress(OSError):
                        self.waiting.pop().sendall(RESPONSE)

    def _read(self, client):
        """False: this connection is over. Requests without a body fit into one packet here."""
        try:
            heads = client.recv(65536).count(b"\r\n\r\n")
        except OSError:
            heads = 0
        self.asked += heads
        self.waiting += [client] * heads
        return heads > 0


def measure(subject, origin):
    """CLIENTS ask at the same time; the figures of it."""
    with contextlib.ExitStack() as stack, selectors.DefaultSelector() as selector:
        for _ in range(CLIENTS):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", subject.port), 5))
            selector.register(client, selectors.EVENT_READ, bytearray())
        before = subject.threads_ns()
        for key in list(selector.get_map().values()):
            key.fileobj.sendall(REQUEST)
        _wait_until_quiet(origin)
        released = time.monotonic()
        origin.release()
        good = _answers(selector, released + PATIENCE)
        took = time.monotonic() - released
        return {"origin_saw": origin.asked, "failed": CLIENTS - good, "after_ms": took * 1000,
                "second": _second(before, subject.threads_ns())}


def _second(before, after):
    """What the thread has worked that has worked second most, as a share of what the first one
    has: were both workers at it?"""
    worked = sorted((ns - before.get(thread, 0) for thread, ns in after.items()), reverse=True)
    return worked[1] / worked[0] if len(worked) > 1 and worked[0] else 0


def _wait_until_quiet(origin):
    seen, since = 0, time.monotonic()
    while time.monotonic() < since + QUIET:
        if origin.asked != seen:
            seen, since = origin.asked, time.monotonic()
        time.sleep(0.01)


def _answers(selector, end):
    """How many got the whole body."""
    good = 0
    while selector.get_map() and (left := end - time.monotonic()) > 0:
        for key, _ in selector.select(left):
            try:
                more = key.fileobj.recv(65536)
            except OSError:
                more = b""
            key.data.extend(more)
            whole = re.match(rb"HTTP/1.1 200 [^\0]*?\r\n\r\n(x{1024}$)?", key.data)
            whole = whole is not None and whole[1] is not None
            good += whole
            if whole or not more:
                selector.unregister(key.fileobj)
    return good
