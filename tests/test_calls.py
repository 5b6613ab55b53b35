"""Calls in a streamed answer, in the many ways in which endpoints write them."""

import json
import logging

import pytest

from voice.engines.base import Called
from voice.engines.calls import MAX_CALLS, Calls
from voice.protocol.chat import CallDelta

NAMES = {"get_weather", "clock"}


def calls_in(*pieces: CallDelta, names: set[str] = NAMES) -> tuple[list[Called], Calls]:
    calls = Calls(names)
    told = [called for piece in pieces for called in calls.push(piece)]
    return told + calls.flush(), calls


def joined(told: list[Called]) -> list[tuple[str, str, str]]:
    """(call id, name, arguments) of each call; its pieces must follow each other."""
    found: list[tuple[str, str, str]] = []
    for piece in told:
        if found and found[-1][0] == piece.call_id:
            found[-1] = (piece.call_id, piece.name, found[-1][2] + piece.arguments)
        else:
            found.append((piece.call_id, piece.name, piece.arguments))
    assert len({key for key, _, _ in found}) == len(found)
    return found


def test_the_first_call_is_told_as_it_comes() -> None:
    calls = Calls(NAMES)
    assert calls.push(CallDelta(0, "call_1", "get_weather", "")) == [Called("call_1", "get_weather", "")]
    assert calls.push(CallDelta(0, "", "", '{"city"')) == [Called("call_1", "get_weather", '{"city"')]
    assert calls.made and not calls.whole
    assert calls.push(CallDelta(0, "", "", ':"Oslo"}')) == [Called("call_1", "get_weather", ':"Oslo"}')]
    assert calls.flush() == [] and calls.whole


@pytest.mark.parametrize(
    "pieces",
    [
        # as OpenAI does
        [(0, "a", "clock", ""), (0, "", "", "{}"), (1, "b", "get_weather", ""), (1, "", "", '{"x":'), (1, "", "", "1}")],
        # whole calls
        [(0, "a", "clock", "{}"), (1, "b", "get_weather", '{"x":1}')],
        # every piece names its call
        [(0, "a", "clock", "{"), (0, "a", "clock", "}"), (1, "b", "get_weather", '{"x":'), (1, "b", "get_weather", "1}")],
        # no numbers: another id is another call
        [(0, "a", "clock", "{}"), (0, "b", "get_weather", '{"x":1}')],
        # mixed
        [(0, "a", "clock", "{"), (1, "b", "get_weather", '{"x":'), (0, "", "", "}"), (1, "", "", "1}")],
    ],
)
def test_two_calls(pieces: list[tuple[int, str, str, str]]) -> None:
    told, calls = calls_in(*(CallDelta(*piece) for piece in pieces))
    assert joined(told) == [("a", "clock", "{}"), ("b", "get_weather", '{"x":1}')] and calls.whole


def test_calls_without_ids_are_told_apart() -> None:
    told, _ = calls_in(CallDelta(0, "", "clock", "{}"), CallDelta(1, "", "clock", "{}"))
    assert [(name, arguments) for _, name, arguments in joined(told)] == [("clock", "{}")] * 2


def test_calls_of_one_id_are_told_apart_by_their_numbers() -> None:
    pieces = [(0, "a", "clock", "{}"), (1, "a", "get_weather", '{"x":'), (1, "a", "", "1}"), (2, "a", "clock", '{"y":2}')]
    told, calls = calls_in(*(CallDelta(*piece) for piece in pieces))
    assert joined(told) == [("a", "clock", "{}"), ("#1", "get_weather", '{"x":1}'), ("#2", "clock", '{"y":2}')] and calls.whole


def test_a_name_that_comes_late() -> None:
    told, _ = calls_in(CallDelta(0, "a", "", '{"x"'), CallDelta(0, "", "get_weather", ":1}"))
    assert joined(told) == [("a", "get_weather", '{"x":1}')]


@pytest.mark.parametrize("arguments", ["", "  "])
def test_no_arguments_are_an_empty_object(arguments: str) -> None:
    told, calls = calls_in(CallDelta(0, "a", "clock", arguments), CallDelta(1, "b", "clock", arguments))
    assert [json.loads(each) for _, _, each in joined(told)] == [{}, {}] and calls.whole


def test_a_function_that_there_is_not_is_not_called(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    told, calls = calls_in(CallDelta(0, "a", "rm_rf", ""), CallDelta(0, "", "", "{}"), CallDelta(1, "b", "clock", "{}"))
    assert joined(told) == [("b", "clock", "{}")] and "rm_rf" not in caplog.text
    told, calls = calls_in(CallDelta(0, "a", "clock", "{}"), names=set())
    assert told == [] and not calls.made


@pytest.mark.parametrize("arguments", ['{"x"', "{}}", "nonsense", "[" * 100_000])
def test_arguments_that_are_no_json(arguments: str) -> None:
    _, calls = calls_in(CallDelta(0, "a", "clock", arguments))
    assert calls.made and not calls.whole


def test_one_call_at_a_time() -> None:
    calls = Calls(NAMES, most=1)
    pieces = [CallDelta(0, "a", "clock", "{"), CallDelta(1, "b", "clock", "{}"), CallDelta(0, "", "", "}")]
    assert joined([called for piece in pieces for called in calls.push(piece)] + calls.flush()) == [("a", "clock", "{}")]


def test_a_model_that_calls_for_ever_is_bounded() -> None:
    told, _ = calls_in(*(CallDelta(n, f"c{n}", "clock", "{}") for n in range(1000)))
    assert len(joined(told)) == MAX_CALLS
