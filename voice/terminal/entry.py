"""The line at the bottom of the screen, and the keys: what was typed or pressed goes to the conversation.

prompt_toolkit edits the line (its usual Emacs keys, and the lines before it on the arrows); what keys mean while it is empty is in `keys.py`.
"""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Condition
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys as Pressed

from voice.devices.typed import LONGEST, Key
from voice.printing import printable
from voice.terminal.keys import Keys, Seen

WAITING = 64
"""Typed lines, and keys, that wait for the conversation: a line more stays where it was typed, a key more is dropped."""


class Entry:
    """See the top of the file. `seen`: the conversation as it is on the screen (`typed` is known here)."""

    def __init__(self, push_to_talk: bool, seen: Callable[[], Seen]) -> None:
        self.buffer = Buffer(multiline=False)
        self._push_to_talk = push_to_talk
        self._seen = seen
        self._meaning = Keys(push_to_talk)
        self._lines: asyncio.Queue[str] = asyncio.Queue(WAITING)
        self._keys: asyncio.Queue[Key] = asyncio.Queue(WAITING)

    async def lines(self) -> AsyncIterator[str]:
        """What was typed, line by line."""
        while True:
            yield await self._lines.get()

    async def keys(self) -> AsyncIterator[Key]:
        """The keys that were pressed."""
        while True:
            yield await self._keys.get()

    def end(self) -> None:
        """Nobody can type any more: the conversation ends."""
        self._do([Key.END])

    def bindings(self) -> KeyBindings:
        """Which key does what, before all that prompt_toolkit's own do."""
        bindings = KeyBindings()
        waiting = Condition(lambda: self._meaning.letter)
        bindings.add(Pressed.Any)(self._press)
        bindings.add("enter")(self._enter)
        bindings.add("escape")(self._escape)
        bindings.add("c-d", filter=Condition(lambda: not self.buffer.text))(lambda event: self.end())
        # The way of every Ctrl-C: asyncio cancels what runs, and the command ends with 130.
        bindings.add("c-c")(lambda event: signal.raise_signal(signal.SIGINT))
        bindings.add("c-z")(lambda event: event.app.suspend_to_background())
        bindings.add(Pressed.BracketedPaste)(self._paste)
        for name in ("backspace", "delete", "left", "right", "up", "down", "tab", "c-u", "c-w"):
            bindings.add(name, filter=waiting)(self._edit)
        return bindings

    def _press(self, event: KeyPressEvent) -> None:
        text = "".join(character for character in event.data if character.isprintable())
        if text:
            now = self._seen()
            self._do(self._meaning.press(text, time.monotonic(), Seen(bool(self.buffer.text), now.muted, now.talking)))

    def _paste(self, event: KeyPressEvent) -> None:
        self._do(self._meaning.paste(printable(event.data), time.monotonic()))

    def _edit(self, event: KeyPressEvent) -> None:
        self._do(self._meaning.edit(time.monotonic()))

    def _escape(self, event: KeyPressEvent) -> None:
        self._do([*self._meaning.edit(time.monotonic()), Key.STOP])

    def _enter(self, event: KeyPressEvent) -> None:
        """A line is sent; without one Enter is as good as the key that stops, or talks."""
        letter = self._meaning.letter
        self._do(self._meaning.enter(time.monotonic()))
        text = self.buffer.text.strip()
        if not text and not letter:
            self._do([Key.TALK if self._push_to_talk else Key.STOP])
        elif text and not self._lines.full():
            self._lines.put_nowait(text)
            self.buffer.reset(append_to_history=True)

    def _do(self, what: list[Key | str]) -> None:
        for one in what:
            if isinstance(one, str):
                self.buffer.insert_text(one[: max(0, LONGEST - len(self.buffer.text))])
            elif not self._keys.full():
                self._keys.put_nowait(one)
        due = self._meaning.deadline()
        if due is not None:
            asyncio.get_running_loop().call_later(max(0.0, due - time.monotonic()), self._tick)

    def _tick(self) -> None:
        self._do(self._meaning.tick(time.monotonic()))
