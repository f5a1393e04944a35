"""Around a balance: balances, small signals, noise, of many samples at once."""

from .analyses import find_balance, find_covariance, find_noise, respond

__all__ = ["find_balance", "find_covariance", "find_noise", "respond"]
