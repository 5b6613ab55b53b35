"""Every notice is really given: what a program may match on is what comes."""

import typing

from tests.support.pair import Pair
from voice.protocol.notices import LinkLost, LinkRestored, MoveDue, Notice, SessionEnded, ToolEnded, ToolStarted
from voice.protocol.objects import Audio, AudioInput, Session, Transcription, TurnDetection


def test_each_is_given_by_a_session_but_the_end_of_the_link() -> None:
    pair = Pair(Session(audio=Audio(AudioInput(transcription=Transcription(), turn_detection=TurnDetection()))))
    pair.push("." * 25 + "#" * 20 + "." * 30)
    pair.server.session.transcribed(pair.server.wanted()[-1].heard_item or "", "Hi", 900)
    pair.reply()
    pair.deliver(pair.server.send("conversation.item.delete", item_id="nobody"))
    pair.push("." * 25 + "#" * 20 + "." * 30)
    pair.notices += pair.client.connected()
    given = {type(notice) for notice in pair.notices}
    # Those of the link's own life are the keeper's (tests/test_keeper.py), and the life's (tests/test_life.py); those of functions are
    # in tests/test_errands.py and tests/test_functions.py.
    others = {SessionEnded, LinkLost, LinkRestored, MoveDue, ToolStarted, ToolEnded}
    assert given == set(typing.get_args(Notice)) - others
