"""Our own engine: a circuit's own devices, of many samples at once.

From a circuit to equations: `elements` takes devices apart (`junctions`; of vendors `libraries`, `vendors`), `samples`
gives their numbers in all samples, `programs` has formulas with their slopes, `system` the modified nodal equations.
`layout` makes flat arrays of them, in the `ordering` of least fill.

In time: `transient` chooses tolerances and checks itself; `backends` runs a plan, by kernels (`lanes`, `kernels`,
`newton`, `steps`, `delays`, with `state` and the constants of `method`) or on `arrays`. `blocks` runs many samples on
many machines and keeps them, `waves` gives one circuit's waveforms at its own steps.

Backwards in time: `gradients`, of `objectives`, through `adjoint` and `back`, by the `chain` from `part_values`.

Around a balance: `analyses`, on `evaluate`, `stamps`, `balance`, `noise_sources`, `stochastic`, `wires`, `naming`.
"""
