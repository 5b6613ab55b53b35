"""The rules of the house hold in every file; and each rule catches what it is for."""

import functools
import gc
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support import habits, layout
from tests.support.layout import Breach, Source

ROOT = Path(__file__).resolve().parent.parent
TEXTS = {".py", ".md", ".toml", ".js", ".mjs", ".html", ".css", ".json", ".jsonl", ".txt", ".csv", ".yml", ".yaml", ".sh", ".service", ""}

# module: the test file that imports and tests it under another name. Few: a module that deserves a file deserves its tests.
TESTED_ELSEWHERE = {
    "voice/audio/tuning.py": "tests/test_starting.py",
    "voice/doctor/finding.py": "tests/test_doctor.py",
    "voice/engines/base.py": "tests/test_engines_contract.py",
    "voice/links/base.py": "tests/test_links_contract.py",
}


def listed(*options: str) -> list[str] | None:
    """Files that git lists; None where there is no git or no repository (an unpacked sdist)."""
    if shutil.which("git") is None:
        return None
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60)
    return done.stdout.decode().split("\0") if done.returncode == 0 else None


def project_files() -> list[str]:
    """The files of the project: what git knows, and in voice/ what it would add. What else lies about is not ours to judge."""
    names = listed("-c")
    if names is None:
        parts = ("voice", "tests", "bench", "fixtures", "docs", "scripts", "web", ".ci")
        names = ["Makefile", *(path.relative_to(ROOT).as_posix() for part in parts for path in (ROOT / part).rglob("*"))]
    names += listed("-o", "--exclude-standard", "--", "voice") or []
    return sorted({name for name in names if name and "__pycache__" not in name and (ROOT / name).is_file()})


FILES = project_files()


@functools.cache
def read() -> tuple[list[Source], list[str]]:
    """Every Python file, and what is wrong with those that are none. Not while tests are collected: it takes 2 s, in every process."""
    sources: list[Source] = []
    unreadable: list[str] = []
    # Millions of nodes that stay: whoever looks among them for what may go finds nothing, again and again.
    gc.disable()
    for name in FILES:
        if name.endswith(".py"):
            try:
                source = Source(name, (ROOT / name).read_text("utf-8"))
                assert source.nodes
                sources.append(source)
            except SyntaxError as exc:
                unreadable.append(str(exc))
    gc.freeze()
    gc.enable()
    return sources, unreadable


def breaches(source: Source) -> list[Breach]:
    return [Breach(source.path, line, what) for rule in (*layout.RULES, *habits.RULES) for line, what in rule(source)]


def test_the_house_is_looked_at() -> None:
    assert "voice/errors.py" in FILES and "Makefile" in FILES
    sources, unreadable = read()
    assert {"voice/errors.py", "tests/test_layout.py"} <= {source.path for source in sources}
    assert not unreadable


@pytest.mark.parametrize("rule", (*layout.RULES, *habits.RULES), ids=lambda rule: rule.__name__)
def test_every_file_keeps_the_rule(rule: layout.Rule) -> None:
    found = [str(Breach(source.path, line, what)) for source in read()[0] for line, what in rule(source)]
    assert not found, "\n".join(["", *found])


def test_no_rooms_import_each_other() -> None:
    assert not layout.cycles(read()[0])


def test_no_file_has_a_path_of_one_machine_or_an_open_end() -> None:
    found = []
    for name in FILES:
        if Path(name).suffix in TEXTS and name != "tests/test_layout.py":
            lines = habits.lines_of(name, (ROOT / name).read_text("utf-8", errors="replace"))
            found += [str(Breach(name, line, what)) for line, what in lines]
    assert not found, "\n".join(["", *found])


def test_every_module_has_a_test_file() -> None:
    modules = [name for name in FILES if name.startswith("voice/") and name.endswith(".py")]
    tests = {f"tests/{path.name}" for path in (ROOT / "tests").glob("test_*.py")}
    missing = set(habits.untested(modules, tests)) - TESTED_ELSEWHERE.keys()
    assert not missing, f"no tests/test_<module>.py for {sorted(missing)}"


@pytest.mark.parametrize(("module", "test"), TESTED_ELSEWHERE.items())
def test_what_is_tested_elsewhere_is_imported_there(module: str, test: str) -> None:
    dotted = module.removesuffix(".py").replace("/", ".")
    assert module in FILES, f"{module} is gone: take it out of the list"
    assert (ROOT / test).exists(), f"{test} is not there"
    names = [name for _, name in layout.imports(Source(test, (ROOT / test).read_text("utf-8")).nodes)]
    assert any(f"{name}.".startswith(f"{dotted}.") for name in names), f"{test} does not import {dotted}"


def test_every_bench_is_in_its_readme() -> None:
    told = (ROOT / "bench" / "README.md").read_text("utf-8")
    scripts = [Path(name).name for name in FILES if name.startswith("bench/") and name.endswith(".py")]
    assert len(scripts) >= 2 and not [name for name in scripts if f"| `{name}` |" not in told]


DOC = '"""A room of the house."""\n'
STRUCT = "class Event(Struct):\n" + "".join(f"    field_{n}: int\n" for n in range(20))

# (what the message must say, path, source): each is a breach that was once made somewhere, in its smallest form.
PLANTED = [
    ("go down only", "voice/audio/pcm.py", "import voice.protocol.events"),
    ("go down only", "voice/audio/pcm.py", "from voice.protocol import events"),
    ("go down only", "voice/links/dial.py", "def dial():\n    from voice.engines.base import Engine"),
    ("go down only", "voice/engines/local.py", "from voice import server"),
    ("go down only", "voice/links/dial.py", "from voice import connect"),
    ("go down only", "voice/links/dial.py", "import voice"),
    ("go down only", "voice/server/app.py", "from voice.cli import main"),
    ("go down only", "voice/__init__.py", "def f():\n    import voice.cli"),
    ("config is for", "voice/engines/local.py", "from voice.config import Config"),
    ("config is for", "voice/links/dial.py", "from voice import config"),
    ("imports nothing", "voice/errors.py", "def f():\n    from voice.audio.pcm import Samples"),
    ("on no floor", "voice/gadgets/one.py", ""),
    ("relative", "voice/audio/turns.py", "from .pcm import Samples"),
    ("relative", "voice/audio/turns.py", "from . import pcm"),
    ("relative", "tests/test_pcm.py", "from .support import needs"),
    ("no asyncio", "voice/protocol/client.py", "import asyncio"),
    ("no time", "voice/policy/retry.py", "def f():\n    import time"),
    ("no time.monotonic", "voice/policy/retry.py", "from time import monotonic"),
    ("no random", "voice/policy/retry.py", "from random import random"),
    ("no threading", "voice/audio/jitter.py", "import threading"),
    ("no logging", "voice/protocol/codec.py", "import logging"),
    ("no os", "voice/policy/secrets.py", "import os.path"),
    ("no importlib.resources", "voice/policy/prices.py", "from importlib.resources import files"),
    ("no importlib.resources", "voice/policy/prices.py", "from importlib import resources"),
    ("no aiohttp", "voice/protocol/sse.py", "from aiohttp import web"),
    ("no open()", "voice/policy/prices.py", "text = open('prices.toml').read()"),
    ("no np.random", "voice/audio/turns.py", "import numpy as np\nnoise = np.random.default_rng()"),
    ("no datetime.now", "voice/policy/budget.py", "from datetime import datetime\nnow = datetime.now()"),
    ("no sys.stderr", "voice/policy/budget.py", "import sys\nsys.stderr.write('x')"),
    ("asynchronous", "voice/protocol/client.py", "async def receive():\n    pass"),
    ("asynchronous", "voice/audio/turns.py", "class A:\n    async def push(self):\n        pass"),
    ("system library", "voice/devices/sound.py", "import sounddevice"),
    ("system library", "voice/devices/sound.py", "try:\n    import sounddevice as sd\nexcept OSError:\n    sd = None"),
    ("slow to import", "voice/cli.py", "import asyncio"),
    ("slow to import", "voice/__init__.py", "from aiohttp.web import run_app"),
    ("in the command", "voice/cli.py", "from voice.talk import talk"),
    ("in the command", "voice/commands/talk.py", "from voice.talk import talk"),
    ("slow to import", "voice/commands/talk.py", "import numpy"),
    ("go down only", "voice/config.py", "from voice.commands.serve import add"),
    ("lines in a file", "tests/test_pcm.py", "x = 1\n" * 400),
    ("lines in long()", "bench/vad.py", "def long():\n" + "    x = 1\n" * 60),
    ("lines in long()", "voice/talk.py", "class A:\n    async def long(self):\n" + "        x = 1\n" * 60),
    ("methods in Big", "voice/talk.py", "class Big:\n" + "".join(f"    def f{n}(self): ...\n" for n in range(16))),
    ("attributes in Big", "voice/talk.py", "class Big:\n    def f(self):\n" + "".join(f"        self.a{n} = 1\n" for n in range(13))),
    (
        "attributes in Big",
        "voice/talk.py",
        "class Big:\n    def f(self):\n        (" + ", ".join(f"self.a{n}" for n in range(13)) + ") = x",
    ),
    ("attributes in Big", "voice/talk.py", "@dataclass(frozen=True)\nclass Big:\n" + "".join(f"    a{n}: int\n" for n in range(13))),
    ("no 'manager'", "voice/links/manager.py", ""),
    ("no 'utils'", "voice/audio/audio_utils.py", ""),
    ("no 'helpers'", "tests/helpers/one.py", ""),
    ("no 'common'", "bench/common.py", ""),
    ("only cli.py and commands/ print", "voice/replay.py", "def f():\n    print('hello')"),
    ("only cli.py and commands/ print", "voice/server/app.py", "from pprint import pprint\npprint({})"),
    ("TaskGroup", "voice/talk.py", "async def f():\n    asyncio.create_task(g(), name='g')"),
    ("TaskGroup", "voice/talk.py", "async def f():\n    asyncio.get_running_loop().create_task(g(), name='g')"),
    ("TaskGroup", "voice/talk.py", "def f(self):\n    self.loop.create_task(g(), name='g')"),
    ("TaskGroup", "voice/talk.py", "from asyncio import create_task"),
    ("TaskGroup", "voice/talk.py", "def f():\n    asyncio.ensure_future(g())"),
    ("TaskGroup", "voice/devices/sound.py", "def f(loop):\n    asyncio.run_coroutine_threadsafe(g(), loop)"),
    ("TaskGroup", "voice/talk.py", "async def f():\n    await asyncio.gather(g(), h())"),
    ("has a name", "voice/talk.py", "async def f(group):\n    group.create_task(g())"),
    ("bare except", "voice/talk.py", "try:\n    f()\nexcept:\n    raise"),
    ("without a comment", "voice/talk.py", "try:\n    f()\nexcept Exception:\n    log.exception('x')"),
    ("without a comment", "voice/talk.py", "try:\n    f()\nexcept (ValueError, Exception) as exc:\n    log.exception('x')"),
    ("without a comment", "voice/talk.py", "with contextlib.suppress(Exception):\n    f()"),
    ("not raised again", "voice/talk.py", "try:\n    f()\nexcept asyncio.CancelledError:\n    pass"),
    ("has a docstring", "voice/talk.py", None),
    ("ends with a period", "voice/talk.py", '"""Talk"""\n'),
    ("ends with a period", "voice/talk.py", '"""' + "Talk " * 30 + '."""\n'),
]


@pytest.mark.parametrize(("says", "path", "code"), PLANTED)
def test_a_planted_breach_is_caught(says: str, path: str, code: str | None) -> None:
    text = "x = 1\n" if code is None else code if code.startswith('"""') else DOC + code
    found = breaches(Source(path, text))
    assert any(says in breach.what for breach in found), found


# Close to a breach, and right.
ALLOWED = [
    ("voice/audio/turns.py", "from voice.audio.pcm import Samples\nfrom voice.errors import UsageError"),
    ("voice/protocol/client.py", "from voice.audio.pcm import Samples\nfrom voice.policy.limits import Limit"),
    ("voice/links/dial.py", "import asyncio\nfrom voice import __version__\nasync def f(now: float): ..."),
    ("voice/talk.py", "from voice.config import Config\nfrom voice.session import connect"),
    (
        "voice/policy/prices.py",
        "from voice.policy.secrets import masked\nfrom datetime import datetime\nx = datetime.fromisoformat('2026-01-01')",
    ),
    ("voice/audio/jitter.py", "def f(timer, opener):\n    timer.time()\n    opener.open()"),
    ("voice/devices/sound.py", "def f():\n    import sounddevice"),
    ("voice/cli.py", "from voice.errors import VoiceError\ndef f():\n    import asyncio\n    print('x')"),
    ("voice/cli.py", "from voice.commands import serve"),
    ("voice/commands/serve.py", "from voice.errors import VoiceError\ndef f():\n    from voice.server.app import serve\n    print('x')"),
    ("voice/config.py", "from voice.engines.providers import names"),
    ("voice/__main__.py", "from voice.cli import main\nmain()"),
    ("voice/__init__.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from voice.session import connect"),
    ("voice/talk.py", "async def f():\n    async with asyncio.TaskGroup() as group:\n        group.create_task(g(), name='g')"),
    ("voice/talk.py", "async def f(self):\n    self._tasks.create_task(g(), name='g')"),
    ("voice/talk.py", "try:\n    f()\nexcept Exception:  # the loop goes on: one call must not end the others\n    log.exception('x')"),
    ("voice/talk.py", "try:\n    f()\nexcept Exception:\n    # the loop goes on\n    log.exception('x')"),
    ("voice/talk.py", "try:\n    f()\nexcept asyncio.CancelledError:\n    raise"),
    ("voice/protocol/events.py", STRUCT),
    ("voice/talk.py", "class A:\n" + "    @property\n    def x(self): ...\n    @x.setter\n    def x(self, value): ...\n" * 8),
    ("tests/test_pcm.py", "import asyncio\nprint('x')\ndef f(): asyncio.create_task(g())"),
]


@pytest.mark.parametrize(("path", "code"), ALLOWED)
def test_what_is_right_is_let_through(path: str, code: str) -> None:
    assert breaches(Source(path, DOC + code)) == []


def test_rooms_that_import_each_other_are_caught() -> None:
    one = Source("voice/protocol/a.py", "import voice.policy.b")
    other = Source("voice/policy/b.py", "from voice.protocol import a")
    assert layout.cycles([one, other]) == {("policy", "protocol")}
    assert layout.cycles([one]) == set()


@pytest.mark.parametrize(
    "line",
    [
        "open('/home/someone/x')",
        "cd /work/somewhere",
        'path = "/tmp/x.wav"',
        "see /root/notes",
        r"C:\Users\someone",
        "https://pypi" + ".org/simple",
        "# TO" + "DO: later",
        "// FIX" + "ME",
    ],
)
def test_a_planted_line_is_caught(line: str) -> None:
    assert list(habits.lines_of("docs/x.md", f"first\n{line}\n"))[0][0] == 2


@pytest.mark.parametrize(
    "line", ["docs/work/x", "voice/tmp/x", "the home/page", "~/work/x", "# TO" + "DO (#12): later", "/usr/share/sounds", "//localhost/tmp"]
)
def test_a_harmless_line_is_let_through(line: str) -> None:
    assert not list(habits.lines_of("docs/x.md", line))


def test_a_module_without_a_test_is_caught() -> None:
    modules = ["voice/audio/pcm.py", "voice/protocol/client.py", "voice/__init__.py", "voice/__main__.py", "voice/talk.py"]
    assert list(habits.untested(modules, ["tests/test_protocol_client.py", "tests/test_pcm.py"])) == ["voice/talk.py"]
