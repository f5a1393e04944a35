"""hopfield_hw: a recurrent neural network becomes an op-amp circuit, runs in ngspice, and is held to its equations."""
