"""Pictures: a verification on one page, waveforms, and schematics."""
