"""The sound card of a conversation, whatever becomes of it: pulled out, plugged in, frozen, asleep.

What is seen and what is done about it is a table (`watch.py`); here it is seen, and done.

Everything that PortAudio is asked happens on threads (`blocking.py`), one thing after the other: a frozen sound server lets it wait, and
the conversation goes on by keyboard meanwhile. A stream that cannot be closed is left behind.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from voice.devices.behind import Names
from voice.devices.blocking import aside, in_thread
from voice.devices.changes import Have, Heard, changes
from voice.devices.choice import again, cannot_open, choose
from voice.devices.clocks import always_s, waking_s
from voice.devices.ends import CardMicrophone, CardSpeaker
from voice.devices.portaudio import INSTEAD, Device, devices, leave, library
from voice.devices.sound import Line, Opener, pair
from voice.devices.watch import WATCH_S, LineWatch, Plan, Step, Trouble
from voice.errors import MissingError
from voice.policy.sleep import SleepWatch

log = logging.getLogger(__name__)

T = TypeVar("T")

OPEN_S, CLOSE_S = 15.0, 2.0
NO_ANSWER = f"the sound system does not answer: is its server running? {INSTEAD}"
STILL_NO_ANSWER = "the sound system does not answer: it is taken up again as soon as it does; meanwhile you can type"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a card is to have."""

    listen: bool
    speak: bool
    microphone: str | None = None
    """Its number, name or a part of the name; None: the default one."""
    loudspeaker: str | None = None

    def found(self, among: tuple[Device, ...], listening: bool) -> Device | None:
        """The microphone, or the loudspeaker, if one is wanted. Raises: MissingError if it is not there."""
        if not (self.listen if listening else self.speak):
            return None
        return choose(among, self.microphone if listening else self.loudspeaker, listening)

    def again(self, among: tuple[Device, ...], known: Device | None, listening: bool) -> Device | None:
        """The same later: the known one, if it was named, else the default one, which may be another; None if it is not there."""
        if known is not None and (self.microphone if listening else self.loudspeaker) is not None:
            return again(among, known, listening)
        try:
            return self.found(among, listening)
        except MissingError:
            return None


class Card:
    """Open devices: `microphone` and `loudspeaker`, None for what is not wanted. The two stay the same; see the top of the file."""

    def __init__(self, sound: Any, wanted: Wanted, note: Callable[[str], None]) -> None:
        self.microphone = CardMicrophone() if wanted.listen else None
        self.loudspeaker: CardSpeaker | None = None
        self.names = Names(note)
        """Of what is behind them."""
        self._wanted = wanted
        self._note = note
        self._opener = Opener(sound, asyncio.get_running_loop())
        self._lines: list[tuple[Line, LineWatch]] = []
        self._have = Have()
        self._known: tuple[Device | None, Device | None] = (None, None)
        self._plan = Plan()
        self._sleep = SleepWatch()
        self._heard = Heard()

    async def begin(self, found: tuple[Device, ...]) -> None:
        """Open what is wanted of these. Raises: MissingError."""
        listen, speak = (self._wanted.found(found, listening) for listening in (True, False))
        self._known = (listen, speak)
        if speak is not None:
            self.loudspeaker = CardSpeaker(speak.name, speak.rate_hz)
        lines, failures = await in_thread(lambda: self._opener.open(listen, speak, self.loudspeaker), OPEN_S, NO_ANSWER)
        self._connect(lines)
        if failures:
            device, failure = failures[0]
            raise cannot_open(device, failure, listening=device is listen) from failure
        self._have = self._now()
        await self.names.learn(*self._known)

    async def watch(self) -> None:
        """See to it that there is sound, for ever. Raises: what a bug of ours in a callback raised."""
        trouble: Trouble | None = None
        while True:
            await asyncio.sleep(WATCH_S)
            # What was wrong once is mended, also if it is well again before its time has come.
            trouble = self._look() or trouble
            if self.microphone is not None:
                for said in self._heard.look(self.microphone.name, self.microphone.ours, self.microphone.shut):
                    self._note(said)
            if trouble is not None and self.microphone is not None:
                self.microphone.disconnect()
            have = self._now()
            missing = (self._wanted.listen and not have.microphone) + (self._wanted.speak and not have.loudspeaker)
            playing = self.loudspeaker is not None and self.loudspeaker.busy
            match self._plan.look(trouble is not None, len(self._lines), missing, playing):
                case Step.ALL:
                    await self._all_again(trouble)
                    trouble = None
                case Step.ALONE:
                    await self._alone()
                case Step.NONE:
                    await self._restart()

    async def close(self) -> None:
        """Silence, at once. A stream that cannot be closed is left behind: it plays and hears nothing any more."""
        lines, self._lines = self._lines, []
        for line, _ in lines:
            line.signs.live = False
        for line, _ in lines:
            try:
                await in_thread(line.close, CLOSE_S, "")
            except MissingError:
                log.warning("a sound stream could not be closed, and was left behind")
                leave()

    def _look(self) -> Trouble | None:
        """What is wrong now; on the way the loudspeaker learns how late it is."""
        if self._sleep.look(waking_s(), always_s()):
            return Trouble.SLEPT
        found: Trouble | None = None
        for line, watch in self._lines:
            if line.signs.failure is not None:
                raise line.signs.failure
            found = found or watch.look(line.stumble.calls, line.signs.ended, line.signs.late_s)
            if line.player is not None:
                line.player.late_by(line.out_s)
        return found

    async def _all_again(self, trouble: Trouble | None) -> None:
        """Close everything, look what there is, and open what is wanted of it; say what has changed."""
        self._disconnect()
        await self.close()
        found = await self._patiently(_there)
        listen, speak = (self._wanted.again(found, known, listening) for known, listening in zip(self._known, (True, False), strict=True))
        self._known = (listen or self._known[0], speak or self._known[1])
        lines, failures = await self._patiently(lambda: self._opener.open(listen, speak, self.loudspeaker))
        for device, failure in failures:
            log.info("%s cannot be opened: %s", device.name, failure)
        self._connect(lines)
        self._plan.opened()
        if self._tell(trouble):
            await self.names.learn(*self._known)

    async def _restart(self) -> None:
        """Start the streams again that have stumbled."""
        for line, _ in self._lines:
            if line.stumble.down and not line.signs.ended:
                log.info("a sound stream had stumbled, and was started again")
                await self._patiently(partial(self._opener.restart, line))

    async def _alone(self) -> None:
        """Try to open what is missing beside what runs, as it was known last."""
        have = self._now()
        listen = None if have.microphone or not self._wanted.listen else self._known[0]
        speak = None if have.loudspeaker or not self._wanted.speak else self._known[1]
        lines, _ = await self._patiently(lambda: self._opener.open(listen, speak, self.loudspeaker))
        self._connect(lines)
        self._tell(None)

    def _connect(self, lines: list[Line]) -> None:
        """These streams run: the microphone and the loudspeaker are theirs."""
        self._lines += [(line, LineWatch()) for line in lines]
        pair([line for line, _ in self._lines])
        for line in lines:
            listen, speak = line.setting.listen, line.setting.speak
            if self.microphone is not None and listen is not None and line.capture is not None:
                self.microphone.connect(listen.name, line.capture, line.latency_s[0])
            if line.player is not None and speak is not None:
                line.player.name, line.player.there = speak.name, True
                line.player.late_by(line.out_s)

    def _disconnect(self) -> None:
        if self.microphone is not None:
            self.microphone.disconnect()
        if self.loudspeaker is not None:
            self.loudspeaker.there = False

    def _now(self) -> Have:
        """The names of what there is."""
        microphone, loudspeaker = self.microphone, self.loudspeaker
        return Have(
            microphone.name if microphone is not None and microphone.there else "",
            loudspeaker.name if loudspeaker is not None and loudspeaker.there else "",
        )

    def _tell(self, trouble: Trouble | None) -> bool:
        """One sentence, if there is anything to say; whether there is another microphone or loudspeaker."""
        have = self._now()
        said = changes(self._have, have, self._wanted.listen, self._wanted.speak, trouble)
        others = (have.microphone, have.loudspeaker) != (self._have.microphone, self._have.loudspeaker)
        self._have = self._have.then(have)
        if said:
            log.info("%s", said)
            self._note(said)
        return others

    async def _patiently(self, work: Callable[[], T]) -> T:
        """Work that the sound system may let wait: said once, and waited for: nothing else can be asked of it meanwhile."""
        done = aside(work)
        try:
            async with asyncio.timeout(CLOSE_S):
                await asyncio.shield(done)
        except TimeoutError:
            self._note(STILL_NO_ANSWER)
            leave()
        return await done


def _there() -> tuple[Device, ...]:
    """What there is now; nothing if that cannot be told."""
    try:
        return devices(fresh=True)
    except MissingError as exc:
        log.info("no devices: %s", exc)
        return ()


@asynccontextmanager
async def open_card(wanted: Wanted, found: tuple[Device, ...], note: Callable[[str], None]) -> AsyncIterator[Card]:
    """The devices that are wanted of those that were found, while the block runs; `note` is told what becomes of them.

    Raises: MissingError if one is not there, or cannot be opened.
    """
    card = Card(library(), wanted, note)
    failure: BaseException | None = None
    try:
        await card.begin(found)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(card.watch(), name="sound card"), group.create_task(card.names.follow(), name="sound names")]
            try:
                yield card
            except BaseException as exc:
                # Raised again below: the group would wrap it. If it is the cancelling after a bug in a callback, the group raises that.
                failure = exc
            for task in tasks:
                task.cancel()
        if failure is not None:
            raise failure
    finally:
        await card.close()
