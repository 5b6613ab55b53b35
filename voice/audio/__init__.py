"""Floor 0: numpy in, numpy out. No I/O, no clock, no threads."""
