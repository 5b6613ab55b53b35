"""What a pair in memory does when it is treated roughly: as a connection would seem from the other end."""

import asyncio

import pytest

from voice.errors import LinkClosed
from voice.links.base import memory_pair
from voice.links.rough import MemoryRough
from voice.policy.deeds import Close, Reset


async def test_frames_that_are_no_text() -> None:
    near, far = memory_pair()
    rough = MemoryRough(far)
    await rough.send_raw(b"\xff", text=False)
    await rough.send_raw("\ud55c".encode(), text=True)
    await rough.send_raw(b"\xff", text=True)
    assert [await near.receive(), await near.receive()] == [b"\xff", "\ud55c"]
    with pytest.raises(LinkClosed) as told:
        await near.receive()
    assert told.value.close_code == 1007


@pytest.mark.parametrize(("how", "code", "kept"), [(Close(1005), 1005, True), (Close(1006), 1006, True), (Reset(), 1006, False)])
async def test_an_end(how: Close | Reset, code: int, kept: bool) -> None:
    near, far = memory_pair()
    await far.send("under way")
    rough = MemoryRough(far)
    rough.freeze(True)
    rough.thaw()
    await rough.end(how)
    if kept:
        assert await near.receive() == "under way"
    for link in (near, far):
        with pytest.raises(LinkClosed) as told:
            async with asyncio.timeout(30):
                await link.receive()
        assert told.value.close_code == code
        with pytest.raises(LinkClosed):
            await link.send("late")
