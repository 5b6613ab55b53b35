"""TOML files of users: what is right becomes a struct, what is wrong is named by file, line and key."""

from typing import Annotated, Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.errors import ConfigError
from voice.policy.tables import LARGEST_BYTES, read_table


class Inner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    size_ms: Annotated[int, msgspec.Meta(ge=1)] = 1


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    say: str | None = None
    inner: Inner | None = None
    many: list[Inner] = []
    do: Literal["close", "drop"] = "drop"
    free: dict[str, object] = {}


class Whole(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    entry: list[Entry] = []
    top: int = 0
    table: Inner | None = None


TEXT = '''
# a comment with [[entry]] in it
top = 3  # behind it
[[entry]]
say = """
[[entry]]
say = "not this one"
"""
[[entry]]
inner = { name = "x # no comment", size_ms = 5 }
many = [
    { name = "a" },  # first
    { name = 'b]', size_ms = 2 },
]
free = { "a.b" = [1, { c = 2 }], d = 1979-05-27 }
[[entry]]
do = "close"
[entry.inner]
"name" = "dotted"
[table]
name = "t"
'''


def test_what_is_right_is_typed() -> None:
    found = read_table(TEXT, "f.toml", Whole)
    assert found.value.top == 3 and found.value.entry[0].say == '[[entry]]\nsay = "not this one"\n'
    assert found.value.entry[1].many == [Inner("a"), Inner("b]", 2)]
    assert found.value.entry[2] == Entry(inner=Inner("dotted"), do="close")


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("top",), 3),
        (("entry",), 4),
        (("entry", 0), 4),
        (("entry", 0, "say"), 5),
        (("entry", 1), 9),
        (("entry", 1, "inner", "size_ms"), 10),
        (("entry", 1, "many"), 11),
        (("entry", 1, "many", 0), 12),
        (("entry", 1, "many", 1, "size_ms"), 13),
        (("entry", 1, "free", "a.b", 1, "c"), 15),
        (("entry", 1, "free", "d"), 15),
        (("entry", 2), 16),
        (("entry", 2, "do"), 17),
        (("entry", 2, "inner"), 18),
        (("entry", 2, "inner", "name"), 19),
        (("table", "name"), 21),
        (("entry", 1, "nowhere", "at", "all"), 9),
        (("nowhere",), 1),
    ],
)
def test_every_place_has_its_line(place: tuple[str | int, ...], line: int) -> None:
    assert str(read_table(TEXT, "f.toml", Whole).mistake("it is so", *place)) == f"f.toml:{line}: it is so"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("top = 1\n[[entry]]\nsya = 'x'", "f.toml:3: no key 'sya' here: did you mean 'say'?"),
        ("tpo = 1", "f.toml:1: no key 'tpo' here: did you mean 'top'?"),
        ("[[entry]]\n[[entry]]\nzzz = 1", "f.toml:3: no key 'zzz' here; there are say, inner, many, do, free"),
        ("[[entry]]\n\nmany = [\n {name='a'},\n {nmae='b'}]", "f.toml:5: no key 'nmae' here: did you mean 'name'?"),
        ("[[entry]]\nsay = 1", "f.toml:2: say: expected text, got whole number"),
        ("[[entry]]\nsay = 'x'\n[entry.inner]\nname = 'y'\nsize_ms = 0", "f.toml:5: size_ms: expected whole number >= 1"),
        ("[[entry]]\nsay = 'x'\ninner = {size_ms = 1}", "f.toml:3: inner has no 'name'"),
        ("[[entry]]\ndo = 'clsoe'", "f.toml:2: do: is one of close, drop, not 'clsoe'"),
        ("entry = 3", "f.toml:1: entry: expected list, got whole number"),
        ("top = ", "f.toml:1: this is not TOML: Invalid value"),
        ("top = 1\ntop = 2", "f.toml:2: 'top' is given already, on line 1"),
        ("top = 1\r\n'top' = 2\r\n", "f.toml:2: 'top' is given already, on line 1"),
        ("[[entry]]\nsay = 'x'\n[[entry]]\nsay = 'x'\n\nsay = '''\ny'''\n", "f.toml:7: 'entry.say' is given already, on line 4"),
        ("[[entry]]\ninner.name = 'x'\n[entry.inner]\n", "f.toml:3: 'entry.inner' is given already, on line 2"),
        ("[table]\n[top]\n[table]", "f.toml:3: 'table' is given already, on line 1"),
        ("top = 1\ntop.x = 2", "f.toml:2: 'top' is given already, on line 1"),
        ("top = 1\n[top.x]\ny = 1", "f.toml:2: 'top' is given already, on line 1"),
        ("table = {a = 1, a = 2}", "f.toml:1: this is not TOML: Duplicate inline table key 'a'"),
        (f"# {'1' * 5000}\n[table]\nname = '{'1' * 5000}'\nsize_ms = {'1' * 5000}", "f.toml:4: a number has 4300 digits at most"),
        (f"[[entry]]\nfree = {{ x = [1,\n-{'1_0' * 3000}]}}", "f.toml:3: a number has 4300 digits at most"),
        ("top = 1\n[entry", "f.toml:2: this is not TOML: "),
        ("a" * (LARGEST_BYTES + 1), "'f.toml' is too large"),
        (b"top = 1\n# \xff", "f.toml:2: this is not UTF-8"),
        (f"top = {'[' * 9999}", "f.toml:1: this is not TOML that can be read"),
    ],
)
def test_a_mistake_is_named_by_file_line_and_key(text: str | bytes, says: str) -> None:
    with pytest.raises(ConfigError) as told:
        read_table(text, "f.toml", Whole)
    assert says in str(told.value) and str(told.value).count("\n") == 0


def test_values_of_a_program_are_read_alike_and_their_mistakes_named_by_their_place() -> None:
    assert read_table({"entry": [{"say": "x"}], "top": 1}, "mine", Whole).value == Whole([Entry("x")], 1)
    for values, says in (
        ({"entry": [{}, {"sya": "x"}]}, "mine.entry[1].sya: no key 'sya' here: did you mean 'say'?"),
        ({"entry": [{"inner": {}}]}, "mine.entry[0].inner: inner has no 'name'"),
        ({"top": "x"}, "mine.top: top: expected whole number, got text"),
    ):
        with pytest.raises(ConfigError) as told:
            read_table(values, "mine", Whole)
        assert str(told.value) == says
    assert str(read_table({}, "mine", Whole).mistake("it is so", "entry", 2)) == "mine.entry[2]: it is so"


def test_a_byte_order_mark_is_no_mistake() -> None:
    assert read_table(b"\xef\xbb\xbftop = 1", "f.toml", Whole).value.top == 1


# Values in every form that TOML has, one a line or over several; the keys behind them still have the right lines.
VALUES = [
    *("1", "true", "-inf", "1e3", "07:32:00", "1979-05-27T07:32:00Z", '"a"', "'b'", '"\\""', '"""c"""', "'''d'''"),
    *(
        '"""\n\n"""',
        "'''\n[x]\n'''",
        '"""a"" "\\""""',
        "[1, 2]",
        "[\n1,\n# ]\n2,\n]",
        "{a = 1}",
        "{a = {b = [1]}, 'c.d' = 2}",
        '[["]"], []]',
    ),
]


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.lists(st.sampled_from(VALUES), max_size=12), st.booleans())
def test_whatever_stands_before_it_a_key_has_its_line(values: list[str], header: bool) -> None:
    class Any(msgspec.Struct, frozen=True):
        pass

    text = "[head]\n" * header + "".join(f"k{n} = {value}  # so\n" for n, value in enumerate(values))
    place = ("head",) * header
    line = text.count("\n") + 1
    found = read_table(text + "wanted = 1", "f.toml", Any)
    assert str(found.mistake("here", *place, "wanted")) == f"f.toml:{line}: here"
