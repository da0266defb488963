"""`scrollgate check` and the files of TLS: what it refuses and what it warns of, each by the key of
the configuration that names the file."""
from harness import main
from harness.process import run_command
from harness.tls import TlsTest, openssl


class Check(TlsTest):
    def setUp(self):
        super().setUp()
        self.site = self.authority.issue("site.test", "DNS:site.test")

    def check(self, cert=None, key=None, folder=None, **tls):
        """Exit code and words of `check` over a listener with these files; names as given."""
        keys = {"certificates": [{"cert": str(cert or self.site.certificate),
                                  "key": str(key or self.site.key)}], **tls}
        file = (folder or self.folder) / "scrollgate.yaml"
        listener = {"address": "127.0.0.1:8443", "tls": keys}
        file.write_text(f"listeners: [ {listener} ]\nroutes: [ {{ respond: {{ body: x }} }} ]\n")
        done = run_command("check", "-c", file.name, cwd=file.parent)
        return done.returncode, done.stdout + done.stderr

    def refused(self, where, words, **files):
        code, said = self.check(**files)
        self.assertEqual(code, 1, said)
        self.assertIn(f"listeners[0].tls.{where}", said)
        self.assertIn(words, said)

    def warned(self, words, issued):
        """It is a warning: the file can be used."""
        code, said = self.check(issued.certificate, issued.key)
        self.assertEqual(code, 0, said)
        self.assertIn("listeners[0].tls.certificates[0].cert", said)
        self.assertIn(words, said)

    def pieces(self, *files):
        """A file with these, in this order."""
        made = self.folder / "pieces.crt"
        made.write_bytes(b"".join(files))
        return made

    def test_good_files_are_one_line(self):
        code, said = self.check()
        self.assertEqual((code, said.count("\n")), (0, 1), said)
        self.assertNotIn("warning", said)

    def test_files_are_looked_into_whatever_else_is_wrong(self):
        other = self.authority.issue("other.test")
        file = self.folder / "wrong.yaml"
        pair = {"cert": str(self.site.certificate), "key": str(other.key)}
        listeners = [{"address": "127.0.0.1:8443", "tls": {"certificates": [pair]}},
                     {"address": "127.0.0.1:8444", "tls": {"certificates": []}}]
        pools = {"a": {"endpoints": ["https://a.test"], "tls": {"ca": "/nowhere.crt"}},
                 "b": {"endpoints": ["https://b.test"], "tls": {"cert": "/nowhere.crt"}}}
        file.write_text(f"listeners: {listeners}\npools: {pools}\n"
                        "limits: { headers: many }\nroutes: [ { pools: [ a, b, c ] } ]\n")
        done = run_command("check", "-c", file.name, cwd=file.parent)
        said = done.stdout + done.stderr
        self.assertEqual(done.returncode, 1)
        for at in ("listeners[0].tls.certificates[0].key: ", "listeners[1].tls.certificates",
                   "pools.a.tls: ", "pools.b.tls.cert: ", "limits.headers: ", "routes[0].pools[2]"):
            self.assertEqual(said.count(at), 1, said)

    # -- chains
    def test_a_chain_that_begins_with_the_authority(self):
        leaf = openssl("x509", "-in", self.site.certificate)
        chain = self.pieces(self.authority.certificate.read_bytes(), leaf)
        self.refused("certificates[0].cert", "is out of order: the server's own certificate comes "
                     "first, and here it is number 2", cert=chain)

    def test_a_chain_with_a_gap_or_a_stranger(self):
        leaf = openssl("x509", "-in", self.site.certificate)
        stranger = type(self.authority)(self.folder).certificate.read_bytes()
        words = "is out of order: certificate 2 is not the issuer of certificate 1"
        self.refused("certificates[0].cert", words, cert=self.pieces(leaf, stranger))
        self.refused("certificates[0].cert", words,
                     cert=self.pieces(leaf, stranger, self.authority.certificate.read_bytes()))

    def test_a_leaf_alone_is_fine(self):
        self.assertEqual(self.check(self.pieces(openssl("x509", "-in", self.site.certificate)))[0],
                         0)

    # -- keys
    def test_a_key_of_another_certificate(self):
        for kind in ("ec", "rsa"):
            other = self.authority.issue("other.test", "DNS:other.test", kind=kind)
            self.refused("certificates[0].key", "is not the key of", key=other.key)

    def test_names_are_relative_to_the_configuration(self):
        folder = self.site.certificate.parent
        other = self.authority.issue("other.test")
        self.assertEqual(self.check(self.site.certificate.name, self.site.key.name, folder)[0], 0)
        code, said = self.check(self.site.certificate.name, other.key.name, folder)
        self.assertEqual(code, 1)
        self.assertIn("certificates[0].key", said)
        self.assertIn("is not the key of", said)

    def test_a_key_with_a_passphrase_and_files_that_are_something_else(self):
        locked = self.folder / "locked.key"
        openssl("pkey", "-in", self.site.key, "-aes256", "-passout", "pass:x", "-out", locked)
        self.refused("certificates[0].key", "has a passphrase", key=locked)
        self.refused("certificates[0].key", "holds no private key", key=self.site.certificate)
        self.refused("certificates[0].cert", "holds no certificate", cert=self.site.key)
        self.refused("certificates[0].cert", "No such file", cert=self.folder / "none.crt")

    # -- time
    def test_expiry_is_warned_of_for_fourteen_days(self):
        for end, left in ((13.5, 13), (1.5, 1), (0.5, 0)):
            self.warned(f"expires in {left} days",
                        self.authority.issue_between("site.test", -1, end))
        for end in (14.5, 60):
            later = self.authority.issue_between("site.test", -1, end)
            code, said = self.check(later.certificate, later.key)
            self.assertEqual((code, "expires" in said), (0, False), said)

    def test_what_has_expired_or_is_not_valid_yet(self):
        self.warned("has expired (2 days ago)", self.authority.issue_between("old.test", -9, -2.5))
        self.warned("is not valid yet", self.authority.issue_between("new.test", 1, 90))

    def test_the_metric_counts_days_left_also_below_zero(self):
        listeners = [self.listener(self.authority.issue_between(name, -9, end), name=name)
                     for name, end in (("soon.test", 20.5), ("old.test", -2.5))]
        edge = self.edge(self.origin(), listeners=listeners)
        for name, days in (("soon.test", 20), ("old.test", -3)):
            self.assertEqual(
                edge.metric("scrollgate_certificate_days_left", f'listener="{name}"'), days)
        edge.wait_stderr("has expired (2 days ago)")

    # -- the other files
    def test_ticket_keys_authorities_and_staples(self):
        keys = self.folder / "tickets"
        keys.write_bytes(bytes(79))
        self.refused("ticket_keys", "has 79 bytes", ticket_keys=str(keys))
        self.refused("client_ca", "holds no certificate", client_ca=str(self.site.key))
        self.refused("certificates[0].ocsp", "holds no successful OCSP answer", certificates=[
            {**self.site.entry, "ocsp": str(self.site.key)}])

    def test_a_staple_of_another_authority_or_that_says_revoked(self):
        other = self.authority.below()      # whose numbers may be the same
        for answer, words in ((other.ocsp_answer(self.site), "is for another certificate"),
                              (self.authority.ocsp_answer(self.site, "R"), "is revoked"),
                              (self.authority.ocsp_answer(self.site), "fine")):
            code, said = self.check(certificates=[{**self.site.entry, "ocsp": str(answer)}])
            self.assertEqual(code, 0, said)
            self.assertIn(words, said)


if __name__ == "__main__":
    main()
