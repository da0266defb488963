"""An idle crowd: many open connections, each of which has been served one request.

They come in waves, and the next one comes when all of the last are served, PACE later at least:
what is asked is what a connection takes, not what thousands at once do to a backlog or to a pool
of threads. (In Varnish a thread stays with a connection for 50 ms before that becomes idle, so each
that comes within this time costs a thread; when there are no more, it resets connections.)
"""

import contextlib
import re
import select
import socket
import ssl
import time

from errors import Failed, Unsupported

WAVE = 64           # connections that are opened and asked for something at the same time
PACE = 0.025        # seconds from one wave to the next, at least
PATIENCE = 10       # seconds for one step of a connection


class Crowd:
    """`count` open sockets, each of which has had its answer. Raises Unsupported if the server does
    not hold them."""

    def __init__(self, stack, port, path, count, certificate=None):
        self.stack, self.port, self.count, self.clients = stack, port, count, []
        self.tls = None
        if certificate is not None:
            self.tls = ssl.create_default_context(cafile=certificate)
            self.tls.minimum_version = ssl.TLSVersion.TLSv1_3
            self.tls.set_alpn_protocols(["http/1.1"])
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
        while len(self.clients) < count:
            due = time.monotonic() + PACE
            self._wave(request, min(WAVE, count - len(self.clients)))
            time.sleep(max(due - time.monotonic(), 0))

    def _wave(self, request, size):
        wave = []
        try:
            for _ in range(size):
                wave.append(self.stack.enter_context(self._connected()))
                wave[-1].sendall(request)
            for client in wave:
                _take_answer(client)
                self.clients.append(client)
        except (ConnectionError, TimeoutError) as error:
            raise Unsupported(f"cannot hold {self.count} idle connections: "
                              f"{len(self.clients)} were served, then {error}") from error

    def _connected(self):
        plain = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        if self.tls is None:
            return plain
        try:
            return self.tls.wrap_socket(plain, server_hostname="127.0.0.1")
        except BaseException:
            plain.close()
            raise

    def still_there(self):
        """Who was disconnected meanwhile takes no memory. Raises Unsupported if somebody was."""
        poll = select.poll()
        for client in self.clients:
            poll.register(client, select.POLLIN)
        if lost := len(poll.poll(0)):       # there is nothing to read but an end
            raise Unsupported(f"cannot hold {self.count} idle connections: {lost} were closed "
                              "after they had been served")


@contextlib.contextmanager
def idle_crowd(port, path, count, certificate=None):
    """A Crowd that is there for the `with` block; over TLS 1.3 if the server's certificate is
    given."""
    with contextlib.ExitStack() as stack:
        yield Crowd(stack, port, path, count, certificate)


def _take_answer(client):
    """Raises ConnectionError if the connection ends before the answer does."""
    def more():
        data = client.recv(65536)
        if not data:
            raise ConnectionError("closed without a whole answer")
        return data

    data = b""
    while b"\r\n\r\n" not in data:
        data += more()
    head, _, body = data.partition(b"\r\n\r\n")
    first = head.split(b"\r\n", 1)[0].decode("latin-1")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    if " 200 " not in first or length is None:
        raise Failed(f"an idle client was answered {first!r}")
    while len(body) < int(length[1]):
        body += more()
