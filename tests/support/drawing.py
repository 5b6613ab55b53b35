"""A turn to be drawn, and what is drawn as text."""

from voice.terminal.drawn import Line

TURN: dict[str, object] = {
    "event": "turn",
    "index": 0,
    "user_text": "what time is it in Seoul",
    "assistant_text": "It is half past ten in the evening.",
    "reply_ms": 2_000,
    "heard_ms": 2_000,
    "status": "completed",
    "waterfall": {"turn_ms": 520, "delta_ms": 610, "sound_ms": 690},
}


def text(lines: list[Line]) -> list[str]:
    """As it is seen, without what is at the ends of lines."""
    return ["".join(piece for _, piece in line).rstrip() for line in lines]
