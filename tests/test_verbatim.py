"""Instructions that say what to say, and those that leave the words to whoever answers."""

import pytest

from voice.engines.verbatim import ordered

EXACT = [
    ('Say exactly this, and nothing else: "One moment, please."', "One moment, please."),
    ('Say "Hello there!"', "Hello there!"),
    ('say exactly "it\'s ten"', "it's ten"),
    ("Say exactly: Welcome back, Kim.", "Welcome back, Kim."),
    ("Say exactly the following: Welcome back.", "Welcome back."),
    ("Please repeat verbatim: seven, eight", "seven, eight"),
    ("Respond with exactly the text 'Goodbye.'.", "Goodbye."),
    ("Tell the user exactly this: “Your order has shipped.”", "Your order has shipped."),
    ("You must say only «Bonjour»", "Bonjour"),
    ('Read aloud, word for word: "A “quoted” word"', "A “quoted” word"),
    ('Say exactly this: "He said "stop" twice."', 'He said "stop" twice.'),
    ("Greet the user with exactly these words: Hello!", "Hello!"),
    ('Say exactly this: "잠시만 기다려 주세요."', "잠시만 기다려 주세요."),
    ('다음을 그대로 말해: "안녕하세요"', "안녕하세요"),
    ("정확히 이렇게 말해: 안녕하세요", "안녕하세요"),
    ('"안녕하세요"라고 말해 줘', "안녕하세요"),
    ("“반갑습니다”라고 정확히 말하세요.", "반갑습니다"),
]
FREE = [
    "",
    "Say hello to the user.",
    "Greet the user and offer your assistance.",
    "You are a helpful assistant. Always say \"please\" when you ask.",
    'Never say "no".',
    'Do not say exactly this: "no"',
    'Say something like "One moment."',
    'Say "hello" and ask for the name.',
    "Speak slowly: the user is old.",
    "Answer: be brief.",
    "Say exactly:",
    'Say exactly this: ""',
    'The user said "say exactly this".',
    '"',
    "It's five o'clock",
    "사용자에게 인사해 줘",
    'You are Kim. If someone asks who you are, say "I am Kim."',
]  # fmt: skip


@pytest.mark.parametrize(("instructions", "words"), EXACT)
def test_word_for_word(instructions: str, words: str) -> None:
    assert ordered(instructions) == words


@pytest.mark.parametrize("instructions", FREE)
def test_the_words_are_left_to_whoever_answers(instructions: str) -> None:
    assert ordered(instructions) is None
