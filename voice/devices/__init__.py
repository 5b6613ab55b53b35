"""Floor 2: where sound comes from and goes to - sound cards and files."""
