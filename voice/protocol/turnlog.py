"""The turns of a conversation as a table: who said what, when, and what came of it. Fed with notices, read by replay and talk.

A response belongs to the oldest turn that was committed and has none yet; one that no turn waits for (a timer) makes a turn of its own.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from voice.protocol.ledger import FrameCount
from voice.protocol.notices import (
    ErrorReported,
    LinkRestored,
    Notice,
    ReplyAudio,
    ReplyBegan,
    ReplyEnded,
    ReplyLost,
    ReplyText,
    SpeechBegan,
    SpeechEnded,
    TurnCommitted,
    TurnResent,
    UserText,
)

NO_REPLY = "no_reply"
STILL_S = 30.0
"""A turn about which nothing has come from the server for so long gets no reply any more."""
LATE_TEXT_S = 5.0
"""Transcripts may come so long after the reply."""
TAIL_MS = 1_000
"""Silence after a recording beyond the window that ends a turn: a detector slower than ours ends it too."""
MAX_EARLY = 64
"""Items whose words came before their turn: some servers write while the user still speaks."""


@dataclass(slots=True)
class Came:
    """When a turn's first news came, in monotonic seconds; None: not yet."""

    ended_at: float | None = None
    """That the turn is over."""
    delta_at: float | None = None
    """The first of the reply, words or sound."""
    audio_at: float | None = None
    """The first of the reply's sound."""


@dataclass(slots=True)
class Turn:
    """One turn. Times in ms of the session's sound; None: not known (yet)."""

    index: int
    item_id: str
    started_ms: int | None = None
    stopped_ms: int | None = None
    user_text: str = ""
    heard: bool = False
    """The user's text is final."""
    assistant_text: str = ""
    response_id: str | None = None
    status: str | None = None
    """completed, cancelled, incomplete, failed, no_reply; None while it is open."""
    reply_samples: int = 0
    reply_rate_hz: int = 24_000
    came: Came = field(default_factory=Came)

    @property
    def reply_ms(self) -> int:
        """Length of the reply's sound."""
        return self.reply_samples * 1000 // self.reply_rate_hz


class TurnLog:
    """See the top of the file."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self.errors: list[ErrorReported] = []
        self.reconnects = 0
        """How often a new link has taken over."""
        self._speech: tuple[int | None, int | None] = (None, None)
        self._by_response: dict[str, Turn] = {}
        self._early: dict[str, tuple[str, bool]] = {}
        self._doubtful: set[str] = set()

    @property
    def open_turns(self) -> list[Turn]:
        """Those that are not answered yet, and are to be."""
        return [turn for turn in self.turns if self._waits(turn)]

    @property
    def early(self) -> list[str]:
        """The words so far of speech that has not become a turn yet."""
        return [text for text, _ in self._early.values()]

    def see(self, notice: Notice, now: float) -> Turn | None:
        """Take a notice; returns the turn that it changed, if any."""
        match notice:
            case SpeechBegan():
                self._speech = (notice.at_ms, None)
            case SpeechEnded():
                self._speech = (self._speech[0], notice.at_ms)
            case TurnCommitted():
                return self._commit(notice.item_id, now)
            case UserText():
                return self._user_text(notice)
            case ReplyBegan():
                return self._begin(notice.response_id)
            case ReplyText() | ReplyAudio() | ReplyEnded():
                return self._reply(notice, now)
            case TurnResent():
                self.turns = [turn for turn in self.turns if turn.item_id != notice.item_id or turn.status is not None]
            case ReplyLost():
                return self._lost(notice)
            case LinkRestored():
                self.reconnects += 1
            case ErrorReported():
                self.errors.append(notice)
            case _:
                pass
        return None

    def close(self, status: str = NO_REPLY) -> None:
        """Nothing more comes: the turns that are open end with this status, and those in doubt were none."""
        self._keep(lambda turn: turn.item_id not in self._doubtful)
        self._doubtful.clear()
        for turn in self.open_turns:
            turn.status = status

    def typed(self, item_id: str, text: str) -> Turn:
        """A typed message has come into the conversation; the next response is its answer."""
        self.turns.append(Turn(len(self.turns), item_id, user_text=text, heard=True))
        return self.turns[-1]

    def doubt(self, item_id: str, doubtful: bool) -> None:
        """Whether it is uncertain that this was a turn: then no response is its answer, and it may be taken back."""
        (self._doubtful.add if doubtful else self._doubtful.discard)(item_id)

    def take_back(self, item_id: str) -> None:
        """This was no turn: nobody is to be told of it."""
        self._early.pop(item_id, None)
        self._doubtful.discard(item_id)
        self._keep(lambda turn: turn.item_id != item_id or turn.status is not None)

    def _waits(self, turn: Turn) -> bool:
        return turn.status is None and turn.item_id not in self._doubtful

    def _keep(self, wanted: Callable[[Turn], bool]) -> None:
        self.turns = [turn for turn in self.turns if wanted(turn)]
        for index, turn in enumerate(self.turns):
            turn.index = index

    def _commit(self, item_id: str, now: float) -> Turn:
        text, final = self._early.pop(item_id, ("", False))
        turn = Turn(len(self.turns), item_id, *self._speech, user_text=text, heard=final, came=Came(ended_at=now))
        self._speech = (None, None)
        self.turns.append(turn)
        return turn

    def _user_text(self, notice: UserText) -> Turn | None:
        turn = next((turn for turn in reversed(self.turns) if turn.item_id == notice.item_id), None)
        if turn is None:
            before, _ = self._early.get(notice.item_id, ("", False))
            self._early[notice.item_id] = (notice.text if notice.final else before + notice.text, notice.final)
            while len(self._early) > MAX_EARLY:
                del self._early[next(iter(self._early))]
            return None
        turn.user_text = notice.text if notice.final else turn.user_text + notice.text
        turn.heard = turn.heard or notice.final
        return turn

    def _lost(self, notice: ReplyLost) -> Turn | None:
        turn = self._by_response.pop(notice.response_id, None)
        if turn is not None and turn.status is None:
            turn.response_id = None if notice.again else turn.response_id
            turn.status = None if notice.again else "incomplete"
        return turn

    def _begin(self, response_id: str) -> Turn:
        turn = next((turn for turn in self.turns if turn.response_id is None and self._waits(turn)), None)
        if turn is None:
            turn = Turn(len(self.turns), "", heard=True)
            self.turns.append(turn)
        turn.response_id = response_id
        self._by_response[response_id] = turn
        return turn

    def _reply(self, notice: ReplyText | ReplyAudio | ReplyEnded, now: float) -> Turn | None:
        turn = self._by_response.get(notice.response_id)
        if turn is None and isinstance(notice, ReplyEnded) and notice.status == "failed":
            turn = self._begin(notice.response_id)  # a failure may come without a response.created before it
        if turn is None:
            return None
        if not isinstance(notice, ReplyEnded) and turn.came.delta_at is None:
            turn.came.delta_at = now
        match notice:
            case ReplyText():
                turn.assistant_text = notice.text if notice.final else turn.assistant_text + notice.text
            case ReplyAudio():
                turn.came.audio_at = now if turn.came.audio_at is None else turn.came.audio_at
                turn.reply_samples += notice.samples.size
                turn.reply_rate_hz = notice.rate_hz
            case ReplyEnded():
                turn.status = notice.status
        return turn


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a turn's sound came from."""

    file: str
    start_ms: int
    """The session's ms of the file's first sample."""


@dataclass(frozen=True, slots=True)
class Waterfall:
    """Where the time went between the user's last voiced sample and the answer, in ms from that sample; None: not known."""

    turn_ms: int | None = None
    """It was known that the turn is over."""
    delta_ms: int | None = None
    """The first of the reply came, words or sound."""
    sound_ms: int | None = None
    """The first sample of the reply was heard."""


def waterfall(turn: Turn, began_s: float | None, sound_at: float | None) -> Waterfall:
    """Of a turn. `began_s`: when the session's first sample was in the air (monotonic seconds, None: in no real time); `sound_at`: when the
    reply's first sample was heard."""
    if began_s is None or turn.stopped_ms is None:
        return Waterfall()
    spoken_s = began_s + turn.stopped_ms / 1000
    if sound_at is not None and turn.came.audio_at is not None:
        # A device counts from the beginning of its block, which may be some ms before what is in it came.
        sound_at = max(sound_at, turn.came.audio_at)
    return Waterfall(*(None if at is None else round((at - spoken_s) * 1000) for at in (turn.came.ended_at, turn.came.delta_at, sound_at)))


def turn_json(turn: Turn, origin: Origin, times: Waterfall) -> dict[str, object]:
    """A turn as `voice replay --json` and `voice talk --json` print it; times are ms from the file's first sample."""
    return {
        "event": "turn",
        "index": turn.index,
        "file": origin.file,
        "user_text": turn.user_text,
        "assistant_text": turn.assistant_text,
        "speech_started_ms": None if turn.started_ms is None else max(0, turn.started_ms - origin.start_ms),
        "speech_stopped_ms": None if turn.stopped_ms is None else turn.stopped_ms - origin.start_ms,
        "first_audio_ms": times.sound_ms,
        "waterfall": asdict(times),
        "reply_ms": turn.reply_ms,
        "status": turn.status or NO_REPLY,
    }


def summary_json(log: TurnLog, frames: FrameCount, audio_in_ms: int) -> dict[str, object]:
    """The last line of `voice replay --json` and `voice talk --json`."""
    return {
        "event": "summary",
        "turns": len(log.turns),
        "audio_in_ms": audio_in_ms,
        "audio_out_ms": sum(turn.reply_ms for turn in log.turns),
        "errors": [{"code": error.code, "message": error.message} for error in log.errors],
        "reconnects": log.reconnects,
        "frames_captured": frames.captured,
        "frames_committed": frames.committed,
        "frames_discarded": frames.discarded,
        "frames_lost": frames.lost,
    }
