#!/usr/bin/env python3
"""The house rules as a test: prints every breach as path:line: [rule] message, and fails on any.

usage: tidy.py [ROOT]      checks the files that git knows or would add; without git, all files.
"""

import functools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import code_rules
import house_rules
import text_rules
from source import CPP, Finding, Source

ROOT = Path(__file__).resolve().parents[2]


def files_of(root):
    """Paths from the root, of everything that belongs to the tree."""
    listing = subprocess.run(
        ["git", "-c", f"safe.directory={root}", "-C", root, "ls-files", "-z", "--cached",
         "--others", "--exclude-standard"],
        capture_output=True, check=False) if shutil.which("git") else None
    if listing is not None and listing.returncode == 0 and listing.stdout:
        names = listing.stdout.decode().split("\0")
        return sorted({n for n in names if n and (root / n).is_file()})
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [f for f in folders if f not in (".git", "__pycache__")
                      and not (Path(folder) == root and re.match(r"build(-|$)", f))]
        found += [str((Path(folder) / n).relative_to(root)) for n in names]
    return sorted(found)


def check(source, exists):
    """Every finding in one file."""
    for rule in house_rules.RULES + text_rules.RULES + code_rules.RULES:
        yield from rule(source)
    for rule in house_rules.TREE_RULES:
        yield from rule(source, exists)


def clang_format():
    """The command of clang-format 14, or None: other versions format differently."""
    for name in ("clang-format-14", "clang-format"):
        path = shutil.which(name)
        if path and " version 14." in subprocess.run([path, "--version"], capture_output=True,
                                                     text=True, check=True).stdout:
            return path
    return None


def badly_formatted(root, names):
    """One finding for the first place in each file where clang-format would change something."""
    command = clang_format()
    if command is None:
        print("tidy: no clang-format 14 here, formatting is not checked")
        return
    names = [n for n in names if n.endswith(CPP)]
    if not names:
        return
    result = subprocess.run([command, "--dry-run", "--ferror-limit=0", *names], cwd=root,
                            capture_output=True, text=True, check=False)
    seen = set()
    for path, line in re.findall(r"^([^\s:]+):(\d+):\d+: warning: code should be clang-formatted",
                                 result.stderr, re.MULTILINE):
        if path not in seen:
            seen.add(path)
            yield Finding(path, int(line), "format", "not as clang-format writes it (./dev fmt)")


def readme_example(root):
    """The configuration that README.md shows is the example that the tests load."""
    readme, example = root / "README.md", root / "config" / "examples" / "three-clouds.yaml"
    if not readme.is_file() or not example.is_file():
        return
    shown = re.search(r"^```yaml\n(.*?)^```$", readme.read_text(), re.MULTILINE | re.DOTALL)
    if shown is None or shown.group(1) != example.read_text():
        yield Finding("README.md", 1, "example",
                      "its YAML differs from config/examples/three-clouds.yaml")


def main(arguments):
    root = Path(arguments[0]).resolve() if arguments else ROOT
    names = files_of(root)
    exists = functools.lru_cache(None)(lambda name: (root / name).is_file())
    findings = []
    for name in names:
        try:
            text = (root / name).read_bytes().decode()
        except UnicodeDecodeError:
            continue                     # test data
        findings += check(Source(name, text), exists)
    findings += badly_formatted(root, names)
    findings += readme_example(root)
    for finding in sorted(findings):
        print(finding)
    print(f"tidy: {len(names)} files, {len(findings)} findings")
    return 1 if findings or not names else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
