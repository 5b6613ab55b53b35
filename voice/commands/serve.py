"""`voice serve`: the Realtime protocol, and a page."""

import argparse
import sys

from voice.commands.answering import add_model, chat_of
from voice.commands.flags import SYNTHESIZERS, add_config, count, port, seconds, settle
from voice.errors import ConfigError, UsageError


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser("serve", help="serve the Realtime protocol and a page", description=run.__doc__)
    parser.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=port, help="port; 0 takes a free one (default: 8765)")
    parser.add_argument("--cert", dest="tls_cert", metavar="PEM", help="serve TLS with this certificate (chain)")
    parser.add_argument("--key", dest="tls_key", metavar="PEM", help="the certificate's private key, if it is in a file of its own")
    parser.add_argument("--life", type=seconds, metavar="SECONDS", help="end every session after this time (default: 3600)")
    parser.add_argument("--engine", choices=["local"], help="what answers (default: local)")
    parser.add_argument("--speech", choices=SYNTHESIZERS, help="synthesiser of the local engine (default: auto)")
    parser.add_argument("--max-sessions", type=count, metavar="N", help="refuse more at once (default: 100)")
    add_model(parser)
    add_config(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Serve the Realtime protocol at /v1/realtime with the embedded engine. Ctrl-C ends it."""
    import asyncio
    from pathlib import Path

    from voice.engines.endpoint import refuse_ourselves
    from voice.engines.local import LocalOptions, local_engine
    from voice.server.app import ServeOptions, serve
    from voice.server.found import findings
    from voice.server.guard import is_loopback

    chat = chat_of(settle(options), relays=True)
    if chat is not None:
        refuse_ourselves(chat, options.host, options.port)
    if options.tls_key and not options.tls_cert:
        raise UsageError("--key needs --cert: give the certificate too")
    if not is_loopback(options.host):
        raise ConfigError(
            f"--host {options.host} would let others in without a credential: serve on 127.0.0.1 and put a proxy with authentication in front"
        )

    async def run() -> None:
        async with local_engine(LocalOptions(synthesizer=options.speech, life_s=options.life, chat=chat)) as engine:
            found = findings(engine)
            for what, text in found.items():
                print(f"{what}: {text}", file=sys.stderr, flush=True)
            cert, key = (Path(name) if name else None for name in (options.tls_cert, options.tls_key))
            listen = ServeOptions(options.host, options.port, cert, key, options.max_sessions)
            await serve(engine, listen, found, lambda address: print(f"listening on {address}", flush=True))

    try:
        asyncio.run(run())
    except KeyboardInterrupt:
        pass  # before it listened, or where a loop has no signals: this is how a server is ended
    return 0
