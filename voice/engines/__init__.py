"""Floor 3: what answers. `base.py` has the interfaces; every class here implements one of them."""
