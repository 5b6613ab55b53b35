"""Which reply of a script comes next.

Those without `when` follow each other and start over. One with `when` goes before them where it fits: the first such one of the file, and
those with the very same condition take turns. A turn of speech whose words the next reply tells takes that reply when it ends.
An answer whose words the client dictates takes none.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from voice.engines.script import QUOTED, Reply, Script, When
from voice.engines.verbatim import ordered
from voice.protocol.conversation import text_of
from voice.protocol.objects import Item
from voice.protocol.orders import ReplyWanted


@dataclass(frozen=True, slots=True)
class Cue:
    """A reply, and how often it was taken before."""

    reply: Reply
    use: int
    as_it_is: bool = False
    """Its words are the client's, and quote nothing."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be answered."""

    heard: str | None = None
    """What the user said or typed; None: something else is answered, or nothing."""
    outputs: tuple[tuple[str, str], ...] = ()
    """What came of calls, each with the name of its function."""
    item_id: str = ""
    """The newest item of it."""

    def filled(self, text: str) -> str:
        """A text of the script with what it quotes."""
        values = {"heard": self.heard or "", "output": self.outputs[-1][1] if self.outputs else ""}
        return QUOTED.sub(lambda found: values[found["name"]] if found["name"] in values else found[0][1:-1], text)


class Cues:
    """See the top of the file. One for a session, or one for all sessions of a twin."""

    def __init__(self, script: Script, taken: set[int] | None = None) -> None:
        """`taken`: where the numbers of the replies that were taken are noted."""
        self._taken = set[int]() if taken is None else taken
        self._following = [reply for reply in script.replies if reply.when is None]
        self._alike: dict[When, list[Reply]] = {}
        for reply in script.replies:
            if reply.when is not None:
                self._alike.setdefault(reply.when, []).append(reply)
        self._next = 0
        self._uses: Counter[int] = Counter()
        self._late_ms = script.transcript_delay_ms

    @property
    def late_ms(self) -> int:
        """How late a turn is written down of which no reply says what was heard."""
        return self._following[self._next].transcript_delay_ms if self._following else self._late_ms

    def hear(self, answered: bool = True) -> Cue | None:
        """A turn of speech has ended: the reply that says what was heard. None: none does. `answered`: replies are asked for, too."""
        if not self._following or not (self._following[self._next].tells_words or not answered):
            return None
        return self._step()

    def answer(self, question: Question) -> Cue | None:
        """The reply to this; None: no reply of the script fits."""
        for when, replies in self._alike.items():
            if when.fits(question.heard, question.outputs):
                return self._take(replies[sum(self._uses[reply.number] for reply in replies) % len(replies)])
        for _ in self._following:
            cue = self._step()
            if cue.reply.answers:
                return cue
        return None

    def _step(self) -> Cue:
        reply = self._following[self._next]
        self._next = (self._next + 1) % len(self._following)
        return self._take(reply)

    def _take(self, reply: Reply) -> Cue:
        self._uses[reply.number] += 1
        self._taken.add(reply.number)
        return Cue(reply, self._uses[reply.number] - 1)


def dictated(order: ReplyWanted) -> Cue | None:
    """The reply to a client that says word for word what is to be said ("Say exactly ...": a filler, a farewell): it is none of the script's."""
    words = ordered(order.instructions) if order.instructed and not order.toolbox.must else None
    return None if words is None else Cue(Reply(number=0, say=words), 0, as_it_is=True)


def question(items: Iterable[Item], heard: dict[str, str]) -> Question:
    """What a conversation asks: its newest outputs, or else what the user said last. `heard`: what was said in turns, by item."""
    finished = [item for item in items if item.status != "in_progress"]
    if not finished:
        return Question()
    names = {item.call_id: str(item.name) for item in finished if item.type == "function_call"}
    outputs: list[tuple[str, str]] = []
    for item in reversed(finished):
        if item.type != "function_call_output":
            break
        outputs.insert(0, (names.get(item.call_id, ""), str(item.output)))
    last = finished[-1]
    return Question(_said(last, heard) if last.role == "user" else None, tuple(outputs), str(last.id))


def _said(item: Item, heard: dict[str, str]) -> str:
    """What a user's message says, typed and spoken."""
    if str(item.id) not in heard:
        return text_of(item)
    typed = [part.text for part in item.content or () if isinstance(part.text, str)]
    return " ".join(text for text in (*typed, heard[str(item.id)]) if text)
