"""The terminal front: options in, exit status out.

This room must not know anybody's insides.
"""
