"""The offline responder: what was said last, through the table of skills, to the sentences that answer it."""

from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime, tzinfo

from voice.engines import answers, korean, skills
from voice.engines.answers import Skills
from voice.engines.base import Heard, Prompt, Said
from voice.engines.skills import Intent
from voice.engines.wording import say, shortened
from voice.engines.words import split
from voice.protocol.lines import Line

UNSURE = 0.5
"""Under this confidence the words are a guess (see `Heard.confidence`)."""
_UNDONE_BY_NOTHING = {"forget", "forget_last", "forget_all", "timer_cancel", "timer_cancel_all"}
"""Skills that are not done on a guess. A note or a timer is: the answer says what it is, and it can be taken back."""


class SkillsResponder:
    """Answers from the table of skills. One object serves one session and keeps its notes and timers.

    `zone` is the person's time zone; None takes that of this machine.
    """

    name = "skills"

    def __init__(self, zone: tzinfo | None = None) -> None:
        prepare()
        self._skills = Skills(zone or datetime.now(UTC).astimezone().tzinfo or UTC)

    async def respond(self, prompt: Prompt, now: float, wall_s: float) -> AsyncGenerator[Said, None]:
        """The answer, sentence by sentence. Never raises, whatever was said."""
        for said in self.answer(prompt, now, wall_s):
            yield said

    def answer(self, prompt: Prompt, now: float, wall_s: float) -> Sequence[Said]:
        """The whole answer at once, without an event loop."""
        text, before, told = _exchange(prompt.lines)
        text = text or (prompt.heard.text if prompt.heard is not None else "")
        language = "ko" if korean.is_korean(text) else "en"
        if prompt.heard is not None and not prompt.heard.text:
            return [say("not_understood")]
        if not split(text).texts:
            return [say("nothing_read" if text.strip() else "hello", language)]
        intent = _intent(text, language, told)
        if prompt.heard is not None and _is_guess(prompt.heard) and (intent is None or intent.skill in _UNDONE_BY_NOTHING):
            return [say("unsure", language, text=shortened(text)), say("again", language)]
        guess = [say("unsure", language, text=shortened(text))] if prompt.heard is not None and _is_guess(prompt.heard) else []
        if intent is None:
            return self._skills.lookup(text, language) or answers.unknown(text, language, again="OPENAI_BASE_URL" in told)
        if intent.skill == "sound_check":
            intent = Intent(intent.skill, {**intent.slots, "heard": text}, language)
        return [*guess, *self._skills.answer(intent, now, wall_s, before, told)]

    def keeps(self, prompt: Prompt) -> bool:
        """Whether the last line is about timers: those are kept here, whoever answers everything else."""
        text, _, told = _exchange(prompt.lines)
        intent = _intent(text, "ko" if korean.is_korean(text) else "en", told)
        return intent is not None and intent.skill.startswith("timer")

    def due_s(self) -> float | None:
        """When the next timer is due, in monotonic seconds; None if none is running."""
        return self._skills.due_s()

    def announce(self, now: float) -> Sequence[Said]:
        """What is to be said of the timers that are due by `now`, once."""
        return self._skills.announce(now)


def prepare() -> None:
    """Read the tables (about 70 ms, once in a process), so that no answer waits for it."""
    for text in ("what time is it", "convert a mile to feet", "\uc548\ub155"):
        (korean if korean.is_korean(text) else skills).match(text)
    say("hello")


def _intent(text: str, language: str, told: str) -> Intent | None:
    """What a line asks for; where the length of a timer was asked for (`told`), a length alone is one."""
    intent = korean.match(text) if language == "ko" else skills.match(text)
    if intent is None and told == say("timer_ask", language).text:
        intent = korean.match(f"타이머 {text}") if language == "ko" else skills.match(f"set a timer for {text}")
    return intent


def _is_guess(heard: Heard) -> bool:
    return heard.confidence < UNSURE and not heard.command


def _exchange(lines: Sequence[Line]) -> tuple[str, str, str]:
    """The user's last line, the user's line before it, and what the assistant said last before it; "" where there is none."""
    last = next((n for n in range(len(lines) - 1, -1, -1) if lines[n].role == "user"), -1)
    if last < 0:
        return "", "", ""
    earlier = lines[:last]
    before = next((line.text for line in reversed(earlier) if line.role == "user"), "")
    told = next((line.text for line in reversed(earlier) if line.role == "assistant"), "")
    return lines[last].text, before, told
