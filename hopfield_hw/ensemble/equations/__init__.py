"""From elements to modified nodal equations, with the numbers of all samples, as flat arrays."""
