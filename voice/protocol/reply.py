"""One response of the answering side, from `response.created` to its one terminal event.

    CREATED --- first words or sound ---> SPEAKING --- end, cancel or failure ---> DONE
    CREATED --- end, cancel or failure -----------------------------------------> DONE

Leaving CREATED announces the item and its part; leaving SPEAKING closes them in the order of the service. The methods return
the events to send, in order; a response that is DONE returns none, so what comes late from a slow model is lost here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypedDict

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType

from voice.audio.encoding import Encoding
from voice.audio.pcm import Samples, empty, ms_in, samples_in
from voice.audio.resample import Resampler
from voice.policy.usage import Tokens, response_tokens
from voice.protocol.conversation import Conversation, Entry, SpokenWord, message, text_of
from voice.protocol.events import (
    AudioDelta,
    AudioDone,
    ContentPartAdded,
    ContentPartDone,
    ItemAdded,
    ItemDone,
    OutputItemAdded,
    OutputItemDone,
    ResponseCreated,
    ResponseDone,
    ServerEvent,
    TextDelta,
    TextDone,
    TranscriptDelta,
    TranscriptDone,
)
from voice.protocol.heard import Spread
from voice.protocol.objects import Audio, Content, InputTokens, Item, OutputTokens, Part, Response, StatusDetails, Usage

DELTA_MS = 200
"""The longest audio delta: 13 kB of base64 at 24 kHz."""


class _Where(TypedDict):
    response_id: str
    item_id: str
    output_index: int
    content_index: int


class State(Enum):
    """See the top of the file."""

    CREATED = "created"
    SPEAKING = "speaking"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class ReplyPlan:
    """What a response was asked to be."""

    response_id: str
    item_id: str
    modality: str
    """"audio" or "text"."""
    encoding: Encoding
    """Of the audio sent."""
    conversation_id: str | None
    """None: out of band, the conversation does not see it."""
    audio: Audio | UnsetType = UNSET
    voice: str = ""
    """As the client names it."""
    speed: float = 1.0
    max_output_tokens: int | str = "inf"
    metadata: dict[str, str] | None = None

    @property
    def rate_hz(self) -> int:
        """Of the audio sent."""
        return self.encoding.rate_hz

    @property
    def spoken(self) -> bool:
        """With sound."""
        return self.modality == "audio"


class Reply:
    """See the top of the file."""

    def __init__(self, plan: ReplyPlan, conversation: Conversation) -> None:
        self.plan = plan
        self.state = State.CREATED
        self._conversation = conversation if plan.conversation_id is not None else None
        self._entry: Entry | None = None
        self._previous: str | None = None
        self._text = ""
        self._sound: list[Samples] = []
        self._resampler: Resampler | None = None
        self._from_hz = 0

    @property
    def in_band(self) -> bool:
        """Whether it is part of the conversation (one such at a time)."""
        return self._conversation is not None

    def created(self) -> list[ServerEvent]:
        """The beginning."""
        return [ResponseCreated(response=self._response("in_progress"))]

    def say(self, text: str) -> list[ServerEvent]:
        """More words: text of a text reply, transcript of a spoken one."""
        if self.state is State.DONE or not text:
            return []
        events = self._begin()
        if self.cut:
            return events
        self._text += text
        if self._entry is not None:
            self._entry.item = self._item("in_progress")
            self._entry.spread.write(len(self._text), self._entry.audio_ms)
        where = self._where()
        delta = TranscriptDelta(**where, delta=text) if self.plan.spoken else TextDelta(**where, delta=text)
        return [*events, delta]

    def sound(self, samples: Samples, rate_hz: int, words: Sequence[SpokenWord] = ()) -> list[ServerEvent]:
        """More sound of a spoken reply: int16, mono. `words`: their ends in ms of the reply, their ends in its transcript."""
        if self.state is State.DONE or not self.plan.spoken or self.cut:
            return []
        events = self._begin()
        if self._entry is not None:
            self._entry.words.extend(words)
        if self._resampler is None or rate_hz != self._from_hz:
            events += self._deltas(_rest(self._resampler))
            self._resampler, self._from_hz = Resampler(rate_hz, self.plan.rate_hz), rate_hz
        return events + self._deltas(self._resampler.push(samples))

    @property
    def cut(self) -> bool:
        """Its item was truncated: nothing is added to it any more, and it ends with the words that were heard."""
        return self._entry is not None and self._entry.cut_ms is not None

    @property
    def sent_ms(self) -> int:
        """How much sound the reply has so far."""
        return ms_in(sum(piece.size for piece in self._sound), self.plan.rate_hz)

    def end(self, details: StatusDetails | None = None, text_in: str = "", heard_ms: int = 0) -> list[ServerEvent]:
        """The end: completed, or what `details` says. Returns every closing event and the terminal one."""
        if self.state is State.DONE:
            return []
        status = details.type if details is not None else "completed"
        events: list[ServerEvent] = []
        if self.state is State.SPEAKING:
            if status == "completed" and not self.cut:
                events += self._deltas(_rest(self._resampler))
                if self._entry is not None:
                    self._entry.spread.finished = True
            events += self._close("completed" if status == "completed" else "incomplete")
        output = [self._item("completed" if status == "completed" else "incomplete")] if self.state is State.SPEAKING else []
        self.state = State.DONE
        usage = _usage(response_tokens(text_in, heard_ms, self._text, self.sent_ms))
        done = msgspec.structs.replace(self._response(status), output=output, status_details=details, usage=usage)
        self._keep_sound()
        return [*events, ResponseDone(response=done)]

    def _begin(self) -> list[ServerEvent]:
        if self.state is not State.CREATED:
            return []
        self.state = State.SPEAKING
        item = msgspec.structs.replace(self._item("in_progress"), content=[])
        events: list[ServerEvent] = [OutputItemAdded(response_id=self.plan.response_id, output_index=0, item=item)]
        if self._conversation is not None:
            self._entry = Entry(self._item("in_progress"), spread=Spread())
            self._previous = self._conversation.add(self._entry)
            events.append(ItemAdded(item=item, previous_item_id=self._previous))
        part = Part("audio", transcript="", audio="") if self.plan.spoken else Part("text", text="")
        return [*events, ContentPartAdded(**self._where(), part=part)]

    def _close(self, item_status: str) -> list[ServerEvent]:
        where = self._where()
        events: list[ServerEvent]
        text = _kept(self._entry, self._text)
        if self.plan.spoken:
            part = Part("audio", transcript=text)
            events = [AudioDone(**where), TranscriptDone(**where, transcript=text)]
        else:
            part = Part("text", text=text)
            events = [TextDone(**where, text=text)]
        events.append(ContentPartDone(**where, part=part))
        item = self._item(item_status)
        if self._entry is not None:
            self._entry.item = item
            events.append(ItemDone(item=item, previous_item_id=self._previous))
        return [*events, OutputItemDone(response_id=self.plan.response_id, output_index=0, item=item)]

    def _keep_sound(self) -> None:
        if self._conversation is not None and self._sound:
            self._conversation.set_sound(self.plan.item_id, np.concatenate(self._sound), self.plan.rate_hz)
        self._sound.clear()

    def _deltas(self, samples: Samples) -> list[ServerEvent]:
        if samples.size:
            self._sound.append(samples)
        if self._entry is not None:
            self._entry.audio_ms = self.sent_ms
        step = samples_in(DELTA_MS, self.plan.rate_hz)
        where = self._where()
        return [AudioDelta(**where, delta=self.plan.encoding.encode(samples[at : at + step])) for at in range(0, samples.size, step)]

    def _where(self) -> _Where:
        return {"response_id": self.plan.response_id, "item_id": self.plan.item_id, "output_index": 0, "content_index": 0}

    def _item(self, status: str) -> Item:
        text = _kept(self._entry, self._text)
        content = Content("output_audio", transcript=text) if self.plan.spoken else Content("output_text", text=text)
        return message(self.plan.item_id, "assistant", [content], status)

    def _response(self, status: str) -> Response:
        return Response(
            id=self.plan.response_id,
            status=status,
            output=[],
            conversation_id=self.plan.conversation_id,
            output_modalities=[self.plan.modality],
            max_output_tokens=self.plan.max_output_tokens,
            audio=self.plan.audio,
            metadata=self.plan.metadata,
        )


def _kept(entry: Entry | None, text: str) -> str:
    """The words of a reply; those that were heard if its item was truncated."""
    return text if entry is None or entry.cut_ms is None else text_of(entry.item)


def _rest(resampler: Resampler | None) -> Samples:
    """The sound that is still in a resampler."""
    return resampler.flush() if resampler is not None else empty()


def _usage(tokens: Tokens) -> Usage:
    """The wire's form of the tokens of a response."""
    incoming = InputTokens(text_tokens=tokens.text_in, audio_tokens=tokens.audio_in)
    outgoing = OutputTokens(text_tokens=tokens.text_out, audio_tokens=tokens.audio_out)
    total_in, total_out = tokens.text_in + tokens.audio_in, tokens.text_out + tokens.audio_out
    return Usage(total_in + total_out, total_in, total_out, incoming, outgoing)
