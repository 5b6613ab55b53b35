"""What the recogniser's decoders tell of sounds and sentences."""

import numpy as np

from tests.support.needs import needs
from voice.audio.pcm import RATE_HZ, to_bytes

pytestmark = needs("pocketsphinx")


def test_how_often_a_sentence_ends_where_it_does() -> None:
    from voice.workers.decoders import Models

    general = Models("#JSGF V1.0;\ngrammar test;\npublic <top> = yes | no;\n").general
    whole, begun = (
        [general.ending(text.split()) for text in texts.split("|")]
        for texts in (
            "i would like to buy a ticket to london|tell me a joke|how are you|he left the house|it is very cold",
            "i would like to buy a ticket to|tell me a|how are|he left the|it is very",
        )
    )
    assert all(0 <= chance <= 1 for chance in [*whole, *begun]) and general.ending([]) == 0.0
    assert min(whole) > 2 * max(begun)
    assert 0 <= general.ending(["xyzzy"]) <= 1


def test_digital_silence_has_a_mean_that_speech_can_be_heard_with() -> None:
    from voice.workers.decoders import Models

    models = Models("#JSGF V1.0;\ngrammar test;\npublic <top> = yes | no;\n")
    for audio in (b"", b"\0\0", bytes(2 * RATE_HZ)):
        assert models.mean(audio).split(",")[:3] == ["41", "-5", "-1"]
    time_s = np.arange(RATE_HZ) / RATE_HZ
    tone = np.rint(9000 * np.sin(2 * np.pi * 300 * time_s) * (time_s > 0.3)).astype(np.int16)
    means = [float(part) for part in models.mean(to_bytes(tone)).split(",")]
    assert len(means) == 13 and np.isfinite(means).all()
