"""The responder that asks a language model, at any OpenAI-compatible chat endpoint, and says its answer while it is being written.

The model answers everything but two things: commands for timers, which need this session's clock, and a turn of which nothing was
understood. What goes wrong is said in a sentence, and the session lives: the next question is asked again.
"""

import logging
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, tzinfo

from voice.engines import korean, wording
from voice.engines.base import BrokenOff, Prompt, Said, Saying
from voice.engines.calls import MAX_CALLS, Calls
from voice.engines.chat_client import AskCount, ChatClient
from voice.engines.endpoint import ChatOptions
from voice.engines.messages import messages_of
from voice.engines.responder import SkillsResponder
from voice.engines.scripts import LATIN
from voice.engines.streamed import Streamed
from voice.errors import ChatError
from voice.policy.trim import message_tokens, trim
from voice.protocol.chat import CallDelta, Finished, Message, Piece, TextDelta
from voice.protocol.lines import Line
from voice.protocol.tools import Toolbox

log = logging.getLogger(__name__)

SYSTEM = """\
You are a voice assistant: what you write is read aloud while you write it. Answer in one to three short sentences, in the language of \
the user, the way people talk. Write no markdown, lists, headings, tables, code, links or emoji, and write symbols out as words. \
The user's words may come from a speech recogniser and may be misheard: if they make no sense, ask for them again.{timers}
For the user it is {date}, {time}."""
NO_TIMERS = """ \
You cannot set timers, alarms or reminders; if you are asked to, tell the user to say: set a timer for five minutes."""
UNSURE_NOTE = "The recogniser is not sure of what the user said last."
GO_ON = "(Please go on.)"
"""Stands for the user where an answer is wanted and the last line is not the user's: endpoints expect to be asked something."""
SILENCE = "(I have said nothing for a while.)"
"""The same where nobody has spoken for so long that the model is to say something."""
LONGEST_ANSWER = 20_000
"""Letters, about 20 minutes of speech. A model that repeats itself for ever is cut off there."""
SHORTEST_EXCUSE = 12
"""Letters of one of our sentences by which it is known, where the rest was cut off."""
_SCRIPTS_OF_THEIR_OWN = frozenset({"ko", "ja", "zh", "ru", "ar", "he", "el", "hi", "th"})


class ChatResponder:
    """See the top of the file. One object serves one session; the client may serve many. `zone`: as of `SkillsResponder`."""

    name = "chat"

    def __init__(self, client: ChatClient, zone: tzinfo | None = None) -> None:
        self._client = client
        self._zone = zone or datetime.now(UTC).astimezone().tzinfo or UTC
        self._skills = SkillsResponder(self._zone)
        self._history_tokens = client.options.history_tokens
        self._excuses: set[str] = set()
        """Sentences of ours about what went wrong: the model is not shown them as its own."""

    async def respond(self, prompt: Prompt, now: float, wall_s: float) -> AsyncGenerator[Saying, None]:
        """The answer, sentence by sentence, the first of them before the model has ended, and the functions that the model calls.

        Never raises for what an endpoint does.
        """
        if self._is_ours(prompt):
            for said in self._skills.answer(prompt, now, wall_s):
                yield said
            return
        async with aclosing(self._ask(prompt, wall_s)) as answer:
            async for saying in answer:
                yield saying

    def due_s(self) -> float | None:
        """When the next timer is due, in monotonic seconds; None if none is running."""
        return self._skills.due_s()

    def announce(self, now: float) -> Sequence[Said]:
        """What is to be said of the timers that are due by `now`, once."""
        return self._skills.announce(now)

    def _is_ours(self, prompt: Prompt) -> bool:
        if prompt.toolbox.must or (prompt.lines and prompt.lines[-1].role == "tool"):
            return False
        if prompt.heard is not None and not prompt.heard.text:
            return not prompt.heard.silent
        asked = _asked(prompt)
        if asked is None:
            # Nobody has said anything: a greeting, unless the instructions want something else.
            return not prompt.instructions.strip() and not prompt.lines
        return not asked.strip() or (self._skills.keeps(prompt) and not _keeps_time(prompt.toolbox))

    async def _ask(self, prompt: Prompt, wall_s: float) -> AsyncGenerator[Saying, None]:
        count, streamed, reason = AskCount(), Streamed(_latin(prompt)), ""
        calls = Calls({tool.name for tool in prompt.toolbox.usable}, MAX_CALLS if prompt.toolbox.parallel else 1)
        try:
            async with aclosing(self._pieces(prompt, wall_s, count)) as pieces:
                async for piece in pieces:
                    for saying in _said(piece, streamed, calls):
                        yield saying
                    reason = piece.reason if isinstance(piece, Finished) else reason
                    if streamed.letters > LONGEST_ANSWER:
                        reason = "length"
                        break
            for said in streamed.flush():
                yield said
            for called in calls.flush():
                yield called
            _must_have_answered(streamed, calls, reason)
            if reason == "length":
                yield BrokenOff("max_output_tokens")
        except ChatError as exc:
            log.warning("%s, asked for an answer: %s", self._client.options.host, exc)
            for said in streamed.flush():
                yield said
            sorry = self._excuse(exc, "ko" if korean.is_korean(_asked(prompt) or "") else "en")
            # Nothing may be said behind a call that broke off: that would make it look complete, and a program would act on it.
            yield BrokenOff(failure=sorry.text) if calls.made else sorry
        finally:
            log.debug("asked %s: %s", self._client.options.host, count)

    async def _pieces(self, prompt: Prompt, wall_s: float, count: AskCount) -> AsyncGenerator[Piece, None]:
        """The model's answer; where it finds the conversation too long, to half of it, and from then on. Raises: ChatError."""
        messages = self._messages(prompt, wall_s)
        while True:
            try:
                async with aclosing(self._client.ask(messages, count, prompt.toolbox)) as pieces:
                    async for piece in pieces:
                        yield piece
                return
            except ChatError as exc:
                if exc.code != "too_long":
                    raise
                shown, self._history_tokens = len(messages), sum(map(message_tokens, messages)) // 2
                messages = self._messages(prompt, wall_s)
                if len(messages) == shown:
                    raise

    def _messages(self, prompt: Prompt, wall_s: float) -> list[Message]:
        """What the model is shown."""
        lines = messages_of([replace(line, text=self._shown(line)) for line in prompt.lines])
        if not any(line.role in ("user", "tool") for line in lines[-1:]):
            lines.append(Message("user", SILENCE if prompt.heard is not None and prompt.heard.silent else GO_ON))
        return trim([Message("system", self._system(prompt, wall_s)), *lines], self._history_tokens)

    def _system(self, prompt: Prompt, wall_s: float) -> str:
        moment = datetime.fromtimestamp(wall_s, self._zone)
        timers = "" if _keeps_time(prompt.toolbox) else NO_TIMERS
        parts = [SYSTEM.format(timers=timers, date=wording.date(moment), time=wording.time_of_day(moment)), prompt.instructions.strip()]
        if prompt.heard is not None and prompt.heard.text and prompt.heard.guess:
            parts.append(UNSURE_NOTE)
        return "\n\n".join(part for part in parts if part)

    def _shown(self, line: Line) -> str:
        text = line.text.strip()
        if line.role == "assistant":
            for excuse in self._excuses:
                text = _without(text, excuse)
        return text

    def _excuse(self, error: ChatError, language: str) -> Said:
        said = excuse(error, self._client.options, language)
        self._excuses.add(said.text)
        return said


def excuse(error: ChatError, options: ChatOptions, language: str = "en") -> Said:
    """The sentence that says what is wrong with an endpoint, and what to do. Nothing of it is the endpoint's own words."""
    limits = options.timeouts
    seconds = {"connect_timeout": limits.connect_s, "first_token_timeout": limits.first_token_s, "idle_timeout": limits.idle_s}
    wait_s = max(1, round(seconds.get(error.code, limits.total_s)))
    return wording.say(f"chat_{error.code}", language, host=options.host, model=options.model, duration=wording.duration(wait_s, language))


def _without(text: str, excuse: str) -> str:
    """A line without the excuse at its end, of which an interruption may have left only the beginning."""
    for length in range(len(excuse), SHORTEST_EXCUSE - 1, -1):
        if text.endswith(excuse[:length]):
            return text[:-length].rstrip()
    return text


def _keeps_time(toolbox: Toolbox) -> bool:
    """Whether the client has timers of its own."""
    return any(re.search("timer|alarm|remind", tool.name, re.IGNORECASE) for tool in toolbox.usable)


def _must_have_answered(streamed: Streamed, calls: Calls, reason: str) -> None:
    """Raises: ChatError."""
    if reason == "content_filter":
        raise ChatError("filtered", "the endpoint's filter has cut the answer")
    if calls.made and not calls.whole and reason != "length":
        raise ChatError("garbage", "the arguments of a call are no JSON")
    if not streamed.spoke and not calls.made:
        raise ChatError("empty_answer", f"no words; finish reason {reason or 'unknown'!r}")


def _said(piece: Piece, streamed: Streamed, calls: Calls) -> Sequence[Saying]:
    match piece:
        case TextDelta():
            return streamed.push(piece.text)
        case CallDelta():
            # What was said before a call stands before it.
            return [*streamed.flush(), *calls.push(piece)]
        case Finished():
            return streamed.flush()
    return ()


def _asked(prompt: Prompt) -> str | None:
    """What the user has said last; None if nothing yet."""
    return next((line.text for line in reversed(prompt.lines) if line.role == "user"), None)


def _latin(prompt: Prompt) -> str:
    """The language that Latin letters are spoken in: the one that was heard, if it is written with them."""
    heard = prompt.heard.language if prompt.heard is not None else LATIN
    return LATIN if heard.split("-")[0] in _SCRIPTS_OF_THEIR_OWN else heard
