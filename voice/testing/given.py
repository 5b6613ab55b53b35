"""What a test gives a twin: TOML as text, the path of a file, or objects of the program, for scripts and for faults alike."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from voice.engines import script as scripts
from voice.engines.script import default_script, load_script, read_script, toml_text
from voice.errors import UsageError
from voice.policy import faults as policy
from voice.policy.faults import FaultPlan, read_faults

Given = str | os.PathLike[str] | Mapping[str, Any] | Sequence[Mapping[str, Any]] | None
Script = Given | scripts.Script
"""A list is that of the replies, a mapping the whole file."""
Faults = Given | FaultPlan
"""A list is that of the faults, a mapping the whole file."""


def script_of(given: Script) -> scripts.Script:
    """Raises: ConfigError, UsageError."""
    match given:
        case None:
            return default_script()
        case scripts.Script():
            return given
        case os.PathLike():
            return load_script(Path(given))
        case str():
            return read_script(toml_text(given, "script"), "script")
        case _:
            return read_script(_whole(given, "script", "reply"), "script")


def faults_of(given: Faults) -> FaultPlan:
    """Raises: ConfigError, UsageError."""
    match given:
        case None:
            return FaultPlan()
        case FaultPlan():
            return given
        case os.PathLike():
            return scripts.load_faults(Path(given))
        case str():
            return read_faults(toml_text(given, "faults"), "faults")
        case _:
            return policy.faults_of(_whole(given, "faults", "fault"))


def checked_dialect(given: object) -> None:
    """Raises: UsageError for what is no name at all."""
    if given is not None and not isinstance(given, str):
        raise UsageError(f"dialect is a name, not {given!r:.80}")


def _whole(given: Mapping[str, Any] | Sequence[Mapping[str, Any]], what: str, entry: str) -> Mapping[str, Any]:
    """Raises: UsageError."""
    if isinstance(given, Mapping):
        return given
    if isinstance(given, bytes | bytearray | set | frozenset) or not isinstance(given, Iterable):
        forms = f"TOML as text, the Path of a file, a list of {'replies' if entry == 'reply' else 'faults'}, or a whole file as a mapping"
        raise UsageError(f"{what} is {forms}, not {given!r:.80}")
    return {entry: list(given)}
