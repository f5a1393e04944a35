"""What each imperfection of a board contributes to its deviation from the ideal equation."""
