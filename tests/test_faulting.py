"""The faults of one session, in virtual time: what the client is sent, and what the session is given."""

import json
import math

import pytest

from voice.policy.deeds import Close, Reset
from voice.policy.faulting import Act, Freeze, Tally, Thaw, chance
from voice.policy.faults import FaultPlan, read_faults
from voice.policy.garbage import Raw, Send

DELTA = "response.output_audio.delta"
OTHER = "response.output_audio_transcript.delta"


def event(word: str, **more: object) -> str:
    """An event named "d3": the third delta; "t1", "done", ..."""
    kinds = {"d": DELTA, "t": OTHER, "e": "response.done", "a": "input_audio_buffer.append", "c": "response.create"}
    return json.dumps({"type": kinds[word[0]], "n": word, **more})


def shown(act: Act) -> str:
    """An act as a word."""
    match act:
        case Send(text=text):
            try:
                read = json.loads(text)
            except json.JSONDecodeError:
                return "garbage"
            return str(read.get("n") or read["error"]["code"]) if isinstance(read, dict) else text
        case Raw():
            return "raw"
        case Close(code=code):
            return f"close{code}"
        case Reset():
            return "rst"
        case Freeze():
            return "freeze"
        case Thaw():
            return "thaw"


def fault(lines: str) -> FaultPlan:
    return read_faults("\n".join(f"[[fault]]\n{one}" for one in lines.split("\n--\n")), "f")


def run(plan: FaultPlan, down: str, number: int = 1) -> str:
    """Events of the session, one a second; what the client gets by then, "|" after each second."""
    session = plan.session(number)
    seen = []
    for now, word in enumerate(down.split()):
        session.down(event(word), float(now))
        seen.append(" ".join(shown(act) for act in session.take(float(now))))
    return "|".join(seen)


ON = f'on = {{event = "{DELTA}", index = 1}}'
AFTER = f'on = {{event = "{DELTA}", index = 1, after = true}}'

# What a file says, what the session says, what the client gets.
SEEN = [
    (f'do = "close"\n{ON}', "d0 t0 d1 d2", "d0|t0|close1011|"),
    (f'do = "close"\n{AFTER}', "d0 t0 d1 d2", "d0|t0|d1 close1011|"),
    (f'do = "rst"\n{ON}', "d0 d1 d2", "d0|rst|"),
    (f'do = "drop"\n{ON}', "d0 t0 d1 d2", "d0|t0||d2"),
    (f'do = "drop"\non = {{event = "{DELTA}"}}\ntimes = 2', "d0 t0 d1 d2", "|t0||d2"),
    (f'do = "drop"\non = {{event = "{DELTA}", index = [0, 2]}}', "d0 d1 d2 d3", "|d1||d3"),
    (f'do = "drop"\non = {{event = "{DELTA}"}}\ntimes = 0', "d0 t0 d1 d2", "|t0||"),
    ('do = "drop"\non = {event = "*", index = 2}', "d0 t0 d1 d2", "d0|t0||d2"),
    ('do = "drop"\non = {event = "response.*_transcript.*"}', "d0 t0 d1 t1", "d0||d1|t1"),
    (f'do = "duplicate"\n{ON}', "d0 d1 d2", "d0|d1 d1|d2"),
    (f'do = "reorder"\n{ON}', "d0 d1 t1 d2 d3", "d0||t1|d2 d1|d3"),
    (f'do = "reorder"\nevents = 1\n{ON}', "d0 d1 t1 d2", "d0||t1 d1|d2"),
    (f'do = "reorder"\non = {{event = "{DELTA}"}}\ntimes = 0', "d0 d1 d2 d3 d4 e", "|d1 d0||d3 d2||e d4"),
    (f'do = "delay"\nms = 1500\n{ON}', "d0 d1 d2 d3 d4", "d0||d2|d1 d3|d4"),
    (f'do = "stall"\nms = 2000\n{ON}', "d0 d1 d2 d3 d4", "d0|||d1 d2 d3|d4"),
    (f'do = "stall"\nms = 2000\n{AFTER}', "d0 d1 d2 d3 d4", "d0|d1||d2 d3|d4"),
    (f'do = "half_open"\nms = 2000\n{ON}', "d0 d1 d2 d3 d4", "d0|freeze||thaw d1 d2 d3|d4"),
    (f'do = "garbage"\n{ON}', "d0 d1 d2", "d0|garbage d1|d2"),
    (f'do = "garbage"\nkind = "binary"\n{AFTER}', "d0 d1 d2", "d0|d1 raw|d2"),
    (f'do = "garbage"\ntext = "[]"\n{ON}', "d0 d1", "d0|[] d1"),
    (f'do = "error"\ncode = "c"\n{ON}', "d0 d1 d2", "d0|c d1|d2"),
    (f'do = "expire"\n{ON}', "d0 d1 d2", "d0|session_expired close1001|"),
    ('do = "expire"\nat_s = 1.5', "d0 d1 d2 d3", "d0|d1|session_expired close1001|"),
    ('do = "garbage"\nkind = "truncated"\nat_s = 0.5', "d0 d1", "d0|garbage d1"),
    # Two at one event: in the order of the file; the event's own fate is one thing.
    (f'do = "error"\ncode = "c"\n{ON}\n--\ndo = "drop"\n{ON}', "d0 d1 d2", "d0|c|d2"),
    (f'do = "garbage"\n{ON}\n--\ndo = "close"\n{ON}', "d0 d1 d2", "d0|garbage close1011|"),
    (f'do = "close"\n{ON}\n--\ndo = "garbage"\n{ON}', "d0 d1 d2", "d0|close1011|"),
    (f'do = "duplicate"\n{ON}\n--\ndo = "delay"\nms = 1000\n{ON}', "d0 d1 d2", "d0||d1 d1 d2"),
    (f'do = "stall"\n{ON}\n--\ndo = "close"\nat_s = 3', "d0 d1 d2 d3 d4", "d0|||close1011|"),
    # Another session, another time.
    (f'do = "close"\n{ON}\nsession = 2', "d0 d1 d2", "d0|d1|d2"),
]


@pytest.mark.parametrize(("text", "down", "seen"), SEEN)
def test_what_the_client_gets(text: str, down: str, seen: str) -> None:
    assert run(fault(text), down) == seen


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        (f'do = "close"\n{ON}', ["d0|close1011|", "d0|d1|d2"]),
        (f'do = "close"\n{ON}\ntimes = 2', ["d0|close1011|", "d0|close1011|", "d0|d1|d2"]),
        (f'do = "close"\n{ON}\ntimes = 0', ["d0|close1011|"] * 4),
        (f'do = "close"\n{ON}\nsession = 3', ["d0|d1|d2", "d0|d1|d2", "d0|close1011|", "d0|d1|d2"]),
        ('do = "rst"\nat_s = 1', ["d0|rst|", "d0|d1|d2"]),
        (f'do = "drop"\non = {{event = "{DELTA}"}}\ntimes = 4', ["||", "|d1|d2", "d0|d1|d2"]),
    ],
)
def test_a_session_that_comes_again_is_hit_as_often_as_the_file_says(text: str, seen: list[str]) -> None:
    plan = fault(text)
    assert [run(plan, "d0 d1 d2", number) for number in range(1, len(seen) + 1)] == seen


def given(plan: FaultPlan, words: str) -> tuple[list[str], list[str]]:
    """The client's events: what the session is given, and what the client is sent."""
    session = plan.session(1)
    passed = [json.loads(text)["n"] for word in words.split() for text in session.up(event(word, event_id=f"id_{word}"), 0.0)]
    return passed, [shown(act) for act in session.take(0.0)]


APPEND = 'on = {event = "input_audio_buffer.append", index = 1}'


@pytest.mark.parametrize(
    ("text", "passed", "sent"),
    [
        (f'do = "drop"\n{APPEND}', ["a0", "c0", "a2"], []),
        (f'do = "duplicate"\n{APPEND}', ["a0", "c0", "a1", "a1", "a2"], []),
        (f'do = "close"\n{APPEND}', ["a0", "c0"], ["close1011"]),
        (f'do = "close"\ncode = 1006\n{APPEND.replace("}", ", after = true}")}', ["a0", "c0", "a1"], ["close1006"]),
        (f'do = "garbage"\n{APPEND}', ["a0", "c0", "a1", "a2"], ["garbage"]),
        ('do = "drop"\non = {event = "*", from = "client", index = 1}', ["a0", "a1", "a2"], []),
        ('do = "drop"\non = {event = "*"}', ["a0", "c0", "a1", "a2"], []),
        ('do = "error"\ncode = "c"\non = {event = "response.create"}', ["a0", "c0", "a1", "a2"], ["c"]),
    ],
)
def test_events_of_the_client(text: str, passed: list[str], sent: list[str]) -> None:
    assert given(fault(text), "a0 c0 a1 a2") == (passed, sent)


def test_an_error_that_a_request_brings_about_names_it() -> None:
    session = fault(f'do = "error"\non = {{event = "response.create"}}\n--\ndo = "error"\n{ON}').session(3)
    session.up(event("c0", event_id="mine"), 0.0)
    session.down(event("d0"), 0.0)
    session.down(event("d1", event_id="theirs"), 0.0)
    sent = [json.loads(act.text) for act in session.take(0.0) if isinstance(act, Send)]
    errors = [one for one in sent if one["type"] == "error"]
    assert [error["error"]["event_id"] for error in errors] == ["mine", None]
    assert len({error["event_id"] for error in errors}) == 2
    assert errors[0]["error"]["type"] == "server_error" and errors[0]["error"]["code"] is None


def test_the_events_of_one_response() -> None:
    plan = fault(f'do = "drop"\non = {{event = "{DELTA}", index = 0, response = 2}}')
    session = plan.session(1)
    told = []
    for number in (1, 2, 3):
        session.down(json.dumps({"type": "response.created", "n": f"r{number}", "response": {"id": f"resp_{number}"}}), 0.0)
        for n in range(2):
            session.down(event(f"d{n}", response_id=f"resp_{number}"), 0.0)
        told.append(" ".join(shown(act) for act in session.take(0.0)))
    assert told == ["r1 d0 d1", "r2 d1", "r3 d0 d1"]


@pytest.mark.parametrize("message", [b"\xff", "no JSON", "[]", "", '{"type":5}', "[" * 100_000, '{"event_id":5,"type":"response.create"}'])
def test_messages_that_are_no_events_are_borne_and_counted(message: str | bytes) -> None:
    session = fault('do = "duplicate"\non = {event = "*", from = "client"}').session(1)
    assert session.up(message, 0.0) == [message, message]
    assert session.up(message, 0.0) == [message]


def test_an_event_with_an_odd_field_has_its_type_all_the_same() -> None:
    session = fault('do = "drop"\non = {event = "response.create"}').session(1)
    assert session.up('{"event_id":5,"type":"response.create","response":7}', 0.0) == []


def test_what_is_dead_hears_nothing_and_knows_when_it_wakes() -> None:
    session = fault(f'do = "half_open"\nms = 500\n{ON}').session(1)
    assert session.deadline() is None and session.deaf_until == -math.inf
    session.down(event("d0"), 10.0)
    session.down(event("d1"), 10.0)
    assert [shown(act) for act in session.take(10.0)] == ["d0", "freeze"]
    assert (session.deaf_until, session.deadline(), session.crowded) == (10.5, 10.5, True)
    assert [shown(act) for act in session.take(10.5)] == ["thaw", "d1"]
    assert not session.crowded and session.deadline() is None


def test_what_is_dead_for_ever_has_no_deadline_but_that_of_another_fault() -> None:
    session = fault(f'do = "half_open"\n{ON}\n--\ndo = "rst"\nat_s = 9').session(1)
    for word in ("d0", "d1"):
        session.down(event(word), 0.0)
    assert [shown(act) for act in session.take(0.0)] == ["d0", "freeze"]
    assert session.deadline() == 9.0 and math.isinf(session.deaf_until)
    assert [shown(act) for act in session.take(9.0)] == ["rst"]
    assert session.over and session.deadline() is None and session.rest() == [] and not session.crowded
    assert session.up(event("c0"), 9.0) == []


def test_a_session_that_ends_by_itself_leaves_nothing_behind() -> None:
    session = fault(f'do = "reorder"\n{ON}\n--\ndo = "delay"\nms = 1000\non = {{event = "{OTHER}"}}').session(1)
    for word in ("d0", "t0", "d1"):
        session.down(event(word), 0.0)
    assert [shown(act) for act in session.take(0.0)] == ["d0"]
    assert [shown(act) for act in session.rest()] == ["d1", "t0"]


CHANCY = f'do = "drop"\np = 0.3\non = {{event = "{DELTA}"}}'


def test_chance_is_the_same_for_the_same_seed_whatever_else_there_is() -> None:
    words = " ".join(f"d{n}" for n in range(60))
    one, same, other = (read_faults(f"seed = {seed}\n[[fault]]\n{CHANCY}", "f") for seed in (1, 1, 2))
    first = run(one, words)
    run(same, words, number=7)
    assert run(same, words) == first != run(other, words)
    assert run(one, words, number=2) != first
    dropped = first.split("|").count("")
    assert 8 <= dropped <= 30


def test_chance_is_spread_evenly() -> None:
    drawn = [chance(5, 1, 1, n) for n in range(4000)]
    assert all(0.0 <= one < 1.0 for one in drawn)
    assert all(abs(sum(low <= one < low + 0.25 for one in drawn) - 1000) < 120 for low in (0.0, 0.25, 0.5, 0.75))


def test_chance_once_a_session_for_what_happens_at_a_time() -> None:
    plan = fault('do = "rst"\nat_s = 1\np = 0.5')
    ends = [run(plan, "d0 d1 d2", number).count("rst") for number in range(1, 41)]
    assert 8 <= sum(ends) <= 32


def test_the_tally_counts_only_what_happened() -> None:
    tally = Tally(fault(f'do = "drop"\n{ON}').faults, 0)
    assert tally.may(0) and tally.happened == [0]
