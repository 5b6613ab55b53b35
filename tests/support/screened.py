"""A screen on a terminal that is none: keys come from the test, and what is drawn is kept as the bytes that a terminal would get."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output.vt100 import Vt100_Output

from tests.support.until import until
from voice.devices.typed import Key
from voice.terminal.screen import Screen


class Paper(io.StringIO):
    """Where the terminal's bytes go."""

    encoding = "utf-8"

    def fileno(self) -> int:
        raise io.UnsupportedOperation


class Desk:
    """A screen, its keys, and what came of them."""

    def __init__(self, keyboard: PipeInput, push_to_talk: bool, columns: int, rows: int, ascii_only: bool) -> None:
        self.keyboard = keyboard
        self.size = Size(rows=rows, columns=columns)
        self.paper = Paper()
        output = Vt100_Output(self.paper, lambda: self.size, term="xterm", enable_cpr=False)
        self.screen = Screen(push_to_talk, keyboard, output, ascii_only)
        self.lines: list[str] = []
        self.keys: list[Key] = []

    def press(self, text: str) -> None:
        """These bytes come from the keyboard."""
        self.keyboard.send_text(text)

    @property
    def drawn(self) -> str:
        """All that the terminal got."""
        return self.paper.getvalue()

    async def shows(self, text: str) -> None:
        """Wait until that has been drawn."""
        await until(lambda: text in self.drawn)

    async def take_lines(self) -> None:
        async for line in self.screen.entry.lines():
            self.lines.append(line)

    async def take_keys(self) -> None:
        async for key in self.screen.entry.keys():
            self.keys.append(key)


@asynccontextmanager
async def desk(push_to_talk: bool = False, columns: int = 80, rows: int = 24, ascii_only: bool = False) -> AsyncIterator[Desk]:
    """A screen that has been drawn once; closed when the block ends."""
    with create_pipe_input() as keyboard:
        made = Desk(keyboard, push_to_talk, columns, rows, ascii_only)
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            running = group.create_task(made.screen.run(), name="screen")
            tasks = [group.create_task(work, name="desk") for work in (made.screen.draw(), made.take_lines(), made.take_keys())]
            await made.shows("\x1b[J")
            yield made
            made.screen.close()
            await running
            made.screen.write()
            for task in tasks:
                task.cancel()
