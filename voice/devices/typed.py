"""What somebody types, or a program writes, on standard input: lines for the conversation.

Keys come from a terminal that is drawn (`commands/terminal.py`).

A thread reads them: neither a terminal nor a file can be waited for in the same way on every system. It ends with the process.
"""

import asyncio
import codecs
import enum
import os
import threading
from collections.abc import AsyncGenerator

BLOCK = 4_096
WAITING = 8
"""Blocks that wait for the loop; the reader waits for them to be taken."""
LONGEST = 20_000
"""Characters of a line; a longer one is cut there."""


class Key(enum.Enum):
    """What a key asks for."""

    TALK = "talk"
    """Push-to-talk: the key goes down, or up."""
    MUTE = "mute"
    """The microphone is shut, or opened again."""
    STOP = "stop"
    """No more of this answer."""
    END = "end"
    """The conversation ends."""


async def typed_lines(fd: int = 0) -> AsyncGenerator[str, None]:
    """The lines of `fd` without their ends, as they come, until it is at its end. UTF-8; what is not is replaced."""
    blocks: asyncio.Queue[bytes] = asyncio.Queue()
    room = threading.Semaphore(WAITING)
    threading.Thread(target=_read, args=(fd, asyncio.get_running_loop(), blocks, room), name="typed", daemon=True).start()
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    rest = ""
    while True:
        block = await blocks.get()
        room.release()
        *lines, rest = (rest + decoder.decode(block, final=not block)).replace("\r", "\n").split("\n")
        for line in lines:
            yield line[:LONGEST]
        rest = rest[:LONGEST]
        if not block:
            if rest:
                yield rest
            return


def _read(fd: int, loop: asyncio.AbstractEventLoop, blocks: "asyncio.Queue[bytes]", room: threading.Semaphore) -> None:
    """Until the end, which is an empty block. os.read: a thread inside sys.stdin would hold a lock that the end of the program wants."""
    block = b"?"
    while block:
        room.acquire()
        try:
            block = os.read(fd, BLOCK)
        except OSError:
            block = b""  # closed, or never there: nothing is typed
        try:
            loop.call_soon_threadsafe(blocks.put_nowait, block)
        except RuntimeError:
            return  # the program is ending
