"""What a server's first words mean: HTTP answers, WebSockets that are no session, clocks; and that no answer can repeat the key."""

import random
import time
from email.utils import formatdate

import pytest

from tests.support.scripted import frame, http, listening, says, upgrades
from tests.support.visits import KEY, error, told, visit


@pytest.mark.parametrize(
    ("answer", "said", "fix"),
    [
        (
            http(401, error(f"Incorrect API key: {KEY}", "invalid_api_key")),
            "401: Incorrect API key: ********",
            "the key is refused",
        ),
        (http(403, '{"error":{"message":"no\\u001b[31m\\nrealtime"}}'), "403: no [31m realtime", "the key is known"),
        (http(404, '{"error":"no such path"}'), "404: no such path", "nothing is served at this path"),
        (http(404, "<html>not here</html>", kind="text/html"), "404, a web page", "nothing is served at this path"),
        (http(429, "{}", "Retry-After: 7"), "429", "too many requests, or the quota is used up: wait 7 s"),
        (
            http(429, '{"error":{"message":"quota","type":"insufficient_quota"}}'),
            "429: quota",
            "too many requests, or the quota is used up: wait, or",
        ),
        (http(500, "{"), "500", "the server has failed"),
        (http(503, '{"error":["a"]}'), "503", "the server has failed"),
        (http(301, "", "Location: wss://elsewhere.example/?key=1"), "301, it points to wss://elsewhere.example/", "give that address"),
        (http(426), "426", "it wants a newer protocol"),
        (http(418), "418", "the server does not take the request"),
        (http(200, "<!doctype html><p>Log in", kind="text/html"), "200, a web page instead of a Realtime server", "is the path right?"),
        (http(200, "{}"), "200, an answer instead of a Realtime server", "is the path right?"),
        (http(101), "it agrees to a WebSocket, but not to ours", "a proxy or a cache"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "it answers, but not in HTTP", "another service"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "it speaks TLS here", "use wss://"),
        (b"HTTP/1.1 abc\r\n\r\n", "its answer is broken HTTP", "is this the right port?"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000, "its answer is broken HTTP", "is this the right port?"),
        (b"HTTP/1.1 200 OK\r\nX: a", "it hangs up without an answer", "is this the right port?"),
        (b"HTT", "it hangs up without an answer", "is this the right port?"),
    ],
)
async def test_what_an_answer_means(answer: bytes, said: str, fix: str) -> None:
    name, found, todo = await told(says(answer))
    assert (name, found) == ("HTTP", said) and todo.startswith(fix)


async def test_without_a_key_401_asks_for_one() -> None:
    assert (await told(says(http(401)), headers={}))[1:] == ("401", "it wants a key, and none is set")


@pytest.mark.parametrize(
    ("frames", "said"),
    [
        ([frame(b"\x0f\xa1no such model", 8)], "it closes at once with 4001: no such model"),
        ([frame(b"", 8)], "it closes at once with 1005"),
        ([frame(b"\x03\xe8" + KEY.encode(), 8)], "it closes at once with 1000: ********"),
        (
            [frame(b"p", 9), frame(error(f"No {KEY}", "model_not_found"))],
            "error model_not_found: No ********",
        ),
        ([frame('{"type":"error","error":{"message":"No"}}')], "error: No"),
        ([frame("hello")], "what it says is not an event"),
        ([frame("[" * 50_000)], "what it says is not an event"),
        ([frame(b"\x00\x01", 2)], "what it says is not an event"),
        ([b"\x81\xff" + b"\xff" * 8], "what it says is not an event"),
        ([], "it opens a WebSocket and hangs up"),
    ],
)
async def test_a_websocket_that_is_no_session(frames: list[bytes], said: str) -> None:
    name, found, fix = await told(upgrades(*frames))
    assert (name, found) == ("WebSocket", said) and fix


async def test_a_websocket_that_says_nothing() -> None:
    assert (await told(upgrades(then_hang=True), timeout_s=0.2))[:2] == ("WebSocket", "it opens a WebSocket and says nothing")


async def test_an_event_in_pieces_and_a_long_one_are_read() -> None:
    event = '{"type":"session.created","x":"' + "a" * 70_000 + '"}'
    for frames in ([frame(event)], [frame(event[:9], 1, final=False), frame(b"", 9), frame(event[9:], 0)], [frame(event[:200] + '"}')]):
        async with listening(upgrades(*frames)) as port:
            assert (await visit(f"ws://127.0.0.1:{port}/"))[-1].said == "the first event is session.created"


async def test_a_chat_address_is_fetched_with_the_key() -> None:
    heads: list[str] = []
    async with listening(says(http(200, '{"data":[]}'), heads)) as port:
        steps = await visit(f"http://127.0.0.1:{port}/v1/models")
    assert (steps[-1].name, steps[-1].said) == ("HTTP", "200")
    assert "Upgrade" not in heads[0] and KEY in heads[0]
    assert (await told(says(http(200, "<html>", kind="text/html")), "http"))[1] == "200, a web page instead of an API"


@pytest.mark.parametrize(("off_s", "said"), [(300, "300 s behind"), (-300, "300 s ahead"), (0, None)])
async def test_a_clock_that_is_off_is_told(off_s: int, said: str | None) -> None:
    date = formatdate(time.time() + off_s, usegmt=True)
    async with listening(says(http(200, "{}", f"Date: {date}"))) as port:
        step = (await visit(f"http://127.0.0.1:{port}/"))[-1]
    assert step.name == "clock" and step.ok == (said is None)
    shown = step.said.replace("299", "300").replace("301", "300")
    assert shown == ("this machine's clock and the server's agree" if said is None else f"this machine's clock is {said}")


async def test_a_date_that_is_none_is_no_finding() -> None:
    async with listening(says(http(200, "{}", "Date: yesterday"))) as port:
        assert (await visit(f"http://127.0.0.1:{port}/"))[-1].name == "HTTP"


async def test_whatever_a_server_says_the_visit_ends_with_a_step() -> None:
    chance = random.Random(7)
    heads = (b"", b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 401 X\r\nContent-Type: application/json\r\n\r\n{", b"HTTP/1.1 404 \r\nDate: ")
    for turn in range(60):
        noise = chance.randbytes(chance.randrange(200))
        handler = upgrades(noise or b"x") if turn % 3 == 0 else says(chance.choice(heads) + noise)
        async with listening(handler) as port:
            steps = await visit(f"ws://127.0.0.1:{port}/", timeout_s=0.5)
        assert steps[-1].name in ("HTTP", "clock", "WebSocket") and not all(step.ok for step in steps)
