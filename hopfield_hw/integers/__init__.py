"""Integers: maps in fixed point, run by compiled loops, written as Verilog, simulated by Icarus."""
