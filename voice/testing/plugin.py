"""The pytest plugin: the fixture `voice_twin`, its marker and its option."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from voice.testing.standing import VoiceTwin

COMPLAIN = "voice_twin_complain"
MARKER = "voice_twin(script=None, faults=None, *, life_s=3600, hurry=False, dialect=None, complain=None): what the twin of this test does"
FILES = ("script", "faults")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of pytest.ini and pyproject.toml."""
    what = "a test with the fixture voice_twin fails if a scripted reply was not used, or a fault has not happened (default: no)"
    parser.addini(COMPLAIN, what, type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARKER)


@pytest.fixture
def voice_twin(request: pytest.FixtureRequest) -> "Iterator[VoiceTwin]":
    """A double of the Realtime service on a free port of this machine; `@pytest.mark.voice_twin(script=..., faults=...)` says what it does."""
    # Only here: whoever has no use for it does not wait for it.
    from voice.errors import VoiceError
    from voice.testing.standing import twin_of

    marker = request.node.get_closest_marker("voice_twin")
    wanted = dict(marker.kwargs) if marker is not None else {}
    if marker is not None:
        wanted |= dict(zip(FILES, marker.args, strict=False))
    complain = wanted.pop("complain", None)
    for name in FILES:
        if isinstance(path := wanted.get(name), Path):
            # As people mean it who write it into a test file.
            wanted[name] = request.path.parent / path
    failed = request.session.testsfailed
    try:
        standing = twin_of(**wanted)
    except (VoiceError, TypeError) as exc:
        pytest.fail(f"voice_twin: {exc}", pytrace=False)
    with standing:
        yield standing
        if (request.config.getini(COMPLAIN) if complain is None else complain) and request.session.testsfailed == failed:
            try:
                standing.complain()
            except AssertionError as exc:
                pytest.fail(f"voice_twin: {exc}", pytrace=False)
