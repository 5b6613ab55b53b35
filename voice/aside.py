"""What goes on beside a conversation at a microphone: it is written down, and it does not go on for ever.

`talk.py` tells every frame, line and key, and asks once a step. What is decided of time is pure (`policy/staying.py`); here it is done, told to
whoever reports, and said aloud.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from voice.devices.base import Frame
from voice.devices.recording import Recording
from voice.policy.staying import Act, Staying
from voice.protocol.aloud import ENDS_SOON, FAREWELL, MUTING, Aloud
from voice.protocol.captions import Caption
from voice.protocol.floor import Floor
from voice.report import Meters, Report


class Recorded:
    """A report whose turns are written down, too."""

    def __init__(self, report: Report, recording: Recording) -> None:
        self.live = report.live
        """See Report."""
        self._report = report
        self._recording = recording

    def result(self, line: dict[str, object]) -> None:
        """See Report."""
        self._recording.turn(line)
        self._report.result(line)

    def note(self, text: str) -> None:
        """See Report."""
        self._report.note(text)

    def state(self, state: str) -> None:
        """See Report."""
        self._report.state(state)

    def caption(self, who: str, text: str) -> None:
        """See Report."""
        self._report.caption(who, text)

    def saying(self, captions: tuple[Caption, ...]) -> None:
        """See Report."""
        self._report.saying(captions)

    def meters(self, meters: Meters) -> None:
        """See Report."""
        self._report.meters(replace(meters, recording=str(self._recording.folder) if self._recording.on else ""))


class Aside:
    """See the top of the file. `now` is monotonic seconds."""

    def __init__(
        self, report: Report, recording: Recording | None = None, staying: Staying | None = None, aloud: Aloud | None = None
    ) -> None:
        self._report = report
        self._recording = recording
        self._staying = staying or Staying()
        self._aloud = aloud
        self._to_say: Mapping[str, str] | None = None
        self._idle = False

    def heard(self, frame: Frame, withheld: str, private: bool) -> None:
        """A frame of the microphone, and what became of it: see `Recording.push`."""
        if self._recording is None:
            return
        self._recording.push(frame, withheld, private)
        if trouble := self._recording.trouble():
            self._report.note(trouble)

    def touched(self, now: float, floor: Floor) -> bool:
        """Somebody has typed, or pressed a key: a microphone that was muted because nobody spoke is open again, and whether it was so."""
        self._staying.touched(now)
        if not self._idle:
            return False
        self._idle = floor.muted = False
        self._report.note("the microphone is open again")
        return True

    def step(self, now: float, quiet: bool, floor: Floor, stop: Callable[[], None]) -> None:
        """Time has passed. `quiet`: nobody speaks, or is waited for, and nothing is played; `stop` stops what is played."""
        self._idle = self._idle and floor.muted
        if self._to_say is MUTING and not self._idle:
            self._to_say = None
        quiet = quiet and (self._aloud is None or self._aloud.quiet)
        match self._staying.step(now, quiet, floor.shut):
            case Act.MUTE:
                self._idle = floor.muted = True
                self._tell("nobody has spoken for a while: the microphone is muted, and nothing is sent; press Enter to go on", MUTING)
            case Act.WARN:
                self._tell(f"this conversation ends in {self._staying.left_s(now):.0f} s (--max-length)", ENDS_SOON)
            case Act.FAREWELL:
                # Nobody begins another turn now.
                floor.muted, self._idle = True, False
                self._tell("the time for this conversation is up", FAREWELL)
                if not quiet:
                    stop()
            case Act.END:
                floor.left = True
            case None:
                pass
        if self._to_say is not None and quiet and self._aloud is not None and self._aloud.say(self._to_say):
            if self._to_say is FAREWELL:
                self._staying.asked()
            self._to_say = None

    def _tell(self, note: str, words: Mapping[str, str]) -> None:
        """Written at once, spoken as soon as it can be."""
        self._report.note(note)
        self._to_say = words
