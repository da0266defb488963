"""nghttpd as an origin over HTTP/2: the server of the library that we use ourselves, but not our
end of it. In clear by prior knowledge, and over TLS by ALPN."""
import hashlib
import itertools
import os
import pathlib
import re
import shutil
import tempfile
import unittest

from harness import EdgeTest, eventually, free_port, main
from harness.h2load import H2LOAD, Load, h2load
from harness.http2 import Http2Client
from harness.server import start_server
from harness.tls import TlsTest

NGHTTPD = shutil.which("nghttpd") or shutil.which("nghttpd", path="/usr/sbin:/sbin")
SMALL = b"scroll " * 100


class Nghttpd:
    """One server, started again as often as wanted, and what it says of its connections."""
    numbers = itertools.count()

    def __init__(self, test, folder, *options, identity=()):
        self.test, self.port = test, free_port()
        self.log = folder / f"{next(self.numbers)}.log"
        self.command = [NGHTTPD, "-v", "-a", "127.0.0.1", "-d", folder / "www", *options,
                        *([] if identity else ["--no-tls"]), self.port, *identity]
        self.start()

    def start(self):
        with self.log.open("ab") as log:
            self.process = start_server(self.test.addCleanup, self.port, *self.command, stdout=log)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def said(self, pattern):
        """What the pattern's group was, in each line of the log that has it."""
        return re.findall(pattern, self.log.read_text(errors="replace"), re.MULTILINE)

    def requests(self):
        return len(self.said(r"recv \(stream_id=\d+\) (:method): "))

    def connections(self):
        """Those on which requests came."""
        return len(set(self.said(r"^\[id=(\d+)\].* recv HEADERS")))


class WithFiles:
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory(prefix="e2e-nghttpd-")
        cls.addClassCleanup(temporary.cleanup)
        cls.files = pathlib.Path(temporary.name)
        (cls.files / "www").mkdir()
        cls.big = os.urandom(4 * 1024 * 1024)
        for name, content in (("small.txt", SMALL), ("empty", b""), ("big.bin", cls.big)):
            (cls.files / "www" / name).write_bytes(content)

    def client2(self, edge):
        client = Http2Client(edge.port)
        self.addCleanup(client.close)
        return client


class Cases(WithFiles):
    def ask(self, edge, target, *fields, method="GET", body=None, raw=b""):
        """One exchange over HTTP/1.1; `raw` goes behind the head as it is."""
        client = self.reach(edge)
        lines = [f"{method} {target} HTTP/1.1", "Host: site.test", *fields]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        client.send(("\r\n".join(lines) + "\r\n\r\n").encode() + (body or raw))
        return client.final(method)

    def answers(self, *options):
        """An origin with these options, the proxy before it, and a function that asks."""
        self.server = self.nghttpd(*options)
        self.proxy = self.edge_to([self.server])
        return lambda *a, **k: self.ask(self.proxy, *a, **k)

    def test_files_come_whole(self):
        ask = self.answers()
        for name, content in (("small.txt", SMALL), ("empty", b""), ("big.bin", self.big)):
            answer = ask(f"/{name}")
            self.assertEqual((answer.status, answer.body), (200, content))
            self.assertTrue(answer.get("server").startswith("nghttpd"))
        head = ask("/small.txt", method="HEAD")
        self.assertEqual((head.status, head.get("content-length")), (200, str(len(SMALL))))
        self.assertEqual(ask("/nothing").status, 404)
        date = ask("/small.txt").get("last-modified")
        self.assertEqual(ask("/small.txt", f"If-Modified-Since: {date}").status, 304)
        self.assertEqual(self.server.connections(), 1)

    def test_bodies_go_up_and_come_back(self):
        ask = self.answers("--echo-upload")
        for method in ("POST", "PUT"):
            for body in (b"x", self.big):
                self.assertEqual(ask("/up", method=method, body=body).body, body)
        self.assertEqual(ask("/up", "Transfer-Encoding: chunked", method="POST",
                             raw=b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n").body, b"abcdefg")

    def test_bodies_go_up_through_narrow_windows(self):
        ask = self.answers("--echo-upload", "-w", "10", "-W", "16")
        self.assertEqual(ask("/up", method="POST", body=self.big[:300_000]).body,
                         self.big[:300_000])

    def test_bodies_without_a_length_and_with_padding(self):
        """Padding counts against the window like the bytes around it."""
        ask = self.answers("--no-content-length", "-b", "256")
        answer = ask("/big.bin")
        self.assertIsNone(answer.get("content-length"))
        self.assertEqual(hashlib.sha256(answer.body).digest(), hashlib.sha256(self.big).digest())

    def test_trailers(self):
        ask = self.answers("--trailer", "x-sum: 42", "--no-content-length")
        answer = ask("/small.txt", "TE: trailers", "Connection: TE")
        self.assertEqual((answer.body, answer.trailers), (SMALL, [("x-sum", "42")]))

    def test_an_answer_that_comes_before_the_request_has_ended(self):
        ask = self.answers("--early-response")
        answer = ask("/small.txt", "Content-Length: 1000", method="POST", raw=b"not all of it")
        self.assertEqual((answer.status, answer.body), (200, SMALL))
        self.assertEqual(ask("/small.txt").body, SMALL)

    def test_many_at_once_over_few_streams(self):
        """More requests than the origin takes on a connection; no stream is refused by it."""
        for streams, limits in (("10", {}), ("10", {"connections": 2}), ("1", {})):
            server = self.nghttpd("-m", streams)
            proxy = self.edge_to([server], limits=limits)
            h2load(self.url(proxy) + "/small.txt", 600, "-c", "4", "-m", "16")
            self.assertEqual(server.requests(), 600)
            self.assertEqual(server.said("(REFUSED_STREAM)"), [])
            if limits:
                self.assertLessEqual(server.connections(), 2)

    def test_a_killed_origin_that_comes_back(self):
        ask = self.answers()
        self.assertEqual(ask("/small.txt").status, 200)
        self.server.kill()
        self.assertEqual(ask("/small.txt").status, 502)
        self.server.start()
        self.assertEqual(eventually(lambda: (got := ask("/small.txt")).status == 200 and got.body,
                                    "it answers again"), SMALL)

    def test_one_of_two_is_restarted_under_load(self):
        """An answer to HEAD is one frame: it has come, or the request can be made again."""
        one, other = self.nghttpd(), self.nghttpd()
        proxy = self.edge_to([one, other], outlier={"ejection": "200ms"})
        with Load(self.url(proxy) + "/small.txt", 500, "-c", "4", "-m", "4",
                  "-H", ":method: HEAD") as load:
            for _ in range(2):
                had = one.requests()
                load.until(lambda had=had: one.requests() > had + 100, "it has traffic")
                one.kill()
                load.go_on()
                one.start()
        self.assertGreater(other.requests(), 0)


@unittest.skipUnless(NGHTTPD and H2LOAD, "needs nghttpd and h2load")
class Plain(Cases, EdgeTest):
    def nghttpd(self, *options):
        return Nghttpd(self, self.files, *options)

    def edge_to(self, servers, **pool):
        return self.edge(pools={"main": {
            "protocol": "h2c", "endpoints": [f"127.0.0.1:{s.port}" for s in servers], **pool}})

    def url(self, edge):
        return f"http://127.0.0.1:{edge.port}"

    def reach(self, edge):
        return self.client(edge)

    def test_trailers_to_a_client_over_http2(self):
        server = self.nghttpd("--trailer", "x-sum: 42")
        answer = self.client2(self.edge_to([server])).get2("/small.txt")
        self.assertEqual((answer.body, answer.trailers), (SMALL, [("x-sum", "42")]))

    def test_a_client_that_does_not_read_stops_nobody(self):
        server = self.nghttpd()
        edge = self.edge_to([server])
        slow = self.client2(edge)
        slow.polite = False
        held = [slow.request("/big.bin") for _ in range(20)]
        slow.until(lambda: any(slow.answers.get(s) and slow.answers[s].body for s in held))
        other = self.client2(edge)
        for _ in range(50):
            self.assertEqual(other.get2("/small.txt").body, SMALL)
        self.assertEqual(server.connections(), 1)


@unittest.skipUnless(NGHTTPD and H2LOAD, "needs nghttpd and h2load")
class OverTls(Cases, TlsTest):
    """At both ends; the endpoint by its name."""

    def nghttpd(self, *options):
        if not hasattr(self, "issued"):
            self.issued = self.authority.issue("localhost", "DNS:localhost")
        return Nghttpd(self, self.files, *options,
                       identity=(self.issued.key, self.issued.certificate))

    def edge_to(self, servers, **pool):
        return self.edge(listeners=[self.listener()], pools={"main": {
            "protocol": "h2", "endpoints": [f"https://localhost:{s.port}" for s in servers],
            "tls": {"ca": str(self.authority.certificate)}, **pool}})

    def url(self, edge):
        return f"https://127.0.0.1:{edge.port}"

    def reach(self, edge):
        return self.tls_client(edge)


if __name__ == "__main__":
    main()
