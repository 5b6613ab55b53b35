"""What is known of a client, and the hook that is asked about it."""

import asyncio
import logging
import secrets
import threading
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request

from voice.errors import VoiceError
from voice.policy.secrets import Grant
from voice.protocol.untrusted import Quotation
from voice.server import visitor as module
from voice.server.visitor import About, Visitor, facts_about, visitor_of
from voice.workers.threads import Threads

CANARY = f"canary-{secrets.token_hex(8)}"
GRANT = Grant(1, "j", "realtime", {}, "7")


def test_only_what_is_listed_is_seen_of_a_request() -> None:
    request = make_mocked_request("GET", f"/v1/realtime?lang=ko&key={CANARY}&user=9", {"X-Shop": "a" * 900, "Authorization": CANARY})
    seen = visitor_of(request, GRANT, ["lang", "absent"], ["x-shop"])
    assert seen == Visitor("7", "realtime", {"lang": "ko"}, {"x-shop": "a" * 500})
    assert visitor_of(request, None, [], []) == Visitor()


async def told_by(about: About | None, visitor: Visitor | None = None) -> Quotation:
    return await facts_about(visitor or Visitor("7"), about, Threads(2, "hook"))


async def said_by(about: About) -> str:
    return (await told_by(about)).words


async def asked(visitor: Visitor) -> dict[str, Any]:
    return {"user": visitor.user}


@pytest.mark.parametrize("about", [asked, lambda visitor: {"user": visitor.user}, lambda visitor: asked(visitor)])
async def test_a_hook_is_a_function_or_a_coroutine(about: About) -> None:
    assert '{"user":"7"}' in await said_by(about)


async def test_each_session_has_marks_of_its_own() -> None:
    one, other = await told_by(asked), await told_by(asked)
    assert one.mark != other.mark and len(one.mark) >= 16


async def nothing(visitor: Visitor) -> None:
    return None


async def test_a_hook_may_know_nothing() -> None:
    assert await said_by(nothing) == "" and await told_by(None) == Quotation()


def fails(error: Exception) -> About:
    def about(visitor: Visitor) -> dict[str, Any]:
        raise error

    return about


@pytest.mark.parametrize(
    ("about", "logged"),
    [
        (fails(ValueError(CANARY)), "failed: ValueError"),
        (fails(VoiceError(f"{CANARY} has no basket")), "failed: VoiceError"),
        (lambda visitor: {"odd": object()}, "failed: TypeError"),
        (lambda visitor: CANARY, "failed: AttributeError"),
    ],
)
async def test_a_hook_that_fails_is_logged_without_what_it_knows(about: Any, logged: str, caplog: pytest.LogCaptureFixture) -> None:
    assert await told_by(about) == Quotation()
    assert logged in caplog.text and CANARY not in caplog.text


async def test_a_hook_that_hangs_holds_nobody_up(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(module, "ASK_S", 0.02)

    never = threading.Event()

    async def hangs(visitor: Visitor) -> None:
        await asyncio.Event().wait()

    async with asyncio.timeout(30):
        assert await told_by(hangs) == Quotation()
        assert await told_by(lambda visitor: never.wait(5) and None) == Quotation()
    never.set()
    assert "did not answer" in caplog.text


async def test_facts_are_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    found = await told_by(lambda visitor: {"basket": CANARY}, Visitor(CANARY, query={"q": CANARY}))
    logging.getLogger("any").debug("%s %r %s", found, found, Visitor(CANARY, query={"q": CANARY}, headers={"h": CANARY}))
    assert CANARY in found.words and CANARY not in caplog.text
