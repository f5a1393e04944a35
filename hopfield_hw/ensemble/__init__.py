"""Our own engine: transients of a circuit's own devices, of many samples at once (see `transient`)."""
