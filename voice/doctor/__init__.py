"""Room: what `voice doctor` looks at."""
