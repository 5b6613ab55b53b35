"""Silence is not sent, and the server makes the same turns of what is."""

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.pair import Pair
from tests.support.served import Served, loud_turns, sound
from tests.support.signals import white_noise
from voice.audio.pcm import FRAME_MS, FRAME_SAMPLES, RATE_HZ, ms_in
from voice.audio.turns import TurnDetector, TurnSettings
from voice.audio.vad import make_detector
from voice.devices.wavfile import read_wav
from voice.protocol.gated import CLEAR_MS, SURE_MS
from voice.protocol.notices import SpeechBegan, SpeechEnded, TurnCommitted
from voice.protocol.objects import Audio, AudioInput, Session, TurnDetection

WAVS = Path(__file__).resolve().parent.parent / "fixtures" / "wav"
QUIET = "." * 200
WINDOW = TurnSettings()


def talking(gate: bool, detection: TurnDetection | None = None, rate_hz: int = 16_000) -> Pair:
    asked = Session(audio=Audio(AudioInput(turn_detection=detection or TurnDetection("server_vad"))))
    return Pair(asked, loud_turns(), gate)


def sent_ms(pair: Pair) -> int:
    sizes = (len(base64.b64decode(event["audio"])) for event in pair.up if event["type"] == "input_audio_buffer.append")
    return sum(sizes) // 32


def turns(pair: Pair) -> list[tuple[str, int]]:
    """What the server heard, on the client's count."""
    told: list[tuple[str, int]] = []
    for notice in pair.notices:
        match notice:
            case SpeechBegan(local=False):
                told.append(("began", notice.at_ms))
            case SpeechEnded(local=False):
                told.append(("ended", notice.at_ms))
            case TurnCommitted():
                told.append(("turn", 0))
            case _:
                pass
    return told


def same(first: list[tuple[str, int]], second: list[tuple[str, int]]) -> bool:
    """To a frame."""
    return [kind for kind, _ in first] == [kind for kind, _ in second] and all(
        abs(one - other) <= FRAME_MS for (_, one), (_, other) in zip(first, second, strict=True)
    )


def test_silence_is_not_sent() -> None:
    pair = talking(gate=True)
    pair.push("." * 3_000)
    assert sent_ms(pair) == 0 and pair.client.uplink.position_ms == 60_000
    count = pair.client.uplink.ledger.total()
    assert count.captured == 3_000 == sum(count.discarded.values())
    assert count.discarded == {"gated": 3_000}
    open_mic = talking(gate=False)
    open_mic.push("." * 3_000)
    assert sent_ms(open_mic) == 60_000


def test_a_turn_is_sent_with_what_lies_around_it() -> None:
    pair = talking(gate=True)
    pair.push(QUIET + "#" * 40 + QUIET)
    around_ms = WINDOW.prefix_padding_ms + CLEAR_MS + WINDOW.silence_duration_ms + SURE_MS
    assert abs(sent_ms(pair) - (800 + around_ms)) <= 100
    assert same(turns(pair), [("began", 4_000), ("ended", 4_800), ("turn", 0)])
    count = pair.client.uplink.ledger.total()
    assert count.captured == 440 == count.committed + sum(count.discarded.values()) and count.discarded["gated"] > 200


def test_the_local_detector_says_the_same_as_without() -> None:
    gated, plain = talking(gate=True), talking(gate=False)
    for pair in (gated, plain):
        pair.push(QUIET + "#" * 40 + QUIET)
    local = [[notice for notice in pair.notices if getattr(notice, "local", False)] for pair in (gated, plain)]
    assert local[0] == local[1] and len(local[0]) == 2


@pytest.mark.parametrize("silence_ms", [200, 500, 1_500])
def test_whatever_silence_ends_a_turn_is_sent(silence_ms: int) -> None:
    pair = talking(gate=True, detection=TurnDetection("server_vad", 0.5, 300, silence_ms))
    pair.push(QUIET + "#" * 40 + QUIET)
    assert [kind for kind, _ in turns(pair)] == ["began", "ended", "turn"]


def test_as_long_as_the_server_hears_somebody_it_is_sent_what_it_waits_for() -> None:
    """A detector there that hears speech for 2 s longer than ours."""
    pair = talking(gate=True)
    server = pair.server.heard[0]
    pair.push(QUIET + "#" * 40)
    hangs, plain = 100, server.push

    def push(frame: Any) -> bool:
        nonlocal hangs
        hangs -= not plain(frame)
        return plain(frame) or hangs > 0

    server.push = push  # type: ignore[method-assign]
    pair.push(QUIET + QUIET)
    assert [kind for kind, _ in turns(pair)] == ["began", "ended", "turn"]
    before_ms = sent_ms(pair)
    pair.push(QUIET)
    assert sent_ms(pair) == before_ms, "and then no more"


def test_a_pause_that_is_waited_out_by_meaning() -> None:
    """semantic_vad may wait for 4 s of silence: all of it is sent, and the turn ends."""
    pair = talking(gate=True, detection=TurnDetection("semantic_vad"))
    pair.push(QUIET + "#" * 40)
    pair.push("." * 220)
    assert sent_ms(pair) >= 800 + 4_200 and pair.client.uplink.ledger.total().captured == 460
    pair.push("." * 100)
    settled_ms = sent_ms(pair)
    pair.deliver(pair.server.tick(60.0))
    pair.push("." * 200)
    assert [kind for kind, _ in turns(pair)] == ["began", "ended", "turn"]
    assert sent_ms(pair) <= settled_ms + 2_000, "and then silence is not sent any more"


def test_what_is_muted_is_counted_as_muted_and_ends_a_turn_all_the_same() -> None:
    pair = talking(gate=True)
    pair.push(QUIET + "#" * 40)
    for _ in range(300):
        pair.notices += pair.client.push_audio(sound("#"), "muted")
        pair.run()
    assert [kind for kind, _ in turns(pair)] == ["began", "ended", "turn"]
    count = pair.client.uplink.ledger.total()
    assert count.discarded["muted"] == 300 and count.discarded["gated"] == 135 and sent_ms(pair) < 4_000


def test_a_gate_of_the_programs_own() -> None:
    for gate in (False, True):
        pair = talking(gate)
        pair.push(QUIET)
        for _ in range(100):
            pair.notices += pair.client.push_audio(sound("#"), "gated")
        pair.run()
        # Its pre-roll: sound that is not withheld before what may be speech.
        pair.push("." * 20 + "#" * 40 + QUIET)
        assert same(turns(pair), [("began", 6_400), ("ended", 7_200), ("turn", 0)])
        count = pair.client.uplink.ledger.total()
        assert count.discarded["gated"] >= 100 and count.committed >= 40
        assert sent_ms(pair) <= 3_000 if gate else sent_ms(pair) == 9_200


def test_a_new_link_in_the_middle_of_a_sentence() -> None:
    for break_at in (10, 45, 90, 150):
        pair = talking(gate=True)
        pair.push(QUIET + QUIET + "#" * 20)
        pair.push(("#" * 40 + QUIET)[:break_at])
        pair.server = type(pair.server)()
        pair.client.connected(1.0)
        pair.deliver(pair.server.sent)
        pair.push(("#" * 40 + QUIET)[break_at:])
        pair.push("#" * 30 + QUIET)
        want = [("began", 8_000), ("ended", 9_200), ("turn", 0), ("began", 13_200), ("ended", 13_800), ("turn", 0)]
        told = turns(pair)
        assert same(told[-3:], want[3:]), break_at
        assert ("turn", 0) in told[:-3], break_at


def test_where_we_end_the_turns_it_means_nothing() -> None:
    asked = Session(audio=Audio(AudioInput(turn_detection=None)))
    for gate in (False, True):
        pair = Pair(asked, loud_turns(), gate)
        pair.push(QUIET + "#" * 40 + QUIET)
        assert [type(notice).__name__ for notice in pair.notices].count("TurnCommitted") == 1 and sent_ms(pair) < 2_500


def test_without_a_detector_there_is_no_gate() -> None:
    asked = Session(audio=Audio(AudioInput(turn_detection=TurnDetection("server_vad"))))
    pair = Pair(asked, None, gate=True)
    pair.push(QUIET)
    assert sent_ms(pair) == 4_000


SAID = st.lists(st.tuples(st.integers(1, 60), st.integers(1, 200)), max_size=6)


@settings(max_examples=25)
@given(SAID, st.integers(0, 100), st.sampled_from([200, 500, 900]))
def test_the_same_turns_with_and_without(said: list[tuple[int, int]], first: int, silence_ms: int) -> None:
    pattern = "." * first + "".join("#" * loud + "." * still for loud, still in said) + "." * 100
    detection = TurnDetection("server_vad", 0.5, 300, silence_ms)
    gated, plain = talking(gate=True, detection=detection), talking(gate=False, detection=detection)
    for pair in (gated, plain):
        pair.push(pattern)
    assert same(turns(gated), turns(plain)), pattern
    assert sent_ms(gated) <= sent_ms(plain)
    count = gated.client.uplink.ledger.total()
    assert count.captured == len(pattern) == count.committed + sum(count.discarded.values()) + count.lost


def test_real_detectors_on_both_sides_hear_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Speech, a room's noise, and pauses that the gate withholds."""

    def turn_detector(detection: TurnDetection | None = None) -> TurnDetector:
        return TurnDetector(TurnSettings(), make_detector())

    monkeypatch.setattr(Served, "_make_detector", lambda self, detection: turn_detector())
    spoken = [np.concatenate(list(read_wav(WAVS / name))) for name in ("time-slt.wav", "france-slt.wav", "sum-awb.wav")]
    quiet = np.zeros(4 * RATE_HZ, np.int16)
    said = np.concatenate([part for one in spoken for part in (quiet, one)] + [quiet])
    whole = len(said) // FRAME_SAMPLES * FRAME_SAMPLES
    said = said[:whole] + white_noise(ms_in(len(said)), -60)[:whole]
    told, sent = [], []
    for gate in (False, True):
        asked = Session(audio=Audio(AudioInput(turn_detection=TurnDetection("server_vad"))))
        pair = Pair(asked, turn_detector(), gate)
        for at in range(0, len(said), FRAME_SAMPLES):
            pair.notices += pair.client.push_audio(said[at : at + FRAME_SAMPLES])
            pair.run()
        told.append(turns(pair))
        sent.append(sent_ms(pair))
    assert same(*told) and [kind for kind, _ in told[0]].count("turn") == 3
    assert sent[1] < sent[0] - 5_000


def test_pieces_of_any_length() -> None:
    samples = np.concatenate([sound(QUIET), sound("#" * 40), sound(QUIET)])
    told = []
    for step in (100, 320, 777, 4_000):
        pair = talking(gate=True)
        for at in range(0, len(samples), step):
            pair.notices += pair.client.push_audio(samples[at : at + step])
            pair.run()
        told.append(turns(pair))
    assert all(same(one, told[0]) for one in told) and len(told[0]) == 3


@pytest.mark.parametrize("gate", [False, True])
@pytest.mark.parametrize("silence_ms", [500, 1_500])
def test_a_muted_microphone_costs_nothing_once_the_turn_has_ended(gate: bool, silence_ms: int) -> None:
    pair = talking(gate, TurnDetection("server_vad", 0.5, 300, silence_ms))
    pair.push(QUIET + "#" * 40)
    before_ms = sent_ms(pair)
    for _ in range(500):
        pair.notices += pair.client.push_audio(sound("#"), "muted")
        pair.run()
    assert [kind for kind, _ in turns(pair)] == ["began", "ended", "turn"]
    assert silence_ms <= sent_ms(pair) - before_ms <= silence_ms + SURE_MS + 60
    assert len(pair.client.uplink._sent_lately._entries) < 750, "nothing heaps up"
    pair.push("." * 50 + "#" * 40 + QUIET)
    assert same(turns(pair)[3:], [("began", 15_800), ("ended", 16_600), ("turn", 0)]), "and then the times are right"
    count = pair.client.uplink.ledger.total()
    assert count.discarded["muted"] == 500 and count.captured == 1_030 == count.committed + sum(count.discarded.values())
