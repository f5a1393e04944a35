"""A design file of two neurons that decide, for tests of commands."""

PAIR = """\
title = "Two neurons"
citation = "none"
[network]
weights = [[0.0, -5.0e-5], [-5.0e-5, 0.0]]
resistance = 1.0e4
capacitance = 1.0e-7
gain = {kind = "tanh", gain = 8.0}
initial = [0.1, 0.05]
[analysis]
t_stop = 1.0e-2
"""
EXPECTED = """\
[expected]
kind = "settled"
outputs = [1.0, -1.0]
tolerance = 1.0e-2
"""
BOARD = """\
[board]
series = "E96"
"""
