"""Text for terminals."""


def printable(text: str) -> str:
    """Text from outside without the control characters that a terminal would obey."""
    return "".join(character if character.isprintable() else " " for character in text)
