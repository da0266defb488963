"""The program of an OriginProcess: `origin_program.py NAME ADDRESS PORT SEEN`.

Each request of a client adds a line "METHOD path" to the file SEEN when it has been read, so that
it is known what a process had read that is dead or frozen; one that it holds adds "held METHOD
path". Orders come as JSON lines on standard
input, each is acknowledged by "done" once it is in force:

    delay   seconds of work per request; /report takes two
    errors  every so many-th request gets 500; 0: none
    GET, POST   what happens to such requests: answer, reset (read, then RST) or hold (read, then
            nothing until the order changes)

/healthz is answered with 200 at once, whatever the orders are; /broken always with 500.
"""
import itertools
import json
import os
import re
import socket
import struct
import sys
import threading
import time

LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
REPORT = 2.0        # seconds that /report takes


class Origin:
    def __init__(self, name, address, port, seen):
        self.name = name.encode()
        self.orders = {"delay": 0.004, "errors": 0, "GET": "answer", "POST": "answer"}
        self.changed = threading.Condition()
        self.numbers = itertools.count(1)
        self.seen = os.open(seen, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.listener = socket.create_server((address, int(port)), backlog=1024)
        threading.Thread(target=self.accept, daemon=True).start()

    def obey(self):
        print("ready", flush=True)
        for line in sys.stdin:
            with self.changed:
                self.orders = {**self.orders, **json.loads(line)}
                self.changed.notify_all()
            print("done", flush=True)

    def accept(self):
        while True:
            sock, _ = self.listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def serve(self, sock):
        data = b""
        try:
            while True:
                head, end, rest = data.partition(b"\r\n\r\n")
                length = LENGTH.search(head) if end else None
                length = int(length[1]) if length else 0
                if end and len(rest) >= length:
                    data = rest[length:]
                    self.request(sock, *head.decode("latin-1").split(" ", 2)[:2])
                    continue
                more = sock.recv(65536)
                if not more:
                    break
                data += more
        except OSError:
            pass                # the proxy has gone, or we have reset it
        finally:
            sock.close()

    def request(self, sock, method, path):
        if path == "/healthz":
            return self.answer(sock, b"200 OK")
        os.write(self.seen, f"{method} {path}\n".encode())
        number = next(self.numbers)
        time.sleep(REPORT if path == "/report" else self.orders["delay"])
        if self.orders[method] == "hold":
            os.write(self.seen, f"held {method} {path}\n".encode())
        with self.changed:
            self.changed.wait_for(lambda: self.orders[method] != "hold")
            orders = self.orders
        if orders[method] == "reset":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise ConnectionError
        sick = path == "/broken" or (orders["errors"] and number % orders["errors"] == 0)
        return self.answer(sock, b"500 Sick" if sick else b"200 OK")

    def answer(self, sock, status):
        """In one write: a process that is lost between head and body has begun its answer, and
        nobody may ask for it again."""
        sock.sendall(b"HTTP/1.1 %s\r\nX-Origin: %s\r\nContent-Length: %d\r\n\r\n%s"
                     % (status, self.name, len(self.name), self.name))


if __name__ == "__main__":
    Origin(*sys.argv[1:]).obey()
