"""Who has the floor, as tables."""

import pytest

from voice.protocol.floor import HOLD_S, Floor, State


@pytest.mark.parametrize(
    ("linked", "playing", "waiting", "want"),
    [
        (True, False, False, State.LISTENING),
        (True, False, True, State.THINKING),
        (True, True, True, State.SPEAKING),
        (True, True, False, State.SPEAKING),
        (False, True, True, State.RECONNECTING),
        (False, False, False, State.RECONNECTING),
    ],
)
def test_the_first_that_is_so(linked: bool, playing: bool, waiting: bool, want: State) -> None:
    floor = Floor()
    floor.linked = linked
    assert floor.step(1.0, playing, waiting) is want
    assert floor.open(1.0, playing), "full duplex: the microphone is always open"


def test_half_duplex_keeps_the_microphone_shut_while_something_is_played_and_a_moment_longer() -> None:
    floor = Floor(half_duplex=True)
    table = [
        # now, playing, state, open
        (1.0, False, State.LISTENING, True),
        (2.0, True, State.SPEAKING, False),
        (3.0, True, State.SPEAKING, False),
        (3.02, False, State.SPEAKING, False),
        (3.0 + HOLD_S - 0.01, False, State.SPEAKING, False),
        (3.0 + HOLD_S, False, State.LISTENING, True),
        (4.0, True, State.SPEAKING, False),
    ]
    for now, playing, state, is_open in table:
        assert floor.step(now, playing, False) is state, now
        assert floor.open(now, playing) is is_open, now


def test_who_stops_the_reply_is_heard_at_once() -> None:
    floor = Floor(half_duplex=True)
    floor.step(1.0, True, False)
    floor.stopped()
    assert floor.step(1.01, False, False) is State.LISTENING and floor.open(1.01, False)


def test_push_to_talk_is_muted_until_the_key_is_down() -> None:
    floor = Floor(half_duplex=True, push_to_talk=True)
    assert floor.step(1.0, False, False) is State.MUTED and not floor.open(1.0, False)
    floor.pressed = True
    assert floor.step(2.0, False, False) is State.LISTENING and floor.open(2.0, False)
    assert floor.open(2.0, True), "the key decides, whatever is played"
    floor.pressed = False
    assert floor.step(3.0, False, True) is State.THINKING


@pytest.mark.parametrize("push_to_talk", [False, True])
def test_who_shuts_the_microphone_is_not_heard_until_it_is_opened_again(push_to_talk: bool) -> None:
    floor = Floor(push_to_talk=push_to_talk)
    floor.pressed = floor.muted = True
    assert floor.step(1.0, False, False) is State.MUTED and not floor.open(1.0, False)
    assert floor.step(2.0, True, False) is State.SPEAKING, "an answer goes on"
    assert floor.step(3.0, False, True) is State.THINKING
    floor.muted = False
    assert floor.step(4.0, False, False) is State.LISTENING and floor.open(4.0, False)


def test_the_states_are_those_of_the_contract() -> None:
    assert {state.value for state in State} == {"listening", "thinking", "speaking", "reconnecting", "muted"}
