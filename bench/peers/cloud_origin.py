#!/usr/bin/env python3
"""One endpoint of a cloud: 1 KiB after a fixed time. `cloud_origin.py IP PORT CLOUD MS SLOTS BOARD`

SLOTS: how many requests it works on at a time, the others wait their turn; 0: all at once.
It counts on its BOARD (board.py), and does what stands there: answers a share of the requests with
500, takes a multiple of its time. /health is answered at once whatever stands there.

On epoll rather than asyncio: six of them share one core with the load.
"""

import collections
import heapq
import random
import re
import select
import socket
import sys
import time

from board import Board

BODY = b"x" * 1024
LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
CLOSE = re.compile(rb"(?i)\r\nconnection: *close")
READ, BLOCK = select.EPOLLIN, 65536


class Connection:
    def __init__(self, sock):
        self.sock, self.data, self.busy, self.close = sock, b"", False, False


class Origin:
    def __init__(self, address, cloud, delay, slots, board):
        self.cloud, self.delay, self.slots, self.board = cloud, delay, slots, board
        board["gets_in_flight"] = board["posts_in_flight"] = 0
        self.dice = random.Random(address[1])
        self.listener = socket.create_server(address, backlog=4096)
        self.listener.setblocking(False)
        self.epoll = select.epoll()
        self.epoll.register(self.listener, READ)
        self.connections = {}
        self.working = []                       # heap of (when it is done, number, job)
        self.waiting = collections.deque()      # jobs without a slot
        self.number = 0

    def run(self):
        while True:
            wait = max(self.working[0][0] - time.monotonic(), 0) if self.working else None
            # epoll alone rounds up to milliseconds, which is much of 2 ms.
            if select.select([self.epoll], (), (), wait)[0]:
                for number, _ in self.epoll.poll(0):
                    if number == self.listener.fileno():
                        self.accept()
                    elif number in self.connections:
                        self.read(self.connections[number])
            now = time.monotonic()
            while self.working and self.working[0][0] <= now:
                self.finish(*heapq.heappop(self.working)[2])

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except BlockingIOError:
                return
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections[sock.fileno()] = Connection(sock)
            self.epoll.register(sock, READ)

    def drop(self, connection):
        if self.connections.pop(connection.sock.fileno(), None):
            connection.sock.close()

    def read(self, connection):
        try:
            more = connection.sock.recv(BLOCK)
        except BlockingIOError:
            return
        except OSError:
            more = b""
        # A client that has sent all and closes its side gets no answer: proxies do not do that.
        if not more:
            self.drop(connection)
            return
        connection.data += more
        self.next_request(connection)

    def next_request(self, connection):
        if connection.busy:
            return
        head, end, rest = connection.data.partition(b"\r\n\r\n")
        if not end:
            return
        length = LENGTH.search(head)
        length = int(length[1]) if length else 0
        if len(rest) < length:
            return
        connection.data, connection.busy = rest[length:], True
        connection.close = bool(CLOSE.search(head))
        method, path, _ = head.split(b" ", 2)
        if path == b"/health":
            self.board.add("checks", 1)
            self.answer(connection, b"200 OK")
            return
        kind = "posts" if method == b"POST" else "gets"
        self.board.add(kind, 1)
        self.board.add(kind + "_in_flight", 1)
        if self.slots and len(self.working) >= self.slots:
            self.waiting.append((connection, kind))
        else:
            self.work(connection, kind)

    def work(self, connection, kind):
        self.number += 1
        took = self.delay * max(self.board["slow_factor"], 1)
        heapq.heappush(self.working, (time.monotonic() + took, self.number, (connection, kind)))

    def finish(self, connection, kind):
        refused = self.dice.random() * 100 < self.board["error_percent"]
        if refused and kind == "posts":
            self.board.add("posts_refused", 1)
        self.board.add(kind + "_in_flight", -1)
        if self.waiting:
            self.work(*self.waiting.popleft())
        if connection.sock.fileno() >= 0:       # else its client has gone
            self.answer(connection, b"500 Internal Server Error" if refused else b"200 OK")

    def answer(self, connection, status):
        message = (b"HTTP/1.1 %s\r\nContent-Type: text/plain\r\nX-Cloud: %s\r\n"
                   b"Content-Length: %d\r\n\r\n" % (status, self.cloud, len(BODY))) + BODY
        try:
            connection.sock.send(message)       # far less than a socket's buffer
        except OSError:
            connection.close = True
        connection.busy = False
        if connection.close:
            self.drop(connection)
        else:
            self.next_request(connection)


if __name__ == "__main__":
    ip, port, cloud, delay_ms, slots, board = sys.argv[1:]
    Origin((ip, int(port)), cloud.encode(), float(delay_ms) / 1000, int(slots), Board(board)).run()
