"""The rules as data: identity, severity, sources, prose and examples.

This room must not know the hazards' logic; it names the functions that do.
"""
