"""Sound that is captured and that nobody is to hear: what goes up in its place, and how it is counted."""

import base64

import numpy as np
import pytest

from tests.support.pair import Pair
from tests.support.served import loud_turns, sound
from voice.audio.pcm import from_bytes, samples_in
from voice.audio.turns import TurnSettings
from voice.protocol.gated import SURE_MS
from voice.protocol.notices import SpeechBegan, TurnCommitted
from voice.protocol.objects import Audio, AudioInput, Session, TurnDetection


def pair_of(turns: str) -> Pair:
    """A session whose turns are ended by the server, by our detector, or by hand."""
    detection = TurnDetection() if turns == "server" else None
    return Pair(Session(audio=Audio(AudioInput(turn_detection=detection))), loud_turns() if turns == "own" else None)


def push(pair: Pair, pattern: str, withheld: str = "") -> list[object]:
    """The pattern in frames of 20 ms; what was heard and told."""
    told: list[object] = []
    for character in pattern:
        told += pair.client.push_audio(sound(character), withheld)
        told += pair.run()
    return told


def sent(pair: Pair) -> np.ndarray:
    """All sound that went up."""
    pieces = [from_bytes(base64.b64decode(event["audio"])) for event in pair.up if event["type"] == "input_audio_buffer.append"]
    return np.concatenate(pieces) if pieces else np.zeros(0, np.int16)


@pytest.mark.parametrize("turns", ["server", "own"])
def test_who_listens_for_turns_hears_silence(turns: str) -> None:
    pair = pair_of(turns)
    told = push(pair, "#" * 50, "muted")
    assert not any(isinstance(notice, SpeechBegan | TurnCommitted) for notice in told)
    ends_a_turn = samples_in(TurnSettings().silence_duration_ms + SURE_MS)
    assert not sent(pair).any() and len(sent(pair)) == (ends_a_turn if turns == "server" else 0), "as much as ends a turn"
    total = pair.client.uplink.ledger.total()
    assert (total.captured, total.discarded, total.lost) == (50, {"muted": 50}, 0)


@pytest.mark.parametrize("turns", ["server", "own"])
def test_a_turn_that_is_cut_off_still_ends(turns: str) -> None:
    pair = pair_of(turns)
    told = push(pair, "." * 25 + "#" * 20)
    told += push(pair, "#" * 40, "muted")
    assert sum(isinstance(notice, TurnCommitted) for notice in told) == 1
    total = pair.client.uplink.ledger.total()
    assert total.captured == 85 == total.committed + sum(total.discarded.values())
    assert total.discarded["muted"] == 40 and 20 <= total.committed <= 36


def test_where_turns_are_ended_by_hand_nothing_is_sent() -> None:
    pair = pair_of("hand")
    push(pair, "#" * 50, "muted")
    push(pair, "#" * 30)
    pair.client.commit()
    pair.run()
    push(pair, "#" * 20, "muted")
    assert len(sent(pair)) == 30 * 320
    total = pair.client.uplink.ledger.total()
    assert (total.captured, total.committed, total.discarded) == (100, 30, {"muted": 70})
    pair.server.reply()
    pair.run()


def test_times_are_right_behind_what_was_withheld() -> None:
    pair = pair_of("server")
    push(pair, "#" * 50, "muted")
    told = push(pair, "." * 30 + "#" * 30 + "." * 40)
    (began,) = [notice for notice in told if isinstance(notice, SpeechBegan)]
    assert abs(began.at_ms - 1_600) <= 40
