#!/usr/bin/env python3
"""An origin for failovers: 1 KiB after 20 ms. `slow_origin.py PORT`

/health and /in-flight (requests that wait for their answer) are answered at once.
"""

import asyncio
import re
import sys

DELAY = 0.02
BODY = b"x" * 1024


class Origin:
    def __init__(self):
        self.in_flight = 0

    async def serve(self, reader, writer):
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                writer.write(await self.answer(head.split(b" ", 2)[1]))
                # Varnish's probes ask for it, and wait for the end.
                if re.search(rb"(?i)\r\nconnection: *close", head):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def answer(self, path):
        body = BODY
        if path == b"/in-flight":
            body = b"%d" % self.in_flight
        elif path != b"/health":
            self.in_flight += 1
            await asyncio.sleep(DELAY)
            self.in_flight -= 1
        return (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n"
                % len(body) + body)


async def main(port):
    server = await asyncio.start_server(Origin().serve, "127.0.0.1", port, backlog=1000)
    await server.serve_forever()


asyncio.run(main(int(sys.argv[1])))
