"""Chat completions: what is asked of a language model, and its streamed answer read as it comes.

The form is OpenAI's (https://platform.openai.com/docs/api-reference/chat), as the many endpoints speak it that call themselves
compatible: we write it exactly and read it leniently. A novelty in a chunk, an odd usage or a null costs nothing; what cannot be an
answer at all ends it with a `Failed`. Everything that can happen to a stream comes out as a piece; nothing here raises.

A complete answer has a finish reason or a `[DONE]`, and is told by exactly one `Finished`. A stream that simply ends has been cut,
whatever it said until then.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from voice.protocol.sse import SseParser
from voice.protocol.tools import Tool, Toolbox

DONE = "[DONE]"
_NO_TOOLS = Toolbox()
_NO_PARAMETERS = {"type": "object", "properties": {}}
LONGEST_MESSAGE = 300
"""Characters of an endpoint's own words that are kept of an error."""


class FunctionCall(msgspec.Struct, frozen=True):
    """Which function the model wants called; `arguments` is JSON as text."""

    name: str
    arguments: str


class ToolCall(msgspec.Struct, frozen=True):
    """A call in an assistant's message."""

    id: str
    function: FunctionCall
    type: str = "function"


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of the conversation."""

    role: str
    """"system", "user", "assistant" or "tool"."""
    content: str | None = None
    tool_calls: Sequence[ToolCall] = ()
    tool_call_id: str | None = None
    """Of a tool's output: the call that it answers."""


class StreamOptions(msgspec.Struct, frozen=True):
    """Asks for the usage, which comes in a last chunk without choices."""

    include_usage: bool = True


class ChatRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of a request. What is not set is not sent: models differ in what they allow."""

    model: str
    messages: Sequence[Message]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    tools: Sequence[dict[str, Any]] = ()
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None


def question(model: str, messages: Sequence[Message], toolbox: Toolbox = _NO_TOOLS, with_usage: bool = True) -> ChatRequest:
    """The request for a streamed answer. What an endpoint does by itself is not asked for: some know nothing else."""
    asked = ChatRequest(model, messages, stream=True, stream_options=StreamOptions() if with_usage else None)
    if not toolbox.usable:
        return asked
    named = {"type": "function", "function": {"name": toolbox.named}}
    return msgspec.structs.replace(
        asked,
        tools=[_function(tool) for tool in toolbox.tools],
        tool_choice=named if toolbox.named is not None else toolbox.choice if toolbox.must else None,
        parallel_tool_calls=None if toolbox.parallel else False,
    )


def _function(tool: Tool) -> dict[str, Any]:
    given = {"name": tool.name, "description": tool.description, "parameters": tool.parameters or _NO_PARAMETERS}
    return {"type": "function", "function": {name: value for name, value in given.items() if value}}


class TokenDetails(msgspec.Struct, frozen=True):
    """Parts of a usage; each is contained in its total."""

    cached_tokens: int | None = None
    audio_tokens: int | None = None
    reasoning_tokens: int | None = None


class Usage(msgspec.Struct, frozen=True):
    """What an answer cost, as the endpoint counts it."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    prompt_tokens_details: TokenDetails | None = None
    completion_tokens_details: TokenDetails | None = None


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More words of the answer; never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class CallDelta:
    """More of a tool call; id and name come once, the arguments in pieces."""

    index: int
    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The model has ended: "stop", "length", "tool_calls", "content_filter", or another word of the endpoint's."""

    reason: str


@dataclass(frozen=True, slots=True)
class Used:
    """The usage of the whole answer."""

    usage: Usage


@dataclass(frozen=True, slots=True)
class Problem:
    """An endpoint's own word about what is wrong; untrusted, and "" where it says nothing."""

    message: str = ""
    kind: str = ""
    code: str = ""
    param: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """The answer has ended badly; nothing follows.

    `code`: "error_frame" (the endpoint says so), "garbage" (this is no answer), "cut_short" (it ends in the middle).
    """

    code: str
    problem: Problem = Problem()


Piece = TextDelta | CallDelta | Finished | Used | Failed


class _Delta(msgspec.Struct, frozen=True):
    content: Any = None
    refusal: Any = None
    tool_calls: Any = None


class _Choice(msgspec.Struct, frozen=True):
    index: Any = 0
    delta: _Delta | None = None
    message: _Delta | None = None
    finish_reason: Any = None


class _Chunk(msgspec.Struct, frozen=True):
    choices: list[_Choice] | None = None
    usage: Any = None
    error: Any = None
    object: Any = None


_UNREADABLE = (msgspec.MsgspecError, RecursionError, ValueError)
"""ValueError: what is not Unicode, and what the standard library's decoder says."""
_decode = msgspec.json.Decoder(_Chunk).decode
_encode = msgspec.json.Encoder().encode


class AnswerReader:
    """Reads the stream of one answer. After a `Failed`, or `[DONE]`, nothing comes any more."""

    def __init__(self) -> None:
        self.ended = False
        """Nothing more is to be expected: `[DONE]` has come, or a `Failed` was given."""
        self.finished = False
        """The model has ended; what may still come is the usage."""
        self._sse = SseParser()
        self._answering = False
        self._silent = True

    def push(self, chunk: bytes) -> list[Piece]:
        """More bytes; what they say."""
        self._silent = self._silent and not chunk
        return self._read([event.data for event in self._sse.push(chunk)])

    def close(self) -> list[Piece]:
        """The stream has ended; what was still held back, and a `Failed` unless the answer was complete."""
        pieces = self._read([event.data for event in self._sse.flush()])
        if not self.ended and not self.finished:
            pieces.append(Failed("cut_short" if self._answering or self._silent or self._sse.comments else "garbage"))
        self.ended = True
        return pieces

    def _read(self, texts: list[str]) -> list[Piece]:
        pieces: list[Piece] = []
        for text in texts:
            if self.ended:
                break
            if text == DONE or text.strip() == DONE:
                pieces += self._done()
            elif text and not text.isspace():
                pieces += self._chunk(text)
        if self._sse.too_long and not self.ended:
            self.ended = True
            pieces.append(Failed("garbage"))
        return pieces

    def _done(self) -> Iterator[Piece]:
        """An endpoint that gives no reason for the end has no other than that all was said."""
        self.ended = True
        if not self.finished:
            self.finished = True
            yield Finished("stop")

    def _chunk(self, text: str) -> Iterator[Piece]:
        for piece in pieces_of(text):
            self._answering = True
            self.ended = isinstance(piece, Failed)
            if not (isinstance(piece, Finished) and self.finished):
                yield piece
            self.finished = self.finished or isinstance(piece, Finished)


def pieces_of(text: str | bytes) -> list[Piece]:
    """What one chunk says, or a whole answer that was not streamed."""
    try:
        chunk = _lenient(text)
    except _UNREADABLE:
        return [Failed("garbage")]
    if chunk.error or chunk.object == "error":
        return [Failed("error_frame", problem_of(text))]
    pieces: list[Piece] = []
    for choice in chunk.choices or ():
        # Only one answer was asked for.
        if choice.index in (0, None):
            pieces += _choice(choice)
    if isinstance(chunk.usage, dict) and (usage := _usage(chunk.usage)) is not None:
        pieces.append(Used(usage))
    return pieces


def problem_of(body: str | bytes) -> Problem:
    """What the body of an error says, in any of the forms in use; an empty one if that is nothing (or a page of HTML)."""
    try:
        said = msgspec.json.decode(body)
    except _UNREADABLE:
        return Problem()
    if isinstance(said, list) and said:
        said = said[0]
    if isinstance(said, dict):
        said = said.get("error") or said
    if isinstance(said, dict):
        message = said.get("message") or said.get("detail")
        return Problem(_word(message), _word(said.get("type")), _word(said.get("code")), _word(said.get("param")))
    return Problem(_word(said))


def encode(request: ChatRequest) -> bytes:
    """A request as JSON; what no JSON can hold (half of a surrogate pair) becomes U+FFFD."""
    try:
        return _encode(request)
    except UnicodeError:
        messages = [msgspec.structs.replace(line, content=_whole(line.content)) if line.content else line for line in request.messages]
        return _encode(msgspec.structs.replace(request, messages=messages))


def _lenient(text: str | bytes) -> _Chunk:
    """A chunk. Raises: one of `_UNREADABLE`."""
    try:
        return _decode(text)
    except msgspec.ValidationError:
        raise
    except _UNREADABLE:
        # Gateways that cut between two UTF-16 halves of an emoji send each half as an escape, which only `json` reads.
        return msgspec.convert(json.loads(text), _Chunk)


def _choice(choice: _Choice) -> Iterator[Piece]:
    delta = choice.delta or choice.message
    if delta is not None:
        if text := _text(delta.content) or _text(delta.refusal):
            yield TextDelta(text)
        for call in delta.tool_calls if isinstance(delta.tool_calls, list) else ():
            if isinstance(call, dict):
                yield _call(call)
    if isinstance(choice.finish_reason, str) and choice.finish_reason:
        yield Finished(choice.finish_reason)


def _call(call: dict[str, Any]) -> CallDelta:
    function = call.get("function")
    named = function if isinstance(function, dict) else {}
    index = call.get("index")
    given = named.get("arguments")
    # Some give the object itself, not its JSON as text.
    arguments = json.dumps(given, ensure_ascii=False) if isinstance(given, dict) else _text(given)
    return CallDelta(index if isinstance(index, int) else 0, _text(call.get("id")), _text(named.get("name")), arguments)


def _text(content: Any) -> str:
    """A string, or the text parts of a list."""
    if isinstance(content, str):
        return _whole(content)
    if isinstance(content, list):
        return "".join(_text(part.get("text")) for part in content if isinstance(part, dict))
    return ""


def _whole(text: str) -> str:
    """Without halves of surrogate pairs, which no encoder takes."""
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _usage(raw: dict[str, Any]) -> Usage | None:
    """None if it is none that we can count with."""
    try:
        return msgspec.convert({name: value for name, value in raw.items() if value is not None}, Usage, strict=False)
    except msgspec.ValidationError:
        return None


def _word(value: Any) -> str:
    """Something of an error's body on one line."""
    if value is None or isinstance(value, bool):
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return "".join(letter if letter.isprintable() else " " for letter in text[:LONGEST_MESSAGE]).strip()
