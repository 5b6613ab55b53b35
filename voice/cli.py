"""The command `voice`: parses, prints, exits.

The commands are in voice/commands, one a file; each imports what it needs when it runs, so that `voice --help` is quick. Results go to
stdout, everything else to stderr. Exit codes: 0 done, 1 failure, 2 usage or unreadable input, 69 something is not there,
78 configuration, 130 Ctrl-C (for `serve` and `twin`: 0, it is how a server is ended).
"""

import argparse
import errno
import os
import sys
from collections.abc import Callable, Sequence

from voice import __version__
from voice.commands import config, devices, doctor, replay, serve, talk, twin
from voice.errors import VoiceError, first_of
from voice.printing import printable

INTERRUPTED = 130
COMMANDS = (serve, talk, replay, twin, devices, doctor, config)
"""In the order of the help."""
NOT_WRITTEN = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""No room for what is written: nothing of ours is wrong, and a page of traceback helps nobody."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit code."""
    options = parser().parse_args(arguments)
    _log_to_stderr(options.verbose)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except (VoiceError, KeyboardInterrupt, OSError, ImportError, NameError, BaseExceptionGroup) as exc:
        # One place for them all, since a task group wraps whatever happens inside it.
        return _ended_by(exc, options)


def _ended_by(exc: BaseException, options: argparse.Namespace) -> int:
    """The exit code of a command that ended with an exception, which is said if it is one of ours, and raised again if it is a bug."""
    failure = first_of(exc)
    if _is_interrupt(failure):
        return 0 if options.run in (serve.run, twin.run) else INTERRUPTED
    if isinstance(failure, BrokenPipeError):
        # The reader of our output has gone (`| head`): not an error.
        _drop_stdout()
        return 0
    if isinstance(failure, OSError) and failure.errno in NOT_WRITTEN:
        _drop_stdout()
        print(f"voice: cannot write: {failure.strerror}", file=sys.stderr)
        return 1
    if not isinstance(failure, VoiceError):
        raise exc
    print(f"voice: {printable(str(failure))}", file=sys.stderr)
    return failure.exit_code


def _is_interrupt(failure: BaseException | None) -> bool:
    """Ctrl-C, also where it hit an import that made something else of it: webrtcvad's `except` names what it had not imported yet."""
    while isinstance(failure, NameError | ImportError):
        failure = failure.__context__
    return isinstance(failure, KeyboardInterrupt)


def _drop_stdout() -> None:
    """What is left must not be flushed at exit: it would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _log_to_stderr(verbose: bool) -> None:
    import logging

    level = logging.DEBUG if verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="voice", description="Talk to any model by voice: from a terminal, a page or a WAV file.")
    parser.add_argument("--version", action="version", version=f"voice {__version__}")
    parser.add_argument("-v", "--verbose", action="store_true", help="log every event to stderr")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add(commands)
    return parser
