"""Engines: what runs a circuit and hands back its waveform."""
