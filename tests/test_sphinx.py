"""The recogniser's child from the inside: cutting, parts, and what it tells of an utterance."""

import io
import queue
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.support.needs import needs
from voice.audio.pcm import RATE_HZ, Samples, from_bytes, to_bytes

pytestmark = needs("pocketsphinx")


class FakeSearch:
    """Writes down what it is fed; answers with one word for each part."""

    def __init__(self, word: str) -> None:
        self.word = word
        self.parts: list[list[bytes]] = []
        self.open = False

    def start(self, mean: str) -> None:
        assert mean == "a mean"
        self.open = True
        self.parts.append([])

    def feed(self, block: bytes) -> None:
        if self.open:
            self.parts[-1].append(block)

    def stop(self) -> tuple[list[str], float]:
        was_open, self.open = self.open, False
        return ([f"{self.word}{len(self.parts)}"], 0.5) if was_open else ([], 1.0)

    def so_far(self) -> list[str]:
        return [f"{self.word}{len(self.parts)}~{len(self.parts[-1])}"] if self.open else []

    def ending(self, words: list[str]) -> float:
        return 0.25

    def phones(self, words: list[str]) -> list[list[str]]:
        return [list(word) for word in words]


class FakeModels:
    def __init__(self) -> None:
        self.general = FakeSearch("g")
        self.commands = FakeSearch("c")
        self.heads: list[int] = []
        self.paths = self

    def whole(self, words: list[str]) -> bool:
        return bool(words)

    def mean(self, audio: bytes) -> str:
        self.heads.append(len(audio) // 2)
        return "a mean"


def tone(duration_s: float, level: int = 9000) -> Samples:
    """Clean by measure: loud, with true silence in each second."""
    time_s = np.arange(int(duration_s * RATE_HZ)) / RATE_HZ
    samples: Samples = np.rint(level * np.sin(2 * np.pi * 300 * time_s) * (time_s % 1 > 0.3)).astype(np.int16)
    return samples


def run(audio: bytes, sizes: tuple[int, ...]) -> tuple[FakeModels, dict[str, Any]]:
    from voice.workers.sphinx import Ear

    models = FakeModels()
    ear = Ear(models)  # type: ignore[arg-type]
    start, step = 0, 0
    while start < len(audio):
        size = sizes[step % len(sizes)]
        for _ in ear.feed(audio[start : start + size]):
            pass
        start, step = start + size, step + 1
    for _ in ear.finish():
        pass
    return models, ear.evidence()


@pytest.fixture(params=[(3200,), (1, 10_001), (64_000,)], ids=str)
def sizes(request: pytest.FixtureRequest) -> Iterator[tuple[int, ...]]:
    yield request.param


def test_both_searches_get_all_the_audio_in_the_same_blocks(sizes: tuple[int, ...]) -> None:
    from voice.workers.sphinx import LEAD

    audio = to_bytes(tone(2.345))
    models, evidence = run(audio, sizes)
    assert models.heads == [RATE_HZ * 13 // 10]
    assert models.general.parts == models.commands.parts
    (blocks,) = models.general.parts
    assert b"".join(blocks) == to_bytes(LEAD) + audio
    assert [len(block) // 2 for block in blocks] == [1600] * 24 + [720]
    assert evidence["words"] == ["g1"] and evidence["command_words"] == ["c1"]
    assert evidence["phones"] == [["g", "1"]] and evidence["command_phones"] == ["c", "1"]


def test_a_short_utterance_is_its_own_head(sizes: tuple[int, ...]) -> None:
    models, evidence = run(to_bytes(tone(0.4)), sizes)
    assert models.heads == [8000] and evidence["words"] == ["g1"]
    assert sum(map(len, models.general.parts[0])) == 16_000


@pytest.mark.parametrize(
    ("loud", "want_blocks"),
    [
        ("############.........", 14),
        ("..######....#########", 10),
        ("..##########..##.....", 14),
        ("..########.##.##..###", 15),
        (".................", 15),
        ("#################", 15),
        ("..####", None),
    ],
)
@pytest.mark.parametrize("noise", [0, 300])
def test_the_head_ends_in_a_pause_after_speech_or_when_it_is_long_enough(loud: str, want_blocks: int | None, noise: int) -> None:
    from voice.workers.sphinx import BLOCK_SAMPLES, Head

    head, hiss = Head(), np.random.default_rng(3).normal(0, noise, BLOCK_SAMPLES)
    ended = [head.push(np.rint(hiss + 6000 * (mark == "#") * np.sin(np.arange(BLOCK_SAMPLES) / 5)).astype(np.int16)) for mark in loud]
    assert (ended.index(True) + 1 if True in ended else None) == want_blocks
    assert len(head.samples()) == len(loud) * BLOCK_SAMPLES


def test_no_audio_no_words(sizes: tuple[int, ...]) -> None:
    for audio in (b"", b"\1"):
        models, evidence = run(audio, sizes)
        assert evidence["words"] == evidence["command_words"] == [] and evidence["sure"] == 0.0
        assert models.general.parts == []


def test_noise_is_taken_out_and_every_sample_kept(sizes: tuple[int, ...]) -> None:
    noise = np.rint(np.random.default_rng(2).normal(0, 800, 3 * RATE_HZ)).astype(np.int16)
    models, evidence = run(to_bytes(tone(3.0) // 2 + noise), sizes)
    heard = from_bytes(b"".join(models.general.parts[0]))
    assert len(heard) == 3 * RATE_HZ and evidence["snr_db"] < 30
    gap = slice(2 * RATE_HZ + 1000, 2 * RATE_HZ + 4000)
    assert np.std(heard[gap]) < 0.4 * np.std(noise[gap])


def test_a_long_utterance_is_ended_in_parts_at_pauses_and_is_no_command(sizes: tuple[int, ...]) -> None:
    audio = to_bytes(tone(35.0))
    models, evidence = run(audio, sizes)
    assert evidence["words"] == ["g1", "g2", "g3"] and evidence["command_words"] == [] and evidence["sure"] == 0.5
    lengths = [sum(map(len, part)) / 2 / RATE_HZ for part in models.general.parts]
    assert lengths == pytest.approx([15.1, 15.1, 4.9], abs=0.21)
    assert b"".join(block for part in models.general.parts for block in part).endswith(audio)


def test_without_a_pause_a_part_ends_all_the_same(sizes: tuple[int, ...]) -> None:
    hum = np.rint(5000 * np.sin(np.arange(32 * RATE_HZ) / 5)).astype(np.int16)
    models, _ = run(to_bytes(hum), sizes)
    assert [round(sum(map(len, part)) / 2 / RATE_HZ) for part in models.general.parts] == [30, 2]


@pytest.mark.parametrize("noise", [0, 800])
def test_behind_a_part_another_child_goes_on_as_if_nothing_had_happened(noise: int, sizes: tuple[int, ...]) -> None:
    from voice.workers.sphinx import Ear

    samples = tone(70.0) // 2 + np.rint(np.random.default_rng(2).normal(0, noise, 70 * RATE_HZ)).astype(np.int16)
    audio = to_bytes(samples)
    whole, want = run(audio, (3200,))
    assert len(whole.general.parts) >= 3
    parts, state, heard, words = [], b"", 0, 0
    for _ in range(10):
        models = FakeModels()
        models.general.parts = [[] for _ in range(words)]
        ear, part = Ear(models, state), None  # type: ignore[arg-type]
        for start in range(heard, len(audio), sizes[-1]):
            for _ in ear.feed(audio[start : start + sizes[-1]]):
                part = part or ear.part()
            if part is not None:
                break
        else:
            for _ in ear.finish():
                pass
        parts.append(models.general.parts[words])
        if part is None:
            break
        heard, state = part
        words += 1
    assert parts[-1] == whole.general.parts[-1] and len(parts) == len(whole.general.parts)
    assert all(part[: len(one)] == one for part, one in zip(parts, whole.general.parts, strict=True))
    assert ear.evidence() == want


@pytest.mark.parametrize("asked_at_s", [0.4, 1.3, 2.0, 17.0])
def test_a_question_in_the_middle_gets_what_was_decoded_and_changes_nothing(asked_at_s: float) -> None:
    from voice.workers.sphinx import Ear

    audio = to_bytes(tone(20.0))
    cut = int(asked_at_s * RATE_HZ) * 2 + 777
    models = FakeModels()
    ear = Ear(models)  # type: ignore[arg-type]
    for piece in (audio[:cut], audio[cut:]):
        list(ear.feed(piece))
        if piece == audio[:cut]:
            list(ear.look())
            told = ear.so_far()
            assert not (asked_at_s < 1.2 and (models.general.open or models.commands.open)), "a trial leaves nothing behind"
    list(ear.finish())
    plain, evidence = run(audio, (3200,))
    tried = 1 if asked_at_s < 1.2 else 0
    assert models.general.parts[tried:] == plain.general.parts and models.commands.parts[tried:] == plain.commands.parts
    assert {**ear.evidence(), "words": [], "phones": []} == {**evidence, "words": [], "phones": []}
    # Blocks of 100 ms that were decoded by then, and one of silence in front: while nothing was, all that there is.
    blocks = 1 + (-(-cut // 3200) if tried else cut // 3200)
    part, of_part = (2, blocks - 152) if asked_at_s > 15 else (1, blocks)
    assert told["words"] == (["g1"] if part == 2 else []) + [f"g{part}~{of_part}"] and told["ending"] == 0.25
    assert told["command_words"] == ([f"c1~{blocks}"] if part == 1 else []) and told["whole"] == (part == 1)
    assert told["sure"] == 0.5


def test_of_nothing_so_far_nothing_is_told() -> None:
    from voice.workers.sphinx import Ear

    ear = Ear(FakeModels())  # type: ignore[arg-type]
    list(ear.look())
    told = ear.so_far()
    assert told["words"] == told["command_words"] == [] and told["sure"] == 0.0


def test_the_desk_remembers_what_was_dropped_and_leaves_when_the_parent_hangs_up() -> None:
    from voice.workers.process import Frame, writer
    from voice.workers.sphinx import _Desk

    pipe = io.BytesIO()
    for frame in (Frame(1, "listen"), Frame(1, "drop"), Frame(2, "listen")):
        writer(pipe)(frame)
    pipe.seek(0)
    left: queue.SimpleQueue[int] = queue.SimpleQueue()
    desk = _Desk(pipe, left.put)
    assert [desk.take().kind for _ in range(3)] == ["listen", "drop", "listen"]
    assert not desk.wants(1) and desk.wants(2)
    assert left.get(timeout=10) == 0
