"""`voice talk`: a conversation at a microphone and a loudspeaker.

Sound goes up as the microphone gives it and comes back through the playback buffer. Whoever speaks stops the reply: the loudspeaker
falls silent, and the server is told how much of it was really heard. The devices outlive the session's links: a reconnect
restarts neither.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

from voice.aside import Aside
from voice.audio.turns import TurnSettings
from voice.devices.base import Loudspeaker, Microphone
from voice.devices.typed import Key
from voice.errors import MissingError, ProtocolError
from voice.interrupting import Interruptions
from voice.protocol.events import ItemAdded
from voice.protocol.floor import Floor, State
from voice.protocol.notices import (
    ErrorReported,
    LinkLost,
    LinkRestored,
    Notice,
    Other,
    ReplyAudio,
    ReplyBegan,
    ReplyEnded,
    ReplyLost,
    ReplyText,
    SessionEnded,
    SessionReady,
    SpeechBegan,
    SpeechEnded,
    UserText,
)
from voice.protocol.objects import Item
from voice.protocol.played import Played
from voice.protocol.turnlog import STILL_S, TAIL_MS, Turn, TurnLog, summary_json
from voice.report import Report
from voice.session import Session
from voice.telling import Teller
from voice.trusting import Trust

STEP_S = 0.02
"""How often the state is looked at: one frame."""
LEAST_MS = 100
"""Less cannot be committed as a turn."""


@dataclass(frozen=True, slots=True)
class TalkOptions:
    """How to talk."""

    turns: str = "server"
    """Who ends a turn: server or client."""
    push_to_talk: bool = False
    """An empty line opens the microphone, the next one ends the turn."""
    half_duplex: bool = False
    """The microphone is shut while something is played, whatever is known of the echo."""
    headphones: bool = False
    """The microphone cannot hear the loudspeaker."""


class Talk:
    """One conversation; see the top of the file."""

    def __init__(
        self,
        options: TalkOptions,
        session: Session,
        microphone: Microphone,
        speaker: Loudspeaker,
        report: Report,
        aside: Aside | None = None,
    ) -> None:
        self._options = options
        self._session = session
        self._microphone = microphone
        self._speaker = speaker
        self._report = report
        self._log = TurnLog()
        self._floor = Floor(options.half_duplex, options.push_to_talk)
        self._played = Played()
        self._teller = Teller(self._log, self._played, self._floor, session, speaker, microphone, report)
        self._typed: deque[str] = deque()
        trust = Trust(microphone, self._floor, report.note, options.half_duplex, options.headphones or options.push_to_talk)
        self._interruptions = Interruptions(session, speaker, self._log, self._played, self._floor, trust)
        self._aside = aside or Aside(report)

    async def run(self, lines: AsyncIterator[str], keys: AsyncIterator[Key] | None = None) -> bool:
        """Talk until the session ends, the user ends it, or the microphone's file ends and is answered. False if the session ended first."""
        ready = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._listen(ready), name="talk listener")]
                await _within(ready, STILL_S)
                tasks.append(group.create_task(self._hear(), name="microphone"))
                tasks.append(group.create_task(self._read(lines), name="typed lines"))
                if keys is not None:
                    # Not in one row with the lines: a message may have to wait, a key never.
                    tasks.append(group.create_task(self._obey_keys(keys), name="keys"))
                await self._watch()
                for task in tasks:
                    task.cancel()
        finally:
            # Also after Ctrl-C, and when a device has gone: what was said is told.
            self._speaker.stop()
            self._log.close()
            self._teller.tell(time.monotonic(), final=True)
            self._report.result(summary_json(self._log, self._session.stats, self._teller.ended_ms(self._session.position_ms)))
        return not self._floor.ended

    async def _watch(self) -> None:
        """Show the state and the turns until nothing more is to come."""
        shown: State | None = None
        while True:
            now, playing = time.monotonic(), self._speaker.busy
            state = self._floor.step(now, playing, self._waiting())
            if state is not shown:
                shown = state
                self._report.state(state.value)
            self._teller.tell(now)
            if self._speaker.stranded:
                self._interruptions.stop()
            settled = state in (State.LISTENING, State.MUTED) and not self._floor.pressed
            self._aside.step(now, settled, self._floor, self._interruptions.stop)
            if self._floor.ended or self._floor.left:
                return
            if state in (State.LISTENING, State.MUTED) and self._said_all():
                if not self._floor.pressed:
                    return
                self._press()
            await asyncio.sleep(STEP_S)

    def _waiting(self) -> bool:
        """An answer is to come that nobody has stopped."""
        return bool(self._typed) or self._interruptions.answering

    def _said_all(self) -> bool:
        """The file is at its end, and the server has had the time to notice a turn in it."""
        window_ms = TurnSettings().silence_duration_ms + TAIL_MS
        return self._microphone.ended and self._session.position_ms >= self._teller.ended_ms(self._session.position_ms) + window_ms

    async def _hear(self) -> None:
        """The microphone: what may be heard goes up."""
        async for frame in self._microphone.frames():
            now = time.monotonic()
            # What is fetched now was in the air a little earlier: the floor as it was then decides.
            was_open = self._interruptions.may_hear(now - self._microphone.latency_s)
            withheld = "stale" if frame.stale else "bound" if frame.dropped else "" if was_open else "muted"
            heard = self._session.push_audio(frame.samples, withheld)
            self._aside.heard(frame, withheld, self._floor.shut)
            self._teller.fetched(frame, withheld, self._session.position_ms, now)
            for notice in heard:
                if self._options.turns == "client":
                    self._log.see(notice, now)
                self._interruptions.heard(notice)
            self._interruptions.frame(frame.samples, now)

    async def _read(self, lines: AsyncIterator[str]) -> None:
        """Typed lines: words are a message; an empty one stops the reply, or is the key of push-to-talk."""
        async for line in lines:
            text = "".join(character for character in line if character.isprintable()).strip()
            woken = self._aside.touched(time.monotonic(), self._floor)
            if text:
                await self._say(text)
            elif woken:
                continue
            elif self._options.push_to_talk:
                self._press()
            else:
                self._interruptions.stop()

    async def _obey_keys(self, keys: AsyncIterator[Key]) -> None:
        async for key in keys:
            if key is not Key.MUTE:
                self._aside.touched(time.monotonic(), self._floor)
            match key:
                case Key.TALK:
                    was_muted, self._floor.muted = self._floor.muted, False
                    if not self._options.push_to_talk:
                        self._interruptions.stop()
                    elif not (was_muted and self._floor.pressed):
                        self._press()
                case Key.MUTE:
                    self._floor.muted = not self._floor.muted
                case Key.STOP:
                    self._interruptions.stop()
                case Key.END:
                    self._floor.left = True

    async def _say(self, text: str) -> None:
        """Send it, or wait with it (and with all that is typed behind it) while too many messages are not answered."""
        told = False
        while True:
            self._typed.append(text)
            try:
                return await self._session.say(text)
            except ProtocolError:
                self._typed.pop()
                if not told:
                    self._report.note("many messages wait for an answer: this one is sent when there is room")
                    told = True
                await asyncio.sleep(STEP_S)

    def _press(self) -> None:
        """The key goes down or up."""
        now, position_ms = time.monotonic(), self._session.position_ms
        self._floor.pressed = not self._floor.pressed
        if self._floor.pressed:
            self._floor.pressed_ms = position_ms
            self._interruptions.stop()
        elif position_ms - self._floor.pressed_ms < LEAST_MS:
            self._report.note("that was too short: press Enter, speak, then press it again")
        else:
            self._log.see(SpeechBegan(self._floor.pressed_ms, local=True), now)
            self._log.see(SpeechEnded(position_ms, local=True), now)
            self._session.commit()

    async def _listen(self, ready: asyncio.Event) -> None:
        """The server's events."""
        async for notice in self._session:
            now = time.monotonic()
            turn = self._log.see(notice, now)
            self._teller.see(notice, now)
            self._obey(notice)
            self._interruptions.took(notice, now)
            self._tell_people(notice, turn)
            if isinstance(notice, SessionReady | ErrorReported | SessionEnded):
                ready.set()

    def _obey(self, notice: Notice) -> None:
        """What an event does to the loudspeaker, the floor and the turns."""
        match notice:
            case ReplyBegan():
                self._played.begin(notice.response_id)
            case ReplyAudio() if self._played.wants(notice):
                self._speaker.play(notice.item_id, notice.samples, notice.rate_hz)
            case ReplyEnded() | ReplyLost():
                for item_id in self._played.end(notice.response_id):
                    self._speaker.end(item_id)
            case LinkLost():
                self._floor.linked = False
            case LinkRestored():
                self._floor.linked = True
            case SessionEnded():
                self._floor.ended = True
            case Other(event=ItemAdded(item=item)) if self._typed and _text(item) == self._typed[0]:
                self._log.typed(item.id if isinstance(item.id, str) else "", self._typed.popleft())
            case _:
                pass

    def _tell_people(self, notice: Notice, turn: Turn | None) -> None:
        match notice:
            case UserText(final=True) if notice.text:
                self._report.caption("you", notice.text)
            case ReplyText(final=True):
                self._report.caption("voice", notice.text)
            case ReplyEnded(status="failed"):
                self._report.note(f"no answer: {notice.reason or 'the server does not say why'}")
            case ErrorReported():
                self._report.note(f"{notice.code}: {notice.message}")
            case LinkLost():
                self._report.note(f"the link is gone ({_why(notice.close_code, notice.reason)}); next try in {notice.retry_in_s:.1f} s")
            case LinkRestored(planned=False):
                self._report.note("the link is back")
            case SessionEnded():
                self._report.note(f"the session ended ({_why(notice.close_code, notice.reason)})")
            case _:
                pass


async def _within(ready: asyncio.Event, limit_s: float) -> None:
    """Raises: MissingError if the server takes longer."""
    try:
        async with asyncio.timeout(limit_s):
            await ready.wait()
    except TimeoutError as exc:
        raise MissingError(f"the server has taken the connection and says nothing ({limit_s:.0f} s): try again, or another one") from exc


def _text(item: Item) -> str | None:
    """A typed message's words; None if it is none."""
    contents: Iterable[object] = item.content if isinstance(item.content, list) else ()
    texts = [getattr(content, "text", None) for content in contents if getattr(content, "type", "") == "input_text"]
    return texts[0] if item.role == "user" and len(texts) == 1 and isinstance(texts[0], str) else None


def _why(close_code: int, reason: str) -> str:
    return f"{close_code} {reason}".rstrip()
