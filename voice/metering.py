"""The meters of `voice talk`: levels, echo, the playback buffer, the link; ten times a second at most, and only if somebody looks."""

from voice.audio.pcm import SILENT_DBFS, dbfs
from voice.devices.base import Frame, Loudspeaker, Microphone
from voice.protocol.floor import Floor
from voice.report import Meters, Report

EVERY_S = 0.1


class Metering:
    """Collects what a `Report` is shown of the moment."""

    def __init__(self, floor: Floor, microphone: Microphone, speaker: Loudspeaker, report: Report) -> None:
        self._floor = floor
        self._microphone = microphone
        self._speaker = speaker
        self._report = report
        self._microphone_dbfs = SILENT_DBFS
        self._next_s = 0.0

    def hear(self, frame: Frame, withheld: bool) -> None:
        """A frame of the microphone; `withheld`: nobody is to hear it."""
        if not withheld:
            self._microphone_dbfs = max(self._microphone_dbfs, dbfs(frame.samples))

    def due(self, now: float) -> bool:
        """Whether it is time to show them again; if so the next time is later."""
        if now < self._next_s:
            return False
        self._next_s = now + EVERY_S
        return True

    def show(self) -> None:
        """Report how it stands."""
        stats, echo = self._speaker.stats, self._microphone.echo
        known = echo is not None and echo.settled and (echo.erle_db > 0 or echo.level_db > SILENT_DBFS)
        self._report.meters(
            Meters(
                microphone_dbfs=self._microphone_dbfs,
                # The last block of a reply, or of a device that has gone, is not heard any more.
                loudspeaker_dbfs=dbfs(self._speaker.last) if self._speaker.busy else SILENT_DBFS,
                erle_db=echo.erle_db if echo is not None and known else None,
                half_duplex=self._floor.half_duplex,
                needed_ms=self._floor.needed_ms,
                underruns=stats.underruns,
                buffered_ms=stats.buffered_ms,
                link="up" if self._floor.linked else "lost",
                muted=self._floor.muted,
                talking=self._floor.pressed,
            )
        )
        self._microphone_dbfs = SILENT_DBFS
