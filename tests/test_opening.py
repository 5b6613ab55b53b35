"""`voice.connect()` dials before it loads: the server sees it while numpy is still on its way."""

import asyncio
import subprocess
import sys

import pytest

import voice
from tests.support.joined import raw_server
from voice.errors import MissingError, UsageError
from voice.opening import connect


def test_it_is_what_the_package_offers() -> None:
    assert voice.connect is connect


def test_importing_it_loads_neither_numpy_nor_a_library_of_sockets() -> None:
    heavy = "numpy msgspec websockets aiohttp soxr voice.session"
    code = f"import sys, voice.opening; print([name for name in {heavy.split()} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout.strip() == "[]"


def test_the_dial_needs_no_numpy() -> None:
    code = "import sys, voice.links.dial; print('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout.strip() == "False"


async def test_a_server_that_is_not_there_is_a_sentence_and_not_a_group() -> None:
    async with raw_server(lambda reader, writer: asyncio.sleep(0)) as port:
        pass
    with pytest.raises(MissingError, match="Is the server running"):
        async with connect(f"ws://127.0.0.1:{port}"):
            raise AssertionError
    with pytest.raises(UsageError):
        async with connect("nonsense"):
            raise AssertionError


async def test_a_mistaken_option_is_the_callers_and_the_link_is_closed() -> None:
    closed = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from tests.support.joined import upgrade

        writer.write(upgrade(await reader.readuntil(b"\r\n\r\n")))
        await reader.read()
        closed.set()

    async with asyncio.timeout(30), raw_server(talk) as port:
        with pytest.raises(TypeError, match="colour"):
            async with connect(f"ws://127.0.0.1:{port}", colour="green"):
                raise AssertionError
        await closed.wait()
