"""The bench tool over TLS: whom it believes, what it counts, and which end is none."""
import hashlib
import os
import pathlib
import tempfile
import unittest

from harness import eventually, free_port, main
from harness.bench import BenchTest
from harness.origin import ok, raw
from harness.server import NGINX, start_nginx
from harness.tls import Identity

CONFIG = """daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
worker_processes 1; user root;
events {{ worker_connections 256; }}
http {{
  log_format tls "$connection $ssl_protocol $server_protocol $ssl_alpn_protocol $ssl_server_name";
  access_log {folder}/access.log tls; client_body_temp_path {folder}/b;
  proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u;
  scgi_temp_path {folder}/s; default_type text/plain; root {folder}/www;
  server {{
    listen 127.0.0.1:{port} ssl; ssl_protocols TLSv1.3;
    ssl_certificate {certificate}; ssl_certificate_key {key};
  }}
  server {{ listen 127.0.0.1:{plain_port}; }}
}}
"""


class TlsTest(BenchTest):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory(prefix="scrollgate-tls-")
        cls.addClassCleanup(temporary.cleanup)
        cls.place = pathlib.Path(temporary.name)
        cls.identity = Identity(cls.place, "DNS:localhost")

    def refused(self, *arguments, **options):
        """The one line for the user."""
        run = self.finish(self.start(*arguments, **options))
        self.assertEqual(run.code, 2, run.stderr)
        self.assertEqual(run.stdout, "")
        self.assertEqual(len(run.stderr.splitlines()), 1, run.stderr)
        return run.stderr


@unittest.skipUnless(NGINX, "needs nginx")
class Nginx(TlsTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.place / "www").mkdir()
        cls.page = os.urandom(3_000_000)
        (cls.place / "www" / "page").write_bytes(cls.page)
        cls.port, cls.plain_port = free_port(), free_port()
        text = CONFIG.format(folder=cls.place, port=cls.port, plain_port=cls.plain_port,
                             certificate=cls.identity.certificate, key=cls.identity.key)
        start_nginx(cls.addClassCleanup, cls.place, text, cls.port)

    def setUp(self):
        super().setUp()
        self.url = f"https://127.0.0.1:{self.port}/page"
        self.named = f"https://localhost:{self.port}/page"
        self.believing = {**os.environ, "SSL_CERT_FILE": str(self.identity.certificate)}
        self.log = self.place / "access.log"
        os.truncate(self.log, 0)

    def rows(self, count):
        """The fields of `count` log lines, which nginx writes after its answers."""
        eventually(lambda: self.log.read_text().count("\n") >= count, f"{count} log lines")
        rows = [line.split() for line in self.log.read_text().splitlines()]
        self.assertEqual(len(rows), count)
        return rows

    def test_insecure_believes_any_certificate(self):
        run = self.bench(self.url, "-n", 60, "-c", 4, "--workers", 2, "--insecure",
                         "--expect-sha256", hashlib.sha256(self.page).hexdigest())
        self.assertEqual(run.json["requests"], 60)
        self.assertEqual(run.json["completed"], 60)
        self.assertEqual(run.json["failures"], {})
        self.assertEqual(run.json["statuses"]["200"]["count"], 60)
        rows = self.rows(60)
        self.assertEqual({tuple(row[1:]) for row in rows},
                         {("TLSv1.3", "HTTP/1.1", "http/1.1", "-")})  # an address is not sent
        self.assertEqual(len({row[0] for row in rows}), 4)           # kept alive

    def test_a_certificate_that_nobody_has_signed(self):
        line = self.refused(self.named, "-n", 1)
        self.assertIn("certificate verify failed: self-signed certificate", line)
        self.assertIn("--insecure", line)
        self.assertEqual(self.rows(0), [])

    def test_a_certificate_that_is_believed_must_be_for_the_host(self):
        run = self.finish(self.start(self.named, "-n", 5, "-c", 1, env=self.believing))
        self.assertEqual(run.code, 0, run.stderr)
        self.assertEqual(run.json["completed"], 5)
        self.assertEqual({row[4] for row in self.rows(5)}, {"localhost"})
        line = self.refused(self.url, "-n", 1, env=self.believing)
        self.assertIn("certificate verify failed: IP address mismatch", line)
        self.assertIn("--insecure", line)

    def test_a_port_without_tls(self):
        line = self.refused(f"https://127.0.0.1:{self.plain_port}/", "--insecure")
        self.assertIn("speaks no TLS", line)
        self.assertIn("http://", line)

    def test_a_server_without_http2(self):
        line = self.refused(self.url, "--insecure", "--http2")
        self.assertIn("none of the protocols", line)
        self.assertIn("--http1", line)


class Scripted(TlsTest):
    def against(self, script, *more, count=5):
        origin = self.origin(self.identity.over_tls(script))
        return origin, self.bench(f"https://{origin.address}/", "-n", count, "-c", 1,
                                  "--insecure", *more)

    def expect(self, failures, script):
        _, run = self.against(script)
        self.assertEqual(run.json["failures"], failures, run.stdout)
        self.assertEqual(run.json["completed"], 5 - sum(failures.values()))

    @staticmethod
    def politely(data):
        """These bytes, then close_notify, and FIN when the other side has said it, too."""
        def script(conn):
            conn.request()
            conn.send(data)
            conn.sock.unwrap()
        return script

    def test_bytes_are_those_within_tls(self):
        origin, run = self.against(ok)
        sent = sum(len(c.received) for c in origin.connections)
        self.assertEqual(run.json["bytes"]["out"], sent)
        self.assertEqual(run.json["bytes"]["in"], 5 * len(
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Origin: yes\r\n\r\nGET /"))

    def test_sessions_go_on_if_that_is_wanted(self):
        reused = []

        def script(conn):
            conn.request()
            reused.append(conn.sock.session_reused)
            conn.answer(b"ok", "200 OK", "Connection: close")
        for more, count in (((), 0), (("--resume",), 4)):
            reused.clear()
            _, run = self.against(script, *more)
            self.assertEqual(run.json["tls"], {"handshakes": 5, "resumed": count})
            self.assertEqual(reused.count(True), count)
        self.assertIn("--resume is for", self.refused("https://127.0.0.1:1/", "--resume",
                                                      "--http2"))

    def test_a_long_request_arrives_as_it_was(self):
        body = self.file("body", "0123456789abcdef" * 100_000)
        origin, run = self.against(ok, "-X", "POST", "--body", body)
        self.assertEqual(run.json["completed"], 5)
        self.assertEqual([r.body for r in origin.requests()], [body.read_bytes()] * 5)

    def test_an_end_within_a_body_is_truncation_whatever_tls_says(self):
        for data in (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
                     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"):
            self.expect({"truncated": 5}, raw(data, "close"))
            self.expect({"truncated": 5}, self.politely(data))

    def test_a_body_that_ends_with_the_connection_needs_the_close_of_tls(self):
        data = b"HTTP/1.1 200 OK\r\n\r\nbody"
        self.expect({}, self.politely(data))
        self.expect({"truncated": 5}, raw(data, "close"))

    def test_a_body_with_a_length_does_not(self):
        head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\n"
        self.expect({}, raw(head + b"body", "close"))

    def test_an_end_before_the_answer(self):
        self.expect({"closed": 5}, raw(b"", "close"))
        self.expect({"reset": 5}, raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "reset"))

    def test_a_server_that_speaks_tls_no_more(self):
        def script(conn):
            if conn.index == 0:         # the first look, before the run
                self.identity.over_tls(ok)(conn)
            conn.more()
            conn.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            conn.until_closed()
        origin = self.origin(script)
        run = self.bench(f"https://{origin.address}/", "-n", 4, "-c", 1, "--insecure")
        self.assertEqual(run.json["failures"], {"tls": 4})

    def test_a_server_that_closes_within_the_handshake(self):
        origin = self.origin(lambda conn: conn.more())
        line = self.refused(f"https://{origin.address}/", "--insecure")
        self.assertIn("closed the connection during the TLS handshake", line)


if __name__ == "__main__":
    main()
