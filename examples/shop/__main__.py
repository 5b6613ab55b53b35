"""`python -m examples.shop`: the shop's customer service, by voice and by text. See README.md beside this file."""

import argparse
import asyncio
import contextlib
import secrets
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import voice
from examples.shop.service import additions
from examples.shop.store import ACCOUNTS, Shop
from voice.commands.answering import add_model, chat_of
from voice.commands.flags import add_config, port, settle
from voice.commands.relaying import upstream_of
from voice.config import Config
from voice.engines.local import LocalOptions, local_engine
from voice.engines.relay import RelayEngine
from voice.errors import VoiceError, first_of
from voice.policy.secrets import LONGEST_S, Grant, mint, signing_key
from voice.server.additions import Additions
from voice.server.app import ServeOptions, serve, served
from voice.server.realtime import Engine

FOUND = {"engine": "the customer service of a shop"}


def main() -> int:
    """Serve the page, or with --text have a conversation here."""
    parser = argparse.ArgumentParser(prog="python -m examples.shop", description=__doc__)
    parser.add_argument("--port", type=port, help="port; 0 takes a free one (default: 8765)")
    parser.add_argument("--database", type=Path, metavar="FILE", help="keep the orders there (default: a new file each time)")
    parser.add_argument("--text", action="store_true", help="type here instead of opening the page")
    parser.add_argument("--account", choices=[name for name, _ in ACCOUNTS], default="1", help="with --text: who is typing (default: 1)")
    parser.add_argument("--engine", choices=["local", "relay"], help="as of `voice serve`")
    parser.add_argument("--upstream", metavar="URL", help="relay every session to this Realtime server; the tools stay here")
    add_model(parser, "relay every session to this service; with --engine local: its chat model answers")
    add_config(parser)
    options = parser.parse_args()
    try:
        config = settle(options)
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(run(options, config, options.database or Path(folder) / "shop.sqlite"))
    except KeyboardInterrupt:
        return 0
    except (VoiceError, BaseExceptionGroup) as exc:
        failure = first_of(exc)
        if not isinstance(failure, VoiceError):
            raise
        print(f"error: {failure}", file=sys.stderr)
        return failure.exit_code
    return 0


async def run(options: argparse.Namespace, config: Config, database: Path) -> None:
    """Serve until Ctrl-C, or until the conversation in the terminal has ended."""
    # Who may come in is the shop's affair: the server has a key, and each customer a secret that says who that is.
    key = secrets.token_urlsafe(32)
    where = ServeOptions(port=0 if options.text else options.port, server_key=key)

    def listening(address: str) -> None:
        print(f"listening on {address}", flush=True)
        for account, membership in ACCOUNTS:
            print(f"account {account} (membership: {membership}): {address}/#secret={secret(account, key)}", file=sys.stderr, flush=True)

    async with answering(config, additions(await asyncio.to_thread(Shop, database))) as (engine, shop):
        if not options.text:
            await serve(engine, where, FOUND, listening, shop)
            return
        async with served(engine, where, FOUND, shop) as (_, address):
            await typed(address, secret(options.account, key))


@contextlib.asynccontextmanager
async def answering(config: Config, shop: Additions) -> AsyncIterator[tuple[Engine, Additions]]:
    """What answers, and what the server adds: to an upstream the tools, too; the local engine has them inside, and talks while they work."""
    assert shop.tools is not None
    async with shop.tools as tools:
        if (upstream := upstream_of(config)) is not None:
            yield RelayEngine(upstream), shop
            return
        async with local_engine(LocalOptions(chat=chat_of(config, relays=True), tools=tools)) as engine:
            yield engine, replace(shop, tools=None)


def secret(account: str, key: str) -> str:
    """What a shop's backend gives to a customer who has signed in: over HTTP it is `voice_user` (docs/api.md), here it is made directly."""
    return mint(Grant(int(time.time()) + LONGEST_S, secrets.token_hex(12), user=account), signing_key(key))


async def typed(address: str, credential: str) -> None:
    """A conversation in the terminal: a line in, the answer out."""
    async with voice.connect(address, api_key=credential, settings=voice.settings_of(text_only=True)) as session:
        print("Type, for example: refund order 1001. An empty line ends it.", file=sys.stderr)
        while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
            await session.say(line)
            async for event in session:
                match event:
                    case voice.ReplyText(final=True):
                        print(event.text, flush=True)
                    case voice.ErrorReported():
                        print(event.message, file=sys.stderr)
                    case voice.ReplyEnded():
                        if event.status == "failed":
                            print(f"No answer: {event.reason}", file=sys.stderr)
                        break
                    case voice.SessionEnded():
                        print(f"The session has ended: {event.reason or event.close_code}", file=sys.stderr)
                        return


if __name__ == "__main__":
    sys.exit(main())
