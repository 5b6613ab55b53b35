"""A child with a small speech library of its own, for `test_speaking.py`: says each character as one chunk."""

import os
import sys
from typing import Any

from voice.errors import MissingError
from voice.workers.speaking import Put, serve


class Parrot:
    rate_hz = 8000

    def speak(self, order: dict[str, Any], put: Put) -> None:
        if order["text"] == "crash":
            raise ValueError("no such text")
        if order["text"] == "lost":
            raise MissingError("no such voice")
        os.write(1, b"chatter of a C library")
        for index, character in enumerate(order["text"]):
            if not put(character.encode(), [(index, index)]):
                return
        while order["text"] == "endless" and put(b"", []):
            pass

    def rest(self) -> None:
        pass


def make() -> Parrot:
    if sys.argv[1:] == ["broken"]:
        raise MissingError("nothing to speak with")
    return Parrot()


if __name__ == "__main__":
    serve(make)
