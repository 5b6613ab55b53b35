"""What others write to stderr while a screen is drawn: log lines, a C library's complaints. It would stand in the middle of the drawing."""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

LONGEST = 2_000
"""Bytes of one line; the rest is left out."""
MOST = 200
"""Lines at once; there is no end to what a library may have to say."""


@contextmanager
def diverted(line: Callable[[str], None], fd: int = 2) -> Iterator[None]:
    """While the block runs, each line that is written to `fd` is given to `line`, on a thread, instead."""
    sys.stderr.flush()
    before = os.dup(fd)
    reading, writing = os.pipe()
    os.set_inheritable(before, False)
    os.dup2(writing, fd)
    os.close(writing)
    reader = threading.Thread(target=_read, args=(reading, line), name="stderr", daemon=True)
    reader.start()
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(before, fd)
        os.close(before)
        # A child that still has the pipe's other end keeps it open: its words are not waited for.
        reader.join(1.0)


def _read(fd: int, line: Callable[[str], None]) -> None:
    """Until nobody can write any more."""
    rest = b""
    with suppress(OSError):
        while block := os.read(fd, 65_536):
            *lines, rest = (rest + block).split(b"\n")
            for one in lines[:MOST]:
                line(one[:LONGEST].decode("utf-8", "replace"))
            rest = rest[:LONGEST]
    if rest:
        line(rest.decode("utf-8", "replace"))
    os.close(fd)
