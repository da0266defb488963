"""Programs that people have: Chromium over HTTP/2 with a WebSocket, h2load, openssl s_client."""
import base64
import hashlib
import json
import shutil
import subprocess
import tempfile
import threading
import unittest

from harness import eventually, main
from harness.h2load import H2LOAD, h2load
from harness.tls import TlsTest, openssl
from harness.wait import PATIENCE, SCALE

CHROMIUM = shutil.which("chromium")
LIMIT = 120
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--enable-logging=stderr", "--host-resolver-rules=MAP site.test 127.0.0.1,"
         "MAP * ~NOTFOUND"]
# The picture holds up the page's load event, and so the browser's end, until there is a report.
PAGE = b"""<!doctype html><title>page</title><link rel="icon" href="data:,"><script>
const ask = path => fetch(path).then(answer => answer.text());
const talk = () => new Promise(done => {
  const socket = new WebSocket(`wss://${location.host}/chat`, 'chat');
  socket.onopen = () => socket.send('hello');
  socket.onmessage = message => { socket.close(1000, 'enough'); done(message.data); };
  socket.onerror = () => done('the WebSocket failed');
});
(async () => {
  const data = await Promise.all(['/data/1', '/data/2', '/data/3'].map(ask));
  const said = await talk();
  const protocols = performance.getEntriesByType('resource')
      .filter(one => new URL(one.name).pathname.startsWith('/data'))
      .map(one => one.nextHopProtocol);
  const page = performance.getEntriesByType('navigation')[0].nextHopProtocol;
  await fetch('/report', {method: 'POST', body: JSON.stringify({data, said, protocols, page})});
})();
</script><img src="/held">
"""


class Site:
    """The page's origin: its script, and what the page has reported."""

    def __init__(self):
        self.reported, self.report, self.closed = threading.Event(), None, None

    def __call__(self, conn):
        while True:
            request = conn.request()
            path = request.target
            if path == "/page":
                conn.answer(PAGE, "200 OK", "Content-Type: text/html")
            elif path == "/chat":
                return self.chat(conn, request)
            elif path == "/report":
                self.report = json.loads(request.body)
                conn.answer(b"thanks", "200 OK")
                self.reported.set()
            elif path == "/held":
                self.reported.wait(PATIENCE * 3 * SCALE)
                conn.answer(b"no picture", "404 Not Found")
            else:
                conn.answer(path.encode(), "200 OK")

    def chat(self, conn, request):
        key = request.get("sec-websocket-key") + GUID
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest())
        conn.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket"
                  b"\r\nSec-WebSocket-Protocol: chat\r\nSec-WebSocket-Accept: " + accept +
                  b"\r\n\r\n")
        words = self.frame(conn)[1]
        conn.send(b"\x81" + bytes([len(words) + 4]) + b"you " + words)
        kind, words = self.frame(conn)
        self.closed = (kind, int.from_bytes(words[:2], "big"), words[2:])
        conn.send(b"\x88\x02" + words[:2])

    @staticmethod
    def frame(conn):
        """A short one of a client's: (opcode, payload)."""
        first, second = conn.read(2)
        mask = conn.read(4)
        masked = conn.read(second & 0x7f)
        return first & 0x0f, bytes(byte ^ mask[i % 4] for i, byte in enumerate(masked))


@unittest.skipUnless(CHROMIUM, "needs chromium")
class Browser(TlsTest):
    def test_a_page_and_its_websocket_over_http2(self):
        issued, site = self.authority.issue("site.test", "DNS:site.test"), Site()
        edge = self.edge(self.origin(site), listeners=[self.listener(issued)])
        public = openssl("x509", "-in", issued.certificate, "-noout", "-pubkey")
        file = self.folder / "public.pem"
        file.write_bytes(public)
        der = openssl("pkey", "-pubin", "-in", file, "-outform", "der")
        believed = base64.b64encode(hashlib.sha256(der).digest()).decode()
        with tempfile.TemporaryDirectory(prefix="scrollgate-browser-",
                                         ignore_cleanup_errors=True) as profile:
            done = subprocess.run(
                [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "--dump-dom",
                 f"--ignore-certificate-errors-spki-list={believed}",
                 f"https://site.test:{edge.port}/page"], stdin=subprocess.DEVNULL,
                capture_output=True, text=True, timeout=LIMIT, check=False)
        self.assertEqual(site.report, {
            "data": ["/data/1", "/data/2", "/data/3"], "said": "you hello",
            "protocols": ["h2", "h2", "h2"], "page": "h2"}, done.stderr)
        self.assertEqual(site.closed, (8, 1000, b"enough"))
        lines = eventually(lambda: [line for line in edge.log(1) if line["path"] == "/chat"],
                           "the tunnel is logged")
        self.assertEqual([(line["version"], line["outcome"]) for line in lines],
                         [("2", "tunnel")])


@unittest.skipUnless(H2LOAD, "needs h2load")
class H2load(TlsTest):
    def test_over_tls_and_in_clear_passed_on_and_from_the_cache(self):
        routes = [{"name": "hit", "match": {"path_prefix": "/hit"}, "pools": ["main"],
                   "cache": {"enabled": True, "default_ttl": "1h"}},
                  {"name": "pass", "pools": ["main"]}]
        origin = self.origin()
        edges = {"h2": self.edge(origin, listeners=[self.listener()], routes=routes),
                 "h2c": self.edge(origin, routes=routes)}
        for protocol, edge in edges.items():
            url = f"{'https' if protocol == 'h2' else 'http'}://127.0.0.1:{edge.port}"
            before = len(origin.requests())
            self.assertEqual(h2load(url + "/pass", 1000), protocol)
            self.assertEqual(len(origin.requests()), before + 1000)
            h2load(url + "/hit", 1000)
            self.assertLess(len(origin.requests()), before + 1000 + 300)

    def test_uploads(self):
        body = self.folder / "body"
        body.write_bytes(b"x" * 100_000)
        origin = self.origin()
        edge = self.edge(origin, listeners=[self.listener()])
        h2load(f"https://127.0.0.1:{edge.port}/up", 200, "-d", str(body))
        self.assertEqual({len(request.body) for request in origin.requests()}, {100_000})


class SClient(TlsTest):
    def client(self, edge, *more, say=b""):
        """What openssl s_client prints."""
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{edge.port}", "-servername",
             "site.test", "-CAfile", str(self.authority.certificate), "-verify_return_error",
             "-ign_eof", *more], input=say, capture_output=True, timeout=LIMIT, check=False)
        return (done.stdout + done.stderr).decode(errors="replace")

    def test_what_is_agreed_on(self):
        edge = self.edge(self.origin(), listeners=[self.listener()])
        bye = b"GET /x HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n"
        for more, words in (
                (("-tls1_3", "-alpn", "http/1.1"), ("New, TLSv1.3", "ALPN protocol: http/1.1")),
                (("-tls1_2", "-alpn", "http/1.1"), ("New, TLSv1.2", "ECDHE-ECDSA-AES",
                                                    "Extended master secret: yes",
                                                    "Secure Renegotiation IS supported")),
                (("-tls1_3", "-groups", "P-384"), ("Server Temp Key: ECDH, secp384r1",)),
                (("-tls1_3",), ("Server Temp Key: X25519", "Verification: OK",
                                "Compression: NONE", "Early data was not sent"))):
            said = self.client(edge, *more, say=bye)
            for word in (*words, "GET /x", "Verify return code: 0 (ok)"):
                self.assertIn(word, said)

    def test_new_keys_within_a_connection(self):
        """K asks the other side to change its keys, too (RFC 8446 4.6.3)."""
        edge = self.edge(self.origin(), listeners=[self.listener()])
        with subprocess.Popen(
                ["openssl", "s_client", "-connect", f"127.0.0.1:{edge.port}", "-servername",
                 "site.test", "-tls1_3"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE) as process:
            self.addCleanup(process.kill)
            for number in range(3):
                process.stdin.write(b"GET /%d HTTP/1.1\r\nHost: site.test\r\n\r\n" % number)
                process.stdin.flush()
                got = b""
                while b"GET /%d" % number not in got:
                    more = process.stdout.read1(4096)
                    self.assertTrue(more, got)
                    got += more
                process.stdin.write(b"K\n")
                process.stdin.flush()
                # What came in one read with the command would be taken for a part of it.
                while b"KEYUPDATE" not in process.stderr.readline():
                    self.assertIsNone(process.poll())
            process.communicate(timeout=LIMIT)

    def test_sessions_from_a_file(self):
        edge = self.edge(self.origin(), listeners=[self.listener()])
        bye = b"GET /x HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n"
        for version in ("-tls1_2", "-tls1_3"):
            file = str(self.folder / f"session{version}")
            self.assertIn("New, TLS", self.client(edge, version, "-sess_out", file, say=bye))
            self.assertIn("Reused, TLS", self.client(edge, version, "-sess_in", file, say=bye))


if __name__ == "__main__":
    main()
