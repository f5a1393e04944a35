"""Memories: how much they hold, from how far they recall, and recall on every machine."""
