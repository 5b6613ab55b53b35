"""This machine: configuration, sound, port."""

import asyncio
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from voice.config import Config, Settings, load
from voice.devices.behind import real_names
from voice.devices.portaudio import Device, devices, trouble, version
from voice.devices.telephone import telephone
from voice.doctor.finding import BAD, NOTE, OK, Finding
from voice.errors import VoiceError

HEALTH_TIMEOUT_S = 1.0


class _Health(msgspec.Struct):
    """What our own server says at /healthz."""

    version: str
    engine: str


def configuration(file: Path | None, environ: Mapping[str, str]) -> tuple[Config, Finding]:
    """The settings, the default ones if they cannot be read; and which files and keys there are."""
    try:
        config = load({}, environ, file)
    except VoiceError as exc:
        return Config(Settings(), {}, environ, {}), Finding("configuration", BAD, str(exc), "mend it: no command runs with it")
    files = ", ".join(str(path) for path in config.files) or "no file"
    keys = ", ".join(f"{name} ({origin})" if origin != name else name for name, origin in config.key_origins.items())
    said = f"keys set: {keys}" if keys else "no key set; the local engine needs none"
    return config, Finding("configuration", OK, f"{files}; {said}")


def sound() -> Iterator[Finding]:
    """Sound library and devices: `voice serve` needs neither."""
    try:
        yield Finding("sound library", OK, version())
        found = devices()
    except VoiceError as exc:
        said, _, fix = str(exc).rpartition(": ")
        yield Finding("sound library", NOTE, said, fix)
        return
    yield device("microphone", "input", [one for one in found if one.inputs], [one for one in found if one.default_input])
    yield device("loudspeaker", "output", [one for one in found if one.outputs], [one for one in found if one.default_output])
    yield from headset(next((one for one in found if one.default_input), None), next((one for one in found if one.default_output), None))


def device(name: str, kind: str, found: Sequence[Device], default: Sequence[Device]) -> Finding:
    """Microphones or loudspeakers: the default one, whether it can be used, and how many more there are."""
    if not found:
        return Finding(name, NOTE, "none", "plug one in, or run `voice serve` and talk in a browser")
    more = f", and {len(found) - 1} more (`voice devices`)" if len(found) > 1 else ""
    if not default:
        return Finding(name, NOTE, f"none is the default{more}", f"name one: --{kind} NAME, or {kind} in the configuration")
    try:
        why = trouble(default[0], kind)
    except VoiceError as exc:
        why = str(exc)
    if why:
        fix = f"another program may hold it, or it may not be allowed here: close that, or take another with --{kind} NAME"
        return Finding(name, NOTE, f"{default[0].name} cannot be used: {why}{more}", fix)
    return Finding(name, OK, f"{default[0].name}{more}")


def headset(microphone: Device | None, loudspeaker: Device | None) -> Iterator[Finding]:
    """A Bluetooth headset that plays at telephone quality while its microphone is open; nothing if the two are well chosen."""
    if microphone is None or loudspeaker is None:
        return
    heard, played = real_names(microphone, loudspeaker)
    said = telephone(heard or microphone.name, microphone.rate_hz, played or loudspeaker.name, loudspeaker.rate_hz)
    said, _, fix = said.partition(": ")
    if said:
        yield Finding("headset", NOTE, said, fix)


async def port(host: str, number: int) -> Finding:
    """Whether `voice serve` can listen there."""
    where = f"[{host}]:{number}" if ":" in host else f"{host}:{number}"
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # As asyncio does for a server: a connection that is just ending does not hold the port.
        socket.create_server((host, number), family=family).close()
    except OSError as exc:
        health = await _health(host, number, where)
        if health is not None:
            return Finding("port", OK, f"{where}: voice {health.version} is serving there ({health.engine})")
        # Not exc.strerror: create_server repeats the address in it.
        reason = os.strerror(exc.errno) if exc.errno and exc.errno > 0 else str(exc)
        return Finding("port", BAD, f"{where}: {reason}", "end what listens there, or take another: voice serve --port 0")
    return Finding("port", OK, f"{where} is free")


async def _health(host: str, number: int, where: str) -> _Health | None:
    """What a server of ours says there; None if it is none."""
    writer = None
    try:
        async with asyncio.timeout(HEALTH_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(host, number)
            writer.write(f"GET /healthz HTTP/1.1\r\nHost: {where}\r\nConnection: close\r\n\r\n".encode())
            answer = await reader.read(1 << 16)
            return msgspec.json.decode(answer.partition(b"\r\n\r\n")[2] or await reader.read(1 << 16), type=_Health)
    except (OSError, TimeoutError, msgspec.MsgspecError, RecursionError):
        return None
    finally:
        if writer is not None:
            writer.transport.abort()
