"""What a key means while nothing is typed: a letter may be a command, or the first of a word; a space bar may be tapped, or held.

Terminals tell that a key went down, and again while it is held; never that it went up. So

    space   push-to-talk opens or shuts the microphone. Held, it repeats, after 0.25 to 0.7 s and then 10 to 40 times a second: a second
            one that is followed by a third within REPEAT_S is a key that is held, and its release is a pause of RELEASE_S.
    m       mutes at once; another letter within TYPING_S says that a word was meant, and takes it back. A microphone that is shut is
            opened only when that time is over: nobody is heard for having typed a word.
    q       ends the conversation, when TYPING_S are over without another letter, or with Enter.

With something in the line every key is typed. Pure: `now` is monotonic seconds.
"""

from dataclasses import dataclass

from voice.devices.typed import Key

TYPING_S = 0.4
"""Letters of a word follow each other faster: 0.4 s is 30 words a minute."""
FIRST_REPEAT_S = 1.0
"""A key that is held repeats for the first time before that."""
REPEAT_S = 0.12
"""Consoles repeat 11 times a second by default, desktops 25 times or more."""
RELEASE_S = 0.25
"""Two repeats may be lost on a busy line."""
COMMANDS = {"m": Key.MUTE, "q": Key.END}


@dataclass(frozen=True, slots=True)
class Seen:
    """The conversation, as the user sees it when the key goes down."""

    typed: bool = False
    """There is something in the line."""
    muted: bool = False
    """The user has shut the microphone."""
    talking: bool = False
    """Push-to-talk, and the microphone is open."""


class Keys:
    """See the top of the file. What is returned is to be done in that order: a `Key`, or text for the line."""

    def __init__(self, push_to_talk: bool = False) -> None:
        self._push_to_talk = push_to_talk
        self._letter = ""
        self._done = False
        self._letter_until = 0.0
        self._space_at = -FIRST_REPEAT_S
        self._opened = False
        self._held = False
        self._again_until: float | None = None

    @property
    def letter(self) -> bool:
        """Whether it is open what the last letter was."""
        return bool(self._letter)

    def press(self, key: str, now: float, seen: Seen) -> list[Key | str]:
        """A key that stands for a character."""
        before = self.tick(now)
        if self._letter and (key in COMMANDS or key == " "):
            # No word begins like that: two commands. The same again: mute and open again, or be sure to end.
            done = self._settle()
            before += done
            if Key.END in done:
                return before
        word = self._word()
        if seen.typed or word:
            return [*before, *word, key]
        if key == " ":
            return [*before, *self._space(now, seen)]
        return [*before, *(self._command(key, now, seen) if key in COMMANDS else [key])]

    def edit(self, now: float) -> list[Key | str]:
        """Another key (an arrow, Backspace, Escape): no word comes. Whoever was about to leave changes their mind."""
        before = self.tick(now)
        if self._letter == "q":
            self._letter = ""
        return [*before, *self._settle()]

    def enter(self, now: float) -> list[Key | str]:
        """Enter: the letter before it was a command."""
        return [*self.tick(now), *self._settle()]

    def paste(self, text: str, now: float) -> list[Key | str]:
        """Text that was pasted is text."""
        return [*self.tick(now), *self._word(), text]

    def tick(self, now: float) -> list[Key | str]:
        """What time has made clear."""
        found: list[Key | str] = self._settle() if self._letter and now >= self._letter_until else []
        if self._again_until is not None and now >= self._again_until:
            # No third one: it was a second tap.
            self._again_until, self._opened = None, not self._opened
            found.append(Key.TALK)
        if self._held and now >= self._space_at + RELEASE_S:
            self._held = False
            found += [Key.TALK] if self._opened else []
        return found

    def deadline(self) -> float | None:
        """When `tick` is due; None: never."""
        due = [self._letter_until] if self._letter else []
        due += [self._again_until] if self._again_until is not None else []
        due += [self._space_at + RELEASE_S] if self._held else []
        return min(due, default=None)

    def _command(self, key: str, now: float, seen: Seen) -> list[Key | str]:
        """A letter that may be one; muting cannot wait."""
        self._letter, self._letter_until = key, now + TYPING_S
        self._done = key == "m" and not seen.muted
        return [Key.MUTE] if self._done else []

    def _settle(self) -> list[Key | str]:
        """The letter before was a command."""
        letter, self._letter = self._letter, ""
        return [COMMANDS[letter]] if letter and not self._done else []

    def _word(self) -> list[Key | str]:
        """The letter before was the first of a word."""
        letter, self._letter = self._letter, ""
        return [] if not letter else [Key.MUTE, letter] if self._done else [letter]

    def _space(self, now: float, seen: Seen) -> list[Key | str]:
        gap_s, self._space_at = now - self._space_at, now
        if self._held:
            return []
        if self._again_until is not None:
            self._again_until, self._held = None, True
            return []
        if gap_s < FIRST_REPEAT_S:
            self._again_until = now + REPEAT_S
            return []
        self._opened = self._push_to_talk and not seen.talking
        return [Key.TALK]
