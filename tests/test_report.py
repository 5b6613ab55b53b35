"""What is reported: everything that shows a conversation takes all of it."""

import pytest

from tests.support.talking import Taken
from voice.commands.shown import JsonLines, PlainLines
from voice.protocol.captions import Caption
from voice.report import Meters, Report


@pytest.mark.parametrize("make", [JsonLines, PlainLines, Taken])
def test_what_changes_all_the_time_changes_no_line_that_a_program_reads(make: type[Report], capsys: pytest.CaptureFixture[str]) -> None:
    report = make()
    report.meters(Meters(microphone_dbfs=-20.0, link="lost", muted=True))
    report.saying((Caption(0, "voice", "Once upon", partial=True),))
    assert capsys.readouterr() == ("", "")


def test_meters_of_a_quiet_moment_claim_nothing() -> None:
    quiet = Meters()
    assert (quiet.microphone_dbfs, quiet.loudspeaker_dbfs, quiet.erle_db, quiet.needed_ms) == (None, None, None, None)
    assert not (quiet.half_duplex or quiet.recording or quiet.muted or quiet.underruns)
