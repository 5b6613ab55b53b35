"""openai-agents, unmodified and in an environment of its own, holds typed, spoken, tool and interrupted turns with a twin."""

import asyncio
from pathlib import Path

import pytest

import voice
from tests.support.needs import FliteWav, needs
from tests.support.order import check
from tests.support.others import SCRIPTS, python_of, told

pytestmark = [needs("openai", "flite"), pytest.mark.slow, pytest.mark.conformance]
STORY = "Once upon a time " * 12 + "it ended."
OVER_MS = 1500
SCRIPT = f"""
    voice = "tones"

    [[reply]]
    say = "Hello."

    [[reply]]
    heard = "what time is it"
    say = "It is late."

    [[reply]]
    say = "One moment."
    call = {{ name = "lookup_order", arguments = {{ order_id = 7 }} }}

    [[reply]]
    when = {{ output_of = "lookup_order" }}
    say = "Your order is {{output}}."

    [[reply]]
    say = "{STORY}"

    [[reply]]
    heard = "stop"
    say = "As you wish."
"""
ANSWERS = {"text": "Hello.", "voice": "It is late.", "tool": "Your order is on its way.", "barge": "As you wish."}


async def test_openai_agents_holds_every_kind_of_turn(flite_wav: FliteWav, tmp_path: Path) -> None:
    python = python_of("agents", ("openai-agents~=0.24",))
    wav = str(flite_wav("what time is it", rate_hz=24_000))
    async with asyncio.timeout(120), voice.twin(SCRIPT) as twin:
        orders = {"url": twin.url, "chunk_ms": 40, "over_ms": OVER_MS, "wav": wav, "answers": ANSWERS}
        said = await told([str(python), str(SCRIPTS / "agents_twin.py")], orders, tmp_path)
        (session,) = twin.sessions
    assert (said["errors"], said["asked"]) == ([], [7])
    assert {name: turn["answer"] for name, turn in said["turns"].items()} == ANSWERS
    assert said["turns"]["voice"]["heard"] == "what time is it" and said["turns"]["voice"]["audio_ms"] == 600
    # It stops its loudspeaker whenever somebody speaks: the last time is over the story.
    last = len(said["kinds"]) - said["kinds"][::-1].index("audio_interrupted")
    assert said["kinds"].index("tool_start") < said["kinds"].index("tool_end") < last
    (declared,) = next(event["session"]["tools"] for event in session.up("session.update") if event["session"].get("tools"))
    assert declared["name"] == "lookup_order"
    (output,) = (event["item"] for event in session.up("conversation.item.create") if event["item"]["type"] == "function_call_output")
    assert output["output"] == "on its way"
    (cancelled,) = (event["response"] for event in session.down("response.done") if event["response"]["status"] == "cancelled")
    assert cancelled["status_details"]["reason"] == "turn_detected"
    (cut,) = session.down("conversation.item.truncated")
    assert cut["item_id"] == cancelled["output"][0]["id"] and cut["audio_end_ms"] >= OVER_MS
    # Every word is 200 ms, the last 50 of which are silent.
    heard = " ".join(STORY.split()[: (cut["audio_end_ms"] + 50) // 200])
    assert cut["transcript"] == heard
    check(session.down())
