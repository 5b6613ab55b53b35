"""Where the keys of a TOML text stand."""

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.policy.places import Path, places

TEXT = '''# [[fault]] in a comment
seed = 7
title = """
[[fault]]
do = 1
"""

[[fault]]
do = "close # [[fault]]"
on = {event = "a", index = 7}   # in = {a = 1}

[[fault]]
  do = 'x'
[fault.on]
event = "b"
"two words".deep = [
  -1.5e3,
  {inner = 2, when = 1979-05-27 07:32:00},
]
[[fault.more]]
a = 1
[[fault.more]]
a = 2
[other . table]
"\\u0061b" = 3
'''

LINES: list[tuple[Path, int]] = [
    (("seed",), 2),
    (("title",), 3),
    (("fault", 0), 8),
    (("fault", 0, "do"), 9),
    (("fault", 0, "on"), 10),
    (("fault", 0, "on", "event"), 10),
    (("fault", 0, "on", "index"), 10),
    (("fault", 1), 12),
    (("fault", 1, "do"), 13),
    (("fault", 1, "on"), 14),
    (("fault", 1, "on", "event"), 15),
    (("fault", 1, "on", "two words"), 16),
    (("fault", 1, "on", "two words", "deep"), 16),
    (("fault", 1, "on", "two words", "deep", 0), 17),
    (("fault", 1, "on", "two words", "deep", 1), 18),
    (("fault", 1, "on", "two words", "deep", 1, "inner"), 18),
    (("fault", 1, "more", 0, "a"), 21),
    (("fault", 1, "more", 1), 22),
    (("fault", 1, "more", 1, "a"), 23),
    (("other", "table", "ab"), 25),
]


@pytest.mark.parametrize(("path", "line"), LINES)
def test_the_line_of_a_key(path: Path, line: int) -> None:
    assert places(TEXT)[path] == line


def paths(value: Any, path: Path = ()) -> list[Path]:
    """Every way into what was read."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, inner in pairs for found in ((*path, key), *paths(inner, (*path, key)))]


def test_every_key_that_was_read_has_a_place_and_nothing_else_has() -> None:
    assert set(places(TEXT)) == set(paths(tomllib.loads(TEXT)))


@settings(max_examples=150, derandomize=True, deadline=None)
@given(st.text(alphabet="ab1[]{}=,.#\"'\\\n \ud55c", max_size=60))
def test_any_text_is_borne(text: str) -> None:
    lines = text.count("\n") + 1
    found = places(text)
    assert all(1 <= line <= lines for line in found.values())
    try:
        read = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert set(paths(read)) == set(found)
