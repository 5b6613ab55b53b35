"""Functions as tools: the schema that a model is told, and the values that a function gets."""

import enum
import functools
import json
import math
import pathlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal, TypedDict

import msgspec
import pytest

from voice.errors import ProtocolError, UsageError
from voice.protocol.signature import described
from voice.protocol.tools import check_tools, declared, toolbox


class Size(enum.Enum):
    SMALL = "s"
    LARGE = "l"


@dataclass(frozen=True)
class Address:
    """Where somebody lives."""

    street: str
    number: int = 1


class Line(TypedDict):
    article: str


@dataclass
class Tree:
    name: str
    under: "list[Tree]"


def schema_of(function: Callable[..., Any]) -> dict[str, Any]:
    tool = described(function).tool
    # What we declare is what our own server takes.
    check_tools([declared(tool)], "session.tools")
    assert toolbox([declared(tool)], "auto", True).tools == (tool,)
    return dict(tool.parameters)


def properties(function: Callable[..., Any]) -> Any:
    return schema_of(function)["properties"]


def test_name_and_words_come_from_the_function() -> None:
    def find_order(number: int, email: str = "") -> str:
        """Find an order.

        Args:
            number: as printed
        """
        return f"{number}{email}"

    tool = described(find_order).tool
    assert (tool.name, tool.description) == ("find_order", "Find an order.")
    assert tool.parameters == {
        "type": "object",
        "properties": {"number": {"type": "integer", "description": "as printed"}, "email": {"type": "string", "default": ""}},
        "required": ["number"],
        "additionalProperties": False,
    }
    other = described(find_order, "look", "Look.").tool
    assert (other.name, other.description, other.parameters) == ("look", "Look.", tool.parameters)


def test_no_parameters() -> None:
    def now() -> str:
        return ""

    assert schema_of(now) == {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    for text in ("", " \n", "{}"):
        assert described(now).decode(text) == {}


def test_types() -> None:
    def order(  # type: ignore[no-untyped-def]
        size: Size,
        kind: Literal["new", "used"],
        lines: list[Line],
        to: Address,
        day: date,
        more: dict[str, float],
        note: str | None,
        anything,
        whatever: object,
        *,
        sure: bool,
    ) -> None: ...

    found = properties(order)
    assert found["size"] == {"title": "Size", "enum": ["l", "s"], "type": "string"}
    assert found["kind"]["enum"] == ["new", "used"]
    assert found["lines"]["items"]["properties"] == {"article": {"type": "string"}}
    assert found["to"]["description"] == "Where somebody lives."
    assert found["to"]["properties"]["number"] == {"type": "integer", "default": 1}
    assert found["day"] == {"type": "string", "format": "date"}
    assert found["more"]["additionalProperties"] == {"type": "number"}
    assert found["note"] == {"anyOf": [{"type": "string"}, {"type": "null"}]}
    assert found["anything"] == found["whatever"] == {}
    written = {
        "size": "l",
        "kind": "new",
        "lines": [{"article": "pen"}],
        "to": {"street": "a"},
        "day": "2026-11-20",
        "more": {"x": 1},
        "note": None,
        "anything": [1, {"a": None}],
        "whatever": "b",
        "sure": True,
    }
    assert described(order).decode(msgspec.json.encode(written).decode()) == {
        **written,
        "size": Size.LARGE,
        "to": Address("a"),
        "day": date(2026, 11, 20),
    }


def test_an_integer_that_is_written_as_a_float() -> None:
    def act(a: int, b: list[int], c: dict[str, int | None], d: Address, e: Literal[1, 2], f: float = 0.0, g: Any = None) -> None: ...

    text = '{"a":7.0,"b":[1,-2.0,3e2],"c":{"x":4.0,"y":null},"d":{"street":"5.0","number":6.0},"e":2.0,"f":8.0,"g":[9.0,9.5]}'
    found = described(act).decode(text)
    assert found == {"a": 7, "b": [1, -2, 300], "c": {"x": 4, "y": None}, "d": Address("5.0", 6), "e": 2, "f": 8.0, "g": [9, 9.5]}
    assert [type(found[name]) for name in "aef"] == [int, int, float]
    with pytest.raises(ProtocolError):
        described(act).decode(text.replace("7.0", "7.5"))


@dataclass
class Arguments:
    q: int


def test_a_type_that_is_called_as_ours_is() -> None:
    def act(arguments: Arguments, more: "list[Arguments]" = []) -> None: ...  # noqa: B006

    found = properties(act)
    assert found["arguments"]["properties"] == found["more"]["items"]["properties"] == {"q": {"type": "integer"}}
    assert schema_of(act)["required"] == ["arguments"]
    assert described(act).decode('{"arguments":{"q":1}}') == {"arguments": Arguments(1)}


@dataclass
class Measured:
    much: float = math.inf
    unit: str = "kg"


def test_a_default_that_is_no_number_is_not_told() -> None:
    def act(
        a: float = math.nan,
        b: float = -math.inf,
        c: list[float] = [1.0, math.nan],  # noqa: B006
        d: float = 1.5,
        e: Measured = Measured(),  # noqa: B008
        f: Measured | None = None,
    ) -> None: ...

    found = properties(act)
    assert [name for name in "abcdef" if "default" in found[name]] == ["d", "f"]
    assert "default" not in found["e"]["properties"]["much"] and found["e"]["properties"]["unit"]["default"] == "kg"
    json.dumps(schema_of(act), allow_nan=False)
    assert described(act).decode("{}") == {}


def test_a_type_that_holds_itself() -> None:
    def plant(tree: Tree) -> None: ...

    schema = schema_of(plant)
    assert schema["$defs"]["Tree"]["properties"]["under"]["items"] == {"$ref": "#/$defs/Tree"}
    tree = '{"tree":{"name":"a","under":[{"name":"b","under":[]}]}}'
    assert described(plant).decode(tree) == {"tree": Tree("a", [Tree("b", [])])}


def test_what_is_left_out_is_not_passed() -> None:
    marker = object()

    def act(a: int = 1, b: str = None, c: Any = marker, d: list[int] = [2]) -> Any:  # type: ignore[assignment]  # noqa: B006
        return a, b, c, d

    found = properties(act)
    assert found["a"] == {"type": "integer", "default": 1}
    assert found["b"] == {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}
    assert found["c"] == {}
    assert found["d"]["default"] == [2]
    assert schema_of(act)["required"] == []
    decode = described(act).decode
    assert decode("{}") == {}
    assert act(**decode('{"a":3,"b":null}')) == (3, None, marker, [2])


def test_words_of_a_parameter() -> None:
    class Doc:
        documentation = "a document"

    def act(
        a: Annotated[str, "text"],
        b: Annotated[int, msgspec.Meta(description="meta", ge=1)],
        c: Annotated[str, Doc()],
        d: Annotated[int, "both", msgspec.Meta(le=3)] = 2,
        e: Annotated[int, 7] = 2,
    ) -> None:
        """Act.

        Args:
            a: of the docstring
            e: of the docstring
        """

    found = properties(act)
    assert [found[name]["description"] for name in "abcde"] == ["text", "meta", "a document", "both", "of the docstring"]
    assert found["b"]["minimum"] == 1 and found["d"]["maximum"] == 3
    with pytest.raises(ProtocolError):
        described(act).decode('{"a":"","b":0,"c":""}')


class Shop:
    def find(self, number: int) -> int:
        """Find it."""
        return number

    def __call__(self, name: str) -> str:
        """Ask for it."""
        return name


def test_methods_and_other_things_that_can_be_called() -> None:
    assert described(Shop().find).tool.description == "Find it."
    assert list(properties(Shop().find)) == ["number"]
    called = described(Shop()).tool
    assert (called.name, called.description, list(called.parameters["properties"])) == ("Shop", "Ask for it.", ["name"])

    @functools.wraps(Shop().find)
    def wrapped(*args: Any, **kwargs: Any) -> Any: ...

    assert described(wrapped).tool == described(Shop().find).tool

    async def later(x: int) -> None:
        """Later."""

    assert described(later).tool.description == "Later."


def test_what_a_partial_has_filled_in_is_not_told() -> None:
    def find(number: int, customer: str, unit: str = "") -> str:
        """Find it."""
        return customer

    for filled in (functools.partial(find, customer="7c1"), functools.partial(functools.partial(find, customer="7c1"))):
        tool = described(filled).tool
        assert (tool.name, tool.description) == ("find", "Find it.")
        assert list(tool.parameters["properties"]) == ["number", "unit"]
        assert "7c1" not in msgspec.json.encode(declared(tool)).decode()
        with pytest.raises(ProtocolError):
            described(filled).decode('{"number":1,"customer":"other"}')


def test_annotations_as_text() -> None:
    def later(address: "Address", lines: "list[Line]") -> None: ...

    assert described(later).decode('{"address":{"street":"a"},"lines":[]}') == {"address": Address("a"), "lines": []}


class Strange:
    pass


def stars(*args: int) -> None: ...
def pairs(**kwargs: int) -> None: ...
def by_place(a: int, /) -> None: ...
def strange(a: Strange) -> None: ...
def unknown(a: "Nowhere") -> None: ...  # type: ignore[name-defined]  # noqa: F821
def strange_last(a: int, f: pathlib.Path = None) -> None: ...  # type: ignore[assignment]
def strange_list(a: int, f: list[Strange]) -> None: ...
def calls_back(a: int, back: Callable[[], int]) -> None: ...
def two_objects(a: Address | Tree) -> None: ...


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (stars, "'*args: int'"),
        (pairs, "'**kwargs: int'"),
        (by_place, "'a: int'"),
        (strange, "'strange' cannot be described: parameter 'a' (Strange) is of a type that no JSON can be"),
        (strange_last, "parameter 'f' (Path) "),
        (strange_list, "parameter 'f' (list[tests.test_signature.Strange]) "),
        (calls_back, "parameter 'back' (collections.abc.Callable[[], int]) "),
        (unknown, "Nowhere"),
        (two_objects, "parameter 'a' (tests.test_signature.Address | tests.test_signature.Tree) "),
        (lambda a: a, "give it a `name`"),
    ],
)
def test_what_cannot_be_described(function: Callable[..., Any], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        described(function)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def counts() -> Iterator[int]:
    yield 1


async def counts_later() -> AsyncIterator[int]:
    yield 1


class Counts:
    def __call__(self) -> Iterator[int]:
        yield 1

    async def later(self) -> AsyncIterator[int]:
        yield 1


GENERATORS = [counts, counts_later, Counts(), Counts().later, functools.partial(counts), functools.partial(functools.partial(counts_later))]


@pytest.mark.parametrize("function", GENERATORS, ids=range(len(GENERATORS)))
def test_generator_functions_are_no_tools(function: Callable[..., Any]) -> None:
    with pytest.raises(UsageError, match="^the tool 'act' is a generator function: give a function or a coroutine function"):
        described(function, "act")


@pytest.mark.parametrize("function", [Shop, Address, int, functools.partial(Shop)])
def test_classes_are_no_tools(function: Callable[..., Any]) -> None:
    with pytest.raises(UsageError, match="^the tool 'act' is a class: "):
        described(function, "act")


@pytest.mark.parametrize("name", ["", "a b", "é", "a" * 65, "a.b", 5, b"a"])
def test_names_that_no_tool_can_have(name: Any) -> None:
    with pytest.raises(UsageError, match="give it a `name`"):
        described(lambda: None, name)
    assert described(lambda: None, "a-B_9").tool.name == "a-B_9"


@pytest.mark.parametrize("description", [5, b"look", ["look"]])
def test_a_description_is_text(description: Any) -> None:
    with pytest.raises(UsageError, match="^the description of the tool 'look' is text, not "):
        described(lambda: None, "look", description)
    assert described(lambda: None, "look", "").tool.description == ""
