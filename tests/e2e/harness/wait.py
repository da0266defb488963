"""Waiting for events, with deadlines that only a broken product ever reaches."""
import os
import random
import signal
import socket
import time
import unittest

SANITIZED = os.environ.get("SCROLLGATE_SANITIZER", "0") not in ("", "0")
SCALE = 5.0 if SANITIZED else 1.0
PATIENCE = 10.0
SANITIZED_SKIP = unittest.skipIf(SANITIZED, "a sanitizer has threads of its own")


def deadline(seconds=PATIENCE):
    """A moment by which something that needs no time must have happened."""
    return time.monotonic() + seconds * SCALE


def eventually(condition, what, seconds=PATIENCE, step=0.005):
    """Returns condition()'s first true value; fails with `what` if none comes in time."""
    end = deadline(seconds)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"never happened: {what}")
        time.sleep(step)


def signal_to(process, number):
    """Sends it; SIGSTOP has halted all threads of the child when this returns: one that runs while
    another is to take the signal would go on for a while."""
    process.send_signal(number)
    if number == signal.SIGSTOP:
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)


_given = set()     # a port that was given may not be listened on yet


def free_port():
    """A port nobody listens on. Taken below the kernel's ephemeral range, so that an outgoing
    connection of a test that runs at the same time cannot sit on it before we do."""
    for _ in range(200):
        port = random.randrange(10240, 32000)
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                _given.add(port)
                return port
            except OSError:
                continue
    raise RuntimeError("no free port found")
