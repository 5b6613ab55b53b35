"""How `voice talk` looks in a terminal: a conversation as styled lines of so many columns. Pure; `terminal.py` puts them on the screen.

What is over scrolls up and stays (`turn_lines`, `note_lines`); what changes stands in a few lines at the bottom (`status_lines`). Nothing is
said by colour alone. Every sign of ours is one column wide also where a terminal shows ambiguous ones as two (Korean, Chinese, Japanese).
"""

import math
from dataclasses import dataclass, replace

from voice.printing import cut, folded, printable, width
from voice.protocol.captions import NO_TURN, Caption
from voice.report import Meters

Line = list[tuple[str, str]]
"""Pieces of one line: style and text."""

LABEL = 7
"""Columns of "voice: "."""
NARROW = 40
"""Columns below which there is no room beside the words."""
FILL = "\u2007"
"""Stands for a blank at which no line is broken."""
MS_A_SIGN = 50
"""Milliseconds of a waterfall for one sign."""
STATE = 14
"""Columns of the longest state: what stands behind it does not move."""
LEAST_BAR, LONGEST_BAR = 10, 40
LEAST_DBFS, MOST_DBFS, BAR = -60.0, -6.0, 8
LONGEST_RULE = 48
"""Of a line as wide as the window a part would stay behind when the window is made narrower."""
LIVE_ROWS = 3
"""Rows of one side's live words: the last ones."""

SIGNS = {
    "starting": "◦",
    "listening": "◉",
    "thinking": "◌",
    "speaking": "▸",
    "reconnecting": "↻",
    "muted": "✗",
}
FULL, EMPTY, TURN, DELTA, SOUND, RECORDING, RULE = "▮", "▯", "▮", "▪", "▫", "◉", "╌"
PLAIN = str.maketrans({"◦": ".", "◉": "*", "◌": "o", "▸": ">", "↻": "~", "✗": "x", "▮": "#", "▯": ".", "▪": "=", "▫": "-", "╌": "-"})
"""The same in ASCII, for terminals without them."""

STYLES = {
    "you": "bold ansigreen",
    "voice": "bold ansicyan",
    "dim": "ansibrightblack",
    "bad": "bold ansired",
    "listening": "bold ansigreen",
    "thinking": "bold ansiyellow",
    "speaking": "bold ansicyan",
    "reconnecting": "bold ansired",
    "muted": "bold ansimagenta",
    "starting": "ansibrightblack",
    "turn": "ansiblue",
    "delta": "ansiyellow",
    "sound": "ansigreen",
}
"""The styles by their names, as prompt_toolkit writes them: the terminal's own colours, so that its theme decides."""


@dataclass(frozen=True, slots=True)
class View:
    """All that is shown of the moment."""

    state: str = "starting"
    """See `protocol/floor.py`; "starting" before the first."""
    captions: tuple[Caption, ...] = ()
    meters: Meters = Meters()

    def told(self, index: int) -> "View":
        """Without what stands above by now."""
        return replace(self, captions=tuple(one for one in self.captions if one.index == NO_TURN or one.index > index))


def turn_lines(turn: dict[str, object], captions: tuple[Caption, ...], columns: int) -> list[Line]:
    """A turn that is over: who said what, what was heard of it, and where the time went."""
    heard = next((one for one in captions if one.index == turn["index"] and one.who == "voice"), None)
    said = str(turn["assistant_text"]) if heard is None else heard.text
    ends = _ends(turn, heard)
    lines: list[Line] = [[]]
    if turn["user_text"]:
        lines += spoken("you", str(turn["user_text"]), columns)
    if said or ends:
        lines += spoken("voice", said, columns, ends)
    times = turn.get("waterfall")
    if isinstance(times, dict):
        lines += waterfall_lines(times, columns)
    return lines if len(lines) > 1 else []


def _ends(turn: dict[str, object], heard: Caption | None) -> str:
    """What is to be said behind the words: that there were more, or none."""
    reply_ms, heard_ms = int(str(turn["reply_ms"])), int(str(turn["heard_ms"]))
    status = str(turn["status"])
    if heard_ms + 1 < reply_ms and status in ("completed", "cancelled", "incomplete"):
        known = ", words estimated" if heard is not None and heard.estimated and heard.text else ""
        return f"(interrupted at {heard_ms / 1000:.1f} of {reply_ms / 1000:.1f} s{known})"
    if status == "completed":
        return ""
    if status == "cancelled":
        return "(interrupted)"
    return f"({status.replace('_', ' ')})"


def spoken(who: str, text: str, columns: int, ends: str = "") -> list[Line]:
    """Somebody's words, hanging behind who said them; in few columns only the first line is behind it."""
    label = f"{who}:".ljust(LABEL) if columns >= NARROW else f"{who}: "
    before = " " * len(label)
    words = printable(text).strip()
    if columns >= NARROW:
        parts = folded(words, columns - LABEL)
        lines: list[Line] = [[("", before), ("", part)] for part in parts]
    else:
        first, *others = folded(before.replace(" ", FILL) + words, columns)
        lines = [[("", first[: len(before)]), ("", first[len(before) :])], *([("", part)] for part in others)]
        before = ""
    lines[0][0] = (who, label)
    for part in folded(printable(ends), columns - len(before)) if ends else ():
        gap = " " if words else ""
        if sum(width(piece) for _, piece in lines[-1]) + len(gap) + width(part) <= columns:
            lines[-1].append(("dim", gap + part))
        else:
            lines.append([("", before), ("dim", part)])
    return lines


def note_lines(text: str, columns: int) -> list[Line]:
    """A note, on lines of its own."""
    return [[("dim", part)] for part in folded(printable(text).strip(), columns)]


def waterfall_lines(times: "dict[str, int | None]", columns: int) -> list[Line]:
    """From the last voiced sample: until the turn was known to be over, the first delta, the first sample; none if the last is not known.

    A sign is 50 ms, or more where there is no room for so many.
    """
    sound_ms = times["sound_ms"]
    if sound_ms is None:
        return []
    steps = (("turn", TURN, times["turn_ms"]), ("delta", DELTA, times["delta_ms"]), ("sound", SOUND, sound_ms))
    before = " " * LABEL if columns >= NARROW else ""
    named: Line = []
    for style, _, ms in steps:
        named += [] if ms is None else [("", "  "), (style, f"{style} {ms}")]
    named.append(("dim", " ms"))
    room = columns - len(before)
    if room - sum(width(text) for _, text in named) < LEAST_BAR:
        named = [("dim", f" {sound_ms} ms")]
    most = max(1, min(LONGEST_BAR, room - sum(width(text) for _, text in named)))
    scale = max(MS_A_SIGN, sound_ms / most)
    bars: Line = []
    at = 0
    for style, sign, ms in steps:
        end = max(at, min(most, round(min(max(ms or 0, 0), sound_ms) / scale)))
        bars.append((style, sign * (end - at)))
        at = end
    return [[("", before), *bars, *named]]


def status_lines(view: View, columns: int, rows: int) -> list[Line]:
    """What stands above the typed line, in so many rows at most: live words, and how it stands."""
    if rows < 1:
        return []
    state = _state_lines(view, columns, 2 if rows >= 6 else 1)
    room = rows - len(state)
    live: list[Line] = []
    for behind, caption in enumerate(reversed(view.captions[-2:])):
        # The newest first: it may leave one row for the words before it.
        space = min(LIVE_ROWS, room - len(live) - (1 if behind == 0 and len(view.captions) > 1 and room > 2 else 0))
        live = [*(live_lines(caption, columns, space) if space > 0 else ()), *live]
    rule: list[Line] = [[("dim", RULE * min(columns, LONGEST_RULE))]] if room - len(live) >= 2 else []
    gap: list[Line] = [[]] if live and rule else []
    return [*rule, *live, *gap, *state]


def live_lines(caption: Caption, columns: int, rows: int) -> list[Line]:
    """The last words of somebody who speaks, in so many rows."""
    text = printable(caption.text).strip() + (" ..." if caption.partial and caption.who == "you" else "")
    # Only what may fit is folded: an answer may be long, and this is drawn several times a second.
    text = text if len(text) <= columns * rows else "... " + text[-columns * rows :].partition(" ")[2]
    lines = spoken(caption.who, text, columns)
    while len(lines) > rows:
        _, _, rest = text.removeprefix("... ").partition(" ")
        if not rest:
            return lines[-rows:]
        text = f"... {rest}"
        lines = spoken(caption.who, text, columns)
    return lines


def _state_lines(view: View, columns: int, rows: int) -> list[Line]:
    """The state, and as much beside it as there is room for: first what matters most."""
    lines: list[Line] = [[]]
    used = 0
    for piece in _pieces(view, columns):
        wide = sum(width(text) for _, text in piece)
        gap = 2 if used else 0
        if used + gap + wide > columns:
            if used == 0:
                return [[(style, cut(text, columns)) for style, text in piece[:1]]]
            if len(lines) == rows or wide > columns:
                continue
            lines.append([])
            used = gap = 0
        lines[-1] += [("", " " * gap), *piece] if gap else piece
        used += gap + wide
    return lines


def _pieces(view: View, columns: int) -> list[Line]:
    meters = view.meters
    pieces: list[Line] = [[(view.state, f"{SIGNS[view.state]} {view.state}".ljust(STATE if columns >= NARROW else 0))]]
    if meters.muted and view.state != "muted":
        pieces.append([("muted", f"{SIGNS['muted']} muted")])
    if meters.recording:
        pieces.append([("bad", f"{RECORDING} recording")])
    if meters.link != "up":
        pieces.append([("bad", f"link {meters.link}")])
    pieces.append([("dim", "mic "), ("you", bar(meters.microphone_dbfs))])
    pieces.append([("dim", "out "), ("voice", bar(meters.loudspeaker_dbfs))])
    if meters.half_duplex or meters.needed_ms == math.inf:
        pieces.append([("thinking", "half-duplex")])
    elif meters.erle_db is not None:
        pieces.append([("dim", f"echo -{max(0.0, meters.erle_db):.0f} dB")])
    if any(one.estimated for one in view.captions):
        pieces.append([("dim", "words estimated")])
    if meters.underruns:
        pieces.append([("thinking", f"{meters.underruns} underrun{'' if meters.underruns == 1 else 's'}")])
    if meters.needed_ms is not None and meters.needed_ms < math.inf:
        pieces.append([("dim", f"stops on {meters.needed_ms:.0f} ms of speech")])
    if meters.link == "up" and view.state != "starting":
        pieces.append([("dim", "link up")])
    if not meters.underruns and view.state != "starting":
        pieces.append([("dim", "0 underruns")])
    return pieces


def bar(level_dbfs: float | None) -> str:
    """A level as signs; empty for silence and for what is not known."""
    if level_dbfs is None:
        return EMPTY * BAR
    share = (level_dbfs - LEAST_DBFS) / (MOST_DBFS - LEAST_DBFS)
    full = min(BAR, max(0, math.ceil(share * BAR)))
    return FULL * full + EMPTY * (BAR - full)


def hint_line(view: View, columns: int) -> Line:
    """What the keys do while nothing is typed, as many of them as there is room for."""
    keys = [
        ("space", "talk"),
        ("m", "open" if view.meters.muted else "mute"),
        ("esc", "stop"),
        ("q", "quit"),
    ]
    line: Line = []
    used = 0
    for key, does in keys:
        wide = width(key) + 1 + width(does)
        if used + (2 if line else 0) + wide > columns:
            break
        line += [("dim", "  ")] if line else []
        used += (2 if used else 0) + wide
        line += [("", key), ("dim", f" {does}")]
    return line


def summary_line(summary: dict[str, object]) -> str:
    """The end of a conversation, for people."""
    turns, reconnects = int(str(summary["turns"])), int(str(summary["reconnects"]))
    said = f"{turns} turn{'' if turns == 1 else 's'}, {int(str(summary['audio_in_ms'])) / 1000:.1f} s of sound"
    return said + (f", {reconnects} reconnect{'' if reconnects == 1 else 's'}" if reconnects else "")
