"""The language of a sentence by its letters."""

import pytest

from voice.engines.scripts import language_of


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("Hello there.", "en"),
        ("안녕하세요.", "ko"),
        ("Python은 배우기 쉬워요.", "ko"),
        ("Seoul is written 서울 in Korean.", "en"),
        ("ㅋㅋㅋ", "ko"),
        ("こんにちは。", "ja"),
        ("東京都の人口は約千四百万人です。", "ja"),
        ("你好，世界。", "zh"),
        ("Привет, мир!", "ru"),
        ("مرحبا بالعالم", "ar"),
        ("שלום עולם", "he"),
        ("Γειά σου κόσμε", "el"),
        ("नमस्ते दुनिया", "hi"),
        ("สวัสดีชาวโลก", "th"),
        ("Ça va très bien.", "en"),
        ("10:30", "en"),
        ("", "en"),
        ("👋🏽 ...", "en"),
    ],
)
def test_the_letters_tell(text: str, want: str) -> None:
    assert language_of(text) == want


def test_latin_letters_and_none_at_all_are_taken_for_what_is_spoken() -> None:
    assert language_of("Ça va très bien.", latin="fr") == "fr"
    assert language_of("10:30", latin="fr") == "fr"
    assert language_of("10:30", unclear="ko") == "ko"
    assert language_of("👍", unclear="ko") == "ko"
    assert language_of("OK", unclear="ko") == "en"
    assert language_of("안녕", latin="fr", unclear="ru") == "ko"
