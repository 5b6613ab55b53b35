"""`voice talk` in a terminal: what keys mean, how a conversation looks, and the two on a screen."""
