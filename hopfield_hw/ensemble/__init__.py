"""Our own engine: a circuit's own devices, of many samples at once.

`devices` takes a circuit apart into elements, `equations` makes modified nodal equations of them. In time: `runs` takes
steps of one tolerance, and reads what they give (at t = 0 by `starts`), `accuracy` makes them as exact as is asked for,
`transient` returns that. `backends` runs a plan, by `kernels` in machine code or on `arrays`, with the constants of
`method` and the arrays of `state`. `blocks` runs many samples on many machines and keeps them, `waves` gives one
circuit's waveforms at its own steps.

Beside the transient: `gradients`, backwards in time, and `analyses` around a balance.
"""
