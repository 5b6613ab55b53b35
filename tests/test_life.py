"""A session moves before its server ends it: in a quiet moment of the last part of its life, at the last moment in any case."""

import pytest

from voice.protocol.life import LOOK_AGAIN_S, Life

SERVER_S = 1_700_000_000.0


def life(life_s: int, born: float = 100.0) -> Life:
    made = Life()
    made.begin(born, SERVER_S)
    made.expires(int(SERVER_S) + life_s)
    return made


# (life, seconds since the link was there, quiet, due)
@pytest.mark.parametrize(
    ("life_s", "age_s", "quiet", "due"),
    [
        (3600, 3539, True, False),
        (3600, 3540, True, True),
        (3600, 3540, False, False),
        (3600, 3594, False, False),
        (3600, 3595, False, True),
        (10, 6.9, True, False),
        (10, 7.0, True, True),
        (10, 9.4, False, False),
        (10, 9.5, False, True),
    ],
)
def test_when_to_move(life_s: int, age_s: float, quiet: bool, due: bool) -> None:
    assert life(life_s).due(100.0 + age_s, quiet) is due


def test_it_is_said_once_for_each_link() -> None:
    moved = life(10)
    assert [moved.due(now, True) for now in (108.0, 108.5, 109.9)] == [True, False, False]
    assert moved.deadline() is None
    moved.begin(109.0, SERVER_S)
    moved.expires(int(SERVER_S) + 10)
    assert moved.deadline() == 116.0 and moved.due(116.0, True)


def test_it_looks_again_for_a_quiet_moment_until_the_last() -> None:
    busy = life(10)
    assert busy.deadline() == 107.0
    assert not busy.due(107.0, False) and busy.deadline() == 107.0 + LOOK_AGAIN_S
    assert not busy.due(109.4, False) and busy.deadline() == 109.5


@pytest.mark.parametrize("expires_at", [None, 0, int(SERVER_S)])
def test_a_server_that_tells_no_end_is_not_left(expires_at: int | None) -> None:
    made = Life()
    made.begin(0.0, SERVER_S)
    made.expires(expires_at)
    assert made.deadline() is None and not made.due(1e9, True)


def test_a_wrong_clock_at_home_does_not_matter_and_an_unknown_one_means_never() -> None:
    made = Life()
    made.begin(0.0, None)
    made.expires(int(SERVER_S) + 10)
    assert made.deadline() is None
