"""What is said when a microphone or a loudspeaker comes or goes, or gives nothing of use: one sentence. Pure."""

from dataclasses import dataclass

from voice.devices.watch import Trouble

WHY = {
    Trouble.ENDED: "had stopped",
    Trouble.STILL: "had stopped",
    Trouble.LATE: "came far too late",
    Trouble.SLEPT: "had slept with the machine",
}


@dataclass(frozen=True, slots=True)
class Have:
    """The names of the microphone and the loudspeaker; "" for one that is not there (any more)."""

    microphone: str = ""
    loudspeaker: str = ""
    lost_microphone: str = ""
    """The name of the last one, if there is none now."""
    lost_loudspeaker: str = ""

    def then(self, now: "Have") -> "Have":
        """What there is now, and what was lost on the way."""
        return Have(
            now.microphone,
            now.loudspeaker,
            "" if now.microphone else self.microphone or self.lost_microphone,
            "" if now.loudspeaker else self.loudspeaker or self.lost_loudspeaker,
        )


def changes(before: Have, now: Have, listen: bool, speak: bool, trouble: Trouble | None) -> str:
    """What has become of the microphone (if one is wanted: `listen`) and the loudspeaker (`speak`); "" if there is nothing to say."""
    said: dict[tuple[str, str, str], list[str]] = {}
    ends = (
        (listen, "microphone", before.microphone, before.lost_microphone, now.microphone),
        (speak, "loudspeaker", before.loudspeaker, before.lost_loudspeaker, now.loudspeaker),
    )
    for wanted, kind, had, lost, has in ends:
        if wanted and (has != had or (has and trouble is not None)):
            said.setdefault((had, lost, has), []).append(kind)
    return "; ".join(_sentence(kinds, *what, trouble) for what, kinds in said.items())


def _sentence(kinds: list[str], had: str, lost: str, has: str, trouble: Trouble | None) -> str:
    """What became of one, or of both alike."""
    one = len(kinds) == 1
    who = "the " + " and the ".join(kinds)
    if has and has == had and trouble is not None:
        return f"{who} '{has}' {WHY[trouble]} and {'was' if one else 'were'} opened again"
    if has and not had:
        return f"{who} '{has}' {'is' if one else 'are'} {'back' if has == lost else 'used now'}"
    gone = f"{who} '{had}' {'has' if one else 'have'} gone"
    return f"{gone}: '{has}' is used now" if has else f"{gone}: plug it in, it is used as soon as it is there; meanwhile you can type"


class Heard:
    """What is said of a microphone that is there and hears nobody; each thing once, until it is over."""

    def __init__(self) -> None:
        self._ours = False
        self._shut = False

    def look(self, name: str, ours: bool, shut: bool) -> list[str]:
        """`ours`: it hears nothing but what we play, not from the air; `shut`: it gives nothing but zeros."""
        said = []
        if ours and not self._ours:
            said.append(
                f"the microphone '{name}' hears what we play and nothing else, as if it had been pulled out: nothing it hears counts until it "
                "hears somebody; meanwhile you can type"
            )
        elif self._ours and not ours:
            said.append(f"the microphone '{name}' hears the room again")
        if shut and not self._shut:
            said.append(f"the microphone '{name}' gives nothing but silence: is it muted?")
            self._shut = True
        self._ours = ours
        return said
