"""The offline responder: what was said last, through the table of skills, to the sentences that answer it."""

import json
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime, tzinfo

from voice.engines import answers, arguments, calling, korean, results, skills
from voice.engines.answers import Skills
from voice.engines.base import Called, Prompt, Said, Saying
from voice.engines.calling import Wanted
from voice.engines.sentences import sentences
from voice.engines.skills import Intent
from voice.engines.verbatim import ordered
from voice.engines.wording import say, shortened
from voice.engines.words import split
from voice.protocol.lines import Line
from voice.protocol.tools import Tool

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

    async def respond(self, prompt: Prompt, now: float, wall_s: float) -> AsyncGenerator[Saying, None]:
        """The answer, sentence by sentence, or the calls of the client's functions that were asked for. Never raises, whatever was said."""
        words = ordered(prompt.instructions) if prompt.instructed and not prompt.toolbox.must else None
        if words is not None:
            for sentence in sentences(words):
                yield Said(sentence, "ko" if korean.is_korean(words) else "en")
            return
        if (outputs := _outputs(prompt.lines)) and not prompt.toolbox.must:
            for said in results.told(outputs):
                yield said
            if not _asks_more(prompt.lines):
                return
        if not (several := self._wanted(prompt)):
            for said in self.answer(prompt, now, wall_s):
                yield said
        elif unclear := [] if prompt.toolbox.must else [wanted for wanted in several if wanted.missing and not wanted.ordered]:
            yield _ask(unclear[0].tool, unclear[0].missing[0], _exchange(prompt.lines)[0])
        else:
            for wanted in several if prompt.toolbox.parallel else several[:1]:
                # The conversation gives each an id of its own.
                yield Called("", wanted.tool.name, json.dumps(wanted.arguments, ensure_ascii=False))

    def answer(self, prompt: Prompt, now: float, wall_s: float) -> Sequence[Said]:
        """The whole answer at once, without an event loop."""
        text, before, told = _exchange(prompt.lines)
        text = text or (prompt.heard.text if prompt.heard is not None else "")
        language = "ko" if korean.is_korean(text) else "en"
        if prompt.heard is not None and not prompt.heard.text:
            if not prompt.heard.silent:
                return [say("not_understood")]
            return [say("still_there", "ko" if korean.is_korean(before) else "en")]
        if not split(text).texts:
            return [say("nothing_read" if text.strip() else "hello", language)]
        intent = _intent(text, language, told)
        if prompt.heard is not None and prompt.heard.guess and (intent is None or intent.skill in _UNDONE_BY_NOTHING):
            return [say("unsure", language, text=shortened(text)), say("again", language)]
        guess = [say("unsure", language, text=shortened(text))] if prompt.heard is not None and prompt.heard.guess else []
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

    def _wanted(self, prompt: Prompt) -> tuple[Wanted, ...]:
        """The functions that are to be called; none: the answer is in words."""
        text, _, told = _exchange(prompt.lines)
        named = calling.by_name(text, prompt.toolbox)
        if prompt.toolbox.must:
            return named or _one(calling.at_any_rate(text, prompt.toolbox))
        if not prompt.toolbox.usable or (prompt.heard is not None and (not prompt.heard.text or prompt.heard.guess)):
            return ()
        language = "ko" if korean.is_korean(text) else "en"
        intent = _intent(text, language, told)
        # "Where is my order?" asks for what was remembered; where nothing was, a function may know.
        asks_in_vain = intent is not None and intent.skill == "recall" and not self._skills.lookup(text, language)
        if named or (intent is not None and not asks_in_vain):
            return named
        return _one(_completed(prompt) or calling.by_subject(text, prompt.toolbox))

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


def _one(wanted: Wanted | None) -> tuple[Wanted, ...]:
    return () if wanted is None else (wanted,)


def _outputs(lines: Sequence[Line]) -> list[str]:
    """What came of calls that nobody has been told of: behind all that the assistant said or did, and of the calls made together with those."""
    told = next((place for place in range(len(lines) - 1, -1, -1) if lines[place].role == "assistant"), -1)
    fresh = {line.call_id for line in lines[told + 1 :] if line.role == "tool"}
    together: list[str] = []
    for line in lines:
        # A word may have been said for the silence between two outputs.
        together = [*together, line.call.call_id] if line.call is not None else [] if line.role != "tool" else together
        fresh |= set(together) if fresh.intersection(together) else set()
    return [line.text for line in lines if line.role == "tool" and line.call_id in fresh]


def _asks_more(lines: Sequence[Line]) -> bool:
    """Whether somebody has said something since the functions were called, and has had no answer."""
    last = next((line for line in reversed(lines) if line.role != "tool"), None)
    return last is not None and last.role == "user"


def _ask(tool: Tool, name: str, text: str) -> Said:
    """The question for an argument."""
    spoken = [" ".join(arguments.name_words(word)) for word in (tool.name, name)]
    return say("tool_ask", "ko" if korean.is_korean(text) else "en", tool=spoken[0], field=spoken[1])


def _completed(prompt: Prompt) -> Wanted | None:
    """The call for which the assistant has asked an argument, with what was answered; None if it has not asked."""
    given: dict[str, str] = {}
    lines = [line for line in prompt.lines if line.role in ("user", "assistant") and line.call is None]
    while len(lines) >= 3 and lines[-1].role == "user" and lines[-2].role == "assistant":
        asked = [
            (tool, name)
            for tool in prompt.toolbox.usable
            for name in Wanted(tool).missing
            if lines[-2].text in {_ask(tool, name, text).text for text in ("", "\uac00")}
        ]
        if not asked:
            break
        given[asked[0][1]] = lines[-1].text
        lines = lines[:-2]
    named = calling.by_name(lines[-1].text, prompt.toolbox) if given else ()
    wanted = named[0] if named else calling.by_subject(lines[-1].text, prompt.toolbox) if given else None
    if wanted is None:
        return None
    answers = {name: arguments.value_of(text, wanted.tool, name) for name, text in given.items()}
    return Wanted(wanted.tool, {**wanted.arguments, **{name: value for name, value in answers.items() if value is not None}})


def _exchange(lines: Sequence[Line]) -> tuple[str, str, str]:
    """The user's last line, the user's line before it, and what the assistant said last before it; "" where there is none."""
    last = next((n for n in range(len(lines) - 1, -1, -1) if lines[n].role == "user"), -1)
    if last < 0:
        return "", "", ""
    earlier = lines[:last]
    before = next((line.text for line in reversed(earlier) if line.role == "user"), "")
    told = next((line.text for line in reversed(earlier) if line.role == "assistant" and line.call is None), "")
    return lines[last].text, before, told
