"""What a test may give a twin: text, a path, objects, or what was read already."""

from pathlib import Path
from typing import Any

import pytest

from voice.engines.script import read_script
from voice.errors import ConfigError
from voice.policy.deeds import Reset
from voice.policy.faults import read_faults
from voice.testing.given import faults_of, script_of

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
