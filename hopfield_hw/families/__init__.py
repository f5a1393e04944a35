"""Families: functions that return the networks of the field."""

from .random_network import random_gain, random_network

__all__ = ["random_gain", "random_network"]
