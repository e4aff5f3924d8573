"""Bash: from text to statements and words, with the values that a reader can know.

A library of its own, which knows nothing of kops.
"""
