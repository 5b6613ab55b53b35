"""Tests: one file for each module of voice, flat; what they share is in `support`."""
