"""Rules about the house: what stands where, who may include whom, how big a room may be."""

import ast
import re

from source import Finding

TOP_LEVEL = {
    "CMakeLists.txt", "README.md", "LICENSE", "CHANGELOG.md", "dev",
    "proxy", "config", "balancer", "cache", "health", "bench", "tests", "core", "docs",
    ".ci", ".clang-format", ".clang-tidy", ".gitignore",
}

# Who may include whom: a folder sees itself and what stands to its left in the drawing.
# tests/ sees everything.
SEES = {
    "core": {"core"},
    "config": {"core", "config"},
    "cache": {"core", "config", "cache"},
    "balancer": {"core", "config", "balancer"},
    "health": {"core", "config", "cache", "balancer", "health"},
    "proxy": {"core", "config", "cache", "balancer", "health", "proxy"},
    "bench": {"core", "bench"},
}

# A room that sees more than its folder does; nobody sees it. Why: docs/decisions/0012.
MICRO = "bench/micro/"
MICRO_SEES = SEES["bench"] | SEES["proxy"]

# Libraries that are seen in one place only; a test may look at any of them.
CONFINED = {
    "yaml-cpp/": "config/",
    "boost/beast": "core/http1/",
    "lz4": "cache/",
    "xxhash": "cache/",
    "hiredis": "cache/",
    "nghttp2/": "core/http2/",
    "benchmark/": MICRO,
}

MAX_FILE_LINES = 500

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">\n]+)[">]', re.MULTILINE)


def top_level(source):
    """The root holds what the drawing shows, and no more."""
    if source.folder not in TOP_LEVEL:
        yield Finding(source.path, 1, "top-level", f"the house has no place for '{source.folder}'")


def layering(source, exists):
    """Includes are written from the root, lead to a file, and never point up the house."""
    if not source.is_cpp:
        return
    for match in _INCLUDE.finditer(source.text):
        # In a comment or literal it is no include.
        if source.code[match.start():match.end()].find("#") < 0:
            continue
        line = source.line_at(match.start(2))
        quote, name = match.groups()
        if quote == "<":
            yield from _third_party(source, line, name)
            continue
        target = name.split("/", 1)[0]
        if "/" not in name or not exists(name):
            yield Finding(source.path, line, "include-path",
                          f"'{name}' is not a path from the root to a file")
        elif not _may_include(source, name):
            yield Finding(source.path, line, "layering",
                          f"{source.folder}/ must not include {target}/")


def _may_include(source, name):
    in_micro = source.path.startswith(MICRO)
    if source.folder == "tests":
        return True
    if name.startswith(MICRO) and not in_micro:
        return False
    sees = MICRO_SEES if in_micro else SEES.get(source.folder, set())
    return name.split("/", 1)[0] in sees


def _third_party(source, line, name):
    for prefix, home in CONFINED.items():
        if name.startswith(prefix) and not source.path.startswith((home, "tests/")):
            yield Finding(source.path, line, "confined", f"<{name}> is seen only in {home}")


def file_size(source):
    """A room can be read in one sitting."""
    count = source.text.count("\n")
    if source.is_written and count > MAX_FILE_LINES:
        yield Finding(source.path, count, "file-size",
                      f"{count} lines; a room has {MAX_FILE_LINES} at most")


def head_comment(source, exists):
    """A file starts by saying what it is for; x.cpp is one room with x.hpp, which says it."""
    if not source.is_written or not source.text.strip():
        return
    if source.path.endswith(".cpp") and exists(source.path[:-4] + ".hpp"):
        return
    if source.is_cpp:
        good = source.text.startswith("// ")
    elif source.path.endswith(".py"):
        try:
            good = ast.get_docstring(ast.parse(source.text)) is not None
        except SyntaxError as error:
            yield Finding(source.path, error.lineno or 1, "head-comment", "not valid Python")
            return
    else:
        lines = [line for line in source.lines if not line.startswith("#!")]
        good = bool(lines) and lines[0].startswith("# ")
    if not good:
        yield Finding(source.path, 1, "head-comment", "the file does not begin with a comment")


RULES = [top_level, file_size]
# These also ask which paths exist.
TREE_RULES = [layering, head_comment]
