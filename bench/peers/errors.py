"""What can keep a subject from being measured."""

import traceback
from pathlib import Path


class Unsupported(Exception):
    """The subject cannot do what the scenario asks for; the text says why."""


class Failed(Exception):
    """A subject, an origin or a generator did not work as it must; the text says how."""


def told(error):
    """The error in words: its text and notes, and of what nobody has foreseen also where it was."""
    words = str(error)
    if not isinstance(error, Failed):
        last = traceback.extract_tb(error.__traceback__)[-1:]
        words = f"{type(error).__name__}: {words}" + "".join(
            f" ({Path(frame.filename).name}:{frame.lineno})" for frame in last)
    return "; ".join([words, *getattr(error, "__notes__", ())])
