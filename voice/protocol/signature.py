"""A Python function as a tool: what a model is told of it, and the arguments that a model wrote, as Python values.

    def get_weather(city: str, unit: Literal["celsius", "fahrenheit"] = "celsius") -> dict:
        "The weather now. Args: city: where, e.g. Oslo"

The names, types and defaults of the parameters give the JSON schema; the docstring, or `Annotated[str, "..."]`, says what they mean. Any
type that msgspec knows can be a parameter: numbers, text, `Literal`, enums, lists, dictionaries, dates, dataclasses, TypedDicts, structs,
and unions of them; one without a type takes any JSON. What a model leaves out is not passed: the function's own default counts.

A parameter must be passed by name: functions with `*args`, `**kwargs` or positional-only parameters cannot be described. What a
`functools.partial` has filled in is not told. Pure.
"""

import functools
import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin

import msgspec
from msgspec import UNSET, UnsetType

from voice.errors import ProtocolError, UsageError
from voice.protocol.docstring import words_of
from voice.protocol.misfit import misfit
from voice.protocol.tools import Tool, is_name

_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_REF = "#/$defs/"
_NO_TYPE = (TypeError, NameError, ValueError, KeyError, RecursionError)
"""What msgspec raises over types that it cannot describe."""
SHOWN_LETTERS = 80
"""Of a type in a message."""


@dataclass(frozen=True, slots=True)
class Described:
    """A function as a tool. `decode` turns the arguments that a model wrote (JSON) into those of the function, by name.

    It raises ProtocolError with a sentence for the model if they are no JSON or do not fit.
    """

    tool: Tool
    decode: Callable[[str], dict[str, Any]]


def described(function: Callable[..., Any], name: str | None = None, description: str | None = None) -> Described:
    """`name`, `description`: instead of the function's own and its docstring's.

    Raises: UsageError if it cannot be described; the message says which parameter is why.
    """
    base = function.func if isinstance(function, functools.partial) else function
    name = name if name is not None else str(getattr(base, "__name__", type(base).__name__))
    if not isinstance(name, str) or not is_name(name):
        raise UsageError(f"a tool cannot be called {name!r}: give it a `name` of 1 to 64 letters, digits, '_' or '-'")
    if not isinstance(description, str | None):
        raise UsageError(f"the description of the tool {name!r} is text, not {description!r}")
    if kind := _no_tool(base):
        raise UsageError(f"the tool {name!r} is {kind}: give a function or a coroutine function that returns its result")
    parameters = _parameters(function, name)
    words = words_of(inspect.getdoc(base if inspect.isroutine(base) else type(base).__call__), parameters)
    module = getattr(inspect.unwrap(base), "__module__", None)
    try:
        arguments, schema = _arguments(parameters, words.of, module)
        decoder = msgspec.json.Decoder(arguments)
    except _NO_TYPE as exc:
        raise UsageError(f"the tool {name!r} cannot be described: {_culprit(parameters, module)}") from exc
    for key, parameter in parameters.items():
        if parameter.default is not inspect.Parameter.empty and _is_plain(parameter.default):
            schema["properties"][key]["default"] = msgspec.to_builtins(parameter.default)
    tool = Tool(name, words.description if description is None else description, schema)
    return Described(tool, lambda text: _decoded(decoder, text, schema))


def _no_tool(base: Any) -> str:
    """What it is, if a call of it does not give a result."""
    if inspect.isclass(base):
        return "a class"
    called = base if inspect.isroutine(base) else type(base).__call__
    return "a generator function" if inspect.isgeneratorfunction(called) or inspect.isasyncgenfunction(called) else ""


def _parameters(function: Callable[..., Any], name: str) -> Mapping[str, inspect.Parameter]:
    """Those of the signature, with their types looked up. Raises: UsageError."""
    try:
        signature = inspect.signature(function, eval_str=True)
    except (NameError, AttributeError, SyntaxError, TypeError, ValueError) as exc:
        raise UsageError(f"the signature of the tool {name!r} cannot be read: {exc}") from exc
    for parameter in signature.parameters.values():
        if parameter.kind not in _BY_NAME:
            raise UsageError(f"the tool {name!r} has a parameter that cannot be passed by name: {str(parameter)!r}")
    # What a partial has filled in (whose order it is, say) is not for a model to know or to change.
    filled = function.keywords if isinstance(function, functools.partial) else {}
    return {key: parameter for key, parameter in signature.parameters.items() if key not in filled}


def _arguments(
    parameters: Mapping[str, inspect.Parameter], words: Mapping[str, str], module: str | None
) -> tuple[type[msgspec.Struct], dict[str, Any]]:
    """The arguments as one type, and its schema. Raises: one of `_NO_TYPE`."""
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for key, parameter in parameters.items():
        kind = _type_of(parameter, words.get(key))
        # What is not given must not be filled in here: the function's own default may be anything.
        fields.append((key, kind) if parameter.default is inspect.Parameter.empty else (key, kind | UnsetType, UNSET))
    # No type of a program's is called so: msgspec takes two of one name and module for the same.
    arguments = msgspec.defstruct("the arguments", fields, kw_only=True, forbid_unknown_fields=True, module=module)
    return arguments, _schema(arguments)


def _culprit(parameters: Mapping[str, inspect.Parameter], module: str | None) -> str:
    """The parameter that is why, each tried by itself: what msgspec says of it would name its own types and not the parameter."""
    for key, parameter in parameters.items():
        try:
            msgspec.json.Decoder(_arguments({key: parameter}, {}, module)[0])
        except _NO_TYPE:
            kind = parameter.annotation
            shown = kind.__name__ if isinstance(kind, type) else str(kind)
            return f"parameter {key!r} ({shown[:SHOWN_LETTERS]}) is of a type that no JSON can be, or a union whose types JSON cannot tell apart"
    return "its parameters together have types that no JSON can be"


def _type_of(parameter: inspect.Parameter, words: str | None) -> Any:
    """Its type for msgspec, with what is said of it."""
    kind = Any if parameter.annotation in (inspect.Parameter.empty, object) else parameter.annotation
    extras: tuple[Any, ...] = ()
    if get_origin(kind) is Annotated:
        kind, *told = get_args(kind)
        extras = tuple(extra for extra in told if isinstance(extra, msgspec.Meta))
        # `Doc` of PEP 727, a field of pydantic, or the plain text that many use.
        said = (extra if isinstance(extra, str) else getattr(extra, "documentation", getattr(extra, "description", None)) for extra in told)
        words = next((text for text in said if isinstance(text, str)), words)
    if parameter.default is None and kind is not Any:
        # `city: str = None`: whoever may leave it out may say null.
        kind = kind | None
    if words and not any(extra.description for extra in extras):
        extras = (*extras, msgspec.Meta(description=words))
    for extra in extras:
        kind = Annotated[kind, extra]
    return kind


def _schema(arguments: type[msgspec.Struct]) -> dict[str, Any]:
    """The JSON schema of the object of arguments, without references where it can be written without: not every model follows them."""
    (shown,), parts = msgspec.json.schema_components([arguments], ref_template=_REF + "{name}")
    top = parts.pop(str(shown["$ref"]).removeprefix(_REF))
    schema: dict[str, Any] = _inlined(top, parts, ())
    del schema["title"]
    if _REF in msgspec.json.encode(schema).decode():
        schema["$defs"] = parts
    return schema


def _inlined(value: Any, parts: Mapping[str, Any], inside: tuple[str, ...]) -> Any:
    """`value` with each reference replaced by what it means, but for those of a type to itself."""
    if isinstance(value, list):
        return [_inlined(entry, parts, inside) for entry in value]
    if not isinstance(value, dict):
        return value
    name = str(value.get("$ref", "")).removeprefix(_REF)
    if name in parts and name not in inside:
        rest = {key: entry for key, entry in value.items() if key != "$ref"}
        return {**_inlined(parts[name], parts, (*inside, name)), **rest}
    found = {key: _inlined(entry, parts, inside) for key, entry in value.items()}
    if "default" in found and not _is_plain(found["default"]):
        del found["default"]
    choices = found.get("enum")
    if isinstance(choices, list) and "type" not in found and all(isinstance(choice, str) for choice in choices):
        found["type"] = "string"
    return found


def _is_plain(value: Any) -> bool:
    """Whether a default can be told as JSON."""
    try:
        # msgspec writes null for a number that is none.
        json.dumps(msgspec.to_builtins(value), allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _decoded(decoder: "msgspec.json.Decoder[msgspec.Struct]", text: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    # Models say nothing at all where there is nothing to say.
    text = text if text.strip() else "{}"
    try:
        try:
            found = decoder.decode(text)
        except msgspec.ValidationError as exc:
            if "got `float`" not in str(exc):
                raise
            found = decoder.decode(msgspec.json.encode(_whole(msgspec.json.decode(text))))
    except (ValueError, OverflowError, RecursionError) as exc:
        sentence, path = misfit(exc, text, schema)
        raise ProtocolError(sentence, param=path) from exc
    values = ((field, getattr(found, field)) for field in found.__struct_fields__)
    return {field: value for field, value in values if value is not UNSET}


def _whole(value: Any) -> Any:
    """`value` with 1 for 1.0: by JSON Schema both are integers, and models write both. Not beyond what a float can count to."""
    match value:
        case float() if value.is_integer() and abs(value) <= 2**53:
            return int(value)
        case list():
            return [_whole(entry) for entry in value]
        case dict():
            return {key: _whole(entry) for key, entry in value.items()}
        case _:
            return value
