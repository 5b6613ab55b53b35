"""openai-agents, unmodified, at the shop: tools of its own beside those that it does not see, through the relay."""

import asyncio
import json
from pathlib import Path

import pytest

import voice
from examples.shop.store import Shop
from tests.support.needs import FliteWav, needs
from tests.support.order import check
from tests.support.others import SCRIPTS, python_of, told
from tests.support.tee import tapped
from tests.test_shop_served import secret, shop_at
from voice.engines.relay import RelayEngine, Upstream

pytestmark = [needs("openai", "flite"), pytest.mark.slow, pytest.mark.conformance]
STORY = "Once upon a time " * 12 + "it ended."
SCRIPT = f"""
    voice = "tones"

    [[reply]]
    calls = [{{ name = "look_up_order", arguments = {{}} }}]

    [[reply]]
    when = {{ output_of = "look_up_order", output = "1003" }}
    say = "It is on its way."

    [[reply]]
    heard = "refund my hat"
    say = "One moment."
    calls = [{{ name = "refund_order", arguments = {{ number = 1001 }} }}]

    [[reply]]
    when = {{ output_of = "refund_order" }}
    say = "That is done."

    [[reply]]
    calls = [
        {{ name = "look_up_order", arguments = {{ number = 1001 }} }},
        {{ name = "lookup_order", arguments = {{ order_id = 7 }} }},
    ]

    [[reply]]
    when = {{ output_of = "*", output = "on its way|wool hat" }}
    say = "Both are known."

    [[reply]]
    say = "{STORY}"

    [[reply]]
    heard = "stop"
    say = "As you wish."
"""
ANSWERS = {"text": "It is on its way.", "voice": "That is done.", "tool": "Both are known.", "barge": "As you wish."}


async def test_openai_agents_holds_every_kind_of_turn(flite_wav: FliteWav, tmp_path: Path) -> None:
    python = python_of("agents", ("openai-agents~=0.24",))
    shop = Shop(tmp_path / "shop.sqlite")
    wav = str(flite_wav("refund my hat", rate_hz=24_000))
    async with asyncio.timeout(150), voice.twin(SCRIPT) as twin, shop_at(RelayEngine(Upstream(twin.url)), shop) as port:
        async with tapped(port) as (tap, calls):
            orders = {"url": f"ws://127.0.0.1:{tap}/v1/realtime", "key": await secret(port, "1"), "wav": wav}
            orders |= {"chunk_ms": 40, "over_ms": 1500, "answers": ANSWERS}
            said = await told([str(python), str(SCRIPTS / "agents_twin.py")], orders, tmp_path)
    assert (said["errors"], said["asked"]) == ([], [7])
    assert {name: turn["answer"] for name, turn in said["turns"].items()} == ANSWERS | {"voice": said["turns"]["voice"]["answer"]}
    assert said["turns"]["voice"]["answer"].endswith("That is done.")
    assert shop.look_up("1", 1001).endswith("It was refunded.")
    down = [event for way, event in calls[0].events if way == "down"]
    check(down)
    assert not [name for name in ("look_up_order", "refund_order", "membership") if name in json.dumps(down)]
    upstream = twin.sessions[0]
    names = {tool["name"] for event in upstream.up("session.update") for tool in event["session"].get("tools") or ()}
    assert names == {"lookup_order", "look_up_order", "refund_order", "exchange_order"}
    outputs = [
        event["item"]["output"] for event in upstream.up("conversation.item.create") if event["item"]["type"] == "function_call_output"
    ]
    assert len(outputs) == 4 and len(upstream.up("response.create")) == len(outputs) + 2
