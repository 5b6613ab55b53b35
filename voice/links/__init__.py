"""Floor 2: what carries events between two sessions, and the driver that joins a session to a link."""
