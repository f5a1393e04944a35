"""Decks as people write and draw them: statements, nodes, what is replaced, and which sources may be op-amps."""
