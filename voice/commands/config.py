"""`voice config show`: the settings in effect, and where each comes from."""

import argparse
import json

from voice.commands.flags import add_config
from voice.printing import printable, table

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator

    from voice.config import Config


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser("config", help="show the settings in effect", description="Look at the configuration.")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    show = actions.add_parser("show", help="every setting, its value and its origin", description=run.__doc__)
    show.add_argument("--json", action="store_true", help="print one JSON object a line")
    add_config(show)
    show.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Show every setting, its value and where it comes from (file and line, variable, default); of keys, only where they come from."""
    from pathlib import Path

    from voice.config import load

    config = load(file=Path(options.config) if options.config else None)
    if options.json:
        for line in objects(config):
            print(json.dumps(line, ensure_ascii=False))
    else:
        print("\n".join(lines(config)))
    return 0


def objects(config: "Config") -> list[dict[str, object]]:
    """A setting or a key each; a key's value is never there."""
    from voice.config import TYPES, shown
    from voice.links.redact import MASK

    shown_here: list[dict[str, object]] = []
    for name in TYPES:
        value = getattr(config.settings, name)
        safe = shown(name, value) if isinstance(value, str) else value
        shown_here.append({"event": "setting", "name": name, "value": safe, "origin": config.origins[name]})
    keys: list[dict[str, object]] = [
        {"event": "key", "name": name, "value": MASK, "origin": origin} for name, origin in config.key_origins.items()
    ]
    tools: list[dict[str, object]] = [
        {"event": "tool", "name": name, "value": value, "origin": origin} for name, value, origin in _tools(config)
    ]
    return shown_here + keys + tools


def lines(config: "Config") -> list[str]:
    """The same for people."""
    from voice.config import TYPES, shown
    from voice.links.redact import MASK

    rows = [[name, shown(name, getattr(config.settings, name)), config.origins[name]] for name in TYPES]
    rows += [[name, MASK, origin] for name, origin in config.key_origins.items()]
    rows += map(list, _tools(config))
    files = ", ".join(str(path) for path in config.files) or "none"
    return [printable(line) for line in (f"files: {files}", *table(rows))]


def _tools(config: "Config") -> "Iterator[tuple[str, str, str]]":
    """Each tool and each MCP server: its table, what it names (of a program not the arguments, which may hold a key), its file and line."""
    from voice.config import masked_url

    for name, function in config.tools.functions.items():
        yield f"tools.{name}", function.value.function, function.where
    for name, server in config.tools.servers.items():
        where = server.value.command[0] if server.value.command else masked_url(server.value.url or "")
        yield f"mcp.{name}", f"{where} ({', '.join(server.value.allow)})", server.where
