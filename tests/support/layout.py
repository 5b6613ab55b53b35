"""The floors and rooms of the house, read off the source with `ast`: who may import what, and what the core may touch.

A rule is a function from a `Source` to the lines it objects to; `test_layout.py` applies those of this file and of
`habits.py` to every file. Add a room to the tables here.
"""

import ast
import functools
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

# DESIGN 1. A room that is not here is an error: put it on its floor.
FLOORS = {
    "audio": 0,
    "protocol": 1,
    "policy": 1,
    "links": 2,
    "devices": 2,
    "store": 2,
    "workers": 2,
    "engines": 3,
    "aside": 4,
    "chat": 4,
    "clienttools": 4,
    "config": 4,
    "doctor": 4,
    "replay": 4,
    "report": 4,
    "server": 4,
    "interrupting": 4,
    "keeper": 4,
    "metering": 4,
    "opening": 4,
    "session": 4,
    "talk": 4,
    "telling": 4,
    "terminal": 4,
    "testing": 4,
    "trusting": 4,
    "tooling": 4,
    "cli": 5,
    "commands": 5,
    "__main__": 5,
}
PUBLIC_FLOOR = 4
"""What `voice/__init__.py` offers besides its version comes from here, imported when asked for."""
ANYWHERE = {"errors", "data", "printing"}
CONFIG_FROM = 4

VAGUE = {"manager", "managers", "helper", "helpers", "util", "utils", "common", "misc", "base2"}

# Modules that are a clock, chance, a thread, a process, a file, the environment, a socket or a log.
IMPURE = {
    *("asyncio", "concurrent", "multiprocessing", "queue", "sched", "select", "selectors", "signal", "threading", "_thread"),
    *("time", "random", "secrets", "uuid", "logging", "os", "pathlib", "shutil", "tempfile", "glob", "fileinput", "mmap"),
    *(
        "socket",
        "ssl",
        "http",
        "urllib.request",
        "subprocess",
        "ctypes",
        "sqlite3",
        "pickle",
        "wave",
        "importlib.resources",
        "platformdirs",
    ),
    *("aiohttp", "websockets", "sounddevice", "soundfile"),
}
IMPURE_CALLS = {"open", "print", "input", "breakpoint"}
IMPURE_NAMES = re.compile(r"^((np|numpy)\.random\b|(np|numpy)\.(load|save|fromfile|memmap)|sys\.(argv|stdin|stdout|stderr)\b)")
WALL_CLOCK = re.compile(r"\b(datetime|date)\.(now|utcnow|today)$")

# What `voice --help` must not wait for (PERF P7), and what needs a system library (import it where sound is used).
HEAVY = {"aiohttp", "asyncio", "msgspec", "numpy", "soundfile", "soxr", "websockets"}
LATE = {"sounddevice"}


@dataclass(frozen=True)
class Source:
    """One Python file: `path` relative to the checkout, with slashes."""

    path: str
    text: str
    tree: ast.Module = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tree", ast.parse(self.text, self.path))

    @functools.cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """All of the tree, walked once: every rule looks at every file."""
        return tuple(ast.walk(self.tree))

    @property
    def room(self) -> str:
        """What its first folder (or its own name) is: `audio`, `cli`; empty for `voice/__init__.py` and outside voice."""
        parts = PurePosixPath(self.path).with_suffix("").parts
        return "" if parts[0] != "voice" or parts[1:] == ("__init__",) else parts[1]

    @property
    def in_voice(self) -> bool:
        return self.path.startswith("voice/")

    @property
    def floor(self) -> int | None:
        """None for what stands outside the floors: errors, config, data and all that is not voice."""
        return PUBLIC_FLOOR if self.path == "voice/__init__.py" else FLOORS.get(self.room)


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that a line breaks."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


Found = Iterator[tuple[int, str]]
Rule = Callable[[Source], Found]


def imports(nodes: Iterable[ast.AST]) -> Iterator[tuple[int, str]]:
    """Every module or name imported among these, in full: `from a.b import c` gives "a.b.c"."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def _top_imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Imports that run when the module is imported."""
    for node in _run_on_import(tree.body):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from imports([node])


def _run_on_import(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        yield node
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            yield from _run_on_import(node.orelse)
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for name in ("body", "orelse", "finalbody"):
                yield from _run_on_import(getattr(node, name, []))
            for handler in getattr(node, "handlers", []):
                yield from _run_on_import(handler.body)


def _within(name: str, modules: set[str]) -> bool:
    return any(name == module or name.startswith(module + ".") for module in modules)


def floors(source: Source) -> Found:
    """Imports go down only; config is for the upper floors; every room is on a floor."""
    if source.in_voice and source.floor is None and source.room not in ANYWHERE:
        yield 1, f"the room {source.room!r} is on no floor: see FLOORS in tests/support/layout.py"
    if not source.in_voice:
        return
    for line, name in imports(source.nodes):
        parts = name.split(".")
        if parts[0] != "voice" or parts[1:] == ["__version__"]:
            continue
        other = parts[1] if len(parts) > 1 else ""
        if other in ANYWHERE or other == source.room:
            continue
        if source.floor is None:
            yield line, f"{source.room} imports nothing of voice but errors, not {name}"
        elif other == "config":
            if source.floor < CONFIG_FROM:
                yield line, "config is for floors 4 and 5: lower floors get plain values"
        elif (floor := FLOORS.get(other, PUBLIC_FLOOR)) > source.floor:
            yield line, f"imports go down only: floor {source.floor} imports {name} of floor {floor}"


def relative(source: Source) -> Found:
    """Full import paths."""
    for node in source.nodes:
        if isinstance(node, ast.ImportFrom) and node.level:
            yield node.lineno, "a relative import: write the full path"


def pure(source: Source) -> Found:
    """Floors 0 and 1 have no async, clock, random, thread, file, environment or log."""
    if not source.in_voice or source.floor is None or source.floor > 1:
        return
    for line, name in imports(source.nodes):
        if _within(name, IMPURE):
            yield line, f"floors 0 and 1 are pure: no {name}"
    for node in source.nodes:
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
            yield node.lineno, "floors 0 and 1 are pure: nothing asynchronous"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in IMPURE_CALLS:
            yield node.lineno, f"floors 0 and 1 are pure: no {node.func.id}()"
        elif isinstance(node, ast.Attribute) and (IMPURE_NAMES.search(name := ast.unparse(node)) or WALL_CLOCK.search(name)):
            yield node.lineno, f"floors 0 and 1 are pure: no {name}"


def light(source: Source) -> Found:
    """`import voice` and `voice --help` wait for no large package; nothing waits for a system library."""
    first = source.path in {"voice/__init__.py", "voice/__main__.py", "voice/cli.py", "voice/errors.py"} or source.room == "commands"
    for line, name in _top_imports(source.tree):
        if source.in_voice and _within(name, LATE):
            yield line, f"{name} needs a system library: import it in the function that uses it"
        elif first and _within(name, HEAVY):
            yield line, f"{name} is slow to import: import it in the command that uses it"
        elif first and name.startswith("voice.") and name.split(".")[1] not in {*ANYWHERE, "__version__", "cli", "commands"}:
            yield line, f"{name}: import it in the command that uses it"


def names(source: Source) -> Found:
    """A file's name says what it holds."""
    for part in PurePosixPath(source.path).with_suffix("").parts:
        if vague := VAGUE.intersection(re.split(r"[_.-]", part.lower())):
            yield 1, f"a file's name says what it holds: no {vague.pop()!r}"


def cycles(sources: Iterable[Source]) -> set[tuple[str, str]]:
    """Pairs of rooms that import each other: on one floor a room may use its neighbour, but not both ways."""
    edges = {
        (source.room, name.split(".")[1])
        for source in sources
        if source.in_voice and source.room
        for _, name in imports(source.nodes)
        if name.startswith("voice.")
    }
    return {(here, there) for here, there in edges if here < there and (there, here) in edges}


RULES: tuple[Rule, ...] = (floors, relative, pure, light, names)
