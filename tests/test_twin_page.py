"""docs/twin.md does what it says: each script gives the conversation below it, and the tables name what there is."""

import asyncio
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.needs import needs
from tests.support.signals import padded, speech_like
from tests.support.wire import Event, Wire, talking
from voice.engines.script import _Entry, _File, read_script
from voice.engines.tones import Tones
from voice.engines.twin import TwinEngine, TwinOptions

PAGES = Path(__file__).resolve().parent.parent / "docs"
PAGE = (PAGES / "twin.md").read_text("utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```\n\n```text\n(.*?)```", PAGE, re.S)
HEARD = "conversation.item.input_audio_transcription"
ENDS_A_TURN = re.compile(r"you|\w+ gives")


class Play:
    """One conversation of the page, line by line: what is asked is sent, what is answered is looked at."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.seen = 0
        self.asked_s = 0.0
        self.calls: dict[str, str] = {}
        self.unanswered = False

    async def event(self, kind: str, fits: Callable[[Event], bool] = lambda event: True) -> tuple[Event, float]:
        """The first event of this kind since the last question, and when it came after that."""
        at = self.seen
        while True:
            while at >= len(self.wire.events):
                await self.wire.next()
            event = self.wire.events[at]
            if event["type"] == kind and fits(event):
                return event, self.wire.at_s[at] - self.asked_s
            at += 1

    async def done(self) -> dict[str, Any]:
        if self.unanswered:
            self.unanswered = False
            self.ask()
            await self.wire.send("response.create")
        event, _ = await self.event("response.done")
        return event["response"]  # type: ignore[no-any-return]

    def ask(self) -> None:
        self.seen, self.asked_s = len(self.wire.events), time.monotonic()

    async def line(self, text: str) -> None:
        """One line of it."""
        who, _, what = text.partition(": ")
        match who.split():
            case ["you"]:
                self.ask()
                await self.wire.type(what)
            case ["you", "say"]:
                self.ask()
                await self.wire.push(padded(speech_like(800), 400, 800))
            case [name, "gives"]:
                item = {"type": "function_call_output", "call_id": self.calls[name], "output": what}
                await self.wire.send("conversation.item.create", item=item)
                self.unanswered = True
            case ["twin", "says", "nothing"]:
                assert (await self.done())["output"] == []
            case ["twin", "hears", "nothing"]:
                assert (await self.event(f"{HEARD}.failed"))[0]["error"]["message"] == what
            case ["twin" | "twin,", *_] if "hears" in who:
                event, took_s = await self.event(f"{HEARD}.completed")
                assert event["transcript"] == what and took_s * 1000 >= number(who)
            case ["twin", "calls"]:
                name, _, arguments = what.partition(" ")
                (call,) = (item for item in (await self.done())["output"] if item.get("name") == name)
                assert call["arguments"] == arguments
                self.calls[name] = call["call_id"]
            case ["twin", "ends"]:
                response = await self.done()
                details = response["status_details"]
                assert f"{response['status']}, {details.get('reason') or details['error']['message']}" == what
            case ["usage"]:
                assert f"{(await self.done())['usage']['total_tokens']} tokens" == what
            case ["sound"]:
                await self.done()
                ids = {event["response_id"] for event in self.wire.events[self.seen :] if "response_id" in event}
                deltas = [event for event in self.wire.of("response.output_audio.delta") if event["response_id"] in ids]
                assert f"{sum(len(event['delta']) * 3 // 4 for event in deltas) / 48:.0f} ms" == what
            case ["twin" | "twin,", *_]:
                await self.said(who, what)
            case _:
                raise AssertionError(f"the page says {text!r}, which nobody understands")

    async def said(self, who: str, what: str) -> None:
        response = await self.done()
        words = [part["transcript"] for item in response["output"] for part in item.get("content") or ()]
        assert words == [what]
        _, first_s = await self.event("response.output_audio.delta")
        assert first_s * 1000 >= number(who)
        times = [at for at, event in zip(self.wire.at_s, self.wire.events, strict=True) if event["type"] == "response.output_audio.delta"]
        if lasts := re.search(r"for (\d+) ms", who):
            # Not from when the first was seen here, which may be late.
            assert (max(times) - self.asked_s) * 1000 >= number(who) + int(lasts[1])


def number(who: str) -> int:
    found = re.search(r"after (\d+) ms", who)
    return int(found[1]) if found else 0


@pytest.mark.parametrize(("script", "conversation"), EXAMPLES, ids=[text.splitlines()[0][:40] for _, text in EXAMPLES])
async def test_an_example_gives_the_conversation_below_it(script: str, conversation: str) -> None:
    waits = "after" in conversation
    engine = TwinEngine(read_script(script, "page.toml"), Tones(), TwinOptions(hurry=not waits))
    async with talking(engine, within_s=30) as wire:
        await wire.settle(transcription={"model": "any"})
        play = Play(wire)
        for line in conversation.splitlines():
            await play.line(line)


def test_every_example_is_looked_at() -> None:
    assert len(EXAMPLES) == PAGE.count("```toml") == PAGE.count("```text") >= 7


def test_the_tables_name_every_key_and_no_other() -> None:
    at_top, in_reply = re.findall(r"^\| (?:at the top|in a `\[\[reply\]\]`) \| meaning \|\n\|---\|---\|\n((?:\|.*\n)+)", PAGE, re.M)
    for table, kind, besides in ((at_top, _File, {"reply"}), (in_reply, _Entry, set())):
        named = {name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1])}
        assert named == set(kind.__struct_fields__) - besides


def test_the_defaults_on_the_page_are_those_of_the_program() -> None:
    reply = read_script("[[reply]]\nsay = 'x'", "s.toml").replies[0]
    for key, value in (("pace", reply.pacing.factor), ("chunk_ms", reply.pacing.piece_ms), ("delay_ms", reply.delay_ms)):
        (row,) = re.findall(rf"^\| `{key}` \| .*?\(({value})\)", PAGE, re.M)
        assert row == str(value)


def test_the_arrivals_on_the_page_can_be_read() -> None:
    from voice.engines.pacing import read_arrivals

    (text,) = re.findall(r"((?:^    [\w,.]+\n)+)", PAGE[PAGE.index("    reply,seq") :], re.M)[:1]
    ((first, second),) = read_arrivals("\n".join(line.strip() for line in text.splitlines()), "page.csv")
    assert (first.due_s, first.length_ms, round(second.due_s, 3)) == (0, 100, 0.334)


def test_what_the_page_says_of_clients_is_what_those_of_the_tests_do() -> None:
    used = "".join(path.read_text("utf-8") for path in (PAGES.parent / "tests" / "clients").iterdir() if path.suffix in (".py", ".mjs"))
    (table,) = re.findall(r"^\| client \| where \|\n\|---\|---\|\n((?:\|.*\n)+)", PAGE, re.M)
    named = {name for row in table.splitlines() for name in re.findall(r"\b(?:[A-Z]\w+(?=\()|base_?[uU][rR][lL](?=[=:]))", row)}
    assert {"AsyncOpenAI", "RealtimeRunner", "OpenAIRealtimeWebSocket", "RealtimeModel", "OpenAIProvider", "base_url", "baseURL"} <= named
    assert all(name in used for name in named), named


@pytest.mark.slow
@needs("openai")
def test_the_test_on_the_page_passes() -> None:
    code = re.findall(r"```python\n(.*?)```", PAGE, re.S)[0]
    space: dict[str, Any] = {}
    exec(compile(code, "docs/twin.md", "exec"), space)
    asyncio.run(space["test_it_greets"]())
