"""Room: one file a command.

Each has `add(commands)`, which describes it, and `run(options)`, which imports what it needs, does it and returns the exit code.
"""
