"""docs/protocol.md says what the code does: each event, field, setting, error code and limit, and nothing that is not there."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from voice.audio.patience import PAUSE_MS
from voice.engines.local import LocalOptions
from voice.links import web
from voice.protocol import asked, buffer, codec, conversation, items, limits, outputs, ration, replies
from voice.protocol.allowed import MOST_TOKENS
from voice.protocol.events import OWN_EVENTS
from voice.protocol.foreign import FOREIGN_EVENTS
from voice.protocol.objects import AudioInput, AudioOutput, ResponseParams, Session, TurnDetection
from voice.protocol.requests import CLIENT_EVENTS
from voice.protocol.settings import HIGHEST_RATE_HZ, IDLE_TIMEOUT_MS, LOWEST_RATE_HZ, defaults, full_detection
from voice.protocol.stall import LATE_S
from voice.server import realtime

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "protocol.md").read_text("utf-8")
NAME = re.compile(r"`([^`]+)`")
UNTOLD = {"type", "event_id"}
NEVER_SENT = {"logprobs", "languages"}
"""The service's, and known to our client; the page says so."""


def section(title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)
    assert found, f"no section {title!r}"
    return found[1]


def rows(title: str, table: int = 0) -> list[list[str]]:
    """The cells of a section's n-th table, without its head."""
    tables: list[list[list[str]]] = []
    before = ""
    for line in section(title).splitlines():
        if line.startswith("|"):
            if not before.startswith("|"):
                tables.append([])
            tables[-1].append([cell.strip() for cell in line[1:-1].split("|")])
        before = line
    return tables[table][2:]


def tag(event: type[msgspec.Struct]) -> str:
    return str(event.__struct_config__.tag)


def fields(event: type[msgspec.Struct]) -> list[str]:
    return [name for name in event.__struct_fields__ if name not in UNTOLD]


def test_every_client_event_with_its_fields() -> None:
    told = {NAME.findall(row[0])[0]: NAME.findall(row[1]) for row in rows("Client events")}
    assert told.keys() == {tag(event) for event in CLIENT_EVENTS}
    for event in CLIENT_EVENTS:
        needed = {field.encode_name for field in msgspec.structs.fields(event) if field.required}
        assert told[tag(event)] == [name if name in needed else f"{name}?" for name in fields(event)], tag(event)


def test_every_server_event_with_its_fields() -> None:
    told = {NAME.findall(row[0])[0]: set(NAME.findall(row[1])) for row in rows("Server events")}
    assert told == {tag(event): set(fields(event)) - NEVER_SENT for event in OWN_EVENTS}
    assert set(NAME.findall(section("Server events"))) >= NEVER_SENT


def test_events_that_only_others_send() -> None:
    tail = section("Server events").rpartition("we never send them")[2]
    assert set(NAME.findall(tail)) == {tag(event) for event in FOREIGN_EVENTS}


def test_no_event_is_named_that_there_is_not() -> None:
    known = {tag(event) for event in (*CLIENT_EVENTS, *OWN_EVENTS, *FOREIGN_EVENTS)}
    prefixes = "|".join(sorted({name.partition(".")[0] for name in known if "." in name}))
    named = {name for name in NAME.findall(PAGE) if re.fullmatch(rf"({prefixes})(\.[a-z_]+)+", name)}
    assert named - known == set()


CALLS = {"ProtocolError": 1, "ClientMistake": 1}
NOT_THE_SERVER = {"chat.py", "sse.py", "client.py", "inbound.py", "flat.py"}


def codes() -> Iterator[str]:
    """Every code that the answering side can put into an error, read off the source."""
    sources = [path for path in (ROOT / "voice" / "protocol").glob("*.py") if path.name not in NOT_THE_SERVER]
    for path in [*sources, ROOT / "voice" / "server" / "realtime.py"]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and (name := ast.unparse(node.func)) in (*CALLS, "ErrorDetail"):
                yield from texts(node.args[CALLS[name]] if name in CALLS and len(node.args) > 1 else None)
                yield from (text for keyword in node.keywords if keyword.arg == "code" for text in texts(keyword.value))
            elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple) and len(node.value.elts) == 3:
                yield from texts(node.value.elts[1])
            elif isinstance(node, ast.Dict):
                pairs = zip(node.keys, node.values, strict=True)
                yield from (text for key, value in pairs if isinstance(key, ast.Constant) and key.value == "code" for text in texts(value))


def texts(node: ast.expr | None) -> list[str]:
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value else []


def test_every_error_code_and_no_other() -> None:
    elsewhere = set(NAME.findall(section("Errors").rpartition("In other events")[2]))
    told = [NAME.findall(row[0])[0] for row in rows("Errors")]
    assert len(set(told)) == len(told)
    assert {*told, *elsewhere} == set(codes())
    refused = {code for row in rows("Client events") for code in NAME.findall(row[3])}
    assert refused <= set(told)


def flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    for name, inner in value.items():
        if name == "audio" or path == "audio.":
            yield from flat(inner, f"{path}{name}.")
        else:
            yield f"{path}{name}", inner


def test_every_setting_with_its_default() -> None:
    told = {name: NAME.findall(row[1]) for row in rows("Settings") for name in NAME.findall(row[0])}
    halves = (("audio.input.", AudioInput), ("audio.output.", AudioOutput))
    nested = {f"{prefix}{name}" for prefix, half in halves for name in half.__struct_fields__}
    assert told.keys() == {*Session.__struct_fields__, *nested} - {"audio"}
    several = dict(zip(*[NAME.findall(cell) for row in rows("Settings") if row[0].count("`") > 2 for cell in row[:2]][:2], strict=True))
    real = dict(flat(msgspec.to_builtins(defaults("m", "s", 1, "v"))))
    for name, shown in {**told, **{name: [value] for name, value in several.items()}}.items():
        if shown:
            assert name in real and json.loads(shown[0]) == real[name], name


def test_turn_detection_with_its_defaults() -> None:
    told = {NAME.findall(row[0])[0]: json.loads(NAME.findall(row[1])[0]) for row in rows("Settings", 1)}
    assert list(told) == list(TurnDetection.__struct_fields__)
    both = [msgspec.to_builtins(full_detection(TurnDetection(kind))) for kind in ("semantic_vad", "server_vad")]
    assert told == {**both[0], **both[1]}


def test_every_parameter_of_a_response() -> None:
    told = [name for row in rows("What response.create takes") for name in NAME.findall(row[0])]
    assert sorted(told) == sorted(ResponseParams.__struct_fields__)


NUMBERS: list[tuple[str, str, object]] = [
    ("Limits", "one message of a client", web.MAX_MESSAGE_BYTES >> 20),
    ("Limits", "one message of ours", conversation.MAX_RETRIEVED_BYTES),
    ("Limits", "one message of ours", codec.MAX_TOLD_BYTES),
    ("Limits", "parts of one item", items.MAX_PARTS),
    ("Limits", "names of events and items", codec.MAX_ID_LETTERS),
    ("Limits", "events of a client, besides sound", limits.BURST),
    ("Limits", "events of a client, besides sound", limits.PER_S),
    ("Limits", "one turn", buffer.MAX_TURN_S),
    ("Limits", "a turn to commit", buffer.MIN_COMMIT_MS),
    ("Limits", "items of a conversation", conversation.MAX_ITEMS),
    ("Limits", "text that clients gave", conversation.MAX_TEXT_BYTES),
    ("Limits", "sound that is kept", conversation.MAX_SOUND_BYTES),
    ("Limits", "responses out of band", replies.MAX_BESIDE),
    ("Limits", "one answer", ration.MAX_LETTERS),
    ("Limits", "a delta of sound", outputs.DELTA_MS),
    ("Limits", "life of a session", int(LocalOptions().life_s)),
    ("Settings", "`audio.input.format`", LOWEST_RATE_HZ),
    ("Settings", "`audio.input.format`", HIGHEST_RATE_HZ),
    ("Settings", "`max_output_tokens`", MOST_TOKENS),
    ("What response.create takes", "`metadata`", asked.MAX_METADATA_PAIRS),
    ("What response.create takes", "`metadata`", asked.MAX_METADATA_KEY),
    ("What response.create takes", "`metadata`", asked.MAX_METADATA_VALUE),
    ("What response.create takes", "`conversation`", replies.MAX_BESIDE),
]


@pytest.mark.parametrize(("title", "what", "number"), NUMBERS)
def test_a_number_is_the_constant(title: str, what: str, number: object) -> None:
    [row] = [row for row in rows(title) if row[0] == what]
    assert str(number) in re.findall(r"\d+", " ".join(row[1:])), row


def test_numbers_of_turn_detection_and_of_closing() -> None:
    ranges = {NAME.findall(row[0])[0]: re.findall(r"\d+", row[2]) for row in rows("Settings", 1)}
    assert ranges["idle_timeout_ms"][:2] == [str(number) for number in IDLE_TIMEOUT_MS]
    assert f"With `semantic_vad` it is {PAUSE_MS} ms of silence" in section("Settings")
    assert f"the turn ends {LATE_S:.0f} s after the silence" in section("Settings")
    assert str(realtime.CLOSE_REFUSED) in section("Errors")
    assert f"{web.HEARTBEAT_S:.0f} s of silence" in section("Limits")


def test_every_limit_that_is_told_is_checked_here() -> None:
    assert {row[0] for row in rows("Limits")} == {what for title, what, _ in NUMBERS if title == "Limits"}


def test_the_page_can_be_found() -> None:
    for name in ("README.md", "docs/architecture.md", "docs/api.md"):
        assert "protocol.md)" in (ROOT / name).read_text("utf-8"), name
