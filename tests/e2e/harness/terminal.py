"""Terminal: runs a program on a pseudo-terminal and shows what a person would see there.

It knows the codes that the bench tool uses and refuses others. Rows are kept beyond the window's
height, as a terminal that is scrolled back; every character is one column wide.
"""
import codecs
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading

CODE = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])")


class Terminal:
    def __init__(self, columns=100, rows=30):
        self.lock = threading.Lock()
        self.lines, self.row, self.column = [[]], 0, 0
        self.output = ""            # everything, as it came
        self.unknown = set()
        self.master, self.slave = pty.openpty()
        self.resize(columns, rows)

    def resize(self, columns, rows=30):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def start(self, arguments, env=None, **streams):
        """The process, with this as its controlling terminal and for those of its three streams
        that are not given."""
        def adopt():
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
        streams = {name: streams.get(name, self.slave) for name in ("stdin", "stdout", "stderr")}
        process = subprocess.Popen(
            [str(a) for a in arguments], env={**os.environ, "TERM": "xterm", **(env or {})},
            start_new_session=True, preexec_fn=adopt, **streams)
        os.close(self.slave)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        return process

    def type(self, text):
        os.write(self.master, text.encode())

    def close(self):
        """After the process has ended: reads the rest."""
        self.reader.join()
        os.close(self.master)

    def text(self):
        """What is to be seen, without blanks at the ends of lines and of all."""
        with self.lock:
            return "\n".join("".join(line).rstrip() for line in self.lines).rstrip()

    def so_far(self):
        with self.lock:
            return self.output

    # -- what the program writes
    def _read(self):
        decoder = codecs.getincrementaldecoder("utf-8")()
        pending = ""
        while True:
            try:
                data = os.read(self.master, 65536)
            except OSError:         # the last one who had the other side is gone
                return
            if not data:
                return
            text = decoder.decode(data)
            with self.lock:
                self.output += text
                pending = self._feed(pending + text)

    def _feed(self, text):
        """Returns what is not complete yet."""
        at = 0
        while at < len(text):
            if text[at] != "\x1b":
                self._put(text[at])
                at += 1
                continue
            code = CODE.match(text, at)
            if not code:
                return text[at:]
            self._obey(*code.groups())
            at = code.end()
        return ""

    def _put(self, character):
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self.row += 1
            if self.row == len(self.lines):
                self.lines.append([])
        else:
            line = self.lines[self.row]
            line.extend(" " * (self.column + 1 - len(line)))
            line[self.column] = character
            self.column += 1

    def _obey(self, argument, letter):
        if letter == "A":
            self.row = max(0, self.row - int(argument or 1))
        elif letter in "KJ" and argument == "":
            del self.lines[self.row][self.column:]
            if letter == "J":
                del self.lines[self.row + 1:]
        elif letter not in "m" and (argument, letter) not in (("?7", "l"), ("?7", "h")):
            self.unknown.add(argument + letter)
