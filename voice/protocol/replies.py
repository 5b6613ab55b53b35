"""All responses of one answering session: which may begin, which is active, which is waiting for its turn.

One response at a time belongs to the conversation; others (`conversation: "none"`) run beside it. A turn of the server's own
detector that ends while one is active waits for it; a client's `response.create` is refused, as on the service.
"""

from collections.abc import Callable, Iterator, Sequence

from msgspec import UNSET

from voice.audio.encoding import Encoding
from voice.audio.pcm import Samples
from voice.errors import ProtocolError
from voice.protocol.conversation import Conversation, SpokenWord, text_of
from voice.protocol.events import RateLimitsUpdated, ServerEvent
from voice.protocol.items import given_item
from voice.protocol.objects import Audio, AudioOutput, Item, ResponseParams, Session, StatusDetails
from voice.protocol.orders import Order, ReplyStopped, ReplyWanted
from voice.protocol.reply import Reply, ReplyPlan
from voice.protocol.settings import audio_input, audio_output, check_answer, check_audio, encoding_of, merged_output

MAX_BESIDE = 16
"""Out-of-band responses at once."""

MAX_METADATA_LETTERS = 64_000
"""It comes back twice; the service takes 16 pairs of 64 and 512 letters."""

Output = ServerEvent | Order


class Replies:
    """See the top of the file."""

    def __init__(self, conversation: Conversation, conversation_id: str, new_id: Callable[[str], str]) -> None:
        self._conversation = conversation
        self._conversation_id = conversation_id
        self._new_id = new_id
        self._open: dict[str, Reply] = {}
        self._heard_ms: dict[str, int] = {}
        self._waiting: tuple[str, int] | None = None

    @property
    def active(self) -> Reply | None:
        """The conversation's response in progress."""
        return next((reply for reply in self._open.values() if reply.in_band), None)

    def get(self, response_id: str) -> Reply | None:
        """A response that is not done."""
        return self._open.get(response_id)

    def create(self, session: Session, params: ResponseParams, heard_item: str | None = None, heard_ms: int = 0) -> Iterator[Output]:
        """Begin a response. Raises: ProtocolError if one is active, or a parameter cannot be."""
        _refuse(params)
        out_of_band = params.conversation == "none"
        active = self.active
        if active is not None and not out_of_band:
            raise ProtocolError(
                f"Conversation already has an active response in progress: {active.plan.response_id}. "
                "Wait until the response is finished before creating a new one.",
                "conversation_already_has_active_response",
            )
        if out_of_band and sum(not reply.in_band for reply in self._open.values()) >= MAX_BESIDE:
            raise ProtocolError(f"More than {MAX_BESIDE} responses at once.", "too_many_responses", "response.conversation")
        reply = Reply(self._plan(session, params, out_of_band), self._conversation)
        order = self._order(session, params, reply, heard_item)
        self._open[reply.plan.response_id] = reply
        self._heard_ms[reply.plan.response_id] = heard_ms
        if not out_of_band:
            # Whatever waited is answered by this one: it sees the whole conversation.
            self._waiting = None
        yield from reply.created()
        yield order

    def turn_ended(self, session: Session, item_id: str, audio_ms: int) -> Iterator[Output]:
        """The server's detector ended a turn: answer it, at once or after the active response."""
        if self.active is not None:
            self._waiting = (item_id, audio_ms)
        else:
            yield from self.create(session, ResponseParams(), item_id, audio_ms)

    def cancel(self, response_id: str | None, reason: str) -> Iterator[Output]:
        """Stop a response (None: the active one). Raises: ProtocolError if there is none."""
        reply = self.active if response_id is None else self._open.get(response_id)
        if reply is None:
            raise ProtocolError("Cancellation failed: no active response found.", "response_cancel_not_active")
        yield ReplyStopped(reply.plan.response_id)
        yield from self.end(reply, StatusDetails("cancelled", reason=reason))

    def end(self, reply: Reply, details: StatusDetails | None = None) -> Iterator[Output]:
        """The terminal events of a response, whoever ends it."""
        if self._open.pop(reply.plan.response_id, None) is None:
            return
        text_in = " ".join(text for _, text in self._conversation.lines())
        yield from reply.end(details, text_in, self._heard_ms.pop(reply.plan.response_id, 0))
        yield RateLimitsUpdated(rate_limits=[])

    def waiting(self, session: Session) -> Iterator[Output]:
        """Begin the response that waited for the one before, if there is one and nothing is active."""
        if self._waiting is not None and self.active is None:
            item_id, audio_ms = self._waiting
            yield from self.create(session, ResponseParams(), item_id, audio_ms)

    def say(self, response_id: str, text: str) -> Sequence[ServerEvent]:
        """More words of a response; nothing if it is done."""
        reply = self._open.get(response_id)
        return reply.say(text) if reply else ()

    def sound(self, response_id: str, samples: Samples, rate_hz: int, words: Sequence[SpokenWord]) -> Sequence[ServerEvent]:
        """More sound of a response; nothing if it is done."""
        reply = self._open.get(response_id)
        return reply.sound(samples, rate_hz, words) if reply else ()

    def _order(self, session: Session, params: ResponseParams, reply: Reply, heard_item: str | None) -> ReplyWanted:
        instructions = params.instructions if isinstance(params.instructions, str) else session.instructions
        lines = None
        if isinstance(params.input, list):
            lines = tuple(self._lines_of(params, encoding_of(audio_input(session))))
        return ReplyWanted(
            reply.plan.response_id,
            reply.plan.spoken,
            instructions if isinstance(instructions, str) else "",
            lines,
            heard_item,
            reply.plan.voice,
            reply.plan.speed,
        )

    def _lines_of(self, params: ResponseParams, encoding: Encoding) -> Iterator[tuple[str, str]]:
        assert isinstance(params.input, list)
        for i, item in enumerate(params.input):
            path = f"response.input[{i}]"
            named = self._named(item, path) if item.type == "item_reference" else given_item(item, "", path, encoding).item
            if text := text_of(named):
                yield str(named.role), text

    def _named(self, item: Item, path: str) -> Item:
        try:
            return self._conversation.get(item.id if isinstance(item.id, str) else "").item
        except ProtocolError as exc:
            raise ProtocolError(str(exc), exc.code, f"{path}.id") from exc

    def _plan(self, session: Session, params: ResponseParams, out_of_band: bool) -> ReplyPlan:
        output = audio_output(session)
        asked = params.audio.output if isinstance(params.audio, Audio) else None
        modalities = params.output_modalities if isinstance(params.output_modalities, list) else session.output_modalities
        limit = params.max_output_tokens if params.max_output_tokens not in (UNSET, None) else session.max_output_tokens
        if isinstance(asked, AudioOutput):
            output = merged_output(output, asked)
        return ReplyPlan(
            response_id=self._new_id("resp"),
            item_id=self._new_id("item"),
            modality="text" if modalities == ["text"] else "audio",
            encoding=encoding_of(output),
            conversation_id=None if out_of_band else self._conversation_id,
            voice=_voice_name(output.voice),
            speed=output.speed if isinstance(output.speed, int | float) else 1.0,
            audio=Audio(output=AudioOutput(format=output.format, voice=output.voice)),
            max_output_tokens=limit if isinstance(limit, int | str) else "inf",
            metadata=params.metadata if isinstance(params.metadata, dict) else None,
        )


def _voice_name(voice: object) -> str:
    """A voice is given by its name, or as an object with its id."""
    named = voice.get("id") if isinstance(voice, dict) else voice
    return named if isinstance(named, str) else ""


def _refuse(params: ResponseParams) -> None:
    """Raises: ProtocolError with the path of what cannot be."""
    check_audio(params.audio, "response.audio")
    check_answer(params.output_modalities, params.max_output_tokens, "response")
    if params.conversation not in (UNSET, None, "auto", "none"):
        shown = str(params.conversation)[:80]
        raise ProtocolError(f"Invalid value: '{shown}'. Supported values are: 'auto' and 'none'.", "invalid_value", "response.conversation")
    metadata = params.metadata if isinstance(params.metadata, dict) else {}
    if sum(len(name) + len(value) for name, value in metadata.items()) > MAX_METADATA_LETTERS:
        message = f"Invalid 'response.metadata': more than {MAX_METADATA_LETTERS} letters."
        raise ProtocolError(message, "string_above_max_length", "response.metadata")
