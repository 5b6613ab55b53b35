"""The tools that the configuration lists: whether what they name is there. Nothing is started, and nobody on the network is asked."""

import shutil
from collections.abc import Iterator, Mapping

from voice.doctor.finding import BAD, OK, Finding
from voice.errors import VoiceError
from voice.tooling import ToolTables, function_of, make_servers


def tools(tables: ToolTables, environ: Mapping[str, str]) -> Iterator[Finding]:
    """A finding for each function and for each MCP server. The functions' modules are imported."""
    for name, listed in tables.functions.items():
        try:
            function_of(name, listed)
        except VoiceError as exc:
            yield Finding("tool", BAD, f"{name}: {exc}", "mend the function or its line: `voice serve` does not start with it")
        else:
            yield Finding("tool", OK, f"{name}: {listed.value.function}")
    if not tables.servers:
        return
    try:
        make_servers(tables, environ)
    except VoiceError as exc:
        yield Finding("MCP", BAD, str(exc), "mend it: `voice serve` does not start with it")
        return
    for name, server in tables.servers.items():
        program = (server.value.command or [""])[0]
        if program and shutil.which(program) is None:
            yield Finding(
                "MCP", BAD, f"{name}: there is no program '{program}'", f"install it, or name it with its folder ({server.where})"
            )
        else:
            yield Finding("MCP", OK, f"{name}: {', '.join(server.value.allow)}")
