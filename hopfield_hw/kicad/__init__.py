"""KiCad projects: sheets, symbols, footprints, a start of a board, and what checks them with KiCad and without."""
