"""Rules about C++ code: time, sleeping, function length, and coroutines that g++ 12 miscompiles.

They work on text with comments and literals blanked, not on a syntax tree: heuristics that find the
mistake as people write it.
"""

import ast
import re

from source import Finding

MAX_FUNCTION_LINES = 70

_TIME = re.compile(r"\b(?:\w*_clock|Clock)::now\s*\(|\bclock_gettime\s*\(|\bgettimeofday\s*\("
                   r"|\b(?:std::)?time\s*\(\s*(?:nullptr|NULL|0|&)")
_SLEEP = re.compile(r"\b(?:sleep_for|sleep_until|usleep|nanosleep|clock_nanosleep)\s*\("
                    r"|\bsleep\s*\(\s*[^)\s]")
_COROUTINE = re.compile(r"\bco_(?:await|return|yield)\b")
_CONTAINER = re.compile(r"\b(?:namespace|class|struct|union|enum)\b|\bextern\s*\"")
_CLOSING = {"(": ")", "[": "]", "{": "}"}


def clock(source):
    """Only core/clock.cpp asks the system for the time."""
    if not source.is_cpp or source.folder in ("tests", "bench"):
        return
    if source.path == "core/clock.cpp":
        return
    for match in _TIME.finditer(source.code):
        yield Finding(source.path, source.line_at(match.start()), "clock",
                      "time comes from the Clock seam")


def sleep(source):
    """Nothing waits by sleeping."""
    if not source.is_cpp or source.folder == "bench":
        return
    for match in _SLEEP.finditer(source.code):
        yield Finding(source.path, source.line_at(match.start()), "sleep",
                      "wait for the event, not for time to pass")


def match_close(code, at):
    """The offset of the bracket that closes the one at `at`, or the text's length."""
    stack = []
    for i in range(at, len(code)):
        c = code[i]
        if c in _CLOSING:
            stack.append(_CLOSING[c])
        elif stack and c == stack[-1]:
            stack.pop()
            if not stack:
                return i
    return len(code)


def _skip_space(code, at):
    while at < len(code) and code[at].isspace():
        at += 1
    return at


def lambdas(code):
    """Yields (offset, captures, start of body, end of body) of every lambda expression."""
    at = code.find("[")
    while at >= 0:
        close = match_close(code, at)
        before = code[:at].rstrip()[-1:]
        word = re.search(r"(\w+)\s*$", code[max(0, at - 40):at])
        subscript = (before.isalnum() or before in ("_", ")", "]")) and not (
            word and word.group(1) in ("return", "co_return", "co_await", "co_yield", "case"))
        if code.startswith("[[", at):
            at = code.find("[", close + 1)
            continue
        if not subscript:
            head = re.compile(r"\s*(?:<[^{};]*?>\s*)?").match(code, close + 1).end()
            if code.startswith("(", head):
                head = match_close(code, head) + 1
            tail = re.compile(r"[^{};()\[\]]*(?:\([^{};()]*\)[^{};()\[\]]*)?").match(code, head)
            body = tail.end()
            if code.startswith("{", body):
                yield at, code[at + 1:close].strip(), body, match_close(code, body)
        at = code.find("[", at + 1)


def lambda_coroutine(source):
    """A lambda's captures die with the lambda, which a coroutine outlives."""
    if not source.is_cpp or not _COROUTINE.search(source.code):
        return
    found = list(lambdas(source.code))
    for at, captures, start, end in found:
        body = source.code[start:end]
        for _, _, inner_start, inner_end in found:
            if start < inner_start and inner_end < end:
                length = inner_end - inner_start
                offset = inner_start - start
                body = body[:offset] + " " * length + body[offset + length:]
        if captures and _COROUTINE.search(body):
            yield Finding(source.path, source.line_at(at), "lambda-coroutine",
                          f"a coroutine lambda captures [{captures}]; pass it as a parameter")


def _expression_around(code, at):
    """(start, end) of the conditional expression whose question mark stands at `at`."""
    depth, start = 0, at
    while start > 0:
        c = code[start - 1]
        if c in ")]}":
            depth += 1
        elif c in "([{":
            if depth == 0:
                break
            depth -= 1
        elif depth == 0 and (c in ";," or (c == "=" and code[start - 2] not in "=!<>"
                                           and code[start:start + 1] != "=")):
            break
        start -= 1
    depth, end = 0, at
    while end < len(code):
        c = code[end]
        if c in "([{":
            depth += 1
        elif c in ")]}":
            if depth == 0:
                break
            depth -= 1
        elif depth == 0 and c in ";,":
            break
        end += 1
    return start, end


def conditional_await(source):
    """g++ 12 evaluates both branches, or destroys temporaries twice."""
    if not source.is_cpp or "co_await" not in source.code:
        return
    for match in re.finditer(r"\?", source.code):
        start, end = _expression_around(source.code, match.start())
        if re.search(r"\bco_await\b", source.code[start:end]):
            yield Finding(source.path, source.line_at(match.start()), "conditional-await",
                          "co_await inside a conditional expression; use if")


def functions(code):
    """Yields (start, end) offsets of every function with a body that stands outside of others."""
    code = re.sub(r"(?m)^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: re.sub(r"[^\n]", " ", m.group()),
                  code)
    start, at = 0, 0
    for_function = False
    while at < len(code):
        c = code[at]
        if c in ";}":
            start, for_function = at + 1, False
        elif c == "(":
            at = match_close(code, at)
            for_function = True
        elif c == "{":
            head = code[start:at]
            if _CONTAINER.search(head) and not for_function:
                start = at + 1
            else:
                close = match_close(code, at)
                after = code[_skip_space(code, close + 1):][:1]
                if for_function and after not in (",", "{"):
                    yield _skip_space(code, start), close
                if after not in (",", "{"):
                    start, for_function = close + 1, False
                at = close
        elif c == ":" and re.search(r"\b(?:public|private|protected)\s*$", code[start:at]):
            start = at + 1
        at += 1


def function_size(source):
    """A function fits a screen."""
    if source.is_cpp:
        spans = [(source.line_at(a), source.line_at(b)) for a, b in functions(source.code)]
    elif source.path.endswith(".py"):
        try:
            tree = ast.parse(source.text)
        except SyntaxError:
            return                       # head_comment reports it
        spans = [(node.lineno, node.end_lineno) for node in ast.walk(tree)
                 if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    else:
        return
    for first, last in spans:
        if last - first + 1 > MAX_FUNCTION_LINES:
            yield Finding(source.path, first, "function-size",
                          f"{last - first + 1} lines; a function has {MAX_FUNCTION_LINES} at most")


RULES = [clock, sleep, lambda_coroutine, conditional_await, function_size]
