"""The command `voice`: parses, prints, exits. Each subcommand imports what it needs, so that `voice --help` is quick.

Results go to stdout, everything else to stderr. Exit codes: 0 done, 1 failure, 2 usage or unreadable input, 69 something is not
there, 78 configuration, 130 Ctrl-C.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from voice import __version__
from voice.errors import ConfigError, UsageError, VoiceError

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    _log_to_stderr(options.verbose)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): not an error; what is left must not be flushed at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (VoiceError, BaseExceptionGroup) as exc:
        failure = _first(exc)
        if not isinstance(failure, VoiceError):
            raise
        print(f"voice: {printable(str(failure))}", file=sys.stderr)
        return failure.exit_code


def _log_to_stderr(verbose: bool) -> None:
    import logging

    level = logging.DEBUG if verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)


def _first(exc: BaseException) -> BaseException:
    """What a task group has wrapped."""
    while isinstance(exc, BaseExceptionGroup):
        exc = exc.exceptions[0]
    return exc


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="voice", description="Talk to any model by voice: from a terminal, a page or a WAV file.")
    parser.add_argument("--version", action="version", version=f"voice {__version__}")
    parser.add_argument("-v", "--verbose", action="store_true", help="log every event to stderr")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_serve(commands.add_parser("serve", help="serve the Realtime protocol and a page", description=_serve.__doc__))
    _add_replay(commands.add_parser("replay", help="hold a conversation with WAV files", description=_replay.__doc__))
    return parser


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=8765, help="port; 0 takes a free one (default: %(default)s)")
    parser.add_argument("--cert", metavar="PEM", help="serve TLS with this certificate (chain)")
    parser.add_argument("--key", metavar="PEM", help="the certificate's private key, if it is in a file of its own")
    parser.add_argument(
        "--life", type=_seconds, default=3600.0, metavar="SECONDS", help="end every session after this time (default: 3600)"
    )
    parser.add_argument("--engine", choices=["local"], default="local", help="what answers (default: %(default)s)")
    parser.add_argument("--speech", choices=SYNTHESIZERS, default="auto", help="synthesiser of the local engine (default: %(default)s)")
    parser.add_argument("--max-sessions", type=_count, default=100, metavar="N", help="refuse more at once (default: %(default)s)")
    parser.set_defaults(run=_serve)


def _add_replay(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="WAV", help="recordings: any rate, any number of channels, 8 to 32 bit or float")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--url", help="a Realtime server: ws://, wss://, http:// or https://")
    where.add_argument("--engine", choices=["local"], default="local", help="what answers, in this process (default: %(default)s)")
    parser.add_argument("--turns", choices=["server", "client"], default="server", help="who ends a turn (default: %(default)s)")
    parser.add_argument("--out", metavar="DIR", help="write reply-000.wav, ..., reply.wav and trace.jsonl there")
    parser.add_argument("--realtime", action="store_true", help="play in real time and measure the latency")
    parser.add_argument("--at", type=_moment, metavar="TIME", help="the time of day for the local engine, e.g. 2026-11-20T10:00")
    parser.add_argument("--speech", choices=SYNTHESIZERS, default="auto", help="synthesiser of the local engine (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.set_defaults(run=_replay)


SYNTHESIZERS = ("auto", "espeak", "flite", "piper")


def _serve(options: argparse.Namespace) -> int:
    """Serve the Realtime protocol at /v1/realtime with the embedded engine. Ctrl-C ends it."""
    import asyncio
    from pathlib import Path

    from voice.engines.local import LocalOptions, local_engine
    from voice.server.app import ServeOptions, serve
    from voice.server.found import findings
    from voice.server.guard import is_loopback

    if options.key and not options.cert:
        raise UsageError("--key needs --cert: give the certificate too")
    if not is_loopback(options.host):
        raise ConfigError(
            f"--host {options.host} would let others in without a credential: serve on 127.0.0.1 and put a proxy with authentication in front"
        )

    async def run() -> None:
        async with local_engine(LocalOptions(synthesizer=options.speech, life_s=options.life)) as engine:
            found = findings(engine)
            for what, text in found.items():
                print(f"{what}: {text}", file=sys.stderr, flush=True)
            cert, key = (Path(name) if name else None for name in (options.cert, options.key))
            listen = ServeOptions(options.host, options.port, cert, key, options.max_sessions)
            await serve(engine, listen, found, lambda address: print(f"listening on {address}", flush=True))

    try:
        asyncio.run(run())
    except KeyboardInterrupt:
        pass  # before it listened, or where a loop has no signals: this is how a server is ended
    return 0


def _replay(options: argparse.Namespace) -> int:
    """Play WAV files as the microphone of one conversation and report each turn."""
    import asyncio
    from pathlib import Path

    from voice.replay import ReplayOptions, replay

    report = _JsonReport() if options.json else _PlainReport()
    chosen = ReplayOptions(
        files=options.files,
        url=options.url,
        api_key=os.environ.get("OPENAI_API_KEY") if options.url else None,
        turns=options.turns,
        out=Path(options.out) if options.out else None,
        realtime=options.realtime,
        start_wall_s=options.at,
        synthesizer=options.speech,
    )
    return 0 if asyncio.run(replay(chosen, report)) else 1


class _JsonReport:
    """One object a line on stdout."""

    def result(self, line: dict[str, object]) -> None:
        import json

        print(json.dumps(line, ensure_ascii=False), flush=True)

    def note(self, text: str) -> None:
        print(f"voice: {printable(text)}", file=sys.stderr, flush=True)

    def progress(self, file: str, done_ms: int, total_ms: int) -> None:
        pass


class _PlainReport:
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


def printable(text: str) -> str:
    """Text from outside without the control characters that a terminal would obey."""
    return "".join(character if character.isprintable() else " " for character in text)


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"'{text}' is not a port: 0 to 65535")
    return int(text)


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number above 0")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of seconds above 0")
    return value


def _moment(text: str) -> float:
    from datetime import datetime

    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError as exc:
        raise argparse.ArgumentTypeError(f"'{text}' is not a time like 2026-11-20T10:00") from exc
