"""An idle crowd: many open connections, each of which has been served one request."""

import contextlib
import re
import socket


@contextlib.contextmanager
def idle_crowd(port, path, count, at_once=64):
    """`count` open sockets."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(socket.create_connection(("127.0.0.1", port), 10))
                   for _ in range(count)]
        for at in range(0, count, at_once):
            batch = clients[at:at + at_once]
            for client in batch:
                client.sendall(request)
            for client in batch:
                if b" 200 " not in _one_answer(client).split(b"\r\n", 1)[0]:
                    raise SystemExit("an idle client was refused")
        yield clients


def _one_answer(client):
    data = b""
    while b"\r\n\r\n" not in data:
        more = client.recv(65536)
        if not more:
            raise OSError("closed")
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(re.search(rb"(?i)\r\ncontent-length: *(\d+)", head).group(1))
    while len(body) < length:
        body += client.recv(65536)
    return head
