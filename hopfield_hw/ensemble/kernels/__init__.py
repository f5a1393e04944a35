"""Steps of LANES samples in machine code, forward in time and back."""
