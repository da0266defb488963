"""The admin address: health, status, config, and who may change things."""
import json
import os
import stat

from harness import EdgeTest, RawClient, eventually, free_port, main


class Admin(EdgeTest):
    def setUp(self):
        self.peer = self.origin()
        self.proxy = self.edge(self.peer, **{"self": {"node": "edge-7", "provider": "aws"}})

    def test_health_and_readiness(self):
        self.assertEqual(self.proxy.admin("GET", "/healthz")[0], 200)
        self.assertEqual(self.proxy.admin("GET", "/readyz")[0], 200)

    def test_readiness_does_not_depend_on_pools(self):
        edge = self.edge(f"127.0.0.1:{free_port()}")
        self.fetch(edge)
        self.assertEqual(edge.admin("GET", "/readyz")[0], 200)

    def test_status(self):
        self.fetch(self.proxy)
        eventually(lambda: self.proxy.status()["routes"][0]["requests"] == 1, "it is counted")
        status = self.proxy.status()
        self.assertRegex(status["version"], r"\d+\.\d+\.\d+")
        self.assertEqual(status["node"], "edge-7")
        self.assertGreaterEqual(status["uptime_s"], 0)
        self.assertIn("id", status["snapshot"])
        self.assertIn("loaded_at", status["snapshot"])
        pool = status["pools"][0]
        self.assertEqual(pool["name"], "main")
        endpoint = pool["endpoints"][0]
        self.assertEqual(endpoint["address"], self.peer.address)
        self.assertEqual((endpoint["requests"], endpoint["failures"], endpoint["in_flight"]),
                         (1, 0, 0))
        self.assertEqual(status["routes"][0]["name"], "all")

    def test_config_is_the_effective_one(self):
        code, text, _ = self.proxy.admin("GET", "/api/v1/config")
        self.assertEqual(code, 200)
        for key in ("client_header", "upstream_idle", "header_bytes", "max_attempts"):
            self.assertIn(key, text)
        self.assertNotIn(self.proxy.token(), text)

    def test_the_token_file_is_private(self):
        mode = stat.S_IMODE(os.stat(self.proxy.token_file).st_mode)
        self.assertEqual(mode, 0o600)
        self.assertGreaterEqual(len(self.proxy.token()), 32)

    def post(self, token=None, **headers):
        return self.proxy.admin("POST", "/api/v1/reload", token=token,
                                headers={k.replace("_", "-"): v for k, v in headers.items()})[0]

    def test_changes_need_the_token(self):
        before = self.proxy.snapshot()
        self.assertEqual(self.post(), 401)
        self.assertEqual(self.post("wrong"), 401)
        self.assertEqual(self.post(self.proxy.token()[:-1]), 401)
        self.assertEqual(self.proxy.snapshot(), before)
        self.assertEqual(self.post(self.proxy.token()), 200)

    def test_changes_need_a_right_host(self):
        for host in ("evil.test", f"evil.test:{self.proxy.admin_port}"):
            self.assertEqual(self.post(self.proxy.token(), Host=host), 403)
        for host in ("localhost", f"127.0.0.1:{self.proxy.admin_port}"):
            self.assertEqual(self.post(self.proxy.token(), Host=host), 200)

    def test_changes_need_a_right_origin(self):
        self.assertEqual(self.post(self.proxy.token(), Origin="http://evil.test"), 403)
        self.assertEqual(self.post(self.proxy.token(), Origin="null"), 403)
        own = f"http://127.0.0.1:{self.proxy.admin_port}"
        self.assertEqual(self.post(self.proxy.token(), Origin=own), 200)

    def test_reads_through_a_rebound_name_are_refused(self):
        code = self.proxy.admin("GET", "/api/v1/config", host="evil.test")[0]
        self.assertEqual(code, 403)

    def test_unknown_paths_and_methods(self):
        self.assertEqual(self.proxy.admin("GET", "/api/v1/nothing")[0], 404)
        self.assertEqual(self.proxy.admin("GET", "/api/v1/reload")[0], 405)
        self.assertEqual(self.proxy.admin("POST", "/healthz", token=self.proxy.token())[0], 405)

    def test_answers_are_json(self):
        for path in ("/api/v1/status", "/api/v1/nothing"):
            _, text, headers = self.proxy.admin("GET", path)
            self.assertIn("application/json", headers["Content-Type"])
            json.loads(text)

    def test_the_admin_pages_are_not_on_the_listeners(self):
        self.assertEqual(self.fetch(self.proxy, "/metrics").body, b"GET /metrics")

    def test_malformed_requests_are_refused(self):
        with RawClient(self.proxy.admin_port) as client:
            client.send(b"POST /api/v1/reload HTTP/1.1\r\nHost: localhost\r\n"
                        b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n")
            self.assertEqual(client.response().status, 400)
        self.assertEqual(self.proxy.admin("GET", "/healthz")[0], 200)

    def test_a_probes_address_offers_probes_alone(self):
        port = free_port()
        edge = self.edge(self.peer)
        config = dict(edge.config)
        config["admin"] = {**config["admin"], "address": f"127.0.0.1:{free_port()}",
                           "token_file": str(edge.path / "other-token"),
                           "probes": f"127.0.0.1:{port}"}
        config["listeners"] = [{"name": "plain", "address": f"127.0.0.1:{free_port()}"}]
        other = self.edge(self.peer, wait=False, **{k: v for k, v in config.items()
                                                    if k not in ("admin", "access_log")},
                          admin=config["admin"])

        def ready():
            try:
                return self.fetch(port, "/readyz").status == 200
            except OSError:
                return False
        eventually(ready, "the probes answer")
        self.assertEqual(self.fetch(port, "/metrics").status, 200)
        self.assertEqual(self.fetch(port, "/api/v1/status").status, 404)
        self.assertIsNone(other.process.poll())

    def test_off_means_off(self):
        edge = self.edge(self.peer, admin="off", wait=False)

        def ready():
            try:
                return self.fetch(edge).status == 200
            except OSError:
                return False
        eventually(ready, "the listener answers")
        with self.assertRaises(ConnectionRefusedError):
            RawClient(edge.admin_port)


if __name__ == "__main__":
    main()
