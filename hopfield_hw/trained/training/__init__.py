"""How the shipped weights came to be: one script a file, to be run with `python -m`; they need PyTorch."""
