"""The settings are asked for with 16 kHz, once more with 24 kHz, and then whatever the server has is taken."""

import pytest

from voice.protocol.events import ErrorEvent, ServerEvent, SessionUpdated
from voice.protocol.objects import Audio, AudioFormat, AudioInput, ErrorDetail, Session
from voice.protocol.offer import Offer, Stage
from voice.protocol.requests import ClientEvent, SessionUpdate


class Asking:
    def __init__(self) -> None:
        self.rates: list[int] = []
        self.offer = Offer(Session(instructions="be brief"), self._send, lambda kind: f"{kind}{len(self.rates)}")

    def _send(self, event: ClientEvent) -> None:
        assert isinstance(event, SessionUpdate) and event.session.type == "realtime" and event.session.instructions == "be brief"
        assert isinstance(event.session.audio, Audio) and isinstance(event.session.audio.input, AudioInput)
        assert isinstance(event.session.audio.input.format, AudioFormat)
        self.rates.append(int(event.session.audio.input.format.rate or 0))


def updated(rate_hz: int | None = 16_000) -> SessionUpdated:
    chosen = AudioFormat("audio/pcm", rate_hz) if rate_hz else None
    return SessionUpdated(session=Session(audio=Audio(AudioInput(format=chosen))))


def error(event_id: str | None) -> ErrorEvent:
    return ErrorEvent(error=ErrorDetail("invalid_request_error", "no", event_id=event_id))


# (what the server answers, the rates asked for, the rate agreed on)
@pytest.mark.parametrize(
    ("answers", "rates", "ready"),
    [
        ([updated(16_000)], [16_000], 16_000),
        ([updated(24_000)], [16_000], 24_000),
        ([updated(None)], [16_000], 24_000),
        ([error("event0"), updated(24_000)], [16_000, 24_000], 24_000),
        ([error("event0"), error("event1")], [16_000, 24_000], 24_000),
        ([error("other"), error(None), updated(16_000)], [16_000], 16_000),
    ],
)
def test_what_is_agreed_on(answers: list[ServerEvent], rates: list[int], ready: int) -> None:
    asking = Asking()
    asking.offer.ask()
    told = [asking.offer.answer(answer) for answer in answers]
    assert told == [None] * (len(answers) - 1) + [ready]
    assert asking.rates == rates and asking.offer.stage is Stage.READY


def test_nothing_is_agreed_on_without_a_link_or_twice() -> None:
    asking = Asking()
    assert asking.offer.answer(updated()) is None and asking.offer.stage is Stage.UNLINKED
    asking.offer.ask()
    assert [asking.offer.answer(updated()), asking.offer.answer(updated(24_000))] == [16_000, None]


def test_each_link_is_asked_anew() -> None:
    asking = Asking()
    for _ in range(2):
        asking.offer.ask()
        assert asking.offer.answer(updated()) == 16_000
    assert asking.rates == [16_000, 16_000]


def test_other_tools_are_told_once_and_only_where_they_are_not_known() -> None:
    sent: list[SessionUpdate] = []

    def send(event: ClientEvent) -> None:
        assert isinstance(event, SessionUpdate)
        sent.append(event)

    offer = Offer(Session(), send, lambda kind: f"{kind}{len(sent)}")
    tools = [{"type": "function", "name": "look"}]
    offer.tools(tools)
    assert sent == [], "there is no link yet"
    offer.ask()
    offer.answer(updated())
    assert [event.session.tools for event in sent] == [tools]
    offer.tools([])
    offer.tools([])
    assert sent[1:] == [SessionUpdate(event_id="event1", session=Session(type="realtime", tools=[]))]
    offer.ask()
    offer.tools(tools)
    assert [event.session.tools for event in sent[2:]] == [[]], "nothing is changed while a server is asked"
    offer.answer(updated())
    assert [event.session.tools for event in sent[3:]] == [tools]
    offer.ask()
    offer.tools([])
    offer.answer(error(f"event{len(sent) - 1}"))
    assert sent[-1].session.tools == [], "it is asked again with what is wanted now"
    offer.answer(updated(24_000))
    assert len(sent) == 6
