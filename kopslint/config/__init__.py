"""Where kopslint runs: what a repository says about itself, and what a change touches.

This room must not know how anything is checked, nor how it is printed.
"""
