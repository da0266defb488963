"""RawClient: exact bytes out, strictly parsed bytes in, every wait with a deadline."""
import socket
import struct
import time

from . import http1
from .wait import PATIENCE, SCALE


class RawClient:
    def __init__(self, port, host="127.0.0.1", patience=PATIENCE, receive_buffer=None,
                 source=None):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.sock = socket.socket(family)
        if receive_buffer is not None:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source is not None:
            self.sock.bind((source, 0))
        self.patience = patience * SCALE
        self.sock.settimeout(self.patience)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.connect((host, port))
        self.buffer = b""
        self.eof = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # -- out
    def send(self, data):
        self.sock.sendall(data)
        return self

    def get(self, target="/", host="site.test", *fields):
        """Sends a plain GET; `fields` are further "Name: value" lines."""
        lines = [f"GET {target} HTTP/1.1", f"Host: {host}", *fields]
        return self.send(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)
        return self

    def reset(self):
        """Closes with RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self):
        self.sock.close()

    # -- in
    def more(self, size=65536):
        """Reads once into the buffer; False at the end of the stream. A reset raises."""
        data = self.sock.recv(size)
        if not data:
            self.eof = True
            return False
        self.buffer += data
        return True

    def _take(self, parse, what):
        end = time.monotonic() + self.patience
        while True:
            parts = parse()
            if parts is not None:
                message, self.buffer = parts
                return message
            if self.eof:
                raise AssertionError(f"connection closed before {what}: {self.buffer[:400]!r}")
            if time.monotonic() > end:
                raise AssertionError(f"no {what} in time: {self.buffer[:400]!r}")
            try:
                self.more()
            except TimeoutError:
                raise AssertionError(f"no {what} in time: {self.buffer[:400]!r}") from None

    def response(self, method="GET"):
        """The next response, interim ones included."""
        return self._take(lambda: http1.take_response(self.buffer, method, self.eof),
                          "a complete response")

    def final(self, method="GET"):
        """The next final response; interim ones are skipped."""
        while True:
            response = self.response(method)
            if response.status >= 200:
                return response

    def head(self, method="GET"):
        """The next response's head alone; its body stays in the buffer."""
        return self._take(lambda: http1.response_head(self.buffer, method), "a response head")

    def exactly(self, count):
        """The next `count` bytes."""
        return self._take(lambda: (self.buffer[:count], self.buffer[count:])
                          if len(self.buffer) >= count else None, f"{count} bytes")

    def rest(self):
        """Everything until the end of the stream; `self.was_reset` says how it ended."""
        self.was_reset = False
        try:
            while self.more():
                pass
        except TimeoutError:
            raise AssertionError(f"connection still open: {self.buffer[:400]!r}") from None
        except ConnectionError:
            self.was_reset = True
        data, self.buffer = self.buffer, b""
        return data

    def until(self, mark):
        """Reads until `mark` has come; everything up to its end stays in the buffer."""
        while mark not in self.buffer:
            if not self.more():
                raise AssertionError(f"connection closed before {mark!r}")
        return self

    def drain(self, count=None):
        """Reads and throws away `count` bytes (or all until the end); returns how many came."""
        got = len(self.buffer)
        self.buffer = b""
        while count is None or got < count:
            data = self.sock.recv(262144 if count is None else min(262144, count - got))
            if not data:
                self.eof = True
                break
            got += len(data)
        return got

    def expect_closed(self):
        """Fails unless the peer ends the stream without another byte."""
        data = self.rest()
        if data:
            raise AssertionError(f"bytes instead of the end: {data[:400]!r}")

    def quiet(self, seconds):
        """True if nothing at all arrives for `seconds`: only where time itself is tested."""
        self.sock.settimeout(seconds)
        try:
            return not self.buffer and not (self.more() or True)
        except TimeoutError:
            return True
        finally:
            self.sock.settimeout(self.patience)
