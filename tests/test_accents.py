"""What two parties say to each other, each in its own dialect, and how the dialect is heard."""

import json
from typing import Any

import pytest

from voice.protocol.accents import BETA, GA, Exchange, known
from voice.protocol.dialect import DIALECTS, Dialect


def exchange(client: Dialect | None, server: Dialect | None) -> Exchange:
    return Exchange(client, server, lambda kind: f"{kind}_new")


def said(kind: str, **fields: Any) -> str:
    return json.dumps({"type": kind, **fields})


GA_CREATED = said("session.created", session={"type": "realtime", "audio": {"output": {"voice": "alloy"}}})
BETA_CREATED = said("session.created", session={"id": "s", "voice": "alloy", "modalities": ["text", "audio"]})
GA_DELTA, BETA_DELTA = (said(f"response.{name}.delta", delta="AAAA", item_id="i") for name in ("output_audio", "audio"))
FLAT_UPDATE = said("session.update", session={"voice": "verse"})
NESTED_UPDATE = said("session.update", session={"type": "realtime", "audio": {"output": {"voice": "verse"}}})


def types(texts: tuple[str, ...]) -> list[str]:
    return [json.loads(text)["type"] for text in texts]


def test_the_names_of_dialects() -> None:
    assert (known("auto"), known("ga"), known("beta")) == (None, GA, BETA)
    with pytest.raises(KeyError):
        known("klingon")


@pytest.mark.parametrize(("client", "server"), [(GA, GA), (BETA, BETA), (GA, DIALECTS["azure"])])
def test_between_two_that_speak_alike_every_text_is_left_as_it_is(client: Dialect, server: Dialect) -> None:
    link = exchange(client, server)
    assert link.plain and link.settled
    for text in ("no JSON {", GA_CREATED, BETA_CREATED, FLAT_UPDATE, '{"type" :"x"}'):
        assert (link.up(text).on, link.up(text).back) == ((text,), ())
        assert (link.down(text).on, link.down(text).back) == ((text,), ())


@pytest.mark.parametrize(
    ("update", "flat"),
    [
        (FLAT_UPDATE, True),
        (said("session.update", session={"turn_detection": None}), True),
        (said("session.update", session={"instructions": "Be brief.", "temperature": 0.8}), True),
        ('{"session":{"modalities":["text"]},"event_id":"e","type":"session.update"}', True),
        (said("transcription_session.update", session={"input_audio_format": "pcm16"}), True),
        (NESTED_UPDATE, False),
        # Not the beta's, but one of today's that lacks its type: it is refused for that.
        (said("session.update", session={"instructions": "Be brief."}), False),
        (said("session.update", session={"audio": {"output": {"voice": "verse"}}}), False),
        (said("session.update", session={"type": "realtime", "voice": "verse"}), False),
        (said("session.update", session={}), False),
    ],
)
def test_a_client_is_heard_in_its_first_settings(update: str, flat: bool) -> None:
    link = exchange(None, GA)
    assert not link.settled and not link.plain
    assert link.down(GA_CREATED).on == (GA_CREATED,), "nothing is known of it yet"
    assert link.settled
    link.up(said("input_audio_buffer.append", audio="AAAA"))
    (told,) = link.up(update).on
    assert link.plain == (not flat)
    if flat:
        assert json.loads(told)["session"]["type"] in ("realtime", "transcription") and types(link.down(GA_DELTA).on) == [
            "response.audio.delta"
        ]
    else:
        assert told == update and link.down(GA_DELTA).on == (GA_DELTA,)


def test_a_client_that_has_been_heard_is_not_heard_again() -> None:
    link = exchange(None, GA)
    link.up(NESTED_UPDATE)
    assert link.up(FLAT_UPDATE).on == (FLAT_UPDATE,) and link.plain


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"session.update"}',
        '{"type":"session.update","session":"flat"}',
        '{"type":"session.update","session":{"voice":',
        '["session.update"]',
        '{"type":7,"session":{"voice":"session.update"}}',
        said("conversation.item.create", item={"type": "message", "content": [{"text": 'my "session.update" has {"voice": "verse"}'}]}),
        said("x", session={"voice": "session.update"}),
        '{"type":"session.update","session":' + "[" * 100_000,
        '{"type":"session.update","session":{"voice":"\ud800"}}',
    ],
)
def test_what_is_no_settings_tells_nothing(text: str) -> None:
    link = exchange(None, GA)
    assert link.up(text).on == (text,) and not link.plain
    link.up(FLAT_UPDATE)
    assert types(link.down(GA_DELTA).on) == ["response.audio.delta"], "it still is heard"


def test_a_server_is_heard_in_the_settings_that_it_tells() -> None:
    link = exchange(GA, None)
    assert not link.settled and not link.plain
    assert types(link.down(said("ping")).on) == ["ping"] and not link.settled
    (told,) = link.down(BETA_CREATED).on
    assert link.settled and not link.plain
    assert json.loads(told)["session"]["type"] == "realtime"
    assert types(link.down(BETA_DELTA).on)[-1] == "response.output_audio.delta"
    (update,) = link.up(NESTED_UPDATE).on
    assert json.loads(update)["session"] == {"voice": "verse"}


@pytest.mark.parametrize("created", [GA_CREATED, said("session.created", session={"id": "s"}), said("session.updated", session={})])
def test_a_server_whose_settings_are_not_flat_is_one_of_today(created: str) -> None:
    link = exchange(GA, None)
    assert link.down(created).on == (created,)
    assert link.settled and link.plain


def test_a_client_of_the_beta_and_a_server_that_turns_out_to_be_one_understand_each_other() -> None:
    link = exchange(BETA, None)
    assert link.down(BETA_CREATED).on == (BETA_CREATED,) and link.plain
    link = exchange(BETA, None)
    assert "audio" not in json.loads(link.down(GA_CREATED).on[0])["session"] and not link.plain


@pytest.mark.parametrize(
    "shown", [{"turn_detection": {"type": "client_vad"}}, {"voice": "tongtong", "beta_fields": {"chat_mode": "audio"}}]
)
def test_a_server_whose_settings_only_one_service_has_is_that_service(shown: dict[str, Any]) -> None:
    link = exchange(GA, None)
    told = link.down(said("session.created", session={"id": "s", **shown}))
    assert json.loads(told.on[0])["session"]["type"] == "realtime"
    assert [json.loads(text)["session"]["turn_detection"] for text in told.back] == [{"type": "server_vad"}], "off at first, as it is there"
    assert link.down(said("heartbeat")).on == ()


@pytest.mark.parametrize("odd", [{"turn_detection": {"type": ["client_vad"]}}, {"turn_detection": "client_vad"}, {"turn_detection": {}}])
def test_odd_settings_show_no_service(odd: dict[str, Any]) -> None:
    link = exchange(GA, None)
    link.down(said("session.created", session={"id": "s", **odd}))
    assert types(link.down(said("heartbeat")).on) == ["heartbeat"]


def test_where_something_is_translated_the_server_begins() -> None:
    link = exchange(GA, BETA)
    assert not link.settled
    assert types(link.down(said("ping")).on) == ["ping"] and not link.settled
    link.down(BETA_CREATED)
    assert link.settled
    assert exchange(GA, GA).settled and not exchange(None, GA).settled and not exchange(None, DIALECTS["glm"]).settled


def test_two_dialects_meet_in_the_protocol_of_today() -> None:
    link = exchange(None, BETA)
    assert json.loads(link.down(BETA_CREATED).on[0])["session"]["type"] == "realtime", "not heard yet: told as today"
    assert link.up(FLAT_UPDATE).on == (FLAT_UPDATE,)
    assert link.down(BETA_DELTA).on == (BETA_DELTA,) and link.plain


def test_a_server_that_changes_its_dialect_in_the_middle_is_still_understood() -> None:
    link = exchange(GA, None)
    link.down(BETA_CREATED)
    assert types(link.down(GA_DELTA).on)[-1:] == types(link.down(BETA_DELTA).on) == ["response.output_audio.delta"]
    assert json.loads(link.down(GA_CREATED).on[0])["session"]["audio"]["output"]["voice"] == "alloy"
