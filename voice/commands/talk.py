"""`voice talk`: a conversation at the microphone, and how it is shown."""

import argparse
import os
import sys
from contextlib import asynccontextmanager, contextmanager
from functools import partial

from voice.commands.answering import chat_of, engine_maker, tools_of
from voice.commands.flags import SYNTHESIZERS, add_config, settle
from voice.commands.reaching import add_dialect, server_of
from voice.commands.twin import add_script, twin_of, wants_twin
from voice.printing import printable

TYPE_CHECKING = False
"""As `typing.TYPE_CHECKING`, without the import."""

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractAsyncContextManager

    from voice.devices.recording import Recording
    from voice.devices.typed import Key
    from voice.engines.destination import Destination
    from voice.report import Report
    from voice.session import Answering
    from voice.talk import TalkOptions

NO_CANCELLER = (
    'no echo canceller is installed: pip install "voice[desktop]", or take headphones and --headphones; else a microphone that hears the '
    "loudspeaker is shut while an answer is played"
)


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser("talk", help="talk at the microphone", description=run.__doc__)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--url", help="a Realtime server: ws://, wss://, http:// or https://")
    where.add_argument(
        "--engine",
        choices=["local", "relay", "twin"],
        help="what answers: an engine in this process (the default), or a service (as with --provider)",
    )
    add_script(parser)
    parser.add_argument("--provider", metavar="NAME", help="a service by its name (with its key); after --engine local: its chat model")
    add_dialect(parser)
    parser.add_argument("--model", help="which model answers there")
    parser.add_argument("--turns", choices=["server", "client"], help="who ends a turn (default: server)")
    parser.add_argument("--input", metavar="DEVICE|WAV", help="microphone: a number or a part of its name, or a sound file")
    parser.add_argument("--output", metavar="DEVICE|WAV|null", help="loudspeaker: a number or a part of its name, a WAV to write, or null")
    parser.add_argument("--push-to-talk", action="store_true", help="Enter opens the microphone, Enter again ends the turn")
    parser.add_argument(
        "--headphones", action="store_true", default=None, help="the microphone cannot hear the loudspeaker: interrupt by speaking"
    )
    parser.add_argument("--speech", choices=SYNTHESIZERS, help="synthesiser of the local engine (default: auto)")
    parser.add_argument("--gate", action="store_true", default=None, help="send no silence")
    parser.add_argument("--idle-mute", type=float, metavar="SECONDS", help="mute the microphone when nobody has spoken for so long")
    parser.add_argument("--max-length", type=float, metavar="SECONDS", help="end the conversation after so long, with a warning before")
    parser.add_argument("--record", metavar="DIR", help="write both sides of the conversation down, as two WAVs, its events and its turns")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    add_config(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Talk at the microphone and hear the answers. Type a line to send it as text; Enter or Esc stops an answer; Ctrl-C ends it."""
    import asyncio

    from voice.engines.local import LocalOptions
    from voice.talk import TalkOptions

    config = settle(options)
    server = server_of(config, services=True)
    chosen = TalkOptions("client" if options.push_to_talk else options.turns, options.push_to_talk)
    twin = wants_twin(options, config)
    make_engine: Callable[[], AbstractAsyncContextManager[Answering]] | None = None
    if server is None:
        local = LocalOptions(synthesizer=options.speech, warm=True, chat=chat_of(config, relays=True))
        make_engine = partial(twin_of, options) if twin else partial(engine_maker(config, tools_of(config)), local)
    return 0 if asyncio.run(_talk(options, chosen, server, make_engine)) else 1


async def _talk(
    options: argparse.Namespace,
    chosen: "TalkOptions",
    server: "Destination | None",
    make_engine: "Callable[[], AbstractAsyncContextManager[Answering]] | None",
) -> bool:
    import asyncio
    from contextlib import AsyncExitStack
    from dataclasses import replace

    from voice.aside import Aside, Recorded
    from voice.audio.gain import SlowGain
    from voice.audio.turns import TurnDetector, TurnSettings
    from voice.audio.vad import make_detector
    from voice.devices.canceller import make_canceller
    from voice.devices.choice import is_file
    from voice.devices.clear import ClearMicrophone
    from voice.devices.open import open_devices
    from voice.opening import connect
    from voice.policy.staying import Staying
    from voice.session import settings_of
    from voice.talk import Talk

    async with AsyncExitStack() as stack:
        report, lines, keys = await stack.enter_async_context(_shown(options))
        recording = None if options.record is None else stack.enter_context(_recording(options.record, report))
        # The devices first: whoever has none is told so at once, and is not kept waiting for a model.
        opened = await stack.enter_async_context(open_devices(options.input, options.output, report.note))
        # The library takes half a second to load, on a thread: the loop has devices to serve.
        microphone = opened.microphone if recording is None else opened.joined()
        if opened.beside:
            canceller = await asyncio.to_thread(make_canceller, bool(options.headphones))
            if canceller is None and not (options.headphones or chosen.push_to_talk):
                report.note(NO_CANCELLER)
            microphone = ClearMicrophone(microphone, canceller)
        engine = None if make_engine is None else await stack.enter_async_context(make_engine())
        detector = None if chosen.push_to_talk else TurnDetector(TurnSettings(), make_detector())
        settings = settings_of(turns=chosen.turns, decide=not chosen.push_to_talk)
        # A file is sent as it is.
        gain = None if options.input is not None and is_file(options.input) else SlowGain()
        session = await stack.enter_async_context(
            connect(server, settings=settings, engine=engine, detector=detector, trace=recording, gate=options.gate, gain=gain)
        )
        report.note(_greeting(opened.microphone.name, opened.speaker.name, chosen, drawn=keys is not None))
        # 0: never
        staying = Staying(options.idle_mute or None, options.max_length or None)
        aside = Aside(report, recording, staying, session.aloud)
        if recording is not None:
            report = Recorded(report, recording)
        talk = Talk(replace(chosen, headphones=bool(options.headphones)), session, microphone, opened.speaker, report, aside)
        return await talk.run(lines, keys)


@asynccontextmanager
async def _shown(options: argparse.Namespace) -> "AsyncIterator[tuple[Report, AsyncIterator[str], AsyncIterator[Key] | None]]":
    """Who is told, where lines come from, and keys if there are any: a terminal is drawn; a program reads lines, or JSON."""
    from importlib.util import find_spec

    from voice.commands.shown import JsonLines, PlainLines
    from voice.devices.typed import typed_lines

    if options.json:
        yield JsonLines(), typed_lines(), None
        return
    plain = PlainLines()
    if not _drawable():
        yield plain, typed_lines(), None
    elif find_spec("prompt_toolkit") is None:
        plain.note("for a screen with levels, live captions and keys: pip install 'voice[desktop]'")
        yield plain, typed_lines(), None
    else:
        from voice.terminal.screen import screen

        async with screen(options.push_to_talk) as made:
            yield made.picture, made.entry.lines(), made.entry.keys()


def _drawable() -> bool:
    """Whether a person sits at both ends, before a terminal that does what it is told."""
    ends = (sys.stdin, sys.stdout)
    able = sys.platform == "win32" or os.environ.get("TERM", "") not in ("", "dumb", "unknown")
    return able and all(end is not None and end.isatty() for end in ends)


@contextmanager
def _recording(folder: str, report: "Report") -> "Iterator[Recording]":
    """A recording, of which people are told at its beginning, and at its end if something is missing."""
    from voice.devices.recording import Recording

    with Recording(folder) as recording:
        report.note(f"recording into {printable(folder)}: what you say and what is played, until you end the conversation")
        yield recording
    if trouble := recording.trouble():
        report.note(trouble)


def _greeting(microphone: str, speaker: str, chosen: "TalkOptions", drawn: bool) -> str:
    """What to do, in one or two sentences. `drawn`: the keys stand on the screen."""
    said = f"microphone {printable(microphone)}, loudspeaker {printable(speaker)}. "
    key = "The space bar" if drawn else "Enter"
    if chosen.push_to_talk:
        return said + f"{key} opens the microphone, and again sends what you said" + ("." if drawn else "; Ctrl-C ends.")
    return said + "Speak, or type a line" + ("." if drawn else "; Enter stops an answer, Ctrl-C ends.")
