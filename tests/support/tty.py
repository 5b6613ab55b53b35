"""A terminal that is none, with a process at it: keys go in, and the bytes that would be drawn come out."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.support.until import wait_until

END_S = 60.0
CODES = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|\][^\x07]*\x07)")


class Tty:
    """`drawn`: all that came out so far."""

    def __init__(self, columns: int, rows: int) -> None:
        self._master, self.end = pty.openpty()
        self.resize(columns, rows)
        self.before = self.modes
        self.process: subprocess.Popen[bytes] | None = None
        self._raw = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.end, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def press(self, text: str) -> None:
        os.write(self._master, text.encode())

    @property
    def drawn(self) -> str:
        return self._raw.decode("utf-8", "replace")

    @property
    def text(self) -> str:
        """What is drawn, without colours and movements."""
        return CODES.sub("", self.drawn).replace("\r", "")

    @property
    def modes(self) -> list[object]:
        """How the terminal is set: what it does with what is typed."""
        return list(termios.tcgetattr(self.end))

    def shows(self, text: str) -> None:
        """Wait until that has been drawn."""
        try:
            wait_until(lambda: text in self.text or self._over())
        finally:
            assert text in self.text, self.text[-2_000:]

    def ends(self) -> int:
        """Wait for the process; its exit code."""
        assert self.process is not None
        code = self.process.wait(END_S)
        # What it wrote last may still be on its way here.
        os.write(self.end, b"\n<the end>\n")
        wait_until(lambda: "<the end>" in self.text)
        return code

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.end)
        self._reader.join(5)
        os.close(self._master)

    def _over(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def _read(self) -> None:
        while True:
            try:
                block = os.read(self._master, 65_536)
            except OSError:
                return
            if not block:
                return
            self._raw += block


@contextmanager
def at_a_tty(line: Sequence[str], environment: dict[str, str], columns: int = 80, rows: int = 24) -> Iterator[Tty]:
    """A process with this terminal as its stdin, stdout and stderr, and as the terminal of its session."""
    tty = Tty(columns, rows)
    try:
        tty.process = subprocess.Popen(
            line,
            stdin=tty.end,
            stdout=tty.end,
            stderr=tty.end,
            env=environment,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0) and None,
        )
        yield tty
    finally:
        tty.close()
