"""Floor 1: limits, retries, prices: rules as plain functions. No I/O, no clock."""
