"""What answers in the embedded engine: its language model (--provider and --model, OPENAI_BASE_URL and OPENAI_MODEL, files) and its tools."""

import argparse

TYPE_CHECKING = False
"""As `typing.TYPE_CHECKING`, without the import."""

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from voice.config import Config
    from voice.engines.endpoint import ChatOptions
    from voice.engines.local import LocalEngine, LocalOptions
    from voice.engines.toolset import Toolset


def add_model(parser: argparse.ArgumentParser, provider: str = "the service whose chat model answers in the local engine") -> None:
    """The flags that choose it. `provider`: what the first one does in this command."""
    parser.add_argument("--provider", metavar="NAME", help=f"{provider} (with its key)")
    parser.add_argument("--model", help="which model answers there, or at OPENAI_BASE_URL (default: OPENAI_MODEL)")


def chat_of(config: "Config", relays: bool = False) -> "ChatOptions | None":
    """The language model for the local engine; None: the offline skills answer, or another engine does.

    A provider that a file or the environment names may be meant for something else: it counts only together with a model. `relays`: of a
    command in which a provider is one that everything is relayed to, unless `--engine local` says otherwise.
    Raises: UsageError, ConfigError.
    """
    from dataclasses import replace

    from voice.engines.endpoint import BASE_URL, MODEL, ChatTimeouts, chat_options

    settings, origins = config.settings, config.origins
    elsewhere = settings.url or settings.upstream or (relays and settings.provider and origins["engine"] == "default")
    if settings.engine != "local" or elsewhere:
        return None
    model = settings.model if origins["model"] == "--model" else settings.chat_model
    provider = settings.provider if model or origins["provider"] == "--provider" else None
    chosen = chat_options({**config.environ, BASE_URL: settings.base_url or "", MODEL: ""}, provider, model)
    limits = ChatTimeouts(settings.chat_connect_s, settings.chat_first_token_s, settings.chat_idle_s, settings.chat_total_s)
    return None if chosen is None else replace(chosen, timeouts=limits, history_tokens=settings.chat_history_tokens)


def tools_of(config: "Config") -> "Toolset | None":
    """The tools that the configuration lists, not running yet; None: there are none. Raises: ConfigError, MissingExtra."""
    if not config.tools:
        return None
    from voice.tooling import make_toolset

    return make_toolset(config.tools, config.environ)


def engine_maker(config: "Config", tools: "Toolset | None") -> "Callable[[LocalOptions], AbstractAsyncContextManager[LocalEngine]]":
    """How the local engine is made, with tools that are not running yet."""
    from contextlib import AsyncExitStack, asynccontextmanager
    from dataclasses import replace

    from voice.engines.local import LocalOptions, local_engine
    from voice.protocol.dead_air import Filler

    @asynccontextmanager
    async def make(options: LocalOptions) -> "AsyncIterator[LocalEngine]":
        # In virtual time nobody waits, and nothing that a clock of the real world says may change an answer.
        after_s = None if options.clocks.pace is None else config.settings.filler_after_s or None
        filler = Filler(after_s, config.settings.filler_words or "")
        async with AsyncExitStack() as stack:
            if tools is not None:
                await stack.enter_async_context(tools)
            yield await stack.enter_async_context(local_engine(replace(options, tools=tools, filler=filler)))

    return make
