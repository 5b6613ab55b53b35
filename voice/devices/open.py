"""Opens what `--input` and `--output` name: a card, a file, or nothing."""

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from voice.devices.airing import AiredMicrophone, Airing
from voice.devices.base import Loudspeaker, Microphone
from voice.devices.blocking import in_thread
from voice.devices.card import NO_ANSWER, OPEN_S, Wanted, open_card
from voice.devices.choice import is_file
from voice.devices.ends import CardSpeaker
from voice.devices.paced import PacedSpeaker, null_speaker, wav_speaker
from voice.devices.portaudio import devices
from voice.devices.wavmic import WavMicrophone

NOTHING = "null"
"""The loudspeaker that nobody hears."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A microphone and a loudspeaker."""

    microphone: Microphone
    speaker: Loudspeaker
    beside: bool
    """Both are cards: the one may hear the other."""

    def joined(self) -> Microphone:
        """The microphone, whose frames say from now on what is played meanwhile, as those of one card do by themselves: for a recording."""
        if isinstance(self.speaker, PacedSpeaker):
            airing = Airing(self.speaker.catch_up)
            self.speaker.tap = airing.put
        elif isinstance(self.speaker, CardSpeaker) and not self.beside:
            airing = Airing()
            self.speaker.tap = airing.put
        else:
            return self.microphone
        if isinstance(self.microphone, WavMicrophone):
            # It knows to the sample when its frames were said.
            self.microphone.airing = airing
            return self.microphone
        return AiredMicrophone(self.microphone, airing)


@asynccontextmanager
async def open_devices(listen: str | None, speak: str | None, note: Callable[[str], None]) -> AsyncIterator[Opened]:
    """What is named, open while the block runs; None: the default device. A card that goes is looked for until it is back.

    `note` is told of that, and if a file is truncated. Raises: UsageError for a file, MissingError for a card.
    """
    from_file = listen is not None and is_file(listen)
    to_file = speak is not None and is_file(speak)
    async with AsyncExitStack() as stack:
        microphone: Microphone | None = WavMicrophone(listen, note) if from_file and listen is not None else None
        speaker: Loudspeaker | None = None
        if speak == NOTHING:
            speaker = await stack.enter_async_context(null_speaker())
        elif to_file and speak is not None:
            speaker = await stack.enter_async_context(wav_speaker(speak))
        if microphone is None or speaker is None:
            # PortAudio looks when it is loaded: if that was before, it must look again.
            fresh = "sounddevice" in sys.modules
            found = await in_thread(lambda: devices(fresh), OPEN_S, NO_ANSWER)
            wanted = Wanted(microphone is None, speaker is None, listen, speak)
            card = await stack.enter_async_context(open_card(wanted, found, note))
            beside = microphone is None and speaker is None
            microphone, speaker = microphone or card.microphone, speaker or card.loudspeaker
        else:
            beside = False
        assert microphone is not None and speaker is not None, "a card has what was chosen on it"
        yield Opened(microphone, speaker, beside)
