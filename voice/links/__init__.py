"""Floor 2: links carry texts between two sessions: in memory, over a WebSocket from here, or over one to here."""
