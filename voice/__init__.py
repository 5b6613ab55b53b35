"""voice: talk to any model by voice, from a terminal, a page or a WAV file."""

__version__ = "0.1.0"
