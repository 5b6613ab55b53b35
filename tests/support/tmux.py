"""A process in tmux, which is a terminal that can be looked at: what stands on it, with colours, after whatever was drawn over what."""

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.until import wait_until

SETTINGS = """
set -g default-terminal tmux-256color
set -g status off
set -g remain-on-exit on
set -sg escape-time 0
"""
END_S = 60.0


class Pane:
    """One window of a server of its own."""

    def __init__(self, socket: Path, status: Path) -> None:
        self._socket = socket
        self.status = status
        """Has the exit code once the process has ended."""

    def tmux(self, *line: str) -> str:
        """A command of tmux; what it prints. Raises: CalledProcessError."""
        done = subprocess.run(["tmux", "-S", str(self._socket), *line], capture_output=True, check=True, timeout=30)
        return done.stdout.decode("utf-8", "replace")

    @property
    def text(self) -> str:
        """What stands in the window."""
        return self.tmux("capture-pane", "-p")

    @property
    def scrolled(self) -> str:
        """The same, with all that has scrolled out of it; lines that were folded at the edge are whole."""
        return self.tmux("capture-pane", "-p", "-J", "-S", "-")

    @property
    def coloured(self) -> str:
        """What stands in the window, with the codes of its colours."""
        return self.tmux("capture-pane", "-p", "-e")

    def press(self, *keys: str) -> None:
        """Keys by tmux's names ("Escape", "C-z", "Enter")."""
        self.tmux("send-keys", *keys)

    def type(self, text: str) -> None:
        """Characters as they are."""
        self.tmux("send-keys", "-l", text)

    def resize(self, columns: int, rows: int) -> None:
        self.tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def shows(self, *texts: str, within_s: float = 60.0) -> None:
        """Wait until all of these stand in the window at once."""
        seen = ""

        def there() -> bool:
            nonlocal seen
            seen = self.text
            return all(text in seen for text in texts)

        try:
            wait_until(there, within_s)
        except TimeoutError:
            raise AssertionError(f"{texts} not in\n{seen}") from None

    def ends(self) -> int:
        """Wait for the process; its exit code."""
        wait_until(self.status.exists, END_S)
        return int(self.status.read_text())


@contextmanager
def in_tmux(folder: Path, line: Sequence[str], environment: Mapping[str, str], columns: int = 80, rows: int = 24) -> Iterator[Pane]:
    """A process in a window of this size; ended when the block does. `folder`: for the server's socket, and where the process runs."""
    (folder / "tmux.conf").write_text(SETTINGS)
    pane = Pane(folder / "tmux", folder / "status")
    # tmux 3.3 itself does not always tell the status of a process that ends while the machine is busy.
    told = ["sh", "-c", '"$@"; echo $? > "$0.new"; mv "$0.new" "$0"', str(pane.status)]
    start = ["tmux", "-u", "-S", str(folder / "tmux"), "-f", str(folder / "tmux.conf"), "new-session", "-d"]
    size = ["-x", str(columns), "-y", str(rows), "-c", str(folder)]
    inherited = {name: value for name, value in os.environ.items() if name not in ("TMUX", "NO_COLOR", "LC_ALL")}
    try:
        subprocess.run([*start, *size, *told, *line], env={**inherited, "LC_CTYPE": "C.UTF-8", **environment}, check=True, timeout=30)
        yield pane
    finally:
        subprocess.run(["tmux", "-S", str(folder / "tmux"), "kill-server"], capture_output=True, timeout=30, check=False)
