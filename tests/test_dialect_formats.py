"""The formats of sound that a client of a dialect may ask for: those of the dialect are agreed to, all others refused in its words."""

import json
from typing import Any

import msgspec
import pytest

from tests.support.dialects import Event, before_client, before_server
from voice.audio.encoding import PCM, PCMA, PCMU
from voice.errors import ProtocolError
from voice.protocol.codec import decode_client
from voice.protocol.dialect import DIALECTS
from voice.protocol.interpreter import ClientInterpreter
from voice.protocol.requests import SessionUpdate
from voice.protocol.settings import defaults, merged

FOREIGN = [name for name, row in DIALECTS.items() if not row.plain]
SIDES = {"input": "input_audio_format", "output": "output_audio_format"}
FLAT = {PCM: {"qwen": "pcm", "glm": "pcm"}, PCMU: {}, PCMA: {}}
USUAL = {PCM: "pcm16", PCMU: "g711_ulaw", PCMA: "g711_alaw"}
TELEPHONES = {"beta", "holysheep", "voicelive", "xai"}


def begun(name: str) -> ClientInterpreter:
    party = before_client(name)
    settings = json.loads(json.dumps({"type": "realtime", "audio": {"input": {"turn_detection": None}, "output": {}}}))
    back = party.down(json.dumps({"type": "session.created", "event_id": "e", "session": settings})).back
    for _ in back:
        party.down(json.dumps({"type": "session.updated", "event_id": "e", "session": settings}))
    return party


def answered(party: ClientInterpreter, **session: Any) -> Event:
    """What a session of today says to an update, as the client is told."""
    (text,) = party.up(json.dumps({"type": "session.update", "event_id": "mine", "session": session})).on
    assert json.loads(text)["event_id"] == "mine"
    try:
        event = decode_client(text)
        assert isinstance(event, SessionUpdate)
        after = merged(defaults("m", "s", 0, "v"), event.session)
    except ProtocolError as exc:
        error = {"type": "invalid_request_error", "message": str(exc), "code": exc.code, "param": exc.param, "event_id": "mine"}
        said: Event = {"type": "error", "event_id": "e", "error": error}
    else:
        said = {"type": "session.updated", "event_id": "e", "session": msgspec.to_builtins(after)}
    (told,) = party.down(json.dumps(said)).on
    event_told: Event = json.loads(told)
    return event_told


@pytest.mark.parametrize("written", ["flat", "nested"])
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("sound", [PCM, PCMU, PCMA])
@pytest.mark.parametrize("name", FOREIGN)
def test_each_format_on_each_side_in_each_form(name: str, sound: str, side: str, written: str) -> None:
    flat = "wav" if (name, side, sound) == ("glm", "input", PCM) else FLAT[sound].get(name, USUAL[sound])
    nested = {"type": sound, "rate": 24_000} if sound == PCM else {"type": sound}
    asked = {SIDES[side]: flat} if written == "flat" else {"audio": {side: {"format": nested}}}
    told = answered(begun(name), **asked)
    if sound == PCM or name in TELEPHONES:
        session = told["session"]
        assert session.get(SIDES[side], session.get("audio", {}).get(side, {}).get("format")) == (nested if name == "xai" else flat)
    else:
        path = SIDES[side] if written == "flat" else f"audio.{side}.format"
        assert (told["error"]["code"], told["error"]["param"]) == ("invalid_value", f"session.{path}")
        has = "'wav'" if (name, side) == ("glm", "input") else "'pcm16'" if name == "stepfun" else "'pcm'"
        assert told["error"]["message"] == f"Invalid value for 'session.{path}'. Supported values are: {has}."


@pytest.mark.parametrize("name", FOREIGN)
def test_a_format_that_is_none_is_refused(name: str) -> None:
    for side in SIDES.values():
        error = answered(begun(name), **{side: 3})["error"]
        assert (error["code"], error["param"]) == ("invalid_type", f"session.{side}")
        for odd in ("mp3", "pcm48", {"type": "audio/mp3"}, {"type": "audio/pcm", "rate": 1}):
            error = answered(begun(name), **{side: odd})["error"]
            assert (error["code"], error["param"]) == ("invalid_value", f"session.{side}")


def test_a_refused_format_is_told_in_the_words_of_the_beta() -> None:
    error = answered(begun("beta"), input_audio_format="mp3")["error"]
    assert error["message"] == "Invalid value for 'session.input_audio_format'. Supported values are: 'pcm16', 'g711_ulaw' and 'g711_alaw'."


def test_refused_modalities_are_told_in_the_words_of_the_beta() -> None:
    error = answered(begun("beta"), modalities=["smell"])["error"]
    assert (error["code"], error["param"]) == ("invalid_value", "session.modalities")
    assert error["message"] == "Invalid value for 'session.modalities'. Supported values are: ['audio', 'text'] and ['text']."
    error = answered(begun("beta"), modalities="audio")["error"]
    assert error["code"] == "invalid_type"
    assert error["message"] == "Invalid type for 'session.modalities'. Supported values are: ['audio', 'text'] and ['text']."


def test_an_error_names_a_setting_as_the_client_wrote_it() -> None:
    for name in FOREIGN:
        error = answered(begun(name), max_response_output_tokens="lots")["error"]
        assert error["param"] == "session.max_response_output_tokens"
        error = answered(begun(name), audio={"input": {"turn_detection": {"type": "server_vad", "threshold": 7}}})["error"]
        assert error["param"] == "session.audio.input.turn_detection.threshold"


@pytest.mark.parametrize("name", FOREIGN)
def test_what_nobody_knows_within_a_setting_is_refused(name: str) -> None:
    for form, path in (
        ({"turn_detection": {"type": "server_vad", "foo": 1}}, "turn_detection.foo"),
        ({"audio": {"input": {"turn_detection": {"type": "server_vad", "foo": None}}}}, "audio.input.turn_detection.foo"),
        ({"input_audio_transcription": {"model": "m", "foo": 1}}, "input_audio_transcription.foo"),
    ):
        error = answered(begun(name), **form)["error"]
        assert (error["code"], error["param"]) == ("unknown_parameter", f"session.{path}")


def test_but_not_what_the_service_knows() -> None:
    own = {"type": "azure_semantic_vad", "remove_filler_words": True, "languages": ["en"], "eagerness": "low", "threshold": None}
    assert answered(begun("voicelive"), turn_detection=own, input_audio_transcription={"model": "m", "phrase_list": ["x"]})["session"]
    assert answered(begun("stepfun"), turn_detection={"type": "server_vad", "energy_awakeness_threshold": 2500})["session"]


@pytest.mark.parametrize("name", FOREIGN)
def test_what_a_client_of_today_asks_for_passes_as_it_is_where_nobody_knows_it(name: str) -> None:
    """Through both interpreters: the session behind the dialect refuses it."""
    for heard, code in (
        ({"turn_detection": {"type": "server_vad", "foo": 1}}, "unknown_parameter"),
        ({"format": {"type": "audio/mp3"}}, "invalid_value"),
    ):
        (theirs,) = (
            before_server(name).up(json.dumps({"type": "session.update", "session": {"type": "realtime", "audio": {"input": heard}}})).on
        )
        assert answered(begun(name), **json.loads(theirs)["session"])["error"]["code"] == code
