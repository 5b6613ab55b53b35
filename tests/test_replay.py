"""Replays with the engine's places played by fakes: what is reported, in virtual time and in real time."""

import asyncio
import errno
import io
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.support.fakes import FakeResponder, FakeSynthesizer, FakeTranscriber
from tests.support.wav import write_wav
from voice.engines.local import LocalEngine, LocalOptions
from voice.errors import LinkClosed, UsageError
from voice.links.base import Link
from voice.replay import ReplayOptions, VirtualClock, replay

ROOT = Path(__file__).resolve().parent.parent
ONE = str(ROOT / "fixtures/wav/time-slt.wav")
TWO = str(ROOT / "fixtures/wav/two-turns.wav")
SILENCE = str(ROOT / "fixtures/wav/quiet/silence-1s.wav")


class Taken:
    """A report that keeps what it is given."""

    def __init__(self) -> None:
        self.lines: list[dict[str, object]] = []
        self.notes: list[str] = []

    def result(self, line: dict[str, object]) -> None:
        self.lines.append(line)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def progress(self, file: str, done_ms: int, total_ms: int) -> None:
        assert 0 <= done_ms <= total_ms + 20

    @property
    def turns(self) -> list[dict[str, object]]:
        return [line for line in self.lines if line["event"] == "turn"]

    @property
    def summary(self) -> dict[str, object]:
        assert [line["event"] for line in self.lines].index("summary") == len(self.lines) - 1
        return self.lines[-1]


def engine_of(transcriber: FakeTranscriber) -> Callable[..., object]:
    @asynccontextmanager
    async def make(options: LocalOptions) -> AsyncGenerator[LocalEngine, None]:
        yield LocalEngine(transcriber, FakeSynthesizer(), FakeResponder, options)

    return make


async def run(*files: str, transcriber: FakeTranscriber | None = None, **settings: object) -> Taken:
    taken = Taken()
    options = replace(ReplayOptions(files), **settings)  # type: ignore[arg-type]
    async with asyncio.timeout(30):
        assert await replay(options, taken, engine_of(transcriber or FakeTranscriber()))  # type: ignore[arg-type]
    return taken


def check_frames(summary: dict[str, object]) -> None:
    discarded = summary["frames_discarded"]
    assert isinstance(discarded, dict)
    assert summary["frames_captured"] == summary["frames_committed"] + sum(discarded.values()) + summary["frames_lost"]  # type: ignore[operator]
    assert summary["frames_lost"] == 0


@pytest.mark.parametrize("turns", ["server", "client"])
async def test_each_turn_is_told_with_its_words_and_times(turns: str) -> None:
    taken = await run(ONE, TWO, turns=turns)
    assert [turn["index"] for turn in taken.turns] == [0, 1, 2]
    assert [turn["file"] for turn in taken.turns] == [ONE, TWO, TWO]
    assert [turn["status"] for turn in taken.turns] == ["completed"] * 3
    for turn in taken.turns:
        assert str(turn["user_text"]).startswith("heard ")
        assert turn["first_audio_ms"] is None and turn["waterfall"] == {"turn_ms": None, "delta_ms": None, "sound_ms": None}
        assert turn["reply_ms"] == 200 * len(str(turn["assistant_text"]).split())
        assert 0 <= turn["speech_started_ms"] < turn["speech_stopped_ms"]  # type: ignore[operator]
    length_ms = soundfile.info(ONE).duration * 1000
    assert taken.turns[0]["speech_stopped_ms"] <= length_ms  # type: ignore[operator]
    check_frames(taken.summary)
    assert taken.summary["turns"] == 3 and taken.summary["errors"] == []


async def test_server_and_client_turns_have_the_same_edges() -> None:
    server, client = await run(TWO), await run(TWO, turns="client")
    for ours, theirs in zip(server.turns, client.turns, strict=True):
        for edge in ("speech_started_ms", "speech_stopped_ms"):
            assert abs(ours[edge] - theirs[edge]) <= 20  # type: ignore[operator]


async def test_two_runs_are_equal_to_the_byte(tmp_path: Path) -> None:
    outputs = []
    for name in ("a", "b"):
        taken = await run(ONE, TWO, out=tmp_path / name, start_wall_s=1_700_000_000.0)
        files = sorted(path.name for path in (tmp_path / name).iterdir())
        outputs.append((taken.lines, files, [(tmp_path / name / file).read_bytes() for file in files]))
    assert outputs[0] == outputs[1]
    assert outputs[0][1] == ["reply-000.wav", "reply-001.wav", "reply-002.wav", "reply.wav", "trace.jsonl"]


async def test_replies_are_24_khz_mono_and_the_trace_has_the_agreed_form(tmp_path: Path) -> None:
    taken = await run(ONE, out=tmp_path)
    for name in ("reply-000.wav", "reply.wav"):
        info = soundfile.info(tmp_path / name)
        assert (info.samplerate, info.channels, info.subtype) == (24_000, 1, "PCM_16")
        assert abs(info.frames - 24 * int(str(taken.turns[0]["reply_ms"]))) < 24
    assert np.abs(soundfile.read(tmp_path / "reply.wav")[0]).max() > 0.1
    lines = [json.loads(line) for line in (tmp_path / "trace.jsonl").read_text("utf-8").splitlines()]
    assert {frozenset(line) for line in lines} == {frozenset({"t", "dir", "link", "event"})}
    assert {line["dir"] for line in lines} == {"up", "down"} and {line["link"] for line in lines} == {1}
    times = [line["t"] for line in lines]
    assert times == sorted(times) and 0 <= times[0] < 0.1


@pytest.mark.parametrize("turns", ["server", "client"])
async def test_nobody_speaks(turns: str) -> None:
    taken = await run(SILENCE, turns=turns)
    assert taken.turns == [] and taken.summary["turns"] == 0
    assert taken.summary["audio_in_ms"] == 1000
    assert taken.summary["frames_committed"] == 0
    check_frames(taken.summary)


async def test_a_recogniser_that_dies_costs_an_apology_not_the_conversation() -> None:
    transcriber = FakeTranscriber()
    transcriber.deaf = True
    taken = await run(ONE, transcriber=transcriber)
    assert taken.turns[0]["user_text"] == ""
    assert "Sorry" in str(taken.turns[0]["assistant_text"]) and taken.turns[0]["status"] == "completed"


async def test_an_unreadable_file_stops_it_before_anything_is_played(tmp_path: Path) -> None:
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    with pytest.raises(UsageError, match=r"broken\.wav"):
        await run(ONE, str(tmp_path / "broken.wav"), out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


async def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="--out"):
        await run(ONE, out=tmp_path / "file")


async def test_a_truncated_file_is_played_as_far_as_it_goes() -> None:
    taken = await run(str(ROOT / "fixtures/wav/broken/truncated.wav"))
    assert len(taken.notes) == 1 and "truncated.wav" in taken.notes[0]


async def test_speech_to_the_last_sample_is_a_turn(tmp_path: Path) -> None:
    samples, rate_hz = soundfile.read(ONE, dtype="int16")
    loud = np.flatnonzero(np.abs(samples) > 1000)
    write_wav(tmp_path / "bare.wav", samples[loud[0] : loud[-1]], rate_hz)
    taken = await run(str(tmp_path / "bare.wav"))
    assert len(taken.turns) == 1 and taken.turns[0]["status"] == "completed"


class LateLink:
    """A link whose words arrive some rounds of the event loop later: a server that is further away."""

    def __init__(self, link: Link, rounds: int) -> None:
        self._link = link
        self._rounds = rounds

    async def send(self, text: str) -> None:
        for _ in range(self._rounds):
            await asyncio.sleep(0)
        await self._link.send(text)

    async def receive(self) -> str | bytes:
        return await self._link.receive()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        await self._link.close(code, reason)


@dataclass(frozen=True)
class FarEngine:
    """Answers over a `LateLink`."""

    near: LocalEngine
    rounds: int

    async def serve(self, link: Link) -> LinkClosed:
        return await self.near.serve(LateLink(link, self.rounds))


@pytest.mark.parametrize("turns", ["server", "client"])
async def test_a_server_further_away_gets_the_same_sound(turns: str) -> None:
    async def at(rounds: int) -> list[dict[str, object]]:
        @asynccontextmanager
        async def make(options: LocalOptions) -> AsyncGenerator[FarEngine, None]:
            yield FarEngine(LocalEngine(FakeTranscriber(), FakeSynthesizer(), FakeResponder, options), rounds)

        taken = Taken()
        async with asyncio.timeout(30):
            assert await replay(ReplayOptions((ONE, TWO), turns=turns), taken, make)
        return taken.lines

    near = await at(0)
    assert len(near) == 4
    assert await at(7) == near
    assert await at(100) == near


class FullDisk(io.StringIO):
    """An open file whose last lines do not fit."""

    def close(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


async def test_a_disk_that_is_full_at_the_end_is_said_with_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "open", lambda *_, **__: FullDisk())
    with pytest.raises(UsageError, match=f"cannot write to '{tmp_path}': No space left on device; give another --out"):
        await run(ONE, out=tmp_path)


async def test_a_link_that_breaks_is_said_and_costs_no_turn() -> None:
    class Cutting:
        """An engine whose first link breaks when the first answer has come."""

        def __init__(self, engine: LocalEngine) -> None:
            self._engine = engine
            self._links = 0

        async def serve(self, link: Link) -> LinkClosed:
            self._links += 1
            return await self._engine.serve(_Brittle(link) if self._links == 1 else link)

    class _Brittle:
        def __init__(self, link: Link) -> None:
            self._link = link

        async def send(self, text: str) -> None:
            await self._link.send(text)
            if '"rate_limits.updated"' in text:
                await self._link.close(1006, "cut")

        async def receive(self) -> str | bytes:
            return await self._link.receive()

        async def close(self, code: int = 1000, reason: str = "") -> None:
            await self._link.close(code, reason)

    @asynccontextmanager
    async def make(options: LocalOptions) -> AsyncGenerator[Cutting, None]:
        yield Cutting(LocalEngine(FakeTranscriber(), FakeSynthesizer(), FakeResponder, options))

    taken = Taken()
    async with asyncio.timeout(30):
        assert await replay(ReplayOptions([ONE, TWO]), taken, make)
    assert [turn["status"] for turn in taken.turns] == ["completed"] * 3
    assert taken.summary["reconnects"] == 1
    check_frames(taken.summary)
    assert [note.split(" (")[0] for note in taken.notes] == ["the link is lost", "the session goes on over a new link"]


@pytest.mark.slow
async def test_real_time_measures_the_wait() -> None:
    taken = await run(ONE, realtime=True)
    # 500 ms of silence end the turn; the fakes answer at once.
    (turn,) = taken.turns
    turn_ms, delta_ms, sound_ms = turn["waterfall"].values()  # type: ignore[attr-defined]
    assert 480 <= turn_ms <= delta_ms <= sound_ms == turn["first_audio_ms"] <= 800


def test_virtual_time_is_the_sound_pushed() -> None:
    clock = VirtualClock(1000.0)
    assert (clock.now(), clock.wall_s()) == (0.0, 1000.0)
    clock.position_ms = lambda: 1500
    assert (clock.now(), clock.wall_s()) == (1.5, 1001.5)
