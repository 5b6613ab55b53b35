"""The storms can fail: each mistake that is put into a session, most of them once made, is found by the storm of every check."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.test_client_storm import SHAPES, ClientStorm
from tests.test_client_storm import test_no_event_can_be_so_wrong_that_it_raises as bear_every_event
from tests.test_server_storm import SHORT, ServerStorm
from voice.protocol import intake, server, turntaking
from voice.protocol.arbiter import Arbiter
from voice.protocol.conversation import Conversation
from voice.protocol.events import ErrorEvent, RateLimitsUpdated, ResponseDone
from voice.protocol.history import History
from voice.protocol.inbound import Inbound
from voice.protocol.ledger import Ledger
from voice.protocol.replies import Output, Replies
from voice.protocol.server import ServerSession

pytestmark = pytest.mark.slow

Breaks = Callable[[pytest.MonkeyPatch], None]
FAST = settings(SHORT, phases=[Phase.generate])


def delete_anything(patch: pytest.MonkeyPatch) -> None:
    def delete(self: Any, item_id: str) -> None:
        del self._entries[self.get(item_id).item.id]
        self._order.remove(item_id)

    patch.setattr(Conversation, "delete", delete)


def words_of_the_dead(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(server, "_written_down", lambda session, item_id: True)


def nameless_errors(patch: pytest.MonkeyPatch) -> None:
    error = server._error
    patch.setattr(server, "_error", lambda mistake, event_id: error(mistake, None))


def no_limits_told(patch: pytest.MonkeyPatch) -> None:
    _drop(patch, RateLimitsUpdated)


def no_end(patch: pytest.MonkeyPatch) -> None:
    _drop(patch, ResponseDone)


def _drop(patch: pytest.MonkeyPatch, kind: type) -> None:
    end = Replies.end

    def without(self: Replies, *given: Any) -> Iterator[Output]:
        yield from (output for output in end(self, *given) if not isinstance(output, kind))

    patch.setattr(Replies, "end", without)


def everything_at_the_front(patch: pytest.MonkeyPatch) -> None:
    add = Conversation.add
    patch.setattr(Conversation, "add", lambda self, *given, **more: add(self, *given, **more) and None)


def silent_refusals(patch: pytest.MonkeyPatch) -> None:
    put = ServerSession._put
    patch.setattr(ServerSession, "_put", lambda self, outputs: put(self, [one for one in outputs if not isinstance(one, ErrorEvent)]))


def nameless_calls(patch: pytest.MonkeyPatch) -> None:
    given = intake.given_item
    patch.setattr(intake, "given_item", lambda item, item_id, **more: given(item, item_id if item.type == "message" else "", **more))


def turns_that_nobody_ends(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(turntaking.TurnTaking, "_turn", lambda self, turn, silent=False: iter(()))


def old_items_go_in_silence(patch: pytest.MonkeyPatch) -> None:
    make_room = Conversation._make_room

    def silently(self: Conversation, *given: Any) -> None:
        make_room(self, *given)
        self.dropped.clear()

    patch.setattr(Conversation, "_make_room", silently)


@pytest.mark.parametrize(
    "breaks",
    [
        delete_anything,
        words_of_the_dead,
        nameless_errors,
        no_limits_told,
        no_end,
        everything_at_the_front,
        silent_refusals,
        nameless_calls,
        turns_that_nobody_ends,
        old_items_go_in_silence,
    ],
)
def test_a_mistake_of_the_server_is_found(breaks: Breaks, monkeypatch: pytest.MonkeyPatch) -> None:
    breaks(monkeypatch)
    with pytest.raises(Exception):  # noqa: B017 - whatever it is, there must be one
        run_state_machine_as_test(ServerStorm, settings=FAST)  # type: ignore[no-untyped-call]


def two_wishes_at_once(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Arbiter, "busy", property(lambda self: False))


def frames_counted_twice(patch: pytest.MonkeyPatch) -> None:
    commit = Ledger.commit

    def twice(self: Any, start_ms: int, end_ms: int) -> None:
        commit(self, start_ms, end_ms)
        self._counts["committed"] += 1

    patch.setattr(Ledger, "commit", twice)


def lines_twice(patch: pytest.MonkeyPatch) -> None:
    lines = History.__iter__
    patch.setattr(History, "__iter__", lambda self: iter([*lines(self)] * 2))


def trust_in_ids(patch: pytest.MonkeyPatch) -> None:
    notices = Inbound.notices

    def trusting(self: Inbound, event: Any) -> Any:
        if isinstance(event, ResponseDone):
            assert event.response.id.startswith("resp")  # type: ignore[union-attr]
        return notices(self, event)

    patch.setattr(Inbound, "notices", trusting)


@pytest.mark.parametrize("breaks", [two_wishes_at_once, frames_counted_twice, lines_twice, trust_in_ids])
def test_a_mistake_of_the_client_is_found(breaks: Breaks, monkeypatch: pytest.MonkeyPatch) -> None:
    breaks(monkeypatch)
    with pytest.raises(Exception):  # noqa: B017 - whatever it is, there must be one
        run_state_machine_as_test(ClientStorm, settings=FAST)  # type: ignore[no-untyped-call]
        for event in SHAPES.values():
            bear_every_event(event)
