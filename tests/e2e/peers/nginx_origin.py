"""Real nginx as origin, real curl as client: what two implementations of the field agree on."""
import gzip
import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from harness import EdgeTest, free_port, main
from harness.server import NGINX, start_nginx

CONFIG = """daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
worker_processes 1; user root;
events {{ worker_connections 256; }}
http {{
  access_log {folder}/access.log; client_body_temp_path {folder}/b; client_max_body_size 0;
  proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u;
  scgi_temp_path {folder}/s; gzip on; gzip_types text/plain; gzip_min_length 100;
  gzip_proxied any; default_type text/plain;
  server {{
    listen 127.0.0.1:{port}; root {folder}/www;
    location /up {{ dav_methods PUT DELETE; create_full_put_path on; }}
    location /host {{ return 200 $http_host; }}
    location /moved {{ return 302 /small.txt; }}
  }}
}}
"""


@unittest.skipUnless(NGINX and shutil.which("curl"), "needs nginx and curl")
class NginxOrigin(EdgeTest):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="e2e-nginx-")
        cls.addClassCleanup(cls.temporary.cleanup)
        cls.folder = pathlib.Path(cls.temporary.name)
        (cls.folder / "www" / "up").mkdir(parents=True)
        (cls.folder / "www" / "small.txt").write_text("scroll " * 1000)
        cls.big = os.urandom(8 * 1024 * 1024)
        (cls.folder / "www" / "big.bin").write_bytes(cls.big)
        cls.port = free_port()
        start_nginx(cls.addClassCleanup, cls.folder,
                    CONFIG.format(folder=cls.folder, port=cls.port), cls.port)

    def setUp(self):
        self.proxy = self.edge(f"127.0.0.1:{self.port}")
        self.base = f"http://127.0.0.1:{self.proxy.port}"

    def curl(self, *arguments):
        done = subprocess.run(["curl", "-sS", "--max-time", "30", *arguments],
                              capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_a_big_file(self):
        data = self.curl(f"{self.base}/big.bin")
        self.assertEqual(hashlib.sha256(data).digest(), hashlib.sha256(self.big).digest())

    def test_ranges(self):
        self.assertEqual(self.curl("-r", "100-199", f"{self.base}/big.bin"), self.big[100:200])
        self.assertEqual(self.curl("-r", "-10", f"{self.base}/big.bin"), self.big[-10:])
        parts = self.curl("-i", "-r", "0-1,5-6", f"{self.base}/big.bin")
        self.assertIn(b"multipart/byteranges", parts)

    def test_gzip(self):
        text = "scroll " * 1000
        self.assertEqual(self.curl("--compressed", f"{self.base}/small.txt"), text.encode())
        coded = self.curl("-H", "Accept-Encoding: gzip", f"{self.base}/small.txt")
        self.assertEqual(gzip.decompress(coded), text.encode())

    def test_conditions(self):
        head = self.curl("-I", f"{self.base}/small.txt").decode()
        etag = next(line.split(": ", 1)[1] for line in head.splitlines()
                    if line.lower().startswith("etag"))
        status = self.curl("-o", "/dev/null", "-w", "%{http_code}", "-H",
                           f"If-None-Match: {etag}", f"{self.base}/small.txt")
        self.assertEqual(status, b"304")

    def upload(self, *arguments):
        source = self.folder / "source.bin"
        source.write_bytes(self.big)
        self.curl("-T", str(source), *arguments, f"{self.base}/up/copy.bin")
        return (self.folder / "www" / "up" / "copy.bin").read_bytes() == self.big

    def test_an_upload_with_length(self):
        self.assertTrue(self.upload())

    def test_an_upload_in_chunks(self):
        self.assertTrue(self.upload("-H", "Transfer-Encoding: chunked"))

    def test_an_upload_that_asks_first(self):
        self.assertTrue(self.upload("-H", "Expect: 100-continue"))

    def test_keep_alive(self):
        urls = [f"{self.base}/small.txt"] * 5
        out = self.curl("-w", "%{num_connects}\n", *sum((["-o", "/dev/null", u] for u in urls),
                                                         []))
        self.assertEqual(out.split(), [b"1", b"0", b"0", b"0", b"0"])

    def test_host_and_redirects(self):
        self.assertEqual(self.curl("-H", "Host: a.test:99", f"{self.base}/host"), b"a.test:99")
        self.assertEqual(self.curl("-L", f"{self.base}/moved"), b"scroll " * 1000)

    def test_http10(self):
        self.assertEqual(self.curl("-0", f"{self.base}/small.txt"), b"scroll " * 1000)

    def test_many_at_once(self):
        out = self.curl("-Z", "--parallel-max", "20", "-w", "%{http_code}\n", "-o", "/dev/null",
                        f"{self.base}/small.txt?[1-60]", "-o", "/dev/null")
        self.assertEqual(set(out.split()), {b"200"})


if __name__ == "__main__":
    main()
