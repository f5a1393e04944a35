"""How the shipped weights came to be: one script a file, to be run with `python -m`; they need PyTorch.

The weights are those of PyTorch 2.13.0 on one CPU; there the same script gives the same file to the last bit.
"""
