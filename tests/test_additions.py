"""Tools and facts of the server's behind a real server: our own engine and a relay, users, what each of them sees."""

import asyncio
import json
import logging
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.support.http import app_running, post
from tests.support.order import check
from tests.support.relayed import relay_to
from tests.support.wire import Wire, fake_engine, left_over, transcript
from voice.engines.base import Called, Prompt, Said, Saying
from voice.engines.functions import function_tool
from voice.engines.toolset import ToolContext, Toolset
from voice.links.dial import dial
from voice.server.additions import Additions
from voice.server.visitor import Visitor

KEY = f"sk-{secrets.token_hex(12)}"
SECRETS = "/v1/realtime/client_secrets"
MARK = "zebra"
"""In everything that no client may see."""


def zebra_orders(number: int, who: ToolContext) -> str:
    """The state of an order."""
    return f"order {number} of user {who.values['user'] or 'nobody'}"


async def about(visitor: Visitor) -> dict[str, Any]:
    return {"basket": f"{MARK} of {visitor.user}", "lang": visitor.query.get("lang", "")}


class Clerk:
    """Calls `zebra_orders`, whatever it is asked; then says what came of it, and remembers what it was told."""

    def __init__(self) -> None:
        self.instructions: list[str] = []

    async def respond(self, prompt: Prompt, now: float, wall_s: float) -> AsyncGenerator[Saying, None]:
        self.instructions.append(prompt.instructions)
        if prompt.lines[-1].role == "tool":
            yield Said(f"I see {prompt.lines[-1].text}.")
        elif prompt.toolbox.usable:
            yield Called("call_7", prompt.toolbox.usable[-1].name, '{"number":1003}')
        else:
            yield Said("I have no tools.")

    def due_s(self) -> float | None:
        return None

    def announce(self, now: float) -> Sequence[Said]:
        return ()


@asynccontextmanager
async def shop(clerk: Clerk, through_relay: bool, **more: Any) -> AsyncIterator[int]:
    """A server with a tool and a hook; gives its port."""
    before = left_over()
    async with asyncio.timeout(30), Toolset([function_tool(zebra_orders)]) as tools:
        additions = Additions(tools, about, f"Be the {MARK} shop.", query=["lang"])
        engine = fake_engine(responder=clerk)
        if not through_relay:
            async with app_running(engine, additions=additions, server_key=KEY, **more) as port:
                yield port
        else:
            async with (
                app_running(engine) as upstream,
                app_running(relay_to(upstream), additions=additions, server_key=KEY, **more) as port,
            ):
                yield port
    assert left_over() == before


async def secret(port: int, user: str | None, session: dict[str, Any] | None = None) -> str:
    body = {"session": {"type": "realtime", **(session or {})}, **({"voice_user": user} if user else {})}
    answer = await post(port, SECRETS, body, Authorization=f"Bearer {KEY}")
    assert answer.status == 200, answer.body
    return str(answer.json["value"])


@asynccontextmanager
async def visiting(port: int, credential: str, query: str = "") -> AsyncIterator[Wire]:
    """A client with this credential: what it is told is in order, and holds nothing of what it may not see."""
    wire = Wire(await dial(f"ws://127.0.0.1:{port}/v1/realtime{query}", credential))
    await wire.until("session.created")
    yield wire
    await wire.link.close()
    check(wire.events, complete=False)
    assert MARK not in json.dumps(wire.events)


@pytest.mark.parametrize("through_relay", [False, True])
async def test_each_user_s_tool_call_is_made_in_that_user_s_name(through_relay: bool) -> None:
    clerk = Clerk()
    async with shop(clerk, through_relay) as port:
        for user in ("7", "8"):
            async with visiting(port, await secret(port, user), "?lang=ko") as wire:
                await wire.type("where is my order")
                assert transcript(await wire.until("response.done")) == f"I see order 1003 of user {user}."
    seven, _, eight, _ = clerk.instructions
    assert f'{{"basket":"{MARK} of 7","lang":"ko"}}' in seven and f"{MARK} of 8" not in seven
    assert f"{MARK} of 8" in eight and f"{MARK} of 7" not in eight
    assert seven.startswith(f"Be the {MARK} shop.\n\n")


@pytest.mark.parametrize("through_relay", [False, True])
async def test_settings_of_a_secret_and_of_the_client_keep_their_company(through_relay: bool) -> None:
    clerk = Clerk()
    async with shop(clerk, through_relay) as port:
        async with visiting(port, await secret(port, "7", {"instructions": "Be brief."})) as wire:
            assert wire.events[0]["session"]["instructions"] == "Be brief."
            await wire.send("session.update", session={"type": "realtime", "instructions": "Be kind.", "tools": []})
            assert (await wire.until("session.updated"))["session"]["instructions"] == "Be kind."
            await wire.type("where is my order")
            await wire.until("response.done")
    assert clerk.instructions[0].startswith(f"Be kind.\n\nBe the {MARK} shop.\n\n")


async def test_who_shows_the_key_is_nobody() -> None:
    async with shop(Clerk(), False) as port, visiting(port, KEY) as wire:
        await wire.type("where is my order")
        assert transcript(await wire.until("response.done")).endswith("of user nobody.")


@pytest.mark.parametrize("through_relay", [False, True])
async def test_a_session_that_only_writes_down_has_no_additions(through_relay: bool) -> None:
    async with shop(Clerk(), through_relay) as port:
        wire = Wire(await dial(f"ws://127.0.0.1:{port}/v1/realtime?intent=transcription", KEY))
        created = await wire.until("session.created")
        assert created["session"]["type"] == "transcription"
        await wire.send("input_audio_buffer.clear")
        await wire.until("input_audio_buffer.cleared")
        await wire.link.close()


async def test_beta_clients_are_served_too() -> None:
    async with shop(Clerk(), True) as port:
        wire = Wire(await dial(f"ws://127.0.0.1:{port}/v1/realtime", await secret(port, "7")))
        await wire.until("session.created")
        await wire.send("session.update", session={"modalities": ["text"], "instructions": "Be brief."})
        assert (await wire.until("session.updated"))["session"]["instructions"] == "Be brief."
        await wire.type("where is my order")
        done = await wire.until("response.done")
        assert [part["text"] for item in done["response"]["output"] for part in item["content"]] == ["I see order 1003 of user 7."]
        assert MARK not in json.dumps(wire.events)
        await wire.link.close()


async def test_nothing_of_it_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    user, said = (f"canary-{secrets.token_hex(8)}" for _ in range(2))
    async with shop(Clerk(), True) as port, visiting(port, await secret(port, user)) as wire:
        await wire.type(said)
        assert user in transcript(await wire.until("response.done"))
    lines = "\n".join(record.getMessage() for record in caplog.records)
    # The name of a tool is no secret of a user's.
    assert "zebra_orders answered" in lines
    assert not [word for word in (MARK, user, said) if word in lines.replace("zebra_orders", "")]


@pytest.mark.parametrize("user", ["", 7, "x" * 201, "a\nb", ["7"]])
async def test_a_user_s_name_is_a_short_line(user: object) -> None:
    async with asyncio.timeout(30), app_running(fake_engine(), server_key=KEY) as port:
        answer = await post(port, SECRETS, {"voice_user": user}, Authorization=f"Bearer {KEY}")
    assert (answer.status, answer.json["error"]["param"]) == (400, "voice_user")


async def test_only_the_owner_says_who_somebody_is() -> None:
    async with asyncio.timeout(30), app_running(fake_engine()) as port:
        answer = await post(port, SECRETS, {"voice_user": "7"})
        assert answer.status == 400 and "VOICE_SERVER_KEY" in answer.json["error"]["message"]
    async with asyncio.timeout(30), app_running(fake_engine(), server_key=KEY) as port:
        assert (await post(port, SECRETS, {"voice_user": "7"})).status == 401
        page = (await post(port, SECRETS, {"voice_user": "7"}, Authorization=f"Bearer {KEY}")).json["value"]
        assert (await post(port, SECRETS, {"voice_user": "8"}, Authorization=f"Bearer {page}")).status == 403


@pytest.mark.parametrize("through_relay", [False, True])
@pytest.mark.parametrize(
    ("settings", "param"),
    [
        ({"tools": [{"type": "function", "name": "zebra_orders"}]}, "session.tools[0].name"),
        ({"tools": [{"type": "mcp", "server_label": "x", "server_url": "https://tools.example/mcp"}]}, "session.tools[0].type"),
    ],
)
async def test_no_secret_is_made_that_no_session_would_take(through_relay: bool, settings: dict[str, Any], param: str) -> None:
    async with shop(Clerk(), through_relay) as port:
        answer = await post(port, SECRETS, {"session": {"type": "realtime", **settings}}, Authorization=f"Bearer {KEY}")
        assert (answer.status, answer.json["error"]["param"], answer.json["error"]["code"]) == (400, param, "invalid_value")
