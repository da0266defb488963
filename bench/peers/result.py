"""What came out of one scenario."""

import contextlib
import sys

from errors import Unsupported, told
from recipes import LABELS
from subjects import Subject


class Result:
    """rounds: per round, subject -> figures. cannot: subject -> why it is not among them.
    complaints: lines about figures that are not what they should be. notes: what one must know
    to read them. load: the name of the generator."""

    def __init__(self, scenario, load_name):
        self.scenario, self.load = scenario, load_name
        self.rounds, self.cannot, self.complaints, self.notes = [], {}, [], []

    def start(self, stack, name, *arguments):
        """The subject, running until `stack` unwinds; None if it cannot, and says why here."""
        try:
            subject = stack.enter_context(Subject(name, *arguments))
        except Unsupported as error:
            self.cannot[name] = str(error)
            return None
        self.add_note(subject.without and f"{LABELS[name]} goes without {subject.without}")
        return subject

    @contextlib.contextmanager
    def turn_of(self, name):
        """What goes wrong in the `with` block is told here, and costs nobody else anything: what
        `name` cannot do as such, everything else as a complaint."""
        when = f"round {len(self.rounds)}" if self.rounds else "its start"
        try:
            yield
            return
        except Unsupported as error:
            said = self.cannot[name] = f"{error} ({when})"
        except Exception as error:      # whatever it is: the figures of the others are worth more
            said = f"failed in {when}: {told(error)}"
            self.complaints.append(f"{name}: {said}")
        print(f"{self.scenario.name}: {name}: {said}", file=sys.stderr, flush=True)

    def add_note(self, text):
        if text and text not in self.notes:
            self.notes.append(text)
