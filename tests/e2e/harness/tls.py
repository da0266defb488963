"""TLS: self-made certificates, origins that speak over them, and clients.

Needs the openssl command; Python's ssl module is the peer.
"""
import pathlib
import ssl
import subprocess
import tempfile
import time

from .case import EdgeTest
from .client import RawClient
from .http2 import Http2Client
from .wait import free_port


class Identity:
    """A key and a certificate that nobody has signed but itself, in files."""

    def __init__(self, folder, *names):
        """`names` as OpenSSL writes them: "DNS:site.test", "IP:127.0.0.1"."""
        self.certificate, self.key = folder / "certificate.pem", folder / "key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "2", "-subj", "/CN=scrollgate test",
             "-addext", "subjectAltName=" + ",".join(names),
             "-keyout", self.key, "-out", self.certificate],
            check=True, stdin=subprocess.DEVNULL, capture_output=True)

    def over_tls(self, script):
        """The script of an origin, behind a handshake."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)

        def behind(conn):
            conn.sock = context.wrap_socket(conn.sock, server_side=True)
            script(conn)
        return behind


def openssl(*arguments, **options):
    """Runs the openssl command; its output. Fails the test if it fails."""
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True,
                          stdin=subprocess.DEVNULL, **options)
    if done.returncode != 0:
        raise AssertionError(done.stderr.decode(errors="replace"))
    return done.stdout


class Issued:
    """A certificate of an Authority, with its issuer behind it, and its key."""

    def __init__(self, certificate, key):
        self.certificate, self.key = certificate, key

    @property
    def entry(self):
        """As `certificates` of a listener has it."""
        return {"cert": str(self.certificate), "key": str(self.key)}


class Authority:
    """A certificate authority in a folder of its own."""

    def __init__(self, folder):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=folder))
        self.certificate, self.key = self.folder / "ca.crt", self.folder / "ca.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-days", "90", "-subj", "/CN=the tests' authority", "-keyout", self.key,
                "-out", self.certificate)

    def ocsp_answer(self, issued, state="V"):
        """The file of an OCSP answer of this authority about the number of `issued`, whoever has
        signed that; `state`: V, or R for revoked."""
        serial = openssl("x509", "-in", issued.certificate, "-noout", "-serial").decode().strip()
        number = serial.partition("=")[2]
        index, request, answer = (self.folder / f"{name}.{state}"
                                  for name in ("index", "request", "answer"))
        since = "250101000000Z" if state == "R" else ""
        index.write_text(f"{state}\t991231235959Z\t{since}\t{number}\tunknown\t/CN=site\n")
        openssl("ocsp", "-issuer", self.certificate, "-serial", f"0x{number}", "-reqout", request)
        openssl("ocsp", "-index", index, "-rsigner", self.certificate, "-rkey", self.key,
                "-CA", self.certificate, "-reqin", request, "-respout", answer, "-ndays", "7")
        return answer

    def below(self):
        """An authority that this one has signed; its file holds it alone."""
        made = Authority(self.folder)
        request, extension = made.folder / "ca.csr", made.folder / "ca.ext"
        openssl("req", "-new", "-key", made.key, "-subj", "/CN=below", "-out", request)
        extension.write_text("basicConstraints=critical,CA:TRUE")
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key,
                "-extfile", extension, "-out", made.certificate)
        return made

    def issue(self, common, *names, kind="ec", days=60, file=None):
        """A certificate for `names` ("DNS:site.test"); in files named by `file`."""
        file = file or common.replace("*", "any")
        made = Issued(self.folder / f"{file}.crt", self.folder / f"{file}.key")
        request, extension = self.folder / f"{file}.csr", self.folder / f"{file}.ext"
        new = (["-newkey", "rsa:2048"] if kind == "rsa" else
               ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"])
        openssl("req", *new, "-nodes", "-subj", f"/CN={common}", "-keyout", made.key,
                "-out", request)
        extension.write_text("subjectAltName=" + ",".join(names) if names else "basicConstraints"
                             "=CA:FALSE")
        leaf = openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key,
                       "-days", str(days), "-extfile", extension)
        made.certificate.write_bytes(leaf + self.certificate.read_bytes())
        return made

    def issue_between(self, common, begin, end):
        """A certificate for the name `common`, good from `begin` to `end`: days from now."""
        made = Issued(self.folder / f"{common}.crt", self.folder / f"{common}.key")
        request, settings = self.folder / f"{common}.csr", self.folder / "ca.conf"
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                f"/CN={common}", "-keyout", made.key, "-out", request)
        (self.folder / "index").write_text("")
        settings.write_text(
            f"[ca]\ndefault_ca=own\n[own]\ndatabase={self.folder}/index\npolicy=any\n"
            f"rand_serial=yes\nnew_certs_dir={self.folder}\n[any]\ncommonName=supplied\n")

        def moment(days):
            return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + days * 86400))
        openssl("ca", "-batch", "-notext", "-config", settings, "-md", "sha256",
                "-startdate", moment(begin), "-enddate", moment(end), "-cert", self.certificate,
                "-keyfile", self.key, "-in", request, "-out", made.certificate)
        return made

    def context(self, alpn=("http/1.1",), shows=None, newest=None, oldest=None):
        """What a client trusts and offers."""
        context = ssl.create_default_context(cafile=self.certificate)
        if alpn:
            context.set_alpn_protocols(list(alpn))
        if shows:
            context.load_cert_chain(shows.certificate, shows.key)
        if newest:
            context.maximum_version = newest
        if oldest:
            context.minimum_version = oldest
        return context


class TlsClient(RawClient):
    """RawClient behind a handshake; `first` goes out in clear before it."""

    def __init__(self, port, context, name="site.test", first=b"", session=None, **options):
        super().__init__(port, **options)
        if first:
            self.sock.sendall(first)
        try:
            self.sock = context.wrap_socket(self.sock, server_hostname=name, session=session)
        except BaseException:
            self.sock.close()
            raise


class Http2TlsClient(Http2Client):
    """Http2Client behind a handshake that agrees on h2."""

    def __init__(self, port, context, name="site.test", **options):
        self.handshake = lambda sock: context.wrap_socket(sock, server_hostname=name)
        super().__init__(port, **options)

    def send(self, data):
        if self.handshake:                                  # before the preface
            self.sock, self.handshake = self.handshake(self.sock), None
        return super().send(data)


class TlsTest(EdgeTest):
    """EdgeTest with an authority and a listener over TLS for site.test."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="scrollgate-tls-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.authority = Authority(self.folder)

    def listener(self, *issued, name="tls", tls=(), **keys):
        issued = issued or [self.authority.issue("site.test", "DNS:site.test")]
        return {"name": name, "address": f"127.0.0.1:{free_port()}",
                "tls": {"certificates": [one.entry for one in issued], **dict(tls)}, **keys}

    def tls_client(self, edge, context=None, name="site.test", **options):
        client = TlsClient(edge if isinstance(edge, int) else edge.port,
                           context or self.authority.context(), name, **options)
        self.addCleanup(client.close)
        return client

    def http2_client(self, edge, name="site.test", **options):
        client = Http2TlsClient(edge.port, self.authority.context(alpn=("h2",)), name, **options)
        self.addCleanup(client.close)
        return client
