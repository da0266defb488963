"""FakeDns: a small name server on UDP (RFC 1035) whose answers the test changes while it runs."""
import socket
import struct
import threading

from .wait import eventually

NOERROR, SERVFAIL, NXDOMAIN = 0, 2, 3
A, AAAA = 1, 28


class FakeDns:
    """Knows `names`: name -> list of IPv4 addresses, or a response code. Others do not exist."""

    def __init__(self, ttl=0, **names):
        self.ttl = ttl
        self.names = {}
        self.questions = []                 # names asked for A records, in order
        self.silent_for = ()                # kinds of records that are never answered
        self.sock = None
        self.port = 0
        self.set(**names)
        self.start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def set(self, **names):
        """`app=[...]` stands for app.test."""
        self.names.update({f"{name}.test": answer for name, answer in names.items()})

    def start(self):
        """Listens, on the same port as before if there was one."""
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", self.port))
        self.port = self.sock.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, args=(self.sock,), daemon=True)
        self.thread.start()

    def stop(self):
        """From now on nobody listens on the port."""
        if self.sock is None:
            return
        sock, self.sock = self.sock, None
        wake = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        wake.sendto(b"", ("127.0.0.1", self.port))      # ends the wait in recvfrom
        wake.close()
        self.thread.join(10)
        sock.close()

    def _serve(self, sock):
        while True:
            query, peer = sock.recvfrom(4096)
            if not query:
                return
            answer = self._answer(query)
            if answer is not None:
                sock.sendto(answer, peer)

    def _answer(self, query):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode().lower())
            at += 1 + query[at]
        kind, = struct.unpack("!H", query[at + 1:at + 3])
        name = ".".join(labels)
        if kind in self.silent_for:
            return None
        answer = self.names.get(name, NXDOMAIN)
        code = answer if isinstance(answer, int) else NOERROR
        addresses = answer if code == NOERROR and kind == A else []
        if isinstance(answer, int):
            addresses = []
        records = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", A, 1, self.ttl, 4)
                           + socket.inet_aton(address) for address in addresses)
        head = query[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, len(addresses), 0, 0)
        if kind == A:
            self.questions.append(name)
        return head + query[12:at + 5] + records

    # -- what the test asks
    def asked(self, name="app"):
        """How often this name was asked so far."""
        return self.questions.count(f"{name}.test")

    def wait_asked(self, more=2, name="app"):
        """Until it was asked so many times from now on: answers before the last are known then."""
        want = self.asked(name) + more
        eventually(lambda: self.asked(name) >= want, f"{name}.test is asked {more} times more")
