"""A file of faults: TOML (or the same as Python objects) to `Fault`s. What is wrong in it is told with its line, and what may be meant."""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, get_type_hints

import msgspec
from msgspec import Meta

from voice.errors import ConfigError
from voice.policy.deeds import (
    BOTH_WAYS,
    DEEDS,
    LONGEST_REASON_BYTES,
    NO_CODE,
    NO_FRAME,
    OF_AN_EVENT,
    Address,
    Close,
    Deed,
    Fault,
    FaultFile,
    Garbage,
    Refuse,
)
from voice.policy.eventnames import CLIENT, OLDER_CLIENT, OLDER_SERVER, SERVER
from voice.policy.places import Path, places
from voice.policy.tables import in_words, near, read_toml, writable

_Count = Annotated[int, Meta(ge=1, le=1 << 40)]
_Index = Annotated[int, Meta(ge=0, le=1 << 40)]
_Seed = Annotated[int, Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
"""What TOML calls a whole number."""
_TOP: dict[str, Any] = {"seed": _Seed, "fault": list[dict[str, Any]]}
_WHEN: dict[str, Any] = {
    "do": str,
    "on": dict[str, Any],
    "at_s": Annotated[float, Meta(ge=0, le=1e6)],
    "p": Annotated[float, Meta(gt=0, le=1)],
    "session": _Count,
    "times": Annotated[int, Meta(ge=0, le=1 << 40)],
}
"""The keys that every fault may have."""
_ON: dict[str, Any] = {
    "event": Annotated[str, Meta(min_length=1, max_length=200)],
    "from": str,
    "index": _Index | Annotated[list[_Index], Meta(min_length=1)],
    "after": bool,
    "response": _Count,
}
_LONGEST_SHOWN = 80


def parse(raw: bytes | str, name: str) -> FaultFile:
    """The faults of a TOML file; `name` is the file's. Raises: ConfigError."""
    text, values = read_toml(raw, name)
    return convert(values, name, places(text))


def convert(read: Mapping[str, Any], name: str, lines: Mapping[Path, int] | None = None) -> FaultFile:
    """The same of what was read already; `lines`: where it stood, by `places`. Raises: ConfigError."""
    source = _Source(name, lines)
    if lines is None:
        writable(read, name)
    source.known_keys(read, (), _TOP)
    seed = source.typed(read.get("seed", 0), ("seed",), _Seed)
    entries = read.get("fault", [])
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise source.error(("fault",), "a fault begins with [[fault]], and its keys stand below: do = ...")
    return FaultFile(tuple(_Reader(source, entry, number).fault() for number, entry in enumerate(entries)), seed)


class _Source:
    """Where things stand, and how a mistake is told."""

    def __init__(self, name: str, lines: Mapping[Path, int] | None) -> None:
        self._name = name
        self._lines = lines

    def at(self, path: Path) -> str:
        """File and line of the innermost known part of a path; of values of a program, the path."""
        if self._lines is None:
            return self._name + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
        known = next((path[:length] for length in range(len(path), 0, -1) if path[:length] in self._lines), ())
        return f"{self._name}:{self._lines.get(known, 1)}"

    def error(self, path: Path, message: str) -> ConfigError:
        """One line, whatever it quotes."""
        return ConfigError("".join(letter if letter.isprintable() else " " for letter in f"{self.at(path)}: {message}"))

    def typed(self, value: Any, path: Path, shape: Any) -> Any:
        """Raises: ConfigError."""
        try:
            return msgspec.convert(value, shape)
        except msgspec.ValidationError as exc:
            choices = getattr(shape, "__args__", ()) if "Literal" in str(shape) else ()
            message = str(exc).replace("Invalid enum value", "there is no") if choices else in_words(str(exc))
            hint = f"; there are {', '.join(choices)}" if choices else ""
            raise self.error(path, f"{_dotted(path)}: {message}{hint}") from None

    def known_keys(self, table: Mapping[str, Any], path: Path, known: Mapping[str, Any], what: str = "") -> None:
        """Raises: ConfigError for the first key that is not known."""
        for key in table:
            if key not in known:
                raise self.error((*path, key), f"no key '{str(key)[:_LONGEST_SHOWN]}'{what}{near(str(key), tuple(known))}")


class _Reader:
    """One [[fault]]."""

    def __init__(self, source: _Source, entry: Mapping[str, Any], number: int) -> None:
        self._source = source
        self._entry = entry
        self._path: Path = ("fault", number)

    def fault(self) -> Fault:
        """Raises: ConfigError."""
        made = self._deed()
        when = {key: self._value(key, shape) for key, shape in _WHEN.items() if key in self._entry and key not in ("do", "on")}
        on = self._address(made) if "on" in self._entry else None
        self._some_time(made, on)
        if on is None and when.get("at_s") is None and not isinstance(made, Refuse):
            on = Address()
        if "times" not in when:
            listed = len(on.index) if on is not None and on.index is not None else 1
            when["times"] = 0 if "p" in when else listed
        return Fault(made, self._source.at(self._path), on, **when)

    def _value(self, key: str, shape: Any) -> Any:
        return self._source.typed(self._entry[key], (*self._path, key), shape)

    def _deed(self) -> Deed:
        if "do" not in self._entry:
            raise self._source.error(self._path, f"a fault says what it does: do = one of {', '.join(DEEDS)}")
        do = self._value("do", str)
        if do not in DEEDS:
            raise self._source.error((*self._path, "do"), f"nothing is called do = '{do[:_LONGEST_SHOWN]}'{near(do, tuple(DEEDS))}")
        kind = DEEDS[do]
        fields = get_type_hints(kind, include_extras=True)
        others = {key for other in DEEDS.values() for key in get_type_hints(other)} - fields.keys()
        for key in self._entry:
            if key in others and key not in _WHEN:
                takes = f"it takes {', '.join(fields)}" if fields else "it takes no key of its own"
                raise self._source.error((*self._path, key), f"'{key}' does not go with do = '{do}': {takes}")
        self._source.known_keys(self._entry, self._path, {**_WHEN, **fields}, f" of do = '{do}'")
        values = {key: self._value(key, shape) for key, shape in fields.items() if key in self._entry}
        if do == "delay" and "ms" not in values:
            raise self._source.error(self._path, "do = 'delay' says by how much: ms")
        made = kind(**values)
        self._consistent(made, values)
        return made

    def _consistent(self, made: Deed, given: Mapping[str, Any]) -> None:
        """Raises: ConfigError for keys that contradict each other."""
        if isinstance(made, Close) and made.reason:
            if made.code in (NO_CODE, NO_FRAME):
                what = "a close frame without a code" if made.code == NO_CODE else "an end without a close frame"
                raise self._source.error((*self._path, "reason"), f"{made.code} is {what}: there is no place for a reason")
            if len(made.reason.encode()) > LONGEST_REASON_BYTES:
                raise self._source.error((*self._path, "reason"), f"a close frame holds {LONGEST_REASON_BYTES} bytes of reason")
        if isinstance(made, Garbage) and {"kind", "text"} <= given.keys():
            raise self._source.error((*self._path, "text"), "a frame has a kind or a text of your own, not both")
        if isinstance(made, Refuse) and made.kind != "status" and (more := given.keys() - {"kind"}):
            raise self._source.error((*self._path, min(more)), f"kind = '{made.kind}' is no HTTP answer: '{min(more)}' has no place in it")

    def _some_time(self, made: Deed, on: Address | None) -> None:
        """Raises: ConfigError unless it can happen, at one kind of moment."""
        timed = "at_s" in self._entry
        if isinstance(made, Refuse):
            if on is not None or timed:
                key = "on" if on is not None else "at_s"
                raise self._source.error((*self._path, key), f"a handshake comes before all events: '{key}' does not go with do = 'refuse'")
        elif timed and on is not None:
            raise self._source.error((*self._path, "at_s"), "a fault happens at an event (on) or at a time (at_s), not both")
        elif timed and isinstance(made, OF_AN_EVENT):
            raise self._source.error((*self._path, "at_s"), "this happens to an event: say which one with 'on', not 'at_s'")
        elif not timed and on is None and "p" not in self._entry:
            raise self._source.error(self._path, "a fault says when it happens: on = {event = ...}, at_s or p")

    def _address(self, made: Deed) -> Address:
        path: Path = (*self._path, "on")
        table = self._value("on", dict[str, Any])
        self._source.known_keys(table, path, _ON, " of 'on'")
        values = {key: self._source.typed(table[key], (*path, key), shape) for key, shape in _ON.items() if key in table}
        if "event" not in values:
            raise self._source.error(path, 'on says which events are meant: event = "response.output_audio.delta"')
        client = self._side(values, path)
        if client and isinstance(made, OF_AN_EVENT) and not isinstance(made, BOTH_WAYS):
            raise self._source.error((*path, "event"), "an event of the client's can be dropped or duplicated, not delayed or reordered")
        if values.get("after") and isinstance(made, OF_AN_EVENT):
            raise self._source.error((*path, "after"), "this happens to the event itself: there is no 'after'")
        if client and "response" in values:
            raise self._source.error((*path, "response"), "the client's events belong to no response")
        index = values.get("index")
        chosen = None if index is None else frozenset(index if isinstance(index, list) else [index])
        return Address(values["event"], client, chosen, values.get("after", False), values.get("response"))

    def _somebodys(self, event: str, side: str, path: Path, own: bool) -> None:
        """Raises: ConfigError for events that only the other side has, and, unless it may be one's `own`, for a pattern that fits none."""
        sides = {"server": SERVER | OLDER_SERVER, "client": CLIENT | OLDER_CLIENT}
        other = "client" if side == "server" else "server"
        if _among(event, sides[side]):
            return
        if _among(event, sides[other]):
            raise self._source.error((*path, "event"), f"'{event[:_LONGEST_SHOWN]}' is the {other}'s: from = '{other}'")
        if not own:
            what = f"no event of the protocol fits '{event[:_LONGEST_SHOWN]}'"
            raise self._source.error((*path, "event"), f"{what}: those of your own need from = 'server' or 'client' beside it")

    def _side(self, values: Mapping[str, Any], path: Path) -> bool:
        """Whether the client's events are meant. Raises: ConfigError for a name that nobody knows."""
        event, side = values["event"], values.get("from")
        if side is not None:
            if side not in ("server", "client"):
                raise self._source.error((*path, "from"), f"from is 'server' or 'client', not '{side[:_LONGEST_SHOWN]}'")
            self._somebodys(event, side, path, own=True)
            return bool(side == "client")
        if "*" in event:
            self._somebodys(event, "server", path, own=False)
            return False
        if event in CLIENT | OLDER_CLIENT:
            return True
        if event not in SERVER | OLDER_SERVER:
            close = difflib.get_close_matches(event, sorted(SERVER | CLIENT | OLDER_SERVER | OLDER_CLIENT), 1)
            hint = f"did you mean '{close[0]}'?" if close else "one of your own needs from = 'server' or 'client' beside it"
            raise self._source.error((*path, "event"), f"the protocol has no event '{event[:_LONGEST_SHOWN]}': {hint}")
        return False


def _among(event: str, types: Iterable[str]) -> bool:
    """Whether a type, or one that a * stands for, is one of these."""
    pattern = re.compile(".*".join(map(re.escape, event.split("*"))), re.DOTALL)
    return any(pattern.fullmatch(kind) for kind in types)


def _dotted(path: Path) -> str:
    """How a person would name it: on.index."""
    return ".".join(str(part) for part in path if not isinstance(part, int)).removeprefix("fault.")
