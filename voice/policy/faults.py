"""The faults of a twin: read from a file, kept over all of its sessions. How they are written is in docs/twin.md.

    text --faultfile.py--> deeds.py --FaultPlan--> faulting.py, one for each session

Pure. `links/faulty.py` does to a connection what is decided here.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from voice.policy.deeds import Fault, FaultFile, Refuse
from voice.policy.faultfile import convert, parse
from voice.policy.faulting import SessionFaults, Tally

_SAID = {
    401: ("invalid_api_key", "Incorrect API key provided."),
    403: ("insufficient_permissions", "You have insufficient permissions for this operation."),
    404: ("model_not_found", "The model does not exist or you do not have access to it."),
    429: ("rate_limit_exceeded", "Rate limit reached for requests. Please try again later."),
    503: ("server_error", "The server is overloaded or not ready yet. Please try again later."),
}
"""Code and message of a refusal that names none."""


class FaultPlan:
    """All faults, and how often each has happened. Sessions are numbered from 1 by who begins them, refused ones too."""

    def __init__(self, file: FaultFile | None = None) -> None:
        self._tally = Tally((file or FaultFile()).faults, (file or FaultFile()).seed)

    @property
    def faults(self) -> Sequence[Fault]:
        """In the order of the file."""
        return self._tally.faults

    def session(self, number: int) -> SessionFaults:
        """What goes wrong in the nth session."""
        return SessionFaults(self._tally, number)

    def refusal(self, number: int) -> Refuse | None:
        """What the nth handshake is answered with instead of an upgrade; None: it is let in. To be asked once."""
        for n, fault in enumerate(self._tally.faults):
            if isinstance(fault.deed, Refuse) and fault.session in (None, number):
                if self._tally.may(n) and self._tally.likely(n, number, 0):
                    self._tally.happened[n] += 1
                    return fault.deed
        return None

    def unused(self) -> list[Fault]:
        """Those that were bound to happen, and have not (as often as they say)."""
        counted = zip(self._tally.faults, self._tally.happened, strict=True)
        return [fault for fault, happened in counted if fault.p is None and happened < max(1, fault.times)]


def read_faults(raw: bytes | str, name: str) -> FaultPlan:
    """The faults of a TOML file; `name`: the file's, for messages. Raises: ConfigError that names file, line and key."""
    return FaultPlan(parse(raw, name))


def faults_of(read: Mapping[str, Any], name: str = "faults") -> FaultPlan:
    """The same of Python objects: `{"fault": [{"do": "close", ...}, ...], "seed": 7}`. Raises: ConfigError."""
    return FaultPlan(convert(read, name))


def refusal_error(refuse: Refuse) -> dict[str, str | None]:
    """The error in the body of a refusal, in the form of the service."""
    code, message = _SAID.get(refuse.status, (None, f"The request was answered with {refuse.status}."))
    kind = "server_error" if refuse.status >= 500 else "invalid_request_error"
    return {
        "message": message if refuse.message is None else refuse.message,
        "type": refuse.type or kind,
        "code": code if refuse.code is None else refuse.code,
        "param": None,
    }
