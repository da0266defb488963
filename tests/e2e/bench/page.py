"""The page of --html, opened in a browser: it draws itself, complains of nothing and needs nobody.

Screenshots stay in artefacts/ beside the binary, for people.
"""
import html.parser
import os
import re
import shutil
import struct
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

from harness import main
from harness.bench import LIMIT, BenchTest

CHROMIUM = shutil.which("chromium")
ARTEFACTS = Path(os.environ["SCROLLGATE_BENCH_BIN"]).parent / "artefacts"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--hide-scrollbars", "--enable-logging=stderr",
         "--host-resolver-rules=MAP * ~NOTFOUND"]


class Elements(html.parser.HTMLParser):
    """Every element with its attributes, and the text of the page."""

    def __init__(self, text):
        super().__init__()
        self.all, self.words, self.hidden = [], [], 0
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.all.append((tag, dict(attrs)))
        self.hidden += tag in ("style", "script")

    def handle_endtag(self, tag):
        self.hidden -= tag in ("style", "script")

    def handle_data(self, data):
        if not self.hidden and data.strip():
            self.words.append(data.strip())

    def of_class(self, name):
        return [a for _, a in self.all if name in (a.get("class") or "").split()]


@unittest.skipUnless(CHROMIUM, "needs chromium")
class Page(BenchTest):
    def browse(self, page, *flags):
        """What the browser prints; its console must stay empty."""
        with tempfile.TemporaryDirectory(prefix="scrollgate-browser-",
                                         ignore_cleanup_errors=True) as profile:
            done = subprocess.run(
                [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", *flags, page.as_uri()],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT,
                check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
        self.assertEqual(console, [])
        return done.stdout

    def picture(self, page, name, width, height, dark=False):
        ARTEFACTS.mkdir(exist_ok=True)
        file = ARTEFACTS / f"{name}.png"
        file.unlink(missing_ok=True)
        self.browse(page, f"--screenshot={file}", f"--window-size={width},{height}",
                    f"--blink-settings=preferredColorScheme={0 if dark else 1}")
        data = file.read_bytes()
        self.assertEqual(data[:8], b"\x89PNG\r\n\x1a\n")
        self.assertEqual(struct.unpack(">II", data[16:24]), (width, height))
        self.assertGreater(len(data), 20_000)       # more than an empty sheet

    def drawn(self, page):
        """The page as the browser has it, with every chart drawn."""
        seen = Elements(self.browse(page, "--dump-dom"))
        charts = seen.of_class("chart")
        root = next(a for tag, a in seen.all if tag == "html")
        self.assertEqual(root.get("data-ready"), str(len(charts)))      # the script ran to its end
        for shape in seen.of_class("line") + seen.of_class("bars"):
            self.assertRegex(shape["d"], r"^(M[-.\d]+ [-.\d]+([LHV][-. \d]+|h0|z)+)+$")
        self.assertGreater(len(seen.of_class("hit")), 10)
        return seen

    def test_a_run_of_all_kinds(self):
        lock, count = threading.Lock(), [0]

        def script(conn):
            while True:
                request = conn.request()
                with lock:
                    count[0] += 1
                    number = count[0]
                status = "503 No" if number % 29 == 0 else "200 OK"
                conn.answer(b"x" * 500, status, f"X-Pool: {('aws', 'gcp', '<b>')[number % 3]}",
                            "Cache-Status: scrollgate; " +
                            ("fwd=miss" if number % 5 == 0 or request.method == "POST" else "hit"))
        origin = self.origin(script)
        page = self.folder / "page.html"
        self.bench(f"http://{origin.address}/item/{{n}}", "--keys", 50, "--ramp", "100:400:100",
                   "-d", "4s", "-c", 10, "--mix", "GET=80,POST=20", "--by", "x-pool",
                   "--expect-status", "200-299", "--html", page)
        seen = self.drawn(page)
        kinds = [c["data-kind"] for c in seen.of_class("chart")]
        self.assertEqual(kinds, ["time", "time", "time", "percentile"])
        for shape in ("p50", "p99", "max", "all", "raw", "c-hit", "c-miss", "wanted"):
            self.assertEqual(len([a for a in seen.of_class("line")
                                  if shape in a["class"].split()]), 1, shape)
        for shape in ("s2", "s5", "g0", "g1", "g2"):
            self.assertEqual(len([a for a in seen.of_class("bars")
                                  if shape in a["class"].split()]), 1, shape)
        for word in ("POST", "status 503", "cache hit", "unexpected_status", "<b>", "400/s"):
            self.assertIn(word, seen.words)
        for name, width, height, dark in [("bench-page", 1280, 2600, False),
                                          ("bench-page-dark", 1280, 2600, True),
                                          ("bench-page-narrow", 500, 2600, False),
                                          ("bench-page-wide", 1920, 2600, False)]:
            self.picture(page, name, width, height, dark)

    def test_a_run_of_which_nothing_came(self):
        gone = threading.Event()

        def script(conn):
            if conn.index == 0:
                return      # the first look, before the run
            gone.set()
            conn.request()
        origin = self.origin(script)
        page = self.folder / "page.html"
        run = self.bench(f"http://{origin.address}/", "-n", 40, "-c", 2, "--html", page)
        self.assertTrue(gone.is_set())
        self.assertEqual(run.json["completed"], 0)
        seen = Elements(self.browse(page, "--dump-dom"))
        self.assertIn("closed", seen.words)
        self.assertIn("40 of 40 requests (100%)", seen.words)

    def test_nothing_is_fetched(self):
        origin = self.origin()
        page = self.folder / "page.html"
        self.bench(f"http://{origin.address}/", "-n", 50, "-c", 2, "--html", page)
        text = page.read_text()
        self.assertEqual(re.findall(r"(?:src|href|srcset|action|data)\s*=|url\(|@import", text), [])
        before = len(origin.connections)
        self.browse(page, "--dump-dom")
        self.assertEqual(len(origin.connections), before)


if __name__ == "__main__":
    main()
