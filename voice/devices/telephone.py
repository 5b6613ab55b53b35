"""Whether a headset plays at telephone quality because its microphone is open. Pure.

Bluetooth carries either good sound one way (A2DP) or a telephone's both ways (HFP, HSP: 8 or 16 kHz): the moment that a program opens the
microphone of such a headset, all that is played on it sounds like a telephone. What is known of a device is its name, as the system gives
it, and its rate.
"""

import re

BLUETOOTH = re.compile(
    r"bluez|bluetooth|blue tooth|hands-?_?\s?free|\bhfp\b|\bhsp\b|headset[_-]head[_-]unit|airpods|\bbuds\b|\bag audio\b", re.IGNORECASE
)
CALLS = re.compile(r"hands-?_?\s?free|\bhfp\b|\bhsp\b|headset[_-]head[_-]unit|\bag audio\b", re.IGNORECASE)
"""A device that is only for calls."""
ADDRESS = re.compile(r"(?:[0-9a-f]{2}[_:]){5}[0-9a-f]{2}", re.IGNORECASE)
"""Of one Bluetooth device."""
TELEPHONE_HZ = 16_000
"""At most."""
WAY_OUT = "take another microphone (--input NAME, `voice devices` lists them) and keep the headset for listening"
KINDS = frozenset(
    "headset headphones headphone earphone speakers speaker microphone mic input output source sink hands free handsfree ag audio stereo "
    "bluetooth bluez bluez5 hfp hsp a2dp unit head mono monitor default the".split()
)
"""Words that say what a device is, and not which one."""


def telephone(microphone: str, microphone_hz: int, loudspeaker: str, loudspeaker_hz: int) -> str:
    """What to say of a microphone and a loudspeaker, "" if there is nothing to say; names and their own rates."""
    if BLUETOOTH.search(loudspeaker) and (CALLS.search(loudspeaker) or loudspeaker_hz <= TELEPHONE_HZ):
        return f"the loudspeaker '{loudspeaker}' is Bluetooth for calls, at telephone quality: {WAY_OUT}"
    if not _same(microphone, loudspeaker):
        return ""
    if BLUETOOTH.search(microphone) or BLUETOOTH.search(loudspeaker) or (microphone_hz <= TELEPHONE_HZ and not _wired(microphone)):
        return f"while the microphone of '{microphone}' is open this headset plays at telephone quality: {WAY_OUT}"
    return ""


def _same(one: str, other: str) -> bool:
    """Whether two names are of one device: the address is in both, or what is left of the one is in the other."""
    addresses = [ADDRESS.findall(name.lower()) for name in (one, other)]
    if any(addresses):
        return addresses[0] == addresses[1]
    words = [{word for word in re.split(r"[^0-9a-z]+", name.lower()) if word and word not in KINDS} for name in (one, other)]
    return bool(words[0]) and bool(words[1]) and (words[0] <= words[1] or words[1] <= words[0])


def _wired(name: str) -> bool:
    return re.search(r"\busb\b|\bhda\b|\bhdmi\b|hw:|built-?in|\bjack\b|line", name, re.IGNORECASE) is not None
