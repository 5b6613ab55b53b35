"""The twin's script: a TOML file of replies, checked, with every mistake named by file, line and key.

`cues.py` chooses among the replies, `recital.py` gives them. docs/twin.md describes the file for its authors.
"""

import difflib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from voice.engines.pacing import FACTOR, PIECE_MS, Pacing, Recorded, read_arrivals
from voice.errors import ConfigError, UsageError
from voice.policy.faults import FaultPlan, read_faults
from voice.policy.tables import LARGEST_BYTES, Table, near, not_json, read_table
from voice.protocol.objects import InputTokens, OutputTokens, StatusDetails, Usage

QUOTED = re.compile(r"\{(?P<name>heard|output)\}|\{\{\w*\}\}")
"""What is put into a text, and braces that are meant: {{heard}} is {heard}."""
_BRACES = re.compile(r"\{\{\w*\}\}|(?P<whole>\{\s*(?P<name>\w+)\s*\})|(?P<open>\{(?:heard|output)\b)")
_FILE_NAME = re.compile(r"[^\n=#\[]+\.toml")
VOICES = ("auto", "tones", "espeak", "flite")
Count = Annotated[int, Meta(ge=0, le=1 << 40)]
Wait = Annotated[int, Meta(ge=0, le=86_400_000)]
Piece = Annotated[int, Meta(ge=10, le=200)]
"""No audio delta of ours is longer than 200 ms."""
Pace = Annotated[float, Meta(gt=0)] | str
Name = Annotated[str, Meta(min_length=1)]


class Call(Struct, frozen=True, forbid_unknown_fields=True):
    """A call of a function of the client's."""

    name: Name
    arguments: dict[str, Any] | str = {}
    """A table becomes JSON; a text is sent as it stands, JSON or not."""
    call_id: str = ""
    """"": counted."""


class When(Struct, frozen=True, forbid_unknown_fields=True):
    """What a reply waits for."""

    heard: str | None = None
    """A regular expression, found in what the user has said or typed."""
    output_of: Name | None = None
    """The function whose output has come; "*" is any."""
    output: str | None = None
    """A regular expression, found in that output."""

    def fits(self, heard: str | None, outputs: Sequence[tuple[str, str]]) -> bool:
        """Whether this is what is to be answered: words of the user's (None: there are none), or outputs, each with its function's name."""
        if self.heard is not None:
            return heard is not None and re.search(self.heard, heard, re.IGNORECASE) is not None
        found = [output for name, output in outputs if self.output_of in ("*", name)]
        return any(self.output is None or re.search(self.output, output, re.IGNORECASE) for output in found)


class Reply(Struct, frozen=True, kw_only=True):
    """One reply, ready to be given."""

    number: int
    """In the file, from 1."""
    say: str | None = None
    tone_ms: int | None = None
    calls: tuple[Call, ...] = ()
    when: When | None = None
    heard: str | None = None
    """What the user is taken to have said in the turn that it answers; None: how long he spoke."""
    heard_fails: str | None = None
    """Why that turn cannot be written down."""
    transcript_delay_ms: int = 0
    delay_ms: int = 0
    pacing: Pacing = Pacing()
    ending: StatusDetails | None = None
    """None: completed."""
    usage: Usage | None = None
    """None: what it is by our own count."""

    @property
    def answers(self) -> bool:
        """Whether there is an answer in it, or only what the user said."""
        return self.say is not None or self.tone_ms is not None or bool(self.calls) or self.ending is not None

    @property
    def tells_words(self) -> bool:
        """Whether it says what the user said, or that nobody knows."""
        return self.heard is not None or self.heard_fails is not None


@dataclass(frozen=True, slots=True)
class Script:
    """A script, ready to be played."""

    replies: tuple[Reply, ...]
    name: str
    """Of its file."""
    each_session: bool = False
    """Every session begins with the first reply; else they go on over the life of the twin."""
    voice: str = "auto"
    """One of `VOICES`."""
    expires_at: int | None = None
    """What sessions tell as the Unix time of their end; None: what it is."""
    transcript_delay_ms: int = 0
    """Where no reply says when a turn is written down."""


class _Error(Struct, frozen=True, forbid_unknown_fields=True):
    message: str = "The server had an error while processing your request."
    code: str | None = "server_error"
    type: str = "server_error"


class _Usage(Struct, frozen=True, forbid_unknown_fields=True):
    text_in: Count = 0
    audio_in: Count = 0
    cached_in: Count = 0
    text_out: Count = 0
    audio_out: Count = 0


class _Entry(Struct, frozen=True, forbid_unknown_fields=True):
    """`[[reply]]`, as it is written."""

    say: str | None = None
    tone_ms: Annotated[int, Meta(ge=1, le=600_000)] | None = None
    call: Call | None = None
    calls: list[Call] | None = None
    when: When | None = None
    heard: str | None = None
    heard_fails: str | None = None
    transcript_delay_ms: Wait | None = None
    delay_ms: Wait | None = None
    pace: Pace | None = None
    chunk_ms: Piece | None = None
    status: Literal["completed", "incomplete", "failed"] = "completed"
    reason: Literal["max_output_tokens", "content_filter"] | None = None
    error: _Error | None = None
    usage: _Usage | None = None


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    """The file; what stands at its top is the default of every reply."""

    reply: list[_Entry] = []
    order: Literal["life", "session"] = "life"
    voice: str = "auto"
    pace: Pace = FACTOR
    chunk_ms: Piece = PIECE_MS
    delay_ms: Wait = 0
    transcript_delay_ms: Wait = 0
    expires_at: Count | None = None


def default_script() -> Script:
    """What answers without a script: it repeats what was typed, and says how long it was spoken to and what a function gave."""
    return read_script(resources.files("voice.data").joinpath("twin.toml").read_bytes(), "twin.toml")


def load_script(path: Path) -> Script:
    """The script in a file. Raises: ConfigError."""
    return read_script(_bytes(path, f"script '{path}'"), str(path))


def read_script(given: str | bytes | Mapping[str, Any], name: str) -> Script:
    """A script, from the text of its file or from what that would be read as.

    Files that it names are looked for beside `name`, then from the current folder. Raises: ConfigError.
    """
    table = read_table(given, name, _File)
    written = table.value
    if not written.reply:
        raise table.mistake("no [[reply]] in it: there is nothing to answer with")
    if written.voice not in VOICES:
        raise table.mistake(f"no voice '{written.voice[:80]}'{near(written.voice, VOICES)}", "voice")
    arrivals: dict[str, Recorded] = {}
    replies = tuple(_reply(table, index, arrivals) for index in range(len(written.reply)))
    if not any(reply.answers for reply in replies):
        raise table.mistake("no reply answers anything: give one of them say, tone_ms, call or status", "reply")
    return Script(replies, name, written.order == "session", written.voice, written.expires_at, written.transcript_delay_ms)


def _reply(table: Table[_File], index: int, arrivals: dict[str, Recorded]) -> Reply:
    entry, top = table.value.reply[index], table.value
    _check(table, index)
    return Reply(
        number=index + 1,
        say=entry.say,
        tone_ms=entry.tone_ms,
        calls=(entry.call,) if entry.call is not None else tuple(entry.calls or ()),
        when=entry.when,
        heard=entry.heard,
        heard_fails=entry.heard_fails,
        transcript_delay_ms=top.transcript_delay_ms if entry.transcript_delay_ms is None else entry.transcript_delay_ms,
        delay_ms=top.delay_ms if entry.delay_ms is None else entry.delay_ms,
        pacing=_pacing(table, index, arrivals),
        ending=_ending(entry),
        usage=None if entry.usage is None else _tokens(entry.usage),
    )


def _check(table: Table[_File], index: int) -> None:
    """Raises: ConfigError for keys that contradict each other."""
    entry, place = table.value.reply[index], ("reply", index)
    together = [("say", "tone_ms"), ("call", "calls"), ("heard", "heard_fails")]
    # What is chosen by what was said comes too late to say it.
    together += [("when", "heard"), ("when", "heard_fails"), ("when", "transcript_delay_ms")]
    for one, other in together:
        if getattr(entry, one) is not None and getattr(entry, other) is not None:
            raise table.mistake(f"'{one}' and '{other}' contradict each other: leave one out", *place, other)
    needed = [("reason", "incomplete"), ("error", "failed")]
    for key, status in needed:
        if getattr(entry, key) is not None and entry.status != status:
            raise table.mistake(f"'{key}' is for status = \"{status}\", and this one is {entry.status}", *place, key)
    content = (entry.say, entry.tone_ms, entry.call, entry.calls, entry.heard, entry.heard_fails)
    if all(value in (None, []) for value in content) and entry.status == "completed":
        raise table.mistake('this reply is none: give it say ("" for an empty answer), tone_ms, call or heard', *place)
    if entry.when is not None:
        _check_when(table, entry.when, (*place, "when"))
    _check_quotes(table, entry.say, (*place, "say"))
    _check_calls(table, index)
    if (usage := entry.usage) is not None and usage.cached_in > (read := usage.text_in + usage.audio_in):
        what = f"cached_in: of {read} tokens that are read (text_in and audio_in) not more can be cached"
        raise table.mistake(what, *place, "usage", "cached_in")


def _check_calls(table: Table[_File], index: int) -> None:
    entry = table.value.reply[index]
    single: list[tuple[Call, tuple[str | int, ...]]] = [] if entry.call is None else [(entry.call, ("reply", index, "call"))]
    ids: set[str] = set()
    for call, place in single + [(call, ("reply", index, "calls", n)) for n, call in enumerate(entry.calls or [])]:
        if call.call_id and call.call_id in ids:
            raise table.mistake(f"call_id: '{call.call_id[:80]}' is another call's of this reply", *place, "call_id")
        ids.add(call.call_id)
        if isinstance(call.arguments, str):
            continue
        try:
            bad = not_json(call.arguments)
        except RecursionError:
            bad = (), "this is too deep"
        if bad is not None:
            raise table.mistake(f"arguments: {bad[1]}", *place, "arguments", *bad[0])
        _check_quotes(table, call.arguments, (*place, "arguments"))


def _check_quotes(table: Table[_File], value: object, place: tuple[str | int, ...]) -> None:
    """Raises: ConfigError for braces around a name that nothing has."""
    match value:
        case str():
            for found in _BRACES.finditer(value):
                if found["open"]:
                    what = f"'{found['open']}' is not closed: {found['open']}}}"
                elif found["whole"] and not QUOTED.fullmatch(found["whole"]):
                    close = difflib.get_close_matches(found["name"].lower(), ("heard", "output"), 1)
                    hint = f"did you mean {{{close[0]}}}?" if close else "there are {heard} and {output}"
                    what = f"no {found['whole'][:80]}: {hint} ({{{{{found['name'][:80]}}}}} is a word in braces)"
                else:
                    continue
                raise table.mistake(f"{_name(place)}: {what}", *place)
        case dict():
            for key, inner in value.items():
                _check_quotes(table, inner, (*place, key))
        case list() | tuple():
            for number, inner in enumerate(value):
                _check_quotes(table, inner, (*place, number))


def _name(place: tuple[str | int, ...]) -> str:
    """The innermost key of a place."""
    return next(step for step in reversed(place) if isinstance(step, str))


def _check_when(table: Table[_File], when: When, place: tuple[str | int, ...]) -> None:
    if (when.heard is None) == (when.output_of is None):
        raise table.mistake("'when' has either 'heard' or 'output_of'", *place)
    if when.output is not None and when.output_of is None:
        raise table.mistake("'output' goes with 'output_of'", *place, "output")
    for key, pattern in (("heard", when.heard), ("output", when.output)):
        try:
            re.compile(pattern or "")
        except (re.error, RecursionError, OverflowError) as exc:
            raise table.mistake(f"{key}: this is no regular expression: {exc}", *place, key) from None


def _pacing(table: Table[_File], index: int, arrivals: dict[str, Recorded]) -> Pacing:
    """`arrivals`: those that were read before, by their file."""
    entry, top = table.value.reply[index], table.value
    place = ("reply", index, "pace") if entry.pace is not None else ("pace",)
    pace = top.pace if entry.pace is None else entry.pace
    piece_ms = top.chunk_ms if entry.chunk_ms is None else entry.chunk_ms
    if not isinstance(pace, str):
        return Pacing(pace, piece_ms)
    if entry.chunk_ms is not None:
        what = "'chunk_ms' has no meaning beside recorded arrivals: they say how long each piece is"
        raise table.mistake(what, "reply", index, "chunk_ms")
    beside = Path(table.name).parent / pace
    # Not Path.exists, which raises for names that no file can have.
    path = beside if os.path.exists(beside) else Path(pace)
    try:
        if pace not in arrivals:
            arrivals[pace] = read_arrivals(_bytes(path, f"arrivals '{pace}'").decode("utf-8-sig"), str(path))
        return Pacing(recorded=arrivals[pace])
    except UnicodeDecodeError:
        raise table.mistake(f"pace: '{pace}' is no text", *place) from None
    except ConfigError as exc:
        raise table.mistake(f"pace: {exc}", *place) from None


def _ending(entry: _Entry) -> StatusDetails | None:
    if entry.status == "completed":
        return None
    if entry.status == "incomplete":
        return StatusDetails("incomplete", reason=entry.reason or "max_output_tokens")
    return StatusDetails("failed", error=msgspec.to_builtins(entry.error or _Error()))


def _tokens(usage: _Usage) -> Usage:
    read, said = usage.text_in + usage.audio_in, usage.text_out + usage.audio_out
    incoming = InputTokens(text_tokens=usage.text_in, audio_tokens=usage.audio_in, cached_tokens=usage.cached_in)
    return Usage(read + said, read, said, incoming, OutputTokens(text_tokens=usage.text_out, audio_tokens=usage.audio_out))


def toml_text(given: str, what: str) -> str:
    """A text that a program gives. Raises: UsageError for the name of a file."""
    if _FILE_NAME.fullmatch(given):
        raise UsageError(
            f"{what}: '{given[:80]}' is taken for TOML, not for the name of a file, which is given as a Path: Path('{given[:80]}')"
        )
    return given


def load_faults(path: Path) -> FaultPlan:
    """The faults in a file. Raises: ConfigError."""
    return read_faults(_bytes(path, f"faults '{path}'"), str(path))


def _bytes(path: Path, what: str) -> bytes:
    """Raises: ConfigError."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_BYTES + 1)
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else None
        raise ConfigError(f"cannot read the {what}: {reason or exc}") from exc
    if len(raw) > LARGEST_BYTES:
        raise ConfigError(f"the {what} is too large: it may have {LARGEST_BYTES} bytes")
    return raw
