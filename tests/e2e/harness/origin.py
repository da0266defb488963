"""RawOrigin: a scripted origin on raw sockets. One thread per connection runs the script, a
function of the connection; every byte received is recorded per connection.

A script that runs to its end closes the connection. Losing the peer ends a script silently (the
test asks `conn.ended` if it matters); any other exception is kept and fails the test at close().
"""
import socket
import struct
import threading
import time

from . import http1
from .wait import PATIENCE, SCALE, eventually


class PeerGone(Exception):
    """The proxy closed or reset the connection."""


class Connection:
    def __init__(self, sock, index):
        self.sock, self.index = sock, index
        self.received = b""          # everything, never shortened
        self.at = 0                  # where the script has read to
        self.ended = None            # None | "eof" | "reset": how the proxy's side ended
        self.done = threading.Event()
        self.requests = []
        sock.settimeout(PATIENCE * 3 * SCALE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    # -- reading
    def more(self, size=262144):
        try:
            data = self.sock.recv(size)
        except ConnectionError:
            self.ended = "reset"
            raise PeerGone from None
        if not data:
            self.ended = "eof"
            raise PeerGone
        self.received += data

    def _take(self, parse):
        while True:
            parts = parse(self.received[self.at:])
            if parts is not None:
                message, rest = parts
                self.at = len(self.received) - len(rest)
                return message
            self.more()

    def head(self):
        """Reads one request head."""
        request = self._take(http1.request_head)
        self.requests.append(request)
        return request

    def request(self):
        """Reads one whole request."""
        request = self._take(http1.take_request)
        self.requests.append(request)
        return request

    def read(self, count):
        while len(self.received) - self.at < count:
            self.more()
        data = self.received[self.at:self.at + count]
        self.at += count
        return data

    def swallow(self, count):
        """Reads `count` bytes without keeping them."""
        left = count - (len(self.received) - self.at)
        self.at = len(self.received)
        while left > 0:
            data = self.sock.recv(min(left, 262144))
            if not data:
                self.ended = "eof"
                raise PeerGone
            left -= len(data)

    def until_closed(self):
        """Reads until the proxy ends the connection; returns how."""
        try:
            while True:
                self.more()
        except PeerGone:
            return self.ended

    # -- writing
    def send(self, data):
        try:
            self.sock.sendall(data)
        except ConnectionError:
            self.ended = self.ended or "reset"
            raise PeerGone from None

    def answer(self, body=b"", status="200 OK", *fields):
        """A response with Content-Length."""
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *fields]
        self.send(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body)

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def wait(self, event, seconds=PATIENCE):
        if not event.wait(seconds * SCALE):
            raise AssertionError("the script waited for an event that never came")


def ok(conn):
    """Answers every request with 200 and a body that names what was asked for."""
    while True:
        request = conn.request()
        conn.answer(b"" if request.method == "HEAD" else
                    f"{request.method} {request.target}".encode(), "200 OK", "X-Origin: yes")


def raw(data, then="keep"):
    """A script: for each request, these bytes, then keep | close | reset."""
    def script(conn):
        while True:
            conn.request()
            conn.send(data)
            if then == "reset":
                conn.reset()
                return
            if then == "close":
                return
    return script


class RawOrigin:
    def __init__(self, script=ok, port=0, host="127.0.0.1", listen=True, receive_buffer=None):
        self.script = script
        self.connections = []
        self.failures = []
        self.lock = threading.Lock()
        self.sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if receive_buffer is not None:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.bind((host, port))
        self.host, self.port = host, self.sock.getsockname()[1]
        self.closing = False
        if listen:
            self.sock.listen(1024)
            threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self):
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def _accept(self):
        while not self.closing:
            try:
                sock, _ = self.sock.accept()
            except OSError:
                return
            with self.lock:
                conn = Connection(sock, len(self.connections))
                self.connections.append(conn)
            threading.Thread(target=self._serve, args=(conn,), daemon=True).start()

    def _serve(self, conn):
        try:
            self.script(conn)
        except PeerGone:
            pass
        except (OSError, TimeoutError) as problem:
            if not self.closing:
                conn.ended = conn.ended or "reset"
                if isinstance(problem, TimeoutError):
                    self.failures.append(f"origin connection {conn.index}: {problem!r}")
        except Exception as problem:        # the test's own assertion, or bytes that are no HTTP
            self.failures.append(f"origin connection {conn.index}: {problem!r}")
        finally:
            conn.done.set()
            try:
                conn.sock.close()
            except OSError:
                pass

    # -- what the test asks
    def requests(self):
        """All requests so far, in order of connection, then of arrival."""
        with self.lock:
            return [r for c in self.connections for r in c.requests]

    def wait_requests(self, count):
        eventually(lambda: len(self.requests()) >= count, f"{count} requests at the origin")
        return self.requests()

    def wait_connections(self, count):
        eventually(lambda: len(self.connections) >= count, f"{count} connections at the origin")
        return self.connections[:count]

    def wait_ended(self, index=0):
        """How the proxy ended connection `index`."""
        conn = self.wait_connections(index + 1)[index]
        eventually(lambda: conn.ended, "the proxy ends its upstream connection")
        return conn.ended

    def bytes_received(self):
        return sum(len(c.received) for c in self.connections)

    def stop_listening(self):
        """From now on connections are refused. Closing alone would not do: a thread that waits in
        accept() keeps the socket alive, and gets one more connection."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()

    def close(self):
        """Stops listening and ends every connection."""
        self.closing = True
        self.stop_listening()
        for conn in list(self.connections):
            try:
                conn.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def drop_connections(self):
        """Ends every open connection, keeps listening."""
        for conn in list(self.connections):
            try:
                conn.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def wait_until_passed(moment):
    """Lets real time pass: only where a span of time is itself what is tested."""
    left = moment - time.monotonic()
    if left > 0:
        time.sleep(left)
