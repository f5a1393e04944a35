"""Analysis: what waveforms and networks say: energy, how errors grow, which device is at fault."""
