"""One sentence when something comes or goes."""

import pytest

from voice.devices.changes import Have, Heard, changes
from voice.devices.watch import Trouble

PLUG = "plug it in, it is used as soon as it is there; meanwhile you can type"


@pytest.mark.parametrize(
    ("before", "now", "trouble", "said"),
    [
        (Have("a", "a"), Have("a", "a"), None, ""),
        (Have("a", "a"), Have("a", "a"), Trouble.STILL, "the microphone and the loudspeaker 'a' had stopped and were opened again"),
        (
            Have("a", "a"),
            Have("a", "a"),
            Trouble.SLEPT,
            "the microphone and the loudspeaker 'a' had slept with the machine and were opened again",
        ),
        (Have("a", "a"), Have(), Trouble.ENDED, f"the microphone and the loudspeaker 'a' have gone: {PLUG}"),
        (Have("a", "b"), Have("", "b"), None, f"the microphone 'a' has gone: {PLUG}"),
        (Have("a", "b"), Have("c", "b"), None, "the microphone 'a' has gone: 'c' is used now"),
        (Have("", "b", lost_microphone="a"), Have("a", "b"), None, "the microphone 'a' is back"),
        (Have("", "", "a", "a"), Have("a", "a"), None, "the microphone and the loudspeaker 'a' are back"),
        (Have("", "b", lost_microphone="a"), Have("c", "b"), None, "the microphone 'c' is used now"),
        (Have("", "b", lost_microphone="a"), Have("", "b"), None, ""),
        (Have("{is}", "b"), Have("{0}", "b"), None, "the microphone '{is}' has gone: '{0}' is used now"),
    ],
)
def test_what_is_said(before: Have, now: Have, trouble: Trouble | None, said: str) -> None:
    assert changes(before, now, True, True, trouble) == said


def test_what_is_not_wanted_is_not_spoken_of() -> None:
    assert changes(Have("", "a"), Have("", "a"), False, True, Trouble.LATE) == "the loudspeaker 'a' came far too late and was opened again"
    assert changes(Have("a", ""), Have("", ""), True, False, None) == f"the microphone 'a' has gone: {PLUG}"


def test_what_was_lost_is_remembered_until_it_is_back() -> None:
    have = Have("a", "b").then(Have("", "b"))
    assert have == Have("", "b", "a", "")
    assert have.then(Have("", "b")).lost_microphone == "a"
    assert have.then(Have("c", "b")) == Have("c", "b")


def test_a_microphone_that_hears_nobody_is_spoken_of_once() -> None:
    heard = Heard()
    assert not heard.look("a", False, False)
    (said,) = heard.look("a", True, False)
    assert said.startswith("the microphone 'a' hears what we play and nothing else")
    assert not heard.look("a", True, False)
    assert heard.look("a", False, True) == [
        "the microphone 'a' hears the room again",
        "the microphone 'a' gives nothing but silence: is it muted?",
    ]
    assert not heard.look("a", False, True) and not heard.look("a", False, False) and not heard.look("a", False, True)
    assert len(heard.look("a", True, False)) == 1, "again"
