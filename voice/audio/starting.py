"""When the next item of a reply begins to sound, or goes on after it ran dry: for `jitter.py`, whose top tells the story."""

from voice.audio.arrivals import SECOND_US, SLOW_SPEED, Needs, Past
from voice.audio.pcm import samples_in
from voice.audio.playing import Item, State
from voice.audio.tuning import JitterSettings


class Starting:
    """Knows what past replies needed."""

    def __init__(self, settings: JitterSettings, rate_hz: int) -> None:
        """`rate_hz`: of the items' samples."""
        self._settings = settings
        self._rate_hz = rate_hz
        self.past = Past(settings.quantile_percent, settings.decay_percent)

    def end(self, item: Item) -> None:
        """The item is complete, or is not wanted any more: what its arrivals have shown is learned, once."""
        if item.ended:
            return
        item.ended = True
        speed = item.arrivals.speed()
        if speed is not None and item.arrivals.received >= samples_in(self._settings.learn_ms, self._rate_hz):
            self.past.add(Needs(item.arrivals.needed_us, speed))

    def may_start(self, item: Item, count: int, now_us: int) -> bool:
        """Whether an item that has samples should sound, for a device that takes `count` at a time."""
        if item.ended or now_us - item.arrivals.last_us >= self._settings.most_wait_ms * 1000:
            return True
        if item.state is State.DRY:
            return item.left >= max(count, samples_in(self._settings.resume_ms, self._rate_hz))
        speed = self.past.speed
        if speed is None:
            speed = item.arrivals.speed()
        least_ms, wait_us = 0, min(self.past.likely_us, self._settings.most_wait_ms * 1000)
        if speed is not None and speed < SLOW_SPEED:
            least_ms = self._settings.slow_wait_ms
            wait_us = max(least_ms * 1000, wait_us * self._settings.slow_wait_percent // 100)
        if item.left < max(count, samples_in(least_ms, self._rate_hz)):
            return False
        ahead_us = item.left * SECOND_US // self._rate_hz
        return item.arrivals.age_us(now_us) >= wait_us or ahead_us >= wait_us * self._settings.ahead_percent // 100
