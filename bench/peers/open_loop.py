#!/usr/bin/env python3
"""Requests at a fixed rate, each at its time whatever became of those before.
`open_loop.py PORT RATE SECONDS` prints one JSON list: [[seconds on the monotonic clock at which it
was due, seconds until it was answered or given up, whether it was answered with 200], …]

For hundreds of requests a second and latencies of milliseconds; connections are kept and reused.
"""

import asyncio
import contextlib
import gc
import json
import re
import sys
import time

GIVE_UP = 5.0
REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


class Client:
    def __init__(self, port):
        self.port, self.idle, self.rows = port, [], []

    async def request(self, due):
        try:
            good = await asyncio.wait_for(self._exchange(), GIVE_UP)
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError):
            good = False
        self.rows.append((due, time.monotonic() - due, good))

    async def _exchange(self):
        while self.idle:
            reader, writer = self.idle.pop()
            if not reader.at_eof() and not writer.is_closing():
                break
            writer.close()
        else:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        kept = False
        try:
            writer.write(REQUEST)
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
            if length:
                await reader.readexactly(int(length[1]))
            kept = length and not re.search(rb"(?i)\r\nconnection: *close", head)
            return head.split(b" ", 2)[1] == b"200"
        finally:
            if kept:
                self.idle.append((reader, writer))
            else:
                writer.close()


async def main(port, rate, seconds):
    client = Client(port)
    tasks = []
    begin = time.monotonic()
    for number in range(int(rate * seconds)):
        due = begin + number / rate
        # Those that are late already start at once; their latency counts from when they were due.
        if (wait := due - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        tasks.append(asyncio.ensure_future(client.request(due)))
    await asyncio.gather(*tasks)
    print(json.dumps(client.rows))


if __name__ == "__main__":
    gc.disable()        # A pause of ours would look like one of the proxy.
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])))
