"""A twin that turns a handshake away: by status, by silence, by cutting the connection."""

import asyncio

import pytest

from tests.support.http import Answer, app_running, ask
from tests.support.joined import handshake
from tests.support.until import until
from tests.support.wire import fake_engine
from voice.engines.local import LocalEngine
from voice.links.faulty import Faults
from voice.links.sights import Refused, Sight
from voice.policy.faults import read_faults

WAIT_S = 30


def twin(text: str, seen: list[Sight] | None = None) -> LocalEngine:
    """An engine that misbehaves."""
    engine = fake_engine()
    engine.faults = Faults(read_faults(text, "f"), lambda number, sight: (seen if seen is not None else []).append(sight))  # type: ignore[attr-defined]
    return engine


def waiting() -> bool:
    """Whether a client is being kept waiting."""
    return any("not answered" in task.get_name() for task in asyncio.all_tasks())


async def refused(text: str) -> Answer:
    async with asyncio.timeout(WAIT_S), app_running(twin(text)) as port:
        return await ask(port, handshake(port))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
async def test_a_status_with_an_error_in_the_services_form(status: int) -> None:
    answer = await refused(f'[[fault]]\ndo = "refuse"\nstatus = {status}')
    error = answer.json["error"]
    assert answer.status == status and "retry-after" not in answer.headers
    assert set(error) == {"message", "type", "code", "param"} and error["message"]
    assert error["type"] == ("server_error" if status >= 500 else "invalid_request_error")


@pytest.mark.parametrize(
    ("retry_after", "header"), [("2", "2"), ("0", "0"), ("0.5", "0.5"), ("120.0", "120"), ("1000000", "1000000"), ("86400.5", "86400.5")]
)
async def test_when_to_come_back(retry_after: str, header: str) -> None:
    answer = await refused(f'[[fault]]\ndo = "refuse"\nstatus = 429\nretry_after = {retry_after}\ncode = "slow_down"\nmessage = "Slow."')
    assert (answer.status, answer.headers["retry-after"]) == (429, header)
    assert (answer.json["error"]["code"], answer.json["error"]["message"]) == ("slow_down", "Slow.")


async def test_only_those_that_are_meant_and_they_take_no_place() -> None:
    seen: list[Sight] = []
    text = '[[fault]]\ndo = "refuse"\nstatus = 503\ntimes = 2\n[[fault]]\ndo = "refuse"\nstatus = 403\nsession = 4'
    async with asyncio.timeout(WAIT_S), app_running(twin(text, seen), max_sessions=1) as port:
        answers = []
        for _ in range(5):
            answer = await ask(port, handshake(port))
            while answer.status == 429:  # the one before has not quite left its place
                answer = await ask(port, handshake(port))
            answers.append(answer.status)
    assert answers == [503, 503, 101, 403, 101]
    assert sum(isinstance(sight, Refused) for sight in seen) == 3


async def test_what_is_no_handshake_or_not_let_in_is_not_counted() -> None:
    async with asyncio.timeout(WAIT_S), app_running(twin('[[fault]]\ndo = "refuse"\nsession = 1'), server_key="k" * 40) as port:
        assert (await ask(port, handshake(port))).status == 401
        assert (await ask(port, handshake(port, Authorization="Bearer " + "k" * 40))).status == 503


async def test_a_connection_that_is_cut_gives_no_answer() -> None:
    async with asyncio.timeout(WAIT_S), app_running(twin('[[fault]]\ndo = "refuse"\nkind = "cut"')) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(handshake(port))
        assert await reader.read() == b""
        writer.close()
        assert (await ask(port, handshake(port))).status == 101


async def test_silence_lasts_until_the_client_leaves() -> None:
    async with asyncio.timeout(WAIT_S), app_running(twin('[[fault]]\ndo = "refuse"\nkind = "silence"')) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(handshake(port))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await reader.read()
        assert waiting()
        writer.close()
        await until(lambda: not waiting())
        assert (await ask(port, handshake(port))).status == 101


async def test_silence_does_not_outlive_the_server() -> None:
    async with asyncio.timeout(WAIT_S):
        async with app_running(twin('[[fault]]\ndo = "refuse"\nkind = "silence"')) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(handshake(port))
            await until(waiting)
        assert await reader.read() == b""
        writer.close()
