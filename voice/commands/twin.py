"""`voice twin`: a strict double of the service, to test against; and the twin as the engine of other commands."""

import argparse
import sys

from voice.commands.flags import add_config, port, seconds, settle
from voice.commands.relaying import serve_options

TYPE_CHECKING = False
"""As `typing.TYPE_CHECKING`, without the import."""

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager, AbstractContextManager

    from voice.config import Config
    from voice.engines.twin import TwinEngine, TwinOptions
    from voice.links.trace import Sink


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser("twin", help="serve a scripted double of the service, for tests", description=run.__doc__)
    add_script(parser)
    what = "what it speaks to everybody: ga, beta, or the dialect of a service (default: ga, and the beta to clients that want it)"
    parser.add_argument("--dialect", metavar="NAME", help=what)
    parser.add_argument("--life", type=seconds, metavar="SECONDS", help="end every session after this time (default: 3600)")
    parser.add_argument("--trace", metavar="DIR", help="write each session down there: session-001.jsonl, ...")
    parser.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=port, help="port; 0 takes a free one (default: 8765)")
    parser.add_argument("--cert", dest="tls_cert", metavar="PEM", help="serve TLS with this certificate (chain)")
    parser.add_argument("--key", dest="tls_key", metavar="PEM", help="the certificate's private key, if it is in a file of its own")
    add_config(parser)
    parser.set_defaults(run=run)


def add_script(parser: argparse.ArgumentParser) -> None:
    """The flags that say how the twin answers."""
    parser.add_argument("--script", metavar="TOML", help="what the twin answers (default: it repeats what was typed)")
    parser.add_argument("--faults", metavar="TOML", help="what goes wrong with the twin, and when (default: nothing)")


def wants_twin(options: argparse.Namespace, config: "Config") -> bool:
    """Whether the twin is what answers. Raises: UsageError for a script that nothing would answer with."""
    from voice.errors import UsageError

    settings = config.settings
    if settings.engine == "twin" and not settings.url:
        return True
    if options.script or options.faults:
        raise UsageError(f"--{'script' if options.script else 'faults'} is for the twin: give --engine twin too")
    return False


def twin_of(options: argparse.Namespace, chosen: "TwinOptions | None" = None) -> "AbstractAsyncContextManager[TwinEngine]":
    """The twin that a command's flags describe. Raises: ConfigError."""
    from dataclasses import replace
    from pathlib import Path

    from voice.engines.script import load_faults, load_script
    from voice.engines.twin import TwinOptions, twin_engine

    script = load_script(Path(options.script)) if options.script else None
    faults = load_faults(Path(options.faults)) if options.faults else None
    return twin_engine(script, replace(chosen or TwinOptions(), faults=faults))


def run(options: argparse.Namespace) -> int:
    """Serve the Realtime protocol with scripted replies, for tests of clients: no key, no network, no model. Ctrl-C ends it."""
    import asyncio
    import time

    from voice.server.twin import twin_listens

    config = settle(options)
    listen = twin_listens(serve_options(config), options.dialect)

    async def run() -> None:
        from voice.engines.twin import TwinOptions
        from voice.links.trace import WireTraces
        from voice.server.app import serve
        from voice.server.found import twin_findings

        witness = WireTraces(_TraceFolder(options.trace), time.monotonic) if options.trace else None
        async with twin_of(options, TwinOptions(life_s=config.settings.life, witness=witness)) as engine:
            found = twin_findings(engine)
            for what, text in found.items():
                print(f"{what}: {text}", file=sys.stderr, flush=True)
            await serve(engine, listen, found, lambda address: print(f"listening on {address}", flush=True))

    try:
        asyncio.run(run())
    except KeyboardInterrupt:
        pass  # before it listened, or where a loop has no signals: this is how a server is ended
    return 0


class _TraceFolder:
    """A file for each session. Raises: UsageError if there can be none."""

    def __init__(self, name: str) -> None:
        from pathlib import Path

        from voice.errors import UsageError

        self._folder = Path(name)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise UsageError(f"cannot write to '{name}': {exc.strerror}; give another --trace") from exc

    def __call__(self, number: int) -> "AbstractContextManager[Sink]":
        # Line by line: whoever ends the twin in the middle of a session still has whole lines.
        return (self._folder / f"session-{number:03d}.jsonl").open("w", buffering=1, encoding="utf-8", newline="\n")
