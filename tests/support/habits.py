"""The habits of the house: sizes, printing, tasks, exceptions, docstrings, and what no file of ours may contain."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from tests.support.layout import Found, Rule, Source, imports

FILE_LINES, FUNCTION_LINES, CLASS_METHODS, CLASS_ATTRIBUTES = 400, 60, 15, 12
DOC_LINE = 140
GROUPS = re.compile(r"(group|tasks|tg)$")
"""How a variable that holds a TaskGroup ends."""

# Written so that these lines do not match themselves.
MACHINE = re.compile(r"(?<![\w.~$}-])/(hom[e]|Use[r]s|roo[t]|wor[k]|tm[p])/\w|\b[A-Z]:\\\\?Use[r]s\b")
HOSTS = re.compile(r"\b(p[y]pi\.org|pythonh[o]sted|registry\.n[p]mjs|artifact[o]ry)", re.IGNORECASE)
LATER = re.compile(r"\b(TO[D]O|FIX[M]E|X[X]X)\b(?!.*#\d)")


def sizes(source: Source) -> Found:
    """Files, functions and classes stay small."""
    count = len(source.text.splitlines())
    if count > FILE_LINES:
        yield FILE_LINES, f"{count} lines in a file, at most {FILE_LINES}"
    for node in source.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                yield node.lineno, f"{lines} lines in {node.name}(), at most {FUNCTION_LINES}"
        elif isinstance(node, ast.ClassDef) and source.in_voice:
            if (methods := _methods(node)) > CLASS_METHODS:
                yield node.lineno, f"{methods} methods in {node.name}, at most {CLASS_METHODS}"
            if (attributes := len(_attributes(node))) > CLASS_ATTRIBUTES:
                yield node.lineno, f"{attributes} attributes in {node.name}, at most {CLASS_ATTRIBUTES}"


def _decorators(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> set[str]:
    return {ast.unparse(item.func if isinstance(item, ast.Call) else item).split(".")[-1] for item in node.decorator_list}


def _methods(node: ast.ClassDef) -> int:
    """A property and its setter are one; so are the overloads of a method."""
    return len({item.name for item in node.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)})


def _attributes(node: ast.ClassDef) -> set[str]:
    """What an object holds. The fields of a wire event are not counted: its document says how many there are."""
    names = {
        target.attr
        for part in ast.walk(node)
        for target in _targets(part)
        if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self"
    }
    if "dataclass" in _decorators(node):
        names |= {item.target.id for item in node.body if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)}
    return names


def _targets(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
    elif isinstance(node, ast.AnnAssign | ast.AugAssign):
        yield node.target


def prints(source: Source) -> Found:
    """Only cli.py and the commands may print."""
    if not source.in_voice or source.room in {"cli", "commands"}:
        return
    for node in source.nodes:
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"print", "pprint", "pprint.pprint", "builtins.print"}:
            yield node.lineno, "only cli.py and commands/ print"


def tasks(source: Source) -> Found:
    """A task belongs to a TaskGroup and has a name."""
    if not source.in_voice:
        return
    bare = {"create_task", "ensure_future", "run_coroutine_threadsafe", "gather"}
    for line, name in imports(source.nodes):
        if name.startswith("asyncio.") and name.split(".")[-1] in bare:
            yield line, f"a task belongs to an asyncio.TaskGroup: no {name}"
    for node in source.nodes:
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr not in bare:
            continue
        owner = ast.unparse(node.func.value)
        if node.func.attr != "create_task" or not GROUPS.search(owner.lower()):
            yield (
                node.lineno,
                f"a task belongs to an asyncio.TaskGroup (its variable ends with group, tasks or tg): {ast.unparse(node.func)}",
            )
        elif not any(keyword.arg == "name" for keyword in node.keywords):
            yield node.lineno, "a task has a name: create_task(..., name=...)"


def excepts(source: Source) -> Found:
    """No bare except; `except Exception` says why in a comment; CancelledError goes on."""
    if not source.in_voice:
        return
    lines = source.text.splitlines()
    for node in source.nodes:
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
            caught = {ast.unparse(item) for item in node.args}
            broad, last = caught & {"Exception", "BaseException"}, node.lineno
        elif isinstance(node, ast.ExceptHandler):
            if node.type is None:
                yield node.lineno, "a bare except"
                continue
            caught = {ast.unparse(item) for item in (node.type.elts if isinstance(node.type, ast.Tuple) else [node.type])}
            broad, last = caught & {"Exception", "BaseException"}, node.body[0].lineno
            raises = any(isinstance(item, ast.Raise) for part in node.body for item in ast.walk(part))
            if not raises and any(item.endswith("CancelledError") for item in caught):
                yield node.lineno, "CancelledError is caught and not raised again"
        else:
            continue
        if broad and not any("#" in line for line in lines[max(0, node.lineno - 2) : last]):
            yield node.lineno, f"{broad.pop()} is caught without a comment that says what happens next"


def docstrings(source: Source) -> Found:
    """A module says what it is, in a short first line that ends as a sentence does."""
    doc = ast.get_docstring(source.tree)
    first = (doc or "").split("\n")[0]
    if not source.in_voice:
        return
    if not first:
        yield 1, "a module has a docstring that says what it is"
    elif not first.endswith((".", ":")) or len(first) > DOC_LINE:
        yield 1, f"a docstring's first line ends with a period or colon, within {DOC_LINE} characters"


def lines_of(path: str, text: str) -> Found:
    """For any text file: no path of somebody's machine, no package host, nothing put off without an issue's number."""
    for number, line in enumerate(text.splitlines(), 1):
        if found := MACHINE.search(line) or HOSTS.search(line):
            yield number, f"{found.group()!r} is there on one machine only"
        if LATER.search(line):
            yield number, "what is put off has an issue number (#123)"
    if PurePosixPath(path).suffix in {".js", ".mjs"} and text.count("\n") > FILE_LINES:
        yield FILE_LINES, f"more than {FILE_LINES} lines in a file"


def untested(modules: Iterable[str], tests: Iterable[str]) -> Iterator[str]:
    """Modules of voice without a test file: voice/audio/pcm.py wants test_pcm.py or test_audio_pcm.py."""
    have = {PurePosixPath(path).stem for path in tests}
    for module in modules:
        parts = PurePosixPath(module).with_suffix("").parts[1:]
        if not parts[-1].startswith("_") and not have.intersection({f"test_{parts[-1]}", "test_" + "_".join(parts)}):
            yield module


RULES: tuple[Rule, ...] = (sizes, prints, tasks, excepts, docstrings)
