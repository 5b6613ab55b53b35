"""What the server's events mean to the talking side: wire events in, notices out.

Late sound and words of an item that was cut are dropped here. Times become ms of our own count, without padding and silence window.
"""

from collections.abc import Callable, Iterator

import msgspec
from msgspec import UNSET

from voice.audio.pcm import empty, from_bytes
from voice.audio.turns import TurnSettings
from voice.protocol import events as wire
from voice.protocol.arbiter import UNNAMED, Arbiter
from voice.protocol.dead_air import language_of
from voice.protocol.foreign import ItemCreated
from voice.protocol.heard import MAX_REPLIES, Received
from voice.protocol.history import History
from voice.protocol.ledger import Ledger
from voice.protocol.notices import (
    ErrorReported,
    Notice,
    Other,
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
from voice.protocol.objects import (
    Audio,
    AudioFormat,
    AudioInput,
    AudioOutput,
    Response,
    Session,
    StatusDetails,
    Transcription,
    TurnDetection,
)
from voice.protocol.settings import PCM_RATE_HZ, rate_of, turn_settings
from voice.protocol.unheard import Unheard
from voice.protocol.unsettled import Loss, Unsettled


class Inbound:
    """See the top of the file. `to_local_ms` maps the server's count of sound to ours."""

    def __init__(self, arbiter: Arbiter, ledger: Ledger, to_local_ms: Callable[[int], int]) -> None:
        self.history = History()
        self.settings: Session | None = None
        """Those in effect, once the server has told them."""
        self._arbiter = arbiter
        self._ledger = ledger
        self._to_local_ms = to_local_ms
        self._turn: tuple[int, int] | None = None
        self._received = Received()
        self._cut: dict[str, str] = {}
        self._ended: dict[str, None] = {}
        self.unheard = Unheard()
        self._taken_back: dict[str, None] = {}
        self.unsettled = Unsettled()

    def broken(self, open_ms: int | None) -> tuple[Loss, list[Notice]]:
        """The link is gone: what it took along, and what the program is to know. `open_ms`: see `Unsettled.broken`."""
        loss = self.unsettled.broken(open_ms)
        self._turn = None
        self._ended.clear()
        self.unheard.clear()
        notices: list[Notice] = [TurnResent(item_id) for item_id in loss.turns]
        for item_id in loss.turns:
            self.history.forget(item_id)
        notices += [ReplyLost(response_id, again=not begun) for response_id, begun in loss.answers]
        for item_id, words in self._received.unfinished().items():
            if item_id not in self._cut:
                self.history.write(item_id, "assistant", words)
                self._received.words(item_id, words, final=True)
        for line in self.history:
            if line.role == "assistant" and line.status == "in_progress" and not line.text:
                # Nothing of it has come, and nothing will: another answer takes its place.
                self.history.forget(line.item_id)
        return loss, notices

    def take_back(self, item_id: str) -> None:
        """We delete a turn: what still comes of its words is dropped, and its sound is not sent again."""
        self._taken_back[item_id] = None
        if len(self._taken_back) > MAX_REPLIES:
            del self._taken_back[next(iter(self._taken_back))]
        self.unsettled.written(item_id)
        self.history.forget(item_id)

    def received_ms(self, item_id: str) -> int:
        """How much sound of a reply has come."""
        return self._received.sound_ms(item_id)

    def cut(self, item_id: str, heard_ms: int) -> bool:
        """So much of a reply was heard: what still comes of it is dropped; False if that was said before.

        Its words are cut as well as can be without word times; a server that knows them tells the words that are left.
        """
        if item_id in self._cut:
            return False
        if not self._received.text(item_id):
            # Some servers tell the words with the finished item alone.
            self._received.words(item_id, next((line.text for line in self.history if line.item_id == item_id), ""), final=True)
        self._keep(item_id, self._received.until(item_id, heard_ms), estimated=heard_ms > 0)
        return True

    def language(self) -> str:
        """The language of the conversation, as far as the settings or the letters tell; "" if it is not known."""
        writing = input_settings(self.settings).transcription
        named = writing.language if isinstance(writing, Transcription) else None
        said = next((line.text for line in reversed(list(self.history)) if line.role == "user" and line.text), "")
        return named if isinstance(named, str) and named else language_of(said)

    def heard_of(self, item_id: str) -> str:
        """The words of a reply that was cut that were heard."""
        return self._cut.get(item_id, "")

    def _keep(self, item_id: str, text: str, estimated: bool) -> None:
        self._cut[item_id] = text
        if len(self._cut) > MAX_REPLIES:
            del self._cut[next(iter(self._cut))]
        self.history.write(item_id, "assistant", text, estimated)

    def notices(self, event: wire.ServerEvent | wire.Unknown) -> Iterator[Notice]:
        """What an event of the server means; settings are the session's own affair."""
        match event:
            case wire.AudioDelta():
                yield from self._sound(event)
            case (
                wire.TextDelta(item_id=item_id)
                | wire.TranscriptDelta(item_id=item_id)
                | wire.TextDone(item_id=item_id)
                | wire.TranscriptDone(item_id=item_id)
            ) if item_id in self._cut:
                return
            case wire.TextDelta() | wire.TranscriptDelta():
                self.unsettled.begun(event.response_id)
                self._received.words(event.item_id, event.delta, final=False)
                yield ReplyText(event.response_id, event.item_id, event.delta, final=False)
            case wire.TextDone(text=text) | wire.TranscriptDone(transcript=text):
                self._received.words(event.item_id, text, final=True)
                self.history.write(event.item_id, "assistant", text)
                yield ReplyText(event.response_id, event.item_id, text, final=True)
            case wire.SpeechStarted() | wire.SpeechStopped() | wire.BufferCommitted():
                yield from self._speech(event)
            case wire.ResponseCreated() | wire.ResponseDone():
                yield from self._response(event)
            case wire.TranscriptionDelta() | wire.TranscriptionCompleted() | wire.TranscriptionFailed():
                yield self._user_text(event)
            case wire.ErrorEvent():
                self._arbiter.refused(event.error.event_id, event.error.code)
                yield ErrorReported(event.error.code or event.error.type, event.error.message, event.error.param, event.error.event_id)
            case wire.CallArgumentsDone():
                # The program may act on it now: an answer that has called is not asked for again.
                self.unsettled.begun(event.response_id)
                yield Other(event)
            case wire.ItemAdded() | wire.ItemDone() | ItemCreated():
                if isinstance(event.item.id, str) and event.item.id not in self._taken_back:
                    # The server's item holds all the words of an answer that was cut here: what was heard stays.
                    item = msgspec.structs.replace(event.item, content=[]) if event.item.id in self._cut else event.item
                    self.history.see(item, event.item.id, event.previous_item_id)
                    if isinstance(event, wire.ItemDone) and event.item.status == "completed":
                        self._received.finish(event.item.id)
                yield Other(event)
            case wire.BufferCleared():
                self._turn = None
                self.unsettled.cleared()
                yield Other(event)
            case wire.ItemTruncated():
                self._truncated(event)
                yield Other(event)
            case wire.ItemDeleted():
                self.history.forget(event.item_id)
                yield Other(event)
            case _:
                yield Other(event)

    def _truncated(self, event: wire.ItemTruncated) -> None:
        """The server cut an answer, for us or by itself; ours tells which words are left, others leave that to be guessed."""
        item_id = event.item_id
        if item_id not in self._received and item_id not in self.history:
            return
        if isinstance(event.transcript, str):
            self._keep(item_id, event.transcript, estimated=event.estimated is True)
        elif item_id not in self._cut:
            self.cut(item_id, event.audio_end_ms)

    def _sound(self, event: wire.AudioDelta) -> Iterator[Notice]:
        if event.item_id in self._cut:
            return
        if self.unheard.stopped(event.response_id) and not self.received_ms(event.item_id):
            self.unheard.add(event.item_id)
            self._keep(event.item_id, "", estimated=False)
            return
        try:
            samples = from_bytes(event.delta)
        except ValueError as exc:
            samples = empty()
            yield ErrorReported("unreadable_audio", f"the server sent audio that cannot be read: {exc}")
        self._received.sound(event.item_id, samples.size, output_rate(self.settings))
        if samples.size:
            self.unsettled.begun(event.response_id)
            yield ReplyAudio(event.response_id, event.item_id, samples, output_rate(self.settings))

    def _speech(self, event: wire.SpeechStarted | wire.SpeechStopped | wire.BufferCommitted) -> Iterator[Notice]:
        window = turns_of(self.settings)
        match event:
            case wire.SpeechStarted():
                start_ms = self._to_local_ms(event.audio_start_ms)
                self._turn = (start_ms, start_ms)
                self.unsettled.speech(start_ms)
                # The padding may reach across sound that was not sent.
                voiced_ms = self._to_local_ms(event.audio_start_ms + window.prefix_padding_ms)
                yield SpeechBegan(voiced_ms, local=False, item_id=event.item_id)
            case wire.SpeechStopped():
                end_ms = self._to_local_ms(event.audio_end_ms)
                self._turn = (self._turn[0] if self._turn else end_ms, end_ms)
                yield SpeechEnded(end_ms - window.silence_duration_ms, local=False, item_id=event.item_id)
            case wire.BufferCommitted():
                end_ms = self._turn[1] if self._turn is not None else 0
                if self._turn is not None:
                    self._ledger.commit(*self._turn)
                    self._turn = None
                self.unsettled.committed(event.item_id, end_ms)
                yield TurnCommitted(event.item_id)

    def _response(self, event: wire.ResponseCreated | wire.ResponseDone) -> Iterator[Notice]:
        response = event.response
        response_id = response.id if isinstance(response.id, str) else ""
        if isinstance(event, wire.ResponseCreated):
            self._arbiter.created(response_id or UNNAMED)
            self.unsettled.created(response_id)
            yield ReplyBegan(response_id)
            return
        if _expired(response):
            # The link is as good as gone: then it is an answer that was lost, like any that a break takes along.
            yield Other(event)
            return
        if response_id in self._ended:
            # Told twice: the next answer may have been asked for by now, and is not over with it.
            yield Other(event)
            return
        # A server that does not say which means the one there is.
        response_id = response_id or self.unsettled.newest
        if response_id:
            self._ended[response_id] = None
            if len(self._ended) > MAX_REPLIES:
                del self._ended[next(iter(self._ended))]
        self._arbiter.done(response_id)
        self.unsettled.done(response_id, isinstance(input_settings(self.settings).transcription, Transcription))
        status = response.status if isinstance(response.status, str) else "completed"
        output = tuple(response.output) if isinstance(response.output, list) else ()
        yield ReplyEnded(response_id, status, _reason(response), response.usage, output)

    def _user_text(self, event: wire.TranscriptionDelta | wire.TranscriptionCompleted | wire.TranscriptionFailed) -> Notice:
        if not isinstance(event, wire.TranscriptionDelta):
            self.unsettled.written(event.item_id)
        match event:
            case wire.TranscriptionDelta():
                return UserText(event.item_id, event.delta if isinstance(event.delta, str) else "", final=False)
            case wire.TranscriptionCompleted():
                if event.item_id not in self._taken_back:
                    self.history.write(event.item_id, "user", event.transcript)
                return UserText(event.item_id, event.transcript, final=True)
            case wire.TranscriptionFailed():
                return UserText(event.item_id, "", final=True, failed=True)


def _reason(response: Response) -> str:
    """Why a response is not completed, in a word or a sentence; "" if it is."""
    details = response.status_details
    if not isinstance(details, StatusDetails):
        return details or ""
    error = details.error if isinstance(details.error, dict) else {}
    return str(error.get("message") or error.get("code") or (details.reason if details.reason is not UNSET else "") or "")


def _expired(response: Response) -> bool:
    """Whether it failed for no other reason than that the session's time was up."""
    error = response.status_details.error if isinstance(response.status_details, StatusDetails) else None
    return response.status == "failed" and isinstance(error, dict) and error.get("code") == "session_expired"


def input_settings(settings: Session | None) -> AudioInput:
    """The input half of what a server told us, empty if it told nothing."""
    audio = settings.audio if settings is not None else None
    return audio.input if isinstance(audio, Audio) and isinstance(audio.input, AudioInput) else AudioInput()


def turns_of(settings: Session | None) -> TurnSettings:
    """How the server ends turns; the usual if it does not say, or leaves that to us."""
    detection = input_settings(settings).turn_detection
    return turn_settings(detection) if isinstance(detection, TurnDetection) else TurnSettings()


def input_rate(settings: Session | None) -> int:
    """The rate that the server wants; 24 kHz if it does not say."""
    chosen = input_settings(settings).format
    return rate_of(AudioInput(format=chosen)) if isinstance(chosen, AudioFormat) else PCM_RATE_HZ


def output_rate(settings: Session | None) -> int:
    """The rate that the server sends; 24 kHz if it does not say."""
    audio = settings.audio if settings is not None else None
    output = audio.output if isinstance(audio, Audio) and isinstance(audio.output, AudioOutput) else AudioOutput()
    return rate_of(output)
