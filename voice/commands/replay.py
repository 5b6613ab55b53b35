"""`voice replay`: a conversation with WAV files, and how it is shown."""

import argparse
import os
import sys

from voice.commands.answering import add_model, chat_of, engine_maker, tools_of
from voice.commands.flags import SYNTHESIZERS, add_config, moment, settle
from voice.commands.reaching import add_dialect, server_of
from voice.commands.twin import add_script, twin_of, wants_twin
from voice.printing import printable

TYPE_CHECKING = False
"""As `typing.TYPE_CHECKING`, without the import."""

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from voice.engines.local import LocalOptions
    from voice.engines.twin import TwinEngine


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser("replay", help="hold a conversation with WAV files", description=run.__doc__)
    parser.add_argument("files", nargs="+", metavar="WAV", help="recordings: any rate, any number of channels, 8 to 32 bit or float")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--url", help="a Realtime server: ws://, wss://, http:// or https://")
    where.add_argument(
        "--engine",
        choices=["local", "relay", "twin"],
        help="what answers: an engine in this process (the default), or the service of --provider",
    )
    add_dialect(parser)
    add_script(parser)
    parser.add_argument("--turns", choices=["server", "client"], help="who ends a turn (default: server)")
    parser.add_argument("--out", metavar="DIR", help="write reply-000.wav, ..., reply.wav and trace.jsonl there")
    parser.add_argument("--realtime", action="store_true", help="play in real time and measure the latency")
    parser.add_argument("--at", type=moment, metavar="TIME", help="the time of day for the local engine, e.g. 2026-11-20T10:00")
    parser.add_argument("--speech", choices=SYNTHESIZERS, help="synthesiser of the local engine (default: auto)")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    add_model(parser)
    add_config(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Play WAV files as the microphone of one conversation and report each turn."""
    import asyncio
    from pathlib import Path

    from voice.replay import ReplayOptions, replay

    config = settle(options)
    report = JsonReport() if options.json else PlainReport()
    chosen = ReplayOptions(
        files=options.files,
        url=server_of(config, services=False),
        turns=options.turns,
        out=Path(options.out) if options.out else None,
        realtime=options.realtime,
        start_wall_s=options.at,
        synthesizer=options.speech,
        chat=chat_of(config),
    )
    if not wants_twin(options, config):
        return 0 if asyncio.run(replay(chosen, report, engine_maker(config, tools_of(config)))) else 1

    def make_twin(wanted: "LocalOptions") -> "AbstractAsyncContextManager[TwinEngine]":
        from voice.engines.twin import TwinOptions

        # In virtual time the microphone stands still while an answer is made: there is nothing to wait for.
        return twin_of(options, TwinOptions(wanted.life_s, wanted.clocks, hurry=wanted.clocks.pace is None))

    return 0 if asyncio.run(replay(chosen, report, make_twin)) else 1


class JsonReport:
    """One object a line on stdout."""

    def result(self, line: dict[str, object]) -> None:
        import json

        print(json.dumps(line, ensure_ascii=False), flush=True)

    def note(self, text: str) -> None:
        print(f"voice: {printable(text)}", file=sys.stderr, flush=True)

    def progress(self, file: str, done_ms: int, total_ms: int) -> None:
        pass


class PlainReport:
    """For people: each turn as it happens; how far a file is, on a terminal."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._shown_s = -1

    def result(self, line: dict[str, object]) -> None:
        self._clear()
        print("\n".join(_turn_lines(line) if line["event"] == "turn" else _summary_lines(line)), flush=True)

    def note(self, text: str) -> None:
        self._clear()
        print(f"voice: {printable(text)}", file=sys.stderr, flush=True)

    def progress(self, file: str, done_ms: int, total_ms: int) -> None:
        if self._terminal and done_ms // 1000 != self._shown_s:
            self._shown_s = done_ms // 1000
            print(
                f"\r\x1b[K{printable(os.path.basename(file))}  {done_ms // 1000} of {total_ms // 1000} s",
                end="",
                file=sys.stderr,
                flush=True,
            )

    def _clear(self) -> None:
        if self._terminal:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _turn_lines(turn: dict[str, object]) -> list[str]:
    started, stopped = turn["speech_started_ms"], turn["speech_stopped_ms"]
    where = f"{printable(os.path.basename(str(turn['file'])))}"
    if isinstance(started, int) and isinstance(stopped, int):
        where += f"  {started / 1000:.2f}-{stopped / 1000:.2f} s"
    said = printable(str(turn["user_text"])) or "(nothing understood)"
    answer = printable(str(turn["assistant_text"])) or f"({str(turn['status']).replace('_', ' ')})"
    length = f"reply {int(str(turn['reply_ms'])) / 1000:.2f} s"
    if turn["first_audio_ms"] is not None:
        length += f", first sound {turn['first_audio_ms']} ms after the last word"
    if turn["status"] != "completed":
        length += f", {turn['status']}"
    return [f"{where}", f"  you:   {said}", f"  voice: {answer}   ({length})"]


def _summary_lines(summary: dict[str, object]) -> list[str]:
    turns = int(str(summary["turns"]))
    heard = f"{int(str(summary['audio_in_ms'])) / 1000:.1f} s of sound"
    lines = [f"{turns} turn{'' if turns == 1 else 's'} in {heard}" if turns else f"nobody speaks in {heard}: 0 turns"]
    errors = summary["errors"]
    assert isinstance(errors, list)
    return lines + [f"  error {printable(error['code'])}: {printable(error['message'])}" for error in errors]
