"""The plugin in somebody else's project: tests of every kind find a twin, failures are clear, and loading it costs nothing."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.needs import skip_without

pytest_plugins = ["pytester"]

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = """
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
filterwarnings = error
addopts = --strict-markers
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """An empty project that has voice installed. (Where it is not, the plugin is named.)"""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("NOTES_OF_SESSIONS", raising=False)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    pytester.makefile(".ini", pytest=SETTINGS)
    return pytester


def run(project: pytest.Pytester, *options: str) -> pytest.RunResult:
    return project.runpytest_subprocess("-p", "voice.testing", "-p", "no:cacheprovider", *options, timeout=120)


CLIENTS = '''
import asyncio
import json

import pytest
from websockets.asyncio.client import connect as connect_async
from websockets.sync.client import connect


def test_synchronous(voice_twin):
    voice_twin.script([{"say": "Hello there."}])
    with connect(voice_twin.url, proxy=None) as socket:
        socket.send(json.dumps({"type": "response.create"}))
        while (event := json.loads(socket.recv(20)))["type"] != "response.done":
            pass
    assert event["response"]["output"][0]["content"][0]["transcript"] == "Hello there."
    assert voice_twin.wait_for("response.create") and voice_twin.wait_ended() == (1000, "")


@pytest.mark.voice_twin(faults=[{"do": "close", "code": 4321, "on": {"event": "response.created"}}])
async def test_asynchronous(voice_twin):
    async with connect_async(voice_twin.url, proxy=None) as socket:
        await socket.send(json.dumps({"type": "response.create"}))
        seen = [json.loads(text)["type"] async for text in quiet(socket)]
    assert seen == ["session.created"]
    assert await voice_twin.wait_ended_async() == (4321, "")


async def quiet(socket):
    try:
        async for text in socket:
            yield text
    except Exception:
        assert socket.close_code == 4321


@pytest.mark.parametrize("number", range(3))
def test_nobody_meets_the_sessions_of_another(voice_twin, number):
    for _ in range(number):
        with connect(voice_twin.url, proxy=None) as socket:
            socket.recv(20)
    assert len(voice_twin.sessions) == number


@pytest.mark.voice_twin("""
[[reply]]
say = "By the marker."
""", hurry=True, complain=False)
class TestMarked:
    def test_a_class(self, voice_twin):
        with connect(voice_twin.url, proxy=None) as socket:
            socket.send(json.dumps({"type": "response.create"}))
            while json.loads(socket.recv(20))["type"] != "response.done":
                pass
            assert voice_twin.wait_for("response.done")["response"]["status"] == "completed"


def test_a_client_that_is_left_open(voice_twin):
    global left
    left = connect(voice_twin.url, proxy=None)
    voice_twin.wait_for("session.created")


def test_another_closes_it():
    left.close()
'''


@pytest.mark.parametrize("workers", ["0", "2"])
def test_clients_of_every_kind_find_a_twin(project: pytest.Pytester, workers: str) -> None:
    project.makepyfile(CLIENTS if workers == "0" else CLIENTS.replace("test_another_closes_it", "another"))
    run(project, "-n", workers).assert_outcomes(passed=8 if workers == "0" else 7)


def test_the_openai_client_finds_it(project: pytest.Pytester) -> None:
    skip_without("openai")
    project.makepyfile(
        """
        from openai import OpenAI


        def test_it_greets(voice_twin):
            voice_twin.script([{"say": "Hello."}])
            with OpenAI(base_url=voice_twin.base_url, api_key="any") as client, client.realtime.connect(model="m") as connection:
                connection.response.create()
                for event in connection:
                    if event.type == "response.done":
                        break
            assert event.response.output[0].content[0].transcript == "Hello."
        """
    )
    # The client itself has old-fashioned corners: its warnings are its own.
    run(project, "-W", "default").assert_outcomes(passed=1)


FAILING = """
from pathlib import Path

import pytest
from websockets.sync.client import connect


def test_what_does_not_come(voice_twin):
    with connect(voice_twin.url, proxy=None) as socket:
        socket.send('{"type": "response.cancel"}')
        voice_twin.wait_for("error")
        voice_twin.wait_for("response.create", timeout_s=0.1)


@pytest.mark.voice_twin(script=[{"say": "One."}], faults=[{"do": "rst", "at_s": 3600}], complain=True)
def test_not_used(voice_twin):
    pass


@pytest.mark.voice_twin(script=[{"sya": "One."}])
def test_mistake(voice_twin):
    pass


@pytest.mark.voice_twin(scripts=[])
def test_no_such_thing(voice_twin):
    pass


@pytest.mark.voice_twin("", [], 5)
def test_too_many(voice_twin):
    pass


@pytest.mark.voice_twin([], script=[])
def test_twice(voice_twin):
    pass


@pytest.mark.voice_twin(life_s=float("nan"))
def test_no_life(voice_twin):
    pass


@pytest.mark.voice_twin(complain="no")
def test_no_bool(voice_twin):
    pass


@pytest.mark.voice_twin(Path("script.toml"))
def test_a_file_beside_the_test(voice_twin):
    with pytest.raises(AssertionError, match="reply 1 was not used"):
        voice_twin.complain()


@pytest.mark.voice_twin(Path("nowhere.toml"))
def test_no_file(voice_twin):
    pass
"""


def test_failures_are_clear(project: pytest.Pytester) -> None:
    folder = project.mkpydir("deep")
    (folder / "test_failing.py").write_text(FAILING)
    (folder / "script.toml").write_text('[[reply]]\nsay = "x"\n')
    result = run(project)
    result.assert_outcomes(passed=2, failed=1, errors=8)
    result.stdout.fnmatch_lines_random(
        [
            "*no 'response.create' with index 0 within 0.1 s*",
            "*session 1 (open) received response.cancel; was sent session.created, error*",
            "*voice_twin: reply 1 was not used; the fault at faults.fault?0? has not happened*",
            "*voice_twin: script.reply?0?.sya: no key 'sya' here: did you mean 'say'?*",
            "*voice_twin: no argument 'scripts': did you mean 'script'?*",
            "*voice_twin: 3 arguments without a name: only script and faults may do without*",
            "*voice_twin: 'script' is given twice: with its name and without*",
            "*voice_twin: life_s is a number of seconds, above 0 and below 1e+09, not nan*",
            "*voice_twin: complain is True or False, not 'no'*",
            "*voice_twin: cannot read the script '*nowhere.toml': No such file or directory*",
        ]
    )
    # The way through our files is of no use to who wrote the test.
    assert "standing.py" not in result.stdout.str() and "seen.py" not in result.stdout.str()


def test_a_project_may_have_every_twin_complain(project: pytest.Pytester) -> None:
    project.makefile(".ini", pytest=SETTINGS + "voice_twin_complain = true\n")
    project.makepyfile(
        """
        import pytest


        def test_not_used(voice_twin):
            pass


        def test_that_fails_anyway(voice_twin):
            raise ZeroDivisionError


        @pytest.mark.voice_twin(complain=False)
        def test_not_here(voice_twin):
            pass
        """
    )
    result = run(project)
    result.assert_outcomes(passed=2, failed=1, errors=1)
    result.stdout.fnmatch_lines(["*voice_twin: reply 1 was not used*"])


def test_what_is_not_asked_for_is_not_loaded(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import sys


        def test_it():
            loaded = {name for name in sys.modules if name == "voice" or name.startswith("voice.")}
            assert loaded <= {"voice", "voice.testing", "voice.testing.plugin"}
            assert not {"aiohttp", "numpy", "msgspec", "websockets"} & set(sys.modules)
        """
    )
    run(project, "-p", "no:asyncio", "-p", "no:anyio", "-p", "no:hypothesispytest", "-o", "filterwarnings=").assert_outcomes(passed=1)


def test_without_pytest_there_is_no_need_of_it() -> None:
    code = (
        "import sys; sys.modules['_pytest'] = None\n"
        "import voice.testing\n"
        "assert not {'asyncio', 'aiohttp', 'numpy', 'pytest'} & set(sys.modules)\n"
        "with voice.testing.twin([{'say': 'Hello.'}]) as twin:\n"
        "    assert twin.base_url.startswith('http://127.0.0.1:')\n"
        "assert 'pytest' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{code}"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_the_package_announces_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"voice.testing": "voice.testing"}
    assert "pytest" not in " ".join(project["dependencies"])
