"""Whatever is said, decided, answered and interrupted in whatever order: each turn is answered once or taken back, and both sides agree."""

import random

import pytest

from tests.support.pair import Pair
from tests.support.signals import tone
from tests.test_deciding import TURN, of, texts, wanted
from voice.protocol.notices import ErrorReported, ReplyAudio, ReplyBegan, TurnCommitted

STEPS = 60


class Storm:
    """A client, its server, and the turns that are not decided."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.pair = Pair(wanted())
        self.asked = self.typed = 0
        self.decided: set[str] = set()
        self.written: set[str] = set()

    @property
    def undecided(self) -> list[str]:
        """Those that are items of the server's, and were neither answered nor taken back."""
        return [notice.item_id for notice in of(TurnCommitted, self.pair.notices) if notice.item_id not in self.decided]

    def play(self) -> None:
        for _ in range(STEPS):
            self.dice.choice([self.speak, self.decide, self.words, self.more, self.more, self.end, self.interrupt, self.type])()
        while self.undecided:
            self.decide()
        while self.active:
            self.end()

    def speak(self) -> None:
        self.pair.push(TURN)

    def decide(self) -> None:
        for item_id in self.undecided[:1]:
            self.decided.add(item_id)
            if self.dice.random() < 0.5:
                self.asked += 1
                self.pair.client.deciding.respond(item_id)
            else:
                self.pair.client.deciding.delete(item_id)
            self.pair.run()

    def words(self) -> None:
        for item_id in [item_id for item_id in self.undecided if item_id not in self.written][-1:]:
            self.written.add(item_id)
            self.pair.server.session.transcribed(item_id, "hello", 400)
            self.pair.deliver(self.pair.server.take())

    @property
    def active(self) -> bool:
        return self.pair.client.arbiter.busy

    def more(self) -> None:
        if self.active:
            self.pair.deliver(self.pair.server.say("Well, now. ", tone(200, rate_hz=24_000)))

    def end(self) -> None:
        if self.active:
            self.pair.deliver(self.pair.server.end())

    def interrupt(self) -> None:
        played = of(ReplyAudio, self.pair.notices)[-1:]
        self.pair.client.interrupt(played[0].item_id if played else None, self.dice.choice([0, 40, 10_000]))
        self.pair.run()

    def type(self) -> None:
        self.typed += 1
        self.pair.client.say(f"line {self.typed}")
        self.pair.run()


@pytest.mark.parametrize("seed", range(12))
def test_each_turn_is_answered_once_or_not_at_all(seed: int) -> None:
    storm = Storm(seed)
    storm.play()
    assert of(ErrorReported, storm.pair.notices) == []
    assert len(of(ReplyBegan, storm.pair.notices)) == len(storm.pair.server.wanted()) == storm.asked + storm.typed
    here, there = texts(storm.pair)
    assert here == there
    storm.pair.server.order.complete()
