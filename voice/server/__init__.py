"""Floor 4: the service: one aiohttp application that serves the page, the Realtime endpoint and its health."""
