"""Floor 2: model processes. Each child is one module here, run as `python -m voice.workers.NAME`."""
