"""Problems run to their answers, many starts at once: tours, satisfiability, programs."""
