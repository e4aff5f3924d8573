"""What does not count: findings that a comment or a baseline silences, and why.

This room must not know how findings were made or how they are printed.
"""
