"""Are the subjects given the same work? Shows what reaches the origin from each of them.

A raw origin records the heads of two requests that come over one client connection.
"""

import socket
import threading

import load
from subjects import Subject


class RecordingOrigin:
    """Answers every request with two bytes and keeps its head. One thread per connection."""

    def __init__(self):
        self.heads, self.connections = [], 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        data = b""
        first = True
        while more := client.recv(65536):
            self.connections += first
            first = False
            data += more
            while b"\r\n\r\n" in data:
                head, _, data = data.partition(b"\r\n\r\n")
                self.heads.append(head.decode("latin-1"))
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def check(options, folder):
    """Prints the fields per subject; returns 1 if one of them opened more than one connection."""
    worst = 0
    lines = ["GET /real HTTP/1.1", "Host: market.example", *load.REAL_FIELDS, "", ""]
    request = "\r\n".join(lines).encode()
    print(f"the client sends {len(request)} bytes, {len(lines) - 3} fields")
    for name in options.subjects:
        origin = RecordingOrigin()
        with Subject(name, folder, None, origin.port, binary=options.scrollgate) as subject:
            with socket.create_connection(("127.0.0.1", subject.port), 5) as client:
                for _ in range(2):
                    client.sendall(request)
                    answer = client.recv(65536).decode("latin-1")
        sent = {line.split(":")[0].lower() for line in lines[1:] if line}
        got = {line.split(":")[0].lower() for line in origin.heads[-1].split("\r\n")[1:]}
        print(f"\n{name}: {origin.connections} connection(s) for {len(origin.heads)} requests, "
              f"{len(origin.heads[-1]) + 4} bytes; {origin.heads[-1].splitlines()[0]}"
              f"\n  added:   {' '.join(sorted(got - sent))}"
              f"\n  removed: {' '.join(sorted(sent - got))}"
              f"\n  client is answered: {answer.splitlines()[0]}, fields "
              f"{' '.join(line.split(':')[0] for line in answer.splitlines()[1:] if ':' in line)}")
        if origin.connections != 1 or len(origin.heads) != 2:
            worst = 1
    return worst
