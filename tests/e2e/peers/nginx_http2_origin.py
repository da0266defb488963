"""Real nginx as an origin over HTTP/2: it says GOAWAY after so many requests, and when it is
reloaded, with requests under way."""
import os
import pathlib
import shutil
import signal
import tempfile
import unittest

from harness import EdgeTest, eventually, free_port, main
from harness.h2load import H2LOAD, Load, h2load
from harness.server import NGINX, start_nginx

CONFIG = """daemon off; pid {folder}/pid; error_log {folder}/error.log;
worker_processes 1; user root;
events {{ worker_connections 256; }}
http {{
  access_log {folder}/access.log; client_body_temp_path {folder}/b; client_max_body_size 0;
  proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u;
  scgi_temp_path {folder}/s; default_type text/plain; keepalive_requests {requests};
  log_format plain '$connection $connection_requests $server_protocol $status';
  access_log {folder}/requests.log plain;
  server {{
    listen 127.0.0.1:{port} http2; root {folder}/www;
    location /up {{ dav_methods PUT; create_full_put_path on; }}
  }}
}}
"""
SMALL = b"scroll " * 100


@unittest.skipUnless(NGINX and H2LOAD and shutil.which("curl"), "needs nginx and h2load")
class NginxOrigin(EdgeTest):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="e2e-nginx-")
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        (self.folder / "www" / "up").mkdir(parents=True)
        (self.folder / "www" / "small.txt").write_bytes(SMALL)

    def between(self, requests=1000, **limits):
        """nginx, which takes so many requests on a connection, and the proxy before it."""
        port = free_port()
        nginx = start_nginx(self.addCleanup, self.folder,
                            CONFIG.format(folder=self.folder, port=port, requests=requests), port)
        edge = self.edge(pools={"main": {"protocol": "h2c", "endpoints": [f"127.0.0.1:{port}"],
                                         "limits": limits}})
        return nginx, edge, f"http://127.0.0.1:{edge.port}"

    def lines(self):
        log = self.folder / "requests.log"
        return [line.split() for line in log.read_text().splitlines()] if log.exists() else []

    def test_no_request_is_lost_to_a_connection_that_has_carried_enough(self):
        """Those beyond it are sent again, to the only endpoint, some of them more than once."""
        for limits in ({}, {"connections": 1}):
            _, _, url = self.between(requests=20, **limits)
            before = len(self.lines())
            h2load(url + "/small.txt", 1000, "-c", "4", "-m", "8")
            eventually(lambda end=before + 1000: len(self.lines()) >= end, "nginx has them all")
            lines = self.lines()[before:]
            self.assertEqual({line[2] for line in lines}, {"HTTP/2.0"})
            self.assertGreaterEqual(len({line[0] for line in lines}), 1000 // 40)

    def test_no_request_is_lost_to_a_reload(self):
        nginx, _, url = self.between()
        with Load(url + "/small.txt", 500, "-c", "4", "-m", "8") as load:
            for _ in range(3):
                load.go_on()
                nginx.send_signal(signal.SIGHUP)
            load.go_on()

    def test_bodies_both_ways(self):
        _, edge, _ = self.between()
        body = os.urandom(3_000_000)
        self.assertEqual(self.fetch(edge, "/up/copy", method="PUT", body=body).status, 201)
        self.assertEqual((self.folder / "www" / "up" / "copy").read_bytes(), body)
        self.assertEqual(self.fetch(edge, "/up/copy").body, body)


if __name__ == "__main__":
    main()
