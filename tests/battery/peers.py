"""The proxies that the battery can run against, each with one listener per lane."""
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from harness.process import Scrollgate                               # noqa: E402
from harness.wait import eventually, free_port                       # noqa: E402

NGINX = """daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  client_header_timeout 1s; client_body_timeout 1s; proxy_read_timeout 2s;
  proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;
  proxy_set_header X-Forwarded-For $remote_addr; proxy_request_buffering off;
{lanes}
}}
"""
NGINX_LANE = """  upstream lane{n} {{ server {origin}; keepalive 8; }}
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://lane{n}; }} }}
"""
HAPROXY = """global
  maxconn 512
defaults
  mode http
  timeout connect 1s
  timeout client 2s
  timeout server 2s
  timeout http-request 1s
  option forwardfor
{lanes}
"""
HAPROXY_LANE = """frontend f{n}
  bind 127.0.0.1:{port}
  default_backend b{n}
backend b{n}
  http-reuse safe
  server s {origin}
"""


class Peer:
    """nginx or HAProxy in the foreground, with a configuration of its own."""

    def __init__(self, name, lanes):
        self.folder = tempfile.TemporaryDirectory(prefix="battery-")
        head, lane_text, command = {
            "nginx": (NGINX, NGINX_LANE, ["nginx", "-c"]),
            "haproxy": (HAPROXY, HAPROXY_LANE, ["haproxy", "-db", "-f"]),
        }[name]
        for lane in lanes:
            lane.port = free_port()
        text = "".join(lane_text.format(n=n, port=lane.port, origin=lane.origin.address)
                       for n, lane in enumerate(lanes))
        file = pathlib.Path(self.folder.name) / "conf"
        file.write_text(head.format(folder=self.folder.name, lanes=text))
        path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
        self.process = subprocess.Popen([*command, str(file)], env={**os.environ, "PATH": path},
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(lambda: lanes[-1].probe() is None, f"{name} answers")

    def close(self):
        self.process.terminate()
        self.process.wait(10)
        self.folder.cleanup()


def scrollgate(lanes):
    for lane in lanes:
        lane.port = free_port()
    return Scrollgate({
        "listeners": [{"name": f"l{n}", "address": f"127.0.0.1:{lane.port}"}
                      for n, lane in enumerate(lanes)],
        "pools": {f"p{n}": {"endpoints": [lane.origin.address]} for n, lane in enumerate(lanes)},
        "routes": [{"name": f"r{n}", "match": {"listener": f"l{n}"}, "pools": [f"p{n}"]}
                   for n in range(len(lanes))],
        "timeouts": {"client_header": "1s", "client_body": "1s", "upstream_response": "2s",
                     "upstream_body": "2s"},
    })


def start(name, lanes):
    return scrollgate(lanes) if name == "scrollgate" else Peer(name, lanes)
