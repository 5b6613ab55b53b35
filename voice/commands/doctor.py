"""`voice doctor`: what works here, what does not, and what to do about it."""

import argparse
import json

from voice.commands.flags import add_config, seconds
from voice.printing import pad, printable

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable

    from voice.doctor.examine import Wanted
    from voice.doctor.finding import Finding

NAME_COLUMNS = 19
"""The longest name, "realtime connection"; lines are printed as they come, so the table cannot wait for all of them."""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser("doctor", help="say what works here, and what to do about the rest", description=run.__doc__)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--provider", metavar="NAME", help="look at the way to this service too: holysheep, openai, xai, azure, ...")
    where.add_argument("--url", help="look at the way to this Realtime server too: ws://, wss://, http:// or https://")
    parser.add_argument("--model", help="the Realtime model to ask for there (default: gpt-realtime)")
    parser.add_argument("--timeout", type=seconds, default=5.0, metavar="SECONDS", help="for each step on the way (default: %(default)g)")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    add_config(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Look at this machine, use each model once, and visit a server step by step if one is named; nothing leaves the machine otherwise."""
    import asyncio
    from pathlib import Path

    from voice.doctor.examine import Wanted

    file = Path(options.config) if options.config else None
    wanted = Wanted(options.provider, options.url, options.model, file, options.timeout)
    return asyncio.run(_examine(wanted, _show_json if options.json else _show))


async def _examine(wanted: "Wanted", show: "Callable[[Finding], None]") -> int:
    import contextlib

    from voice.doctor.examine import examine
    from voice.doctor.finding import BAD

    bad = []
    async with contextlib.aclosing(examine(wanted)) as findings:
        async for finding in findings:
            show(finding)
            if finding.state == BAD:
                bad.append(finding.name)
    if show is _show_json:
        print(json.dumps({"event": "summary", "ok": not bad, "bad": bad}), flush=True)
    else:
        print(f"not right: {', '.join(bad)}" if bad else "all that is needed is there", flush=True)
    return 1 if bad else 0


def _show_json(finding: "Finding") -> None:
    took_ms = None if finding.took_ms is None else round(finding.took_ms, 1)
    line = {"event": "finding", "name": finding.name, "state": finding.state, "said": finding.said, "fix": finding.fix, "took_ms": took_ms}
    print(json.dumps(line, ensure_ascii=False), flush=True)


def _show(finding: "Finding") -> None:
    print("\n".join(lines(finding)), flush=True)


def lines(finding: "Finding") -> list[str]:
    """A finding for people: name, state, what was found and how long it took; below it what to do."""
    state = {"ok": "ok", "note": "-", "bad": "BAD"}[finding.state]
    took = "" if finding.took_ms is None else f"  ({finding.took_ms:.0f} ms)"
    shown = [f"{pad(finding.name, NAME_COLUMNS)}  {pad(state, 3)}  {printable(finding.said)}{took}"]
    return [*shown, f"{'':{NAME_COLUMNS}}   ->  {printable(finding.fix)}"] if finding.fix else shown
