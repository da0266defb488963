"""TLS for origins: self-made certificates, and scripts that speak over them.

Needs the openssl command; Python's ssl module is the peer.
"""
import ssl
import subprocess


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
