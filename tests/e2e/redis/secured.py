"""The tier over TLS, with a user whose password is in a file that changes under load."""
import os

from harness import main
from harness.fleet import FleetTest
from harness.tls import Authority
from harness.wait import eventually


class Secured(FleetTest):
    def setUp(self):
        super().setUp()
        authority = Authority(self.folder)
        identity = authority.issue("redis", "DNS:cache.test", "IP:127.0.0.1")
        self.server = self.redis(tls=identity,
                                 users=["edge on >first ~* &* +@all", "default off",
                                        "watch on >watch ~* &* +@all"])
        self.server.password = "watch watch"
        self.file = self.folder / "password"
        self.file.write_text("first\n")
        where = {"url": f"rediss://127.0.0.1:{self.server.port}", "username": "edge",
                 "password_file": str(self.file),
                 "tls": {"ca": str(authority.certificate), "server_name": "cache.test"}}
        self.asked = 0
        self.truth, self.nodes = self.fleet_of(where)

    def change_file(self, password):
        replacement = self.folder / "next"
        replacement.write_text(password + "\n")
        os.replace(replacement, self.file)

    def connections(self):
        """What Redis says of those of the nodes."""
        return [line for line in self.server.ask("CLIENT", "LIST").splitlines()
                if "user=edge" in line]

    def kill_connections(self):
        """Whoever has none but old credentials does not come back."""
        for line in self.connections():
            number = line.split()[0].removeprefix("id=")
            try:
                self.server.ask("CLIENT", "KILL", "ID", number)
            except RuntimeError:
                pass        # gone already

    def authentications(self):
        """How often anybody has said AUTH, but for us to ask this."""
        self.asked += 1
        stats = self.server.ask("INFO", "commandstats")
        calls = next(line for line in stats.splitlines() if line.startswith("cmdstat_auth:"))
        return int(calls.partition("calls=")[2].partition(",")[0]) - self.asked

    def test_a_password_that_is_replaced(self):
        with self.under_load(self.truth, self.nodes) as load:
            self.server.ask("ACL", "SETUSER", "edge", ">second")
            before = self.authentications()
            self.change_file("second")
            # Each connection that lives says it: two of each node.
            eventually(lambda: self.authentications() - before >= 4, "AUTH is said", 30)
            self.server.ask("ACL", "SETUSER", "edge", "<first")
            load.more()
            self.assertEqual([self.tier(node)["state"] for node in self.nodes], ["up", "up"])
            self.kill_connections()
            self.wait_in_step(*self.nodes)
            load.more()

    def test_a_password_that_is_wrong_for_a_while(self):
        with self.under_load(self.truth, self.nodes) as load:
            self.server.ask("ACL", "SETUSER", "edge", "<first", ">second")
            self.kill_connections()
            for node in self.nodes:
                eventually(lambda: self.tier(node)["state"] == "open", "Redis is left alone", 30)
            load.more()
            self.change_file("second")
            self.wait_in_step(*self.nodes)
            load.more()
        for node in self.nodes:
            self.assertNotIn("second", node.stderr())


if __name__ == "__main__":
    main()
