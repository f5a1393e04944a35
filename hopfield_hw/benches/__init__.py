"""Test benches of op-amps: circuits that anybody can run, and what they measure, beside data sheets."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
