"""The pytest plugin: the fixture `voice_twin`, its marker and its option."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from voice.testing.standing import VoiceTwin

COMPLAIN = "voice_twin_complain"
MARKER = "voice_twin(script=None, faults=None, *, life_s=3600, hurry=False, dialect=None, complain=None): what the twin of this test does"
FILES = ("script", "faults")
ARGUMENTS = (*FILES, "life_s", "hurry", "dialect", "complain")


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
    try:
        wanted = {} if marker is None else _wanted(marker)
    except VoiceError as exc:
        pytest.fail(f"voice_twin: {exc}", pytrace=False)
    complain = wanted.pop("complain", None)
    for name in FILES:
        if isinstance(path := wanted.get(name), Path):
            # As people mean it who write it into a test file.
            wanted[name] = request.path.parent / path
    failed = request.session.testsfailed
    try:
        standing = twin_of(**wanted)
    except VoiceError as exc:
        pytest.fail(f"voice_twin: {exc}", pytrace=False)
    with standing:
        yield standing
        if (request.config.getini(COMPLAIN) if complain is None else complain) and request.session.testsfailed == failed:
            try:
                standing.complain()
            except AssertionError as exc:
                pytest.fail(f"voice_twin: {exc}", pytrace=False)


def _wanted(marker: pytest.Mark) -> dict[str, Any]:
    """The arguments of a marker by their names. Raises: UsageError."""
    from voice.errors import UsageError
    from voice.policy.tables import near

    if len(marker.args) > len(FILES):
        raise UsageError(f"{len(marker.args)} arguments without a name: only {' and '.join(FILES)} may do without")
    wanted = dict(zip(FILES, marker.args, strict=False))
    for name, value in marker.kwargs.items():
        if name not in ARGUMENTS:
            raise UsageError(f"no argument '{name[:80]}'{near(name, ARGUMENTS)}")
        if name in wanted:
            raise UsageError(f"'{name}' is given twice: with its name and without")
        wanted[name] = value
    if (complain := wanted.get("complain")) is not None and not isinstance(complain, bool):
        raise UsageError(f"complain is True or False, not {complain!r:.80}")
    return wanted
