"""Rules about text: columns, white space, unfinished work, traces of somebody's machine."""

import re

from source import Finding

MAX_COLUMNS = 100

# Words are put together from parts, so that this file passes its own rule.
UNFINISHED = re.compile(r"\b(" + "|".join(["TO" "DO", "FIX" "ME", "X" "XX", "HA" "CK"]) + r")\b")
MAKESHIFT = re.compile(
    r"\b(" + "|".join(["for " "now", "st" "ub(?:s|bed)?", "place" "holder",
                       "not (?:yet )?imple" "mented"]) + r")\b",
    re.IGNORECASE)
MACHINE = re.compile("|".join(["/wo" "rk/", "shared/DE" "SIGN", "fa" "rm-", "/tmp/" "b-"]))

# Bytes in these are part of what is tested.
DATA = ("tests/fuzz/seeds/", "tests/golden/")


def columns(source):
    """A line fits two to a screen."""
    if not source.is_written:
        return
    for number, line in enumerate(source.lines, 1):
        if len(line) > MAX_COLUMNS:
            yield Finding(source.path, number, "columns", f"{len(line)} columns")


def white_space(source):
    """No tabs, no trailing blanks, one line break at the end."""
    if source.path.startswith(DATA) or not source.text:
        return
    if source.is_written or source.path.endswith((".md", ".yaml", ".yml")):
        for number, line in enumerate(source.lines, 1):
            if "\t" in line:
                yield Finding(source.path, number, "tab", "a tab")
            if line.endswith((" ", "\r")):
                yield Finding(source.path, number, "trailing-space", "white space at its end")
        if not source.text.endswith("\n") or source.text.endswith("\n\n"):
            yield Finding(source.path, len(source.lines), "final-newline",
                          "a file ends with one line break")


def unfinished(source):
    """What is in the tree is done."""
    if source.path.startswith(DATA):
        return
    for match in UNFINISHED.finditer(source.text):
        yield Finding(source.path, source.line_at(match.start()), "unfinished", match.group())
    if not source.is_written:
        return
    for match in MAKESHIFT.finditer(source.comments):
        yield Finding(source.path, source.line_at(match.start()), "unfinished",
                      f"a comment says '{match.group()}'")


def machine(source):
    """Nothing of the place where it was written."""
    for match in MACHINE.finditer(source.text):
        yield Finding(source.path, source.line_at(match.start()), "machine",
                      f"'{match.group()}' is a trace of somebody's machine")


RULES = [columns, white_space, unfinished, machine]
