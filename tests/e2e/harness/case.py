"""EdgeTest: a unittest case that starts origins and the proxy, and always ends both."""
import sys
import time
import unittest

from .client import RawClient
from .origin import RawOrigin, ok
from .process import Scrollgate
from .wait import SCALE, free_port


class EdgeTest(unittest.TestCase):
    maxDiff = None

    def origin(self, script=ok, **options):
        """A scripted origin; its script's failures are this test's failures."""
        origin = RawOrigin(script, **options)

        def finish():
            origin.close()
            if origin.failures:
                self.fail("; ".join(origin.failures))
        self.addCleanup(finish)
        return origin

    def edge(self, /, *origins, env=None, wrap=(), wait=True, **keys):
        """The proxy in front of `origins`: one listener, one pool "main", one route "all".
        `keys` are top-level keys of the configuration that replace or add to this."""
        config = {
            "listeners": [{"name": "plain", "address": f"127.0.0.1:{free_port()}"}],
            "pools": {"main": {"endpoints": [
                o if isinstance(o, (str, dict)) else o.address for o in origins]}},
            "routes": [{"name": "all", "pools": ["main"]}],
            **keys,
        }
        edge = Scrollgate(config, env=env, wrap=wrap, wait=wait)

        def finish():
            problem = edge.close()
            if problem:
                self.fail(problem)
        self.addCleanup(finish)
        return edge

    def client(self, edge, **options):
        client = RawClient(edge if isinstance(edge, int) else edge.port, **options)
        self.addCleanup(client.close)
        return client

    def fetch(self, edge, target="/", *fields, method="GET", host="site.test", body=None):
        """One exchange on a connection of its own; the final response."""
        lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *fields]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        with RawClient(edge if isinstance(edge, int) else edge.port) as client:
            client.send(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + (body or b""))
            return client.final(method)

    def outdate(self, edge):
        """What is stored must be validated, or asked for anew, before it is used again."""
        code, _, _ = edge.admin("POST", "/api/v1/cache/purge", token=edge.token(),
                                body='{"all": true, "soft": true}',
                                headers={"Content-Type": "application/json"})
        self.assertEqual(code, 200)

    def assert_refused(self, client, status):
        """One own error, then the end of the connection."""
        response = client.final()
        self.assertEqual(response.status, status)
        self.assertEqual(response.get("connection"), "close")
        client.expect_closed()
        return response


class TimedTest(EdgeTest):
    """EdgeTest with a stopwatch. Lower bounds say that a limit did not strike at once; upper
    bounds are generous."""

    def timed(self, action, at_least, at_most=5.0):
        """The action's value; fails unless it took between so many seconds."""
        started = time.monotonic()
        value = action()
        took = time.monotonic() - started
        self.assertGreater(took, at_least)
        self.assertLess(took, at_most * SCALE)
        return value

    def outcome(self, edge):
        """Status and outcome of the first log line."""
        line = edge.log(1)[0]
        return line["status"], line["outcome"]


def main():
    """Runs the file's tests; ends with 1 if one failed."""
    program = unittest.main(argv=sys.argv, exit=False, verbosity=2)
    sys.stderr.flush()
    sys.exit(0 if program.result.wasSuccessful() else 1)
