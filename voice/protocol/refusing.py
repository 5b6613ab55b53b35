"""The ways to refuse a value of a client's: one sentence for each, with the code and the path of the parameter, as on the service.

Null and absent are no values: what they mean is the caller's affair, except where something must be there.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from msgspec import UNSET

from voice.errors import ProtocolError

SHOWN_LETTERS = 80
"""Of a client's own words in a sentence about them."""


def need(value: Any, path: str, good: Callable[[Any], bool], wanted: str) -> None:
    """Raises: ProtocolError if there is a value and it is not good. `wanted`: the possible ones, in words."""
    if value is UNSET or value is None or good(value):
        return
    shown = f"'{value[:SHOWN_LETTERS]}'" if isinstance(value, str) else msgspec.json.encode(value).decode()[:SHOWN_LETTERS]
    raise ProtocolError(f"Invalid value: {shown}. Supported values are: {wanted}.", "invalid_value", path)


def one_of(value: Any, path: str, allowed: Iterable[str]) -> None:
    """Raises: ProtocolError if there is a value and it is none of these."""
    names = tuple(allowed)
    need(value, path, lambda given: given in names, quoted(names))


def quoted(names: Iterable[str]) -> str:
    """'a', 'b' and 'c'."""
    words = [f"'{name}'" for name in names]
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def need_one_of(fields: Mapping[str, Any], name: str, allowed: Iterable[str], path: str) -> None:
    """A field that must be there and be one of these. Raises: ProtocolError."""
    one_of(need_text(fields, name, path), f"{path}.{name}", allowed)


def need_text(fields: Mapping[str, Any], name: str, path: str) -> str:
    """A field that must be there and be text. Raises: ProtocolError."""
    value = fields.get(name)
    if value is None:
        raise missing(f"{path}.{name}")
    of_kind(value, str, "a string", f"{path}.{name}")
    return str(value)


def of_kind(value: Any, kind: type, name: str, path: str) -> None:
    """Raises: ProtocolError if there is a value and it is not of a kind. `name`: of the kind, in words."""
    if value is not None and not isinstance(value, kind):
        raise wrong_kind(path, name)


def need_known(fields: Mapping[str, Any], names: frozenset[str], path: str) -> None:
    """Raises: ProtocolError if there are fields of other names."""
    for name in fields:
        if name not in names:
            raise unknown(f"{path}.{name[:SHOWN_LETTERS]}")


def unknown(path: str) -> ProtocolError:
    """Something is there that nobody knows."""
    return ProtocolError(f"Unknown parameter: '{path}'.", "unknown_parameter", path)


def wrong_kind(path: str, name: str) -> ProtocolError:
    """A value of another kind than `name`, in words."""
    return ProtocolError(f"Invalid type for '{path}': expected {name}.", "invalid_type", path)


def missing(path: str) -> ProtocolError:
    """Something that must be there is not."""
    return ProtocolError(f"Missing required parameter: '{path}'.", "missing_required_parameter", path)
