"""One source file as the rules see it: its text, and its code with comments and literals blanked.

Invariant: `code` and `comments` are as long as `text`, and line breaks stand at the same offsets,
so that an offset in one is an offset in all of them.
"""

import re
from dataclasses import dataclass, field

CPP = (".cpp", ".hpp")

_TOKEN = re.compile(
    r"""
    (?P<line>//[^\n]*)
  | (?P<block>/\*.*?\*/)
  | (?P<raw>(?:u8|[uUL])?R"(?P<tag>[^()\s\\]{0,16})\(.*?\)(?P=tag)")
  | (?P<string>"(?:\\.|[^"\\\n])*")
  | (?P<number>\b[0-9][\w']*)
  | (?P<char>'(?:\\.|[^'\\\n])+')
    """,
    re.VERBOSE | re.DOTALL,
)


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


def split_cpp(text):
    """Returns (code, comments): the text with everything else replaced by spaces."""
    code, comments, at = [], [], 0
    for match in _TOKEN.finditer(text):
        between = text[at:match.start()]
        token = match.group()
        is_comment = match.lastgroup in ("line", "block")
        if match.lastgroup == "number":
            shown = token
        elif is_comment:
            shown = _blank(token)
        else:
            # Quotes stay, so that an include or an argument can still be seen to be there.
            shown = '"' + _blank(token[1:-1]) + '"'
        code += [between, shown]
        comments += [_blank(between), token if is_comment else _blank(token)]
        at = match.end()
    code.append(text[at:])
    comments.append(_blank(text[at:]))
    return "".join(code), "".join(comments)


def split_hash(text):
    """The same for Python, shell and CMake, roughly: a comment starts at a # after a blank."""
    comments = re.sub(r"(^|(?<=\s))(#[^\n]*)|([^\n])",
                      lambda m: m.group(2) if m.group(2) else " " if m.group(3) else "",
                      text, flags=re.MULTILINE)
    return text, comments


def is_script(path):
    """Files whose comments start with #."""
    name = path.rsplit("/", 1)[-1]
    return (path.endswith((".py", ".sh", ".cmake")) or name == "CMakeLists.txt"
            or path in ("dev", ".ci/run"))


@dataclass
class Source:
    path: str                    # from the root, with /
    text: str
    code: str = field(init=False)
    comments: str = field(init=False)
    lines: list = field(init=False)

    def __post_init__(self):
        if self.path.endswith(CPP):
            self.code, self.comments = split_cpp(self.text)
        elif is_script(self.path):
            self.code, self.comments = split_hash(self.text)
        else:
            self.code, self.comments = self.text, self.text
        self.lines = self.text.split("\n")

    @property
    def folder(self):
        """The top-level entry this file belongs to."""
        return self.path.split("/", 1)[0]

    @property
    def is_cpp(self):
        return self.path.endswith(CPP)

    @property
    def is_written(self):
        """Source that people write and read, as opposed to test data and documents."""
        return self.is_cpp or is_script(self.path)

    def line_at(self, offset):
        return self.text.count("\n", 0, offset) + 1


@dataclass(order=True)
class Finding:
    path: str
    line: int
    rule: str
    message: str

    def __str__(self):
        return f"{self.path}:{self.line}: [{self.rule}] {self.message}"
