"""Speech over a reply, frame by frame: "#" is 20 ms of speech, "." of silence; "d", "s" and "r" say when to duck, stop and play on."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.audio.pcm import FRAME_MS
from voice.protocol.bargein import ALONE_MS, GAP_MS, LEAST_MS, PAUSE_MS, WINDOW_MS, BargeIn, Move

LETTERS = {Move.STAY: ".", Move.DUCK: "d", Move.STOP: "s", Move.RESUME: "r"}


def played(speech: str, needed_ms: float = 200, replies: str = "", machine: BargeIn | None = None) -> str:
    """What is done at each frame. `replies`: "p" where a reply is given; all the time unless told. A stop ends it."""
    machine = machine or BargeIn()
    done = ""
    for at, letter in enumerate(speech):
        answering = "s" not in done if not replies else replies[at] == "p"
        done += LETTERS[machine.frame(letter == "#", answering, needed_ms)]
    return done


# (why, speech, what is done)
TABLE = [
    ("nobody speaks", "....................", "...................."),
    ("stray frames", "..#......#.....#........", "........................"),
    ("two within 100 ms", "..#.##..............", "....d..........r...."),
    ("a cough of 200 ms, heard for 350", "..##################....................", "...d.........................r.........."),
    ("two coughs", "########....########....................", ".d...........................r.........."),
    ("three, and nobody waits longer", "########.....########.....########......", ".d..................................r..."),
    ("one behind the other in a second", "########............########............", ".d...............r...d...............r.."),
    ("a word and a half", "#################################.......", ".d.................................r...."),
    ("a sentence", "########################################", ".d................................s....."),
    ("with short pauses", "################...####.#################", ".d.....................................s."),
    (
        "two words with a breath between",
        "####################........########################",
        ".d..........................................s.......",
    ),
]


@pytest.mark.parametrize(("speech", "want"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_what_speech_over_a_reply_does(speech: str, want: str) -> None:
    assert played(speech) == want


# (why, speech, ms needed, where a reply is given, what is done)
ELSEWHERE = [
    ("nothing is answered", "########################################", 200, "." * 40, "." * 40),
    ("a microphone that cannot be trusted", "########################################", math.inf, "", "." * 40),
    (
        "more evidence where there is an echo",
        "##################################################.......",
        900,
        "",
        ".d..........................................s............",
    ),
    (
        "a reply begins while somebody speaks",
        "####################.....................",
        200,
        "." * 10 + "p" * 31,
        "..........d..................r...........",
    ),
    (
        "and he has said enough",
        "########################################",
        200,
        "." * 36 + "p" * 4,
        "....................................s...",
    ),
    ("the reply ends by itself", "##########....................", 200, "p" * 8 + "." * 22, ".d......r....................."),
]


@pytest.mark.parametrize(("speech", "needed_ms", "replies", "want"), [row[1:] for row in ELSEWHERE], ids=[row[0] for row in ELSEWHERE])
def test_whether_it_is_over_a_reply_and_can_be_trusted(speech: str, needed_ms: float, replies: str, want: str) -> None:
    assert played(speech, needed_ms, replies) == want


@pytest.mark.parametrize(
    ("times", "speech_ms", "silence_ms"), [(2, 680, 1_000), (2, 540, 800), (2, 540, 1_500), (3, 440, 800), (2, 420, 400)]
)
def test_what_was_given_back_does_not_add_up(times: int, speech_ms: int, silence_ms: int) -> None:
    done = played(("#" * (speech_ms // FRAME_MS) + "." * (silence_ms // FRAME_MS)) * times)
    assert "s" not in done and done.count("d") == done.count("r") == times


@pytest.mark.parametrize(("word_ms", "pause_ms"), [(300, 60), (300, 100), (200, 80), (500, 120), (600, 60), (400, 160)])
def test_words_with_short_pauses_add_up(word_ms: int, pause_ms: int) -> None:
    done = played(("#" * (word_ms // FRAME_MS) + "." * (pause_ms // FRAME_MS)) * 4)
    assert done.count("s") == 1 and done.index("s") * FRAME_MS < 1_400


def test_without_words_to_come_length_alone_decides() -> None:
    machine = BargeIn()
    machine.words_come = False
    assert played("##############################", machine=machine).index("s") == ALONE_MS // FRAME_MS - 1
    machine = BargeIn()
    assert "s" not in played("##############################", machine=machine)


def test_words_decide_at_once_and_only_over_a_reply() -> None:
    machine = BargeIn()
    assert machine.words() is Move.STAY
    assert played("########", machine=machine) == ".d......" and machine.ducked
    assert machine.words() is Move.STOP and machine.overruling and not machine.ducked
    assert machine.words() is Move.STAY
    machine.turn_over()
    assert not machine.overruling, "the next reply is the answer"


def test_a_key_stops_what_is_being_decided() -> None:
    machine = BargeIn()
    assert played("########", machine=machine) == ".d......"
    machine.stopped()
    assert played("########..............", machine=machine, replies="." * 22) == "." * 22 and not machine.overruling


def test_an_echo_that_gets_worse_while_it_is_decided_changes_nothing() -> None:
    machine = BargeIn()
    assert played("########", machine=machine) == ".d......"
    assert played("#" * 40, math.inf, machine=machine).index("s") == LEAST_MS // FRAME_MS - 8 - 1


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 25)), max_size=40), st.sampled_from([200.0, 500.0, 900.0, math.inf]))
def test_whatever_is_heard_the_loudspeaker_is_never_left_resting(runs: list[tuple[bool, int]], needed_ms: float) -> None:
    machine = BargeIn()
    speech = "".join(("#" if heard else ".") * frames for heard, frames in runs) + "." * (PAUSE_MS // FRAME_MS + 1)
    done = played(speech, needed_ms, machine=machine)
    moves = done.replace(".", "")
    assert not machine.ducked and (moves == "" or moves[0] in "ds") and moves.count("s") <= 1
    assert all(pair in (("d", "r"), ("d", "s"), ("r", "d"), ("r", "s")) for pair in pairwise(moves)), moves
    held = 0
    for at, letter in enumerate(done):
        held = 1 if letter == "d" else 0 if letter in "rs" else held + (held > 0)
        # Beyond the window only speech without a pause keeps it resting.
        assert held * FRAME_MS <= WINDOW_MS or "#" in speech[at - GAP_MS // FRAME_MS - 1 : at + 1], (speech, done)
