"""Certificates over time: reload by file and by command, tickets, client certificates, expiry."""
import os
import ssl

from harness import eventually, main
from harness.process import run_command
from harness.tls import TlsTest


def replace(old, new):
    """The files of `new` take the place of those of `old`, each at once."""
    for source, target in ((new.key, old.key), (new.certificate, old.certificate)):
        copy = target.with_suffix(".next")
        copy.write_bytes(source.read_bytes())
        copy.rename(target)


class Reload(TlsTest):
    def serial(self, edge, context=None):
        return self.tls_client(edge, context).sock.getpeercert()["serialNumber"]

    def test_changed_files_are_used_and_connections_stay(self):
        first = self.authority.issue("site.test", "DNS:site.test", file="first")
        second = self.authority.issue("site.test", "DNS:site.test", file="second")
        edge = self.edge(self.origin(), listeners=[self.listener(first)])
        kept = self.tls_client(edge)
        self.assertEqual(kept.get().final().status, 200)
        before = self.serial(edge)
        replace(first, second)
        eventually(lambda: self.serial(edge) != before, "the new certificate is shown", 20)
        edge.wait_stderr("files have changed: certificates loaded")
        self.assertEqual(kept.get().final().status, 200)

    def test_broken_files_change_nothing_and_are_told(self):
        first = self.authority.issue("site.test", "DNS:site.test", file="first")
        other = self.authority.issue("other.test", "DNS:other.test")
        edge = self.edge(self.origin(), listeners=[self.listener(first)])
        before = self.serial(edge)
        first.key.write_bytes(other.key.read_bytes())
        edge.wait_stderr("the old certificates stay")
        edge.wait_stderr("is not the key of")
        self.assertEqual(self.serial(edge), before)
        self.assertEqual(edge.stderr().count("the old certificates stay"), 1)
        code, answer = edge.reload()
        self.assertNotEqual(code, 200)
        self.assertIn("is not the key of", str(answer))
        self.assertEqual(self.serial(edge), before)

    def test_a_reload_swaps_certificates_under_load(self):
        first = self.authority.issue("site.test", "DNS:site.test", file="first")
        second = self.authority.issue("site.test", "DNS:site.test", file="second")
        edge = self.edge(self.origin(), listeners=[self.listener(first)])
        kept = self.tls_client(edge)
        before = self.serial(edge)
        config = dict(edge.config)
        config["listeners"][0]["tls"]["certificates"] = [second.entry]
        edge.write(config)
        self.assertEqual(edge.reload()[0], 200)
        eventually(lambda: self.serial(edge) != before, "the new certificate is shown")
        self.assertEqual(kept.get().final().status, 200)

    def test_a_listener_becomes_tls_and_plain_again(self):
        listener = self.listener()
        edge = self.edge(self.origin(), listeners=[{**listener, "tls": "off"}])
        self.assertEqual(self.fetch(edge).status, 200)
        edge.write({**edge.config, "listeners": [listener]})
        self.assertEqual(edge.reload()[0], 200)
        eventually(lambda: self.fetch(edge).status == 400, "it speaks TLS")
        self.assertEqual(self.tls_client(edge).get().final().status, 200)


    def test_who_came_without_a_certificate_does_not_stay_when_one_is_required(self):
        listener = self.listener()
        edge = self.edge(self.origin(), listeners=[listener])
        shows = self.authority.context(shows=self.authority.issue("ann"))
        before = self.tls_client(edge)
        self.assertEqual(before.get().final().status, 200)
        asks = {**listener, "tls": {**listener["tls"],
                                    "client_ca": str(self.authority.certificate)}}
        edge.write({**edge.config, "listeners": [asks]})
        self.assertEqual(edge.reload()[0], 200)
        before.expect_closed()
        kept = self.tls_client(edge, shows)
        self.assertEqual(kept.get().final().status, 200)
        self.assertEqual(edge.reload()[0], 200)        # the same terms
        response = kept.get().final()
        self.assertEqual((response.status, response.get("connection")), (200, None))


class Expiry(TlsTest):
    def test_days_left_are_counted_and_few_are_warned_of(self):
        soon = self.authority.issue("site.test", "DNS:site.test", days=10)
        edge = self.edge(self.origin(), listeners=[self.listener(soon)])
        self.assertEqual(edge.metric("scrollgate_certificate_days_left", 'listener="tls"'), 9)
        shown = edge.status()["certificates"][0]
        self.assertEqual((shown["names"], shown["days_left"]), (["site.test"], 9))
        edge.wait_stderr("expires in 9 days")
        checked = run_command("check", "-c", str(edge.file))
        self.assertEqual(checked.returncode, 0)
        self.assertIn("listeners[0].tls.certificates[0].cert", checked.stdout + checked.stderr)
        self.assertIn("expires in 9 days", checked.stdout + checked.stderr)


class Tickets(TlsTest):
    def resumes(self, edge, session, version):
        context = self.context[version]
        client = self.tls_client(edge, context, session=session)
        self.assertEqual(client.get().final().status, 200)     # a ticket comes before the answer
        return client.sock.session_reused, client.sock.session

    def both(self, one, two):
        """Whether a session with `one` goes on at `two`, by version."""
        found = {}
        self.context = {v: self.authority.context(newest=v)
                        for v in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)}
        for version in self.context:
            reused, session = self.resumes(one, None, version)
            self.assertFalse(reused)
            found[version.name] = self.resumes(two, session, version)[0]
        return found

    def test_a_session_goes_on_and_is_counted(self):
        edge = self.edge(self.origin(), listeners=[self.listener()])
        self.assertEqual(self.both(edge, edge), {"TLSv1_2": True, "TLSv1_3": True})
        self.assertEqual(edge.metric("scrollgate_tls_handshakes_total", 'result="resumed"'), 2)

    def test_nodes_share_keys_by_a_file(self):
        keys = self.folder / "tickets"
        keys.write_bytes(os.urandom(80))
        origin, site = self.origin(), self.authority.issue("site.test", "DNS:site.test")
        tls = {"ticket_keys": str(keys)}
        nodes = [self.edge(origin, listeners=[self.listener(site, tls=tls)]) for _ in range(2)]
        self.assertEqual(self.both(*nodes), {"TLSv1_2": True, "TLSv1_3": True})
        alone = self.edge(origin, listeners=[self.listener(site)])
        self.assertEqual(self.both(nodes[0], alone), {"TLSv1_2": False, "TLSv1_3": False})

    def test_a_shared_file_that_changes_loses_no_session_of_keys_that_stay(self):
        keys, others = self.folder / "tickets", self.folder / "others"
        old, new = os.urandom(80), os.urandom(80)
        site, origin = self.authority.issue("site.test", "DNS:site.test"), self.origin()
        keys.write_bytes(old)
        others.write_bytes(new)
        edge, other = (
            self.edge(origin, workers=1, listeners=[self.listener(site, tls={"ticket_keys": file})])
            for file in (str(keys), str(others)))
        version = ssl.TLSVersion.TLSv1_3
        self.context = {version: self.authority.context(newest=version)}

        def session_of(node):
            return self.resumes(node, None, version)[1]

        def goes_on(node, session):
            return self.resumes(node, session, version)[0]

        def change(content):
            keys.with_suffix(".next").write_bytes(content)
            keys.with_suffix(".next").rename(keys)
        first = session_of(edge)
        self.assertFalse(goes_on(other, first))
        change(new + old)
        eventually(lambda: goes_on(other, session_of(edge)), "it seals with the new key", 20)
        reused, renewed = self.resumes(edge, first, version)
        self.assertTrue(reused)
        change(new)
        eventually(lambda: not goes_on(edge, first), "the old key is forgotten", 20)
        self.assertTrue(goes_on(edge, renewed))

    def test_a_session_without_a_certificate_does_not_pass_for_one_with(self):
        keys = self.folder / "tickets"
        keys.write_bytes(os.urandom(80))
        site = self.authority.issue("site.test", "DNS:site.test")
        open_, asks = (self.listener(site, tls={"ticket_keys": str(keys), **more}) for more in (
            {}, {"client_ca": str(self.authority.certificate), "client_auth": "optional"}))
        origin = self.origin()
        nodes = [self.edge(origin, listeners=[one]) for one in (open_, asks)]
        self.assertEqual(self.both(*nodes), {"TLSv1_2": False, "TLSv1_3": False})


class ClientCertificates(TlsTest):
    def subject(self, edge, origin, *fields, context=None):
        response = self.tls_client(edge, context).get("/", "site.test", *fields).final()
        self.assertEqual(response.status, 200)
        return origin.requests()[-1].get("x-client-cert-subject")

    def edge_with(self, origin, auth):
        return self.edge(origin, listeners=[self.listener(tls={
            "client_ca": str(self.authority.certificate), "client_auth": auth})])

    def test_an_authority_that_is_no_root_will_do(self):
        below, origin = self.authority.below(), self.origin()
        edge = self.edge(origin, listeners=[self.listener(tls={
            "client_ca": str(below.certificate), "client_auth": "required"})])
        shows = self.authority.context(shows=below.issue("ann"))
        self.assertEqual(self.subject(edge, origin, context=shows), "CN=ann")

    def test_the_subject_goes_on_and_cannot_be_forged(self):
        origin = self.origin()
        edge = self.edge_with(origin, "optional")
        shows = self.authority.context(shows=self.authority.issue("ann"))
        forged = "X-Client-Cert-Subject: CN=root"
        self.assertEqual(self.subject(edge, origin, context=shows), "CN=ann")
        self.assertEqual(self.subject(edge, origin, forged, context=shows), "CN=ann")
        self.assertIsNone(self.subject(edge, origin, forged))
        self.assertIsNone(self.subject(edge, origin, "x-client_cert-subject: CN=root"))
        plain = self.edge(origin)
        self.assertEqual(self.fetch(plain, "/", forged).status, 200)
        self.assertIsNone(origin.requests()[-1].get("x-client-cert-subject"))

    def test_trailers_tell_no_subject(self):
        """A recipient that merges them into the head would believe them."""
        origin = self.origin()
        edge = self.edge_with(origin, "optional")
        body = (b"1\r\na\r\n0\r\nX-Client-Cert-Subject: CN=root\r\n"
                b"x-client_cert-subject: CN=root\r\nX-Sum: 1\r\n\r\n")
        for shows in (None, self.authority.issue("ann")):
            client = self.tls_client(edge, self.authority.context(shows=shows))
            client.send(b"POST / HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\r\n"
                        + body)
            self.assertEqual(client.final().status, 200)
            self.assertEqual(origin.requests()[-1].trailers, [("X-Sum", "1")])

    def test_required_means_required(self):
        origin = self.origin()
        edge = self.edge_with(origin, "required")
        with self.assertRaises((ssl.SSLError, ConnectionError, AssertionError)):
            self.tls_client(edge).get().final()
        stranger = type(self.authority)(self.folder).issue("eve")
        with self.assertRaises((ssl.SSLError, ConnectionError, AssertionError)):
            self.tls_client(edge, self.authority.context(shows=stranger)).get().final()
        shows = self.authority.context(shows=self.authority.issue("ann"))
        self.assertEqual(self.subject(edge, origin, context=shows), "CN=ann")
        self.assertEqual(len(origin.requests()), 1)


if __name__ == "__main__":
    main()
