#!/usr/bin/env python3
"""An origin of token metadata: `metadata_origin.py PORT MILLISECONDS`. /token/N is a document of
0.5 to 4 KiB that may be cached for an hour, after so many milliseconds. /asked is answered at once:
how many documents were asked for so far.
"""

import asyncio
import itertools
import sys

from corpus import SIZES, Collection

COLLECTIONS, TOKENS = 16, 24        # so many different documents; the others repeat them


def documents():
    """Complete responses."""
    sizes = itertools.cycle(SIZES[:3])
    return [response(Collection(1000 + number).token(token, next(sizes)).encode(),
                     b"application/json")
            for number in range(COLLECTIONS) for token in range(TOKENS)]


def response(body, media_type):
    return (b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nCache-Control: public, max-age=3600\r\n"
            b"Content-Length: %d\r\n\r\n" % (media_type, len(body)) + body)


class Origin(asyncio.Protocol):
    documents, delay, asked = (), 0, 0

    def connection_made(self, transport):
        self.transport, self.data = transport, b""

    def data_received(self, data):
        self.data += data
        while b"\r\n\r\n" in self.data:
            head, _, self.data = self.data.partition(b"\r\n\r\n")
            path = head.split(b" ", 2)[1]
            if path == b"/asked":
                self.transport.write(response(b"%d" % Origin.asked, b"text/plain"))
                continue
            Origin.asked += 1
            number = int(path.rpartition(b"/")[2])
            asyncio.get_running_loop().call_later(
                Origin.delay, self.transport.write, Origin.documents[number % len(self.documents)])


async def main(port, milliseconds):
    Origin.documents, Origin.delay = documents(), milliseconds / 1000
    server = await asyncio.get_running_loop().create_server(Origin, "127.0.0.1", port,
                                                            backlog=10_000)
    await server.serve_forever()


asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
