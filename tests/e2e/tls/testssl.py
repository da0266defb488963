"""testssl.sh looks at a listener as it is by default: nothing to complain of."""
import json
import os
import shutil
import signal
import subprocess
import unittest

from harness import main
from harness.tls import TlsTest
from harness.wait import SANITIZED

TESTSSL = shutil.which("testssl")
# Protocols, cipher categories, forward secrecy, the server's defaults and preference, headers, all
# known vulnerabilities. Not: each cipher, and what some fifty browsers would agree on, which take
# minutes and follow from these.
SECTIONS = ("--protocols", "--std", "--pfs", "--server-defaults", "--server-preference",
            "--headers", "--vulnerable")
LIMIT = 450
# The client's order of ciphers holds, as Mozilla advises: all of ours are good, and a telephone
# knows better which is cheap for it.
ACCEPTED = {"cipher_order"}
# Of a certificate that nobody publishes revocations for.
SELF_MADE = {"cert_revocation"}
# The openssl command of the machine, not the server.
OF_THE_TOOL = {"engine_problem"}
HEADERS = {"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff",
           "Content-Security-Policy": "default-src 'none'", "Referrer-Policy": "no-referrer"}


@unittest.skipUnless(TESTSSL, "needs testssl.sh")
@unittest.skipIf(SANITIZED, "hundreds of handshakes would take too long")
class Testssl(TlsTest):
    def findings(self, edge):
        """What it says, by id."""
        out = self.folder / "findings.json"
        command = [TESTSSL, "--quiet", "--color", "0", "--warnings", "batch", "--nodns", "none",
                   "--ip", "127.0.0.1", "--add-ca", self.authority.certificate, "--jsonfile", out,
                   *SECTIONS, f"https://site.test:{edge.port}"]
        with subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=self.folder,
                              start_new_session=True) as process:
            try:
                said = process.communicate(timeout=LIMIT)[0].decode(errors="replace")
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                raise
        self.assertTrue(out.exists(), said)
        return json.loads(out.read_text())

    def test_no_finding_but_those_that_are_meant(self):
        both = [self.authority.issue("site.test", "DNS:site.test", kind=kind, file=kind, days=80)
                for kind in ("ec", "rsa")]
        edge = self.edge(listeners=[self.listener(*both)], pools={}, routes=[
            {"name": "all", "hsts": {"max_age": "365d"}, "respond": {"body": "hello\n"},
             "response_headers": {"set": HEADERS}}])
        found = self.findings(edge)
        wrong = [f"{each['severity']} {each['id']}: {each['finding']}" for each in found
                 if each["severity"] not in ("OK", "INFO")
                 and each["id"].split()[0] not in ACCEPTED | SELF_MADE | OF_THE_TOOL]
        self.assertEqual(wrong, [])
        by_id = {each["id"]: each["finding"] for each in found}
        # It did look.
        self.assertIn("offered", by_id["TLS1_3"])
        self.assertIn("not offered", by_id["TLS1_1"])
        self.assertIn("h2", by_id["ALPN_HTTP2"])
        for name in ("heartbleed", "CCS", "ticketbleed", "ROBOT", "secure_renego", "LUCKY13"):
            self.assertIn("not vulnerable", by_id[name].lower().replace("supported",
                                                                        "not vulnerable"), name)


if __name__ == "__main__":
    main()
