"""A twin for other people's tests: a local double of the Realtime service, scripted, strict, and able to misbehave. See docs/testing.md.

    def test_greeting(voice_twin):                             # in pytest: a fixture of the plugin
        voice_twin.script([{"say": "Hello."}])
        ...  # any client, at voice_twin.base_url or voice_twin.url

    with voice.testing.twin(script=[{"say": "Hello."}]) as twin:   # anywhere else
        ...

This module is loaded by every pytest where voice is installed: it imports nothing until a twin is wanted.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

TYPE_CHECKING = False
"""As `typing.TYPE_CHECKING`, without the import."""

if TYPE_CHECKING:
    from voice.testing.given import Faults, Script
    from voice.testing.standing import VoiceTwin


@contextmanager
def twin(
    script: "Script" = None,
    faults: "Faults" = None,
    *,
    life_s: float = 3600.0,
    hurry: bool = False,
    dialect: str | None = None,
) -> "Iterator[VoiceTwin]":
    """A twin on a free port of this machine, in a thread of its own, until the block ends.

    `script`, `faults`: TOML as text, the path of a file, or objects; None: it repeats what was typed, and nothing goes wrong. `life_s`: how
    long a session lives; `hurry`: the script's delays and paces are passed over; `dialect`: what it speaks (`voice twin --dialect`).
    Raises: ConfigError (with file, line and key), UsageError, MissingError.
    """
    from voice.testing.standing import twin_of

    with twin_of(script, faults, life_s=life_s, hurry=hurry, dialect=dialect) as standing:
        yield standing


if "pytest" in sys.modules:
    # Loaded as its plugin, or in its tests. Elsewhere pytest is not needed, and may not be there.
    from voice.testing.plugin import pytest_addoption as pytest_addoption
    from voice.testing.plugin import pytest_configure as pytest_configure
    from voice.testing.plugin import voice_twin as voice_twin
