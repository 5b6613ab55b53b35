"""Floor 2: what outlives a process."""
