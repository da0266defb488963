"""A network of its own for a test in which packets vanish."""
import os
import shutil
import subprocess
import sys
import unittest

INSIDE = "SCROLLGATE_TEST_NETWORK"


def may_unshare():
    return os.geteuid() == 0 and subprocess.run(
        ["unshare", "-n", "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0


needs_own_network = unittest.skipUnless(may_unshare(), "needs root and network namespaces")
needs_nft = unittest.skipUnless(shutil.which("nft"), "needs nft")


def inside_own_network(test):
    """True inside a network namespace of its own; else runs this very test there."""
    if os.environ.get(INSIDE) == "yes":
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return True
    file = sys.modules[type(test).__module__].__file__
    inside = subprocess.run(
        ["unshare", "-n", sys.executable, "-B", file, test.id().partition(".")[2]],
        env={**os.environ, INSIDE: "yes"}, capture_output=True, text=True, check=False)
    test.assertEqual(inside.returncode, 0, inside.stdout + inside.stderr)
    return False


def drop_packets(ip):
    """No packet goes to or from this address of the test's own network; call what is returned and
    they do again."""
    rules = "\n".join([
        "table inet lost {",
        f"chain in {{ type filter hook input priority -300; ip saddr {ip} drop; }}",
        f"chain out {{ type filter hook output priority -300; ip daddr {ip} drop; }}",
        "}\n"])

    def nft(text):
        subprocess.run(["nft", "-f", "-"], input=text, text=True, check=True)

    assert os.environ.get(INSIDE) == "yes"
    nft(rules)
    return lambda: nft("delete table inet lost")
