"""HTTP/2 against real servers: nghttpd and nginx; what is counted is what they did."""
import re
import signal

from harness import eventually, free_port, main
from harness.bench import BenchTest
from harness.server import start_nginx, start_server
from harness.tls import Identity


class Nghttpd(BenchTest):
    def setUp(self):
        super().setUp()
        self.file("x", "hello\n")
        self.file("large", "z" * 3_000_000)
        port = free_port()
        start_server(self.addCleanup, port, "nghttpd", "--no-tls", "-d", self.folder, port)
        self.url = f"http://127.0.0.1:{port}"

    def test_streams_share_connections(self):
        run = self.bench(self.url + "/x", "--http2", "-n", 2000, "-c", 3, "--streams", 10,
                         "--expect-status", 200, "--expect-length", 6)
        self.assertEqual((run.json["completed"], run.json["failed"]), (2000, 0), run.stdout)
        self.assertEqual(run.json["statuses"]["200"]["count"], 2000)
        self.assertEqual(run.json["protocol"], "h2c")

    def test_large_bodies_and_head(self):
        run = self.bench(self.url + "/large", "--http2", "-n", 20, "-c", 2, "--streams", 4,
                         "--expect-length", 3_000_000)
        self.assertEqual((run.json["completed"], run.json["failed"]), (20, 0), run.stdout)
        run = self.bench(self.url + "/large", "--http2", "-n", 20, "-c", 2, "-X", "HEAD")
        self.assertEqual((run.json["completed"], run.json["failed"]), (20, 0), run.stdout)
        self.assertLess(run.json["bytes"]["in"], 10_000)

    def test_what_is_not_there(self):
        run = self.bench(self.url + "/none", "--http2", "-n", 10, "-c", 1, "--expect-status", 200)
        self.assertEqual(run.json["failures"], {"unexpected_status": 10})

    def test_bodies_are_sent(self):
        body = self.file("body", "p" * 200_000)
        run = self.bench(self.url + "/x", "--http2", "-n", 20, "-c", 2, "--streams", 3,
                         "-X", "POST", "--body", body)
        self.assertEqual((run.json["completed"], run.json["failed"]), (20, 0), run.stdout)
        self.assertGreater(run.json["bytes"]["out"], 20 * 200_000)


class NghttpdTls(BenchTest):
    """h2 by ALPN, with what the server itself says of every frame."""

    def setUp(self):
        super().setUp()
        self.file("x", "hello\n")
        identity = Identity(self.folder, "IP:127.0.0.1")
        port = free_port()
        self.said = self.folder / "said"
        with open(self.said, "wb") as said:
            start_server(self.addCleanup, port, "nghttpd", "-v", "-d", self.folder, port,
                         identity.key, identity.certificate, stdout=said)
        self.url = f"https://127.0.0.1:{port}/x"

    def heads(self, way):
        """HEADERS frames that the server has got ("recv") or sent ("send")."""
        return len(re.findall(rf"{way} HEADERS frame", self.said.read_text(errors="replace")))

    def test_counts_equal_the_servers_own(self):
        run = self.bench(self.url, "--http2", "--insecure", "-d", "300ms", "-c", 2, "--streams", 5,
                         "--expect-status", 200, "--expect-length", 6)
        self.assertEqual(run.json["protocol"], "h2")
        self.assertEqual(run.json["failed"], 0, run.stdout)
        self.assertGreater(run.json["completed"], 10)
        self.assertEqual(run.json["requests"], run.json["completed"])
        eventually(lambda: self.heads("send") >= run.json["completed"], "all that was answered")
        self.assertEqual(self.heads("recv"), run.json["completed"])
        self.assertEqual(self.heads("send"), run.json["completed"])

    def test_what_did_not_finish_is_not_done(self):
        """Ctrl-C: no more than 10 requests were under way, and none of them counts."""
        process = self.start(self.url, "--http2", "--insecure", "-d", "10m", "-c", 2,
                             "--streams", 5)
        eventually(lambda: self.heads("send") > 100, "some answers")
        process.send_signal(signal.SIGINT)
        run = self.finish(process)
        self.assertEqual(run.code, 130)
        self.assertEqual((run.json["failed"], run.json["failures"]), (0, {}))
        self.assertEqual(run.json["requests"], run.json["completed"])
        self.assertEqual(sum(s["completed"] for s in run.json["timeline"]["slices"]),
                         run.json["completed"])
        eventually(lambda: self.heads("recv") >= run.json["completed"], "what was answered")
        self.assertLessEqual(run.json["completed"], self.heads("send"))
        self.assertLessEqual(self.heads("recv") - run.json["completed"], 10)


class Nginx(BenchTest):
    def setUp(self):
        super().setUp()
        port = free_port()
        self.log = self.folder / "access.log"
        self.server = start_nginx(self.addCleanup, self.folder, f"""
            daemon off; master_process off; worker_processes 1;
            pid {self.folder}/pid; error_log stderr error; user root;
            events {{ worker_connections 256; }}
            http {{
                log_format count '$status $server_protocol $connection';
                access_log {self.log} count;
                client_body_temp_path {self.folder}/body; keepalive_requests 50;
                server {{ listen 127.0.0.1:{port} http2; location / {{ return 200 'ok'; }} }}
            }}""", port)
        self.url = f"http://127.0.0.1:{port}"

    def test_a_connection_that_goes_away_is_replaced(self):
        """After 50 requests nginx says GOAWAY; nobody's request is lost by that."""
        run = self.bench(self.url + "/", "--http2", "-n", 500, "-c", 2, "--streams", 4)
        self.assertEqual((run.json["completed"], run.json["failed"]), (500, 0), run.stdout)
        self.server.terminate()
        self.server.wait(10)
        rows = re.findall(r"^200 HTTP/2.0 (\d+)$", self.log.read_text(), re.MULTILINE)
        self.assertEqual(len(rows), 500)
        self.assertGreaterEqual(len(set(rows)), 10)


class Scripted(BenchTest):
    """What no server of good manners sends."""

    @staticmethod
    def frame(kind, flags, stream, payload=b""):
        return (len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") +
                payload)

    def against(self, continuations):
        """One answer 200 in a HEADERS frame and so many CONTINUATION frames, byte by byte."""
        def script(conn):
            conn.read(len(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
            conn.send(self.frame(4, 0, 0))
            while True:
                head = conn.read(9)
                conn.read(int.from_bytes(head[:3], "big"))
                if head[3] != 1:
                    continue
                stream = int.from_bytes(head[5:], "big")
                frames = self.frame(1, 1, stream, b"\x88")
                for left in range(continuations, 0, -1):
                    frames += self.frame(9, 4 if left == 1 else 0, stream, b"\0\1x\1y")
                for byte in frames:
                    conn.send(bytes([byte]))
        origin = self.origin(script)
        return self.bench(f"http://{origin.address}/", "--http2", "-n", 3, "-c", 1)

    def test_a_head_that_trickles(self):
        run = self.against(20)
        self.assertEqual((run.json["completed"], run.json["failures"]), (3, {}), run.stdout)

    def test_a_head_without_end(self):
        run = self.against(500)
        self.assertEqual((run.json["completed"], run.json["failures"]), (0, {"malformed": 3}))


class NotHttp2(BenchTest):
    def test_a_server_of_the_old_kind_is_malformed(self):
        def script(conn):
            conn.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            conn.until_closed()
        origin = self.origin(script)
        run = self.bench(f"http://{origin.address}/", "--http2", "-n", 2, "-c", 1)
        self.assertEqual(run.json["completed"], 0)
        self.assertEqual(run.json["failures"], {"malformed": 2})

    def test_streams_belong_to_http2(self):
        run = self.finish(self.start("http://127.0.0.1:1/", "--streams", 4))
        self.assertEqual(run.code, 2)
        self.assertIn("--http2", run.stderr)


if __name__ == "__main__":
    main()
