"""Typed Korean: sentences in, intents and Korean answers out."""

from datetime import timedelta, timezone

import pytest

from voice.engines.answers import Skills
from voice.engines.korean import is_korean, match

SEOUL = timezone(timedelta(hours=9))
HALF_PAST_FIVE = 1_795_163_400.0
"""2026-11-20 17:30 in Seoul."""


def answer(text: str) -> str:
    intent = match(text)
    assert intent is not None and intent.language == "ko", text
    said = Skills(SEOUL).answer(intent, 0.0, HALF_PAST_FIVE)
    assert {sentence.language for sentence in said} == {"ko"}
    return " ".join(sentence.text for sentence in said)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("지금 몇 시야?", "지금은 오후 5시 30분입니다."),
        ("몇시에요", "지금은 오후 5시 30분입니다."),
        ("시간 좀 알려 주세요", "지금은 오후 5시 30분입니다."),
        ("오늘 며칠이야?", "오늘은 2026년 11월 20일 금요일입니다."),
        ("오늘 날짜 알려줘", "오늘은 2026년 11월 20일 금요일입니다."),
        ("오늘 무슨 요일이에요?", "오늘은 금요일입니다."),
        ("3 더하기 5는?", "3 더하기 5는 8입니다."),
        ("십이 곱하기 삼", "12 곱하기 3은 36입니다."),
        ("십이 나누기 오는 얼마예요?", "12 나누기 5는 2.4입니다."),
        ("10 나누기 3은 얼마야", "10 나누기 3은 약 3.3333입니다."),
        ("5에서 8을 빼면?", "5 빼기 8은 마이너스 3입니다."),
        ("7 나누기 0은?", "0으로 나눌 수 없습니다."),
        ("200의 10%는?", "200의 10퍼센트는 20입니다."),
        ("루트 16은?", "16의 제곱근은 4입니다."),
        ("10마일은 몇 킬로미터야?", "10마일은 16.09킬로미터입니다."),
        ("5 킬로그램을 파운드로 바꿔 줘", "5킬로그램은 11.02파운드입니다."),
        ("섭씨 20도는 화씨로 몇 도예요?", "섭씨 20도는 화씨 68도입니다."),
        ("5분 타이머 맞춰 줘", "5분 타이머를 맞췄습니다."),
        ("한 시간 반 뒤에 알려 줘", "1시간 30분 타이머를 맞췄습니다."),
        ("고마워요", "천만에요."),
        ("안녕하세요!", "안녕하세요! 무엇을 도와 드릴까요?"),
        ("한국어 할 수 있어?", "글로 쓰신 한국어는 알아듣고 한국어로 대답합니다. 말로 하는 한국어를 알아들으려면 더 큰 모델이 필요합니다."),
    ],
)
def test_answers(text: str, want: str) -> None:
    assert answer(text) == want


@pytest.mark.parametrize(
    ("text", "skill"),
    [
        ("타이머 얼마나 남았어?", "timer_left"),
        ("타이머 취소해 줘", "timer_cancel"),
        ("타이머 모두 꺼 줘", "timer_cancel_all"),
        ("내 열쇠는 부엌에 있다고 기억해 줘", "remember"),
        ("기억해 줘: 현관문 비밀번호는 1234야", "remember"),
        ("내 열쇠 어디 있어?", "recall"),
        ("내가 뭐라고 말했지?", "recall_all"),
        ("내가 방금 뭐라고 했어?", "repeat_last"),
        ("모두 잊어 줘", "forget_all"),
        ("뭘 할 수 있어?", "help"),
        ("도와줘", "help"),
        ("잘 지내요?", "how_are_you"),
        ("넌 누구니?", "who_are_you"),
        ("이름이 뭐예요?", "name"),
        ("너는 로봇이야?", "robot"),
        ("안녕히 계세요", "goodbye"),
        ("좋은 아침", "good_morning"),
        ("내일 무슨 요일이야?", "tomorrow"),
    ],
)
def test_skills(text: str, skill: str) -> None:
    intent = match(text)
    assert intent is not None and intent.skill == skill


@pytest.mark.parametrize(
    "text",
    [
        "프랑스의 수도는 어디야?",
        "오늘 날씨 어때?",
        "나는 어제 시장에 갔다",
        "삼",
        "3",
        "",
        "?",
        "사과 더하기 배는?",
        "10마일은 몇 리터야?",
        "ㅋㅋㅋ",
        "가" * 100_000,
        "삼 더하기 " * 3000,
    ],
)
def test_what_is_no_command(text: str) -> None:
    assert match(text) is None


@pytest.mark.parametrize("n", [50, 99])
def test_long_rows_of_one_thing_end(n: int) -> None:
    for part in ("이", "(", "십", "더", "몇시", "1시간", "이 ", "은는", "3+"):
        match(part * n)


def test_free_words_keep_their_spaces() -> None:
    intent = match("따라 해 봐: 안녕 세상")
    assert intent is not None and intent.slots["what"] == "안녕 세상"
    intent = match("내 열쇠는 부엌에 있다고 기억해 줘")
    assert intent is not None and intent.slots["fact"] == "내 열쇠는 부엌에 있다"


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("안녕", True),
        ("what does 안녕하세요 mean", False),
        ("hello", False),
        ("3 + 5", False),
        ("5km는 몇 마일", True),
        ("", False),
        ("日本語", False),
    ],
)
def test_is_korean(text: str, want: bool) -> None:
    assert is_korean(text) is want
