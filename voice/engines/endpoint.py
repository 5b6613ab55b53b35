"""Where a language model is asked, and how patiently: the options of the chat responder, and how environment and flags choose them.

A key in the environment alone changes nothing: somebody has to name the endpoint (`OPENAI_BASE_URL`, or `--provider`) and the model.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit, urlunsplit

from voice.engines.providers import Provider, key_for, key_named, needed_key, provider
from voice.errors import ConfigError
from voice.policy.retry import RetrySettings

BASE_URL, MODEL, KEY = "OPENAI_BASE_URL", "OPENAI_MODEL", "OPENAI_API_KEY"
ACCOUNT = {"OPENAI_ORG_ID": "OpenAI-Organization", "OPENAI_PROJECT_ID": "OpenAI-Project"}
"""Variables, as other programs know them, and the headers that they fill; they belong to the key of OPENAI_API_KEY."""
PATH = "/chat/completions"
HISTORY_TOKENS = 6_000
"""Some 200 turns of talk; models that run on a laptop are often set up to read 4,000 to 8,000."""
RETRIES = RetrySettings(first_s=0.25, cap_s=1.0, tries=2, longest_wait_s=3.0)
"""Somebody waits for the answer: after 3 s of silence it is better to say what is wrong."""


@dataclass(frozen=True, slots=True)
class ChatTimeouts:
    """How long the endpoint may take. Each ends with its own error."""

    connect_s: float = 5.0
    """For a connection, the name's address and TLS included; each try."""
    first_token_s: float = 30.0
    """From the question to the first word, all tries together."""
    idle_s: float = 15.0
    """Between two pieces of an answer. A comment (`: ping`) is a piece."""
    total_s: float = 120.0
    """All waiting for one answer. The time that it takes to speak it does not count."""


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """An OpenAI-compatible chat endpoint and the model asked there."""

    base_url: str
    """Without `/chat/completions`; a bare host gets `/v1`."""
    model: str
    api_key: str | None = field(default=None, repr=False)
    auth: str = "bearer"
    """"bearer", or "api-key" (see `Provider.auth`)."""
    account: tuple[tuple[str, str], ...] = ()
    """More headers, which say on whose account it goes: (name, value)."""
    timeouts: ChatTimeouts = ChatTimeouts()
    history_tokens: int = HISTORY_TOKENS
    """About so many tokens of the conversation are shown to the model."""
    retries: RetrySettings = RETRIES
    """Tries after the first one, before the first word only."""

    @property
    def url(self) -> str:
        """Where to post. Raises: ConfigError."""
        return chat_url(self.base_url)

    @property
    def open_key(self) -> bool:
        """Whether the key goes through a network that can read it: without TLS, to another machine."""
        return self.api_key is not None and not self.url.startswith("https:") and not is_loopback(self.url)

    @property
    def host(self) -> str:
        """Host, and port if it is given: what people are told."""
        return urlsplit(self.url).netloc

    def headers(self) -> dict[str, str]:
        """What lets a request in. Never to be logged."""
        return {**dict(self.account), **Provider("", None, self.base_url, auth=self.auth).headers(self.api_key)}


def chat_options(environ: Mapping[str, str], provider_name: str | None = None, model: str | None = None) -> ChatOptions | None:
    """The endpoint that flags and environment name; None if they name none, or no model for it.

    Raises: UsageError (an unknown provider), ConfigError (no key, a bad address, `--provider` without a model).
    """
    model = model or environ.get(MODEL, "").strip()
    if provider_name is not None:
        service = provider(provider_name, environ)
        base = service.chat()
        if not model:
            raise ConfigError(f"which model of '{service.name}'? Set {MODEL}, or give --model")
        account = _account(environ) if KEY in service.key_names else ()
        return _checked(ChatOptions(base, model, needed_key(service, environ), service.auth, account))
    base = environ.get(BASE_URL, "").strip()
    if not base or not model:
        return None
    # The key of the service that is there; else the one that programs pair with OPENAI_BASE_URL, whosever address that is.
    general = key_named(KEY, environ)
    key = key_for(chat_url(base), environ) or general
    return _checked(ChatOptions(base, model, key, account=_account(environ) if key and key == general else ()))


def chat_url(base_url: str) -> str:
    """The address to post to. Raises: ConfigError, without the address if it may hold a password."""
    try:
        parts = urlsplit(base_url)
        port = parts.port
    except ValueError as exc:
        raise ConfigError(f"{BASE_URL} is no address: set it to something like https://api.example.com/v1") from exc
    if parts.username is not None or parts.password is not None:
        raise ConfigError(f"{BASE_URL} holds a name or a password: put the key into {KEY} instead")
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or not base_url.isprintable() or " " in base_url:
        raise ConfigError(f"{BASE_URL} is '{_line(base_url)}', which is no address like https://api.example.com/v1")
    path = parts.path.rstrip("/").removesuffix(PATH) or "/v1"
    return urlunsplit(parts._replace(path=path + PATH, fragment=""))


def refuse_ourselves(options: ChatOptions, host: str, port: int) -> None:
    """Raises: ConfigError if the endpoint is the server at `host` and `port`: it would ask itself for ever."""
    asked = urlsplit(options.url)
    if _port(asked) == port and _same_machine(asked.hostname or "", host):
        raise ConfigError(f"{BASE_URL} is '{options.base_url}', which is this server: set it to the address of a language model")


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine: no proxy is asked for it."""
    return _is_here(urlsplit(url).hostname or "")


def _account(environ: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Raises: ConfigError for what cannot be a header."""
    found = {header: value for variable, header in ACCOUNT.items() if (value := key_named(variable, environ)) is not None}
    return tuple(found.items())


def _checked(options: ChatOptions) -> ChatOptions:
    chat_url(options.base_url)
    return options


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _same_machine(asked: str, ours: str) -> bool:
    return asked.lower() == ours.lower() or (_is_here(asked) and _is_here(ours))


def _is_here(host: str) -> bool:
    if host.lower().rstrip(".") == "localhost" or host.lower().endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)[:100]
