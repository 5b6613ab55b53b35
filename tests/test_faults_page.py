"""docs/faults.md does what it says: each file of faults gives what stands below it, twice the same, and the tables name what there is."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

import voice
from tests.support.fault_plays import DELTA, Play
from tests.support.wire import Wire
from voice.links.dial import dial
from voice.policy.deeds import DEEDS, Garbage
from voice.policy.faultfile import _ON, _WHEN
from voice.policy.faults import read_faults

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "faults.md").read_text("utf-8")
(SCRIPT,) = re.findall(r"```toml\n(.*?)```\n\n\*You\*", PAGE, re.S)
EXAMPLES = re.findall(r"```toml\n((?:(?!```).)*?)```\n\n(?:\([^)]*\)\n\n)?```text\n(.*?)```", PAGE, re.S)
Trace = list[list[Any]]


def name(example: tuple[str, str]) -> str:
    return "-".join(re.findall(r'(?:do|kind) = "(\w+)"', example[0]))


@pytest.fixture(scope="module")
def words() -> dict[str, str]:
    """What each piece of the script's sound says."""

    async def listen() -> list[str]:
        async with asyncio.timeout(30), voice.twin(SCRIPT) as twin:
            wire = Wire(await dial(twin.url))
            await wire.type("hello")
            await wire.until("response.done")
            await wire.link.close()
            return [event["delta"] for event in wire.of(DELTA)]

    say = re.search(r'say = "(.*)\."', SCRIPT)
    assert say is not None
    told = dict(zip(asyncio.run(listen()), say[1].lower().split(), strict=True))
    assert len(told) == 8, "each word has a sound of its own"
    return told


async def run(faults: str, play: str, words: dict[str, str]) -> Trace:
    """Play it; what passed on the wire, session by session, without the times, each direction by itself."""
    async with asyncio.timeout(90), voice.twin(SCRIPT, faults=faults) as twin:
        client = Play(twin.url, words)
        for line in play.splitlines():
            await client.line(line)
        await client.over()
        return [[line["event"] for line in one.lines if line["dir"] == way] for one in twin.sessions for way in ("up", "down")]


@pytest.mark.parametrize(("faults", "play"), EXAMPLES, ids=map(name, EXAMPLES))
async def test_an_example_gives_what_stands_below_it_and_the_same_again(faults: str, play: str, words: dict[str, str]) -> None:
    first, second = await run(faults, play, words), await run(faults, play, words)
    assert comparable(first) == comparable(second)


def comparable(trace: Trace) -> str:
    return re.sub(r'"expires_at": \d+', "", json.dumps(trace))


def test_every_fault_has_an_example() -> None:
    shown = {type(fault.deed) for faults, _ in EXAMPLES for fault in read_faults(faults, "page").faults}
    assert shown == set(DEEDS.values()) and len(EXAMPLES) >= 20
    told = re.findall(r"^### `(\w+)`$", PAGE, re.M)
    assert sorted(told) == sorted(DEEDS)


def test_the_tables_name_what_there_is() -> None:
    keys = re.findall(r"^\| `([^`]*)` \|", PAGE, re.M)
    kinds = get_args(get_type_hints(Garbage)["kind"])
    named = {re.sub(r"^on = \{ (\w+).*", r"on.\1", key) for key in keys} - {*kinds, "kind"}
    assert {*kinds} < {*keys}
    assert named == {*_WHEN.keys() - {"do", "on"}, *(f"on.{key}" for key in _ON if key != "from")} and 'from = "client"' in PAGE


@pytest.mark.parametrize("do", DEEDS)
def test_each_key_of_a_fault_is_told_in_its_section(do: str) -> None:
    section = re.search(rf"^### `{do}`\n(.*?)(?=^##|\Z)", PAGE, re.M | re.S)
    assert section is not None
    for key in get_type_hints(DEEDS[do]):
        assert re.search(rf"`{key}\b", section[1]) or f"\n{key} = " in section[1], f"{do}: {key}"
