"""The settings of a session: defaults, what a `session.update` changes, what is refused, and the values in effect.

Pure functions over the frozen `Session` struct. Absent keeps, null clears where null has a meaning and keeps elsewhere: clients
in the field send null for whatever they have no opinion on.
"""

from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET

from voice.audio.encoding import PCM, TELEPHONE, Encoding
from voice.audio.g711 import RATE_HZ as TELEPHONE_HZ
from voice.audio.patience import PATIENCE, PAUSE_MS
from voice.audio.turns import TurnSettings
from voice.errors import ProtocolError
from voice.protocol.allowed import check_answers, check_hearing, check_session, check_voice
from voice.protocol.codec import must_fit
from voice.protocol.objects import Audio, AudioFormat, AudioInput, AudioOutput, Session, Transcription, TurnDetection
from voice.protocol.refusing import missing, need, one_of, unknown
from voice.protocol.tools import check_choice, kept_choice

PCM_RATE_HZ = 24_000
"""The rate of `audio/pcm` where none is named, as on the real service."""
LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 8_000, 48_000
"""Our documented extension: the real service takes 24000 only."""
IDLE_TIMEOUT_MS = (500, 300_000)
"""The shortest and the longest silence after an answer that may become a turn. The service takes 5000 to 30000."""
FORMATS = f"'{PCM}' at {LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ} Hz, 'audio/pcmu' and 'audio/pcma' at {TELEPHONE_HZ} Hz"

_CLEARS = frozenset({"turn_detection", "transcription", "noise_reduction", "tracing", "prompt", "reasoning"})
"""Where null is a value: it switches the thing off."""
_REPLACED = frozenset({"turn_detection", "transcription", "noise_reduction", "format", "tracing", "truncation", "prompt", "reasoning"})
"""Objects that are taken whole: what a client leaves out of them is the default, not what was there before."""
_FIXED = frozenset({"id", "object", "expires_at", "model", "type"})
"""Not a client's to change; clients that send them back are not told off. So does the service tell in `session.updated` what it runs with."""
_TRANSCRIPTION = frozenset({"type", "id", "object", "expires_at", "audio", "include"})
"""What a session that only writes down has."""
KINDS = ("realtime", "transcription")

S = TypeVar("S", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Locks:
    """What an update cannot change, as things are."""

    voice: bool = False
    """The assistant has spoken."""
    speed: bool = False
    """It is speaking."""


UNLOCKED = Locks()


def transcribes(session: Session) -> bool:
    """Whether a session only writes down what is said: no answers."""
    return session.type == "transcription"


def transcription_defaults(session_id: str, expires_at: int, recogniser: str) -> Session:
    """What a session that only writes down starts with."""
    heard = AudioInput(
        format=AudioFormat(type="audio/pcm", rate=PCM_RATE_HZ),
        transcription=Transcription(model=recogniser),
        noise_reduction=None,
        turn_detection=_unanswered(full_detection(TurnDetection())),
    )
    return Session(
        type="transcription",
        id=session_id,
        object="realtime.transcription_session",
        audio=Audio(input=heard),
        include=None,
        expires_at=expires_at,
    )


def defaults(model: str, session_id: str, expires_at: int, voice: str, instructions: str = "") -> Session:
    """What a session starts with."""
    pcm = AudioFormat(type="audio/pcm", rate=PCM_RATE_HZ)
    return Session(
        type="realtime",
        id=session_id,
        object="realtime.session",
        model=model,
        output_modalities=["audio"],
        instructions=instructions,
        audio=Audio(
            input=AudioInput(format=pcm, transcription=None, noise_reduction=None, turn_detection=full_detection(TurnDetection())),
            output=AudioOutput(format=pcm, voice=voice, speed=1.0),
        ),
        tools=[],
        tool_choice="auto",
        max_output_tokens="inf",
        tracing=None,
        truncation="auto",
        prompt=None,
        include=None,
        expires_at=expires_at,
    )


def full_detection(asked: TurnDetection) -> TurnDetection:
    """A turn detection with every default written out."""
    create, interrupt = _or(asked.create_response, True), _or(asked.interrupt_response, True)
    if asked.type == "semantic_vad":
        return TurnDetection("semantic_vad", create_response=create, interrupt_response=interrupt, eagerness=_or(asked.eagerness, "auto"))
    standard = TurnSettings()
    return TurnDetection(
        type="server_vad",
        threshold=_or(asked.threshold, standard.threshold),
        prefix_padding_ms=_or(asked.prefix_padding_ms, standard.prefix_padding_ms),
        silence_duration_ms=_or(asked.silence_duration_ms, standard.silence_duration_ms),
        # What is in effect: where turns are not answered a silence is none.
        idle_timeout_ms=_or(asked.idle_timeout_ms, None) if create else None,
        create_response=create,
        interrupt_response=interrupt,
    )


def _unanswered(detection: TurnDetection) -> TurnDetection:
    """The same, where there are no answers to make or to interrupt, and nobody to ask whether somebody is there."""
    return msgspec.structs.replace(detection, create_response=UNSET, interrupt_response=UNSET, idle_timeout_ms=UNSET)


def merged(current: Session, patch: Session, locks: Locks = UNLOCKED, recogniser: str = "") -> Session:
    """The settings after a `session.update`. `recogniser`: the name of what writes down, whatever model is asked for; "" tells that as asked.

    Raises: ProtocolError naming the parameter that cannot be.
    """
    _check_kind(current, patch)
    check(patch)
    new = _merge(current, patch)
    asked = patch.audio.input if isinstance(patch.audio, Audio) else None
    if isinstance(asked, AudioInput):
        new = _with_input(new, asked, recogniser)
    if patch.tool_choice in (UNSET, None):
        # Clients change their tools alone: a choice that was made of those before is not held against them.
        new = msgspec.structs.replace(new, tool_choice=kept_choice(new.tool_choice, new.tools))
    else:
        check_choice(new.tool_choice, new.tools or [], "session.tool_choice")
    if not transcribes(new):
        _check_locks(audio_output(current), audio_output(new), locks)
    must_fit(new, "session")
    return new


def _with_input(session: Session, asked: AudioInput, recogniser: str) -> Session:
    """With what was asked of the input written out."""
    heard = audio_input(session)
    if isinstance(asked.turn_detection, TurnDetection):
        full = full_detection(asked.turn_detection)
        heard = msgspec.structs.replace(heard, turn_detection=_unanswered(full) if transcribes(session) else full)
    if isinstance(asked.transcription, Transcription) and recogniser:
        heard = msgspec.structs.replace(heard, transcription=msgspec.structs.replace(asked.transcription, model=recogniser))
    assert isinstance(session.audio, Audio)
    return msgspec.structs.replace(session, audio=msgspec.structs.replace(session.audio, input=heard))


def _check_kind(current: Session, patch: Session) -> None:
    if patch.type is UNSET:
        raise missing("session.type")
    one_of(patch.type, "session.type", KINDS)
    if patch.type != current.type:
        message = f"Passing a {patch.type} session update event to a {current.type} session is not allowed."
        raise ProtocolError(message, "invalid_parameter", "session.type")
    if not transcribes(current):
        return
    foreign = [name for name in patch.__struct_fields__ if name not in _TRANSCRIPTION and getattr(patch, name) not in (UNSET, None)]
    if isinstance(patch.audio, Audio) and patch.audio.output not in (UNSET, None):
        foreign.append("audio.output")
    if foreign:
        raise unknown(f"session.{foreign[0]}")


def _check_locks(before: AudioOutput, after: AudioOutput, locks: Locks) -> None:
    if locks.voice and after.voice != before.voice:
        message = "Cannot update a conversation's voice if assistant audio is present."
        raise ProtocolError(message, "cannot_update_voice", "session.audio.output.voice")
    if locks.speed and after.speed != before.speed:
        message = "Cannot update the speed while a response is in progress: wait until it is done."
        raise ProtocolError(message, "cannot_update_speed", "session.audio.output.speed")


def _merge(current: S, patch: S) -> S:
    changes: dict[str, Any] = {}
    for name in patch.__struct_fields__:
        value = getattr(patch, name)
        if value is UNSET or (value is None and name not in _CLEARS) or name in _FIXED:
            continue
        old = getattr(current, name)
        nested = isinstance(value, msgspec.Struct) and isinstance(old, msgspec.Struct) and name not in _REPLACED
        changes[name] = _merge(old, value) if nested else _with_rate(value)
    return msgspec.structs.replace(current, **changes)


def merged_output(current: AudioOutput, asked: AudioOutput) -> AudioOutput:
    """The output settings of one response."""
    return _merge(current, asked)


def _with_rate(value: Any) -> Any:
    """A PCM format gets its rate written out; those of telephones have but one, and no field for it."""
    if not isinstance(value, AudioFormat):
        return value
    return AudioFormat(value.type, _or(value.rate, PCM_RATE_HZ)) if value.type == PCM else AudioFormat(value.type)


def audio_input(session: Session) -> AudioInput:
    """The input half of full settings."""
    assert isinstance(session.audio, Audio) and isinstance(session.audio.input, AudioInput)
    return session.audio.input


def audio_output(session: Session) -> AudioOutput:
    """The output half of full settings; empty where there is none to be heard."""
    assert isinstance(session.audio, Audio)
    return session.audio.output if isinstance(session.audio.output, AudioOutput) else AudioOutput()


def encoding_of(side: AudioInput | AudioOutput) -> Encoding:
    """How sound is written in one direction; PCM if nothing else that we know is named, at 24000 if no rate that makes sense is."""
    asked = side.format if isinstance(side.format, AudioFormat) else AudioFormat(PCM)
    if asked.type in TELEPHONE:
        return Encoding(asked.type, TELEPHONE_HZ)
    sensible = isinstance(asked.rate, int) and LOWEST_RATE_HZ <= asked.rate <= HIGHEST_RATE_HZ
    return Encoding(PCM, asked.rate if isinstance(asked.rate, int) and sensible else PCM_RATE_HZ)


def rate_of(side: AudioInput | AudioOutput) -> int:
    """Samples per second of one direction."""
    return encoding_of(side).rate_hz


def detection_of(session: Session) -> TurnDetection | None:
    """How turns end; None: the client commits."""
    asked = audio_input(session).turn_detection
    return asked if isinstance(asked, TurnDetection) else None


def turn_settings(detection: TurnDetection) -> TurnSettings:
    """What the turn detector is given."""
    if detection.type == "semantic_vad":
        return TurnSettings(silence_duration_ms=PAUSE_MS, patience=PATIENCE.get(str(detection.eagerness), PATIENCE["auto"]))
    standard = TurnSettings()
    return TurnSettings(
        threshold=_or(detection.threshold, standard.threshold),
        prefix_padding_ms=_or(detection.prefix_padding_ms, standard.prefix_padding_ms),
        silence_duration_ms=_or(detection.silence_duration_ms, standard.silence_duration_ms),
    )


def check(patch: Session) -> None:
    """Refuse values that cannot be obeyed. Raises: ProtocolError with the path of the value."""
    check_answers(patch, "session")
    check_session(patch)
    check_audio(patch.audio)


def check_audio(audio: Any, root: str = "session.audio") -> None:
    """The same for the audio settings alone, of a session or of a response."""
    if not isinstance(audio, Audio):
        return
    if isinstance(audio.input, AudioInput):
        need(audio.input.format, f"{root}.input.format", _format, FORMATS)
        check_hearing(audio.input, f"{root}.input")
        _check_detection(audio.input.turn_detection, f"{root}.input.turn_detection")
    if isinstance(audio.output, AudioOutput):
        need(audio.output.format, f"{root}.output.format", _format, FORMATS)
        need(audio.output.speed, f"{root}.output.speed", lambda speed: 0.25 <= speed <= 1.5, "0.25 to 1.5")
        check_voice(audio.output, f"{root}.output")


def _check_detection(detection: Any, root: str) -> None:
    if not isinstance(detection, TurnDetection):
        return
    one_of(detection.type, f"{root}.type", ("server_vad", "semantic_vad"))
    need(detection.threshold, f"{root}.threshold", lambda value: 0 <= value <= 1, "0 to 1")
    need(detection.prefix_padding_ms, f"{root}.prefix_padding_ms", lambda value: 0 <= value <= 5000, "0 to 5000")
    need(detection.silence_duration_ms, f"{root}.silence_duration_ms", lambda value: 20 <= value <= 20_000, "20 to 20000")
    lowest, highest = IDLE_TIMEOUT_MS
    need(detection.idle_timeout_ms, f"{root}.idle_timeout_ms", lambda value: lowest <= value <= highest, f"{lowest} to {highest}, or null")
    one_of(detection.eagerness, f"{root}.eagerness", tuple(PATIENCE))


def _format(value: AudioFormat) -> bool:
    if value.type in TELEPHONE:
        return bool(_or(value.rate, TELEPHONE_HZ) == TELEPHONE_HZ)
    return value.type == PCM and LOWEST_RATE_HZ <= _or(value.rate, PCM_RATE_HZ) <= HIGHEST_RATE_HZ


def _or(value: Any, otherwise: Any) -> Any:
    return otherwise if value is UNSET or value is None else value
