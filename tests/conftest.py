"""Fixtures for all tests, and VOICE_TEST_ALL=1: whatever cannot run has failed."""

import gc
import os
import signal
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.support.judged import NOTING, Sessions, watched
from tests.support.needs import flite_wav, human_wavs
from tests.support.sharing import OneAtTheCards

__all__ = ["flite_wav", "human_wavs"]

# Whoever runs the tests in the background of a script may have switched Ctrl-C off, for all that they start as well.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The same inputs in every run, and no limit to one of them: nothing that is found, and no slow machine, stops who changed something else.
# The long storms (`apart`) draw others each time.
settings.register_profile("same", deadline=None, derandomize=True)
settings.load_profile("same")

SLOW_FILES = frozenset(f"test_{name}.py" for name in ("chat_spoken", "frames", "heads", "keepalive", "links_contract"))
"""Files whose tests start servers and processes, play in real time or look at clocks. They wait for most of their time (300 s, with 120 s of CPU), so
two run at once, of those with sound cards one; more would disturb each other."""

BULK_FILES = frozenset(
    f"test_{name}.py"
    for name in (
        *(
            "cascade",
            "chat_client",
            "commands_talk",
            "engines_chat",
            "keeper",
            "opening",
            "probe",
            "process",
            "relay",
            "server_secrets",
            "silence",
            "card",
            "sound",
            "speaker",
            "talk",
        ),
        *(
            "clienttools",
            "cut",
            "dialects_wire",
            "engines_contract",
            "faults_client",
            "faults_page",
            "inside",
            "standing",
            "testing_page",
            "testing_plugin",
            "errands_storm",
            "refused",
            "roughweb",
            "grammar",
            "network",
            "session_memory",
            "stretch",
            "stt",
            "trim",
            "turntaking_storm",
            "vad",
        ),
        *("devices_base", "drain", "espeak", "fixtures", "flite", "greeting", "local", "machine", "mcp", "outbox", "paced", "piper"),
        *("entry", "screen", "terminal", "tmux"),
        *("additions", "backstage_storm", "shop_served", "commands_twin", "engines_twin", "twin_page"),
        *(
            "acting",
            "client_storm",
            "decoders",
            "elastic_words",
            "gated",
            "dialects_hostile",
            "limits",
            "protocol_storm",
            "server_storm",
            "serverside_storm",
            "shop",
        ),
        *(
            "canceller",
            "gain",
            "noises",
            "deciding_storm",
            "dialect_formats",
            "dialect_story",
            "ending",
            "interpreter",
            "judged",
            "long_talk",
            "talk_ends",
            "reply_storm",
            "spoken",
            "wire_storm",
        ),
        *("aligned", "announcing", "aside", "behind", "devices_recording", "drawn", "lead", "ourselves", "reference", "turns"),
        *("calling", "korean", "korean_words", "numbers", "reading", "skills"),
        *("realtime", "echo", "echo_talk", "realtime_dialects", "replay", "server_twin", "session", "sphinx", "tts", "wavmic"),
    )
)
"""Slow files that may run side by side: they compute, or wait for clocks with room to spare. With those above they are marked `slow`, so that
the check before a commit stays under 30 s."""

TEST_ALL = os.environ.get("VOICE_TEST_ALL") == "1"


@pytest.fixture(scope="session", autouse=True)
def no_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The settings and keys of whoever runs the tests are not theirs to find."""
    empty = tmp_path_factory.mktemp("settings") / "voice.toml"
    empty.touch()
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith(("VOICE_", "OPENAI_")) and name != "VOICE_TEST_ALL" or name.endswith(("_API_KEY", "_API_KEY_FILE")):
                patch.delenv(name)
        patch.setenv("VOICE_CONFIG", str(empty))
        yield


@pytest.fixture(scope="session")
def all_sessions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sessions]:
    """Every answering session of this process, and of the Pythons that it starts, is noted."""
    folder = tmp_path_factory.mktemp("sent")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NOTES_OF_SESSIONS", str(folder))
        patch.setenv("PYTHONPATH", os.pathsep.join([str(NOTING), *filter(None, [os.environ.get("PYTHONPATH")])]))
        sessions = Sessions(folder)
        with watched(sessions):
            yield sessions


@pytest.fixture(autouse=True)
def in_order(all_sessions: Sessions) -> Iterator[Sessions]:
    """No test passes whose server sent an event at the wrong moment or of the wrong form, whatever else it looks at."""
    yield all_sessions
    all_sessions.judge()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """The quick run need not even read the files that it leaves out (2 s)."""
    return True if config.option.markexpr == "not slow" and collection_path.name in SLOW_FILES | BULK_FILES else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.name in SLOW_FILES | BULK_FILES:
            item.add_marker(pytest.mark.slow)
        if item.path.name in BULK_FILES:
            item.add_marker(pytest.mark.bulk)
        if item.get_closest_marker("apart"):
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.conformance)


def _no_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """A skip becomes a failure with the skip's reason (an expected failure is no skip)."""
    if TEST_ALL and report.outcome == "skipped" and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"VOICE_TEST_ALL=1 leaves nothing out. {reason}"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """In bulk one more than there are cores: some of those tests wait for processes, sockets and clocks (400 s, with 240 s of CPU)."""
    return (os.cpu_count() or 1) + 1 if config.option.markexpr.startswith("bulk") else None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneAtTheCards | None:
    return OneAtTheCards(config, log) if config.option.dist == "loadgroup" else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    report = yield
    _no_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, Any]:
    report = yield
    _no_skip(report)
    return report


def pytest_collection_finish() -> None:
    """What was collected stays to the end: the collector of garbage need not look through it again and again."""
    gc.collect()
    gc.freeze()
