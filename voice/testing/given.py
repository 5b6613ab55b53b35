"""What a test gives a twin: TOML as text, the path of a file, or objects of the program, for scripts and for faults alike."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from voice.engines import script as scripts
from voice.engines.script import default_script, load_script, read_script
from voice.policy import faults as policy
from voice.policy.faults import FaultPlan, read_faults

Given = str | os.PathLike[str] | Mapping[str, Any] | Sequence[Mapping[str, Any]] | None
Script = Given | scripts.Script
"""A list is that of the replies, a mapping the whole file."""
Faults = Given | FaultPlan
"""A list is that of the faults, a mapping the whole file."""


def script_of(given: Script) -> scripts.Script:
    """Raises: ConfigError."""
    match given:
        case None:
            return default_script()
        case scripts.Script():
            return given
        case os.PathLike():
            return load_script(Path(given))
        case str():
            return read_script(given, "script")
        case _:
            return read_script(_whole(given, "reply"), "script")


def faults_of(given: Faults) -> FaultPlan:
    """Raises: ConfigError."""
    match given:
        case None:
            return FaultPlan()
        case FaultPlan():
            return given
        case os.PathLike():
            return scripts.load_faults(Path(given))
        case str():
            return read_faults(given, "faults")
        case _:
            return policy.faults_of(_whole(given, "fault"))


def _whole(given: Mapping[str, Any] | Sequence[Mapping[str, Any]], entry: str) -> Mapping[str, Any]:
    return given if isinstance(given, Mapping) else {entry: list(given)}
