"""The faults of a twin over all its sessions: who is refused, what has not happened yet."""

import json

import pytest

from voice.errors import ConfigError
from voice.policy.deeds import Refuse
from voice.policy.faults import FaultPlan, faults_of, read_faults, refusal_error

ERROR = '{"type":"error"}'


def test_handshakes_are_refused_as_often_as_the_file_says() -> None:
    plan = read_faults('[[fault]]\ndo = "refuse"\nstatus = 429\ntimes = 2\n[[fault]]\ndo = "refuse"\nkind = "cut"\nsession = 4', "f")
    assert [plan.refusal(number) for number in range(1, 6)] == [Refuse(status=429), Refuse(status=429), None, Refuse("cut"), None]
    always = read_faults('[[fault]]\ndo = "refuse"\ntimes = 0', "f")
    assert all(always.refusal(number) == Refuse() for number in range(1, 30))


def test_chance_refuses_the_same_handshakes_again() -> None:
    text = 'seed = 3\n[[fault]]\ndo = "refuse"\np = 0.5'
    one, other = ([plan.refusal(n) is None for n in range(60)] for plan in (read_faults(text, "f"), read_faults(text, "f")))
    assert one == other and 15 <= sum(one) <= 45


def test_what_was_bound_to_happen_and_has_not_is_told() -> None:
    lines = (
        'do = "drop"\non = {event = "error"}',
        'do = "drop"\non = {event = "error"}\ntimes = 3',
        'do = "drop"\np = 0.5',
        'do = "refuse"',
    )
    plan = read_faults("\n".join(f"[[fault]]\n{one}" for one in lines), "f.toml")
    assert [fault.where for fault in plan.unused()] == ["f.toml:1", "f.toml:4", "f.toml:11"]
    plan.refusal(1)
    session = plan.session(2)
    session.down(ERROR, 0.0)
    assert [fault.where for fault in plan.unused()] == ["f.toml:4"]
    for _ in range(2):
        session.down(ERROR, 0.0)
    assert plan.unused() == []


def test_a_plan_without_faults_lets_all_pass() -> None:
    plan = FaultPlan()
    session = plan.session(1)
    session.down(ERROR, 0.0)
    assert session.up("x", 0.0) == ["x"] and plan.refusal(1) is None and plan.unused() == [] and list(plan.faults) == []
    assert [json.loads(act.text) for act in session.take(0.0)] == [{"type": "error"}]  # type: ignore[union-attr]


def test_the_same_as_objects_of_a_program() -> None:
    told = faults_of({"seed": 4, "fault": [{"do": "close", "on": {"event": "error", "index": 2}, "code": 4001}]})
    assert told.faults[0].deed == read_faults('[[fault]]\ndo = "close"\ncode = 4001\nat_s = 1', "f").faults[0].deed
    with pytest.raises(ConfigError, match=r"^faults\.fault\[0\]\.do: nothing is called do = 'x'"):
        faults_of({"fault": [{"do": "x"}]})


@pytest.mark.parametrize(
    ("refuse", "kind", "code"),
    [
        (Refuse(status=401), "invalid_request_error", "invalid_api_key"),
        (Refuse(status=404), "invalid_request_error", "model_not_found"),
        (Refuse(status=429), "invalid_request_error", "rate_limit_exceeded"),
        (Refuse(status=429, type="insufficient_quota", code="insufficient_quota"), "insufficient_quota", "insufficient_quota"),
        (Refuse(status=503), "server_error", "server_error"),
        (Refuse(status=418), "invalid_request_error", None),
        (Refuse(status=599), "server_error", None),
    ],
)
def test_the_error_of_a_refusal(refuse: Refuse, kind: str, code: str | None) -> None:
    error = refusal_error(refuse)
    assert (error["type"], error["code"], error["param"]) == (kind, code, None) and error["message"]
    assert refusal_error(Refuse(message="x"))["message"] == "x"
