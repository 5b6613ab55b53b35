"""Words that ask for nothing, in the languages of the package."""

import tomllib
from importlib import resources

import pytest

from voice.interrupting import backchannels
from voice.protocol.backchannel import MOST_WORDS, Backchannels, spoken

NOTHING = [
    *("", " ", "...", "[cough]", "(coughs)", "*clears throat*", "<unk>", "♪ music ♪", "【笑】", "[noise] (door slams) ..."),
    *(
        "uh-huh",
        "Uh huh.",
        "Mm-hmm",
        "mmmmm",
        "Mhm!",
        "yeah",
        "Yeahhhh",
        "Yeah, yeah.",
        "OK",
        "okay okay",
        "Right.",
        "I see.",
        "oh, I see",
        "got it, thanks",
    ),
    *("haha", "Hahahaha", "hm", "Hmm...", "um", "wow!", "Thank you.", "all right", "That’s right."),
    *("네", "네, 네.", "네네", "응", "음...", "아하!", "그렇군요", "ㅋㅋㅋㅋㅋ", "아 네", "맞아요."),
    *(
        "うん",
        "はい、はい",
        "なるほど。",
        "嗯",
        "对对",
        "是的。",
        "Ja, genau.",
        "Ach so.",
        "oui oui",
        "d'accord",
        "sí, claro",
        "да",
        "va bene",
        "está bem",
    ),
]
SOMETHING = [
    *(
        "stop",
        "Stop!",
        "wait",
        "wait a moment",
        "no",
        "No.",
        "hey",
        "yeah but",
        "okay stop",
        "what",
        "why?",
        "I see a problem",
        "uh, stop",
        "five",
    ),
    *("잠깐", "잠깐만요", "그만", "네 그런데", "아니", "아니요", "멈춰", "뭐라고?"),
    *("halt", "warte", "non", "para", "待って", "ちょっと", "等等", "不对", "стоп", "нет", "basta", "nee"),
    "yeah " * (MOST_WORDS + 1),
]


@pytest.mark.parametrize("text", NOTHING)
def test_nothing_is_asked_for(text: str) -> None:
    assert backchannels().only(text)


@pytest.mark.parametrize("text", SOMETHING)
def test_something_is_said(text: str) -> None:
    assert not backchannels().only(text)


def test_a_text_without_words() -> None:
    assert spoken("[cough] ... (door)") == [] and spoken("Mm-HMM!") == ["mm", "hmm"] and spoken("Hmmmm") == ["hmm"]


def test_phrases_are_whole() -> None:
    some = Backchannels({"xx": {"words": ["so"], "phrases": ["i see"]}})
    assert some.only("So, I see. So!") and not some.only("I see so you") and not some.only("see")


def test_a_hostile_text_costs_nothing() -> None:
    for text in ("[" * 50_000, "(" * 50_000, "*" * 50_001, "yeah " * 20_000, "a" * 100_000, "♪" * 50_001):
        assert not backchannels().only(text) and not backchannels().calls(text)


@pytest.mark.parametrize(
    ("text", "want"),
    [("Stop!", True), ("oh, wait", True), ("Hold on.", True), ("잠깐만요", True), ("stopped", False), ("", False)],
)
def test_words_that_nobody_says_but_to_interrupt(text: str, want: bool) -> None:
    assert backchannels().calls(text) is want


def test_no_word_of_the_package_is_both() -> None:
    for name, table in tomllib.loads(resources.files("voice.data").joinpath("backchannels.toml").read_text("utf-8")).items():
        assert set(table) == {"words", "phrases", "calls"} and set(table["words"]).isdisjoint(table["calls"]), name
