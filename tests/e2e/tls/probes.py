"""TLS to dependencies and webhooks: whom they believe, and that nobody else is told anything."""
import json
import ssl

from harness import eventually, main
from harness.origin import ok
from harness.process import run_command
from harness.tls import TlsTest


def redis(conn):
    """Just enough of it."""
    while True:
        at = len(conn.received)
        conn.more()
        if b"PING\r\n" in conn.received[at:]:
            conn.send(b"+PONG\r\n")


class Probes(TlsTest):
    def over_tls(self, issued, script=ok):
        """A server over TLS; `names` of it are those that clients asked for."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(issued.certificate, issued.key)
        names = []
        context.sni_callback = lambda sock, name, ctx: names.append(name)

        def behind(conn):
            try:
                conn.sock = context.wrap_socket(conn.sock, server_side=True)
            except (ssl.SSLError, ConnectionError):
                return
            script(conn)
        server = self.origin(behind)
        server.names = names
        return server

    def edge_with(self, **pool):
        return self.edge(pools={"main": {"endpoints": [self.origin().address], **pool}})

    def tls(self, **keys):
        return {"ca": str(self.authority.certificate), "server_name": "db.test", **keys}

    @staticmethod
    def up(edge):
        return [each["up"] for each in edge.status()["pools"][0]["depends_on"]]

    def test_dependencies_are_asked_over_tls_and_come_back(self):
        issued = self.authority.issue("db", "DNS:db.test")
        web, store = self.over_tls(issued), self.over_tls(issued, redis)
        edge = self.edge_with(depends_on=[
            {"url": f"https://{web.address}/up?x", "tls": self.tls()},
            {"url": f"rediss://{store.address}", "tls": self.tls()}])
        web.wait_requests(1)
        eventually(lambda: store.connections, "the store is asked")
        eventually(lambda: self.up(edge) == [True, True], "both are there")
        self.assertEqual(web.requests()[0].target, "/up?x")
        self.assertEqual(set(web.names) | set(store.names), {"db.test"})
        self.assertNotIn("is gone", edge.stderr())
        store.close()
        edge.wait_stderr(f"its dependency rediss://{store.address} is gone")
        eventually(lambda: self.up(edge) == [True, False], "status says so, a moment after the log")

    def test_whoever_is_not_believed_is_not_there(self):
        stranger = type(self.authority)(self.folder)
        impostor = self.over_tls(stranger.issue("db", "DNS:db.test"))
        other = self.over_tls(self.authority.issue("other", "DNS:other.test"))
        unknown = self.over_tls(self.authority.issue("unknown", "IP:127.0.0.1"))
        plain = self.origin()
        edge = self.edge_with(depends_on=[
            {"url": f"https://{impostor.address}", "tls": self.tls()},
            {"url": f"https://{other.address}", "tls": self.tls()},
            f"https://{unknown.address}",           # by the system's authorities
            {"url": f"https://{plain.address}", "tls": self.tls()}])
        for each in (impostor, other, unknown, plain):
            edge.wait_stderr(f"its dependency https://{each.address} is gone")
        for word in ("self-signed certificate in certificate chain", "ostname mismatch"):
            edge.wait_stderr(word)
        eventually(lambda: self.up(edge) == [False] * 4, "none of them is there")
        for each in (impostor, other, unknown):
            self.assertEqual(each.requests(), [])

    def test_a_webhook_is_told_over_tls_and_only_if_it_is_believed(self):
        told = self.over_tls(self.authority.issue("db", "DNS:db.test"))
        edge = self.edge_with(standby=[self.origin().address], webhook={
            "url": f"https://{told.address}/scale", "tls": self.tls()})

        def double():
            code, _, _ = edge.admin("POST", "/api/v1/pools/main/scale",
                                    json.dumps({"factor": 2}), token=edge.token(),
                                    headers={"Content-Type": "application/json"})
            self.assertEqual(code, 200)
        double()
        told.wait_requests(1)
        request = told.requests()[0]
        self.assertEqual((request.method, request.target), ("POST", "/scale"))
        self.assertEqual(json.loads(request.body)["wanted"], 2)
        stranger = type(self.authority)(self.folder)
        false = self.over_tls(stranger.issue("db", "DNS:db.test"))
        edge = self.edge_with(standby=[self.origin().address], webhook={
            "url": f"https://{false.address}/scale", "tls": self.tls()})
        double()
        eventually(lambda: len(false.connections) > 1, "it is tried again")
        self.assertEqual(false.requests(), [])

    def test_check_reads_the_files_and_a_reload_with_bad_ones_changes_nothing(self):
        server = self.over_tls(self.authority.issue("db", "DNS:db.test"))
        edge = self.edge_with(depends_on=[{"url": f"https://{server.address}",
                                           "tls": self.tls()}])
        server.wait_requests(1)
        pools = json.loads(json.dumps(edge.config["pools"]))
        pools["main"]["depends_on"][0]["tls"]["ca"] = "nowhere.crt"
        edge.write({**edge.config, "pools": pools})
        checked = run_command("check", "-c", str(edge.file))
        self.assertEqual(checked.returncode, 1)
        self.assertIn("pools.main.depends_on[0].tls", checked.stdout + checked.stderr)
        self.assertIn(str(edge.path / "nowhere.crt"), checked.stdout + checked.stderr)
        self.assertNotEqual(edge.reload()[0], 200)
        seen = len(server.requests())
        server.wait_requests(seen + 1)
        self.assertEqual(self.up(edge), [True])


class Sticky(TlsTest):
    def cookie(self, response):
        return response.get("set-cookie")

    def test_the_cookie_is_secure_where_the_client_speaks_https(self):
        tls = self.listener()
        origin = self.origin()
        edge = self.edge(origin, listeners=[tls], routes=[
            {"name": name, "match": {"path_prefix": f"/{name}"}, "pools": ["main"],
             "sticky": {"cookie": "seat", **({"secure": name} if name != "auto" else {})}}
            for name in ("auto", "on", "off")])
        client = self.tls_client(edge)
        said = {name: "; Secure" in self.cookie(client.get(f"/{name}").final())
                for name in ("auto", "on", "off")}
        self.assertEqual(said, {"auto": True, "on": True, "off": False})
        edge.write({**edge.config, "listeners": [{**tls, "tls": "off"}]})
        self.assertEqual(edge.reload()[0], 200)
        eventually(lambda: self.fetch(edge, "/auto").status == 200, "it speaks in clear")
        said = {name: "; Secure" in self.cookie(self.fetch(edge, f"/{name}",
                                                           "X-Forwarded-Proto: https"))
                for name in ("auto", "on", "off")}
        self.assertEqual(said, {"auto": False, "on": True, "off": False})
        edge.write({**edge.config, "trusted_proxies": ["127.0.0.0/8"],
                    "listeners": [{**tls, "tls": "off"}]})
        self.assertEqual(edge.reload()[0], 200)
        eventually(lambda: "; Secure" in self.cookie(
            self.fetch(edge, "/auto", "X-Forwarded-Proto: https")), "a trusted proxy's word")
        self.assertNotIn("; Secure", self.cookie(self.fetch(edge, "/auto")))


if __name__ == "__main__":
    main()
