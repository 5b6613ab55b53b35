"""What a `session.update` changes, keeps and refuses."""

from typing import Any

import msgspec
import pytest

from voice.audio.encoding import Encoding
from voice.audio.patience import PATIENCE, PAUSE_MS, Thought
from voice.audio.turns import TurnSettings
from voice.errors import ProtocolError
from voice.protocol.objects import AudioFormat, AudioInput, PromptTemplate, Reasoning, Session, Tracing, Transcription, TurnDetection
from voice.protocol.settings import Locks, audio_input, audio_output, defaults, detection_of, encoding_of, merged, rate_of, turn_settings

START = defaults("m", "sess_1", 3600, "espeak", "Be brief.")


def update(current: Session = START, **fields: Any) -> Session:
    return merged(current, msgspec.convert({"type": "realtime", **fields}, Session))


def refused(**fields: Any) -> tuple[str, str | None]:
    with pytest.raises(ProtocolError) as caught:
        merged(START, msgspec.convert(fields, Session))
    return caught.value.code, caught.value.param


def test_the_defaults_are_those_of_the_service() -> None:
    assert msgspec.to_builtins(START)["audio"] == {
        "input": {
            "format": {"type": "audio/pcm", "rate": 24_000},
            "transcription": None,
            "noise_reduction": None,
            "turn_detection": {
                "type": "server_vad",
                "threshold": 0.5,
                "prefix_padding_ms": 300,
                "silence_duration_ms": 500,
                "idle_timeout_ms": None,
                "create_response": True,
                "interrupt_response": True,
            },
        },
        "output": {"format": {"type": "audio/pcm", "rate": 24_000}, "voice": "espeak", "speed": 1.0},
    }
    assert START.output_modalities == ["audio"] and START.instructions == "Be brief."


def test_an_empty_update_changes_nothing() -> None:
    assert update() == START
    assert update(audio={}) == update(audio={"input": {}, "output": {}}) == START


NULLS: dict[str, Any] = {
    "model": None,
    "output_modalities": None,
    "instructions": None,
    "tools": None,
    "tool_choice": None,
    "max_output_tokens": None,
    "tracing": None,
    "truncation": None,
    "include": None,
    "audio": {"input": {"format": None, "noise_reduction": None}, "output": {"format": None, "voice": None, "speed": None}},
}


@pytest.mark.parametrize("fields", [{name: value} for name, value in NULLS.items()] + [NULLS, {"audio": None}])
def test_null_is_no_opinion(fields: dict[str, Any]) -> None:
    assert update(**fields) == START


def test_null_switches_off() -> None:
    on = update(
        audio={"input": {"transcription": {"model": "whisper-1"}, "noise_reduction": {"type": "near_field"}}},
        tracing="auto",
        prompt={"id": "p"},
        reasoning={"effort": "low"},
    )
    assert (on.tracing, on.prompt, on.reasoning) == ("auto", PromptTemplate("p"), Reasoning("low"))
    off = update(
        on,
        audio={"input": {"transcription": None, "noise_reduction": None, "turn_detection": None}},
        tracing=None,
        prompt=None,
        reasoning=None,
    )
    heard = audio_input(off)
    assert (heard.transcription, heard.noise_reduction, heard.turn_detection) == (None, None, None)
    assert (off.tracing, off.prompt, off.reasoning) == (None, None, None)
    assert detection_of(off) is None and detection_of(START) is not None


def test_empty_is_a_value() -> None:
    asked = update(instructions="", tools=[])
    assert (asked.instructions, asked.tools) == ("", [])


def test_the_rest_stays() -> None:
    asked = update(update(audio={"output": {"voice": "other"}}), audio={"output": {"speed": 1.5}})
    assert (audio_output(asked).voice, audio_output(asked).speed, rate_of(audio_output(asked))) == ("other", 1.5, 24_000)
    assert audio_input(asked) == audio_input(START)


def test_what_is_not_a_clients_to_change_stays_and_is_no_mistake() -> None:
    assert update(id="x", object="y", expires_at=1, model="other") == START


@pytest.mark.parametrize(
    ("asked", "want"),
    [
        ({"type": "server_vad"}, (0.5, 300, 500, True, True)),
        ({}, (0.5, 300, 500, True, True)),
        ({"type": "server_vad", "threshold": None, "create_response": None, "idle_timeout_ms": None}, (0.5, 300, 500, True, True)),
        ({"threshold": 0.8, "interrupt_response": False}, (0.8, 300, 500, True, False)),
        ({"prefix_padding_ms": 0, "silence_duration_ms": 200, "create_response": False}, (0.5, 0, 200, False, True)),
        ({"threshold": 0}, (0.0, 300, 500, True, True)),
    ],
)
def test_a_turn_detection_is_taken_whole(asked: dict[str, Any], want: tuple[Any, ...]) -> None:
    other = update(audio={"input": {"turn_detection": {"threshold": 0.9, "silence_duration_ms": 900, "create_response": False}}})
    told = detection_of(update(other, audio={"input": {"turn_detection": asked}}))
    assert told is not None and told.type == "server_vad" and told.idle_timeout_ms is None
    assert (told.threshold, told.prefix_padding_ms, told.silence_duration_ms, told.create_response, told.interrupt_response) == want
    settings = turn_settings(told)
    assert (settings.threshold, settings.prefix_padding_ms, settings.silence_duration_ms) == want[:3]


def test_an_idle_timeout_is_told_back_and_is_no_affair_of_semantic_turns() -> None:
    for wanted in (500, 5000, 30_000, 300_000):
        told = detection_of(update(audio={"input": {"turn_detection": {"idle_timeout_ms": wanted}}}))
        assert told is not None and told.idle_timeout_ms == wanted
    told = detection_of(update(audio={"input": {"turn_detection": {"idle_timeout_ms": 5000, "create_response": False}}}))
    assert told is not None and told.idle_timeout_ms is None, "nobody is asked anything"
    told = detection_of(update(audio={"input": {"turn_detection": {"type": "semantic_vad", "idle_timeout_ms": 5000}}}))
    assert told is not None and told.idle_timeout_ms is msgspec.UNSET


@pytest.mark.parametrize(("eagerness", "longest_ms"), [("high", 2000), ("auto", 4000), ("medium", 4000), ("low", 8000), (None, 4000)])
def test_eagerness_is_patience(eagerness: str | None, longest_ms: int) -> None:
    told = detection_of(update(audio={"input": {"turn_detection": {"type": "semantic_vad", "eagerness": eagerness}}}))
    assert told is not None and told.eagerness == (eagerness or "auto") and told.threshold is told.idle_timeout_ms is msgspec.UNSET
    given = turn_settings(told)
    assert given == TurnSettings(silence_duration_ms=PAUSE_MS, patience=PATIENCE[eagerness or "auto"])
    assert given.patience is not None and given.patience.wait_ms(Thought.UNFINISHED) == longest_ms


def test_an_upstreams_own_words_do_no_harm() -> None:
    assert turn_settings(TurnDetection("semantic_vad", eagerness="frantic")) == TurnSettings(
        silence_duration_ms=PAUSE_MS, patience=PATIENCE["auto"]
    )
    assert turn_settings(TurnDetection("azure_semantic_vad")) == TurnSettings()


@pytest.mark.parametrize(
    ("given", "want"),
    [({"type": "audio/pcm"}, 24_000), ({"type": "audio/pcm", "rate": None}, 24_000), ({"type": "audio/pcm", "rate": 8_000}, 8_000)],
)
def test_a_format_tells_its_rate(given: dict[str, Any], want: int) -> None:
    for rate_hz in (8_000, 16_000, 48_000):
        before = update(audio={"input": {"format": {"type": "audio/pcm", "rate": rate_hz}}})
        after = audio_input(update(before, audio={"input": {"format": given}}))
        assert after.format == AudioFormat("audio/pcm", want) and rate_of(after) == want
        assert rate_of(audio_input(before)) == rate_hz


@pytest.mark.parametrize("kind", ["audio/pcmu", "audio/pcma"])
@pytest.mark.parametrize("rate", [8_000, None, msgspec.UNSET])
def test_telephones_have_one_rate_and_do_not_say_it(kind: str, rate: int | None) -> None:
    given = {"type": kind} if rate is msgspec.UNSET else {"type": kind, "rate": rate}
    asked = update(audio={"input": {"format": given}, "output": {"format": given}})
    told = msgspec.to_builtins(asked)["audio"]
    assert told["input"]["format"] == told["output"]["format"] == {"type": kind}
    assert encoding_of(audio_input(asked)) == encoding_of(audio_output(asked)) == Encoding(kind, 8_000)
    back = update(asked, audio={"input": {"format": {"type": "audio/pcm"}}})
    assert encoding_of(audio_input(back)) == Encoding("audio/pcm", 24_000) and rate_of(audio_output(back)) == 8_000


@pytest.mark.parametrize("rate", [0, -1, 7_999, 48_001, 10**30, None, msgspec.UNSET])
def test_a_rate_without_sense_is_the_usual_one(rate: Any) -> None:
    assert rate_of(AudioInput(format=AudioFormat("audio/pcm", rate))) == 24_000


SOUND = "session.audio"
# (settings, path of the parameter that is named)
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"type": "x" * 10_000}, "session.type"),
    ({"output_modalities": ["audio", "text"]}, "session.output_modalities"),
    ({"output_modalities": []}, "session.output_modalities"),
    ({"output_modalities": ["video"]}, "session.output_modalities"),
    ({"max_output_tokens": 0}, "session.max_output_tokens"),
    ({"max_output_tokens": 4097}, "session.max_output_tokens"),
    ({"max_output_tokens": 10**40}, "session.max_output_tokens"),
    ({"max_output_tokens": "lots"}, "session.max_output_tokens"),
    ({"audio": {"input": {"format": {"type": "audio/pcm", "rate": 7_999}}}}, f"{SOUND}.input.format"),
    ({"audio": {"input": {"format": {"type": "audio/pcm", "rate": 48_001}}}}, f"{SOUND}.input.format"),
    ({"audio": {"input": {"format": {"type": "audio/opus"}}}}, f"{SOUND}.input.format"),
    ({"audio": {"input": {"format": {"type": "audio/pcma", "rate": 16_000}}}}, f"{SOUND}.input.format"),
    ({"audio": {"output": {"format": {"type": "audio/pcmu", "rate": 24_000}}}}, f"{SOUND}.output.format"),
    ({"audio": {"output": {"speed": 0.2}}}, f"{SOUND}.output.speed"),
    ({"audio": {"output": {"speed": 1.6}}}, f"{SOUND}.output.speed"),
    ({"audio": {"input": {"turn_detection": {"type": "none"}}}}, f"{SOUND}.input.turn_detection.type"),
    ({"audio": {"input": {"turn_detection": {"threshold": 1.01}}}}, f"{SOUND}.input.turn_detection.threshold"),
    ({"audio": {"input": {"turn_detection": {"threshold": -0.1}}}}, f"{SOUND}.input.turn_detection.threshold"),
    ({"audio": {"input": {"turn_detection": {"prefix_padding_ms": -1}}}}, f"{SOUND}.input.turn_detection.prefix_padding_ms"),
    ({"audio": {"input": {"turn_detection": {"silence_duration_ms": 0}}}}, f"{SOUND}.input.turn_detection.silence_duration_ms"),
    ({"audio": {"input": {"turn_detection": {"idle_timeout_ms": 499}}}}, f"{SOUND}.input.turn_detection.idle_timeout_ms"),
    ({"audio": {"input": {"turn_detection": {"idle_timeout_ms": 300_001}}}}, f"{SOUND}.input.turn_detection.idle_timeout_ms"),
    ({"audio": {"input": {"turn_detection": {"type": "semantic_vad", "eagerness": "x"}}}}, f"{SOUND}.input.turn_detection.eagerness"),
]


@pytest.mark.parametrize(("fields", "param"), REFUSED, ids=range(len(REFUSED)))
def test_what_cannot_be_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    assert refused(**{"type": "realtime", **fields}) == ("invalid_value", param)


def test_a_type_must_be_given_first_of_all() -> None:
    assert refused() == refused(output_modalities=["video"]) == ("missing_required_parameter", "session.type")


def test_settings_that_do_not_fit_an_event_are_refused() -> None:
    """`session.updated` tells all of them, and an event stays under 1 MiB: also when they grow update by update."""
    half = update(instructions="x" * 500_000)
    with pytest.raises(ProtocolError) as caught:
        update(half, tools=[{"type": "function", "name": "f", "description": "안" * 200_000}])
    assert (caught.value.code, caught.value.param) == ("string_above_max_length", "session")
    assert update(half, instructions="").instructions == ""


def test_a_refusal_shows_the_value_but_not_all_of_it() -> None:
    with pytest.raises(ProtocolError, match=r"^Invalid value: \[\"video\"\]\. Supported values are: \['audio'\] or \['text'\]\.$"):
        update(output_modalities=["video"])
    with pytest.raises(ProtocolError) as caught:
        update(max_output_tokens="9" * 5000)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(("spoken", "other"), [(False, "alloy"), (True, "espeak"), (True, None)])
def test_a_voice_may_be_chosen_until_it_was_heard(spoken: bool, other: str | None) -> None:
    patch = msgspec.convert({"type": "realtime", "audio": {"output": {"voice": other}}}, Session)
    assert audio_output(merged(START, patch, Locks(voice=spoken, speed=True))).voice == (other or "espeak")


@pytest.mark.parametrize(
    ("locks", "output", "code"),
    [
        (Locks(voice=True), {"voice": "alloy"}, "cannot_update_voice"),
        (Locks(voice=True), {"voice": {"id": "espeak"}}, "cannot_update_voice"),
        (Locks(speed=True), {"speed": 1.1}, "cannot_update_speed"),
        (Locks(voice=True, speed=True), {"voice": "alloy", "speed": 1.1}, "cannot_update_voice"),
    ],
)
def test_what_is_heard_is_not_changed_under_the_ears(locks: Locks, output: dict[str, Any], code: str) -> None:
    patch = msgspec.convert({"type": "realtime", "instructions": "x", "audio": {"output": output}}, Session)
    with pytest.raises(ProtocolError) as caught:
        merged(START, patch, locks)
    assert caught.value.code == code
    assert merged(START, patch, Locks()).instructions == "x"


def test_the_same_again_is_no_change() -> None:
    patch = msgspec.convert(msgspec.to_builtins(START), Session)
    assert merged(START, patch, Locks(voice=True, speed=True)) == START


def test_a_session_stays_of_its_kind() -> None:
    with pytest.raises(ProtocolError, match="^Passing a transcription session update event to a realtime session is not allowed") as caught:
        merged(START, Session(type="transcription"))
    assert (caught.value.code, caught.value.param) == ("invalid_parameter", "session.type")


@pytest.mark.parametrize(("recogniser", "want"), [("", "whisper-1"), ("sphinx", "sphinx")])
def test_the_recogniser_is_told_whatever_was_asked_for(recogniser: str, want: str) -> None:
    patch = msgspec.convert({"type": "realtime", "audio": {"input": {"transcription": {"model": "whisper-1", "language": "en"}}}}, Session)
    told = audio_input(merged(START, patch, recogniser=recogniser)).transcription
    assert told == Transcription(model=want, language="en")


def test_an_object_is_taken_whole() -> None:
    """What a client leaves out of it is not what was there before."""
    one = update(
        prompt={"id": "p", "version": "1"}, tracing={"group_id": "g"}, truncation={"type": "retention_ratio", "retention_ratio": 0.5}
    )
    two = update(one, prompt={"id": "q"}, tracing={"workflow_name": "w"}, truncation="auto")
    assert (two.prompt, two.tracing, two.truncation) == (PromptTemplate("q"), Tracing(workflow_name="w"), "auto")


def test_a_choice_of_a_tool_is_held_against_the_tools_in_effect() -> None:
    tools = [{"type": "function", "name": "weather", "parameters": {"type": "object"}}]
    choice = {"type": "function", "name": "weather"}
    assert update(update(tools=tools), tool_choice=choice).tool_choice == choice
    assert update(update(tools=tools, tool_choice=choice), tools=[]).tools == []
    assert refused(type="realtime", tool_choice=choice) == ("invalid_value", "session.tool_choice")


CLOCK, LAMP = ({"type": "function", "name": name} for name in ("clock", "lamp"))


@pytest.mark.parametrize("choice", [{}, {"tool_choice": None}])
@pytest.mark.parametrize(
    ("tools", "want"),
    [([], "auto"), ([LAMP], "auto"), ([LAMP, CLOCK], CLOCK)],
)
def test_a_choice_whose_function_is_gone_is_auto_again(tools: Any, choice: Any, want: Any) -> None:
    """Clients change their tools alone."""
    before = update(tools=[CLOCK], tool_choice=CLOCK)
    after = update(before, tools=tools, **choice)
    assert (after.tools, after.tool_choice) == (tools, want)


def test_a_mode_of_choosing_outlives_the_tools() -> None:
    """It names none of them, and comes before them as well."""
    for mode in ("required", "none"):
        early = update(tool_choice=mode)
        assert (early.tool_choice, update(update(early, tools=[CLOCK]), tools=[]).tool_choice) == (mode, mode)
