"""Where `voice serve` relays to, and who may come in: flags, environment and files as the options of server and relay."""

TYPE_CHECKING = False
"""As `typing.TYPE_CHECKING`, without the import."""

if TYPE_CHECKING:
    from voice.config import Config
    from voice.engines.relay import Upstream
    from voice.server.app import ServeOptions


def upstream_of(config: "Config") -> "Upstream | None":
    """The upstream of a relay; None: an engine of our own answers. Raises: UsageError, ConfigError (no upstream, no key)."""
    import logging
    from urllib.parse import urlsplit

    from voice.engines.destination import at_address, at_service
    from voice.engines.relay import Upstream
    from voice.errors import ConfigError, UsageError
    from voice.links.dial import realtime_url
    from voice.server.guard import is_loopback

    settings, origins = config.settings, config.origins
    if settings.engine != "relay" and origins["engine"] == "--engine" and origins["upstream"] == "--upstream":
        raise UsageError(f"--upstream is for the relay, and the engine is to be '{settings.engine}': leave one out")
    if settings.engine != "relay" and origins["engine"] != "default" and origins["upstream"] != "--upstream":
        return None
    if settings.upstream is not None:
        if settings.provider is not None:
            raise UsageError("provider and upstream both say where to relay to: leave one out")
        found = at_address(settings.upstream, config.environ, settings.upstream_dialect)
    elif settings.provider is not None:
        found = at_service(settings.provider, config.environ, settings.upstream_dialect)
    elif settings.engine == "relay":
        raise ConfigError("relay to where? Give --provider NAME, or --upstream with the address of a Realtime server")
    else:
        return None
    parts = urlsplit(realtime_url(found.url))
    if parts.username is not None or parts.password is not None:
        raise ConfigError(
            "the upstream's address holds a name or a password, which every user of this machine can read: use OPENAI_API_KEY"
        )
    if found.api_key is not None and parts.scheme == "ws" and not is_loopback(parts.hostname or ""):
        logging.getLogger(__name__).warning("the key for %s can be read on its way there: use wss://", parts.netloc)
    return Upstream(found.url, found.api_key, found.auth, settings.model or found.model, settings.life, found.dialect)


def serve_options(config: "Config") -> "ServeOptions":
    """How to listen, and who may come in. Raises: ConfigError where others could come in without a credential, UsageError."""
    from pathlib import Path

    from voice.config import SERVER_KEY
    from voice.engines.providers import key_named
    from voice.errors import ConfigError, UsageError
    from voice.server.app import ServeOptions
    from voice.server.guard import is_loopback, origin_of

    settings = config.settings
    key = key_named(SERVER_KEY, config.environ)
    if settings.tls_key and not settings.tls_cert:
        raise UsageError("--key needs --cert: give the certificate too")
    if key is None and (settings.require_key or not is_loopback(settings.host)):
        why = "--require-key" if settings.require_key else f"--host {settings.host} would let others in without a credential"
        raise ConfigError(f"{why}: set {SERVER_KEY}, or {SERVER_KEY}_FILE to the path of a file, to a key that clients have to show")
    cert, tls_key = (Path(name) if name else None for name in (settings.tls_cert, settings.tls_key))
    origins = frozenset(origin_of(given) for given in (settings.allow_origin or "").replace(",", " ").split())
    return ServeOptions(settings.host, settings.port, cert, tls_key, settings.max_sessions, key, origins)
