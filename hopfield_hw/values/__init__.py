"""Values: numbers, names, signals and waveforms as everything else takes them, checked where they enter."""
