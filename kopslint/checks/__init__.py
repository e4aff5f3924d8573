"""Hazards: pure functions over specs, change and simulation.

This room must not know where text came from or how findings are printed.
"""
