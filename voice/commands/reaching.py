"""Which Realtime server `voice talk` and `voice replay` talk to: flags, environment and files as a destination."""

import argparse

TYPE_CHECKING = False
"""As `typing.TYPE_CHECKING`, without the import."""

if TYPE_CHECKING:
    from voice.config import Config
    from voice.engines.destination import Destination


def add_dialect(parser: argparse.ArgumentParser) -> None:
    """The flag for what is spoken there."""
    what = "what the server speaks: ga, beta, the dialect of a service, or auto: its first event tells (default: as the service there, else auto)"
    parser.add_argument("--dialect", dest="upstream_dialect", metavar="NAME", help=what)


def server_of(config: "Config", services: bool) -> "Destination | None":
    """The server to talk to, with its key; None: the engine is in this process. Asks for the model that was chosen, if one was.

    `services`: of a command in which a provider is one to talk to, unless `--engine` says otherwise; in others `--engine relay` says so.
    Raises: UsageError, ConfigError (no key, or nowhere to go).
    """
    from dataclasses import replace

    from voice.engines.destination import at_address, at_service
    from voice.errors import ConfigError
    from voice.links.dial import realtime_url

    settings, origins = config.settings, config.origins
    relayed = settings.engine == "relay"
    if settings.url is not None:
        found = at_address(settings.url, config.environ, settings.upstream_dialect)
    elif settings.provider is not None and (relayed or (services and origins["engine"] == "default")):
        found = at_service(settings.provider, config.environ, settings.upstream_dialect)
    elif relayed and settings.upstream is not None:
        found = at_address(settings.upstream, config.environ, settings.upstream_dialect)
    elif relayed:
        raise ConfigError("relay to where? Give --url or --provider, or talk to --engine local")
    else:
        return None
    realtime_url(found.url)  # a bad address is said before anything is opened
    return replace(found, model=settings.model or found.model)
