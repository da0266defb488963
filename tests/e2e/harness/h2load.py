"""h2load, the load generator of nghttp2, as a client that counts what it gets."""
import re
import shutil
import subprocess
import threading

from .wait import eventually

H2LOAD = shutil.which("h2load")


def h2load(url, count, *more, timeout=120):
    """`count` requests over HTTP/2, of which none may fail or be answered but by 2xx; the protocol
    that was agreed on. `more` goes to the command, "-c" and "-m" for example."""
    done = subprocess.run([H2LOAD, "-n", str(count), "-c", "8", "-m", "32", *more, url],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=timeout, check=False)
    for words in (f"{count} succeeded, 0 failed, 0 errored, 0 timeout",
                  f"status codes: {count} 2xx"):
        assert words in done.stdout, done.stdout + done.stderr
    return re.search(r"^Application protocol: (\S+)", done.stdout, re.MULTILINE)[1]


class Load:
    """h2load again and again beside a test, until the block ends, which fails if a run did."""

    def __init__(self, url, count, *more):
        self.arguments, self.runs, self.failure = (url, count, *more), 0, None
        self.over, self.thread = False, threading.Thread(target=self._run)

    def _run(self):
        try:
            while not self.over:
                h2load(*self.arguments)
                self.runs += 1
        except AssertionError as error:
            self.failure = error

    def until(self, condition, what):
        """Waits for `condition()`, but not beyond a failure."""
        eventually(lambda: self.failure or condition(), what, 30)

    def go_on(self):
        """Waits for a run that began after this call."""
        enough = self.runs + 2
        self.until(lambda: self.runs >= enough, "another run of h2load")

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.over = True
        self.thread.join()
        if self.failure and kind is None:
            raise self.failure
