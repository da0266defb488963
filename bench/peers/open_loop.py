#!/usr/bin/env python3
"""Requests at a fixed rate, each at its time whatever became of those before.
`open_loop.py PORT[,PORT…] RATE SECONDS [PATHS]` prints one JSON object. rows: [[seconds on the
monotonic clock at which it was due, seconds until it was answered or given up, whether it was
answered with 200], …]; again: how many were asked again, of another port.

With several ports each request begins with another one, and what gets no answer there is asked of
the next, once each: as users do whose name has several addresses. PATHS is a file of paths, one per
line, asked in turn.

For hundreds of requests a second and latencies of milliseconds; connections are kept and reused.
"""

import asyncio
import contextlib
import gc
import json
import re
import sys
import time
from pathlib import Path

GIVE_UP = 5.0       # seconds of a request at one port


class Client:
    def __init__(self, ports, paths):
        self.ports, self.idle, self.rows, self.again = ports, {p: [] for p in ports}, [], 0
        # One name for all: a cache may take it for a part of what is asked for.
        self.requests = [f"GET {path} HTTP/1.1\r\nHost: market.example\r\n\r\n".encode()
                         for path in paths]

    async def request(self, number, due):
        good = False
        for attempt in range(len(self.ports)):
            self.again += attempt == 1
            port = self.ports[(number + attempt) % len(self.ports)]
            try:
                good = await asyncio.wait_for(
                    self._exchange(port, self.requests[number % len(self.requests)]), GIVE_UP)
                break
            except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError):
                continue
        self.rows.append((due, time.monotonic() - due, good))

    async def _exchange(self, port, request):
        idle = self.idle[port]
        while idle:
            reader, writer = idle.pop()
            if not reader.at_eof() and not writer.is_closing():
                break
            writer.close()
        else:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        kept = False
        try:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
            if length:
                await reader.readexactly(int(length[1]))
            kept = length and not re.search(rb"(?i)\r\nconnection: *close", head)
            return head.split(b" ", 2)[1] == b"200"
        finally:
            if kept:
                idle.append((reader, writer))
            else:
                writer.close()


async def main(ports, rate, seconds, paths):
    client = Client(ports, paths)
    tasks = []
    begin = time.monotonic()
    for number in range(int(rate * seconds)):
        due = begin + number / rate
        # Those that are late already start at once; their latency counts from when they were due.
        if (wait := due - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        tasks.append(asyncio.ensure_future(client.request(number, due)))
    await asyncio.gather(*tasks)
    print(json.dumps({"rows": client.rows, "again": client.again}))


def arguments(ports, rate, seconds, paths=None):
    listed = Path(paths).read_text().split() if paths else ["/"]
    return [int(port) for port in ports.split(",")], int(rate), float(seconds), listed


if __name__ == "__main__":
    gc.disable()        # A pause of ours would look like one of the proxy.
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(*arguments(*sys.argv[1:])))
