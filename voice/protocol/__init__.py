"""Floor 1: the Realtime protocol. Typed events, their codec, and the two sessions. No I/O, no clock."""
