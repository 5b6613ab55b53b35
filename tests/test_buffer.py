"""The input buffer: the same sound makes the same turns however it is cut, and every sample counts once."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.served import loud_turns, sound
from tests.support.signals import tone
from voice.audio.encoding import PCM, PCMA, PCMU, Encoding
from voice.audio.pcm import Samples, to_bytes
from voice.errors import ProtocolError
from voice.protocol import buffer as module
from voice.protocol.buffer import BufferEvent, InputBuffer, TurnAudio, TurnBegan, TurnEnded, TurnForgotten, TurnPaused
from voice.protocol.objects import TurnDetection


def counted() -> InputBuffer:
    """One whose turns are the client's."""
    return InputBuffer(pcm(16_000), None, 0, ids())


def pcm(rate_hz: int) -> Encoding:
    return Encoding(PCM, rate_hz)


def ids() -> "Ids":
    return Ids()


class Ids:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> str:
        self.count += 1
        return f"i{self.count}"


def listening(rate_hz: int = 16_000, prefix_padding_ms: int = 300, silence_duration_ms: int = 500) -> InputBuffer:
    """One whose turns a detector ends."""
    detection = TurnDetection("server_vad", 0.5, prefix_padding_ms, silence_duration_ms)
    return InputBuffer(pcm(rate_hz), loud_turns(detection), prefix_padding_ms, ids())


def push(buffer: InputBuffer, samples: Samples, cuts: Sequence[int] = ()) -> list[BufferEvent]:
    return [event for piece in np.split(samples, cuts) for event in buffer.append(to_bytes(piece))]


def brief(events: Sequence[BufferEvent]) -> list[tuple[object, ...]]:
    """Events as what a table can say of them."""
    told: list[tuple[object, ...]] = []
    for event in events:
        match event:
            case TurnBegan():
                told.append(("began", event.item_id, event.audio_start_ms, event.speech))
            case TurnEnded():
                told.append(("ended", event.item_id, event.audio_end_ms, len(event.samples) // 16, event.by_client))
            case TurnForgotten():
                told.append(("forgotten", event.item_id))
            case TurnPaused():
                told.append(("paused", event.item_id, event.pause))
            case TurnAudio():
                pass
    return told


def near(got: Sequence[BufferEvent], want: Sequence[tuple[object, ...]]) -> bool:
    """Whether events are as told, times within 40 ms: an edge is found within a frame."""
    told = brief(got)
    assert [(one[:2], one[3 if one[0] == "began" else 4 :]) for one in told] == [
        (one[:2], one[3 if one[0] == "began" else 4 :]) for one in want
    ]
    off = [
        abs(int(str(a)) - int(str(b)))
        for x, y in zip(told, want, strict=True)
        for a, b in zip(x[2:4], y[2:4], strict=True)
        if a is not True
    ]
    return max(off, default=0) <= 40


def sounds(events: Sequence[BufferEvent]) -> Samples:
    return np.concatenate([event.samples for event in events if isinstance(event, TurnAudio)])


QUIET = "." * 50  # a second
# (sound, prefix padding, silence, what comes of it)
TURNS = [
    ("." * 25 + "#" * 20 + "." * 30, 300, 500, [("began", "i1", 200, True), ("ended", "i1", 1400, 1200, False)]),
    ("." * 5 + "#" * 20 + "." * 30, 300, 500, [("began", "i1", 0, True), ("ended", "i1", 1000, 1000, False)]),
    ("." * 25 + "#" * 20 + "." * 30, 0, 500, [("began", "i1", 500, True), ("ended", "i1", 1400, 900, False)]),
    ("." * 25 + "#" * 20 + "." * 30, 100, 200, [("began", "i1", 400, True), ("ended", "i1", 1100, 700, False)]),
    ("." * 25 + "#" * 20 + "." * 20 + "#" * 10 + "." * 30, 300, 500, [("began", "i1", 200, True), ("ended", "i1", 2000, 1800, False)]),
    ("." * 25 + "#" * 20 + "." * 20, 300, 500, [("began", "i1", 200, True)]),
    ("." * 25 + "##" + QUIET, 300, 500, []),
    (QUIET * 3, 300, 500, []),
]


@pytest.mark.parametrize(("pattern", "prefix_ms", "silence_ms", "want"), TURNS)
def test_the_detectors_turns(pattern: str, prefix_ms: int, silence_ms: int, want: list[tuple[object, ...]]) -> None:
    events = push(listening(16_000, prefix_ms, silence_ms), sound(pattern))
    assert near(events, want) if want else brief(events) == []


def test_a_second_turn_keeps_the_count() -> None:
    word = "." * 25 + "#" * 20 + "." * 30
    turns = [
        ("began", "i1", 200, True),
        ("ended", "i1", 1400, 1200, False),
        ("began", "i2", 1700, True),
        ("ended", "i2", 2900, 1200, False),
    ]
    assert near(push(listening(), sound(word + word)), turns)


def test_a_turns_sound_is_told_while_it_is_spoken_and_whole_at_the_end() -> None:
    samples = sound("." * 25 + "#" * 20 + "." * 30)
    events = push(listening(), samples)
    [ended] = [event for event in events if isinstance(event, TurnEnded)]
    # The turn ends within the last frame that was told.
    assert np.array_equal(sounds(events)[: len(ended.samples)], ended.samples) and len(sounds(events)) - len(ended.samples) < 320
    [start] = [event.audio_start_ms // 20 * 320 for event in events if isinstance(event, TurnBegan)]
    assert np.array_equal(ended.samples, samples[start : start + len(ended.samples)])


RATES = (8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(data=st.data(), rate_hz=st.sampled_from(RATES), by_client=st.booleans())
def test_however_the_sound_is_cut_the_turns_are_the_same(data: st.DataObject, rate_hz: int, by_client: bool) -> None:
    samples = sound("." * 15 + "#" * 12 + "." * 30 + "#" * 5 + "." * 28, rate_hz)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(samples)), max_size=12)))
    whole, pieces = (InputBuffer(pcm(rate_hz), None, 0, ids()) if by_client else listening(rate_hz) for _ in range(2))
    events, others = push(whole, samples), push(pieces, samples, cuts)
    if by_client:
        events, others = [*events, *whole.commit()], [*others, *pieces.commit()]
    assert brief(events) == brief(others) and len(brief(events)) == (2 if by_client else 4)
    assert np.array_equal(sounds(events), sounds(others))


@pytest.mark.parametrize("rate_hz", RATES)
def test_the_times_are_true_at_every_rate(rate_hz: int) -> None:
    got = brief(push(listening(rate_hz), sound("." * 25 + "#" * 20 + "." * 30, rate_hz)))
    assert [one[0] for one in got] == ["began", "ended"]
    assert abs(int(str(got[0][2])) - 200) <= 20 and abs(int(str(got[1][2])) - 1400) <= 20


@pytest.mark.parametrize("rate_hz", RATES)
def test_a_client_commits_every_sample(rate_hz: int) -> None:
    buffer = InputBuffer(pcm(rate_hz), None, 0, ids())
    samples = tone(200, rate_hz=rate_hz)
    began = push(buffer, samples)
    assert brief(began) == [("began", "i1", 0, False)]
    ended = buffer.commit()
    assert brief(ended) == [("ended", "i1", 200, 200, True)] and buffer.open_id is None
    assert len(sounds([*began, *ended])) == len(samples) * 16_000 // rate_hz
    assert brief(push(buffer, samples)) == [("began", "i2", 200, False)]


@pytest.mark.parametrize("by_client", [True, False])
def test_too_little_is_not_committed_and_not_lost(by_client: bool) -> None:
    buffer = InputBuffer(pcm(24_000), None if by_client else loud_turns(), 300, ids())
    for given_ms, says in ((0, "0.00"), (60, "60.00"), (39, "99.00")):
        push(buffer, sound("#" * 5, 24_000)[: given_ms * 24])
        with pytest.raises(ProtocolError) as caught:
            buffer.commit()
        assert caught.value.code == "input_audio_buffer_commit_empty"
        assert str(caught.value) == (
            "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, "
            f"but buffer only has {says}ms of audio."
        )
    push(buffer, sound("#", 24_000)[:24])
    assert brief(buffer.commit())[-1] == ("ended", "i1", 100, 100, True)


def test_a_commit_in_the_middle_of_speech_ends_it_and_the_count_goes_on() -> None:
    buffer = listening(24_000)
    samples = sound("." * 25 + "#" * 20, 24_000)
    assert near(push(buffer, samples[:-100]), [("began", "i1", 200, True)])
    ended = buffer.commit()
    assert near(ended, [("ended", "i1", 895, 695, True)])
    assert isinstance(ended[-1], TurnEnded) and ended[-1].speech
    got = push(buffer, sound("." * 25 + "#" * 20 + "." * 30, 24_000))
    assert near(got, [("began", "i2", 1095, True), ("ended", "i2", 2295, 1200, False)])


def test_clear_forgets_the_turn_and_keeps_the_count() -> None:
    client = counted()
    push(client, sound("#" * 10)[:-5])
    assert brief(client.clear()) == [("forgotten", "i1")] and client.clear() == []
    assert brief(push(client, sound("#"))) == [("began", "i2", 199, False)]
    buffer = listening()
    for cleared in range(5):
        push(buffer, sound("." * 24)[:-3])
        assert buffer.clear() == [], cleared
    push(buffer, sound("." * 10 + "#" * 10)[:-1])
    assert brief(buffer.clear()) == [("forgotten", "i1")]
    for _ in range(50):
        push(buffer, sound(".")[:-160])
        buffer.clear()
    assert near(push(buffer, sound("." * 25 + "#" * 5)), [("began", "i2", 5 * 480 + 400 + 500 + 200, True)])


@pytest.mark.parametrize("data", [b"\x00", b"\x00" * 321])
def test_an_odd_number_of_bytes_is_refused_and_nothing_of_it_kept(data: bytes) -> None:
    buffer = counted()
    with pytest.raises(ProtocolError) as caught:
        buffer.append(data)
    assert (caught.value.code, caught.value.param) == ("invalid_value", "audio")
    assert buffer.open_id is None and buffer.append(b"") == []


def test_a_client_cannot_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_TURN_S", 1)
    buffer = counted()
    push(buffer, sound("#" * 49))
    for _ in range(2):
        with pytest.raises(ProtocolError) as caught:
            push(buffer, sound("##"))
        assert (caught.value.code, caught.value.param) == ("input_audio_buffer_full", "audio")
    push(buffer, sound("#"))
    assert brief(buffer.commit()) == [("ended", "i1", 1000, 1000, True)]
    assert brief(push(buffer, sound("#" * 49))) == [("began", "i2", 1000, False)]


def test_a_turn_without_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_TURN_S", 1)
    got = brief(push(listening(), sound("#" * 120 + "." * 40)))
    assert got[:2] == [("began", "i1", 0, True), ("ended", "i1", 1000, 1000, False)]
    assert [one[0] for one in got] == ["began", "ended"] * 3


def test_while_nobody_speaks_little_is_kept() -> None:
    buffer = listening()
    for _ in range(20):
        push(buffer, sound(QUIET))
    assert brief(buffer.commit()) == [("began", "i1", 19_100, False), ("ended", "i1", 20_000, 900, True)]


def test_another_rate_in_the_middle_of_a_turn() -> None:
    buffer = InputBuffer(pcm(24_000), None, 0, ids())
    push(buffer, sound("#" * 10, 24_000)[:-77])
    buffer.configure(pcm(48_000), None, 0)
    push(buffer, sound("#" * 10, 48_000))
    [ended] = buffer.commit()[-1:]
    assert isinstance(ended, TurnEnded) and abs(len(ended.samples) - (6_400 - 51)) <= 1
    with pytest.raises(ProtocolError, match=r"only has 0\.00ms"):
        buffer.commit()


@pytest.mark.parametrize("name", [PCMU, PCMA])
@pytest.mark.parametrize("by_client", [True, False])
def test_a_telephones_turns_are_those_of_pcm(name: str, by_client: bool) -> None:
    pattern = "." * 25 + "#" * 20 + "." * 30
    law = Encoding(name, 8_000)
    samples = law.decode(law.encode(sound(pattern, 8_000)))
    buffers = [InputBuffer(form, None if by_client else loud_turns(), 300, ids()) for form in (law, pcm(8_000))]
    told = [
        [event for piece in np.split(samples, [777]) for event in buffers[n].append(form.encode(piece))]
        for n, form in enumerate((law, pcm(8_000)))
    ]
    if by_client:
        told = [[*events, *buffer.commit()] for events, buffer in zip(told, buffers, strict=True)]
    assert brief(told[0]) == brief(told[1]) and len(brief(told[0])) == 2
    assert np.array_equal(sounds(told[0]), sounds(told[1]))


@pytest.mark.parametrize("name", [PCMU, PCMA])
def test_a_hundred_ms_are_a_hundred_ms_by_telephone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_TURN_S", 1)
    buffer = InputBuffer(Encoding(name, 8_000), None, 0, ids())
    buffer.append(bytes(799))
    with pytest.raises(ProtocolError, match=r"only has 99\.88ms"):
        buffer.commit()
    buffer.append(bytes(1))
    assert brief(buffer.commit()) == [("ended", "i1", 100, 100, True)]
    buffer.append(bytes(8_000))
    with pytest.raises(ProtocolError, match="it holds 1 s"):
        buffer.append(bytes(1))


def test_another_format_in_the_middle_of_a_turn_loses_nothing() -> None:
    forms = [Encoding(PCMU, 8_000), pcm(24_000), Encoding(PCMA, 8_000), pcm(8_000), Encoding(PCMU, 8_000)]
    buffer = InputBuffer(forms[0], None, 0, ids())
    for form in forms:
        assert not any(isinstance(event, TurnEnded | TurnForgotten) for event in buffer.configure(form, None, 0))
        buffer.append(form.encode(tone(77, rate_hz=form.rate_hz)))
    [ended] = buffer.commit()[-1:]
    assert isinstance(ended, TurnEnded) and abs(len(ended.samples) - 5 * 77 * 16) <= len(forms)
    # A wrong law would make noise of a fifth of it.
    body = ended.samples.astype(float)
    spectrum = np.abs(np.fft.rfft(body * np.hanning(len(body)))) ** 2
    peak = int(np.argmax(spectrum))
    assert spectrum[peak - 20 : peak + 21].sum() > 0.9 * spectrum.sum()


def test_a_clients_turn_is_forgotten_when_a_detector_takes_over() -> None:
    buffer = counted()
    push(buffer, sound("#" * 30))
    assert brief(buffer.configure(pcm(16_000), loud_turns(), 300)) == [("forgotten", "i1")]
    turns = [("began", "i2", 800, True), ("ended", "i2", 2000, 1200, False)]
    assert near(push(buffer, sound("." * 25 + "#" * 20 + "." * 30)), turns)


def test_a_detectors_turn_is_the_clients_to_end_when_it_takes_over() -> None:
    buffer = listening()
    push(buffer, sound("." * 25 + "#" * 20))
    assert buffer.configure(pcm(16_000), None, 0) == []
    push(buffer, sound("." * 100))
    assert near(buffer.commit(), [("ended", "i1", 2900, 2700, True)])


def test_a_turn_that_another_detector_has_begun_ends_when_one_takes_over() -> None:
    buffer = listening()
    push(buffer, sound("." * 25 + "#" * 20))
    buffer.configure(pcm(16_000), None, 0)
    ended = buffer.configure(pcm(16_000), loud_turns(), 300)
    assert near(ended, [("ended", "i1", 900, 700, False)]) and buffer.open_id is None


def test_the_silence_before_is_not_the_clients_turn() -> None:
    buffer = listening()
    push(buffer, sound(QUIET))
    assert buffer.configure(pcm(16_000), None, 0) == []
    with pytest.raises(ProtocolError, match=r"only has 0\.00ms"):
        buffer.commit()
    assert brief(push(buffer, sound("##"))) == [("began", "i1", 1000, False)]


def test_the_same_detector_goes_on_with_other_settings() -> None:
    buffer = listening()
    push(buffer, sound("." * 25 + "#" * 20))
    assert buffer.detector is not None
    detector = buffer.detector
    assert buffer.configure(pcm(16_000), detector, 100) == [] and buffer.detector is detector
    assert near(push(buffer, sound("." * 30)), [("ended", "i1", 1400, 1200, False)])
