#!/usr/bin/env python3
"""Wide-area links in user space, for kernels without netem: `wan.py MILLISECONDS FD,FD,…`. Each
descriptor is a TUN device that stands in the network namespace of one cloud; what one of them sends
to 10.80.K.0/24 comes out of the K-th, counted from 1, so many milliseconds later. Nothing is lost,
and the links are as wide as this program is quick. Until standard input ends.
"""

import heapq
import itertools
import os
import select
import sys
import time

MOST = 65536        # bytes of a packet


def forward(delay, devices):
    waiting, numbers = [], itertools.count()
    while True:
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _, _, packet, device = heapq.heappop(waiting)
            os.write(device, packet)
        # select(2): it is exact to microseconds.
        left = waiting[0][0] - now if waiting else None
        ready = select.select([sys.stdin.fileno(), *devices], [], [], left and max(left, 0))[0]
        for device in ready:
            if device == sys.stdin.fileno():
                return
            packet = os.read(device, MOST)
            cloud = packet[18] if packet[0] >> 4 == 4 and packet[16:18] == b"\x0a\x50" else 0
            if 1 <= cloud <= len(devices):
                heapq.heappush(waiting, (time.monotonic() + delay, next(numbers), packet,
                                         devices[cloud - 1]))


if __name__ == "__main__":
    forward(float(sys.argv[1]) / 1000, [int(word) for word in sys.argv[2].split(",")])
