"""What goes on beside a conversation at a microphone: it is written down.

`talk.py` tells every frame, and asks once a step; whoever reports is told the rest.
"""

from dataclasses import replace

from voice.devices.base import Frame
from voice.devices.recording import Recording
from voice.protocol.captions import Caption
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
    """See the top of the file."""

    def __init__(self, report: Report, recording: Recording | None = None) -> None:
        self._report = report
        self._recording = recording

    def heard(self, frame: Frame, withheld: str, private: bool) -> None:
        """A frame of the microphone, and what became of it: see `Recording.push`."""
        if self._recording is None:
            return
        self._recording.push(frame, withheld, private)
        if trouble := self._recording.trouble():
            self._report.note(trouble)
