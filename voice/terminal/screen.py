"""`voice talk` on a terminal: what is over scrolls up and stays, what changes stands in a few lines at the bottom, above a line to type in.

prompt_toolkit reads the keys and draws: a few times a second while something changes, and never otherwise. What is to be seen is in
`picture.py`, the line and the keys are in `entry.py`. Nothing that comes from outside reaches the terminal but through `printable`.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress

from prompt_toolkit.application import Application
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.input import Input, create_input
from prompt_toolkit.layout import HSplit, Layout, VSplit, Window
from prompt_toolkit.layout.controls import BufferControl, FormattedTextControl
from prompt_toolkit.layout.processors import AfterInput, ConditionalProcessor
from prompt_toolkit.output import ColorDepth, Output, create_output
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.renderer import print_formatted_text
from prompt_toolkit.styles import Style

from voice.terminal.diverted import diverted
from voice.terminal.drawn import PLAIN, STYLES, Line
from voice.terminal.entry import Entry
from voice.terminal.keys import Seen
from voice.terminal.picture import Picture

EVERY_S = 0.125
"""The drawing changes eight times a second at most: once costs 2 ms. What is typed is seen at once."""
ESCAPE_S = 0.03
"""Escape is also the first byte of other keys: what follows it within this time belongs to it."""
PROMPT = "> "
SIMPLE = frozenset({"linux", "cygwin"})
"""Terminals with few signs in their fonts."""


class Screen:
    """A terminal with a conversation on it; see the top of the file. Made by `screen`."""

    def __init__(self, push_to_talk: bool, read: Input, write: Output, ascii_only: bool = False) -> None:
        self._changed = asyncio.Event()
        self._output = write
        self._ascii_only = ascii_only
        self._style = Style.from_dict(STYLES)
        self._depth = ColorDepth.from_env() or ColorDepth.DEPTH_4_BIT
        self._shown: list[Line] = []
        self.picture = Picture(self._size, self._changed.set)
        self.entry = Entry(push_to_talk, self._seen)
        self._app: Application[None] = Application(
            layout=self._layout(),
            key_bindings=self.entry.bindings(),
            style=self._style,
            color_depth=self._depth,
            input=read,
            output=write,
            erase_when_done=True,
            terminal_size_polling_interval=0.5 if sys.platform == "win32" else None,
        )
        self._app.ttimeoutlen = self._app.timeoutlen = ESCAPE_S

    async def run(self) -> None:
        """Read keys and draw the lines at the bottom, until `close`."""
        try:
            await self._app.run_async(handle_sigint=False, set_exception_handler=False)
        except EOFError:
            self.entry.end()  # the terminal has gone

    async def draw(self) -> None:
        """Bring what has changed to the screen."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            if self.picture.waiting:
                # Not prompt_toolkit's `in_terminal`: meanwhile the terminal would echo what is typed, and hold it back.
                if self._app.is_running:
                    self._app.renderer.erase()
                self.write()
                self._app.invalidate()
            elif self.picture.status() != self._shown:
                self._app.invalidate()
            await asyncio.sleep(EVERY_S)

    def write(self) -> None:
        """Write what scrolls up; the lines at the bottom are not there now."""
        pieces = [piece for line in self.picture.above() for piece in (*self._styled(line), ("", "\n"))]
        if pieces:
            print_formatted_text(self._output, FormattedText(pieces), self._style, color_depth=self._depth)
            self._output.flush()

    def close(self) -> None:
        """No more of the lines at the bottom."""
        if self._app.is_running and not self._app.is_done:
            self._app.exit()

    def stray(self, loop: asyncio.AbstractEventLoop, text: str) -> None:
        """A line that somebody wrote to stderr. From any thread."""
        self.picture.stray(text)
        with suppress(RuntimeError):  # the loop has ended: what there is will be written at the very end
            loop.call_soon_threadsafe(self._changed.set)

    def _layout(self) -> Layout:
        empty = Condition(lambda: not self.entry.buffer.text)
        hint = ConditionalProcessor(AfterInput(self._hint), empty)
        line = Window(BufferControl(self.entry.buffer, input_processors=[hint]), height=1, wrap_lines=False)
        prompt = Window(FormattedTextControl(PROMPT), width=len(PROMPT), height=1)
        status = Window(FormattedTextControl(self._status), height=lambda: len(self.picture.status()))
        return Layout(HSplit([status, VSplit([prompt, line])]), focused_element=line)

    def _status(self) -> FormattedText:
        self._shown = self.picture.status()
        pieces: list[tuple[str, str]] = []
        for line in self._shown:
            pieces += [*self._styled(line), ("", "\n")]
        return FormattedText(pieces[:-1])

    def _hint(self) -> FormattedText:
        return FormattedText(self._styled(self.picture.hint(self._size()[0] - len(PROMPT) - 1)))

    def _styled(self, line: Line) -> list[tuple[str, str]]:
        """As prompt_toolkit has it."""
        return [(f"class:{style}" if style else "", text.translate(PLAIN) if self._ascii_only else text) for style, text in line]

    def _size(self) -> tuple[int, int]:
        size = self._output.get_size()
        return size.columns, size.rows

    def _seen(self) -> Seen:
        meters = self.picture.view.meters
        return Seen(muted=meters.muted, talking=meters.talking)


@asynccontextmanager
async def screen(push_to_talk: bool) -> AsyncIterator[Screen]:
    """The terminal at stdin and stdout while the block runs; afterwards it is as it was before, with what was said on it.

    The block is cancelled by SIGTERM, and the process ended by it when the block has ended.
    """
    write = create_output(stdout=sys.stdout)
    if isinstance(write, Vt100_Output):
        # Asking where the cursor is would only serve to draw at the bottom of the window at once.
        write.enable_cpr = False
    ascii_only = os.environ.get("TERM") in SIMPLE or (sys.stdout.encoding or "").lower().replace("-", "") not in ("utf8", "utf16")
    made = Screen(push_to_talk, create_input(sys.stdin), write, ascii_only)
    write.write_raw("\r\n")  # the first row: see Picture.status
    loop = asyncio.get_running_loop()
    failure: BaseException | None = None
    with _ended_by_sigterm(), ExitStack() as stack:
        stack.callback(made.write)
        if sys.stderr.isatty():
            stack.enter_context(diverted(lambda text: made.stray(loop, text)))
        async with asyncio.TaskGroup() as group:
            group.create_task(made.run(), name="screen")
            drawing = group.create_task(made.draw(), name="drawing")
            try:
                yield made
            except BaseException as exc:
                # Raised again below: the group would wrap it.
                failure = exc
            made.close()
            drawing.cancel()
    if failure is not None:
        raise failure


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """SIGTERM cancels the task that is in the block; at the block's end the process is ended by it, as it would have been at once."""
    task = asyncio.current_task()
    asked: list[int] = []

    def ask() -> None:
        asked.append(signal.SIGTERM)
        if task is not None:
            task.cancel()

    loop = asyncio.get_running_loop()
    with suppress(NotImplementedError):  # Windows has no such signal for a loop
        loop.add_signal_handler(signal.SIGTERM, ask)
    try:
        yield
    finally:
        with suppress(NotImplementedError):
            loop.remove_signal_handler(signal.SIGTERM)
        if asked:
            signal.raise_signal(signal.SIGTERM)
