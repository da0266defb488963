"""Are the subjects given the same work, and do they do it? Shows what reaches the origin from each,
what the client gets, what TLS they agree on, and whether a second request is a cache hit.
"""

import socket
import ssl
import threading

from scenarios import REAL_FIELDS
from subjects import Subject, Unsupported

TOGETHER = (frozenset(), frozenset({"cache"}), frozenset({"tls"}), frozenset({"tls", "h2"}))


class RecordingOrigin:
    """Answers every request with two bytes that may be cached, and keeps its head. One thread per
    connection."""

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
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
                               b"Cache-Control: public, max-age=60\r\n\r\nok")


def check(bench, names):
    """Prints all of it; returns 1 if somebody does not do what is measured."""
    lines = ["GET /real HTTP/1.1", "Host: market.example", *REAL_FIELDS, "", ""]
    real = "\r\n".join(lines).encode()
    small = b"GET /small HTTP/1.1\r\nHost: market.example\r\n\r\n"
    print(f"the real request has {len(real)} bytes, {len(lines) - 3} fields")
    worst = 0
    for name in names:
        print(f"\n{name}")
        for flags in TOGETHER:
            origin = RecordingOrigin()
            values = {**bench.values, "ORIGIN": origin.port}
            try:
                with Subject(name, bench.folder, None, values, flags) as subject:
                    look = _tls if "tls" in flags else _hits if "cache" in flags else _pass
                    good = look(subject, origin, small if "cache" in flags else real)
            except Unsupported as error:
                print(f"  {' '.join(sorted(flags))}: {error}")
                continue
            worst = worst if good else 1
    return worst


def _ask_twice(client, request):
    for _ in range(2):
        client.sendall(request)
        answer = client.recv(65536)
        while not answer.endswith(b"ok"):
            answer += client.recv(65536)
    return answer.decode("latin-1")


def _pass(subject, origin, request):
    with socket.create_connection(("127.0.0.1", subject.port), 5) as client:
        answer = _ask_twice(client, request)
    sent = _names(request.decode())
    got = _names(origin.heads[-1])
    print(f"  plain: {origin.connections} connection(s) for {len(origin.heads)} requests, "
          f"{len(origin.heads[-1]) + 4} bytes; {origin.heads[-1].splitlines()[0]}"
          f"\n    added:   {' '.join(sorted(got - sent))}"
          f"\n    removed: {' '.join(sorted(sent - got))}"
          f"\n    client is answered: {answer.splitlines()[0]}, fields "
          f"{' '.join(sorted(_names(answer)))}")
    return origin.connections == 1 and len(origin.heads) == 2


def _names(head):
    return {line.split(":")[0].lower() for line in head.split("\r\n")[1:] if ":" in line}


def _hits(subject, origin, request):
    with socket.create_connection(("127.0.0.1", subject.port), 5) as client:
        _ask_twice(client, request)
        answer = _ask_twice(client, request)
    print(f"  cache: {len(origin.heads)} of 4 requests reached the origin; fields "
          f"{' '.join(sorted(_names(answer)))}")
    return len(origin.heads) < 4


def _tls(subject, _origin, request):
    """Also that sessions are never resumed, so that each handshake is a full one."""
    wants_h2 = "h2" in subject.flags
    good = True
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = ssl.create_default_context(cafile=subject.values["CERT"])
        context.minimum_version = context.maximum_version = version
        context.set_alpn_protocols(["h2", "http/1.1"] if wants_h2 else ["http/1.1"])
        session = None
        for _ in range(2):
            with socket.create_connection(("127.0.0.1", subject.port), 5) as plain:
                with context.wrap_socket(plain, server_hostname="127.0.0.1",
                                         session=session) as client:
                    agreed, spoken = client.selected_alpn_protocol(), client.version()
                    if agreed != "h2":
                        _ask_twice(client, request)
                    session, reused, cipher = client.session, client.session_reused, client.cipher()
        print(f"  {spoken}: {cipher[0]}, ALPN {agreed}, {'RESUMED' if reused else 'not resumed'}")
        good = good and not reused and (agreed == "h2") == wants_h2
    return good
