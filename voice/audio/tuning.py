"""The settings of the playback buffer (`jitter.py`), which its parts share. `web/tuning.js` has the same."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class LeadSettings:
    """When sound is made longer (`lead.py`). Chosen by measurement: `bench/jitter.py`."""

    look_ms: int = 10
    """While the lead is low, so often it is looked whether to make sound longer."""
    needed_percent: int = 200
    """The lead is low while it is less than so much of what replies needed, within the bounds below."""
    pause_ms: int = 120
    """Quiet of so much is a pause. Within words there are up to 110 ms (before a t, in speech of several voices)."""
    pause_below_ms: int = 300
    """Pauses are made longer while the lead is less, at least."""
    pause_below_most_ms: int = 800
    """And at most."""
    pause_most_ms: int = 300
    """A pause is made so much longer, at most."""
    stretch_below_ms: int = 200
    """Words are stretched while the lead is less, at least."""
    stretch_below_most_ms: int = 800
    """And at most."""
    calm_below_ms: int = 40
    """The least of stretching on a link that is known to be fast, and was never late."""
    conceal_ms: int = 40
    """Sound that runs dry goes on for so long, fading."""


@dataclass(frozen=True, slots=True)
class JitterSettings:
    """Chosen by measurement: `bench/jitter.py`."""

    quantile_percent: int = 95
    """How many of the past replies the next one's start delay would have done for."""
    decay_percent: int = 95
    """A reply weighs so much of the next one."""
    most_wait_ms: int = 500
    """The longest start delay that is learned; sound that nothing follows for so long is played, however little it is."""
    slow_wait_ms: int = 100
    """The least start delay, and the least sound, if arrival is slow. Else one delta is enough."""
    slow_wait_percent: int = 50
    """Of the start delay, if arrival is slow: what is longer makes up for the rest."""
    ahead_percent: int = 120
    """With so much of the start delay in the buffer, it need not be waited for."""
    resume_ms: int = 120
    """After running dry, play on with so much."""
    learn_ms: int = 1000
    """Shorter replies say nothing about longer ones."""
    fade_ms: int = 10
    """Fade-out where sound stops, fade-in after a gap."""
    flush_ms: int = 5
    """Fade-out where sound is stopped or held; at most `fade_ms`."""
    lead: LeadSettings = field(default_factory=LeadSettings)
    """When sound is made longer."""
