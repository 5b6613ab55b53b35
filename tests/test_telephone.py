"""A Bluetooth headset whose microphone makes a telephone of it."""

import pytest

from voice.devices.telephone import telephone


@pytest.mark.parametrize(
    ("microphone", "microphone_hz", "loudspeaker", "loudspeaker_hz", "says"),
    [
        ("Headset (WH-1000XM4 Hands-Free AG Audio)", 16_000, "Headphones (WH-1000XM4 Stereo)", 44_100, "while the microphone of"),
        ("AirPods Pro", 24_000, "AirPods Pro", 48_000, "while the microphone of"),
        ("bluez_input.AA_BB_CC_DD_EE_FF.0", 16_000, "bluez_output.AA_BB_CC_DD_EE_FF.1", 48_000, "while the microphone of"),
        (
            "bluez_source.AA_BB_CC_DD_EE_FF.headset_head_unit",
            44_100,
            "bluez_sink.AA_BB_CC_DD_EE_FF.headset_head_unit",
            44_100,
            "the loudspeaker",
        ),
        ("WH-CH520", 16_000, "WH-CH520", 44_100, "while the microphone of"),
        ("Galaxy Buds2", 8_000, "Galaxy Buds2", 48_000, "while the microphone of"),
        ("MacBook Pro Microphone", 48_000, "Speaker (Jabra Hands-Free)", 16_000, "the loudspeaker"),
        # Good as it is.
        ("MacBook Pro Microphone", 48_000, "AirPods Pro", 48_000, ""),
        ("HDA Intel PCH: ALC257 Analog (hw:0,0)", 44_100, "HDA Intel PCH: ALC257 Analog (hw:0,0)", 44_100, ""),
        ("Jabra EVOLVE 20 USB", 16_000, "Jabra EVOLVE 20 USB", 48_000, ""),
        ("alsa_input.usb-0d8c_Headset-00.mono-fallback", 16_000, "bluez_output.AA_BB_CC_DD_EE_FF.1", 48_000, ""),
        ("default", 44_100, "default", 44_100, ""),
        ("default", 16_000, "default", 16_000, ""),
        ("Blue Snowball", 44_100, "MacBook Pro Speakers", 48_000, ""),
    ],
)
def test_what_is_said(microphone: str, microphone_hz: int, loudspeaker: str, loudspeaker_hz: int, says: str) -> None:
    said = telephone(microphone, microphone_hz, loudspeaker, loudspeaker_hz)
    assert said.startswith(says) and bool(said) is bool(says)
    assert not said or "--input" in said
