"""What values the settings of a session or a response may have, beside the formats and the detection of turns (`settings.py`).

Every refusal names the value, what is possible instead, and the path of the parameter, as on the service. Null and absent are always
allowed here: what they mean is `settings.py`'s affair.
"""

import math
import re
from typing import Any

import msgspec
from msgspec import UNSET

from voice.protocol.objects import AudioInput, AudioOutput, NoiseReduction, ResponseParams, Session, Transcription, Truncation
from voice.protocol.refusing import missing, need, need_known, need_text, one_of
from voice.protocol.tools import check_choice, check_tools

EFFORTS = ("minimal", "low", "medium", "high", "xhigh")
"""Of reasoning, and of how long a transcription may wait."""
INCLUDABLE = ("item.input_audio_transcription.logprobs",)
MODALITIES = (["audio"], ["text"])
"""Text comes with audio, as its transcript; both at once cannot be asked for."""
MOST_TOKENS = 4096
LONGEST_NAME = 200
_LANGUAGE = re.compile(r"[A-Za-z]{2,20}([-_][A-Za-z0-9]{1,8})*|")


def check_answers(asked: Session | ResponseParams, root: str) -> None:
    """What a session and a response have in common. Raises: ProtocolError."""
    need(asked.output_modalities, f"{root}.output_modalities", lambda value: value in MODALITIES, "['audio'] or ['text']")
    need(asked.max_output_tokens, f"{root}.max_output_tokens", _token_limit, f"1 to {MOST_TOKENS}, or 'inf'")
    check_tools(asked.tools, f"{root}.tools")
    check_choice(asked.tool_choice, None, f"{root}.tool_choice")
    if isinstance(asked.reasoning, msgspec.Struct):
        one_of(asked.reasoning.effort, f"{root}.reasoning.effort", EFFORTS)
    if isinstance(asked.prompt, msgspec.Struct):
        need(asked.prompt.id, f"{root}.prompt.id", bool, "the id of a prompt")


def check_session(patch: Session) -> None:
    """What only a session has. Raises: ProtocolError."""
    if isinstance(patch.tracing, str):
        one_of(patch.tracing, "session.tracing", ("auto",))
    if isinstance(patch.truncation, str):
        one_of(patch.truncation, "session.truncation", ("auto", "disabled"))
    if isinstance(patch.truncation, Truncation):
        _check_truncation(patch.truncation, "session.truncation")
    for i, name in enumerate(patch.include if isinstance(patch.include, list) else ()):
        one_of(name, f"session.include[{i}]", INCLUDABLE)


def check_hearing(side: AudioInput, root: str) -> None:
    """How the user is heard, beside format and turns. Raises: ProtocolError."""
    if isinstance(side.noise_reduction, NoiseReduction):
        one_of(side.noise_reduction.type, f"{root}.noise_reduction.type", ("near_field", "far_field"))
        path = f"{root}.noise_reduction.strength"
        need(side.noise_reduction.strength, path, lambda value: value >= 0 and math.isfinite(value), "numbers from 0")
    asked = side.transcription
    if isinstance(asked, Transcription):
        need(asked.model, f"{root}.transcription.model", _is_name, f"names of 1 to {LONGEST_NAME} letters")
        codes = [("language", asked.language), *((f"languages[{i}]", code) for i, code in enumerate(asked.languages or ()))]
        for name, code in codes:
            need(code, f"{root}.transcription.{name}", _is_language, "codes such as 'en' or 'pt-BR'")
        one_of(asked.delay, f"{root}.transcription.delay", EFFORTS)


def check_voice(side: AudioOutput, root: str) -> None:
    """A voice has a name, or an id. Raises: ProtocolError."""
    voice = side.voice
    if isinstance(voice, dict):
        need_known(voice, frozenset({"id"}), f"{root}.voice")
        voice = need_text(voice, "id", f"{root}.voice")
    need(voice, f"{root}.voice", _is_name, f"names of 1 to {LONGEST_NAME} letters")


def _check_truncation(asked: Truncation, path: str) -> None:
    one_of(asked.type, f"{path}.type", ("retention_ratio",))
    if asked.retention_ratio in (UNSET, None):
        raise missing(f"{path}.retention_ratio")
    need(asked.retention_ratio, f"{path}.retention_ratio", lambda value: 0 <= value <= 1, "0 to 1")
    if isinstance(asked.token_limits, msgspec.Struct):
        limit = asked.token_limits.post_instructions
        need(limit, f"{path}.token_limits.post_instructions", lambda value: value >= 0, "integers from 0")


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_NAME


def _is_language(value: Any) -> bool:
    return isinstance(value, str) and _LANGUAGE.fullmatch(value) is not None


def _token_limit(value: int | str) -> bool:
    return value == "inf" if isinstance(value, str) else 1 <= value <= MOST_TOKENS
