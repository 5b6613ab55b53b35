"""Hearing a peer out before its connection is closed: bytes that nobody reads would turn the close into a reset.

A kernel that closes a socket with unread bytes sends a reset, and the peer's kernel then throws away what it had not read yet: the close frame that
says why (RFC 1122, 4.2.2.13). So the rest is read off and forgotten, within bounds.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

QUIET_S = 0.25
"""Nothing more comes: the peer has sent all, or has understood."""
MAX_S = 5.0
MAX_BYTES = 64 << 20


class _Drain(asyncio.Protocol):
    """In the place of the connection's own protocol, which is told of what concerns more than the bytes."""

    def __init__(self, own: asyncio.Protocol) -> None:
        self.own = own
        self.read_bytes = 0
        self.lost = False
        self.stirred = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.read_bytes += len(data)
        self.stirred.set()

    def eof_received(self) -> bool | None:
        self.lost = True
        self.stirred.set()
        return self.own.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self.stirred.set()
        self.own.connection_lost(exc)

    def pause_writing(self) -> None:
        self.own.pause_writing()

    def resume_writing(self) -> None:
        self.own.resume_writing()


@contextmanager
def _draining(transport: asyncio.Transport) -> Iterator[_Drain]:
    """What comes while the block runs is read off."""
    drain = _Drain(cast(asyncio.Protocol, transport.get_protocol()))
    transport.set_protocol(drain)
    if not transport.is_reading():
        transport.resume_reading()
    try:
        yield drain
    finally:
        transport.set_protocol(drain.own)


async def drained(transport: asyncio.Transport) -> int:
    """Read and forget what still comes, until nothing does; returns how many bytes that were. At most for `MAX_S`, at most `MAX_BYTES`."""
    if transport.is_closing():
        return 0
    with _draining(transport) as drain:
        try:
            async with asyncio.timeout(MAX_S):
                while not drain.lost and drain.read_bytes < MAX_BYTES:
                    drain.stirred.clear()
                    async with asyncio.timeout(QUIET_S):
                        await drain.stirred.wait()
        except TimeoutError:
            # Quiet at last, or too long: either way it was heard out.
            pass
    return drain.read_bytes


async def departed(transport: asyncio.Transport) -> None:
    """Read and forget what comes until the peer has gone, however long that takes."""
    if transport.is_closing():
        return
    with _draining(transport) as drain:
        while not drain.lost:
            drain.stirred.clear()
            await drain.stirred.wait()
