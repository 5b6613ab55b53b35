"""Which slow tests run beside each other: any two, but no two that play through the virtual sound cards.

Those play in real time and listen to themselves: another one beside them takes the moments away in which they have to answer. (xdist's own
groups are marks that it finds in the names of tests; with pytest 9 it does not.)
"""

import functools
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

CARDS = "sound cards"


@functools.cache
def has_cards(path: Path) -> bool:
    """Whether a file's tests play through the virtual sound cards."""
    return "from tests.support.virtual_audio import" in path.read_text("utf-8")


def together(root: Path, name: str) -> str:
    """The same for two tests that go to one worker. `name`: tests/test_x.py::test_y"""
    return CARDS if has_cards(root / name.partition("::")[0]) else name


class OneAtTheCards(LoadScopeScheduling):
    """Tests go to whoever is free, those with sound cards to one worker."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        self._root = config.rootpath

    def _split_scope(self, nodeid: str) -> str:
        return together(self._root, nodeid)
