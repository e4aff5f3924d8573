"""Reports for people and machines.

This room must not know rules or kops; it prints what it is given.
"""
