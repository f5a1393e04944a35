"""Problems run to their answers: tours, satisfiability, programs. Equations and maps of `problems`, many starts at once."""
