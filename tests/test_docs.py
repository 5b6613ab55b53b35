"""The documents say what the program does: every option, every setting, every provider, and nothing that is not there."""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from voice.cli import parser
from voice.config import OTHER_NAMES, TYPES
from voice.engines.providers import key_names, names, provider

DOCS = Path(__file__).resolve().parent.parent / "docs"
OPTION = re.compile(r"(?<![\w-])--?[a-z][\w-]*")
HOSTS = {"AZURE_OPENAI_ENDPOINT": "HOST", "AZURE_VOICELIVE_ENDPOINT": "HOST"}


def commands(under: argparse.ArgumentParser, prefix: str = "voice") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Name and parser of every command that does something."""
    inner = [action for action in under._actions if isinstance(action, argparse._SubParsersAction)]
    if not inner:
        yield prefix, under
    for action in inner:
        for name, one in action.choices.items():
            yield from commands(one, f"{prefix} {name}")


COMMANDS = dict(commands(parser()))


def options(of: argparse.ArgumentParser) -> set[str]:
    """Every spelling of every option, but for --help."""
    return {name for action in of._actions for name in action.option_strings} - {"-h", "--help"}


def section(title: str, document: str = "cli.md") -> str:
    text = (DOCS / document).read_text("utf-8")
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    assert found, f"docs/{document} has no section '## {title}'"
    return found[1]


def test_every_command_is_looked_at() -> None:
    assert {"voice serve", "voice replay", "voice devices", "voice doctor", "voice config show"} <= COMMANDS.keys()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_described_with_all_of_its_options(name: str) -> None:
    rows = {option for row in re.findall(r"^\| (`.*?) \|", section(name), re.M) for option in OPTION.findall(row)}
    assert rows == options(COMMANDS[name]), name


@pytest.mark.parametrize("name", COMMANDS)
def test_a_flag_of_a_setting_leaves_its_default_to_the_settings(name: str) -> None:
    """With a default of its own it would hide what files and environment say. Its choices are those of the setting, or fewer."""
    for action in COMMANDS[name]._actions:
        if action.dest in TYPES:
            assert action.default is None, action.option_strings
            assert set(action.choices or ()) <= set(getattr(TYPES[action.dest], "__args__", ())), action.option_strings


@pytest.mark.parametrize("name", COMMANDS)
def test_a_section_names_no_option_that_is_not_there(name: str) -> None:
    own = {*options(COMMANDS[name]), *options(parser())}
    anybodys = {option for one in COMMANDS.values() for option in options(one)}
    # An option of another command is named with it: `voice serve --port 0`.
    foreign = {option for line in re.findall(r"`(voice [^`]*)`", section(name)) for option in OPTION.findall(line)} & anybodys
    assert set(re.findall(r"(?<![\w-])--[a-z][\w-]*", section(name))) <= own | foreign


def test_the_options_before_a_command_are_described() -> None:
    head = (DOCS / "cli.md").read_text("utf-8").partition("\n## ")[0]
    assert options(parser()) <= set(OPTION.findall(head))


def test_every_setting_is_described_with_its_variable_and_default() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", section("Settings", "operations.md"), re.M))
    assert list(rows) == list(TYPES)
    for name, variables in rows.items():
        assert variables == ", ".join(f"`{one}`" for one in (f"VOICE_{name.upper()}", OTHER_NAMES.get(name)) if one), name


def test_every_provider_is_described_with_its_key() -> None:
    found = re.findall(r"^\| `([\w-]+)` \| (.*?) \| ?(\w*) \| ?(\w*) \|", section("Providers and keys", "operations.md"), re.M)
    rows = {name: known for name, *known in found}
    assert list(rows) == list(names())
    for name, (variables, realtime, chat) in rows.items():
        assert variables == (", ".join(f"`{one}`" for one in key_names(name)) or "none"), name
        row = provider(name, HOSTS)
        known = "recorded" if row.recorded else "unverified"
        assert (realtime, chat) == (known if row.realtime_url else "", "unverified" if row.chat_url else ""), name


def test_every_realtime_service_is_described_as_its_row_has_it() -> None:
    services = [found for found in (provider(name, HOSTS) for name in names()) if found.realtime_url is not None]
    rows = re.findall(r"^\| `([\w-]+)` \| `(\S+)` \| (.*?) \| (.*?) \| (.*?) \| (.*?) \|$", section("The services", "providers.md"), re.M)
    assert [(name, url) for name, url, *_ in rows] == [(one.name, one.realtime_url) for one in services]
    for (name, _, dialect, model, source, rest), one in zip(rows, services, strict=True):
        assert dialect.startswith("heard" if one.dialect == "auto" else f"`{one.dialect}`"), name
        assert (f"`{one.realtime_model}`" in model) == bool(one.realtime_model), name
        assert (source, rest) == ("*recorded*" if one.recorded else "*unverified*", "*unverified*"), name


def test_each_script_of_the_bench_has_one_line_that_says_what_it_measures() -> None:
    bench = DOCS.parent / "bench"
    told = re.findall(r"^\| `(\w+\.py)` \|", (bench / "README.md").read_text("utf-8"), re.M)
    assert sorted(told) == sorted(path.name for path in bench.glob("*.py"))
