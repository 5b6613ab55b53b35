"""What a test may give a twin: text, a path, objects, or what was read already."""

from pathlib import Path
from typing import Any

import pytest

from voice.engines.script import read_script
from voice.errors import ConfigError, UsageError
from voice.policy.deeds import Reset
from voice.policy.faults import read_faults
from voice.testing.given import faults_of, script_of
from voice.testing.standing import twin_of

SCRIPT = '[[reply]]\nsay = "Hello."\n'
FAULTS = '[[fault]]\ndo = "rst"\nat_s = 1\n'


def test_scripts_in_every_form(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(SCRIPT)
    forms: list[Any] = [SCRIPT, tmp_path / "s.toml", [{"say": "Hello."}], {"reply": [{"say": "Hello."}]}, read_script(SCRIPT, "mine")]
    assert [[reply.say for reply in script_of(form).replies] for form in forms] == [["Hello."]] * len(forms)
    assert [reply.say for reply in script_of(None).replies] == ["{output}", "{heard}"]


def test_faults_in_every_form(tmp_path: Path) -> None:
    (tmp_path / "f.toml").write_text(FAULTS)
    plan = read_faults(FAULTS, "mine")
    forms: list[Any] = [FAULTS, tmp_path / "f.toml", [{"do": "rst", "at_s": 1}], {"fault": [{"do": "rst", "at_s": 1}]}, plan]
    assert [[fault.deed for fault in faults_of(form).faults] for form in forms] == [[Reset()]] * len(forms)
    assert list(faults_of(None).faults) == [] and faults_of(plan) is plan


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([{"sy": "x"}], "script.reply[0].sy: no key 'sy' here: did you mean 'say'?"),
        ("[[reply]]\nsy = 1", "script:2: no key 'sy' here: did you mean 'say'?"),
        ([], "script: no [[reply]] in it: there is nothing to answer with"),
        (Path("nowhere.toml"), "cannot read the script 'nowhere.toml': No such file or directory"),
    ],
)
def test_mistakes_in_a_script_are_told(given: Any, says: str) -> None:
    with pytest.raises(ConfigError) as told:
        script_of(given)
    assert str(told.value) == says


FORMS = "TOML as text, the Path of a file, a list of {}, or a whole file as a mapping, not {}"


@pytest.mark.parametrize("given", [7, 1.5, b"x", {1}, True])
def test_what_is_none_of_the_forms_is_told(given: Any) -> None:
    with pytest.raises(UsageError) as told:
        script_of(given)
    assert str(told.value) == "script is " + FORMS.format("replies", repr(given))
    with pytest.raises(UsageError) as told:
        faults_of(given)
    assert str(told.value) == "faults is " + FORMS.format("faults", repr(given))


def test_a_file_is_given_as_a_path() -> None:
    says = "{}: 'a b/x.toml' is taken for TOML, not for the name of a file, which is given as a Path: Path('a b/x.toml')"
    for of, what in ((script_of, "script"), (faults_of, "faults")):
        with pytest.raises(UsageError) as told:
            of("a b/x.toml")
        assert str(told.value) == says.format(what)
    assert list(faults_of("# faults.toml").faults) == []


@pytest.mark.parametrize("given", ["x", None, True, float("nan"), float("inf"), -1, 0, 10**9, 10**400, 1j])
def test_a_life_that_is_none(given: Any) -> None:
    with pytest.raises(UsageError, match="^life_s is a number of seconds, above 0 and below 1e\\+09, not "):
        twin_of(life_s=given)


@pytest.mark.parametrize(
    ("name", "given", "says"), [("hurry", 1, "hurry is True or False, not 1"), ("dialect", 7, "dialect is a name, not 7")]
)
def test_other_arguments_of_the_wrong_kind(name: str, given: Any, says: str) -> None:
    with pytest.raises(UsageError, match=f"^{says}$"):
        twin_of(**{name: given})


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([{"do": "rst", "at_s": 1}, {"do": "rest"}], "faults.fault[1].do: nothing is called do = 'rest'"),
        ("[[fault]]\ndo = 1", "faults:2: do: expected text, got whole number"),
        (Path("nowhere.toml"), "cannot read the faults 'nowhere.toml': No such file or directory"),
    ],
)
def test_mistakes_in_faults_are_told(given: Any, says: str) -> None:
    with pytest.raises(ConfigError) as told:
        faults_of(given)
    assert str(told.value).startswith(says)
