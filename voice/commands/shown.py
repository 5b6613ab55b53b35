"""How `voice talk` shows a conversation: as plain lines for people, or as JSON."""

import json
import sys

from voice.printing import printable

TYPE_CHECKING = False
"""As `typing.TYPE_CHECKING`, without the import."""

if TYPE_CHECKING:
    from voice.protocol.captions import Caption
    from voice.report import Meters


class JsonLines:
    """One object a line on stdout."""

    live = False

    def result(self, line: dict[str, object]) -> None:
        print(json.dumps(line, ensure_ascii=False), flush=True)

    def note(self, text: str) -> None:
        print(f"voice: {printable(text)}", file=sys.stderr, flush=True)

    def state(self, state: str) -> None:
        self.result({"event": "state", "state": state})

    def caption(self, who: str, text: str) -> None:
        pass  # it is in the turn

    def saying(self, captions: "tuple[Caption, ...]") -> None:
        pass

    def meters(self, meters: "Meters") -> None:
        pass


class PlainLines:
    """For people: captions and what came of each turn on stdout; states and notes on stderr."""

    live = False

    def __init__(self) -> None:
        self._said = ""

    def result(self, line: dict[str, object]) -> None:
        from voice.terminal.drawn import summary_line

        text = _turn(line, self._said) if line["event"] == "turn" else summary_line(line)
        if text:
            print(text, flush=True)
        self._said = ""

    def note(self, text: str) -> None:
        print(f"voice: {printable(text)}", file=sys.stderr, flush=True)

    def state(self, state: str) -> None:
        print(f"[{state}]", file=sys.stderr, flush=True)

    def caption(self, who: str, text: str) -> None:
        if who == "voice":
            self._said = text
        print(f"{who + ':':7}{printable(text)}", flush=True)

    def saying(self, captions: "tuple[Caption, ...]") -> None:
        pass

    def meters(self, meters: "Meters") -> None:
        pass


def _turn(turn: dict[str, object], said: str) -> str:
    """The end of a turn: what was cut short, and how long it took."""
    reply_ms, heard_ms = (int(str(turn[name])) for name in ("reply_ms", "heard_ms"))
    words = "" if said or not turn["assistant_text"] else f"voice: {printable(str(turn['assistant_text']))} ...\n"
    parts = []
    if turn["first_audio_ms"] is not None:
        parts.append(f"first sound {turn['first_audio_ms']} ms after the last word")
    if heard_ms + 1 < reply_ms:
        parts.append(f"stopped after {heard_ms / 1000:.1f} of {reply_ms / 1000:.1f} s")
    if turn["status"] not in ("completed", "cancelled"):
        parts.append(str(turn["status"]).replace("_", " "))
    return words + (f"       ({', '.join(parts)})" if parts else "")
