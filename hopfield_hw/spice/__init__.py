"""SPICE: dialects that print circuits, ngspice that runs them, and decks that people wrote."""
