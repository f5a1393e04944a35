"""Problems run to their answers, many starts at once: tours, satisfiability, programs."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
