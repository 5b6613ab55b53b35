"""Every exception that voice raises, in one tree.

VoiceError
+-- UsageError          the caller's mistake: an argument, a file, a setting (exit 2)
+-- ConfigError         unsafe or missing configuration (exit 78)
+-- MissingError        a device, a port, a library or a server that is not there (exit 69)
|   +-- MissingExtra    an optional package that is not installed
|   +-- Refused         a server answered with an HTTP status instead of what was asked for
|   +-- Silent          a server did not answer in time
+-- ProtocolError       the peer's mistake: a message that breaks the protocol
+-- ChatError           a language model's endpoint gave no (complete) answer
+-- ToolError           a tool could not do what it was called for: the message is told to the model
+-- LinkClosed          the link to the peer is gone
+-- WorkerDied          a model process ended in the middle of a job

An ordinary end is an event or a return value, not one of these.
"""


class VoiceError(Exception):
    """The root: `except VoiceError` catches all that voice raises on purpose."""

    exit_code = 1


class UsageError(VoiceError):
    """The caller's mistake. The message says which value, and what to do."""

    exit_code = 2


class ConfigError(VoiceError):
    """Unsafe or missing configuration."""

    exit_code = 78


class MissingError(VoiceError):
    """Something outside the program is not there: device, port, library, server."""

    exit_code = 69


class MissingExtra(MissingError):
    """An optional package is not installed; the message names the extra that brings it."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f'{what} is not installed: pip install "voice[{extra}]" (in a checkout: pip install ".[{extra}]")')
        self.extra = extra


class Refused(MissingError):
    """A server is there and said no: `status` is the HTTP status, `retry_after_s` what it asked to wait, None if it did not, `code` the
    service's own code of the error ("" if it gave none)."""

    def __init__(self, message: str, status: int, retry_after_s: float | None = None, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_s = retry_after_s
        self.code = code


class Silent(MissingError):
    """Something took the connection, or swallows it, and did not answer in time."""


class ProtocolError(VoiceError):
    """The peer's mistake.

    `code` and `param` are those of the Realtime `error` event that answers it.
    """

    def __init__(self, message: str, code: str = "invalid_value", param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.param = param


class ChatError(VoiceError):
    """A language model's endpoint gave no answer, or not all of it.

    `code` is one of `voice.engines.refusals.CODES`; `reason` says it in words for a log, without any key; `retryable`: the same request
    may succeed in a moment; `retry_after_s`: what the endpoint asks to wait, None if it says nothing.
    """

    def __init__(
        self, code: str, reason: str, retryable: bool = False, status: int | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason
        self.retryable = retryable
        self.status = status
        self.retry_after_s = retry_after_s


class ToolError(VoiceError):
    """A tool could not do what it was called for. The message is told to the model as it is: a sentence, and nothing that a user may not hear."""


class LinkClosed(VoiceError):
    """The link is gone. `close_code` is the WebSocket close code (1006: none was received)."""

    def __init__(self, close_code: int = 1006, reason: str = "") -> None:
        # A peer's words: nothing that a terminal or a log would obey.
        shown = "".join(character if character.isprintable() else " " for character in reason)
        super().__init__(f"link closed with {close_code}" + (f": {shown}" if shown else ""))
        self.close_code = close_code
        self.reason = reason


class WorkerDied(VoiceError):
    """A model process ended in the middle of a job; it is started again for the next one."""


def first_of(exc: BaseException) -> BaseException:
    """What a task group has wrapped, however often: its first exception. One that is no group is returned as it is."""
    while isinstance(exc, BaseExceptionGroup):
        exc = exc.exceptions[0]
    return exc
