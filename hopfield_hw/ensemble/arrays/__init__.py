"""The engine on a library of arrays, NumPy, CuPy or torch: all samples in each operation, for a GPU or without Numba.

It is the method of `kernels`, with samples in the same blocks, so that both take the same steps.
"""
