"""Makes docs/talk.png, the picture of a conversation in the README: python -m tests.support.talk_picture

A real one: recordings of people's voices are the microphone, the local engine answers, somebody presses a key and types a line. It runs
in tmux; what stands there is made a page, cell by cell, and the page a picture by Chromium.
"""

import re
import sys
import tempfile
import time
from html import escape
from pathlib import Path

import numpy as np
import soundfile

from tests.support.tmux import Pane, in_tmux
from tests.support.wav import write_wav
from voice.audio.resample import resample
from voice.printing import width

ROOT = Path(__file__).resolve().parent.parent.parent
SPOKEN = (("time-slt.wav", 9.0), ("miles-kal16.wav", 10.0), ("help-espeak-22k.wav", 18.0), ("timer-slt.wav", 30.0))
"""Recordings, and the seconds of silence behind them."""
COLUMNS, ROWS = 88, 27
FORE, BACK = "#d7dae0", "#16191d"
COLOURS = ("#7a8290", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#d7dae0")
CODE = re.compile(r"\x1b\[([0-9;]*)m|\x1b[()][A-Z0-9]|([^\x1b])")
PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; background: {back}; }}
pre {{ margin: 0; padding: 18px 20px; font: 15px/1.4 "DejaVu Sans Mono", monospace; color: {fore}; width: max-content; }}
b, i {{ font-style: normal; }}
span {{ display: inline-block; height: 1.4em; vertical-align: top; text-align: center; font-family: "DejaVu Sans Mono", "Noto Sans Mono CJK KR", monospace; }}
</style><pre>{cells}</pre>"""


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        microphone(folder / "questions.wav")
        line = [sys.executable, "-m", "voice", "talk", "--input", "questions.wav", "--output", "null"]
        with in_tmux(folder, line, {"PYTHONPATH": str(ROOT)}, COLUMNS, ROWS) as pane:
            converse(pane)
            (folder / "page.html").write_text(page(pane.coloured), "utf-8")
        picture(folder / "page.html", ROOT / "docs" / "talk.png")


def microphone(path: Path) -> None:
    """The recordings, one behind the other, as one."""
    parts = [np.zeros(16_000, np.int16)]
    for name, silence_s in SPOKEN:
        samples, rate_hz = soundfile.read(ROOT / "fixtures" / "wav" / name, dtype="int16")
        parts += [resample(samples, rate_hz, 16_000), np.zeros(int(16_000 * silence_s), np.int16)]
    write_wav(path, np.concatenate(parts), 16_000)


def converse(pane: Pane) -> None:
    """Until somebody is in the middle of a sentence."""
    pane.shows("you:   what can you do", "speaking", within_s=90)
    time.sleep(2.5)
    pane.press("Escape")
    pane.shows("(interrupted at")
    pane.type("지금 몇 시야")
    time.sleep(0.5)
    pane.press("Enter")
    pane.shows("you:   set a timer for five minutes", "speaking", "voice: ", "words estimated", within_s=60)
    time.sleep(1.0)


def page(coloured: str) -> str:
    """What stands in the window as HTML: each cell as wide as it is in a terminal."""
    cells, style = [], ""
    for line in coloured.rstrip("\n").split("\n"):
        for codes, character in CODE.findall(line):
            if character:
                wide = "width:2ch" if width(character) == 2 else "width:1ch"
                cells.append(f'<span style="{wide};{style}">{escape(character)}</span>')
            else:
                style = styled(style, codes)
        cells.append("\n")
    return PAGE.format(back=BACK, fore=FORE, cells="".join(cells))


def styled(style: str, codes: str) -> str:
    """The style after these codes."""
    for code in (int(one or 0) for one in codes.split(";")):
        if code == 0:
            style = ""
        elif code == 1:
            style += "font-weight:bold;"
        elif code == 2:
            style += "opacity:0.6;"
        elif code == 39:
            style += f"color:{FORE};"
        elif 30 <= code <= 37:
            style += f"color:{COLOURS[code - 30]};"
        elif 90 <= code <= 97:
            style += f"color:{COLOURS[0] if code == 90 else COLOURS[code - 90]};"
    return style


def picture(source: Path, target: Path) -> None:
    """The page as a PNG, at twice the size for screens that have so many pixels."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        shown = browser.new_page(device_scale_factor=2)
        shown.goto(source.as_uri())
        shown.locator("pre").screenshot(path=str(target))
        browser.close()


if __name__ == "__main__":
    main()
