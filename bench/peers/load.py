"""The load: wrk for closed loops, a row of h2load processes for the open loop, and an idle crowd.

Each returns a dict of figures: requests, bytes, seconds, p50 and p99 in microseconds, failed.
"""

import contextlib
import json
import re
import socket
import subprocess
import time
from pathlib import Path
from urllib.request import urlopen

HERE = Path(__file__).resolve().parent

# With Host, 16 fields and about 700 bytes: what a browser sends.
REAL_FIELDS = [
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
    "Accept-Language: en-US,en;q=0.5",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Referer: https://market.example/collections/scrolls?page=4&sort=price",
    "Cookie: session=8f14e45fceea167a5a36dedd4bea2543; theme=dark; consent=1; ab=7; "
    "seen=1205,1206,1311,1312,1400",
    "Authorization: Bearer 6f1ed002ab5595859014ebf0951522d9",
    "Origin: https://market.example",
    "Sec-Fetch-Dest: empty", "Sec-Fetch-Mode: cors", "Sec-Fetch-Site: same-site",
    "Cache-Control: no-cache", "Pragma: no-cache", "DNT: 1", "Priority: u=4",
]


def pinned(core, command):
    return command if core is None else ["taskset", "-c", str(core), *command]


def wrk(port, path, core, seconds, connections=64, fields=()):
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "60s",
               "-s", str(HERE / "report.lua")]
    for field in fields:
        command += ["-H", field]
    command.append(f"http://127.0.0.1:{port}{path}")
    out = subprocess.run(pinned(core, command), capture_output=True, text=True, check=True).stdout
    return json.loads(re.search(r"^JSON (.*)$", out, re.MULTILINE).group(1))


def open_loop(port, path, core, seconds, folder, rate=2000):
    """`rate` requests a second that do not wait for each other's answers.

    h2load paces a client by a 10 ms timer and fires all clients of one process together. So there
    is one process per 100 requests a second, started a fraction of 10 ms apart.
    """
    count = rate // 100
    logs = [Path(folder) / f"h2load-{i}.log" for i in range(count)]
    processes = []
    begin = time.monotonic()
    for i, log in enumerate(logs):
        log.unlink(missing_ok=True)
        while time.monotonic() < begin + i * (0.02 + 0.01 / count):
            pass
        processes.append(subprocess.Popen(
            pinned(core, ["h2load", "--h1", "-c1", "-t1", "--rps=100", f"-D{seconds + 1}",
                          f"--log-file={log}", f"http://127.0.0.1:{port}{path}"]),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    for process in processes:
        process.wait()
    rows = [[tuple(map(int, line.split()[:3])) for line in log.read_text().splitlines()]
            for log in logs]
    first = max(row[0][0] for row in rows)     # all are running from here
    last = min(row[-1][0] for row in rows)     # to here
    seen = [entry for row in rows for entry in row if first <= entry[0] <= last]
    times = sorted(took for _, _, took in seen)
    return {"requests": len(seen), "seconds": (last - first) / 1e6, "bytes": 0,
            "p50": times[len(times) // 2], "p99": times[len(times) * 99 // 100],
            "failed": sum(1 for _, status, _ in seen if status != 200)}


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


@contextlib.contextmanager
def idle_crowd(port, path, count, at_once=64):
    """`count` open connections, each of which has been served one request."""
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


def origin_counts(origin):
    """(connections accepted, requests served) by the origin so far, this question included."""
    with urlopen(f"http://127.0.0.1:{origin.port}/origin-status", timeout=10) as answer:
        accepted, _, requests = re.search(r"\n *(\d+) (\d+) (\d+)", answer.read().decode()).groups()
    return int(accepted), int(requests)
