"""Every order that an engine must obey is really given, in an order that an engine can follow."""

import typing

from tests.support.served import Served
from voice.protocol.orders import (
    Due,
    Hangup,
    ListenDropped,
    ListenEnded,
    ListenMore,
    ListenPaused,
    ListenStarted,
    Order,
    ReplyStopped,
    ReplyWanted,
    Wake,
)

TURN = "." * 25 + "#" * 20 + "." * 30


def test_each_is_given_and_no_turn_is_left_open() -> None:
    served = Served()
    served.hear(TURN)
    served.say("Well,")
    served.hear(TURN)
    served.reply()
    served.update(audio={"input": {"turn_detection": {"type": "semantic_vad"}}})
    served.hear(TURN)
    served.send("input_audio_buffer.commit")
    served.update(audio={"input": {"turn_detection": {"type": "server_vad"}}})
    served.hear(TURN[:40])
    served.send("input_audio_buffer.clear")
    served.session.wake_at = 1.0
    served.tick(1.0)
    served.update(audio={"input": {"turn_detection": None}})
    served.session.wake_at = 2.0
    served.tick(2.0)
    served.tick(5000.0)
    assert {type(order) for order in served.orders} == set(typing.get_args(Order))
    listening: set[str] = set()
    replying: set[str] = set()
    for order in served.orders:
        match order:
            case ListenStarted():
                assert not listening
                listening.add(order.item_id)
            case ListenMore():
                assert order.item_id in listening and len(order.samples)
            case ListenPaused():
                assert order.item_id in listening
            case ListenEnded() | ListenDropped():
                listening.remove(order.item_id)
            case ReplyWanted():
                replying.add(order.response_id)
            case ReplyStopped():
                assert order.response_id in replying
            case Wake() | Due() | Hangup():
                assert not listening
    assert not listening
