"""A file of faults: what it means, and how its mistakes are told."""

import tomllib

import pytest

from voice.errors import ConfigError
from voice.policy.deeds import Address, Close, Delay, Drop, Expire, Fail, Fault, Garbage, HalfOpen, Refuse, Reorder, Reset, Stall
from voice.policy.faultfile import convert, parse

DELTA = "response.output_audio.delta"

# The lines behind [[fault]], and what they mean.
MEANT = [
    ('do = "close"\non = {event = "response.output_audio.delta", index = 7}', Fault(Close(), on=Address(DELTA, index=frozenset({7})))),
    ('do = "close"\ncode = 4000\nreason = "\ud55c"\nat_s = 3', Fault(Close(4000, "\ud55c"), at_s=3.0)),
    ('do = "rst"\nat_s = 0.5\ntimes = 0\nsession = 2', Fault(Reset(), at_s=0.5, times=0, session=2)),
    ('do = "stall"\nat_s = 1\nms = 250', Fault(Stall(250), at_s=1.0)),
    ('do = "half_open"\nat_s = 1', Fault(HalfOpen(), at_s=1.0)),
    ('do = "drop"\np = 0.01', Fault(Drop(), on=Address(), p=0.01, times=0)),
    ('do = "drop"\np = 0.5\ntimes = 3\non = {event = "error"}', Fault(Drop(), on=Address("error"), p=0.5, times=3)),
    ('do = "drop"\non = {event = "response.*", index = [1, 4]}', Fault(Drop(), on=Address("response.*", index=frozenset({1, 4})), times=2)),
    ('do = "drop"\n[fault.on]\nevent = "input_audio_buffer.append"', Fault(Drop(), on=Address("input_audio_buffer.append", client=True))),
    ('do = "drop"\non = {event = "x.ping", from = "server"}', Fault(Drop(), on=Address("x.ping"))),
    ('do = "drop"\non = {event = "x.*", from = "server"}', Fault(Drop(), on=Address("x.*"))),
    ('do = "drop"\non = {event = "*", from = "client"}', Fault(Drop(), on=Address(client=True))),
    ('do = "drop"\non = {event = "response.audio.delta"}', Fault(Drop(), on=Address("response.audio.delta"))),
    ('do = "rst"\non = {event = "error", after = true, response = 2}', Fault(Reset(), on=Address("error", after=True, response=2))),
    ('do = "reorder"\nevents = 3\non = {event = "error"}', Fault(Reorder(3), on=Address("error"))),
    ('do = "delay"\nms = 9\non = {event = "error"}\ntimes = 0', Fault(Delay(9), on=Address("error"), times=0)),
    ('do = "garbage"\nkind = "utf8"\nat_s = 0', Fault(Garbage("utf8"), at_s=0.0)),
    ('do = "garbage"\ntext = "[]"\nat_s = 0', Fault(Garbage(text="[]"), at_s=0.0)),
    ('do = "error"\ntype = "t"\ncode = "c"\nmessage = "m"\nparam = "p"\nat_s = 0', Fault(Fail("t", "c", "m", "p"), at_s=0.0)),
    ('do = "refuse"\nstatus = 429\nretry_after = 2', Fault(Refuse(status=429, retry_after=2.0))),
    ('do = "refuse"\nkind = "silence"\nsession = 1', Fault(Refuse("silence"), session=1)),
    ('do = "refuse"\np = 0.5', Fault(Refuse(), p=0.5, times=0)),
    ('do = "expire"\nat_s = 1\nmessage = "m"', Fault(Expire("m"), at_s=1.0)),
]


@pytest.mark.parametrize(("text", "fault"), MEANT)
def test_what_a_fault_means(text: str, fault: Fault) -> None:
    whole = f"# one\n[[fault]]\n{text}\n"
    read = parse(whole, "f.toml").faults
    assert [(one.deed, one.on, one.at_s, one.p, one.session, one.times) for one in read] == [
        (fault.deed, fault.on, fault.at_s, fault.p, fault.session, fault.times)
    ]
    assert read[0].where == "f.toml:2"
    assert convert(tomllib.loads(whole), "mine").faults[0].where == "mine.fault[0]"


def test_seed_and_order() -> None:
    read = parse('seed = 7\n[[fault]]\ndo = "rst"\nat_s = 1\n[[fault]]\ndo = "expire"\nat_s = 2', "f")
    assert read.seed == 7 and [type(fault.deed) for fault in read.faults] == [Reset, Expire]
    assert parse("", "f").faults == () and parse("", "f").seed == 0


ON = 'on = {event = "error"}'

# The lines behind [[fault]], the line that is named, and what is said of it.
MISTAKES = [
    ('do = "clos"', 2, "nothing is called do = 'clos': did you mean 'close'?"),
    ("at_s = 1", 1, "a fault says what it does: do = one of close, rst, "),
    ('do = "close"\ncodee = 1', 3, "no key 'codee' of do = 'close': did you mean 'code'?"),
    (f'do = "drop"\n{ON}\ncode = 1', 4, "'code' does not go with do = 'drop': it takes no key of its own"),
    ('do = "stall"\nat_s = 1\nstatus = 1', 4, "'status' does not go with do = 'stall': it takes ms"),
    (f'do = "close"\n{ON}\ncode = "x"', 4, "code: expected whole number, got text"),
    (f'do = "close"\n{ON}\ncode = 70000', 4, "code: expected whole number <= 65535"),
    (f'do = "close"\n{ON}\ncode = 1006\nreason = "x"', 5, "1006 is an end without a close frame: there is no place for a reason"),
    (f'do = "close"\n{ON}\nreason = "{"x" * 124}"', 4, "a close frame holds 123 bytes of reason"),
    (f'do = "stall"\n{ON}\nms = 0.5', 4, "ms: expected whole number, got number"),
    (f'do = "stall"\n{ON}\nms = 0', 4, "ms: expected whole number >= 1"),
    (f'do = "delay"\n{ON}', 1, "do = 'delay' says by how much: ms"),
    ('do = "close"', 1, "a fault says when it happens: on = {event = ...}, at_s or p"),
    (f'do = "close"\n{ON}\nat_s = 1', 4, "a fault happens at an event (on) or at a time (at_s), not both"),
    ('do = "close"\nat_s = -1', 3, "at_s: expected number >= 0.0"),
    ('do = "close"\nat_s = true', 3, "at_s: expected number, got true or false"),
    ('do = "close"\np = 1.5', 3, "p: expected number <= 1.0"),
    ('do = "drop"\nat_s = 1', 3, "this happens to an event: say which one with 'on', not 'at_s'"),
    (f'do = "refuse"\n{ON}', 3, "a handshake comes before all events: 'on' does not go with do = 'refuse'"),
    ('do = "refuse"\nat_s = 1', 3, "a handshake comes before all events: 'at_s' does not go with do = 'refuse'"),
    ('do = "refuse"\nkind = "cut"\nstatus = 500', 4, "kind = 'cut' is no HTTP answer: 'status' has no place in it"),
    ('do = "refuse"\nstatus = 101', 3, "status: expected whole number >= 200"),
    ('do = "refuse"\nkind = "no"', 3, "kind: there is no 'no'; there are status, silence, cut"),
    ('do = "garbage"\nat_s = 1\nkind = "utf8"\ntext = ""', 5, "a frame has a kind or a text of your own, not both"),
    ('do = "close"\non = {}', 3, 'on says which events are meant: event = "response.output_audio.delta"'),
    ('do = "close"\non = "error"', 3, "on: expected table, got text"),
    ('do = "close"\non = {event = "error", indx = 1}', 3, "no key 'indx' of 'on': did you mean 'index'?"),
    ('do = "close"\n[fault.on]\nevent = "error"\nindex = -1', 5, "on.index: expected whole number >= 0"),
    ('do = "close"\non = {event = "error", index = []}', 3, "on.index: expected list of length >= 1"),
    ('do = "close"\non = {event = ""}', 3, "on.event: expected text of length >= 1"),
    (
        'do = "close"\non = {event = "response.output_audio.delt"}',
        3,
        "the protocol has no event 'response.output_audio.delt': did you mean 'response.output_audio.delta'?",
    ),
    (
        'do = "close"\non = {event = "zzz"}',
        3,
        "the protocol has no event 'zzz': one of your own needs from = 'server' or 'client' beside it",
    ),
    (
        'do = "close"\non = {event = "response.foo*"}',
        3,
        "no event of the protocol fits 'response.foo*': those of your own need from = 'server' or 'client' beside it",
    ),
    ('do = "close"\non = {event = "response.create", from = "server"}', 3, "'response.create' is the client's: from = 'client'"),
    ('do = "close"\non = {event = "error", from = "client"}', 3, "'error' is the server's: from = 'server'"),
    ('do = "close"\non = {event = "session.up*e"}', 3, "'session.up*e' is the client's: from = 'client'"),
    ('do = "close"\non = {event = "*.delta", from = "client"}', 3, "'*.delta' is the server's: from = 'server'"),
    ('do = "rst"\nat_s = 1\ntimes = 0x1111111111111', 4, "times: expected whole number <= 1099511627776"),
    ('do = "close"\non = {event = "*", from = "me"}', 3, "from is 'server' or 'client', not 'me'"),
    ('do = "drop"\non = {event = "error", after = true}', 3, "this happens to the event itself: there is no 'after'"),
    (
        'do = "delay"\nms = 1\non = {event = "response.create"}',
        4,
        "an event of the client's can be dropped or duplicated, not delayed or reordered",
    ),
    ('do = "rst"\non = {event = "response.create", response = 1}', 3, "the client's events belong to no response"),
    ('do = "rst"\nat_s = 1\nsession = 0', 4, "session: expected whole number >= 1"),
    ('do = "rst"\nat_s = 1\ntimes = -1', 4, "times: expected whole number >= 0"),
]


@pytest.mark.parametrize(("text", "line", "says"), MISTAKES)
def test_a_mistake_is_told_with_its_line(text: str, line: int, says: str) -> None:
    with pytest.raises(ConfigError) as told:
        parse(f"[[fault]]\n{text}\n", "dir/f.toml")
    assert str(told.value).startswith(f"dir/f.toml:{line}: {says}")
    assert "`" not in str(told.value) and told.value.exit_code == 78
    with pytest.raises(ConfigError, match=r"^mine\.fault\[0\]"):
        convert(tomllib.loads(f"[[fault]]\n{text}\n"), "mine")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[[faults]]\ndo = "rst"', "f:1: no key 'faults': did you mean 'fault'?"),
        ('[fault]\ndo = "rst"', "f:1: a fault begins with [[fault]]"),
        ("fault = 3", "f:1: a fault begins with [[fault]]"),
        ("fault = [3]", "f:1: a fault begins with [[fault]]"),
        ('seed = "x"', "f:1: seed: expected whole number, got text"),
        (f"seed = 0x{'1' * 5000}", "f:1: seed: expected whole number <= 9223372036854775807"),
        ("seed = 1\nseed = 2", "f:2: 'seed' is given already, on line 1"),
        ("seed = 1\nx = [", "f:2: this is not TOML: "),
        ("seed = 1\nx = = 2\n", "f:2: this is not TOML: "),
        ("x = " + "[" * 100_000, "f:1: this is not TOML"),
    ],
)
def test_a_file_that_is_none(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as told:
        parse(text, "f")
    assert str(told.value).startswith(says)


def test_the_second_of_two_is_named() -> None:
    with pytest.raises(ConfigError, match="^f:5: "):
        parse('[[fault]]\ndo = "rst"\nat_s = 1\n[[fault]]\ndo = "rs"\n', "f")
