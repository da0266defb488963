"""Start-up failures say what, where and what to do, and end with 1."""
import os
import pathlib
import subprocess
import tempfile

from harness import EdgeTest, eventually, free_port, main
from harness.process import BINARY, run_command

MINIMAL = """listeners:
  - address: 127.0.0.1:{port}
admin: off
access_log: {{ format: off }}
pools:
  main:
    endpoints: [ "127.0.0.1:{origin}" ]
routes:
  - pools: [ main ]
"""


class Startup(EdgeTest):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.file = self.folder / "edge.yaml"

    def run_file(self, text, **options):
        self.file.write_text(text)
        done = run_command("run", "-c", str(self.file), **options)
        self.assertEqual(done.returncode, 1, done.stderr)
        return done.stderr

    def test_a_port_that_is_taken(self):
        origin = self.origin()
        text = self.run_file(MINIMAL.format(port=origin.port, origin=origin.port))
        self.assertIn(f"127.0.0.1:{origin.port}", text)
        self.assertIn("another process", text)

    def test_a_port_that_another_of_us_has(self):
        # SO_REUSEPORT alone would let both bind it and share the clients silently.
        edge = self.edge(self.origin())
        text = self.run_file(MINIMAL.format(port=edge.port, origin=1))
        self.assertIn(str(edge.port), text)
        self.assertIn("another process", text)
        self.assertEqual(self.fetch(edge).status, 200)

    def test_an_admin_port_that_is_taken(self):
        edge = self.edge(self.origin())
        text = self.run_file(MINIMAL.format(port=free_port(), origin=1).replace(
            "admin: off", f"admin: {{ address: '127.0.0.1:{edge.admin_port}', "
            f"token_file: {self.folder}/token }}"))
        self.assertIn(str(edge.admin_port), text)

    def test_a_bad_file_prints_every_error(self):
        text = self.run_file("listeners:\n  - adress: 127.0.0.1:1\npoolz: {}\n"
                             "routes:\n  - pools: [ nowhere ]\n")
        for hint in ("edge.yaml:2:", "adress", "edge.yaml:3:", "poolz", "did you mean"):
            self.assertIn(hint, text)

    def test_a_missing_file(self):
        done = run_command("run", "-c", str(self.folder / "none.yaml"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("none.yaml", done.stderr)
        self.assertIn("No such file", done.stderr)

    def test_an_access_log_that_cannot_be_opened(self):
        text = self.run_file(MINIMAL.format(port=free_port(), origin=1).replace(
            "{ format: off }", f"{{ path: {self.folder}/none/access.log }}"))
        self.assertIn("none/access.log", text)

    def test_an_address_that_is_not_here(self):
        text = self.run_file(MINIMAL.format(port=free_port(), origin=1).replace(
            "127.0.0.1:", "192.0.2.1:", 1))
        self.assertIn("192.0.2.1", text)

    def test_an_admin_address_beyond_loopback_needs_a_token(self):
        text = self.run_file(MINIMAL.format(port=free_port(), origin=1).replace(
            "admin: off", f"admin: {{ address: '0.0.0.0:{free_port()}', token_file: '' }}"))
        self.assertIn("token", text)

    def test_a_port_without_permission(self):
        if os.geteuid() != 0:
            self.skipTest("needs root to become nobody")
        os.chmod(self.folder, 0o755)
        self.file.write_text(MINIMAL.format(port=80, origin=1))
        os.chmod(self.file, 0o644)
        readable = subprocess.run([BINARY, "--version"], user=65534, group=65534,
                                  capture_output=True).returncode == 0
        with open("/proc/sys/net/ipv4/ip_unprivileged_port_start") as file:
            lowest = int(file.read())
        if not readable or lowest <= 80:
            self.skipTest("this place lets nobody run it, or lets everybody have port 80")
        done = subprocess.run([BINARY, "run", "-c", str(self.file)], user=65534, group=65534,
                              capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 1)
        self.assertIn("127.0.0.1:80", done.stderr)
        self.assertIn("ermission", done.stderr)

    def test_the_smallest_file_works(self):
        origin, port = self.origin(), free_port()
        self.file.write_text(MINIMAL.format(port=port, origin=origin.port))
        process = subprocess.Popen([BINARY, "run", "-c", str(self.file)],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            def answers():
                try:
                    return self.fetch(port).status == 200
                except OSError:
                    return False
            eventually(answers, "the listener answers")
        finally:
            process.terminate()
            self.assertEqual(process.wait(20), 0)


if __name__ == "__main__":
    main()
