"""What a function's docstring says of it and of its parameters, in any of the three usual styles (Google, NumPy, Sphinx).

Pure. A docstring that follows none of them is all description.
"""

import inspect
import re
from collections.abc import Collection
from dataclasses import dataclass

_PARAMETERS = frozenset({"args", "arguments", "parameters", "params", "keyword args", "keyword arguments", "other parameters"})
_OTHERS = frozenset(
    {"returns", "return", "yields", "raises", "examples", "example", "notes", "note", "warning", "warnings", "see also", "references"}
)
_SPHINX = re.compile(r"^:(?P<field>\w+)(?P<about>[^:]*):\s*(?P<text>.*)$")
_GOOGLE = re.compile(r"^(?P<names>\w+)\s*(?:\([^)]*\))?\s*:\s*(?P<text>.*)$")
_NUMPY = re.compile(r"^(?P<names>\w+(?:\s*,\s*\w+)*)\s*(?::(?P<type>.*))?(?P<text>)$")


@dataclass(frozen=True, slots=True)
class Words:
    """What a docstring says."""

    description: str
    """Of the function; without the sections about parameters, results and exceptions."""
    of: dict[str, str]
    """By name of parameter, as far as told."""


def words_of(docstring: str | None, names: Collection[str]) -> Words:
    """Take a docstring apart. `names`: the parameters there are; what stands about others is left out."""
    lines = inspect.cleandoc(docstring or "").splitlines()
    about: list[str] = []
    of: dict[str, list[str]] = {}
    taking = about
    section, margin = "", 0
    for n, line in enumerate(lines):
        bare, indent = line.strip(), len(line) - len(line.lstrip())
        title = bare.rstrip(":").lower()
        underlined = n + 1 < len(lines) and re.fullmatch(r"-{3,}", lines[n + 1].strip()) is not None
        if title in _PARAMETERS | _OTHERS and (underlined or bare.endswith(":")) and not indent:
            section = "other" if title in _OTHERS else "numpy" if underlined else "google"
            # Google indents the names; how far, the first one tells.
            taking, margin = [], 0 if underlined else -1
        elif field := _SPHINX.match(line):
            section, taking = "sphinx", _sphinx(field, of)
        elif not bare or bare.startswith("---"):
            taking.append("")
        elif margin and not indent:
            # A section in Google's style ends where the text is no longer indented.
            section, taking, margin = "", about, 0
            taking.append(line)
        elif section in ("google", "numpy") and (indent == margin or margin < 0):
            margin, taking = indent, _entry(_GOOGLE if section == "google" else _NUMPY, bare, of)
        else:
            taking.append(bare if section else line)
    return Words(_folded(about), {name: " ".join(filter(None, texts)) for name, texts in of.items() if name in names})


def _sphinx(field: re.Match[str], of: dict[str, list[str]]) -> list[str]:
    """A line such as `:param str city: the city`. Returns where the lines that follow belong."""
    names = field["about"].split()
    if field["field"] not in ("param", "parameter", "arg", "argument", "key", "keyword") or not names:
        return []
    return of.setdefault(names[-1], [field["text"]])


def _entry(pattern: re.Pattern[str], line: str, of: dict[str, list[str]]) -> list[str]:
    """The line that names a parameter, or several. Returns where the lines that follow belong."""
    found = pattern.match(line)
    if found is None:
        return []
    texts = [found["text"] or ""]
    for name in re.split(r"\s*,\s*", found["names"]):
        of[name] = texts
    return texts


def _folded(lines: list[str]) -> str:
    """Paragraphs in one line each, apart by an empty line; what is indented (an example, a list) keeps its lines."""
    paragraphs = re.split(r"\n\s*\n", "\n".join(lines).strip())
    return "\n\n".join(re.sub(r"\n(?!\s|[-*] |\d+[.)] )", " ", paragraph) for paragraph in paragraphs).strip()
