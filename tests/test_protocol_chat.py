"""Chat completions: requests as endpoints take them, and answers read whatever an endpoint does."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.needs import needs
from voice.protocol.chat import (
    AnswerReader,
    CallDelta,
    ChatRequest,
    Failed,
    Finished,
    FunctionCall,
    Message,
    Piece,
    Problem,
    StreamOptions,
    TextDelta,
    TokenDetails,
    ToolCall,
    Usage,
    Used,
    encode,
    pieces_of,
    problem_of,
)


def chunk(content: str | None = None, finish: str | None = None, **more: object) -> str:
    """A chunk as OpenAI sends it."""
    delta = {} if content is None else {"content": content}
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "system_fingerprint": None}
    return json.dumps(
        {**head, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}], "usage": None, **more},
        ensure_ascii=False,
    )


USAGE = '{"id":"chatcmpl-1","choices":[],"usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29,"prompt_tokens_details":{"cached_tokens":16,"audio_tokens":null},"completion_tokens_details":{"reasoning_tokens":0,"accepted_prediction_tokens":0}}}'  # noqa: E501
STOP = Finished("stop")
USED = Used(Usage(19, 10, 29, TokenDetails(cached_tokens=16), TokenDetails(reasoning_tokens=0)))
ROLE = '{"choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"finish_reason":null}]}'
ANSWER = [ROLE, chunk("안녕"), chunk("하세요 👋🏽. "), chunk("Hello."), chunk(None, "stop"), USAGE, "[DONE]"]
SAID: list[Piece] = [TextDelta("안녕"), TextDelta("하세요 👋🏽. "), TextDelta("Hello."), Finished("stop"), USED]


def stream(*texts: str) -> bytes:
    return "".join(f"data: {text}\n\n" for text in texts).encode()


def read(*chunks: bytes) -> list[Piece]:
    reader = AnswerReader()
    return [piece for data in chunks for piece in reader.push(data)] + reader.close()


def test_a_whole_answer() -> None:
    assert read(stream(*ANSWER)) == SAID


def test_every_cut_gives_the_same_answer() -> None:
    data = b": ping\r\n\r\n" + stream(*ANSWER).replace(b"\n", b"\r\n")
    for at in range(len(data)):
        assert read(data[:at], data[at:]) == SAID, at
    assert read(*(bytes([byte]) for byte in data)) == SAID


@pytest.mark.parametrize(
    ("texts", "want"),
    [
        # Without [DONE], with a finish reason: complete. Without the reason, with [DONE]: too.
        ([chunk("Hi."), chunk(None, "length")], [TextDelta("Hi."), Finished("length")]),
        ([chunk("Hi."), "[DONE]"], [TextDelta("Hi."), STOP]),
        ([chunk("Hi.", "length"), chunk(None, "stop"), "[DONE]"], [TextDelta("Hi."), Finished("length")]),
        ([chunk("Hi."), " [DONE] "], [TextDelta("Hi."), STOP]),
        (["[DONE]"], [STOP]),
        # Neither: it was cut.
        ([chunk("Hi.")], [TextDelta("Hi."), Failed("cut_short")]),
        ([], [Failed("cut_short")]),
        # Nothing behind [DONE] or an error counts.
        ([chunk("Hi."), "[DONE]", chunk("no")], [TextDelta("Hi."), STOP]),
        (
            [chunk("Hi."), '{"error":{"message":"overloaded","type":"server_error","code":529}}', chunk("no")],
            [TextDelta("Hi."), Failed("error_frame", Problem("overloaded", "server_error", "529"))],
        ),
        (['{"object":"error","message":"no","type":"NotFoundError","code":404}'], [Failed("error_frame", Problem("no", "NotFoundError", "404"))]),
        (['{"error":"model requires more memory"}'], [Failed("error_frame", Problem("model requires more memory"))]),
        # Garbage, at once.
        (["<html>"], [Failed("garbage")]),
        (['{"choices":['], [Failed("garbage")]),
        (['{"choices":"many"}'], [Failed("garbage")]),
        (["[" * 100_000], [Failed("garbage")]),
        ([chunk("Hi."), "{oops", chunk("no")], [TextDelta("Hi."), Failed("garbage")]),
        # Novelties and oddities cost nothing.
        (["", " ", '{"type":"ping"}', "{}", chunk("Hi.", "stop")], [TextDelta("Hi."), Finished("stop")]),
        (['{"choices":[],"prompt_filter_results":[{}]}', chunk("Hi.", "stop", usage={"prompt_tokens": "odd"})], [TextDelta("Hi."), Finished("stop")]),
        (['{"choices":null}', '{"choices":[{"delta":null}]}', '{"choices":[{"delta":{"content":null}}]}', "[DONE]"], [STOP]),
        (['{"choices":[{"delta":{"content":42,"reasoning_content":"hm"}}]}', "[DONE]"], [STOP]),
        (['{"choices":[{"index":1,"delta":{"content":"no"}},{"index":0,"delta":{"content":"yes"}}]}', "[DONE]"], [TextDelta("yes"), STOP]),
        (['{"choices":[{"delta":{"content":[{"type":"text","text":"a"},{"type":"image"},{"text":"b"}]}}]}', "[DONE]"], [TextDelta("ab"), STOP]),
        (['{"choices":[{"delta":{"refusal":"I cannot."}}]}', "[DONE]"], [TextDelta("I cannot."), STOP]),
        (['{"choices":[],"usage":{"prompt_tokens":3.0,"completion_tokens":null,"cost":0.1}}', "[DONE]"], [Used(Usage(3, 0, 0)), STOP]),
        # Half an emoji as an escape.
        (['{"choices":[{"delta":{"content":"a\\ud83d"}}]}', "[DONE]"], [TextDelta("a\ufffd"), STOP]),
    ],
)  # fmt: skip
def test_what_a_stream_says(texts: list[str], want: list[Piece]) -> None:
    assert read(stream(*texts)) == want


def test_a_tool_call_comes_in_pieces() -> None:
    first = (
        '{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"weather","arguments":""}}]}}]}'
    )
    more = '{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\\"city\\":"}}, "odd", {"index":"odd","function":null}]}}]}'
    assert read(stream(first, more, chunk(None, "tool_calls"))) == [
        CallDelta(0, "call_1", "weather", ""),
        CallDelta(0, "", "", '{"city":'),
        CallDelta(0, "", "", ""),
        Finished("tool_calls"),
    ]


def test_a_stream_of_comments_only_has_been_cut_and_is_no_garbage() -> None:
    assert read(b": ping\n\n: ping\n\n") == [Failed("cut_short")]
    assert read(b"<html>\n<body>Sign in</body>\n</html>\n") == [Failed("garbage")]
    assert read(b"\x00\xff\xfe" * 100) == [Failed("garbage")]


def test_what_never_ends_is_garbage_and_is_told_once() -> None:
    reader = AnswerReader()
    pieces = [piece for _ in range(300) for piece in reader.push(b"x" * 10_000)]
    assert pieces == [Failed("garbage")] and reader.ended
    assert reader.push(stream(chunk("no"))) == [] and reader.close() == []


def test_the_reader_knows_when_nothing_more_is_to_come() -> None:
    reader = AnswerReader()
    reader.push(stream(*ANSWER[:-1]))
    assert reader.finished and not reader.ended
    reader.push(stream("[DONE]"))
    assert reader.ended and reader.close() == []


def test_an_answer_that_was_not_streamed() -> None:
    body = '{"choices":[{"index":0,"message":{"role":"assistant","content":"Hi."},"finish_reason":"stop"}],"usage":{"total_tokens":5}}'
    assert pieces_of(body) == [TextDelta("Hi."), Finished("stop"), Used(Usage(total_tokens=5))]
    assert pieces_of(b'{"ok":true}') == []


@pytest.mark.parametrize(
    ("body", "want"),
    [
        ('{"error":{"message":"No","type":"invalid_request_error","param":null,"code":"bad_key"}}', Problem("No", "invalid_request_error", "bad_key")),
        ('{"error":{"message":"no model","code":404,"param":"model"}}', Problem("no model", "", "404", "model")),
        ('{"error":"plain words"}', Problem("plain words")),
        ('{"detail":"Not Found"}', Problem("Not Found")),
        ('{"detail":[{"loc":["body"],"msg":"field required"}]}', Problem('[{"loc": ["body"], "msg": "field required"}]')),
        ('{"message":"Forbidden"}', Problem("Forbidden")),
        ('[{"error":{"code":400,"message":"API key not valid","status":"INVALID_ARGUMENT"}}]', Problem("API key not valid", "", "400")),
        ('{"error":{"message":"two\\nlines \\u001b[31m red"}}', Problem("two lines  [31m red")),
        (json.dumps({"error": {"message": "x" * 9999}}), Problem("x" * 300)),
        ("<html><body>502 Bad Gateway</body></html>", Problem()),
        ("", Problem()),
        ("[]", Problem("[]")),
        ("null", Problem()),
        ('{"error":{"code":"x"},"message":"outer"}', Problem("", "", "x")),
        (b"\xff\xfe", Problem()),
        ("[" * 100_000, Problem()),
    ],
)  # fmt: skip
def test_what_the_body_of_an_error_says(body: str | bytes, want: Problem) -> None:
    assert problem_of(body) == want


def test_a_request_carries_what_is_set_and_nothing_else() -> None:
    lines = [
        Message("system", "Be kind."),
        Message("user", "날씨?"),
        Message("assistant", None, (ToolCall("c1", FunctionCall("weather", '{"city":"서울"}')),)),
        Message("tool", "sunny", tool_call_id="c1"),
    ]
    assert json.loads(encode(ChatRequest("m", lines, stream=True, stream_options=StreamOptions()))) == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "날씨?"},
            {
                "role": "assistant",
                "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"서울"}'}}],
            },
            {"role": "tool", "content": "sunny", "tool_call_id": "c1"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_text_that_is_no_unicode_is_sent_as_far_as_it_is() -> None:
    sent = json.loads(encode(ChatRequest("m", [Message("user", "a\ud83d b"), Message("assistant", None)])))
    assert sent["messages"] == [{"role": "user", "content": "a\ufffd b"}, {"role": "assistant"}]


@needs("openai")
def test_the_service_s_own_types_take_our_requests_and_we_take_their_chunks() -> None:
    from openai.types.chat import ChatCompletionChunk, completion_create_params
    from pydantic import TypeAdapter

    sent = json.loads(encode(ChatRequest("m", [Message("system", "s"), Message("user", "u")], True, StreamOptions(), 0.5, 100)))
    TypeAdapter(completion_create_params.CompletionCreateParamsStreaming).validate_python(sent)
    theirs = ChatCompletionChunk.model_validate_json(chunk("words", "stop")).model_dump_json()
    assert pieces_of(theirs) == [TextDelta("words"), Finished("stop")]


NAMES = "choices delta content index error usage message tool_calls function object".split()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=300, deadline=None, derandomize=True)
@given(JSON, st.binary(max_size=60))
def test_nothing_that_an_endpoint_sends_raises(value: object, noise: bytes) -> None:
    for piece in read(stream(json.dumps(value)), noise, b"\n\n"):
        assert isinstance(piece, TextDelta | CallDelta | Finished | Used | Failed)
        if isinstance(piece, TextDelta):
            assert piece.text.encode()
    problem_of(json.dumps(value))
    problem_of(noise)
