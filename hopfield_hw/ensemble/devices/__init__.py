"""From a circuit's devices to elements that have none in them."""
