"""`voice serve`: the Realtime protocol, and a page."""

import argparse
import sys
from contextlib import AsyncExitStack, asynccontextmanager

from voice.commands.answering import add_model, chat_of, engine_maker, tools_of
from voice.commands.flags import SYNTHESIZERS, Joined, add_config, count, port, seconds, settle
from voice.commands.relaying import serve_options, upstream_of
from voice.commands.twin import add_script, twin_of, wants_twin
from voice.printing import printable

TYPE_CHECKING = False
"""As `typing.TYPE_CHECKING`, without the import."""

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from voice.config import Config
    from voice.engines.endpoint import ChatOptions
    from voice.engines.local import LocalEngine, LocalOptions
    from voice.engines.relay import Upstream
    from voice.server.realtime import Engine

    MakeLocal = Callable[[LocalOptions], AbstractAsyncContextManager[LocalEngine]]


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser("serve", help="serve the Realtime protocol and a page", description=run.__doc__)
    parser.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=port, help="port; 0 takes a free one (default: 8765)")
    parser.add_argument("--cert", dest="tls_cert", metavar="PEM", help="serve TLS with this certificate (chain)")
    parser.add_argument("--key", dest="tls_key", metavar="PEM", help="the certificate's private key, if it is in a file of its own")
    parser.add_argument("--life", type=seconds, metavar="SECONDS", help="end every session after this time (default: 3600)")
    parser.add_argument(
        "--engine", choices=["local", "relay", "twin"], help="what answers (default: local, or relay with --provider or --upstream)"
    )
    add_script(parser)
    parser.add_argument("--upstream", metavar="URL", help="relay every session to this Realtime server; the key stays here")
    parser.add_argument(
        "--upstream-dialect", metavar="NAME", help="what the upstream speaks (default: as the service there, else its first event tells)"
    )
    parser.add_argument("--speech", choices=SYNTHESIZERS, help="synthesiser of the local engine (default: auto)")
    parser.add_argument("--max-sessions", type=count, metavar="N", help="refuse more at once (default: 100)")
    parser.add_argument("--allow-origin", action=Joined, metavar="ORIGIN", help="let pages of this origin in too; may be repeated")
    parser.add_argument(
        "--require-key", action="store_const", const=True, help="refuse to start unless VOICE_SERVER_KEY is set, which clients have to show"
    )
    add_model(parser, "relay every session to this service; with --engine local: its chat model answers")
    add_config(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Serve the Realtime protocol at /v1/realtime, with the embedded engine or as a relay to a service. Ctrl-C ends it."""
    import asyncio

    config = settle(options)
    listen = serve_options(config)
    upstream = upstream_of(config)
    chat = None if upstream is not None else chat_of(config, relays=True)
    twin = upstream is None and wants_twin(options, config)
    tools = None if twin else tools_of(config)
    _refuse_ourselves(upstream, chat, listen.host, listen.port)

    def listening(address: str) -> None:
        from urllib.parse import urlsplit

        # Once more, for --port 0.
        _refuse_ourselves(upstream, chat, listen.host, urlsplit(address).port or 0)
        print(f"listening on {address}", flush=True)

    async def run() -> None:
        from voice.server.additions import Additions
        from voice.server.app import serve

        async with AsyncExitStack() as stack:
            additions = Additions(await stack.enter_async_context(tools)) if tools is not None and upstream is not None else None
            make_local = engine_maker(config, tools)
            engine, found = await stack.enter_async_context(_engine(config, upstream, chat, options if twin else None, make_local))
            if listen.server_key is not None:
                found = {**found, "access": "with the key in VOICE_SERVER_KEY, or a secret made with it"}
            # The tools are told to who reads this, not to the page.
            for what, text in {
                **found,
                **({} if tools is None else {"tools": config.tools.summary([tool.name for tool in tools.tools])}),
            }.items():
                print(f"{what}: {printable(text)}", file=sys.stderr, flush=True)
            await serve(engine, listen, found, listening, additions)

    try:
        asyncio.run(run())
    except KeyboardInterrupt:
        pass  # before it listened, or where a loop has no signals: this is how a server is ended
    return 0


@asynccontextmanager
async def _engine(
    config: "Config", upstream: "Upstream | None", chat: "ChatOptions | None", twin: argparse.Namespace | None, make_local: "MakeLocal"
) -> "AsyncIterator[tuple[Engine, dict[str, str]]]":
    """What answers, and what is said about it. `twin`: the flags that describe one, if that is what answers. `make_local`: see `engine_maker`."""
    from voice.engines.local import LocalOptions
    from voice.engines.relay import RelayEngine
    from voice.engines.twin import TwinOptions
    from voice.server.found import findings, relay_findings, twin_findings

    if upstream is not None:
        relay = RelayEngine(upstream)
        yield relay, relay_findings(relay)
        return
    if twin is not None:
        async with twin_of(twin, TwinOptions(config.settings.life)) as scripted:
            yield scripted, twin_findings(scripted)
        return
    async with make_local(LocalOptions(synthesizer=config.settings.speech, life_s=config.settings.life, chat=chat)) as engine:
        yield engine, findings(engine, key=bool(config.key_origins))


def _refuse_ourselves(upstream: "Upstream | None", chat: "ChatOptions | None", host: str, port: int) -> None:
    """Raises: ConfigError if what answers is to be found at our own address."""
    from voice.engines import endpoint, relay

    if chat is not None:
        endpoint.refuse_ourselves(chat, host, port)
    if upstream is not None:
        relay.refuse_ourselves(upstream, host, port)
