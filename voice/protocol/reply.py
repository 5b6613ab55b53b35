"""One response of the answering side, from `response.created` to its one terminal event.

    CREATED --- first words, sound or call ---> SPEAKING --- end, cancel or failure ---> DONE
    CREATED --- end, cancel or failure ------------------------------------------------> DONE

Its items follow each other (`outputs.py`): what is said goes into the message that is open, a call closes it and opens an item of its
own, words after a call open another message. What may still be sent is the affair of `ration.py`; once that is used up (`full`) the
response is to be ended as incomplete. The methods return the events to send, in order; a response that is DONE returns none, so what
comes late from a slow model is lost here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType

from voice.audio.encoding import Encoding
from voice.audio.pcm import Samples, empty, ms_in
from voice.audio.resample import Resampler
from voice.policy.usage import Tokens
from voice.protocol.conversation import Conversation, SpokenWord
from voice.protocol.events import ResponseCreated, ResponseDone, ServerEvent
from voice.protocol.objects import Audio, InputTokens, OutputTokens, Response, StatusDetails, Usage
from voice.protocol.outputs import Outputs
from voice.protocol.ration import Ration


class State(Enum):
    """See the top of the file."""

    CREATED = "created"
    SPEAKING = "speaking"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class ReplyPlan:
    """What a response was asked to be."""

    response_id: str
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
    tokens_in: Tokens = Tokens()
    """What it reads and hears."""

    @property
    def rate_hz(self) -> int:
        """Of the audio sent."""
        return self.encoding.rate_hz

    @property
    def spoken(self) -> bool:
        """With sound."""
        return self.modality == "audio"


class Reply:
    """See the top of the file. `new_id("item")` gives a fresh id."""

    def __init__(self, plan: ReplyPlan, conversation: Conversation, new_id: Callable[[str], str]) -> None:
        self.plan = plan
        self.state = State.CREATED
        self._conversation = conversation if plan.conversation_id is not None else None
        self._items = Outputs(plan.response_id, self._conversation, new_id)
        limit = plan.max_output_tokens
        self._ration = Ration(limit if isinstance(limit, int) else None, plan.rate_hz if plan.spoken else 0)
        self._voice = _Voice(plan.rate_hz)

    @property
    def in_band(self) -> bool:
        """Whether it is part of the conversation (one such at a time)."""
        return self._conversation is not None

    @property
    def full(self) -> bool:
        """It has come to its `max_output_tokens`: end it."""
        return self._ration.full

    @property
    def cut(self) -> bool:
        """Its message was truncated: nothing is added to that any more."""
        return self._items.cut

    def created(self) -> list[ServerEvent]:
        """The beginning."""
        return [ResponseCreated(response=self._response("in_progress"))]

    def say(self, text: str) -> list[ServerEvent]:
        """More words: text of a text reply, transcript of a spoken one."""
        if self.state is State.DONE or not text or self.cut:
            return []
        return self._tell(self._ration.say(text))

    def sound(self, samples: Samples, rate_hz: int, words: Sequence[SpokenWord] = ()) -> list[ServerEvent]:
        """More sound of a spoken reply: int16, mono. `words`: their ends in ms of the reply, their ends in its transcript."""
        if self.state is State.DONE or not self.plan.spoken or self.cut:
            return []
        return self._sounded(self._voice.push(samples, rate_hz), words)

    def call(self, call_id: str, name: str, arguments: str) -> list[ServerEvent]:
        """More of the call of a function: the first piece names it, the further ones with the same `call_id` add to its arguments.

        A `call_id` that the conversation has had before, or none, is told as a fresh one.
        """
        if self.state is State.DONE:
            return []
        events: list[ServerEvent] = []
        open_call = self._items.calling(call_id)
        if open_call is None:
            events += self._finish_words()
            if self.full or not self._ration.call(name, whole=True):
                # Not begun, because its name does not fit: the item before it stays the last.
                return events
            self.state = State.SPEAKING
            begun, open_call = self._items.begin_call(call_id, name)
            events += begun
        return events + open_call.say(self._ration.call(arguments))

    def end(self, details: StatusDetails | None = None, usage: Usage | None = None) -> list[ServerEvent]:
        """The end: completed, or what `details` says. Returns every closing event and the terminal one. `usage`: None to have it counted."""
        if self.state is State.DONE:
            return []
        events: list[ServerEvent] = []
        if details is None:
            events += self._finish_words()
            if self.full:
                details = StatusDetails("incomplete", reason="max_output_tokens")
        elif details.type == "failed" and not self.cut:
            # Words that waited for a sound that never comes.
            events += self._tell(self._ration.rest())
        status = details.type if details is not None else "completed"
        events += self._items.close("completed" if status == "completed" else "incomplete")
        self.state = State.DONE
        usage = usage or _usage(self.plan.tokens_in, self._ration.tokens)
        done = msgspec.structs.replace(self._response(status), output=self._items.done, status_details=details, usage=usage)
        return [*events, ResponseDone(response=done)]

    def _tell(self, text: str, samples: Samples | None = None, words: Sequence[SpokenWord] = ()) -> list[ServerEvent]:
        """What may be sent, as part of a message."""
        if not text and samples is None:
            return []
        self.state = State.SPEAKING
        size = 0 if samples is None else samples.size
        start = SpokenWord(ms_in(self._ration.samples - size, self.plan.rate_hz), self._ration.told - len(text))
        events, message = self._items.message(self.plan.encoding if self.plan.spoken else None, start)
        message.words(words)
        return events + message.say(text) + message.sound(empty() if samples is None else samples)

    def _sounded(self, samples: Samples, words: Sequence[SpokenWord] = ()) -> list[ServerEvent]:
        """Sound at the rate that is sent, as far as it may be sent."""
        if self.cut:
            return []
        text, count = self._ration.sound(samples.size, words)
        known = [word for word in words if word.characters <= self._ration.told]
        return self._tell(text, samples[:count] if count or known else None, known)

    def _finish_words(self) -> list[ServerEvent]:
        """The message that is open is complete: what was held back of its sound and its words."""
        if self.cut:
            return []
        events = self._sounded(self._voice.rest())
        return events if self.full else events + self._tell(self._ration.rest())

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


class _Voice:
    """Sound of any rate, brought to the one that is sent."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._from_hz = 0
        self._resampler: Resampler | None = None

    def push(self, samples: Samples, from_hz: int) -> Samples:
        """What is ready after these samples."""
        before = empty()
        if self._resampler is None or from_hz != self._from_hz:
            before = self.rest()
            self._resampler, self._from_hz = Resampler(from_hz, self._rate_hz), from_hz
        ready = self._resampler.push(samples)
        return np.concatenate((before, ready)) if before.size else ready

    def rest(self) -> Samples:
        """What was held back."""
        return self._resampler.flush() if self._resampler is not None else empty()


def _usage(read: Tokens, said: Tokens) -> Usage:
    """The wire's form of the tokens of a response."""
    incoming = InputTokens(text_tokens=read.text, audio_tokens=read.audio)
    outgoing = OutputTokens(text_tokens=said.text, audio_tokens=said.audio)
    total_in, total_out = read.text + read.audio, said.text + said.audio
    return Usage(total_in + total_out, total_in, total_out, incoming, outgoing)
