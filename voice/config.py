"""What the user has set, and where: files < environment < flags. Only floors 4 and 5 ask here; lower floors get plain values.

Files: `config.toml` in the user's configuration folder, then `voice.toml` in the current one; with `--config FILE` (or VOICE_CONFIG) that one
only. Environment: VOICE_PORT for `port`, and the names that others use for the same thing (OPENAI_BASE_URL). A setting that says where the
answers come from takes the place of what a lower layer said about that: `--engine local` beats a `url` in a file.
"""

import difflib
import logging
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints
from urllib.parse import urlsplit, urlunsplit

import msgspec
from msgspec import Meta

from voice.engines.endpoint import HISTORY_TOKENS, ChatTimeouts
from voice.engines.providers import key_names, names, readable_by_all
from voice.errors import ConfigError, UsageError, VoiceError
from voice.links.redact import MASK
from voice.policy.places import long_number
from voice.policy.tables import MOST_DIGITS, in_words
from voice.protocol.dead_air import Filler
from voice.tooling import TABLES as TOOL_TABLES
from voice.tooling import ToolTables, tool_tables

log = logging.getLogger(__name__)

LARGEST_FILE_BYTES = 1 << 20

Text = Annotated[str, Meta(min_length=1)]
Wait = Annotated[float, Meta(gt=0, lt=1e6)]
_LIMITS = ChatTimeouts()


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Every setting, by the name that it has in a file. VOICE_NAME sets it from the environment, --name on the command line."""

    engine: Literal["local", "relay", "twin"] = "local"
    """What answers."""
    url: Text | None = None
    """A Realtime server to talk to."""
    provider: Text | None = None
    """A service by its name."""
    upstream: Text | None = None
    """The Realtime server behind `voice serve`."""
    upstream_dialect: Text | None = None
    """What the Realtime server that is talked to, or relayed to, speaks."""
    model: Text | None = None
    """The Realtime model."""
    base_url: Text | None = None
    """The chat endpoint that the local engine asks."""
    chat_model: Text | None = None
    """The model that it asks there."""
    chat_connect_s: Wait = _LIMITS.connect_s
    """How long the chat endpoint may take for a connection."""
    chat_first_token_s: Wait = _LIMITS.first_token_s
    """For the first word of an answer."""
    chat_idle_s: Wait = _LIMITS.idle_s
    """Between two pieces of an answer."""
    chat_total_s: Wait = _LIMITS.total_s
    """For a whole answer, without the time that it takes to speak it."""
    chat_history_tokens: Annotated[int, Meta(ge=1)] = HISTORY_TOKENS
    """About so much of the conversation is shown to the model."""
    filler_after_s: Annotated[float, Meta(ge=0, lt=1e6)] = Filler().after_s or 0.0
    """Seconds without a word after which the local engine says something while one of its tools is at work; 0: never."""
    filler_words: Text | None = None
    """What it says then."""
    turns: Literal["server", "client"] = "server"
    """Who ends a turn."""
    speech: Literal["auto", "espeak", "flite", "piper"] = "auto"
    """Synthesiser of the local engine."""
    input: Text | None = None
    """Microphone: a part of its name, or a WAV."""
    output: Text | None = None
    """Loudspeaker: a part of its name, a WAV to write, or null."""
    headphones: bool = False
    """Nothing that is played reaches the microphone."""
    gate: bool = False
    """Silence is not sent."""
    idle_mute: Annotated[float, Meta(ge=0, lt=1e6)] = 0.0
    """Seconds without a word of either side after which the microphone is muted; 0: never."""
    max_length: Annotated[float, Meta(ge=0, lt=1e6)] = 0.0
    """Seconds after which a conversation ends; 0: never."""
    host: Text = "127.0.0.1"
    """Address to serve on."""
    port: Annotated[int, Meta(ge=0, le=65535)] = 8765
    """Port to serve on; 0 takes a free one."""
    tls_cert: Text | None = None
    """PEM file of the server's certificate."""
    tls_key: Text | None = None
    """PEM file of its private key."""
    life: Annotated[float, Meta(gt=0, lt=1e9)] = 3600.0
    """Seconds after which a session ends."""
    max_sessions: Annotated[int, Meta(ge=1)] = 100
    """Sessions at once."""
    allow_origin: Text | None = None
    """Origins of pages that may use the server besides its own, with blanks between."""
    require_key: bool = False
    """Refuse to serve without a server key."""


TYPES: Mapping[str, Any] = get_type_hints(Settings, include_extras=True)
OTHER_NAMES = {"base_url": "OPENAI_BASE_URL", "chat_model": "OPENAI_MODEL"}
"""Variables of other programs that mean the same; VOICE_... goes first."""
TAKES_THE_PLACE_OF: Mapping[str, frozenset[str]] = {
    "url": frozenset({"engine", "provider", "upstream", "upstream_dialect"}),
    "engine": frozenset({"url"}),
    "provider": frozenset({"url", "upstream", "upstream_dialect", "base_url"}),
    "upstream": frozenset({"url", "provider", "upstream_dialect"}),
}
"""What a setting makes void in lower layers."""
SERVER_KEY = "VOICE_SERVER_KEY"
"""What clients of our server have to show. No setting: a key is not to be shown."""
SERVER_KEY_NAMES = (SERVER_KEY, f"{SERVER_KEY}_FILE")
TABLES = ("keys", *TOOL_TABLES)
"""What a file has besides settings."""
WHERE = ("url", "upstream", "base_url")
"""Decide where speech and keys go: a file that lies in the current folder is named when it says so."""


@dataclass(frozen=True, slots=True)
class Config:
    """The settings in effect."""

    settings: Settings
    origins: Mapping[str, str]
    """Setting -> "default", a file and line, a variable, or a flag."""
    environ: Mapping[str, str]
    """The environment and, under the same names, the keys of the files: for `engines/providers.py`. Never to be shown."""
    key_origins: Mapping[str, str]
    """Variable of a key that is set -> where it comes from."""
    files: tuple[Path, ...] = ()
    """The files that were read."""
    tools: ToolTables = ToolTables()
    """What the server's models may call."""


@dataclass(frozen=True, slots=True)
class _Layer:
    values: Mapping[str, Any]
    origins: Mapping[str, str]


def load(flags: Mapping[str, Any] | None = None, environ: Mapping[str, str] = os.environ, file: Path | None = None) -> Config:
    """The settings in effect. `flags`: those given on the command line; `file`: instead of the usual ones.

    Raises: ConfigError that names the file, the line or the variable; UsageError that names the flag. Warns of a file with a key that every user can read.
    """
    paths = _paths(environ, file)
    read = [_File(path) for path in paths]
    layers = [one.layer() for one in read]
    for one, layer in zip(read, layers, strict=True):
        if one.path == Path("voice.toml") and (where := [name for name in WHERE if name in layer.values]):
            log.warning("./voice.toml sets %s", ", ".join(f"{name} = {shown(name, layer.values[name])}" for name in where))
    layers.append(_environment(environ))
    given = {
        name: _typed(name, value, flag(name), True, UsageError)
        for name, value in (flags or {}).items()
        if name in TYPES and value is not None
    }
    layers.append(_Layer(given, {name: flag(name) for name in given}))
    values, origins = _merged(layers)
    keys = {name: found for one in read for name, found in one.keys().items()}
    tools = reduce(lambda weaker, one: one.tools(trusted=bool(file or environ.get("VOICE_CONFIG"))).over(weaker), read, ToolTables())
    settings = msgspec.convert(values, Settings)
    return Config(settings, origins, _with_keys(environ, keys), _key_origins(environ, keys), tuple(paths), tools)


def flag(name: str) -> str:
    """The flag of a setting."""
    return "--" + {"tls_cert": "cert", "tls_key": "key"}.get(name, name).replace("_", "-")


def shown(name: str, value: object) -> str:
    """A setting's value for people and logs: an address without the secrets that it may carry."""
    if value is None:
        return "-"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    text = masked_url(text) if "url" in name or name == "upstream" else text
    return "".join(character if character.isprintable() else " " for character in text)


def masked_url(url: str) -> str:
    """An address with the user's name, the password and every value in its query masked, but for `model` and versions."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return MASK
    host = parts.netloc.rpartition("@")
    netloc = f"{MASK}@{host[2]}" if host[1] else host[2]
    query = re.sub(r"(?<![^&;])(?!(?:model|api-version)=)([^=&;]+)=[^&;]*", rf"\1={MASK}", parts.query)
    return urlunsplit((parts.scheme, netloc, parts.path, query, MASK if parts.fragment else ""))


def _paths(environ: Mapping[str, str], file: Path | None) -> list[Path]:
    """The files to read, the weakest first. Raises: ConfigError for a named one that is not there."""
    chosen = file or (Path(name) if (name := environ.get("VOICE_CONFIG")) else None)
    if chosen is None:
        from platformdirs import user_config_path

        return [path for path in (user_config_path("voice", appauthor=False) / "config.toml", Path("voice.toml")) if _there(path)]
    # Not Path.expanduser, which raises where there is no such user.
    full = Path(os.path.expanduser(chosen))
    if not _there(full):
        raise ConfigError(f"no configuration file '{chosen}'")
    return [full]


def _there(path: Path) -> bool:
    """Whether there is such a file. One in a folder that may not be entered (another user's HOME) is not there."""
    try:
        return path.is_file()
    except OSError:
        return False


class _File:
    """A TOML file: settings, a table `keys`, and those of tools. Raises: ConfigError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as file:
                raw = file.read(LARGEST_FILE_BYTES + 1)
            if len(raw) > LARGEST_FILE_BYTES:
                raise ConfigError(f"'{path}' is too large for a configuration")
            self._text = raw.decode()
            self._values = tomllib.loads(self._text)
        except OSError as exc:
            raise ConfigError(f"cannot read '{path}': {exc.strerror or exc}") from exc
        except UnicodeDecodeError:
            # Without the cause here and below: it quotes the file, and there may be a key in it.
            raise ConfigError(f"'{path}' is not UTF-8") from None
        except (ValueError, RecursionError) as exc:
            # ValueError: TOMLDecodeError, or a number that is too long.
            raise ConfigError(f"'{path}' is not TOML: {_place(exc, self._text)}") from None

    def layer(self) -> _Layer:
        """Its settings."""
        values: dict[str, Any] = {}
        for name, value in self._values.items():
            if name in TABLES:
                continue
            if name not in TYPES:
                raise ConfigError(f"{self._at(name)}: no setting '{name[:80]}'{_near(name, (*TYPES, *TABLES))}")
            values[name] = _typed(name, value, self._at(name), strict=True)
        return _Layer(values, {name: self._at(name) for name in values})

    def keys(self) -> dict[str, tuple[str, str]]:
        """Variable -> (key, where it stands)."""
        found = {}
        table = self._values.get("keys", {})
        if not isinstance(table, dict):
            raise ConfigError(f"{self._at('keys')}: keys is a table: [keys], and below it a line 'openai = \"...\"' for each")
        for service, key in table.items():
            where = self._at(service, "keys")
            known = [name for name in names() if key_names(name)]
            if service not in known:
                raise ConfigError(f"{where}: no provider '{service[:80]}' that takes a key{_near(service, known)}")
            if not isinstance(key, str) or not key:
                raise ConfigError(f"{where}: the key of '{service}' is a text in quotation marks")
            found[key_names(service)[0]] = (key, where)
        if found and readable_by_all(self.path):
            log.warning("'%s' has a key in it, and every user of this machine can read it: chmod 600", self.path)
        return found

    def tools(self, trusted: bool) -> ToolTables:
        """Its tools. `trusted`: the user has named the file; else the one in the current folder may be anybody's, and is not to run code."""
        tables = tool_tables(self._values, self._text, str(self.path))
        if tables and not trusted and self.path == Path("voice.toml"):
            where = self._at(next(name for name in TOOL_TABLES if name in self._values))
            raise ConfigError(
                f"{where}: tools are programs that run with your rights: if you trust this file, name it with --config voice.toml"
            )
        if tables.has_secrets and readable_by_all(self.path):
            log.warning("'%s' may have a secret in it ([mcp]), and every user of this machine can read it: chmod 600", self.path)
        return tables

    def _at(self, name: str, table: str = "") -> str:
        """File and line of a setting; the file only where its line is not found (`"po" + "rt"` in dotted or quoted forms)."""
        inside = ""
        for number, line in enumerate(self._text.splitlines(), 1):
            if header := re.match(r"\s*\[\[?\s*([\w-]+)", line):
                inside = header[1]
                if not table and inside == name:
                    return f"{self.path}:{number}"
            elif re.match(rf"\s*[\"']?{re.escape(name)}[\"']?\s*[=.]", line) and inside == table:
                return f"{self.path}:{number}"
        return str(self.path)


def _place(exc: Exception, text: str) -> str:
    """Where the parser stopped. The rest of its sentence may quote the file."""
    found = re.search(r"at line \d+, column \d+|at end of document", str(exc))
    if not found and (line := long_number(text, MOST_DIGITS)):
        return f"it cannot be read at line {line}: a number has {MOST_DIGITS} digits at most"
    return f"it cannot be read {found[0]}" if found else "it cannot be read"


def _environment(environ: Mapping[str, str]) -> _Layer:
    values, origins = {}, {}
    for name in TYPES:
        variables = (f"VOICE_{name.upper()}", *((OTHER_NAMES[name],) if name in OTHER_NAMES else ()))
        variable = next((variable for variable in variables if environ.get(variable, "").strip()), None)
        if variable is not None:
            values[name] = _typed(name, environ[variable].strip(), variable, strict=False)
            origins[name] = variable
    known = [f"VOICE_{name.upper()}" for name in TYPES]
    for variable in sorted(environ):
        # Only what looks like a slip: other programs may have variables of this kind too.
        if (
            variable.startswith("VOICE_")
            and variable not in (*known, *SERVER_KEY_NAMES)
            and (close := difflib.get_close_matches(variable, known, 1, 0.85))
        ):
            log.warning("%s is no setting: did you mean %s?", variable, close[0])
    return _Layer(values, origins)


def _typed(name: str, value: object, where: str, strict: bool, error: type[VoiceError] = ConfigError) -> Any:
    """The value as its type. Raises: `error`."""
    try:
        return msgspec.convert(value, TYPES[name], strict=strict)
    except msgspec.ValidationError as exc:
        if choices := getattr(TYPES[name], "__args__", ()) if "Literal" in str(TYPES[name]) else ():
            raise error(f"{where}: {name} is one of {', '.join(choices)}") from None
        raise error(f"{where}: {name}: {in_words(str(exc))}") from None


def _merged(layers: list[_Layer]) -> tuple[dict[str, Any], dict[str, str]]:
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for layer in layers:
        void = frozenset[str]().union(*(TAKES_THE_PLACE_OF.get(name, ()) for name in layer.values))
        for name in void - layer.values.keys():
            values.pop(name, None)
            origins.pop(name, None)
        values |= layer.values
        origins |= layer.origins
    return values, {name: origins.get(name, "default") for name in TYPES}


def _with_keys(environ: Mapping[str, str], keys: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """The environment, and the keys of the files where it has none."""
    return {**environ, **{name: key for name, (key, _) in keys.items() if not _has(environ, name)}}


def _has(environ: Mapping[str, str], name: str) -> str:
    """The variable that sets a key: NAME or NAME_FILE; "" if neither does."""
    return next((variable for variable in (name, f"{name}_FILE") if environ.get(variable, "").strip()), "")


def _key_origins(environ: Mapping[str, str], keys: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    found = {}
    for name in _every_key_name():
        if origin := _has(environ, name) or (keys[name][1] if name in keys else ""):
            found[name] = origin
    return found


def _every_key_name() -> Iterator[str]:
    for service in names():
        yield from key_names(service)


def _near(name: str, known: "tuple[str, ...] | list[str]") -> str:
    close = difflib.get_close_matches(name.replace("-", "_"), known, 1) or difflib.get_close_matches(name, known, 1)
    return f": did you mean '{close[0]}'?" if close else f"; there are {', '.join(known)}"
