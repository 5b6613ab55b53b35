"""A stage between a client and a server that both say anything: it goes on, and what it does not understand goes on as it is."""

import json
import random
from typing import Any

import pytest

from tests.support.front import ORDERS, THEIRS, Front, veil
from tests.support.served import counted
from voice.protocol.backstage import Backstage

ODD: tuple[Any, ...] = (
    None,
    True,
    7,
    1e9,
    "",
    "x",
    [],
    [[]],
    [None],
    ["x"],
    {},
    {"id": []},
    {"name": {}},
    [{"type": "function_call", "name": []}],
)


def conversation() -> tuple[list[str], list[str]]:
    """What a client and a server have said in one with calls of all kinds."""
    front = Front()
    down: list[str] = []
    whole = front.stage.down
    front.stage.down = lambda text: down.append(text) or whole(text)  # type: ignore[method-assign, func-returns-value]
    front.ask("session.update", session={"type": "realtime", "tools": [THEIRS], "tool_choice": "auto", "instructions": "Hi."})
    front.say(metadata={"n": "1"}, tools=[THEIRS], tool_choice={"type": "function", "name": "theirs"})
    front.words("One moment.")
    front.call(ORDERS.name, "call_1", '{"n":1}')
    front.end()
    front.give("call_1")
    front.words("It is on its way.")
    front.end()
    front.ask("response.create", response={"conversation": "none"})
    front.end()
    front.ask("response.cancel", response_id="none")
    item = {"type": "function_call_output", "call_id": "call_9", "output": "x"}
    front.ask("conversation.item.create", previous_item_id="root", item=item)
    return [json.dumps(event) for event in front.up], down


UP, DOWN = conversation()


def odd(value: Any, dice: random.Random) -> Any:
    """The same with something else somewhere in it."""
    if isinstance(value, dict) and value and dice.random() < 0.8:
        name = dice.choice(list(value))
        if name != "type":
            return {**value, name: odd(value[name], dice)}
    if isinstance(value, list) and value and dice.random() < 0.8:
        place = dice.randrange(len(value))
        return [*value[:place], odd(value[place], dice), *value[place + 1 :]]
    return dice.choice(ODD)


@pytest.mark.parametrize("seed", range(6))
def test_odd_values_end_nothing(seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(25):
        stage = Backstage(veil(), counted("b"))
        stage.down(json.dumps({"type": "session.created", "session": dice.choice(ODD)}))
        stage.down(json.dumps({"type": "session.updated", "session": {"type": "realtime"}}))
        assert stage.ready
        for text in DOWN:
            if dice.random() < 0.3:
                staged = stage.down(json.dumps(odd(json.loads(text), dice)))
            else:
                staged = stage.down(text)
            for call in staged.calls:
                stage.finished(call.call_id, "out")
            stage.up(json.dumps(odd(json.loads(dice.choice(UP)), dice)))


@pytest.mark.parametrize("tools", ODD)
def test_odd_tools_are_left_to_whoever_answers(tools: Any) -> None:
    front = Front()
    for choice in (*ODD, {"name": []}):
        for name, path in (("session.update", "session"), ("response.create", "response")):
            staged = front.stage.up(json.dumps({"type": name, path: {"tools": tools, "tool_choice": choice, "metadata": tools}}))
            assert len(staged.up) + len(staged.down) == 1


CUNNING = '{"type":"session.update","session":{"type":"realtime","tools":[{"type":"function","name":"zebra_orders"}]},"x":%s}'


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (CUNNING % r'"\ud800"', "invalid_json"),
        (CUNNING % "NaN", "invalid_json"),
        (CUNNING % "-Infinity", "invalid_json"),
        (CUNNING % "1e999", "invalid_type"),
        (CUNNING % ("[" * 5_000 + "]" * 5_000), "invalid_json"),
        ("no event", "invalid_json"),
        ("", "invalid_json"),
        ("[7]", "invalid_type"),
    ],
)
def test_what_others_may_read_and_this_does_not_goes_no_further(text: str, code: str) -> None:
    front = Front()
    staged = front.stage.up(text)
    assert not staged.up
    [told] = map(json.loads, staged.down)
    front.server.text(text)
    [said] = front.server.sent[-1:]
    assert (told["type"], told["error"]["code"]) == ("error", code)
    front.server.text(text)
    assert told["error"] == front.server.sent[-1]["error"], "in the words of our own session"


def test_a_session_that_only_writes_down_is_not_read() -> None:
    stage = Backstage(veil(), counted("b"))
    stage.down('{"type":"session.created","session":{"type":"transcription"}}')
    assert stage.up("no event").up == ("no event",)
