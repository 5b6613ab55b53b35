"""Both clocks go on."""

import time

from voice.devices.clocks import always_s, waking_s


def test_they_go_on_and_agree_on_a_machine_that_is_awake() -> None:
    before = waking_s(), always_s()
    time.sleep(0.01)
    waking, always = waking_s() - before[0], always_s() - before[1]
    assert waking >= 0.01 and abs(always - waking) < 0.5
