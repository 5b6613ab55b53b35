"""Which slow tests go to one worker."""

from pathlib import Path

from tests.support.sharing import CARDS, together

ROOT = Path(__file__).resolve().parent.parent


def test_sound_cards_go_to_one_worker_and_all_else_to_whoever_is_free() -> None:
    played = ("tests/test_real_cards.py::test_one", "tests/test_talk_real.py::test_two[a::b]")
    others = ("tests/test_heads.py::test_one", "tests/test_heads.py::test_two[a::b]")
    assert {together(ROOT, name) for name in played} == {CARDS}
    assert [together(ROOT, name) for name in others] == list(others)
